"""Batches: ordered, watched, stopped, gone on with; and the simulations in them."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import transaction
from django.http import StreamingHttpResponse
from django.urls import path
from django.utils.datastructures import MultiValueDict
from rest_framework import serializers

from writ_app.api.catalog import EnvironmentRef
from writ_app.api.endpoint import Endpoint, MemberRequest, found, operation
from writ_app.api.fields import (
    Body,
    Choice,
    Coded,
    Document,
    Flag,
    Key,
    Number,
    PageQuery,
    Text,
    Whole,
)
from writ_app.api.paging import Page, page, page_of
from writ_app.api.problems import Refused, check, refused_content
from writ_app.forms.synthesis import BY_GRID, BY_MIX, BatchForm, CapsForm
from writ_app.jobs.synthesis import design_batch, send_unfinished
from writ_app.models.accounts import Role
from writ_app.models.synthesis import (
    Batch,
    BatchStatus,
    Simulation,
    SimulationStatus,
)
from writ_app.services.access import Access
from writ_app.services.catalog import load_environment
from writ_app.services.synthesis import (
    MAX_ORDERED,
    MAX_PLANS_PER_TASK,
    BadConduct,
    BadOrder,
    batch_progress,
    batch_spending,
    batches_progress,
    cancel_batch,
    change_caps,
    default_cells,
    default_mix,
    marginals_json,
    pause_batch,
    resume_batch,
    retry_failed,
    start_batch,
)
from writ_app.services.synthesis.results import export_results

refused_content(BadOrder, BadConduct)
ROLES = ("agent", "user_simulator", "paraphraser", "judge")
TAG = "Batches"


# --- what is told ---------------------------------------------------------------------------------------------------------------


class RejectLine(serializers.Serializer[Any]):
    reason = serializers.CharField(help_text="The first check that failed.")
    owner = serializers.CharField(help_text="Who is to answer for it.")
    count = serializers.IntegerField()
    example = serializers.IntegerField(help_text="Key of a trajectory.")


class Progress(serializers.Serializer[Any]):
    """The funnel from ordered to accepted. Simulations that were tried again count once."""

    ordered = serializers.IntegerField()
    designed = serializers.IntegerField()
    pending = serializers.IntegerField()
    running = serializers.IntegerField()
    done = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    accepted = serializers.IntegerField()
    rejected = serializers.IntegerField()
    failed = serializers.IntegerField(
        help_text="Ended by no fault of agent or user: `retry` tries them again."
    )
    per_minute = serializers.FloatField(source="pace.per_minute", allow_null=True)
    seconds_left = serializers.SerializerMethodField()
    reasons = RejectLine(many=True)

    def get_seconds_left(self, progress: Any) -> float | None:
        left = progress.pace.left
        return None if left is None else left.total_seconds()


class BatchLine(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    environment = EnvironmentRef()
    status = Coded(BatchStatus)
    stopped_by = serializers.CharField(help_text="Of a paused batch: why.")
    ordered = serializers.IntegerField()
    seed = serializers.IntegerField()
    cost = serializers.DecimalField(
        18, 9, help_text="US dollars so far, as a text of digits."
    )
    tokens = serializers.IntegerField(help_text="Prompt and completion together.")
    created_by = serializers.CharField(source="created_by.username")
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    progress = Progress()


class RoleSpendLine(serializers.Serializer[Any]):
    role = serializers.CharField()
    model = serializers.CharField()
    turns = serializers.IntegerField()
    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()
    cost = serializers.FloatField()


class SpendingLine(serializers.Serializer[Any]):
    roles = RoleSpendLine(many=True)
    turns_per_minute = serializers.IntegerField()
    per_simulation = serializers.FloatField(allow_null=True)
    left = serializers.FloatField(
        allow_null=True, help_text="US dollars that the rest costs at that rate."
    )


class BatchDetail(BatchLine):
    mix = serializers.DictField(child=serializers.FloatField())
    grid = serializers.DictField(allow_null=True)
    plans = serializers.ListField(child=serializers.CharField())
    plans_per_task = serializers.IntegerField()
    fault_share = serializers.FloatField()
    max_cost = serializers.DecimalField(12, 4, allow_null=True)
    max_tokens = serializers.IntegerField(allow_null=True)
    played_by = serializers.DictField(
        child=serializers.DictField(),
        help_text="Role → its endpoint when the batch was ordered.",
    )
    design_report = serializers.DictField()
    spending = SpendingLine()


class SimulationLine(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    batch = serializers.IntegerField(source="batch_id")
    task = serializers.IntegerField(source="task_id")
    plan = serializers.CharField()
    persona = serializers.CharField()
    behaviour = serializers.DictField()
    seed = serializers.IntegerField()
    fault = serializers.CharField()
    status = Coded(SimulationStatus)
    attempt = serializers.IntegerField()
    round = serializers.IntegerField()
    retry_of = serializers.IntegerField(source="retry_of_id", allow_null=True)
    note = serializers.CharField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    trajectory = serializers.SerializerMethodField()

    def get_trajectory(self, row: Simulation) -> dict[str, Any] | None:
        made = getattr(row, "trajectory", None)
        if made is None:
            return None
        return {
            "id": made.pk,
            "accepted": made.accepted,
            "reason": made.reason,
            "owner": made.owner,
            "ended_by": made.ended_by,
        }


# --- what is asked --------------------------------------------------------------------------------------------------------------


class BatchQuery(PageQuery):
    status = Coded(BatchStatus, required=False)


class SimulationQuery(PageQuery):
    status = Coded(SimulationStatus, required=False)
    accepted = Flag(required=False, help_text="Whether its trajectory passed.")


class CellBody(Body):
    writes = Choice(choices=[writes for writes, _ in default_cells()])
    burden = Choice(choices=[cell.burden for cell in next(default_cells())[1]])
    weight = Number(min_value=0, max_value=100)


class GridBody(Body):
    cells = CellBody(many=True, required=False, help_text="Without: the usual ones.")
    whole = Flag(
        required=False, default=True, help_text="Only tasks whose proof is whole."
    )


class CapsBody(Body):
    """What a batch may cost from now on. What is left out stays, null takes the cap away."""

    max_cost = Number(required=False, allow_null=True, min_value=0, max_value=999_999)
    max_tokens = Whole(required=False, allow_null=True, min_value=1, max_value=10**15)


class BatchBody(Body):
    name = Text(max_length=120)
    environment = Key(help_text="Key of an environment.")
    ordered = Whole(min_value=1, max_value=MAX_ORDERED, help_text="Simulations.")
    seed = Whole(
        min_value=0,
        max_value=2**31 - 1,
        help_text="The same seed gives the same tasks, byte for byte.",
    )
    mix = serializers.DictField(
        child=Whole(min_value=0, max_value=100),
        required=False,
        help_text="Archetype → weight. Without: the environment's own.",
    )
    grid = GridBody(
        required=False, allow_null=True, help_text="Order by grid, not by mix alone."
    )
    plans = serializers.ListField(
        child=Text(max_length=40),
        required=False,
        max_length=100,
        help_text="Behavior plans to draw from. Without: all that are enabled.",
    )
    plans_per_task = Whole(
        required=False, default=1, min_value=1, max_value=MAX_PLANS_PER_TASK
    )
    fault_percent = Whole(
        required=False,
        default=0,
        min_value=0,
        max_value=100,
        help_text="Share of simulations in which a scripted agent or user is asked to make a mistake.",
    )
    agent = Key(
        required=False, allow_null=True, help_text="Endpoint; without: scripted."
    )
    user_simulator = Key(
        required=False, allow_null=True, help_text="Endpoint; without: scripted."
    )
    paraphraser = Key(required=False, allow_null=True, help_text="Without: nobody.")
    judge = Key(required=False, allow_null=True, help_text="Without: nobody.")
    max_cost = Number(required=False, allow_null=True, min_value=0, max_value=999_999)
    max_tokens = Whole(required=False, allow_null=True, min_value=1, max_value=10**15)


# --- operations -----------------------------------------------------------------------------------------------------------------


class Batches(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.OWNER)

    @operation("list_batches", query=BatchQuery, answer=page_of(BatchLine))
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Page:
        """The team's batches, newest first, with where each stands."""
        rows = Batch.objects.visible_to(request.user)
        if "status" in query:
            rows = rows.filter(status=query["status"])
        rows = rows.select_related("environment", "created_by").defer(
            "environment__state", "environment__policy", "design_report", "repertoire"
        )
        return page(request, rows, query, shown=_with_progress)

    @operation("order_batch", body=BatchBody, answer=BatchDetail, status=201)
    def post(self, request: MemberRequest, body: dict[str, Any]) -> Batch:
        """Order a batch. A worker designs it; `progress` tells how far it is."""
        form = BatchForm(None, team=request.team, typed=_only_environment(body))
        form = BatchForm(_typed(body, form), team=request.team)  # type: ignore[arg-type]
        check(form)
        order = form.order()
        batch = start_batch(team=request.team, by=request.user, **order)
        transaction.on_commit(partial(design_batch.delay, batch_id=batch.pk))
        return _detail(request, batch.pk)


class OneBatch(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.OWNER)

    @operation("get_batch", answer=BatchDetail)
    def get(self, request: MemberRequest, pk: int) -> Batch:
        """One batch, with its order, progress and cost."""
        return _detail(request, pk)


class _Change(Endpoint):
    tag = TAG
    access = Access(Role.OWNER, Role.OWNER)

    def change(self, request: MemberRequest, pk: int, act: Callable[..., Any]) -> Batch:
        act(batch=found(Batch.objects.visible_to(request.user), pk=pk))
        return _detail(request, pk)


class PauseBatch(_Change):
    @operation("pause_batch", answer=BatchDetail)
    def post(self, request: MemberRequest, pk: int) -> Batch:
        """Send no further calls. Calls in flight are recorded."""
        return self.change(request, pk, pause_batch)


class ResumeBatch(_Change):
    @operation("resume_batch", body=CapsBody, answer=BatchDetail)
    def post(self, request: MemberRequest, pk: int, body: dict[str, Any]) -> Batch:
        """Go on where it was, with other caps if some are given."""

        def resume(*, batch: Batch) -> None:
            caps = {"max_cost": batch.max_cost, "max_tokens": batch.max_tokens, **body}
            typed = {name: value for name, value in caps.items() if value is not None}
            form = CapsForm(typed)  # type: ignore[arg-type]
            check(form)
            change_caps(batch=batch, **form.cleaned_data)
            resume_batch(batch=batch)
            transaction.on_commit(send_unfinished.delay)

        return self.change(request, pk, resume)


class RetryBatch(_Change):
    @operation("retry_batch", answer=BatchDetail)
    def post(self, request: MemberRequest, pk: int) -> Batch:
        """Try again what ended by no fault of agent or user."""

        def retry(*, batch: Batch) -> None:
            retry_failed(batch=batch)
            transaction.on_commit(send_unfinished.delay)

        return self.change(request, pk, retry)


class CancelBatch(_Change):
    @operation("cancel_batch", answer=BatchDetail)
    def post(self, request: MemberRequest, pk: int) -> Batch:
        """Stop for good. What was simulated stays; a batch that is over stays as it is."""
        return self.change(request, pk, cancel_batch)


class BatchProgressNow(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.OWNER)

    @operation("get_batch_progress", answer=Progress)
    def get(self, request: MemberRequest, pk: int) -> Any:
        """Where a batch stands; cheap enough to ask every few seconds."""
        return batch_progress(found(Batch.objects.visible_to(request.user), pk=pk))


class BatchBehaviour(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.OWNER)

    @operation("get_batch_behavior", answer=Document)
    def get(self, request: MemberRequest, pk: int) -> Any:
        """What users were asked to do, and what they did: counts by dimension and value."""
        return marginals_json(found(Batch.objects.visible_to(request.user), pk=pk))


class BatchResults(Endpoint):
    tag = TAG
    access = Access(Role.CURATOR, Role.OWNER, fresh="all")

    @operation("download_batch_results", file=True)
    def get(self, request: MemberRequest, pk: int) -> StreamingHttpResponse:
        """The batch as a result file of tau2-bench, as a stream."""
        rows = Batch.objects.visible_to(request.user)
        row = found(
            rows.select_related("environment", "agent", "user_simulator").defer(
                "environment__state"
            ),
            pk=pk,
        )
        load_environment(
            row.environment
        )  # what fails has to fail before the first byte
        response = StreamingHttpResponse(
            export_results(row), content_type="application/json"
        )
        response["Content-Disposition"] = (
            f'attachment; filename="batch-{pk}-results.json"'
        )
        return response


class Simulations(Endpoint):
    """For curators: a trajectory that no simulation made is a planted error, which reviewers must not be able to tell."""

    tag = TAG
    access = Access(Role.CURATOR, Role.OWNER)

    @operation(
        "list_simulations", query=SimulationQuery, answer=page_of(SimulationLine)
    )
    def get(self, request: MemberRequest, pk: int, query: dict[str, Any]) -> Page:
        """Simulations of a batch, in their order, those that were tried again included."""
        batch = found(Batch.objects.visible_to(request.user), pk=pk)
        rows = _simulations(Simulation.objects.filter(batch=batch))
        if "status" in query:
            rows = rows.filter(status=query["status"])
        if "accepted" in query:
            rows = rows.filter(trajectory__accepted=query["accepted"])
        return page(request, rows, query, order=["pk"])


class OneSimulation(Endpoint):
    """For curators: a trajectory that no simulation made is a planted error, which reviewers must not be able to tell."""

    tag = TAG
    access = Access(Role.CURATOR, Role.OWNER)

    @operation("get_simulation", answer=SimulationLine)
    def get(self, request: MemberRequest, pk: int) -> Simulation:
        """One simulation, and what came of it."""
        mine = Batch.objects.visible_to(request.user)
        return found(_simulations(Simulation.objects.filter(batch__in=mine)), pk=pk)


# --- pieces ---------------------------------------------------------------------------------------------------------------------


def _simulations(rows: Any) -> Any:
    return rows.select_related("trajectory").defer(
        "ledger", "trajectory__content", "trajectory__verification"
    )


def _with_progress(rows: list[Batch]) -> list[Batch]:
    where = batches_progress(rows)
    for row in rows:
        row.progress = where[row.pk]  # type: ignore[attr-defined]
    return rows


def _detail(request: MemberRequest, pk: int) -> Batch:
    rows = Batch.objects.visible_to(request.user)
    row = found(
        rows.select_related("environment", "created_by").defer(
            "environment__state", "environment__policy"
        ),
        pk=pk,
    )
    progress = batch_progress(row)
    row.progress = progress  # type: ignore[attr-defined]
    row.spending = batch_spending(row, progress)  # type: ignore[attr-defined]
    return row


def _only_environment(body: dict[str, Any]) -> Any:
    return MultiValueDict({"environment": [str(body["environment"])]})


def _typed(body: dict[str, Any], empty: BatchForm) -> MultiValueDict[str, str]:
    """The order as the web's form would send it. `empty` is the form of the same environment."""
    typed: MultiValueDict[str, str] = MultiValueDict()
    plain = ("name", "environment", "ordered", "seed", "plans_per_task", *ROLES)
    for name in (*plain, "max_cost", "max_tokens"):
        if body.get(name) is not None:
            typed[name] = str(body[name])
    typed["fault_share"] = str(body["fault_percent"])
    typed.setlist("plans", body.get("plans", []))
    weights = body.get("mix", default_mix(empty.archetypes))
    known = {one.slug for one in empty.archetypes}
    if unknown := sorted(set(weights) - known):
        raise Refused({"mix": [f"{empty.chosen} has no {', '.join(unknown)[:200]}."]})
    for slug, weight in weights.items():
        typed[f"mix-{empty.chosen.name if empty.chosen else ''}-{slug}"] = str(weight)
    typed["by"] = BY_GRID if body.get("grid") else BY_MIX
    if grid := body.get("grid"):
        if grid["whole"]:
            typed["whole"] = "on"
        cells = grid.get("cells") or [
            {"writes": one.writes, "burden": one.burden, "weight": one.weight}
            for _, row in default_cells()
            for one in row
        ]
        for cell in cells:
            name = f"grid-{cell['writes']}-{cell['burden']}"
            typed[name] = f"{cell['weight']:g}"
    return typed


urlpatterns = [
    path("batches", Batches.as_view(), name="batches"),
    path("batches/<int:pk>", OneBatch.as_view(), name="batch"),
    path("batches/<int:pk>/pause", PauseBatch.as_view(), name="batch_pause"),
    path("batches/<int:pk>/resume", ResumeBatch.as_view(), name="batch_resume"),
    path("batches/<int:pk>/retry", RetryBatch.as_view(), name="batch_retry"),
    path("batches/<int:pk>/cancel", CancelBatch.as_view(), name="batch_cancel"),
    path(
        "batches/<int:pk>/progress", BatchProgressNow.as_view(), name="batch_progress"
    ),
    path("batches/<int:pk>/behavior", BatchBehaviour.as_view(), name="batch_behavior"),
    path("batches/<int:pk>/results", BatchResults.as_view(), name="batch_results"),
    path("batches/<int:pk>/simulations", Simulations.as_view(), name="simulations"),
    path("simulations/<int:pk>", OneSimulation.as_view(), name="simulation"),
]

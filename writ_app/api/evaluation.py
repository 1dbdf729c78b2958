"""Evaluation runs: ordered, watched, looked at trial by trial, compared; results taken away as files, and brought in from them."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import transaction
from django.http import StreamingHttpResponse
from django.urls import path
from django.utils.datastructures import MultiValueDict
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser

from writ_app.api.catalog import EnvironmentRef
from writ_app.api.endpoint import Endpoint, MemberRequest, found, operation
from writ_app.api.fields import (
    Body,
    Choice,
    Coded,
    Document,
    Key,
    Number,
    PageQuery,
    Query,
    SentFile,
    Text,
    Whole,
)
from writ_app.api.paging import Page, page, page_of
from writ_app.api.problems import Conflict, Refused, check, refused_content
from writ_app.api.synthesis import CapsBody
from writ_app.engine.evaluation.players import Script
from writ_app.engine.evaluation.repeats import SEED
from writ_app.engine.types import BURDEN_BANDS, WRITE_BANDS
from writ_app.forms.evaluation import ResultsForm, RunCapsForm, RunForm
from writ_app.jobs.evaluation import import_results, send_unfinished_runs
from writ_app.models.accounts import Role
from writ_app.models.evaluation import (
    EvaluationImport,
    EvaluationRun,
    EvaluationTask,
    EvaluationTrial,
    JudgeStatus,
    RunSource,
    RunStatus,
    TrialStatus,
)
from writ_app.models.uploads import ImportStatus
from writ_app.services import evaluation
from writ_app.services.access import Access
from writ_app.services.catalog import load_environment
from writ_app.services.evaluation.files import domains_of
from writ_app.services.evaluation.ordering import MOST_TRIALS
from writ_app.services.evaluation.page import lines_of
from writ_app.services.evaluation.results import SUMMED_UP_LIVE
from writ_app.services.evaluation.sets import BASE, BadRun
from writ_app.services.evaluation.uploads import keep_results

refused_content(BadRun)
TAG = "Evaluation"
SOURCES = [(one.value.lower(), one.label) for one in RunSource if one != RunSource.FILE]


# --- what is told ---------------------------------------------------------------------------------------------------------------


class EvaluationProgress(serializers.Serializer[Any]):
    total = serializers.IntegerField(help_text="Trials.")
    pending = serializers.IntegerField()
    running = serializers.IntegerField()
    done = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    solved = serializers.IntegerField(
        help_text="Without the judge, where it has not spoken."
    )
    to_judge = serializers.IntegerField()
    judge_failed = serializers.IntegerField()
    failed = serializers.IntegerField(
        help_text="Ended by no fault of agent or user: no metric counts them, `retry` tries them again."
    )


class EvaluationLine(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    source = Coded(RunSource, help_text="Where its tasks are from.")  # type: ignore[assignment]
    agent = serializers.CharField(source="agent_name")
    user = serializers.CharField(source="user_name")
    script = serializers.CharField(
        help_text="Which script plays the agent: a control. Nothing for a model."
    )
    trials = serializers.IntegerField(help_text="Of each task.")
    seed = serializers.IntegerField()
    tasks_hash = serializers.CharField(help_text="SHA-256 of what was asked.")
    status = Coded(RunStatus)
    stopped_by = serializers.CharField(help_text="Of a paused run: why.")
    cost = serializers.FloatField(
        source="spent", help_text="US dollars, the judge's included."
    )
    tokens = serializers.IntegerField()
    created_by = serializers.CharField(source="created_by.username")
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class ListedEvaluationLine(EvaluationLine):
    total = serializers.IntegerField(help_text="Trials in all.")
    done = serializers.IntegerField()
    solved = serializers.IntegerField()


class EvaluationDetail(EvaluationLine):
    chosen = serializers.DictField(help_text="How the tasks were chosen.")
    limits = serializers.DictField()
    played_by = serializers.DictField(
        child=serializers.DictField(),
        help_text="Role → its endpoint when the run was ordered.",
    )
    hard = serializers.ListField(
        child=serializers.DictField(),
        help_text="Hard subsets with their hashes, fixed before the first trial.",
    )
    told = serializers.DictField(
        help_text="Versions of prompts; of a file what it says of itself."
    )
    max_cost = serializers.DecimalField(12, 4, allow_null=True)
    max_tokens = serializers.IntegerField(allow_null=True)
    judge_cost = serializers.FloatField()
    domains = serializers.ListField(
        child=serializers.CharField(), help_text="Environments that files are of."
    )
    progress = EvaluationProgress()


class TrialMarkLine(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    trial = serializers.IntegerField()
    state = serializers.CharField(
        help_text="solved, failed, open (the judge has not spoken), left (counted nowhere), live, cancelled."
    )
    words = serializers.CharField()


class EvaluationTaskLine(serializers.Serializer[Any]):
    key = serializers.CharField(source="row.key", help_text="Name within the run.")
    task_id = serializers.CharField(source="row.task_id")
    writes = serializers.IntegerField(source="row.writes")
    burden = serializers.IntegerField(source="row.burden", allow_null=True)
    burden_source = serializers.CharField(
        source="row.burden_source", help_text="proved, listed or unknown."
    )
    content_hash = serializers.CharField(source="row.content_hash")
    solved = serializers.IntegerField()
    trials = TrialMarkLine(source="marks", many=True)


class EvaluationTrialLine(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    run = serializers.IntegerField(source="run_id")
    task = serializers.CharField(source="task.key")
    trial = serializers.IntegerField()
    seed = serializers.IntegerField()
    status = Coded(TrialStatus)
    ended_by = serializers.CharField()
    note = serializers.CharField(help_text="What went wrong, in words.")
    reward = serializers.FloatField(
        allow_null=True, help_text="Null: it rests on a judge who has not spoken."
    )
    reward_without = serializers.FloatField(
        allow_null=True, help_text="As if the judge had found everything met."
    )
    recorded_reward = serializers.FloatField(
        allow_null=True, help_text="Of an imported one: what the file says."
    )
    grounded = serializers.BooleanField(
        allow_null=True, help_text="Whether every check accepts it; null without."
    )
    failure = serializers.CharField(help_text="Kind of what went wrong.")
    owner = serializers.CharField(help_text="Who is to answer for it.")
    finding = serializers.CharField()
    agent_tokens = serializers.IntegerField(allow_null=True)
    user_tokens = serializers.IntegerField(allow_null=True)
    cost = serializers.FloatField(help_text="US dollars of the conversation.")
    judge_status = Coded(JudgeStatus)
    judge_finding = serializers.CharField(help_text="Why there is no verdict.")
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class AskedTask(serializers.Serializer[Any]):
    key = serializers.CharField()
    task_id = serializers.CharField()
    environment = EnvironmentRef()
    writes = serializers.IntegerField()
    burden = serializers.IntegerField(allow_null=True)
    content = serializers.DictField(help_text="In the form of a benchmark's task file.")
    content_hash = serializers.CharField()


class EvaluationTrialDetail(EvaluationTrialLine):
    asked = AskedTask(source="task")
    messages = serializers.ListField(
        child=serializers.DictField(),
        allow_null=True,
        help_text="The transcript; null until it is done.",
    )
    reward_info = serializers.DictField(allow_null=True)
    verification = serializers.DictField(allow_null=True)
    content = serializers.DictField(
        help_text="Of an imported one: the rest of what the file says."
    )


class CallLine(serializers.Serializer[Any]):
    step = serializers.IntegerField(help_text="From 1.")
    tool = serializers.CharField()
    arguments = serializers.DictField(source="call.arguments")
    error = serializers.BooleanField()
    writes = serializers.BooleanField()


class CallPairLine(serializers.Serializer[Any]):
    difference = serializers.CharField(
        help_text="same, answer, changed, left_out, put_in."
    )
    mark = serializers.CharField(
        help_text="effect: the first write that differs; cause: what may be why."
    )
    left = CallLine(allow_null=True)
    right = CallLine(allow_null=True)


class TrialComparison(serializers.Serializer[Any]):
    left = EvaluationTrialLine()
    right = EvaluationTrialLine()
    sentence = serializers.CharField(
        help_text="What the right one does, other than the left one."
    )
    pairs = CallPairLine(many=True)


class EvaluationImportLine(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    file_name = serializers.CharField()
    name = serializers.CharField()
    status = Coded(ImportStatus)
    bytes = serializers.IntegerField()
    done = serializers.IntegerField(help_text="How far it is, in parts of `whole`.")
    whole = serializers.IntegerField()
    rows = serializers.IntegerField(help_text="Conversations scored so far.")
    trouble = serializers.CharField(help_text="Why it was refused.")
    evaluation = serializers.IntegerField(source="run_id", allow_null=True)
    created_at = serializers.DateTimeField()


# --- what is asked --------------------------------------------------------------------------------------------------------------


class EvaluationQuery(PageQuery):
    status = Coded(RunStatus, required=False)


class TrialQuery(PageQuery):
    status = Coded(TrialStatus, required=False)
    task = Text(required=False, max_length=200, help_text="Name within the run.")
    failure = Text(required=False, max_length=30, help_text="Kind.")


class ResultsQuery(Query):
    domain = Text(
        required=False, max_length=60, help_text="Wanted if the run has several."
    )


class BesideQuery(Query):
    left = Key()
    right = Key()


class GridPlaceBody(Body):
    writes = Choice(choices=list(WRITE_BANDS))
    burden = Choice(choices=list(BURDEN_BANDS))


class EvaluationBody(Body):
    name = Text(max_length=120)
    source = Choice(choices=SOURCES, help_text="Whose tasks.")  # type: ignore[assignment]
    environments = serializers.ListField(
        child=Key(),
        required=False,
        max_length=50,
        help_text="Of a benchmark. Without: the newest of each that tasks were imported with.",
    )
    split = Text(
        required=False, max_length=60, help_text=f"Of a benchmark. Without: {BASE}."
    )
    tasks = serializers.ListField(
        child=Text(max_length=200),
        required=False,
        max_length=2000,
        help_text="Of a benchmark: ids. Without: the whole split.",
    )
    batch = Key(required=False)
    release = Key(required=False)
    release_split = Text(
        required=False, max_length=20, help_text="Such as test. Without: all of it."
    )
    view = Key(required=False)
    cells = GridPlaceBody(
        many=True, required=False, help_text="Only these, of tasks of our own."
    )
    agent = Key(required=False, help_text="Endpoint that is evaluated.")
    script = Choice(
        required=False,
        choices=[one.value for one in Script],
        help_text="Instead of it: a control, whose results are known.",
    )
    user_simulator = Key(required=False, help_text="Endpoint; without: scripted.")
    judge = Key(required=False, help_text="Without: nobody.")
    trials = Whole(required=False, default=4, min_value=1, max_value=MOST_TRIALS)
    seed = Whole(required=False, default=SEED, min_value=0, max_value=2**31 - 1)
    hard = serializers.ListField(
        child=Whole(min_value=1, max_value=999),
        required=False,
        max_length=20,
        help_text=f"Least burdens of hard subsets, fixed now. Without: {', '.join(map(str, evaluation.HARD))}.",
    )
    max_cost = Number(required=False, allow_null=True, min_value=0, max_value=999_999)
    max_tokens = Whole(required=False, allow_null=True, min_value=1, max_value=10**15)


class ResultsBody(Body):
    file = SentFile()
    name = Text(required=False, allow_blank=True, max_length=120)


# --- runs -----------------------------------------------------------------------------------------------------------------------


class Evaluations(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.OWNER)

    @operation(
        "list_evaluations", query=EvaluationQuery, answer=page_of(ListedEvaluationLine)
    )
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Page:
        """The team's runs, newest first, with how far they are."""
        rows = evaluation.runs_of(request.user).defer("told", "hard", "limits")
        if "status" in query:
            rows = rows.filter(status=query["status"])
        return page(request, rows, query)

    @operation(
        "order_evaluation", body=EvaluationBody, answer=EvaluationDetail, status=201
    )
    def post(self, request: MemberRequest, body: dict[str, Any]) -> EvaluationRun:
        """Order a run: an agent on a set of tasks. Runners try it; `progress` tells how far it is."""
        if ("agent" in body) == ("script" in body):
            raise Refused({"agent": ["The agent is an endpoint or a script."]})
        empty = RunForm(team=request.team, user=request.user)
        form = RunForm(_typed(body, empty), team=request.team, user=request.user)  # type: ignore[arg-type]
        check(form, {"ids": "tasks"})
        run = form.order()
        transaction.on_commit(send_unfinished_runs.delay)
        return _detail(request, run.pk)


def _typed(body: dict[str, Any], empty: RunForm) -> MultiValueDict[str, str]:
    """The order as the web's form would send it."""
    typed: MultiValueDict[str, str] = MultiValueDict()
    plain = ("name", "batch", "release", "release_split", "view", "trials", "seed")
    for name in (*plain, "user_simulator", "judge", "max_cost", "max_tokens"):
        if body.get(name) is not None:
            typed[name] = str(body[name])
    typed["source"] = body["source"].upper()
    typed["agent"] = body.get("script") or f"endpoint:{body['agent']}"
    typed["hard"] = ",".join(map(str, body.get("hard", evaluation.HARD)))
    cells = [f"{one['writes']}/{one['burden']}" for one in body.get("cells", ())]
    typed.setlist("cells", cells)
    ids = body.get("tasks", [])
    if any("," in one for one in ids):
        raise Refused({"tasks": ["No id has a comma in it."]})
    typed["ids"] = ",".join(ids)
    environments = body.get("environments", empty.initial["environments"])
    typed.setlist("environments", [str(key) for key in environments])
    known = [value for value, _ in empty.fields["split"].choices]  # type: ignore[attr-defined]
    typed["split"] = body.get("split", BASE if BASE in known else "")
    return typed


class OneEvaluation(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.OWNER)

    @operation("get_evaluation", answer=EvaluationDetail)
    def get(self, request: MemberRequest, pk: int) -> EvaluationRun:
        """One run: its order, how far it is, what it cost."""
        return _detail(request, pk)


class EvaluationProgressNow(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.OWNER)

    @operation("get_evaluation_progress", answer=EvaluationProgress)
    def get(self, request: MemberRequest, pk: int) -> Any:
        """Where a run stands; cheap enough to ask every few seconds."""
        return evaluation.run_progress(_run(request, pk))


class EvaluationSummary(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.OWNER)

    @operation("get_evaluation_summary", answer=Document, refuses=(409,))
    def get(self, request: MemberRequest, pk: int) -> Any:
        """What came of it so far: pass^k with intervals, with and without the judge, by writes and burden, and why trials failed.

        It is reckoned anew at every look, so of very many trials it is told only when the run has ended (409 until then).
        """
        run = _run(request, pk)
        if run.is_live and evaluation.run_progress(run).total > SUMMED_UP_LIVE:
            raise Conflict(
                f"A run of more than {SUMMED_UP_LIVE:,} trials is summed up when it has ended."
            )
        return evaluation.summary_of(run)


class EvaluationTasks(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.OWNER)

    @operation(
        "list_evaluation_tasks", query=PageQuery, answer=page_of(EvaluationTaskLine)
    )
    def get(self, request: MemberRequest, pk: int, query: dict[str, Any]) -> Page:
        """Tasks of a run, in its order, each with its trials."""
        rows = EvaluationTask.objects.filter(run=_run(request, pk))
        rows = rows.defer("content", "ledger")
        return page(request, rows, query, order=["position", "pk"], shown=lines_of)


class EvaluationTrials(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.OWNER)

    @operation(
        "list_evaluation_trials", query=TrialQuery, answer=page_of(EvaluationTrialLine)
    )
    def get(self, request: MemberRequest, pk: int, query: dict[str, Any]) -> Page:
        """Trials of a run, without what was said."""
        rows = EvaluationTrial.objects.filter(run=_run(request, pk)).narrow()
        names = {"status": "status", "task": "task__key", "failure": "failure"}
        rows = rows.filter(**{names[k]: query[k] for k in names if k in query})
        rows = rows.select_related("task").defer("task__content", "task__ledger")
        return page(request, rows, query, order=["pk"])


class OneTrial(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.OWNER)

    @operation("get_evaluation_trial", answer=EvaluationTrialDetail)
    def get(self, request: MemberRequest, pk: int) -> EvaluationTrial:
        """One trial: what was asked, the transcript, and how it was scored."""
        return found(_trials(request), pk=pk)


# --- side by side ---------------------------------------------------------------------------------------------------------------


class CompareEvaluations(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.OWNER)

    @operation(
        "compare_evaluations", query=BesideQuery, answer=Document, refuses=(404, 409)
    )
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Any:
        """Two runs in pairs, task by task, on what both were asked alike. 409 if that is nothing."""
        return evaluation.comparison_of(
            _run(request, query["left"]), _run(request, query["right"])
        )


class CompareTrials(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.OWNER)

    @operation(
        "compare_evaluation_trials",
        query=BesideQuery,
        answer=TrialComparison,
        refuses=(404,),
    )
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Any:
        """Two finished trials of the same task, call by call, with the first write that differs."""
        rows = _trials(request).filter(status=TrialStatus.DONE)
        left, right = (found(rows, pk=query[name]) for name in ("left", "right"))
        if left.task.content_hash != right.task.content_hash:
            raise Refused("They are not of the same task.")
        both = evaluation.side_by_side(left, right)
        pairs = [
            {
                "difference": pair.difference,
                "mark": mark,
                "left": pair.left,
                "right": pair.right,
            }
            for pair, mark in both.marked()
        ]
        return {
            "left": left,
            "right": right,
            "sentence": both.sentence,
            "pairs": pairs,
        }


# --- changes --------------------------------------------------------------------------------------------------------------------


class _Change(Endpoint):
    tag = TAG
    access = Access(Role.OWNER, Role.OWNER)

    def change(
        self, request: MemberRequest, pk: int, act: Callable[..., Any]
    ) -> EvaluationRun:
        act(run=_run(request, pk))
        transaction.on_commit(send_unfinished_runs.delay)
        return _detail(request, pk)


class PauseEvaluation(_Change):
    @operation("pause_evaluation", answer=EvaluationDetail)
    def post(self, request: MemberRequest, pk: int) -> EvaluationRun:
        """Send no further calls. Calls in flight are recorded."""
        return self.change(request, pk, evaluation.pause_run)


class ResumeEvaluation(_Change):
    @operation("resume_evaluation", body=CapsBody, answer=EvaluationDetail)
    def post(
        self, request: MemberRequest, pk: int, body: dict[str, Any]
    ) -> EvaluationRun:
        """Go on where it was, with other caps if some are given."""

        def resume(*, run: EvaluationRun) -> None:
            caps = {"max_cost": run.max_cost, "max_tokens": run.max_tokens, **body}
            typed = {name: value for name, value in caps.items() if value is not None}
            form = RunCapsForm(typed)  # type: ignore[arg-type]
            check(form)
            evaluation.resume_run(run=run, **form.cleaned_data)

        return self.change(request, pk, resume)


class RetryEvaluation(_Change):
    @operation("retry_evaluation", answer=EvaluationDetail)
    def post(self, request: MemberRequest, pk: int) -> EvaluationRun:
        """Try again what a provider's fault cost, and ask the judge again who gave no usable answer."""
        return self.change(request, pk, evaluation.retry_failed)


class CancelEvaluation(_Change):
    @operation("cancel_evaluation", answer=EvaluationDetail)
    def post(self, request: MemberRequest, pk: int) -> EvaluationRun:
        """Stop for good. What was tried stays; a run that is over stays as it is."""
        return self.change(request, pk, evaluation.cancel_run)


# --- files ----------------------------------------------------------------------------------------------------------------------


class EvaluationResults(Endpoint):
    tag = TAG
    access = Access(Role.CURATOR, Role.OWNER, fresh="all")

    @operation("download_evaluation_results", query=ResultsQuery, file=True)
    def get(
        self, request: MemberRequest, pk: int, query: dict[str, Any]
    ) -> StreamingHttpResponse:
        """The finished trials of one domain as a result file of tau2-bench, as a stream."""
        run = _run(request, pk)
        names = domains_of(run)
        domain = query.get("domain") or (names[0] if len(names) == 1 else "")
        if domain not in names:
            words = f"A file is of one domain: choose {' or '.join(names)}."
            raise Refused({"domain": [words]})
        row = run.tasks.filter(environment__name=domain).select_related("environment")
        load_environment(row[0].environment)  # what fails has to fail before a byte
        response = StreamingHttpResponse(
            evaluation.export_run(run, domain=domain), content_type="application/json"
        )
        name = f"evaluation-{pk}-{domain}-results.json"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


class EvaluationImports(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)
    parser_classes = [MultiPartParser]

    @operation(
        "list_evaluation_imports",
        query=PageQuery,
        answer=page_of(EvaluationImportLine),
    )
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Page:
        """Results files of the team on their way into runs, and those that came, newest first."""
        return page(request, EvaluationImport.objects.visible_to(request.user), query)

    @operation(
        "upload_evaluation_results",
        body=ResultsBody,
        answer=EvaluationImportLine,
        status=201,
        once=False,
    )
    def post(self, request: MemberRequest, body: dict[str, Any]) -> EvaluationImport:
        """Upload a result file of tau2-bench, which becomes a run: its conversations are scored anew.

        A worker does it; `get_evaluation_import` tells how far it is. The same file comes in once, so it may be sent again.
        """
        form = ResultsForm({"name": body.get("name", "")}, {"file": body["file"]})  # type: ignore[arg-type]
        check(form)
        given = form.cleaned_data
        row = keep_results(
            team=request.team, by=request.user, file=given["file"], name=given["name"]
        )
        transaction.on_commit(partial(import_results.delay, import_id=row.pk))
        return found(EvaluationImport.objects.visible_to(request.user), pk=row.pk)


class OneEvaluationImport(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)

    @operation("get_evaluation_import", answer=EvaluationImportLine)
    def get(self, request: MemberRequest, pk: int) -> EvaluationImport:
        """One results file on its way, and how far it is."""
        return found(EvaluationImport.objects.visible_to(request.user), pk=pk)


# --- rows -----------------------------------------------------------------------------------------------------------------------


def _run(request: MemberRequest, pk: int) -> EvaluationRun:
    rows = EvaluationRun.objects.visible_to(request.user)
    return found(rows.select_related("created_by"), pk=pk)


def _detail(request: MemberRequest, pk: int) -> EvaluationRun:
    run: Any = _run(request, pk)
    run.domains = domains_of(run)
    run.progress = evaluation.run_progress(run)
    return run


def _trials(request: MemberRequest) -> Any:
    rows = EvaluationTrial.objects.visible_to(request.user)
    return rows.select_related("run", "task__environment").defer(
        "task__environment__state", "task__environment__policy", "task__ledger"
    )


urlpatterns = [
    path("evaluations", Evaluations.as_view(), name="evaluations"),
    path(
        "evaluations/compare", CompareEvaluations.as_view(), name="evaluations_compare"
    ),
    path("evaluations/imports", EvaluationImports.as_view(), name="evaluation_imports"),
    path(
        "evaluations/imports/<int:pk>",
        OneEvaluationImport.as_view(),
        name="evaluation_import",
    ),
    path(
        "evaluations/trials/compare",
        CompareTrials.as_view(),
        name="evaluation_trials_compare",
    ),
    path("evaluations/trials/<int:pk>", OneTrial.as_view(), name="evaluation_trial"),
    path("evaluations/<int:pk>", OneEvaluation.as_view(), name="evaluation"),
    path(
        "evaluations/<int:pk>/progress",
        EvaluationProgressNow.as_view(),
        name="evaluation_progress",
    ),
    path(
        "evaluations/<int:pk>/summary",
        EvaluationSummary.as_view(),
        name="evaluation_summary",
    ),
    path(
        "evaluations/<int:pk>/tasks", EvaluationTasks.as_view(), name="evaluation_tasks"
    ),
    path(
        "evaluations/<int:pk>/trials",
        EvaluationTrials.as_view(),
        name="evaluation_trials",
    ),
    path(
        "evaluations/<int:pk>/results",
        EvaluationResults.as_view(),
        name="evaluation_results",
    ),
    path(
        "evaluations/<int:pk>/pause", PauseEvaluation.as_view(), name="evaluation_pause"
    ),
    path(
        "evaluations/<int:pk>/resume",
        ResumeEvaluation.as_view(),
        name="evaluation_resume",
    ),
    path(
        "evaluations/<int:pk>/retry", RetryEvaluation.as_view(), name="evaluation_retry"
    ),
    path(
        "evaluations/<int:pk>/cancel",
        CancelEvaluation.as_view(),
        name="evaluation_cancel",
    ),
]

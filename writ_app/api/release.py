"""Releases: drafted by a recipe, chosen, frozen; what they hold, what they left out, what differs between two."""

from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.urls import path
from rest_framework import serializers

from writ_app.api.endpoint import Endpoint, MemberRequest, found, operation
from writ_app.api.fields import (
    Body,
    Choice,
    Document,
    Flag,
    Key,
    Number,
    PageQuery,
    Query,
    Text,
    Whole,
    Words,
)
from writ_app.api.filters import FilterBody, list_form
from writ_app.api.paging import Page, page, page_of
from writ_app.api.problems import Refused, check, refused_content
from writ_app.engine.export.lint import PITFALLS
from writ_app.forms.release import MOST, NewDraftForm, RecipeForm, cap_name
from writ_app.jobs.release import choose_members, freeze_draft
from writ_app.models.accounts import Role
from writ_app.models.curation import SavedView
from writ_app.models.release import (
    DraftStage,
    Release,
    ReleaseMember,
    ReleaseRefusal,
)
from writ_app.services.access import Access
from writ_app.services.release import (
    BadRecipe,
    Recipe,
    change_draft,
    discard_draft,
    draft_release,
    order_choice,
)
from writ_app.services.release.diff import compare
from writ_app.services.release.freeze import order_freeze
from writ_app.services.release.gates import gates
from writ_app.services.release.judge import REASONS
from writ_app.services.release.overview import describe, reason_words
from writ_app.services.release.recipe import CELLS, SPLITS

TAG = "Releases"
FROZEN = "frozen"
STAGES = [FROZEN, *(stage.value.lower() for stage in DraftStage)]
refused_content(BadRecipe)


# --- what is told ---------------------------------------------------------------------------------------------------------------


class ReleaseLine(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    number = serializers.IntegerField()
    stage = serializers.SerializerMethodField(
        help_text="frozen; of a draft: new, choosing, ready, freezing, failed."
    )
    dealt_with = serializers.IntegerField(
        help_text="Trajectories that the job of a draft has gone through."
    )
    whole = serializers.IntegerField(help_text="Those that it has to.")
    trouble = serializers.CharField(help_text="Why it was stopped.")
    licence = serializers.CharField(help_text="SPDX identifier, or nothing.")
    content_hash = serializers.CharField(
        help_text="SHA-256 of the manifest; nothing while it is a draft."
    )
    created_by = serializers.CharField(source="created_by.username")
    created_at = serializers.DateTimeField()
    frozen_at = serializers.DateTimeField(allow_null=True)

    def get_stage(self, row: Release) -> str:
        return FROZEN if row.frozen_at else row.stage.lower()


class CellLine(serializers.Serializer[Any]):
    writes = serializers.CharField()
    burden = serializers.CharField()
    found = serializers.IntegerField()
    members = serializers.IntegerField()


class ReleaseDetail(ReleaseLine):
    description = serializers.CharField()
    recipe = serializers.DictField()
    trajectories = serializers.IntegerField(source="told.trajectories")
    found = serializers.IntegerField(
        source="told.found", help_text="Members, and what was left out."
    )
    cells = CellLine(source="told.cells", many=True)
    splits = serializers.DictField(
        source="told.splits", child=serializers.IntegerField()
    )
    tokens = serializers.IntegerField(source="told.tokens", allow_null=True)
    longest = serializers.IntegerField(
        source="told.longest", allow_null=True, help_text="Tokens of the longest."
    )
    notes = serializers.ListField(source="told.notes", child=serializers.CharField())
    left_out = serializers.SerializerMethodField(help_text="Reason → count.")

    def get_left_out(self, row: Any) -> dict[str, int]:
        return {name: one["count"] for name, one in row.told["left_out"].items()}


class ReleaseMemberLine(serializers.Serializer[Any]):
    trajectory = serializers.IntegerField(source="item_id")
    position = serializers.IntegerField()
    split = serializers.CharField()
    row_hash = serializers.CharField(
        help_text="SHA-256 of its line in trajectories.jsonl."
    )
    tokens = serializers.IntegerField(allow_null=True)
    environment = serializers.CharField(source="item.environment")
    archetype = serializers.CharField(source="item.archetype")
    writes = serializers.IntegerField(source="item.writes")
    burden = serializers.IntegerField(source="item.burden")
    plan = serializers.CharField(source="item.plan")
    agent = serializers.CharField(source="item.agent")


class ReleaseRefusalLine(serializers.Serializer[Any]):
    trajectory = serializers.IntegerField(source="item_id")
    reason = serializers.CharField()
    words = serializers.SerializerMethodField(help_text="The reason in words.")
    detail = serializers.CharField()
    environment = serializers.CharField(source="item.environment")
    archetype = serializers.CharField(source="item.archetype")
    writes = serializers.IntegerField(source="item.writes")
    burden = serializers.IntegerField(source="item.burden")

    def get_words(self, row: ReleaseRefusal) -> str:
        return reason_words(row.reason)


# --- what is asked --------------------------------------------------------------------------------------------------------------


class ReleaseQuery(PageQuery):
    frozen = Flag(required=False, help_text="Only frozen ones, or only drafts.")


class MemberQuery(PageQuery):
    split = Choice(required=False, choices=[(one, one) for one in SPLITS])


class RefusalQuery(PageQuery):
    reason = Choice(
        required=False,
        choices=[(one, one) for one in dict.fromkeys((*REASONS, *PITFALLS))],
    )


class CompareQuery(Query):
    before = Key(help_text="A release.")
    after = Key(help_text="Another one.")


class DraftBody(Body):
    """Of what a filter finds, of what a saved view finds, or of everything that is approved."""

    name = Text(max_length=80, help_text="A known name gets the next number.")
    filters = FilterBody(required=False)
    view = Key(required=False, help_text="A saved view, whose filters are taken.")


class RecipeBody(Body):
    """What is left out stays as it is; null takes a limit away."""

    filters = FilterBody(required=False)
    view = Key(required=False, help_text="A saved view, whose filters are taken.")
    seed = Whole(required=False, min_value=0, max_value=2**31 - 1)
    shares = serializers.DictField(
        child=Number(min_value=0, max_value=1),
        required=False,
        help_text=f"Split ({', '.join(SPLITS)}) → share; they sum to 1.",
    )
    cap = Whole(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=MOST,
        help_text="Most of one cell of writes × burden.",
    )
    caps = serializers.DictField(
        child=Whole(min_value=0, max_value=MOST),
        required=False,
        help_text="Cell, such as 1/4-6 → most of that one.",
    )
    tokenizer = Text(
        required=False, allow_blank=True, max_length=80, help_text="Counts every row."
    )
    max_tokens = Whole(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MOST,
        help_text="Longer ones are left out.",
    )
    gates = serializers.ListField(
        child=Text(max_length=200),
        required=False,
        max_length=100,
        help_text="What to keep away from: name/version of an environment with benchmark tasks, or set: and a hash.",
    )
    greeting = Choice(required=False, choices=["target", "keep", "mask", "drop"])
    reasoning = Choice(required=False, choices=["strip", "keep"])
    train_on_failed_calls = Flag(required=False)
    licence = Text(required=False, allow_blank=True, max_length=64)
    description = Words(required=False, allow_blank=True, max_length=4000)


# --- operations -----------------------------------------------------------------------------------------------------------------


class Releases(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)

    @operation("list_releases", query=ReleaseQuery, answer=page_of(ReleaseLine))
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Page:
        """Releases and drafts of the team, newest first."""
        rows = _releases(request)
        if "frozen" in query:
            rows = rows.exclude(frozen_at=None) if query["frozen"] else rows.drafts()
        return page(request, rows.defer("manifest", "recipe"), query)

    @operation("draft_release", body=DraftBody, answer=ReleaseDetail, status=201)
    def post(self, request: MemberRequest, body: dict[str, Any]) -> Release:
        """Begin a draft. Change its recipe, choose its members, then freeze it."""
        form = NewDraftForm({"name": body["name"]})
        check(form)
        row = draft_release(
            team=request.team,
            name=form.cleaned_data["name"],
            by=request.user,
            recipe=_source(request, body),
        )
        return _detail(request, row.pk)


class OneRelease(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)

    @operation("get_release", answer=ReleaseDetail)
    def get(self, request: MemberRequest, pk: int) -> Release:
        """One release or draft, in figures."""
        return _detail(request, pk)

    @operation("change_draft", body=RecipeBody, answer=ReleaseDetail)
    def patch(self, request: MemberRequest, pk: int, body: dict[str, Any]) -> Release:
        """Change the recipe of a draft. Another recipe empties it: choose its members again."""
        row = found(_releases(request), pk=pk)
        form = _recipe_form(request, row, body)
        check(form, _names())
        change_draft(
            release=row,
            recipe=form.recipe,
            licence=form.cleaned_data["licence"],
            description=form.cleaned_data["description"],
        )
        return _detail(request, pk)

    @operation("discard_draft")
    def delete(self, request: MemberRequest, pk: int) -> None:
        """Throw a draft away. What is frozen stays."""
        discard_draft(found(_releases(request), pk=pk))


class ReleaseProgress(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)

    @operation("get_release_progress", answer=ReleaseLine)
    def get(self, request: MemberRequest, pk: int) -> Release:
        """How far a draft is; cheap enough to ask every few seconds."""
        return found(_releases(request).defer("manifest", "recipe"), pk=pk)


class ChooseMembers(Endpoint):
    tag = TAG
    access = Access(Role.CURATOR, Role.CURATOR)

    @operation("choose_members", answer=ReleaseLine, status=202)
    def post(self, request: MemberRequest, pk: int) -> Release:
        """Choose the members of a draft by its recipe. A worker does it; `get_release_progress` tells how far it is."""
        row = found(_releases(request), pk=pk)
        revision = order_choice(row)
        transaction.on_commit(
            partial(choose_members.delay, release_id=pk, revision=revision)
        )
        return found(_releases(request), pk=pk)


class FreezeDraft(Endpoint):
    tag = TAG
    access = Access(Role.CURATOR, Role.CURATOR)

    @operation("freeze_draft", answer=ReleaseLine, status=202)
    def post(self, request: MemberRequest, pk: int) -> Release:
        """Freeze a draft for good, with the members that were chosen. A worker does it.

        `get_release_progress` tells how far it is: `frozen`, or `failed` with what stands against it.
        """
        row = found(_releases(request), pk=pk)
        revision = order_freeze(row)
        transaction.on_commit(
            partial(
                freeze_draft.delay,
                release_id=pk,
                revision=revision,
                by_id=request.user.pk,
            )
        )
        return found(_releases(request), pk=pk)


class ReleaseManifest(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)

    @operation("get_release_manifest", answer=Document)
    def get(self, request: MemberRequest, pk: int) -> Any:
        """The manifest of a frozen release; 404 while it is a draft."""
        row = found(_releases(request), pk=pk)
        if row.frozen_at is None:
            raise Http404
        return row.manifest


class ReleaseMembers(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)

    @operation(
        "list_release_members", query=MemberQuery, answer=page_of(ReleaseMemberLine)
    )
    def get(self, request: MemberRequest, pk: int, query: dict[str, Any]) -> Page:
        """What a release holds, in its order; of a draft, what was chosen."""
        row = found(Release.objects.visible_to(request.user).only("pk"), pk=pk)
        rows: QuerySet[ReleaseMember] = row.members.select_related("item")
        if "split" in query:
            rows = rows.filter(split=query["split"])
        of_item = ("environment", "archetype", "writes", "burden", "plan", "agent")
        own = ("position", "split", "row_hash", "tokens")
        rows = rows.only(*own, *(f"item__{name}" for name in of_item))
        return page(request, rows, query, order=["position"])


class ReleaseRefusals(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)

    @operation(
        "list_release_refusals", query=RefusalQuery, answer=page_of(ReleaseRefusalLine)
    )
    def get(self, request: MemberRequest, pk: int, query: dict[str, Any]) -> Page:
        """What the filters of a release found and it does not hold, with the reasons."""
        row = found(Release.objects.visible_to(request.user).only("pk"), pk=pk)
        rows: QuerySet[ReleaseRefusal] = row.refusals.select_related("item")
        if "reason" in query:
            rows = rows.filter(reason=query["reason"])
        of_item = ("environment", "archetype", "writes", "burden")
        rows = rows.only("reason", "detail", *(f"item__{name}" for name in of_item))
        return page(request, rows, query, order=["item_id"])


class CompareReleases(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)

    @operation("compare_releases", query=CompareQuery, answer=Document, refuses=(404,))
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Any:
        """What differs between two releases or drafts: members, versions, splits, cells, and what they were made with."""
        before = found(_releases(request), pk=query["before"])
        after = found(_releases(request), pk=query["after"])
        return compare(before, after).as_json


# --- pieces ---------------------------------------------------------------------------------------------------------------------


def _releases(request: MemberRequest) -> Any:
    rows = Release.objects.visible_to(request.user)
    return rows.select_related("team", "created_by")


def _detail(request: MemberRequest, pk: int) -> Release:
    row: Release = found(_releases(request), pk=pk)
    row.told = describe(row)  # type: ignore[attr-defined]
    return row


def _views(request: MemberRequest) -> QuerySet[SavedView]:
    return SavedView.objects.visible_to(request.user).filter(team=request.team)


def _source(request: MemberRequest, body: dict[str, Any]) -> Recipe:
    """What a new draft is made of."""
    _only_one(body)
    if "view" not in body:
        return Recipe(filters=list_form(body.get("filters", {})).filters)
    view = _views(request).filter(pk=body["view"]).first()
    if view is None:
        raise Refused({"view": ["There is no such view here."]})
    return Recipe(filters=view.filters, view=view.name)


def _only_one(body: dict[str, Any]) -> None:
    if "view" in body and "filters" in body:
        raise Refused("Name a view, or filters, not both.")


def _recipe_form(
    request: MemberRequest, row: Release, body: dict[str, Any]
) -> RecipeForm:
    """The web's form, as it would be sent with these changes."""
    _only_one(body)
    if "filters" in body:
        # In memory: the form takes over what it finds there, and the service reads the row anew.
        filters = list_form(body["filters"]).filters
        row.recipe = {**row.recipe, "view": "", "filters": filters}
    known: dict[str, Any] = {
        "views": list(_views(request)),
        "gates": {one.name: one.title for one in gates(request.team)},
    }
    shown = RecipeForm(release=row, **known)
    typed = {**shown.initial, **_plain(body), **_tables(body)}
    if "view" in body:
        typed["source"] = str(body["view"])
    return RecipeForm(typed, release=row, **known)


def _plain(body: dict[str, Any]) -> dict[str, Any]:
    apart = ("filters", "view", "shares", "caps")
    return {name: value for name, value in body.items() if name not in apart}


def _tables(body: dict[str, Any]) -> dict[str, Any]:
    """Shares, which the form has in percent, and caps, each a field of its own there."""
    shares, caps = body.get("shares"), body.get("caps")
    for name, given, there in (("shares", shares, SPLITS), ("caps", caps, CELLS)):
        if unknown := sorted(set(given or ()) - set(there)):
            raise Refused({name: [f"There is no {unknown[0][:40]!r}."]})
    typed: dict[str, Any] = {}
    if shares is not None:
        typed |= {
            f"share_{name}": f"{100 * shares.get(name, 0):.10g}" for name in SPLITS
        }
    if caps is not None:
        typed |= {cap_name(cell): caps.get(cell) for cell in CELLS}
    return typed


def _names() -> dict[str, str]:
    """The form's names of fields → those of here, where they differ."""
    return {
        "source": "view",
        **{f"share_{name}": "shares" for name in SPLITS},
        **{cap_name(cell): "caps" for cell in CELLS},
    }


urlpatterns = [
    path("releases", Releases.as_view(), name="releases"),
    path("releases/compare", CompareReleases.as_view(), name="release_compare"),
    path("releases/<int:pk>", OneRelease.as_view(), name="release"),
    path(
        "releases/<int:pk>/progress", ReleaseProgress.as_view(), name="release_progress"
    ),
    path("releases/<int:pk>/choose", ChooseMembers.as_view(), name="release_choose"),
    path("releases/<int:pk>/freeze", FreezeDraft.as_view(), name="release_freeze"),
    path(
        "releases/<int:pk>/manifest", ReleaseManifest.as_view(), name="release_manifest"
    ),
    path("releases/<int:pk>/members", ReleaseMembers.as_view(), name="release_members"),
    path(
        "releases/<int:pk>/refusals",
        ReleaseRefusals.as_view(),
        name="release_refusals",
    ),
]

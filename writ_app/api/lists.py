"""What is done with what lists find: judged in bulk, saved as a view, made a rule of."""

from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import path
from rest_framework import serializers

from writ_app.api.endpoint import Endpoint, MemberRequest, found, operation
from writ_app.api.fields import Body, Choice, Flag, Key, PageQuery, Text, Words
from writ_app.api.filters import FilterBody, list_form, tell_filters
from writ_app.api.paging import Page, page, page_of
from writ_app.api.problems import Refused, check
from writ_app.forms.lists import ACTS, BulkForm, RuleForm, SaveViewForm
from writ_app.models import clock
from writ_app.models.accounts import Role
from writ_app.models.curation import FindRule, SavedView
from writ_app.models.review import BulkAction, RejectReason, ReviewItem, Verdict
from writ_app.services.access import Access
from writ_app.services.review.bulk import (
    MOST,
    Forecast,
    apply_bulk,
    chosen_ids,
    forecast,
    undo_bulk,
)
from writ_app.services.review.listing import ORDERS, found_by
from writ_app.services.review.rules import Trial, apply_rule, rejections, try_rule
from writ_app.services.review.saved import change_view, delete_view, save_view

TAG = "Lists"
REQUEUE = "requeue"
VERDICTS = {
    REQUEUE if one == Verdict.WITHDRAW else one.value.lower(): one for one in ACTS
}
"""Name here → verdict."""
TICKED = 1000
"""Trajectories that may be named one by one."""


# --- what is told ---------------------------------------------------------------------------------------------------------------


class ForecastAnswer(serializers.Serializer[Any]):
    """What an action would do at this moment."""

    total = serializers.IntegerField(help_text="Trajectories that are chosen.")
    changes = serializers.IntegerField()
    waiting = serializers.IntegerField(
        help_text="Of those changed, how many wait for a second opinion afterwards."
    )
    skipped = serializers.SerializerMethodField()

    def get_skipped(self, seen: Forecast) -> list[dict[str, str | int]]:
        return [{"why": why, "count": count} for why, count in seen.skipped]


class BulkActionLine(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    verdict = serializers.SerializerMethodField(help_text=", ".join(VERDICTS))
    total = serializers.IntegerField()
    note = serializers.CharField()
    filters = serializers.SerializerMethodField()
    by = serializers.CharField(source="by.username")
    created_at = serializers.DateTimeField()
    undone_at = serializers.DateTimeField(allow_null=True)

    def get_verdict(self, row: BulkAction) -> str:
        return next(name for name, one in VERDICTS.items() if one == row.verdict)

    def get_filters(self, row: BulkAction) -> dict[str, Any]:
        return tell_filters(row.filters)


class UndoneBulkAnswer(serializers.Serializer[Any]):
    items = serializers.IntegerField(
        help_text="Trajectories that are as they were: others were judged since, or are in a release."
    )


class SavedViewLine(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    owner = serializers.CharField(source="owner.username")
    shared = serializers.BooleanField()
    filters = serializers.SerializerMethodField(
        help_text="As lists take them; with `sort` where the view has an order."
    )
    created_at = serializers.DateTimeField()

    def get_filters(self, row: SavedView) -> dict[str, Any]:
        return tell_filters(row.filters)


class RuleLine(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    event = serializers.IntegerField(
        source="event_id", allow_null=True, help_text="The rejection it came from."
    )
    filters = serializers.SerializerMethodField()
    hits = serializers.IntegerField()
    requeued = serializers.IntegerField()
    bulk = serializers.IntegerField(
        source="bulk_id", allow_null=True, help_text="By which it is undone."
    )
    by = serializers.CharField(source="by.username")
    created_at = serializers.DateTimeField()

    def get_filters(self, row: FindRule) -> dict[str, Any]:
        return tell_filters(row.filters)


class TrialAnswer(serializers.Serializer[Any]):
    """What a rule finds, before it does anything."""

    hits = serializers.IntegerField()
    approved = serializers.IntegerField()
    rejected = serializers.IntegerField()
    other = serializers.IntegerField()
    precision = serializers.IntegerField(
        allow_null=True, help_text="Percent of the judged hits that were not approved."
    )
    effect = ForecastAnswer(allow_null=True)
    sample = serializers.SerializerMethodField(help_text="Some of what it finds.")

    def get_sample(self, trial: Trial) -> list[int]:
        return [row.pk for row in trial.sample]


# --- what is asked --------------------------------------------------------------------------------------------------------------


class BulkBody(Body):
    """A verdict on what is named, or on all that the filters find."""

    verdict = Choice(choices=list(VERDICTS))
    reason = Choice(
        required=False, choices=RejectReason.choices, help_text="Of a rejection."
    )
    note = Words(required=False, allow_blank=True, max_length=4000)
    trajectories = serializers.ListField(
        child=Key(), required=False, min_length=1, max_length=TICKED
    )
    filters = FilterBody(
        required=False, help_text=f"At most {MOST:,} that they find; {{}}: everything."
    )


class SavedViewBody(Body):
    name = Text(max_length=80)
    shared = Flag(required=False, default=False, help_text="With the team.")
    filters = FilterBody()
    sort = Choice(
        required=False, choices=[(one.name, one.words) for one in ORDERS.values()]
    )


class ViewChangeBody(Body):
    name = Text(max_length=80)
    shared = Flag()


class TrialBody(Body):
    filters = FilterBody()


class RuleBody(TrialBody):
    name = Text(max_length=120)
    event = Key(required=False, help_text="The rejection it comes from.")


# --- bulk actions ---------------------------------------------------------------------------------------------------------------


class ForecastBulk(Endpoint):
    tag = TAG
    access = Access(Role.REVIEWER, Role.REVIEWER)

    @operation("forecast_bulk", body=BulkBody, answer=ForecastAnswer, once=False)
    def post(self, request: MemberRequest, body: dict[str, Any]) -> Any:
        """What a verdict on many would do now. Changes nothing."""
        form, filters = _bulk(body, confirmed=False)
        return forecast(
            items=_ids(request, form, filters),
            user=request.user,
            verdict=VERDICTS[body["verdict"]],
            at=clock.now(),
        )


class BulkActions(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.REVIEWER)

    @operation("list_bulk_actions", query=PageQuery, answer=page_of(BulkActionLine))
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Page:
        """Verdicts on many at once, newest first."""
        return page(request, _actions(request).select_related("by"), query)

    @operation("apply_bulk", body=BulkBody, answer=BulkActionLine, status=201)
    def post(self, request: MemberRequest, body: dict[str, Any]) -> BulkAction:
        """Give a verdict to everything chosen that takes it; `forecast_bulk` tells beforehand how many do."""
        form, filters = _bulk(body, confirmed=True)
        return apply_bulk(
            items=_ids(request, form, filters),
            user=request.user,
            team=request.team,
            verdict=form.verdict,
            at=clock.now(),
            reason=form.cleaned_data["reason"],
            note=form.cleaned_data["note"],
            filters=filters or {},
        )


class UndoBulk(Endpoint):
    tag = TAG
    access = Access(Role.REVIEWER, Role.REVIEWER)

    @operation("undo_bulk", answer=UndoneBulkAnswer)
    def post(self, request: MemberRequest, pk: int) -> Any:
        """Take a bulk action back, as far as nobody has judged since. Its author may, and owners."""
        action = found(_actions(request), pk=pk)
        back = undo_bulk(
            action=action,
            user=request.user,
            at=clock.now(),
            owns=request.membership.owns,
        )
        return {"items": back}


def _actions(request: MemberRequest) -> QuerySet[BulkAction]:
    return BulkAction.objects.filter(team__in=request.user.team_ids)


def _bulk(
    body: dict[str, Any], *, confirmed: bool
) -> tuple[BulkForm, dict[str, Any] | None]:
    """The web's form, and the filters if they choose. Raises Refused."""
    if ("trajectories" in body) == ("filters" in body):
        raise Refused("Name trajectories, or filters.")
    filters = list_form(body["filters"]).filters if "filters" in body else None
    typed = QueryDict(mutable=True)
    typed["act"] = VERDICTS[body["verdict"]].value
    typed["scope"] = "ticked" if filters is None else "all"
    for name in ("reason", "note"):
        typed[name] = body.get(name, "")
    typed.setlist("item", [str(pk) for pk in body.get("trajectories", ())])
    form = BulkForm(typed, confirmed=confirmed)
    check(form, {"act": "verdict", "scope": "trajectories"})
    return form, filters


def _ids(
    request: MemberRequest, form: BulkForm, filters: dict[str, Any] | None
) -> list[int]:
    if filters is not None:
        return chosen_ids(found_by(filters, user=request.user), request.team)
    rows = ReviewItem.objects.visible_to(request.user)
    return chosen_ids(rows.filter(pk__in=form.items), request.team)


# --- saved views ----------------------------------------------------------------------------------------------------------------


class SavedViews(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.REVIEWER)

    @operation("list_views", query=PageQuery, answer=page_of(SavedViewLine))
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Page:
        """Your saved views and those shared with the team, by name."""
        rows = SavedView.objects.visible_to(request.user).select_related("owner")
        return page(request, rows, query, order=["name", "pk"])

    @operation("save_view", body=SavedViewBody, answer=SavedViewLine, status=201)
    def post(self, request: MemberRequest, body: dict[str, Any]) -> SavedView:
        """Save filters under a name."""
        filters = list_form(body["filters"]).filters
        form = SaveViewForm({"name": body["name"], "shared": body["shared"]})
        check(form)
        sort = {"sort": body["sort"]} if "sort" in body else {}
        return save_view(
            user=request.user,
            team=request.team,
            filters={**filters, **sort},
            **form.cleaned_data,
        )


class OneSavedView(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.REVIEWER)

    @operation("get_view", answer=SavedViewLine)
    def get(self, request: MemberRequest, pk: int) -> SavedView:
        """One saved view."""
        rows = SavedView.objects.visible_to(request.user)
        return found(rows.select_related("owner"), pk=pk)

    @operation("change_view", body=ViewChangeBody, answer=SavedViewLine)
    def put(self, request: MemberRequest, pk: int, body: dict[str, Any]) -> SavedView:
        """Rename a view of your own, share it, or keep it to yourself."""
        view = _own(request, pk)
        form = SaveViewForm(body)
        check(form)
        change_view(view=view, **form.cleaned_data)
        return view

    @operation("delete_view")
    def delete(self, request: MemberRequest, pk: int) -> None:
        """Delete a view of your own."""
        delete_view(view=_own(request, pk))


def _own(request: MemberRequest, pk: int) -> SavedView:
    rows = SavedView.objects.visible_to(request.user).select_related("owner", "team")
    return found(rows, pk=pk, owner=request.user)


# --- rules ----------------------------------------------------------------------------------------------------------------------


class TryRule(Endpoint):
    tag = TAG
    access = Access(Role.REVIEWER, Role.REVIEWER)

    @operation("try_rule", body=TrialBody, answer=TrialAnswer, once=False)
    def post(self, request: MemberRequest, body: dict[str, Any]) -> Trial:
        """What a rule would find, how that was judged, and what re-queueing it would do. Changes nothing."""
        return try_rule(
            user=request.user,
            team=request.team,
            filters=_some(body),
            at=clock.now(),
        )


class Rules(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.REVIEWER)

    @operation("list_rules", query=PageQuery, answer=page_of(RuleLine))
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Page:
        """Rejections made general, newest first."""
        rows = FindRule.objects.filter(team__in=request.user.team_ids)
        return page(request, rows.select_related("by"), query)

    @operation("apply_rule", body=RuleBody, answer=RuleLine, status=201)
    def post(self, request: MemberRequest, body: dict[str, Any]) -> FindRule:
        """Save a rule and re-queue what it finds, except what is rejected or released already."""
        filters = _some(body)
        form = RuleForm({"name": body["name"], "event": body.get("event")})
        check(form)
        event = None
        if named := form.cleaned_data["event"]:
            event = rejections(request.user).filter(pk=named).first()
            if event is None:
                raise Refused({"event": ["There is no such rejection that stands."]})
        return apply_rule(
            user=request.user,
            team=request.team,
            name=form.cleaned_data["name"],
            filters=filters,
            event=event,
            at=clock.now(),
        )


def _some(body: dict[str, Any]) -> dict[str, Any]:
    filters = list_form(body["filters"]).filters
    if not filters:
        raise Refused({"filters": ["A rule finds something: name a filter."]})
    return filters


urlpatterns = [
    path("bulk-actions", BulkActions.as_view(), name="bulk_actions"),
    path("bulk-actions/forecast", ForecastBulk.as_view(), name="bulk_forecast"),
    path("bulk-actions/<int:pk>/undo", UndoBulk.as_view(), name="bulk_undo"),
    path("views", SavedViews.as_view(), name="views"),
    path("views/<int:pk>", OneSavedView.as_view(), name="view"),
    path("rules", Rules.as_view(), name="rules"),
    path("rules/try", TryRule.as_view(), name="rule_try"),
]

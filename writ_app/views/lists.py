"""Lists of trajectories: found, saved, exported, judged in bulk, and found again by what was wrong with one."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from writ_app.engine.errors import WritError
from writ_app.forms.lists import (
    ACTS,
    BulkForm,
    ListForm,
    RuleForm,
    SaveViewForm,
    query_of,
)
from writ_app.models import clock
from writ_app.models.accounts import Role, User
from writ_app.models.curation import FindRule, SavedView
from writ_app.models.review import (
    BulkAction,
    ReviewEvent,
    ReviewItem,
    Verdict,
)
from writ_app.services.audit import digest_of, record
from writ_app.services.review.bulk import (
    apply_bulk,
    chosen_ids,
    forecast,
    may_undo,
    undo_bulk,
)
from writ_app.services.review.listing import (
    MANY,
    WORDS,
    TooSlow,
    found_by,
    list_facets,
    list_items,
)
from writ_app.services.review.rules import (
    Condition,
    apply_rule,
    conditions_of,
    rejections,
    try_rule,
)
from writ_app.services.review.saved import (
    change_view,
    default_view,
    delete_view,
    open_with,
    save_view,
    views_of,
)
from writ_app.services.review.selection import csv_lines, json_lines, selected_ids
from writ_app.views.access import (
    MemberRequest,
    curator_required,
    fresh_required,
    guard,
    reviewer_required,
    viewer_required,
)
from writ_app.views.page import render_page, wants_fragment

SHOWN = 100
"""Bulk actions and rules that their pages list."""


@viewer_required
def trajectories(request: MemberRequest) -> HttpResponse:
    if not request.GET and not wants_fragment(request):
        first = default_view(request.user)
        if first is not None and first.filters:
            return redirect(f"{reverse('trajectories')}?{query_of(first.filters)}")
    form = ListForm(request.GET)
    context: dict[str, Any] = {
        "form": form,
        "chips": _chips(request, form),
        "owner": request.membership.curates,
        "acts": [(verdict.value, words) for verdict, words in ACTS.items()],
    }
    try:
        context["list"] = list_items(
            user=request.user,
            filters=form.filters,
            at=clock.now(),
            order=form.order,
            after=form.key("after"),
            before=form.key("before"),
        )
    except TooSlow as error:
        context["refusal"] = str(error)
    if not wants_fragment(request):
        context["views"] = [
            (view, query_of(view.filters)) for view in views_of(request.user)
        ]
        if "facets" in request.GET:
            context["facets"] = _facets(request, form)
    return render_page(request, "review/trajectories.html", context, fragment="found")


def _chips(request: MemberRequest, form: ListForm) -> list[tuple[str, str, str]]:
    """(title, value in words, query without it) of every filter that is set."""
    chips = []
    for name, value, title in form.values():
        held = form.filters[name]
        rest = [one for one in held if str(one) != value] if name in MANY else ""
        words = WORDS.get(name, {}).get(value) or value.replace("_", " ")
        if name == "reviewer":
            known = User.objects.filter(memberships__team__in=request.user.team_ids)
            words = getattr(known.filter(pk=value).first(), "username", value)
        chips.append((title, words, form.query(**{name: rest})))
    return chips


@viewer_required
def facets(request: MemberRequest) -> HttpResponse:
    """What the list can be narrowed by next: asked for by the page once it is there."""
    form = ListForm(request.GET)
    context = {"form": form, "facets": _facets(request, form)}
    return render(request, "components/facets.html", context)


def _facets(request: MemberRequest, form: ListForm) -> Any:
    try:
        return list_facets(user=request.user, filters=form.filters)
    except TooSlow:
        return ()


# --- files ---------------------------------------------------------------------------------------------------------------------


@require_GET
@curator_required
@fresh_required()
def export_jsonl(request: MemberRequest) -> StreamingHttpResponse:
    """Whole rows. For owners: what is missing from it tells canaries apart."""
    return _file(request, "jsonl", "application/jsonl; charset=utf-8")


@require_GET
@curator_required
@fresh_required()
def export_csv(request: MemberRequest) -> StreamingHttpResponse:
    return _file(request, "csv", "text/csv; charset=utf-8")


def _file(request: MemberRequest, kind: str, mime: str) -> Any:
    form = ListForm(request.GET)
    try:
        ids = selected_ids(user=request.user, filters=form.filters)
    except TooSlow as error:
        messages.error(request, str(error))
        return redirect(f"{reverse('trajectories')}?{form.query()}")
    record(
        "trajectories.export",
        team=request.team,
        after={
            "file": kind,
            "trajectories": len(ids),
            "keys_sha256": digest_of(ids),
            "filters": dict(form.filters),
        },
    )
    lines = json_lines(ids) if kind == "jsonl" else csv_lines(ids)
    response = StreamingHttpResponse(lines, content_type=mime)
    response["Content-Disposition"] = f'attachment; filename="trajectories.{kind}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


# --- many at once --------------------------------------------------------------------------------------------------------------


@require_POST
@reviewer_required
def bulk(request: MemberRequest) -> HttpResponse:
    """First what it would do; with the confirmation it is done."""
    confirmed = "confirmed" in request.POST
    chosen = ListForm(request.GET)
    back = f"{reverse('trajectories')}?{chosen.query()}"
    form = BulkForm(request.POST, confirmed=confirmed)
    valid = form.is_valid()
    if "act" in form.errors or "scope" in form.errors:
        messages.error(request, "Tick some items, and say what to do with them.")
        return redirect(back)
    try:
        ids = chosen_ids(_chosen(request, chosen, form), request.team)
        if valid and confirmed:
            action = apply_bulk(
                items=ids,
                user=request.user,
                team=request.team,
                verdict=form.verdict,
                at=clock.now(),
                reason=form.cleaned_data["reason"],
                note=form.cleaned_data["note"],
                filters=chosen.filters if form.cleaned_data["scope"] == "all" else {},
            )
            messages.success(
                request, f"{ACTS[form.verdict]}: {action.total:,} items. Undo it here."
            )
            return redirect("bulk_actions")
        effect = forecast(
            items=ids,
            user=request.user,
            verdict=Verdict(request.POST["act"]),
            at=clock.now(),
        )
    except WritError as error:
        messages.error(request, str(error))
        return redirect(back)
    context = {
        "form": form,
        "list_form": chosen,
        "forecast": effect,
        "act": request.POST["act"],
        "words": ACTS[Verdict(request.POST["act"])],
        "confirmed": confirmed,
        "back": back,
    }
    return render(
        request, "review/bulk.html", context, status=422 if confirmed else 200
    )


def _chosen(request: MemberRequest, chosen: ListForm, form: BulkForm) -> Any:
    if form.cleaned_data["scope"] == "all":
        return found_by(chosen.filters, user=request.user)
    visible = ReviewItem.objects.visible_to(request.user)
    return visible.filter(pk__in=form.items)


@viewer_required
def bulk_actions(request: MemberRequest) -> HttpResponse:
    actions = _actions(request).select_related("by", "team", "rule", "plan")[:SHOWN]
    owns = request.membership.owns
    lines = [
        (
            action,
            ACTS[Verdict(action.verdict)],
            may_undo(action, request.user, owns=owns),
        )
        for action in actions
    ]
    return render_page(request, "review/bulk_actions.html", {"lines": lines})


@require_POST
@reviewer_required
def bulk_undo(request: MemberRequest, pk: int) -> HttpResponse:
    action = get_object_or_404(_actions(request), pk=pk)
    try:
        back = undo_bulk(
            action=action,
            user=request.user,
            at=clock.now(),
            owns=request.membership.owns,
        )
    except WritError as error:
        messages.error(request, str(error))
    else:
        left = action.total - back
        note = f" {left:,} stay: judged since, or in a release." if left else ""
        messages.success(request, f"Undone for {back:,} items.{note}")
    return redirect("bulk_actions")


def _actions(request: MemberRequest) -> QuerySet[BulkAction]:
    return BulkAction.objects.filter(team__in=request.user.team_ids)


# --- saved views ---------------------------------------------------------------------------------------------------------------


@guard(Role.VIEWER, write=Role.REVIEWER)
def saved_views(request: MemberRequest) -> HttpResponse:
    """Those there are, to be renamed, shared and deleted; a post saves a new one."""
    if request.method != "POST":
        first = default_view(request.user)
        views = [(view, query_of(view.filters)) for view in views_of(request.user)]
        context = {"views": views, "default": first}
        return render_page(request, "review/views.html", context)
    chosen, form = ListForm(request.GET), SaveViewForm(request.POST)
    if not form.is_valid():
        messages.error(request, "A view needs a name, of 80 characters at most.")
    else:
        sort = {} if chosen.order.name == "newest" else {"sort": chosen.order.name}
        try:
            save_view(
                user=request.user,
                team=request.team,
                name=form.cleaned_data["name"],
                filters={**chosen.filters, **sort},
                shared=form.cleaned_data["shared"],
            )
        except WritError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, f"Saved as “{form.cleaned_data['name']}”.")
    return redirect(f"{reverse('trajectories')}?{chosen.query()}")


@require_POST
@reviewer_required
def saved_view(request: MemberRequest, pk: int) -> HttpResponse:
    view = get_object_or_404(SavedView.objects.visible_to(request.user), pk=pk)
    own = view.owner_id == request.user.pk
    act = request.POST.get("act")
    if act == "default":
        open_with(user=request.user, view=view)
    elif act == "no_default":
        open_with(user=request.user, view=None)
    elif not own:
        messages.error(request, f"That view is {view.owner}’s: save one of your own.")
    elif act == "delete":
        delete_view(view=view)
        messages.info(request, f"The view “{view.name}” is gone.")
    else:
        form = SaveViewForm(request.POST)
        if form.is_valid():
            try:
                change_view(view=view, **form.cleaned_data)
            except WritError as error:
                messages.error(request, str(error))
    return redirect("saved_views")


# --- reject once, find all -----------------------------------------------------------------------------------------------------


@guard(Role.VIEWER, write=Role.REVIEWER)
def rules(request: MemberRequest) -> HttpResponse:
    """Rules there are, and the rejections that could become one."""
    listed = FindRule.objects.filter(team__in=request.user.team_ids)
    found = rejections(request.user).filter(rules=None).order_by("-id")
    context = {
        "rules": [
            (rule, query_of(rule.filters))
            for rule in listed.select_related("by", "bulk")[:SHOWN]
        ],
        "rejections": found.select_related("slot__item__task").defer(
            "slot__item__task__content"
        )[:10],
    }
    return render_page(request, "review/rules.html", context)


@reviewer_required
def rule_new(request: MemberRequest) -> HttpResponse:
    """What a rule would find and do; a post saves and applies it."""
    posted = request.method == "POST"
    given = request.POST if posted else request.GET
    form, chosen = RuleForm(given), ListForm(given)
    valid = form.is_valid()
    number = form.cleaned_data.get("event")
    event = get_object_or_404(rejections(request.user), pk=number) if number else None
    conditions = conditions_of(event) if event else []
    if conditions and not chosen.filters and "tried" not in given:
        chosen = ListForm(QueryDict(query_of(_proposed(conditions))))
    try:
        if posted and valid and chosen.filters:
            return _apply(request, form.cleaned_data["name"], chosen, event)
        trial = (
            try_rule(
                user=request.user,
                team=request.team,
                filters=chosen.filters,
                at=clock.now(),
            )
            if chosen.filters
            else None
        )
    except WritError as error:
        messages.error(request, str(error))
        trial = None
    context = {
        "form": form if posted else RuleForm(initial={"name": _named(conditions)}),
        "event": event,
        "conditions": _ticked(conditions, chosen),
        "q": chosen.filters.get("q", ""),
        "query": chosen.query(),
        "trial": trial,
    }
    status = 422 if posted else 200
    return render_page(
        request, "review/rule.html", context, fragment="trial", status=status
    )


def _apply(
    request: MemberRequest, name: str, chosen: ListForm, event: ReviewEvent | None
) -> HttpResponse:
    rule = apply_rule(
        user=request.user,
        team=request.team,
        name=name,
        filters=chosen.filters,
        event=event,
        at=clock.now(),
    )
    text = (
        f"“{rule.name}” found {rule.hits:,}; {rule.requeued:,} of them are open again."
    )
    messages.success(request, text)
    return redirect("rules")


def _proposed(conditions: Sequence[Condition]) -> dict[str, list[str]]:
    proposed: dict[str, list[str]] = {}
    for condition in conditions:
        if condition.proposed:
            proposed.setdefault(condition.name, []).append(condition.value)
    return proposed


def _named(conditions: Sequence[Condition]) -> str:
    return " · ".join(one.words for one in conditions if one.proposed)[:120]


def _ticked(
    conditions: Sequence[Condition], chosen: ListForm
) -> list[tuple[Condition, bool]]:
    """What the rejection suggests, and whatever else is set, each with whether it is."""
    held = {(name, value) for name, value, *_ in chosen.values()}
    offered = [(one, (one.name, one.value) in held) for one in conditions]
    known = {(one.name, one.value) for one in conditions}
    return offered + [
        (Condition(name, value, value.replace("_", " "), title, True), True)
        for name, value, title in chosen.values()
        if (name, value) not in known and name != "q"
    ]

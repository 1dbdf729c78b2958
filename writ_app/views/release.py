"""Releases: the list, a frozen one, its members, what it left out, and what differs between two."""

from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect

from writ_app.engine.export.formats import FORMATS
from writ_app.forms.lists import ListForm
from writ_app.forms.release import CompareForm, NewDraftForm, PartForm
from writ_app.models import clock
from writ_app.models.accounts import Role
from writ_app.models.curation import SavedView
from writ_app.models.release import Release
from writ_app.services.heat import make_heat_map
from writ_app.services.release import Recipe, draft_release
from writ_app.services.release.card import write_card
from writ_app.services.release.diff import compare
from writ_app.services.release.files import files_of, known_hashes
from writ_app.services.release.first import first_files, is_first
from writ_app.services.release.overview import Overview, overview, reason_words
from writ_app.services.review import count_queue
from writ_app.services.review.listing import WORDS
from writ_app.views.access import MemberRequest, guard, viewer_required
from writ_app.views.page import render_page

PAGE = 100
LISTED = 200
"""Items of a difference that the page names."""
FACETS = ("archetype", "class", "plan", "agent", "user", "prompt_version")


def visible(request: MemberRequest) -> Any:
    """Releases of the person's teams, without what may be megabytes."""
    return Release.objects.visible_to(request.user).select_related("team", "created_by")


@guard(Role.VIEWER, write=Role.CURATOR)
def releases(request: MemberRequest) -> HttpResponse:
    """Frozen ones and drafts; posting a name begins a draft, with the filters of the address."""
    chosen = ListForm(request.GET)
    form = NewDraftForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        return _begin(request, form.cleaned_data["name"], chosen)
    context = {
        "releases": visible(request).frozen(),
        "drafts": visible(request).drafts().annotate(count=Count("members")),
        "counts": count_queue(user=request.user, at=clock.now()),
        "form": form,
        "query": chosen.query(),
        "chips": chips(chosen),
    }
    status = 422 if form.errors else 200
    return render_page(request, "release/releases.html", context, status=status)


def _begin(request: MemberRequest, name: str, chosen: ListForm) -> HttpResponse:
    views = SavedView.objects.visible_to(request.user).filter(team=request.team)
    named = next((v.name for v in views if v.filters == chosen.filters), "")
    row = draft_release(
        team=request.team,
        name=name,
        by=request.user,
        recipe=Recipe(filters=chosen.filters, view=named if chosen.filters else ""),
    )
    messages.success(request, f"{row} is a draft: say what it is made of.")
    return redirect("release_draft", pk=row.pk)


def chips(form: ListForm) -> list[tuple[str, str]]:
    """(title, value in words) of every filter that is set."""
    return [
        (title, WORDS.get(name, {}).get(value) or value.replace("_", " "))
        for name, value, title in form.values()
    ]


def filter_form(recipe: dict[str, Any]) -> ListForm:
    """The filters of a stored recipe, as the list's form has them."""
    query = QueryDict(mutable=True)
    for name, value in recipe.get("filters", {}).items():
        query.setlist(name, value if isinstance(value, list) else [value])
    return ListForm(query)


# --- a frozen one --------------------------------------------------------------------------------------------------------------


@viewer_required
def release(request: MemberRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(visible(request), pk=pk)
    if row.frozen_at is None:
        return redirect("release_draft", pk=pk)
    context = {
        "release": row,
        "manifest": row.manifest,
        "marginals": _marginals(row),
        "card": write_card(row),
        "others": visible(request).filter(team=row.team).exclude(pk=row.pk)[:50],
        "owner": request.membership.role == Role.OWNER and row.team == request.team,
    }
    if is_first(row):
        context |= {"files": first_files(row), "heat": _heat(overview(row))}
        return render_page(request, "release/first.html", context)
    seen = overview(row)
    context |= {
        "seen": seen,
        "heat": _heat(seen),
        "split_heats": split_heats(seen),
        "chips": chips(filter_form(row.recipe)),
        **_files(row),
    }
    return render_page(request, "release/release.html", context)


def _heat(seen: Overview) -> Any:
    return make_heat_map(seen.members)


def split_heats(seen: Overview) -> list[tuple[Any, Any]]:
    """(split, its heat map) of each, if there are several."""
    if len(seen.shares) < 2:
        return []
    return [(share, make_heat_map(share.cells)) for share in seen.shares]


def _marginals(row: Release) -> dict[str, list[tuple[str, int]]]:
    """Counts by facet, the most frequent value first."""
    counts, titles = row.manifest["counts"], row.manifest.get("archetypes", {})
    return {
        facet.replace("_", " "): [
            (f"{value} {titles.get(value, '')}".strip(), count)
            for value, count in sorted(
                counts[facet].items(), key=lambda pair: (-pair[1], pair[0])
            )
        ]
        for facet in FACETS
    }


def _files(row: Release) -> dict[str, Any]:
    """Files with what they came to, if they were made before: the release's own, and those of each format."""
    known = known_hashes(row)
    own: list[tuple[str, Any]] = []
    formats: dict[str, list[tuple[str, Any]]] = {slug: [] for slug in FORMATS}
    for file in files_of(row):
        formats.get(file.slug, own).append((file.path, known.get(file.path)))
    return {
        "own_files": own,
        "formats": [
            (form, formats[slug]) for slug, form in FORMATS.items() if formats[slug]
        ],
    }


# --- what it holds, and what not -----------------------------------------------------------------------------------------------


@viewer_required
def release_members(request: MemberRequest, pk: int) -> HttpResponse:
    """Members in order, some at a time; of a draft too."""
    row = get_object_or_404(visible(request), pk=pk)
    form = PartForm(request.GET)
    chosen = form.chosen()
    members = row.members.order_by("position").select_related("item")
    if chosen["split"]:
        members = members.filter(split=chosen["split"])
    if chosen["after"] is not None:
        members = members.filter(position__gt=chosen["after"])
    columns = ("archetype", "writes", "burden", "plan", "agent", "environment")
    names = ("position", "split", "row_hash", "tokens")
    found = list(members.only(*names, *(f"item__{c}" for c in columns))[: PAGE + 1])
    context = {
        "release": row,
        "form": form,
        "members": found[:PAGE],
        "total": row.members.count(),
        "next": found[PAGE - 1].position if found[PAGE:] else None,
        "first": chosen["after"] is None,
    }
    return render_page(request, "release/members.html", context)


@viewer_required
def release_refusals(request: MemberRequest, pk: int) -> HttpResponse:
    """What was left out, some at a time."""
    row = get_object_or_404(visible(request), pk=pk)
    form = PartForm(request.GET)
    chosen = form.chosen()
    refusals = row.refusals.order_by("item_id").select_related("item")
    counts = row.refusals.order_by().values_list("reason").annotate(Count("pk"))
    if chosen["reason"]:
        refusals = refusals.filter(reason=chosen["reason"])
    if chosen["after"] is not None:
        refusals = refusals.filter(item_id__gt=chosen["after"])
    columns = ("archetype", "writes", "burden", "environment")
    names = ("reason", "detail")
    found = list(refusals.only(*names, *(f"item__{c}" for c in columns))[: PAGE + 1])
    context = {
        "release": row,
        "refusals": [(one, reason_words(one.reason)) for one in found[:PAGE]],
        "reasons": [(name, reason_words(name), n) for name, n in sorted(counts)],
        "reason": chosen["reason"],
        "next": found[PAGE - 1].item_id if found[PAGE:] else None,
        "first": chosen["after"] is None,
    }
    return render_page(request, "release/refusals.html", context)


# --- two of them ---------------------------------------------------------------------------------------------------------------


@viewer_required
def release_compare(request: MemberRequest) -> HttpResponse:
    """What differs between two; without a choice only the question."""
    rows = visible(request).filter(team=request.team)
    form = CompareForm(request.GET, releases=rows)
    before, after = form.chosen()
    found = compare(before, after) if before and after else None
    if request.GET.get("format") == "json":
        if found is None:
            raise Http404("Name two releases: before and after.")
        return JsonResponse(found.as_json, json_dumps_params={"indent": 1})
    context = {
        "form": form,
        "rows": rows,
        "before": before,
        "after": after,
        "diff": found,
    }
    if found:
        context |= {
            "changed": found.changed[:LISTED],
            "moved": found.moved[:LISTED],
            "lists": [
                ("Added", len(found.added), found.added[:LISTED]),
                ("Removed", len(found.removed), found.removed[:LISTED]),
            ],
        }
    return render_page(request, "release/compare.html", context)

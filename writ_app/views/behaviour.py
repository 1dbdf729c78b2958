"""Personas and behaviour plans: reading, describing, enabling; and what a batch's users made of them."""

import json

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from writ_app.engine import types
from writ_app.engine.behaviour import DIMENSIONS, instructions
from writ_app.forms.behaviour import ConductForm
from writ_app.models.accounts import Role
from writ_app.models.behaviour import BehaviourPlan, Conduct, ConductQuerySet, Persona
from writ_app.models.catalog import Task
from writ_app.models.synthesis import Batch
from writ_app.services.catalog import load_environment
from writ_app.services.synthesis import (
    BadConduct,
    behaviour_marginals,
    marginals_json,
    preview_ledger,
    save_conduct,
    set_enabled,
    uses_of,
)
from writ_app.views.access import (
    MemberRequest,
    curator_required,
    guard,
    viewer_required,
)
from writ_app.views.page import render_page

MODELS: dict[str, type[Conduct]] = {"persona": Persona, "plan": BehaviourPlan}


@viewer_required
def behaviour(request: MemberRequest) -> HttpResponse:
    """Both lists, with what each allows."""
    lists = [
        (kind, model, [_line(row) for row in _known(model, request)])
        for kind, model in MODELS.items()
    ]
    return render_page(
        request,
        "behaviour/behaviour.html",
        {"lists": [(kind, rows) for kind, _, rows in lists]},
    )


@guard(Role.VIEWER, write=Role.CURATOR)
def conduct(request: MemberRequest, pk: int, kind: str) -> HttpResponse:
    """One persona or plan: what it allows, what a model is told, and what it makes of an example task. Owners edit their own here."""
    row = get_object_or_404(_known(MODELS[kind], request), pk=pk)
    may_edit = not row.built_in and request.membership.curates
    form = None
    if may_edit:
        data = request.POST if request.method == "POST" else None
        form = ConductForm(data, model=MODELS[kind], row=row)
        if data is not None and _saved(request, form, row):
            return redirect(kind, pk=row.pk)
    context = {
        "row": row,
        "kind": kind,
        "form": form,
        "line": _line(row),
        "uses": uses_of(row, request.team),
        "dimensions": [
            (
                dimension,
                [v for v in dimension.values if v.slug in row.values[dimension.slug]],
            )
            for dimension in DIMENSIONS.values()
            if dimension.slug in row.values
        ],
        "open_dimensions": [
            d
            for d in DIMENSIONS.values()
            if d.side == kind and d.slug not in row.values
        ],
        **_preview(request, row.value),
    }
    status = 422 if form is not None and form.is_bound else 200
    return render_page(request, "behaviour/conduct.html", context, status=status)


@curator_required
def conduct_new(request: MemberRequest, kind: str) -> HttpResponse:
    """A new one, empty or as a copy of another (`from`)."""
    model = MODELS[kind]
    source = _source(model, request)
    data = request.POST if request.method == "POST" else None
    form = ConductForm(data, model=model, row=source)
    if source is not None and data is None:
        form.initial = {
            **form.initial,
            "title": f"{source.title} (copy)"[:80],
            "slug": f"{source.slug}-copy"[:40],
        }
    row = model()
    if data is not None and _saved(request, form, row):
        return redirect(kind, pk=row.pk)
    return render_page(
        request,
        "behaviour/conduct_new.html",
        {"form": form, "kind": kind, "source": source},
        status=422 if form.is_bound else 200,
    )


@require_POST
@curator_required
def conduct_enabled(request: MemberRequest, pk: int, kind: str) -> HttpResponse:
    row = get_object_or_404(_known(MODELS[kind], request), pk=pk)
    enabled = request.POST.get("enabled") == "yes"
    set_enabled(row, team=request.team, enabled=enabled)
    state = "enabled" if enabled else "disabled for new batches"
    messages.info(request, f"{row.title} is {state}.")
    return redirect("behaviour")


@viewer_required
def batch_behaviour(request: MemberRequest, pk: int) -> HttpResponse:
    """Requested against realised, by dimension and value."""
    batch = get_object_or_404(Batch.objects.visible_to(request.user), pk=pk)
    report = batch.design_report.get("behaviour") or {}
    void = [
        (DIMENSIONS[slug], DIMENSIONS[slug].value(value).title, sorted(reasons.items()))
        for slug, values in report.get("void", {}).items()
        for value, reasons in values.items()
    ]
    context = {
        "batch": batch,
        "marginals": behaviour_marginals(batch),
        "void": void,
        "pairs": report.get("pairs", 0),
    }
    return render_page(request, "behaviour/batch_behaviour.html", context)


@viewer_required
def batch_behaviour_raw(request: MemberRequest, pk: int) -> HttpResponse:
    batch = get_object_or_404(Batch.objects.visible_to(request.user), pk=pk)
    text = json.dumps(marginals_json(batch), indent=1, ensure_ascii=False)
    response = HttpResponse(text, content_type="application/json")
    name = f"batch-{batch.pk}-behavior.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


# --- pieces --------------------------------------------------------------------------------------------------------------------


def _known(model: type[Conduct], request: MemberRequest) -> ConductQuerySet:
    return model.objects.known_to(request.team).with_enabled(request.team)


def _line(row: Conduct) -> dict[str, object]:
    chosen = [
        (
            DIMENSIONS[slug].title,
            [DIMENSIONS[slug].value(value).title for value in values],
        )
        for slug, values in row.values.items()
        if slug in DIMENSIONS and _says_something(slug, values)
    ]
    return {"row": row, "chosen": chosen}


def _says_something(slug: str, values: tuple[str, ...]) -> bool:
    """The plain value alone is what everybody expects, and of a plan it is so wherever it is allowed."""
    dimension = DIMENSIONS[slug]
    if dimension.side == "plan":
        return dimension.plain not in values
    return values != (dimension.plain,)


def _saved(request: MemberRequest, form: ConductForm, row: Conduct) -> bool:
    if not form.is_valid():
        return False
    try:
        save_conduct(row, team=request.team, **form.described())
    except BadConduct as error:
        form.add_error(None, str(error))
        return False
    messages.success(
        request,
        f"{row.title} is saved. Batches that were ordered before stay as they are.",
    )
    return True


def _source(model: type[Conduct], request: MemberRequest) -> Conduct | None:
    given = request.GET.get("from", "")
    if not (given.isascii() and given.isdigit() and len(given) < 18):
        return None
    found: Conduct | None = _known(model, request).filter(pk=int(given)).first()
    return found


def _preview(
    request: MemberRequest, value: types.Persona | types.BehaviourPlan
) -> dict[str, object]:
    """What it makes of a task: of the one that is asked for, or of the newest with a write."""
    given = request.GET.get("task", "")
    mine = Task.objects.filter(simulations__batch__team=request.team)
    tasks = mine.select_related("environment").order_by("-id")
    if given.isascii() and given.isdigit() and len(given) < 18:
        found = tasks.filter(pk=int(given)).first()
    else:
        found = tasks.filter(writes__gt=0).first()
    if found is None:
        return {"example": None}
    task = types.Task.model_validate(found.content)
    plan = value if isinstance(value, types.BehaviourPlan) else None
    persona = value if isinstance(value, types.Persona) else None
    ledger = preview_ledger(load_environment(found.environment), task, plan, persona)
    return {
        "example": found,
        "ledger": ledger,
        "told": instructions(task, ledger),
    }

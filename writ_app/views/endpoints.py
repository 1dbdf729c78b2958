"""Models as rows: the endpoints that batches may choose."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from writ_app.adapters.trial import Trial
from writ_app.forms.endpoints import EXAMPLES, EndpointForm
from writ_app.models.synthesis import ModelEndpoint
from writ_app.services.synthesis import forget_limits, list_endpoints, try_endpoint
from writ_app.services.synthesis.endpoints import (
    endpoint_facts,
    offer_endpoint,
    save_endpoint,
)
from writ_app.views.access import MemberRequest, owner_required, viewer_required
from writ_app.views.page import render_page


@viewer_required
def endpoints(request: MemberRequest) -> HttpResponse:
    context = {"lines": list_endpoints(request.user), "examples": EXAMPLES}
    return render_page(request, "endpoints/endpoints.html", context)


@owner_required
def endpoint_new(request: MemberRequest) -> HttpResponse:
    """The form, filled with an example if one is asked for by name."""
    if request.method == "POST":
        new = ModelEndpoint(team=request.team)
        return _keep(request, EndpointForm(request.POST, instance=new), "Added")
    example = EXAMPLES.get(request.GET.get("example", ""), {})
    return _show(request, EndpointForm(initial=example))


@owner_required
def endpoint(request: MemberRequest, pk: int) -> HttpResponse:
    row = _own(request, pk)
    if request.method == "POST":
        return _keep(request, EndpointForm(request.POST, instance=row), "Kept")
    return _show(request, EndpointForm(instance=row), heading=row.name)


@require_POST
@owner_required
def endpoint_try(request: MemberRequest, pk: int) -> HttpResponse:
    """Ask it now, and show what came."""
    row = _own(request, pk)
    form = EndpointForm(instance=row)
    return _show(request, form, heading=row.name, trial=try_endpoint(row))


@require_POST
@owner_required
def endpoint_enable(request: MemberRequest, pk: int) -> HttpResponse:
    """Offer it to new batches, or no longer."""
    row = _own(request, pk)
    offer_endpoint(row, enabled="enable" in request.POST)
    said = "offered to new batches" if row.enabled else "no longer offered"
    messages.info(request, f"{row.name} is {said}. Batches that there are go on.")
    return redirect("endpoints")


def _own(request: MemberRequest, pk: int) -> ModelEndpoint:
    return get_object_or_404(ModelEndpoint.objects.changeable_by(request.user), pk=pk)


def _keep(request: MemberRequest, form: EndpointForm, done: str) -> HttpResponse:
    # before the form fills the row with what may be wrong
    heading = form.instance.name
    before = endpoint_facts(form.instance) if form.instance.pk else None
    if not form.is_valid():
        return _show(request, form, heading=heading, status=422)
    row = form.instance
    save_endpoint(row, before=before)
    if "max_in_flight" in form.changed_data:
        forget_limits(row)
    messages.success(request, f"{done} {row.name}. Try it before a batch uses it.")
    return redirect("endpoint", pk=row.pk)


def _show(
    request: MemberRequest,
    form: EndpointForm,
    *,
    heading: str = "",
    trial: Trial | None = None,
    status: int = 200,
) -> HttpResponse:
    return render_page(
        request,
        "endpoints/endpoint.html",
        {"form": form, "row": form.instance, "heading": heading, "trial": trial},
        fragment="trial",
        status=status,
    )

"""Models as rows: the endpoints that batches may choose."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from writ_app.adapters.trial import Trial
from writ_app.forms.endpoints import EXAMPLES, EndpointForm
from writ_app.models.synthesis import ModelEndpoint
from writ_app.services.synthesis import forget_limits, list_endpoints, try_endpoint
from writ_app.views.access import MemberRequest, member_required, owner_required
from writ_app.views.page import render_page


@member_required
def endpoints(request: MemberRequest) -> HttpResponse:
    context = {"lines": list_endpoints(), "examples": EXAMPLES}
    return render_page(request, "endpoints/endpoints.html", context)


@owner_required
def endpoint_new(request: MemberRequest) -> HttpResponse:
    """The form, filled with an example if one is asked for by name."""
    if request.method == "POST":
        return _keep(request, EndpointForm(request.POST), "Added")
    example = EXAMPLES.get(request.GET.get("example", ""), {})
    return _show(request, EndpointForm(initial=example))


@owner_required
def endpoint(request: MemberRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(ModelEndpoint, pk=pk)
    if request.method == "POST":
        return _keep(request, EndpointForm(request.POST, instance=row), "Kept")
    return _show(request, EndpointForm(instance=row), heading=row.name)


@require_POST
@owner_required
def endpoint_try(request: MemberRequest, pk: int) -> HttpResponse:
    """Ask it now, and show what came."""
    row = get_object_or_404(ModelEndpoint, pk=pk)
    form = EndpointForm(instance=row)
    return _show(request, form, heading=row.name, trial=try_endpoint(row))


@require_POST
@owner_required
def endpoint_enable(request: MemberRequest, pk: int) -> HttpResponse:
    """Offer it to new batches, or no longer."""
    row = get_object_or_404(ModelEndpoint, pk=pk)
    row.enabled = "enable" in request.POST
    row.save(update_fields=["enabled"])
    said = "offered to new batches" if row.enabled else "no longer offered"
    messages.info(request, f"{row.name} is {said}. Batches that there are go on.")
    return redirect("endpoints")


def _keep(request: MemberRequest, form: EndpointForm, done: str) -> HttpResponse:
    heading = form.instance.name  # before the form fills the row with what may be wrong
    if not form.is_valid():
        return _show(request, form, heading=heading, status=422)
    row = form.save()
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

"""Pages that look at many items at once: siblings, clusters, the dashboard."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404

from writ_app.forms.insight import (
    ClusterFilter,
    ClusterRows,
    DashboardFilter,
    SiblingChoice,
)
from writ_app.models import clock
from writ_app.models.review import ReviewItem
from writ_app.services.review.clusters import build_cluster, list_clusters
from writ_app.services.review.dashboard import build_dashboard
from writ_app.services.review.scopes import scopes_of
from writ_app.services.review.siblings import build_siblings, family_of
from writ_app.views.access import MemberRequest, viewer_required
from writ_app.views.page import render_page


@viewer_required
def siblings(request: MemberRequest, pk: int) -> HttpResponse:
    """One trajectory beside others of the same task."""
    visible = ReviewItem.objects.visible_to(request.user).narrow()
    item = get_object_or_404(visible, pk=pk)
    family = family_of(item)
    form = SiblingChoice(request.GET, family=[one.pk for one in family])
    page = build_siblings(item=item, family=family, chosen=form.chosen())
    return render_page(
        request, "review/siblings.html", {"page": page, "family": family}
    )


@viewer_required
def clusters(request: MemberRequest) -> HttpResponse:
    """Items grouped by what they have in common."""
    form = ClusterFilter(request.GET, scopes=scopes_of(request.user))
    found = list_clusters(
        user=request.user,
        filters=form.filters(),
        order=form.cleaned_data.get("order") or "size",
        start=form.cleaned_data.get("start") or 0,
    )
    context = {"list": found, "form": form, "chosen": form.filters()}
    return render_page(request, "review/clusters.html", context, fragment="found")


@viewer_required
def cluster(request: MemberRequest, key: str) -> HttpResponse:
    """One cluster: an exemplar, and of the others what differs from it."""
    form = ClusterRows(request.GET)
    form.full_clean()
    page = build_cluster(
        user=request.user,
        key=key,
        before=form.cleaned_data.get("before"),
        odd_only=form.cleaned_data.get("odd", False),
    )
    if page is None:
        raise Http404("There is no such cluster.")
    return render_page(request, "review/cluster.html", {"page": page}, fragment="rows")


@viewer_required
def dashboard(request: MemberRequest) -> HttpResponse:
    """How far the work has come, what is still missing, and how people get on."""
    form = DashboardFilter(request.GET, scopes=scopes_of(request.user))
    now = clock.now()
    page = build_dashboard(
        user=request.user,
        filters=form.filters(),
        since=form.since(now),
        at=now,
        owns=request.membership.owns,
    )
    context = {
        "page": page,
        "form": form,
        "approved_list": {**form.filters(), "status": "APPROVED"},
    }
    return render_page(request, "review/dashboard.html", context, fragment="found")

"""Environments: policy and tools, as the agent gets them."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404

from writ_app.models.catalog import Environment
from writ_app.services.catalog import load_environment
from writ_app.views.access import MemberRequest, member_required
from writ_app.views.page import render_page


@member_required
def environments(request: MemberRequest) -> HttpResponse:
    known = Environment.objects.order_by("name", "-id").defer("state", "policy")
    return render_page(request, "catalog/environments.html", {"environments": known})


@member_required
def environment(request: MemberRequest, name: str, version: str) -> HttpResponse:
    known = Environment.objects.defer("state")
    row = get_object_or_404(known, name=name, version=version)
    loaded = load_environment(row)
    counts = {name: len(rows) for name, rows in loaded.state.collections.items()}
    context = {"row": row, "environment": loaded, "counts": counts}
    return render_page(request, "catalog/environment.html", context)

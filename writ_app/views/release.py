"""Releases: freezing them and taking their files away."""

from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from writ_app.engine.errors import WritError
from writ_app.forms.release import ReleaseForm
from writ_app.models.release import Release
from writ_app.services.release import (
    freeze_release,
    marginals,
    two_axes,
    write_card,
    write_manifest,
    write_release,
)
from writ_app.services.review import count_queue
from writ_app.views.access import MemberRequest, member_required, require_owner
from writ_app.views.page import render_page


@member_required
def releases(request: MemberRequest) -> HttpResponse:
    """All releases; posting a name freezes the next one."""
    form = ReleaseForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        require_owner(request)
        if form.is_valid() and (release := _freeze(request, form)):
            return redirect("release", pk=release.pk)
    context = {
        "releases": Release.objects.visible_to(request.user).frozen(),
        "counts": count_queue(user=request.user, at=timezone.now()),
        "form": form,
    }
    status = 422 if form.errors else 200
    return render_page(request, "release/releases.html", context, status=status)


def _freeze(request: MemberRequest, form: ReleaseForm) -> Release | None:
    try:
        release = freeze_release(
            team=request.team,
            name=form.cleaned_data["name"],
            by=request.user,
            at=timezone.now(),
        )
    except WritError as error:
        form.add_error(None, str(error))
        return None
    messages.success(request, f"{release} is frozen.")
    return release


@member_required
def release(request: MemberRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Release.objects.visible_to(request.user).frozen(), pk=pk)
    context = {
        "release": row,
        "manifest": row.manifest,
        "grid": two_axes(row),
        "marginals": marginals(row),
        "card": write_card(row),
    }
    return render_page(request, "release/release.html", context)


@member_required
def release_file(request: MemberRequest, pk: int, name: str) -> HttpResponseBase:
    """One file of a release, always as an attachment."""
    row = get_object_or_404(Release.objects.visible_to(request.user).frozen(), pk=pk)
    formats = {file["file"]: slug for slug, file in row.manifest["files"].items()}
    response: HttpResponseBase
    if name in formats:
        lines = write_release(row, formats[name])
        response = StreamingHttpResponse(lines, content_type="application/jsonl")
    elif name == "manifest.json":
        response = HttpResponse(write_manifest(row), content_type="application/json")
    elif name == "README.md":
        response = HttpResponse(
            write_card(row), content_type="text/markdown; charset=utf-8"
        )
    else:
        raise Http404
    response["Content-Disposition"] = (
        f'attachment; filename="{row.name}-v{row.number}-{name}"'
    )
    return response

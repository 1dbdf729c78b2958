"""Files of a release, made while they are sent."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET

from writ_app.engine.errors import WritError
from writ_app.engine.export.formats import FORMATS
from writ_app.models.release import Release
from writ_app.services.audit import record
from writ_app.services.release import write_manifest
from writ_app.services.release.card import write_card
from writ_app.services.release.files import (
    CARD_FILE,
    MANIFEST_FILE,
    find_file,
    write_file,
    write_zip,
)
from writ_app.services.release.first import first_files, is_first, write_first
from writ_app.views.access import MemberRequest, fresh_required, viewer_required

MIMES = {
    "jsonl": "application/jsonl",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
    "md": "text/markdown; charset=utf-8",
    "zip": "application/zip",
}


@require_GET
@viewer_required
@fresh_required()
def release_file(request: MemberRequest, pk: int, path: str) -> HttpResponseBase:
    """One file, always as an attachment."""
    row = _frozen(request, pk)
    parts = _first_parts(row, path) if is_first(row) else _parts(row, path)
    return _sent(request, row, path.replace("/", "-"), parts)


@require_GET
@viewer_required
@fresh_required()
def release_zip(request: MemberRequest, pk: int) -> HttpResponseBase:
    """All files, or those of the formats that the address names, with what tells of them."""
    row = _frozen(request, pk)
    if is_first(row):
        raise Http404("Its files are downloaded one by one.")
    named = [slug for slug in request.GET.getlist("format") if slug in FORMATS]
    if request.GET.getlist("format") and not named:
        raise Http404("There is no such format.")
    prefix = f"{row.name}-v{row.number}"
    parts = write_zip(row, named or None, prefix)
    return _sent(request, row, "-".join([*named, "files.zip"])[-120:], parts)


def _frozen(request: MemberRequest, pk: int) -> Release:
    visible = Release.objects.visible_to(request.user).frozen()
    row: Release = get_object_or_404(visible, pk=pk)
    return row


def _parts(row: Release, path: str) -> Iterable[bytes]:
    file = find_file(row, path)
    if file is None:
        raise Http404(f"The release has no file {path}.")
    return write_file(row, file)


def _first_parts(row: Release, path: str) -> Iterable[bytes]:
    known = first_files(row)
    if path in known:
        return (line.encode() for line in write_first(row, known[path][0]))
    if path == MANIFEST_FILE:
        return iter([write_manifest(row).encode()])
    if path == CARD_FILE:
        return iter([write_card(row).encode()])
    raise Http404(f"The release has no file {path}.")


def _sent(
    request: MemberRequest, row: Release, name: str, parts: Iterable[bytes]
) -> HttpResponseBase:
    """The response, once the first part is there: what cannot be made is said on a page. What breaks off later cuts the line."""
    taken: Iterator[bytes] = iter(parts)
    try:
        first = next(taken, b"")
    except WritError as error:
        messages.error(request, str(error))
        back: HttpResponse = redirect("release", pk=row.pk)
        return back
    after = {"file": name, "content_hash": row.content_hash}
    record("release.download", team=row.team_id, row=row, after=after)
    mime = MIMES.get(name.rsplit(".", 1)[-1], "text/plain; charset=utf-8")
    content: Any = chain([first], taken)
    response = StreamingHttpResponse(content, content_type=mime)
    response["Content-Disposition"] = (
        f'attachment; filename="{row.name}-v{row.number}-{name}"'
    )
    response["X-Content-Type-Options"] = "nosniff"
    return response

"""What is taken away: files of a frozen release, and what one trajectory becomes in a format."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from django.http import Http404, StreamingHttpResponse
from django.urls import path
from rest_framework import serializers

from writ_app.api.endpoint import Endpoint, MemberRequest, found, operation
from writ_app.api.fields import Choice, Query, Text, Whole
from writ_app.api.paging import Page, as_page, page_of
from writ_app.engine.export.chat_templates import FAMILIES
from writ_app.engine.export.formats import FORMATS
from writ_app.forms.preview import PreviewForm
from writ_app.models.accounts import Role
from writ_app.models.release import Release
from writ_app.models.review import ReviewItem
from writ_app.services.access import Access
from writ_app.services.audit import record
from writ_app.services.preview import PREVIEWED, Preview, preview
from writ_app.services.release import write_manifest
from writ_app.services.release.card import write_card
from writ_app.services.release.files import (
    CARD_FILE,
    MANIFEST_FILE,
    files_of,
    find_file,
    known_hashes,
    write_file,
    write_zip,
)
from writ_app.services.release.first import first_files, is_first, write_first

TAG = "Releases"
BINARY = "application/octet-stream"
"""Media type of every file: what is in it, its name says."""


# --- files ----------------------------------------------------------------------------------------------------------------------


class ReleaseFileLine(serializers.Serializer[Any]):
    path = serializers.CharField()
    format = serializers.CharField(help_text="What writes it, or what it tells of.")
    rows = serializers.IntegerField(allow_null=True)
    bytes = serializers.IntegerField(allow_null=True)
    sha256 = serializers.CharField(
        allow_null=True, help_text="Null until the file was made for the first time."
    )


class FileQuery(Query):
    path = Text(max_length=200, help_text="As `list_release_files` has it.")


class ArchiveQuery(Query):
    format = serializers.ListField(
        child=Choice(choices=[(slug, form.title) for slug, form in FORMATS.items()]),
        required=False,
        max_length=len(FORMATS),
        help_text="Only these formats, with what tells of them.",
    )


class ReleaseFiles(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.OWNER)

    @operation("list_release_files", answer=page_of(ReleaseFileLine))
    def get(self, request: MemberRequest, pk: int) -> Page:
        """Files of a frozen release, all of them on one page; 404 while it is a draft."""
        return as_page(request, list(_lines(_frozen(request, pk))), None)


class ReleaseFile(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.OWNER, fresh="all")

    @operation(
        "download_release_file",
        query=FileQuery,
        media=BINARY,
        file=True,
        refuses=(409,),
    )
    def get(
        self, request: MemberRequest, pk: int, query: dict[str, Any]
    ) -> StreamingHttpResponse:
        """One file of a frozen release, as a stream that ends early if it is not what was frozen."""
        row, name = _frozen(request, pk), query["path"]
        parts = _first_parts(row, name) if is_first(row) else _parts(row, name)
        return _sent(row, name.replace("/", "-"), parts)


class ReleaseArchive(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.OWNER, fresh="all")

    @operation(
        "download_release_archive",
        query=ArchiveQuery,
        media="application/zip",
        file=True,
        refuses=(409,),
    )
    def get(
        self, request: MemberRequest, pk: int, query: dict[str, Any]
    ) -> StreamingHttpResponse:
        """All files of a frozen release as a zip, streamed; SHA256SUMS comes last."""
        row = _frozen(request, pk)
        if is_first(row):
            raise Http404
        slugs = list(dict.fromkeys(query.get("format", ()))) or None
        parts = write_zip(row, slugs, f"{row.name}-v{row.number}")
        return _sent(row, "files.zip", parts, media="application/zip")


def _frozen(request: MemberRequest, pk: int) -> Release:
    return found(Release.objects.visible_to(request.user).frozen(), pk=pk)


def _lines(row: Release) -> Iterator[dict[str, Any]]:
    if is_first(row):
        for name, (slug, rows, sha256) in first_files(row).items():
            told = {"rows": rows, "bytes": None, "sha256": sha256}
            yield {"path": name, "format": slug, **told}
        return
    known = known_hashes(row)
    for file in files_of(row):
        made = known.get(file.path)
        told = {name: getattr(made, name, None) for name in ("rows", "bytes", "sha256")}
        yield {"path": file.path, "format": file.slug, **told}


def _parts(row: Release, name: str) -> Iterable[bytes]:
    file = find_file(row, name)
    if file is None:
        raise Http404
    return write_file(row, file)


def _first_parts(row: Release, name: str) -> Iterable[bytes]:
    known = first_files(row)
    if name in known:
        return (line.encode() for line in write_first(row, known[name][0]))
    if name == MANIFEST_FILE:
        return iter([write_manifest(row).encode()])
    if name == CARD_FILE:
        return iter([write_card(row).encode()])
    raise Http404


def _sent(
    row: Release, name: str, parts: Iterable[bytes], *, media: str = BINARY
) -> StreamingHttpResponse:
    """The response, once the first part is there: what cannot be made is a problem then. What breaks off later cuts the line."""
    taken = iter(parts)
    first = next(taken, b"")
    after = {"file": name, "content_hash": row.content_hash}
    record("release.download", team=row.team_id, row=row, after=after)
    response = StreamingHttpResponse(chain([first], taken), content_type=media)
    response["Content-Disposition"] = (
        f'attachment; filename="{row.name}-v{row.number}-{name}"'
    )
    return response


# --- one trajectory -------------------------------------------------------------------------------------------------------------


class SegmentLine(serializers.Serializer[Any]):
    text = serializers.CharField()
    trained = serializers.BooleanField(help_text="Whether the loss is reckoned on it.")
    why = serializers.CharField()


class TurnLine(serializers.Serializer[Any]):
    role = serializers.CharField()
    segments = SegmentLine(many=True)


class PreviewDetail(serializers.Serializer[Any]):
    format = serializers.CharField(source="form.slug")
    family = serializers.CharField(source="family.title")
    tokenizer = serializers.CharField(source="tokenizer.slug")
    setting = serializers.CharField(
        source="rule.setting", help_text="What the trainer has to be told."
    )
    rows = serializers.IntegerField(help_text="That the trajectory becomes.")
    row = serializers.JSONField(
        allow_null=True, help_text="As the file of the format has it."
    )
    turns = TurnLine(many=True)
    tokens = serializers.IntegerField()
    trained = serializers.IntegerField(help_text="Of the tokens.")
    unseen = serializers.ListField(
        child=serializers.CharField(), help_text="What the template leaves out."
    )
    refusal = serializers.CharField(help_text="Why there is no such row.")


class PreviewQuery(Query):
    format = Choice(required=False, choices=[(one, one) for one in PREVIEWED])
    family = Choice(required=False, choices=[(one, one) for one in FAMILIES])
    greeting = Choice(required=False, choices=["target", "keep", "mask", "drop"])
    failed = Choice(required=False, choices=["learn", "mask"])
    reasoning = Choice(required=False, choices=["strip", "keep"])
    row = Whole(required=False, min_value=1, max_value=10_000)


class TrajectoryPreview(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.OWNER)

    @operation("preview_trajectory", query=PreviewQuery, answer=PreviewDetail)
    def get(self, request: MemberRequest, pk: int, query: dict[str, Any]) -> Preview:
        """What a model of a family would be shown of a trajectory in a format, and which of it would be trained on."""
        form = PreviewForm(query)  # type: ignore[arg-type]
        rows = ReviewItem.objects.visible_to(request.user)
        rows = rows.select_related("trajectory", "task__environment")
        return preview(
            found(rows.defer("task__environment__state"), pk=pk),
            slug=form.chosen("format"),
            family=form.chosen("family"),
            options=form.options(),
            number=form.chosen("row"),
        )


urlpatterns = [
    path("releases/<int:pk>/files", ReleaseFiles.as_view(), name="release_files"),
    path("releases/<int:pk>/file", ReleaseFile.as_view(), name="release_file"),
    path("releases/<int:pk>/archive", ReleaseArchive.as_view(), name="release_archive"),
    path("trajectories/<int:pk>/preview", TrajectoryPreview.as_view(), name="preview"),
]

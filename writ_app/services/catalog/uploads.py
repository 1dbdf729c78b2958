"""Uploaded files on their way into reference sets: kept in the database in parts, brought in by a worker."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.files.base import File
from django.db import connection, transaction
from django.db.models import F, Q

from writ_app.engine.importing import BadFile
from writ_app.models.accounts import Team, User
from writ_app.models.catalog import (
    ImportStatus,
    ReferenceImport,
    ReferenceImportPart,
)
from writ_app.services.catalog.reference_rows import Written
from writ_app.services.catalog.references import Brought, import_reference

PART = 1 << 20
"""Bytes."""
OPEN = (ImportStatus.WAITING, ImportStatus.RUNNING)
SHOWN = 20


@transaction.atomic
def keep_upload(
    *, team: Team, by: User, file: "File[bytes]", name: str = "", kind: str = ""
) -> ReferenceImport:
    """The file's bytes in the database, waiting for a worker. A browser's name of a file is only shown."""
    row = ReferenceImport.objects.create(
        team=team,
        by=by,
        file_name=Path(str(file.name or "file").replace("\\", "/")).name[-200:],
        name=name,
        format=kind,
        bytes=file.size or 0,
    )
    for number, content in enumerate(file.chunks(PART)):
        ReferenceImportPart.objects.create(of=row, number=number, content=content)
    return row


def run_import(*, import_id: int, at: datetime) -> None:
    """Bring the file in, or say why not. Another worker that claims it later makes this one's words go nowhere."""
    claimed = ReferenceImport.objects.filter(pk=import_id, status__in=OPEN)
    if not claimed.update(
        status=ImportStatus.RUNNING, attempt=F("attempt") + 1, touched_at=at
    ):
        return
    row = ReferenceImport.objects.select_related("team").get(pk=import_id)
    with tempfile.TemporaryDirectory(prefix="writ-import-") as folder:
        path = Path(folder) / "upload"
        _spool(row, path)
        try:
            with _telling(row) as tell:
                brought = import_reference(
                    path=path,
                    file_name=row.file_name,
                    name=row.name,
                    kind=row.format,
                    team=row.team,
                    tell=tell,
                )
        except BadFile as error:
            _end(row, status=ImportStatus.FAILED, trouble=str(error)[:4000])
            return
    _end(row, **_outcome(brought))


def stop_import(*, import_id: int, why: str) -> None:
    """Nothing of it came in."""
    row = ReferenceImport.objects.filter(pk=import_id, status__in=OPEN).first()
    if row:
        _end(row, status=ImportStatus.FAILED, trouble=why)


def abandoned_imports(*, before: datetime) -> list[int]:
    """What waits, or whose worker has not been heard of since then."""
    left = Q(status__in=OPEN, touched_at__lt=before)
    return list(ReferenceImport.objects.filter(left).values_list("pk", flat=True))


def recent_imports(user: User, *, at: datetime) -> list[ReferenceImport]:
    """Those under way, and those of the last day that were refused or done, the newest first."""
    rows = ReferenceImport.objects.visible_to(user).select_related("reference_set")
    lately = Q(status__in=OPEN) | Q(touched_at__gt=at - timedelta(days=1))
    rows = rows.filter(lately).defer("reference_set__content", "reference_set__worlds")
    return list(rows.order_by("-pk")[:SHOWN])


def _outcome(brought: Brought) -> dict[str, Any]:
    written = brought.written or Written()
    known = "" if brought.written else "This file was here before."
    return {
        "status": ImportStatus.DONE,
        "reference_set": brought.row,
        "rows": written.rows,
        "replaced": written.replaced,
        "trouble": known,
    }


@transaction.atomic
def _end(row: ReferenceImport, **values: Any) -> None:
    mine = ReferenceImport.objects.filter(pk=row.pk, attempt=row.attempt)
    if mine.filter(status__in=OPEN).update(**values):
        ReferenceImportPart.objects.filter(of=row.pk).delete()


def _spool(row: ReferenceImport, path: Path) -> None:
    parts = ReferenceImportPart.objects.filter(of=row.pk).order_by("number")
    with path.open("wb") as file:
        for content in parts.values_list("content", flat=True).iterator(chunk_size=4):
            file.write(content)


@contextmanager
def _telling(row: ReferenceImport) -> Iterator[Any]:
    """Tells how far it is, on a connection of its own: what is written beside it is seen only when all of it is in."""
    table = connection.ops.quote_name(ReferenceImport._meta.db_table)
    beside = connection.copy()

    def tell(done: int, whole: int, written: Written) -> None:
        with beside.cursor() as cursor:
            cursor.execute(
                f"UPDATE {table} SET done = %s, whole = %s, rows = %s, touched_at = now() WHERE id = %s AND attempt = %s",
                [done, whole, written.rows, row.pk, row.attempt],
            )

    try:
        yield tell
    finally:
        beside.close()

"""Uploaded files: kept in the database in parts, brought in by a worker. First what holds for all, then those of reference sets."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.files.base import File
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from writ_app.engine.importing import BadFile
from writ_app.models.accounts import Team, User
from writ_app.models.catalog import ImportStatus, ReferenceImport
from writ_app.models.uploads import Upload
from writ_app.services.audit import record
from writ_app.services.catalog.reference_rows import Written
from writ_app.services.catalog.references import Brought, import_reference
from writ_app.services.webhooks import Event, announce

PART = 1 << 20
"""Bytes."""
OPEN = (ImportStatus.WAITING, ImportStatus.RUNNING)
SHOWN = 20


def keep_parts(row: Upload, file: "File[bytes]") -> None:
    """The bytes of a file, beside its row."""
    parts: Any = row.parts  # type: ignore[attr-defined]
    for number, content in enumerate(file.chunks(PART)):
        parts.create(number=number, content=content)


def plain_name(file: "File[bytes]") -> str:
    """A browser's name of a file, which is only shown, without its folders."""
    return Path(str(file.name or "file").replace("\\", "/")).name[-200:]


def claim[Row: Upload](rows: "QuerySet[Row]", *, key: int, at: datetime) -> Row | None:
    """The upload, held from now on; None if it is over. Whoever held it before writes nothing any more."""
    held = rows.filter(pk=key, status__in=OPEN)
    if not held.update(
        status=ImportStatus.RUNNING, attempt=F("attempt") + 1, touched_at=at
    ):
        return None
    return rows.select_related("team", "by").get(pk=key)


@contextmanager
def spooled(row: Upload) -> Iterator[Path]:
    """The file as one on this machine's disk, for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="writ-import-") as folder:
        path = Path(folder) / "upload"
        parts: Any = row.parts.order_by("number")  # type: ignore[attr-defined]
        contents = parts.values_list("content", flat=True)
        with path.open("wb") as file:
            for content in contents.iterator(chunk_size=4):
                file.write(content)
        yield path


@contextmanager
def telling(row: Upload) -> Iterator[Callable[[int, int, int], None]]:
    """Tells (done, whole, rows) on a connection of its own: what is written beside it is seen only when all of it is in."""
    table = connection.ops.quote_name(row._meta.db_table)
    beside = connection.copy()

    def tell(done: int, whole: int, rows: int) -> None:
        with beside.cursor() as cursor:
            cursor.execute(
                f"UPDATE {table} SET done = %s, whole = %s, rows = %s, touched_at = now() WHERE id = %s AND attempt = %s",
                [done, whole, rows, row.pk, row.attempt],
            )

    try:
        yield tell
    finally:
        beside.close()


@transaction.atomic
def end(row: Upload, **values: Any) -> bool:
    """Write down how it ended, and let go of its bytes; False if somebody else has claimed it, or it was over."""
    mine: Any = type(row)._default_manager.filter(pk=row.pk, attempt=row.attempt)
    if not mine.filter(status__in=OPEN).update(**values):
        return False
    row.parts.all().delete()  # type: ignore[attr-defined]
    return True


def abandoned(rows: "QuerySet[Any]", *, before: datetime) -> list[int]:
    """What waits, or whose worker has not been heard of since then."""
    left = Q(status__in=OPEN, touched_at__lt=before)
    return list(rows.filter(left).values_list("pk", flat=True))


def lately(*, at: datetime) -> Q:
    """Uploads under way, and those of the last day that were refused or done."""
    return Q(status__in=OPEN) | Q(touched_at__gt=at - timedelta(days=1))


# --- into reference sets --------------------------------------------------------------------------------------------------------


@transaction.atomic
def keep_upload(
    *, team: Team, by: User, file: "File[bytes]", name: str = "", kind: str = ""
) -> ReferenceImport:
    """The file's bytes in the database, waiting for a worker."""
    row = ReferenceImport.objects.create(
        team=team,
        by=by,
        file_name=plain_name(file),
        name=name,
        format=kind,
        bytes=file.size or 0,
    )
    keep_parts(row, file)
    record(
        "reference_set.upload",
        team=team,
        row=row,
        by=by,
        after={"file": row.file_name, "bytes": row.bytes, "format": kind},
    )
    return row


def run_import(*, import_id: int, at: datetime) -> None:
    """Bring the file in, or say why not. Another worker that claims it later makes this one's words go nowhere."""
    row = claim(ReferenceImport.objects.all(), key=import_id, at=at)
    if row is None:
        return
    with spooled(row) as path:
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
    return abandoned(ReferenceImport.objects.all(), before=before)


def recent_imports(user: User, *, at: datetime) -> list[ReferenceImport]:
    """Those under way, and those of the last day that were refused or done, the newest first."""
    rows = ReferenceImport.objects.visible_to(user).select_related("reference_set")
    rows = rows.filter(lately(at=at)).defer(
        "reference_set__content", "reference_set__worlds"
    )
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
    if end(row, **values):
        _announce(row, **values)


def _announce(row: ReferenceImport, **values: Any) -> None:
    brought = values.get("reference_set")
    told = {"import_id": row.pk, "file": row.file_name}
    if values["status"] == ImportStatus.DONE:
        more = {
            "reference_set": brought.pk if brought else None,
            "rows": values["rows"],
        }
        announce(Event.REFERENCE_IMPORTED, team=row.team_id, **told, **more)
    else:
        announce(Event.REFERENCE_FAILED, team=row.team_id, **told)


@contextmanager
def _telling(row: ReferenceImport) -> Iterator[Any]:
    with telling(row) as tell:
        yield lambda done, whole, written: tell(done, whole, written.rows)

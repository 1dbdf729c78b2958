"""Uploaded results files on their way into runs, brought in by a worker."""

import logging
from datetime import datetime

from django.core.files.base import File
from django.db import DataError, IntegrityError, transaction
from django.db.models import Max

from writ_app.engine.errors import WritError
from writ_app.models.accounts import Team, User
from writ_app.models.evaluation import EvaluationImport, EvaluationRun
from writ_app.models.uploads import ImportStatus
from writ_app.services.audit import record
from writ_app.services.catalog.uploads import (
    OPEN,
    SHOWN,
    abandoned,
    claim,
    end,
    keep_parts,
    lately,
    plain_name,
    spooled,
    telling,
)
from writ_app.services.evaluation.files import import_run

logger = logging.getLogger(__name__)

HERE_BEFORE = "This file was here before."
_OF_FILES = (
    *(ArithmeticError, AttributeError, LookupError, TypeError, ValueError),
    *(RecursionError, DataError, IntegrityError),
)
"""What values that nobody thought of raise. Anything else, such as a database that is gone, is no fault of the file."""
NOT_OURS = "Something in it could not be worked with, and nothing came in. The log of the site says more."


@transaction.atomic
def keep_results(
    *, team: Team, by: User, file: "File[bytes]", name: str = ""
) -> EvaluationImport:
    """The file's bytes in the database, waiting for a worker."""
    row = EvaluationImport.objects.create(
        team=team, by=by, file_name=plain_name(file), name=name, bytes=file.size or 0
    )
    keep_parts(row, file)
    record(
        "evaluation.upload",
        team=team,
        row=row,
        by=by,
        after={"file": row.file_name, "bytes": row.bytes},
    )
    return row


def bring_in(*, import_id: int, at: datetime) -> None:
    """Score the file's conversations as a run, or say why not. Another worker that claims it later makes this one's words go nowhere."""
    row = claim(EvaluationImport.objects.all(), key=import_id, at=at)
    if row is None:
        return
    newest = EvaluationRun.objects.aggregate(newest=Max("pk"))["newest"] or 0
    try:
        run = _run(row)
    except WritError as error:
        end(row, status=ImportStatus.FAILED, trouble=str(error)[:4000])
        return
    except _OF_FILES:
        # Files are of others. One that brings something unthought of must not be taken up again and again.
        logger.exception("A results file could not be brought in")
        end(row, status=ImportStatus.FAILED, trouble=NOT_OURS)
        return
    end(
        row,
        status=ImportStatus.DONE,
        run=run,
        rows=run.trial_rows.count(),
        trouble="" if run.pk > newest else HERE_BEFORE,
    )


def _run(row: EvaluationImport) -> EvaluationRun:
    with spooled(row) as path, telling(row) as tell:

        def bring() -> EvaluationRun:
            return import_run(
                path=path,
                team=row.team,
                by=row.by,
                name=row.name,
                file_name=row.file_name,
                tell=lambda done, whole: tell(done, whole, done),
            )

        try:
            return bring()
        except IntegrityError:
            # The same file came in by another way at the same time: then it is here now.
            return bring()


def stop_bringing(*, import_id: int, why: str) -> None:
    """Nothing of it came in."""
    row = EvaluationImport.objects.filter(pk=import_id, status__in=OPEN).first()
    if row:
        end(row, status=ImportStatus.FAILED, trouble=why)


def abandoned_results(*, before: datetime) -> list[int]:
    """What waits, or whose worker has not been heard of since then."""
    return abandoned(EvaluationImport.objects.all(), before=before)


def recent_results(user: User, *, at: datetime) -> list[EvaluationImport]:
    """Those under way, and those of the last day that were refused or done, the newest first."""
    rows = EvaluationImport.objects.visible_to(user).select_related("run")
    return list(rows.filter(lately(at=at)).order_by("-pk")[:SHOWN])

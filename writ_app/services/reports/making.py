"""Reports: ordered, made by whoever has time, kept for good."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models.functions import Now

from writ_app.engine.errors import WritError
from writ_app.engine.export.records import compact, digest
from writ_app.engine.export.tokens import TOKENIZERS, counter, tokenizers
from writ_app.engine.reports import Options, calibrate, measure
from writ_app.engine.reports.objections import objections
from writ_app.models.accounts import Team, User
from writ_app.models.catalog import ReferenceSet
from writ_app.models.curation import SavedView
from writ_app.models.release import Release
from writ_app.models.report import (
    Report,
    ReportKind,
    ReportQuerySet,
    ReportStatus,
)
from writ_app.models.synthesis import Batch
from writ_app.services.audit import record
from writ_app.services.catalog import benchmark_indexes
from writ_app.services.reports.context import context_of
from writ_app.services.reports.scopes import Scope, scope_of
from writ_app.services.reports.sources import ItemSource, ReferenceSource
from writ_app.services.review.listing import Filters
from writ_app.services.webhooks import Event, announce

QUIET = timedelta(minutes=2)
"""A worker that says nothing for so long is taken for dead."""
EVERY = 100
"""Trajectories after which a report says how far it is."""
FORM = 1
"""Version of the whole JSON."""
SEED = 0
"""Of the samples: the same for all, so that reports can be laid beside each other."""

log = logging.getLogger(__name__)


class NothingToReport(WritError):
    """There is no trajectory in what was asked for."""


class Overtaken(WritError):
    """Another worker makes this report by now."""


def order_report(
    *,
    team: Team,
    by: User,
    batch: Batch | None = None,
    release: Release | None = None,
    reference: ReferenceSet | None = None,
    view: SavedView | None = None,
    filters: Filters | None = None,
    against: ReferenceSet | None = None,
) -> Report:
    """A report of exactly one of these; with none, of everything that the filters find. The caller sends the job.

    Raises NothingToReport.
    """
    kind, title = _kind(batch, release, reference, view)
    report = Report(
        team=team,
        created_by=by,
        kind=kind,
        title=title[:200],
        batch=batch,
        release=release,
        reference=reference,
        view=view,
        filters=dict(view.filters if view else filters or {}),
        against=against,
    )
    report.total = _total(report)
    if not report.total:
        raise NothingToReport("There is no trajectory in that: nothing to report.")
    with transaction.atomic():
        report.save()
        record(
            "report.order",
            team=team,
            row=report,
            by=by,
            after={
                "of": report.title,
                "trajectories": report.total,
                "against": against.pk if against else None,
                "filters": report.filters,
            },
        )
    return report


def _kind(
    batch: Batch | None,
    release: Release | None,
    reference: ReferenceSet | None,
    view: SavedView | None,
) -> tuple[ReportKind, str]:
    if batch is not None:
        return ReportKind.BATCH, f"Batch {batch.name}"
    if release is not None:
        return ReportKind.RELEASE, f"Release {release}"
    if reference is not None:
        return ReportKind.REFERENCE, f"Reference set {reference.name}"
    return ReportKind.VIEW, f"View {view.name}" if view else "A list of trajectories"


def _total(report: Report) -> int:
    if report.kind == ReportKind.REFERENCE:
        assert report.reference is not None
        return report.reference.trajectories.count()
    return scope_of(report).count


def waiting_reports() -> list[int]:
    """Reports that nobody makes: their messages were lost, or their workers."""
    found = Report.objects.unfinished().filter(touched_at__lt=Now() - QUIET)
    return list(found.order_by("pk").values_list("pk", flat=True))


def make_report(*, report_id: int, on_step: Callable[[], None] = lambda: None) -> bool:
    """Make a report that waits; False if somebody else does, or it is done. What goes wrong is noted in its row.

    `on_step` is called after each trajectory.
    """
    attempt = Report.objects.claim(report_id, quiet=QUIET)
    if attempt is None:
        return False
    report = Report.objects.select_related(
        "team", "created_by", "batch", "release", "reference", "against"
    ).get(pk=report_id)
    mine = Report.objects.under(report_id, attempt)
    try:
        content = build_content(report, on_step=_Steps(report_id, attempt, on_step))
    except Overtaken:
        return False
    except WritError as error:
        return _fail(report, mine, str(error))
    except (OperationalError, InterfaceError):
        raise  # the database is away: the clock sends again when it is back
    except Exception as error:
        log.exception("report %s cannot be made", report_id)
        trouble = f"{type(error).__name__}: {error}"[:400]
        return _fail(report, mine, trouble)
    text_hash = digest(file_text(content))
    with transaction.atomic():
        done = mine.update(
            status=ReportStatus.DONE,
            content=content,
            content_hash=text_hash,
            dealt_with=content["made_from"]["trajectories"],
            total=content["made_from"]["trajectories"],
            finished_at=Now(),
        )
        if done:
            _announce(Event.REPORT_DONE, report)
    return done == 1


@transaction.atomic
def _fail(report: Report, mine: ReportQuerySet, trouble: str) -> bool:
    if mine.update(status=ReportStatus.FAILED, trouble=trouble, finished_at=Now()):
        _announce(Event.REPORT_FAILED, report)
    return False


def _announce(event: Event, report: Report) -> None:
    announce(event, team=report.team_id, report=report.pk, title=report.title)


class _Steps:
    """Says how far it is, and stops if somebody else has taken over."""

    def __init__(self, report_id: int, attempt: int, told: Callable[[], None]):
        self._row = Report.objects.under(report_id, attempt)
        self._told = told
        self._count = 0

    def __call__(self) -> None:
        self._count += 1
        self._told()
        if self._count % EVERY == 0:
            held = self._row.update(dealt_with=self._count, touched_at=Now())
            if not held:
                raise Overtaken("Somebody else makes this report.")


# --- content -------------------------------------------------------------------------------------------------------------------


def build_content(
    report: Report, *, on_step: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Everything that a report's row holds, as plain JSON: what was measured, what the database knows beside it, the reference."""
    scope = scope_of(report)
    slug = next(iter(tokenizers()))
    count, tokenizer = counter(slug), TOKENIZERS[slug].title
    options = Options(count, tokenizer, SEED, scope.everything)
    worlds = {world.name for world in scope.source.worlds.values()}
    against = [report.against] if report.against else []
    indexes = {} if scope.items is None else benchmark_indexes(worlds, against)
    found = measure(scope.source, options, indexes=indexes, on_step=on_step)
    content: dict[str, Any] = {
        "form": FORM,
        "title": report.title,
        "made_from": _made_from(report, scope, found),
        "report": found,
        "context": context_of(scope, report.team),
        "reference": None,
        "calibration": None,
    }
    if report.against is not None:
        reference = ReferenceSource(report.against)
        theirs = measure(reference, Options(count, tokenizer, SEED), on_step=on_step)
        content["reference"] = {
            "name": report.against.name,
            "key": report.against.pk,
            "hash": report.against.content_hash,
            "report": theirs,
        }
        content["calibration"] = calibrate(found, theirs)
    # What is said there of how data is made is said of ours.
    content["objections"] = [] if content["context"] is None else objections(content)
    return content


def _made_from(report: Report, scope: Scope, found: dict[str, Any]) -> dict[str, Any]:
    source: ItemSource | ReferenceSource = scope.source
    release = report.release
    return {
        "kind": str(report.kind),
        "key": report.batch_id or report.release_id or report.reference_id,
        "filters": report.filters,
        "trajectories": found["observed"],
        "accepted": found["sizes"]["trajectories"],
        "counts_rejected": scope.everything,
        "sha256": source.digest,
        "release_hash": release.content_hash if release else "",
        "worlds": [
            {"world": world.key, "content_hash": world.content_hash}
            for world in source.worlds.values()
        ],
    }


def file_text(content: dict[str, Any]) -> str:
    """The JSON file. Its SHA-256 is the report's hash."""
    return compact(content) + "\n"

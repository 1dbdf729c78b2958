"""What a report is of, as items, batches or an imported set."""

from dataclasses import dataclass, field

from django.db.models import Q

from writ_app.models.report import Report, ReportKind
from writ_app.models.review import ItemQuerySet, ReviewItem
from writ_app.models.synthesis import Batch
from writ_app.services.reports.sources import ItemSource, ReferenceSource
from writ_app.services.review.listing import found_by


@dataclass(frozen=True)
class Scope:
    """`items` is None of an imported set. `everything`: only rejected ones were asked for, so that these are what is counted."""

    source: ItemSource | ReferenceSource
    items: ItemQuerySet | None = None
    batches: tuple[Batch, ...] = field(default=())
    everything: bool = False

    @property
    def count(self) -> int:
        if self.items is not None:
            return self.items.count()
        return 0


def items_of(report: Report) -> ItemQuerySet:
    """Versions that the report is of; canaries never are. A list is found anew, with the eyes of who ordered it, in the team they ordered it for."""
    if report.kind == ReportKind.BATCH:
        return ReviewItem.objects.filter(batch=report.batch).as_simulated()
    if report.kind == ReportKind.RELEASE:
        return ReviewItem.objects.filter(memberships__release=report.release)
    by = report.created_by.within(report.team_id)
    found = found_by(report.filters, user=by)
    return found.filter(team=report.team, canary="")


def scope_of(report: Report) -> Scope:
    if report.kind == ReportKind.REFERENCE:
        assert report.reference is not None
        return Scope(ReferenceSource(report.reference))
    items = items_of(report)
    batches = Batch.objects.filter(
        Q(pk__in=items.order_by().values("batch")), team=report.team
    )
    everything = not items.filter(accepted=True).exists() and items.exists()
    return Scope(
        ItemSource(items, everything=everything),
        items,
        tuple(batches.select_related("environment").defer("environment__state")),
        everything,
    )

"""Accept rates of a batch by archetype, by plan and by cell of the grid, each narrowed by the others."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

from django.db.models import Count, Q

from writ_app.engine.types import BURDEN_BANDS, WRITE_BANDS, burden_band, write_band
from writ_app.models.synthesis import Batch, Trajectory, not_retried
from writ_app.services.heat import SHADES, Place
from writ_app.services.synthesis.report import archetype_titles

SEVERAL = "several"
"""Stands for every request that is composed of several kinds."""
SORTS = ("name", "rate", "count")


@dataclass(frozen=True)
class Rate:
    """Trajectories of one kind, and how many of them were accepted."""

    accepted: int = 0
    count: int = 0

    def __add__(self, other: "Rate") -> "Rate":
        return Rate(self.accepted + other.accepted, self.count + other.count)

    @property
    def share(self) -> float:
        return self.accepted / self.count if self.count else 0.0

    @property
    def percent(self) -> int:
        return round(100 * self.share)

    @property
    def shade(self) -> int:
        """Step of the heat map's color: 0 without any trajectory, else 1 to 5."""
        return 1 + round(self.share * (SHADES - 1)) if self.count else 0


@dataclass(frozen=True)
class RateLine:
    """One archetype: its rate under each plan, and under all."""

    slug: str
    title: str
    by_plan: tuple[tuple[str, Rate], ...]
    whole: Rate

    @property
    def composed(self) -> bool:
        return self.slug == SEVERAL


@dataclass(frozen=True)
class Column:
    """A heading that sorts: what it asks for next, and how the table is sorted by it now ("" if by another)."""

    title: str
    sort: str
    order: str


@dataclass(frozen=True)
class RateCell:
    writes: str
    burden: str
    rate: Rate


@dataclass(frozen=True)
class AcceptRates:
    """Of the trajectories that there are. `archetype` and `plan` narrow what the cells count; the table shows all of it."""

    plans: tuple[str, ...]
    lines: tuple[RateLine, ...]
    all_by_plan: tuple[tuple[str, Rate], ...]
    whole: Rate
    burdens: tuple[str, ...]
    cells: tuple[tuple[str, tuple[RateCell, ...]], ...]
    """(band of writes, its cells by burden)."""
    archetype: str
    plan: str
    sort: str
    """One of SORTS, or the slug of a plan; with - in front: the other way round."""

    @property
    def columns(self) -> tuple[Column, ...]:
        titles = {"name": "request", "count": "finished", "rate": "all plans"}
        words = {plan: plan.replace("_", " ") for plan in self.plans}
        return tuple(self._column(by, title) for by, title in (titles | words).items())

    def _column(self, by: str, title: str) -> Column:
        if self.sort == by:
            return Column(title, f"-{by}", "ascending")
        return Column(title, by, "descending" if self.sort == f"-{by}" else "")


def accept_rates(
    batch: Batch, *, archetype: str = "", plan: str = "", sort: str = ""
) -> AcceptRates:
    """One query. An archetype, a plan or an order that there is not is taken for none."""
    sums = _Sums(batch)
    plans = tuple(one for one in sums.plans if one)
    slugs = [slug for slug in sums.archetypes if slug]
    archetype = archetype if archetype in slugs else ""
    plan = plan if plan in plans else ""
    sort = sort if sort.removeprefix("-") in (*SORTS, *plans) else "name"
    titles = {**archetype_titles(batch), SEVERAL: "Several kinds in one request"}
    lines = [
        RateLine(
            slug,
            titles.get(slug, slug),
            tuple((one, sums.of(slug, one)) for one in plans),
            sums.of(slug, ""),
        )
        for slug in slugs
    ]
    by, backwards = sort.removeprefix("-"), sort.startswith("-")
    if by != "name":
        lines.sort(key=_key(by))
    if backwards:
        lines.reverse()
    narrowed = sums.cells[archetype, plan]
    burdens = tuple(
        b for b in BURDEN_BANDS if any(b == cell[1] for cell in sums.places)
    )
    return AcceptRates(
        plans=plans,
        lines=tuple(lines),
        all_by_plan=tuple((one, sums.of("", one)) for one in plans),
        whole=sums.of("", ""),
        burdens=burdens,
        cells=tuple(
            (
                writes,
                tuple(
                    RateCell(writes, burden, narrowed.get((writes, burden), Rate()))
                    for burden in burdens
                ),
            )
            for writes in WRITE_BANDS
            if any(writes == cell[0] for cell in sums.places)
        ),
        archetype=archetype,
        plan=plan,
        sort=sort,
    )


class _Sums:
    """Rates by (archetype, plan) and cell; "" stands for all of them."""

    def __init__(self, batch: Batch):
        self.archetypes: dict[str, None] = {}
        self.plans: dict[str, None] = dict.fromkeys(batch.plans)
        self.places: set[Place] = set()
        self.cells: defaultdict[tuple[str, str], dict[Place, Rate]] = defaultdict(dict)
        found = (
            Trajectory.objects.filter(
                not_retried("simulation"), simulation__batch=batch
            )
            .order_by()
            .values_list(
                "simulation__task__archetype",
                "simulation__plan",
                "simulation__task__writes",
                "simulation__task__burden",
            )
            .annotate(good=Count("id", filter=Q(accepted=True)), count=Count("id"))
        )
        for slug, plan, writes, burden, accepted, count in found:
            archetype = SEVERAL if "+" in slug else slug
            place = write_band(writes), burden_band(burden)
            self.places.add(place)
            for key in product(("", archetype), ("", plan)):
                held = self.cells[key]
                held[place] = held.get(place, Rate()) + Rate(accepted, count)
        seen = {archetype for archetype, _ in self.cells} - {""}
        ordered = [slug for slug in batch.mix if slug in seen]
        self.archetypes = dict.fromkeys([*ordered, *sorted(seen - set(ordered))])
        self.plans |= dict.fromkeys(sorted({plan for _, plan in self.cells} - {""}))

    def of(self, archetype: str, plan: str) -> Rate:
        return sum(self.cells.get((archetype, plan), {}).values(), Rate())


def _key(by: str) -> Callable[[RateLine], tuple[float, int]]:
    """Lowest share first, of those with any; then by how many there are."""

    def key(line: RateLine) -> tuple[float, int]:
        if by == "count":
            return line.whole.count, 0
        rate = line.whole if by == "rate" else dict(line.by_plan)[by]
        return (rate.share if rate.count else 2.0), rate.count

    return key

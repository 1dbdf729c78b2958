"""The report of a batch's design in words: what was drawn, what was refused and why, which cells were filled."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from writ_app.engine.errors import REASONS
from writ_app.engine.types import BURDEN_BANDS, WRITE_BANDS
from writ_app.models.synthesis import Batch
from writ_app.services.catalog import ChangedEnvironment, load_environment
from writ_app.services.heat import HeatMap, make_heat_map


@dataclass(frozen=True)
class ArchetypeYield:
    """How an archetype did; of a grid also how compositions of so many writes did."""

    slug: str
    title: str
    wanted: float
    """Its weight in the order, percent of all."""
    designed: int
    proved: int | None
    """More than designed, where some landed in cells that were full. None if the batch has no grid."""
    drawn: int | None
    """Draws that it took; None if an earlier design did not count them."""
    exhausted: bool

    @property
    def draws_per_task(self) -> float | None:
        if not self.drawn or not self.designed:
            return None
        return round(self.drawn / self.designed, 1)


@dataclass(frozen=True)
class Refusal:
    reason: str
    count: int
    explanation: str
    """"" for a reason that is not known here."""


@dataclass(frozen=True)
class GridLine:
    """One cell of the target grid: wanted, filled, and why it is not full."""

    writes: str
    burden: str
    wanted: int
    filled: int
    why: str

    @property
    def full(self) -> bool:
        return self.filled >= self.wanted


@dataclass(frozen=True)
class DesignView:
    designed: int
    ordered: int
    draws: int
    archetypes: tuple[ArchetypeYield, ...]
    refusals: tuple[Refusal, ...]
    """Most frequent first."""
    refused: int
    grid: tuple[GridLine, ...]
    heat: HeatMap | None
    """The grid's cells: filled and wanted."""
    distances: tuple[tuple[str, Any], ...]
    """Decontamination: (what was measured, value)."""

    @property
    def unfilled(self) -> tuple[GridLine, ...]:
        return tuple(line for line in self.grid if not line.full)

    @property
    def drawn(self) -> tuple[ArchetypeYield, ...]:
        """The kinds of request that were tried, or could not be any more."""
        return tuple(x for x in self.archetypes if x.designed or x.drawn or x.exhausted)

    @property
    def undrawn(self) -> tuple[ArchetypeYield, ...]:
        return tuple(x for x in self.archetypes if x not in self.drawn)

    @property
    def short(self) -> int:
        """Tasks that were ordered and could not be designed."""
        return max(0, self.ordered - self.designed)

    @property
    def draws_per_task(self) -> float | None:
        return round(self.draws / self.designed, 1) if self.designed else None


def view_design(batch: Batch) -> DesignView | None:
    """None while the design goes on. If the environment has changed, slugs stand for titles."""
    report = batch.design_report
    if "designed" not in report:
        return None
    designed: Mapping[str, int] = report.get("designed", {})
    refused: Mapping[str, int] = report.get("refused", {})
    grid = tuple(_grid(report.get("grid", [])))
    return DesignView(
        designed=sum(designed.values()),
        ordered=batch.ordered,
        draws=report.get("draws", 0),
        archetypes=tuple(_yields(batch, designed)),
        refusals=tuple(
            Refusal(reason, count, REASONS.get(reason, ""))
            for reason, count in sorted(
                refused.items(), key=lambda pair: (-pair[1], pair[0])
            )
        ),
        refused=sum(refused.values()),
        grid=grid,
        heat=_heat(grid) if grid else None,
        distances=tuple(_flat(report.get("decontamination", {}))),
    )


def mix_lines(batch: Batch) -> list[tuple[str, str, float]]:
    """(archetype, its title, weight) of what was ordered."""
    titles = archetype_titles(batch)
    return [
        (slug, titles.get(slug, slug), weight) for slug, weight in batch.mix.items()
    ]


def grid_weights(batch: Batch) -> list[tuple[str, list[tuple[str, float]]]]:
    """(band of writes, (band of burden, weight) of each) of what was ordered by grid; empty for a batch by mix."""
    cells = batch.grid["cells"] if batch.grid else []
    weights = {(cell["writes"], cell["burden"]): cell["weight"] for cell in cells}
    burdens = [band for band in BURDEN_BANDS if any(b == band for _, b in weights)]
    return [
        (writes, [(burden, weights.get((writes, burden), 0)) for burden in burdens])
        for writes in (WRITE_BANDS if weights else ())
    ]


def _yields(batch: Batch, designed: Mapping[str, int]) -> Iterator[ArchetypeYield]:
    titles = archetype_titles(batch)
    drawn = batch.design_report.get("drawn")
    proved = batch.design_report.get("proved")
    exhausted = set(batch.design_report.get("exhausted", []))
    weights = {slug: weight for slug, weight in batch.mix.items() if weight}
    whole = sum(weights.values()) or 1
    for slug in dict.fromkeys([*weights, *designed]):
        if proved is not None and slug not in proved:
            continue  # a grid draws only what it has a use for
        other = "Several kinds in one request" if batch.grid and titles else slug
        yield ArchetypeYield(
            slug=slug,
            title=titles.get(slug, other),
            wanted=round(100 * weights.get(slug, 0) / whole, 1),
            designed=designed.get(slug, 0),
            proved=None if proved is None else proved[slug],
            drawn=None if drawn is None else drawn.get(slug, 0),
            exhausted=slug in exhausted,
        )


def archetype_titles(batch: Batch) -> dict[str, str]:
    """Slug → title; empty if the environment has changed since."""
    try:
        archetypes = load_environment(batch.environment).domain.archetypes
    except ChangedEnvironment:
        return {}  # the report is still worth reading
    return {one.slug: one.title for one in archetypes}


def _grid(cells: list[dict[str, Any]]) -> Iterator[GridLine]:
    for cell in cells:
        yield GridLine(
            writes=str(cell["writes"]),
            burden=str(cell["burden"]),
            wanted=cell.get("wanted", 0),
            filled=cell.get("filled", 0),
            why=cell.get("why", ""),
        )


def _heat(lines: tuple[GridLine, ...]) -> HeatMap:
    return make_heat_map(
        {(line.writes, line.burden): line.filled for line in lines},
        wanted={(line.writes, line.burden): line.wanted for line in lines},
    )


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Nested numbers with the names that lead to them."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{name} {key}".strip())
    else:
        yield name, value

"""Heat maps: counts of tasks over the grid of writes × burden, for every room that shows some."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from writ_app.engine.types import BURDEN_BANDS, WRITE_BANDS

type Place = tuple[str, str]
"""(band of writes, band of burden)."""

SHADES = 5
"""Steps of the heat map's color, beside none."""


@dataclass(frozen=True)
class Cell:
    """One cell of the grid; a total has an empty band."""

    writes: str
    burden: str
    count: int
    shade: int
    """0 for none, then 1 to 5 by the share of the fullest cell, or of what was wanted."""
    chosen: bool = False
    wanted: int | None = None
    """How many there should be, if somebody asked for so many."""

    @property
    def short(self) -> bool:
        return self.wanted is not None and self.count < self.wanted


@dataclass(frozen=True)
class HeatRow:
    writes: str
    cells: tuple[Cell, ...]
    total: Cell


@dataclass(frozen=True)
class HeatMap:
    """Counts of tasks per cell, whatever cell is chosen: the other filters count."""

    burdens: tuple[str, ...]
    rows: tuple[HeatRow, ...]
    totals: tuple[Cell, ...]
    """Per burden band."""
    total: int
    wanted: int | None = None


def make_heat_map(
    counts: Mapping[Place, int],
    *,
    wanted: Mapping[Place, int] | None = None,
    chosen: Place = ("", ""),
) -> HeatMap:
    """`counts` by cell; with `wanted` the color says how full each is. The column without evidence shows only if it is spoken of."""
    none, *others = BURDEN_BANDS
    asked = {burden for _, burden in (*counts, *(wanted or {}), chosen)}
    burdens = (none, *others) if none in asked else tuple(others)
    most = max(counts.values(), default=0)

    def cell(write: str, burden: str) -> Cell:
        place = write, burden
        count = counts.get(place, 0)
        aim = None if wanted is None else wanted.get(place, 0)
        shade = _shade(count, most if aim is None else aim)
        return Cell(write, burden, count, shade, chosen == place, aim)

    def total(write: str, burden: str, places: Iterable[Place]) -> Cell:
        held = list(places)
        return Cell(
            write,
            burden,
            sum(counts.get(place, 0) for place in held),
            0,
            chosen == (write, burden),
            None if wanted is None else sum(wanted.get(place, 0) for place in held),
        )

    return HeatMap(
        burdens=burdens,
        rows=tuple(
            HeatRow(
                write,
                tuple(cell(write, burden) for burden in burdens),
                total(write, "", ((write, burden) for burden in burdens)),
            )
            for write in WRITE_BANDS
        ),
        totals=tuple(
            total("", burden, ((write, burden) for write in WRITE_BANDS))
            for burden in burdens
        ),
        total=sum(counts.values()),
        wanted=None if wanted is None else sum(wanted.values()),
    )


def _shade(count: int, full: int) -> int:
    """Whoever has any gets a color; more than full is full."""
    return min(SHADES, -(-count * SHADES // max(1, full))) if count else 0

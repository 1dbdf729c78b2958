"""Figures of a report as values, with the geometry of their pictures worked out: templates only print them.

Pictures have a width of WIDTH units and are stretched to their place, so that no text stands in them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log10
from typing import Any

WIDTH = 200
HEIGHT = 60
BARS = 40
"""Of a histogram, at most."""

type Row = Mapping[str, Any]


@dataclass(frozen=True)
class Tile:
    """One number. `tone`: ok, warn, bad or nothing."""

    value: str
    label: str
    note: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Tiles:
    tiles: tuple[Tile, ...]
    kind: str = "tiles"


@dataclass(frozen=True)
class Bar:
    """`width` and `ghost` (the reference's) in units of the picture."""

    label: str
    shown: str
    width: float
    ghost: float | None = None
    note: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Bars:
    title: str
    bars: tuple[Bar, ...]
    caption: str = ""
    rest: tuple[Bar, ...] = ()
    """Folded."""
    wide: bool = False
    """Over the whole width, in several columns."""
    kind: str = "bars"

    @property
    def compared(self) -> bool:
        return any(bar.ghost is not None for bar in (*self.bars, *self.rest))


@dataclass(frozen=True)
class Histogram:
    """`rects` are (x, y, width, height, words); `line` the points of the reference's outline."""

    title: str
    rects: tuple[tuple[float, float, float, float, str], ...]
    first: str
    last: str
    line: str = ""
    caption: str = ""
    words: str = ""
    kind: str = "histogram"


@dataclass(frozen=True)
class Range:
    """Places of the 5th percentile, the median and the 95th in units of the picture; `ghost` the reference's."""

    label: str
    shown: str
    low: float
    middle: float
    high: float
    note: str = ""
    ghost: tuple[float, float, float] | None = None

    @property
    def width(self) -> float:
        return max(1.0, round(self.high - self.low, 1))

    @property
    def ghost_width(self) -> float:
        return max(1.0, round(self.ghost[2] - self.ghost[0], 1)) if self.ghost else 0.0


@dataclass(frozen=True)
class Ranges:
    title: str
    rows: tuple[Range, ...]
    scale: str
    caption: str = ""
    kind: str = "ranges"

    @property
    def compared(self) -> bool:
        return any(row.ghost is not None for row in self.rows)


@dataclass(frozen=True)
class GridCell:
    count: int
    made: int
    rate: str
    attempts: str
    shade: int


@dataclass(frozen=True)
class Grid:
    """Writes × burden; None where nothing was made."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[GridCell | None, ...]], ...]
    caption: str = ""
    kind: str = "grid"


@dataclass(frozen=True)
class Matrix:
    """Counts of pairs: shades 0 to 5 of the share of a row."""

    title: str
    names: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[int, int, str], ...]], ...]
    """(name, (shade, count, words) of each column)."""
    caption: str = ""
    kind: str = "matrix"


@dataclass(frozen=True)
class Series:
    name: str
    tone: str
    points: str
    dots: tuple[tuple[float, float, str], ...]
    dashed: bool = False


@dataclass(frozen=True)
class Lines:
    title: str
    series: tuple[Series, ...]
    first: str
    last: str
    top: str
    bottom: str
    caption: str = ""
    kind: str = "lines"


@dataclass(frozen=True)
class Table:
    """`numeric`: numbers of the columns that are numbers. Cells are text, or (text, address)."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    numeric: frozenset[int] = frozenset()
    caption: str = ""
    folded: bool = False
    kind: str = "table"


@dataclass(frozen=True)
class Words:
    """Sentences. `tone`: of a notice, "" for plain ones."""

    lines: tuple[str, ...]
    tone: str = ""
    kind: str = "words"


@dataclass(frozen=True)
class Answers:
    rows: tuple[Row, ...]
    kind: str = "answers"


@dataclass(frozen=True)
class Section:
    """`lead` says what the figures are to be looked at for."""

    slug: str
    title: str
    lead: str
    figures: tuple[Any, ...] = field(default=())
    badge: str = ""
    tone: str = ""


# --- numbers as people read them -----------------------------------------------------------------------------------------------


def number(value: Any, digits: int = 2) -> str:
    """1234.5 as 1,234.5; "–" for nothing."""
    if value is None:
        return "–"
    if isinstance(value, int):
        return f"{value:,}"
    if float(value).is_integer() and abs(value) >= 10:
        return f"{int(value):,}"
    return f"{value:,.{digits}f}"


def percent(value: float | None) -> str:
    if value is None:
        return "–"
    if 0 < value < 0.1 or 0.99 < value < 1:
        return f"{100 * value:.1f}\N{NO-BREAK SPACE}%"
    return f"{100 * value:.0f}\N{NO-BREAK SPACE}%"


def dollars(value: float | None) -> str:
    if value is None:
        return "–"
    return f"${value:,.2f}" if value >= 0.1 or not value else f"${value:.4f}"


# --- makers --------------------------------------------------------------------------------------------------------------------


def make_bars(
    title: str,
    rows: Iterable[Sequence[Any]],
    *,
    whole: float | None = None,
    ghosts: Mapping[str, float] | None = None,
    first: int = 14,
    caption: str = "",
    shares: bool = False,
) -> Bars:
    """Of (label, count[, note[, tone]]). With `whole` a full bar is everything, else the longest. `ghosts`: label → share of the
    reference; then bars are of shares."""
    listed = [(*row, "", "")[:4] if len(row) < 4 else tuple(row) for row in rows]
    total = sum(row[1] for row in listed) or 1
    values = [row[1] / total if ghosts else row[1] for row in listed]
    most = whole or max([*values, *(ghosts or {}).values()], default=1) or 1
    bars = tuple(
        Bar(
            label=str(row[0]),
            shown=percent(row[1] / total) if shares or ghosts else number(row[1]),
            width=round(WIDTH * min(1.0, value / most), 1),
            ghost=round(WIDTH * min(1.0, ghosts.get(str(row[0]), 0.0) / most), 1)
            if ghosts is not None
            else None,
            note=str(row[2]),
            tone=str(row[3]),
        )
        for row, value in zip(listed, values, strict=True)
    )
    return Bars(title, bars[:first], caption, bars[first:])


def make_histogram(
    title: str,
    tally: Mapping[str, Any],
    reference: Mapping[str, Any] | None = None,
    *,
    unit: str = "",
    caption: str = "",
) -> Histogram | None:
    """Of a tally, and the outline of the reference's; None of nothing, or if all are the same. Heights are shares, so that both can be
    compared."""
    if not tally.get("histogram"):
        return None
    both = [tally, *([reference] if reference and reference.get("histogram") else [])]
    if min(one["least"] for one in both) == max(one["most"] for one in both):
        return None
    low = min(one["least"] for one in both)
    high = max(_far(one) for one in both)
    width = max(1, -(-(high - low + 1) // BARS))
    ours, theirs = (_shares(one, low, width) for one in (both[0], both[-1]))
    bins = (high - low) // width + 1
    most = max([*ours.values(), *theirs.values()])
    step = WIDTH / bins
    rects = []
    for place in range(bins):
        share = ours.get(place, 0.0)
        if not share:
            continue
        tall = max(0.6, HEIGHT * share / most)
        begin, end = low + place * width, low + (place + 1) * width - 1
        name = f"{begin:,}" if width == 1 else f"{begin:,} to {end:,}"
        gap = min(1.0, step * 0.12)
        rects.append(
            (round(place * step, 2), round(HEIGHT - tall, 2), round(step - gap, 2), round(tall, 2), f"{name}{unit and ' ' + unit}: {percent(share)}")
        )  # fmt: skip
    line = ""
    if len(both) > 1:
        points = []
        for place in range(bins):
            y = round(HEIGHT - HEIGHT * theirs.get(place, 0.0) / most, 2)
            points += [f"{place * step:.2f},{y}", f"{(place + 1) * step:.2f},{y}"]
        line = " ".join(points)
    beyond = " and more" if any(one["most"] > high for one in both) else ""
    return Histogram(
        title,
        tuple(rects),
        f"{low:,}",
        f"{high:,}{beyond}",
        line,
        caption,
        f"{number(tally['p5'])} to {number(tally['p95'])} in the middle nine tenths, median {number(tally['median'])}",
    )


def _far(tally: Mapping[str, Any]) -> int:
    """The end of the picture: twice the 95th percentile's way, so that a few large ones do not flatten the rest."""
    least, far = int(tally["least"]), int(tally["p95"])
    return min(int(tally["most"]), least + 2 * max(4, far - least))


def _shares(tally: Mapping[str, Any], low: int, width: int) -> dict[int, float]:
    found: dict[int, float] = {}
    far = _far(tally)
    for value, count in tally["histogram"]:
        place = (min(value, far) - low) // width
        found[place] = found.get(place, 0.0) + count / tally["count"]
    return found


def make_ranges(
    title: str,
    rows: Sequence[tuple[str, Mapping[str, Any], Mapping[str, Any] | None]],
    *,
    logarithmic: bool = False,
    caption: str = "",
) -> Ranges | None:
    """Of (label, tally, reference's tally). All rows have one scale."""
    kept = [row for row in rows if row[1].get("count")]
    if not kept:
        return None
    most = max(
        tally["p95"]
        for _, ours, theirs in kept
        for tally in (ours, theirs or {})
        if tally.get("count")
    )

    def place(value: float) -> float:
        if logarithmic:
            return round(WIDTH * log10(1 + value) / (log10(1 + most) or 1), 1)
        return round(WIDTH * value / (most or 1), 1)

    return Ranges(
        title,
        tuple(
            Range(
                label,
                f"{number(tally['median'])}",
                place(tally["p5"]),
                place(tally["median"]),
                place(tally["p95"]),
                note=f"{number(tally['p5'])} – {number(tally['p95'])}, mean {number(tally['mean'], 1)}",
                ghost=(place(theirs["p5"]), place(theirs["median"]), place(theirs["p95"]))
                if theirs and theirs.get("count")
                else None,
            )
            for label, tally, theirs in kept
        ),
        f"0 to {number(most)}{', logarithmic' if logarithmic else ''}",
        caption,
    )  # fmt: skip


def make_matrix(
    title: str, pairs: Sequence[Sequence[Any]], *, most: int = 12, caption: str = ""
) -> Matrix | None:
    """Of [[one, next, count]]: the names that come most, in the order in which they come first."""
    weight: dict[str, int] = {}
    for one, after, count in pairs:
        weight[one] = weight.get(one, 0) + count
        weight[after] = weight.get(after, 0) + count
    names = sorted(weight, key=lambda name: (-weight[name], name))[:most]
    names.sort(key=lambda name: (name != "(start)", name == "(end)", -weight[name]))
    held = {(one, after): count for one, after, count in pairs}
    rows = []
    for one in names:
        if one == "(end)":
            continue
        whole = sum(held.get((one, after), 0) for after in weight) or 1
        cells = []
        for after in names:
            if after == "(start)":
                continue
            count = held.get((one, after), 0)
            shade = min(5, -(-5 * count // whole)) if count else 0
            words = f"{one}, then {after}: {count:,} ({percent(count / whole)})"
            cells.append((shade, round(100 * count / whole), words))
        rows.append((one, tuple(cells)))
    columns = tuple(name for name in names if name != "(start)")
    return Matrix(title, columns, tuple(rows), caption) if rows else None


def make_lines(
    title: str,
    series: Sequence[tuple[str, str, Sequence[tuple[float, float]], bool]],
    *,
    unit: str = "",
    caption: str = "",
    digits: int = 2,
) -> Lines | None:
    """Of (name, tone, [(x, y)], dashed); x is logarithmic."""
    points = [point for _, _, held, _ in series for point in held]
    if len({x for x, _ in points}) < 2:
        return None
    left, right = (pick(log10(x) for x, _ in points) for pick in (min, max))
    low, high = (pick(y for _, y in points) for pick in (min, max))
    low, high = (low, high) if high > low else (low - 0.5, high + 0.5)

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            round(4 + (WIDTH - 8) * (log10(x) - left) / (right - left), 1),
            round(HEIGHT - 4 - (HEIGHT - 8) * (y - low) / (high - low), 1),
        )

    drawn = []
    for name, tone, held, dashed in series:
        placed = [place(x, y) for x, y in held]
        dots = tuple(
            (*spot, f"{name}: {y:.{digits}f} at {x:,.0f} {unit}")
            for spot, (x, y) in zip(placed, held, strict=True)
        )
        drawn.append(
            Series(name, tone, " ".join(f"{x},{y}" for x, y in placed), dots, dashed)
        )
    xs = sorted({x for x, _ in points})
    return Lines(
        title,
        tuple(drawn),
        f"{xs[0]:,.0f} {unit}",
        f"{xs[-1]:,.0f} {unit}",
        f"{high:.{digits}f}",
        f"{low:.{digits}f}",
        caption,
    )

"""A tool's answer laid out as people read records: fields, tables, short lists. Makes no HTML.

Every leaf keeps its JSON pointer, so that evidence can lead to it. What is too much for a page is counted, not shown.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from environments.core.display import Display
from environments.core.pointers import pointer
from writ_app.services.review.leaves import number_text
from writ_app.templatetags.json_text import cut

ROWS = 60
"""Rows shown of one table, and members of one list."""
FIELDS = 80
SPREAD = 6
"""An object in a table's column becomes columns of its own if it has at most so many fields, the same in every row."""
DEPTH = 5
TEXT = 400
"""Characters of one value."""

type Kind = Literal["text", "num", "money", "yes", "no", "none"]


@dataclass(frozen=True)
class Leaf:
    text: str
    place: str
    """JSON pointer."""
    kind: Kind = "text"

    @property
    def numeric(self) -> bool:
        return self.kind in ("num", "money")


@dataclass(frozen=True)
class Short:
    """A few values in a row; of a list the names are empty."""

    parts: tuple[tuple[str, Leaf], ...]
    more: int = 0


@dataclass(frozen=True)
class Table:
    columns: tuple[str, ...]
    rows: tuple[tuple["Leaf | Short | None", ...], ...]
    more: int = 0

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Whether a column holds numbers only."""
        columns = zip(*self.rows, strict=True)
        return tuple(
            all(cell is None or (isinstance(cell, Leaf) and cell.numeric) for cell in c)
            for c in columns
        )


@dataclass(frozen=True)
class Record:
    noun: str
    title: Leaf | None
    lead: tuple[tuple[str, Leaf], ...]
    fields: tuple[tuple[str, "Part"], ...]
    more: int = 0


type Part = Leaf | Short | Table | Record


def lay_out(
    value: Any, display: Display, place: str = "", name: str = "", depth: int = 0
) -> Part:
    """`name` is the field that holds the value."""
    if not value or not isinstance(value, dict | list) or depth >= DEPTH:
        return _leaf(value, place, name, display)
    if isinstance(value, dict):
        return _object(value, display, place, name, depth)
    if all(isinstance(one, dict) and one for one in value):
        rows = [(place + pointer(n), one) for n, one in enumerate(value)]
        return _table(rows, len(value), display)
    if all(isinstance(one, list) and _is_objects(one) for one in value):
        return _grouped(value, display, place)
    shown = enumerate(value[:ROWS])
    leaves = [("", _leaf(one, place + pointer(n), name, display)) for n, one in shown]
    return Short(tuple(leaves), max(0, len(value) - ROWS))


def _is_objects(values: Sequence[Any]) -> bool:
    return bool(values) and all(isinstance(one, dict) and one for one in values)


def _object(
    value: Mapping[str, Any], display: Display, place: str, name: str, depth: int
) -> Part:
    if _is_objects(list(value.values())):
        rows = [(place + pointer(key), one) for key, one in value.items()]
        keyed = not all(key in one.values() for key, one in value.items())
        keys = list(value) if keyed else []
        return _table(rows, len(value), display, keys=keys)
    view = display.view_of(value)
    if view is None and depth and all(map(_is_flat, value.values())):
        return Short(tuple(_parts(value, place, name, display)))
    lead = [one for one in (view.lead if view else ()) if _is_flat(value.get(one))]
    title = view.title if view and _is_flat(value.get(view.title)) else ""
    rest = [one for one in value if one != title and one not in lead]
    return Record(
        noun=view.noun if view else "",
        title=_leaf(value[title], place + pointer(title), title, display)
        if title
        else None,
        lead=tuple(
            (one, _leaf(value[one], place + pointer(one), one, display))
            for one in lead
            if one in value
        ),
        fields=tuple(
            (
                one,
                lay_out(
                    value[one],
                    display,
                    place + pointer(one),
                    name if name in display.dollars else one,
                    depth + 1,
                ),
            )
            for one in rest[:FIELDS]
        ),
        more=max(0, len(rest) - FIELDS),
    )


def _parts(
    value: Mapping[str, Any], place: str, name: str, display: Display
) -> Iterator[tuple[str, Leaf]]:
    for key, one in value.items():
        named = name if name in display.dollars else key
        yield key, _leaf(one, place + pointer(key), named, display)


# --- tables --------------------------------------------------------------------------------------------------------------------


def _table(
    rows: Sequence[tuple[str, Mapping[str, Any]]],
    total: int,
    display: Display,
    keys: Sequence[str] = (),
) -> Table:
    shown = rows[:ROWS]
    columns = list(_columns([one for _, one in shown]))
    cells = [
        tuple(_cell(one, place, column, display) for column in columns)
        for place, one in shown
    ]
    heads = tuple(".".join(column) for column in columns)
    if keys:
        heads = ("", *heads)
        cells = [
            (Leaf(cut(key, TEXT), place), *row)
            for key, (place, _), row in zip(keys, shown, cells, strict=False)
        ]
    return Table(heads, tuple(cells), total - len(shown))


def _columns(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    """Fields in the order in which rows have them; objects that are alike in all rows are spread."""
    for name in dict.fromkeys(name for row in rows for name in row):
        held = [row[name] for row in rows if row.get(name) is not None]
        inner = [tuple(one) for one in held if isinstance(one, dict)]
        alike = len(inner) == len(held) and len(set(inner)) == 1
        if alike and len(inner[0]) <= SPREAD and all(_is_shallow(one) for one in held):
            yield from ((name, key) for key in inner[0])
        else:
            yield (name,)


def _cell(
    row: Mapping[str, Any], place: str, column: tuple[str, ...], display: Display
) -> Leaf | Short | None:
    value: Any = row
    for key in column:
        if not isinstance(value, dict) or key not in value:
            return None
        value = value[key]
    here = place + pointer(*column)
    name = next((one for one in column if one in display.dollars), column[-1])
    if isinstance(value, dict) and value and _is_shallow(value):
        return Short(tuple(_parts(value, here, name, display)))
    if isinstance(value, list) and value and all(map(_is_flat, value)):
        shown = enumerate(value[:ROWS])
        leaves = [
            ("", _leaf(one, here + pointer(n), name, display)) for n, one in shown
        ]
        return Short(tuple(leaves), max(0, len(value) - ROWS))
    return _leaf(value, here, name, display)


def _grouped(value: Sequence[Any], display: Display, place: str) -> Table:
    """Lists of objects in a list, like flights with a stop: a row for each object, numbered by its list."""
    rows = [
        (place + pointer(n, m), {"option": n + 1, **one})
        for n, group in enumerate(value)
        for m, one in enumerate(group)
    ]
    return _table(rows, len(rows), display)


def _is_flat(value: Any) -> bool:
    return not isinstance(value, dict | list)


def _is_shallow(value: Mapping[str, Any]) -> bool:
    return all(map(_is_flat, value.values()))


# --- leaves --------------------------------------------------------------------------------------------------------------------


def _leaf(value: Any, place: str, name: str, display: Display) -> Leaf:
    if value is None:
        return Leaf("none", place, "none")
    if isinstance(value, bool):
        return Leaf("yes" if value else "no", place, "yes" if value else "no")
    if isinstance(value, int | float):
        if name in display.dollars:
            return Leaf(number_text(value, dollars=True), place, "money")
        return Leaf(number_text(value), place, "num")
    if isinstance(value, str):
        return Leaf(cut(value, TEXT), place)
    return Leaf(cut(json.dumps(value, ensure_ascii=False), TEXT), place)


def leaves_of(part: Part | None) -> Iterable[Leaf]:
    """Every leaf, for tests and for those who look for one."""
    if isinstance(part, Leaf):
        yield part
    elif isinstance(part, Short):
        yield from (leaf for _, leaf in part.parts)
    elif isinstance(part, Table):
        yield from (
            leaf for row in part.rows for cell in row for leaf in leaves_of(cell)
        )
    elif isinstance(part, Record):
        yield from ([part.title] if part.title else [])
        yield from (leaf for _, leaf in part.lead)
        yield from (leaf for _, inner in part.fields for leaf in leaves_of(inner))

"""JSON pointers (RFC 6901): made, followed, and gone through leaf by leaf."""

from collections.abc import Iterable, Iterator
from typing import Any

MISSING = object()


def pointer(*parts: str | int) -> str:
    return "".join([f"/{_escaped(str(part))}" for part in parts])


def _escaped(part: str) -> str:
    if "~" in part or "/" in part:
        return part.replace("~", "~0").replace("/", "~1")
    return part


def split(place: str) -> list[str]:
    """The parts of a pointer, as they were before they were escaped."""
    parts = place.split("/")[1:]
    if "~" in place:
        parts = [part.replace("~1", "/").replace("~0", "~") for part in parts]
    return parts


def at(value: Any, place: str) -> Any:
    """What stands at a pointer; MISSING if nothing does."""
    for part in split(place):
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, ValueError, TypeError):
            return MISSING
    return value


def leaves(value: Any, *path: str | int) -> Iterator[tuple[str, Any]]:
    """(pointer, value) of every leaf; an empty list or object is one."""
    found: list[tuple[str, Any]] = []
    _add_leaves(value, pointer(*path), found)
    return iter(found)


def argument_name(place: str) -> str:
    """`/item_ids/0` as people write it: item_ids[0]."""
    name = ""
    for plain in split(place):
        name += f"[{plain}]" if plain.isdigit() else f".{plain}" if name else plain
    return name


def first_leaf(value: Any, wanted: Any) -> str | None:
    """Pointer of the first leaf that is `wanted` and of its type, which holds no others; None if there is none. Much quicker than to make all pointers."""
    kind = type(wanted)
    inside: Iterable[tuple[Any, Any]]
    if isinstance(value, dict):
        inside = value.items()
    elif isinstance(value, list):
        inside = enumerate(value)
    else:
        return "" if type(value) is kind and value == wanted else None
    for key, inner in inside:
        found = type(inner)
        if found is kind:
            if inner == wanted:
                return f"/{_escaped(str(key))}"
        elif found is dict or found is list:
            below = first_leaf(inner, wanted)
            if below is not None:
                return f"/{_escaped(str(key))}{below}"
    return None


def first_key(value: Any, wanted: str) -> str | None:
    """Pointer of the first key, in order, that is `wanted`; None if there is none."""
    inside: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        inside = value.items()
    elif isinstance(value, list):
        inside = enumerate(value)
    for key, inner in inside:
        if key == wanted:
            return f"/{_escaped(key)}"
        if isinstance(inner, (dict, list)):
            below = first_key(inner, wanted)
            if below is not None:
                return f"/{_escaped(str(key))}{below}"
    return None


def numbers(value: Any) -> list[float]:
    """All leaves that are numbers, in order; yes and no are none."""
    found: list[float] = []
    _add_numbers(value if isinstance(value, (dict, list)) else [value], found)
    return found


def _add_numbers(value: Any, found: list[float]) -> None:
    for inner in value.values() if isinstance(value, dict) else value:
        kind = type(inner)
        if kind is int or kind is float:
            found.append(float(inner))
        elif kind is dict or kind is list:
            _add_numbers(inner, found)


def _add_leaves(value: Any, place: str, found: list[tuple[str, Any]]) -> None:
    """Append (pointer, value) of every leaf, in order. Quick: results are large and many."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            below = f"{place}/{_escaped(str(key))}"
            if inner and isinstance(inner, (dict, list)):
                _add_leaves(inner, below, found)
            else:
                found.append((below, inner))
    elif isinstance(value, list) and value:
        for n, inner in enumerate(value):
            if inner and isinstance(inner, (dict, list)):
                _add_leaves(inner, f"{place}/{n}", found)
            else:
                found.append((f"{place}/{n}", inner))
    else:
        found.append((place, value))

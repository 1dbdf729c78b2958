"""JSON pointers (RFC 6901): made, followed, and gone through leaf by leaf."""

from collections.abc import Iterator
from typing import Any

MISSING = object()


def pointer(*parts: str | int) -> str:
    return "".join(
        "/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts
    )


def split(place: str) -> list[str]:
    """The parts of a pointer, as they were before they were escaped."""
    return [part.replace("~1", "/").replace("~0", "~") for part in place.split("/")[1:]]


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
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, *path, key)
    elif isinstance(value, list) and value:
        for n, inner in enumerate(value):
            yield from leaves(inner, *path, n)
    else:
        yield pointer(*path), value

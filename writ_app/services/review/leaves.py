"""Arguments leaf by leaf, with names as people write them."""

import json
from collections.abc import Iterator
from typing import Any

from environments.core.state import pointer


def leaves(value: Any, *path: str | int) -> Iterator[tuple[str, Any]]:
    """(JSON pointer, value) of every leaf; an empty list or object is one."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, *path, key)
    elif isinstance(value, list) and value:
        for n, inner in enumerate(value):
            yield from leaves(inner, *path, n)
    else:
        yield pointer(*path), value


def argument_name(place: str) -> str:
    """`/item_ids/0` as people write it: item_ids[0]."""
    name = ""
    for part in place.split("/")[1:]:
        plain = part.replace("~1", "/").replace("~0", "~")
        name += f"[{plain}]" if plain.isdigit() else f".{plain}" if name else plain
    return name


def plain_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


MISSING = object()


def at(value: Any, place: str) -> Any:
    """What stands at a JSON pointer; MISSING if nothing does."""
    for part in place.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (KeyError, IndexError, ValueError, TypeError):
            return MISSING
    return value


def is_plain(value: Any) -> bool:
    """Text, a number, yes, no or nothing: what can be marked on a page."""
    return value is None or isinstance(value, str | int | float)

"""Arguments leaf by leaf, with names as people write them."""

import json
from typing import Any

from environments.core.pointers import split


def argument_name(place: str) -> str:
    """`/item_ids/0` as people write it: item_ids[0]."""
    name = ""
    for plain in split(place):
        name += f"[{plain}]" if plain.isdigit() else f".{plain}" if name else plain
    return name


def plain_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def is_plain(value: Any) -> bool:
    """Text, a number, yes, no or nothing: what can be marked on a page."""
    return value is None or isinstance(value, str | int | float)

"""Arguments leaf by leaf, with names as people write them."""

import json
from typing import Any

from environments.core.pointers import argument_name as argument_name


def plain_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def is_plain(value: Any) -> bool:
    """Text, a number, yes, no or nothing: what can be marked on a page."""
    return value is None or isinstance(value, str | int | float)

"""Arguments leaf by leaf, with names as people write them."""

import json
import re
from math import isclose
from typing import Any

from environments.core.pointers import argument_name as argument_name


def plain_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


DECIMALS = 6
"""Of a number that is shown: what binary fractions leave behind (-11.679999999999993) says nothing."""


def number_text(value: float, *, dollars: bool = False) -> str:
    """A number as pages print it: −$11.68 for dollars, else without what binary fractions leave behind."""
    if dollars:
        sign, size = ("−" if value < 0 else ""), abs(value)
        return f"{sign}${size:,.2f}" if round(size, 2) % 1 else f"{sign}${size:,.0f}"
    if isinstance(value, int):
        return str(value)
    short = round(value, DECIMALS)
    return str(short if isclose(short, value, rel_tol=1e-9) else value)


def value_text(value: Any, *, dollars: bool = False) -> str:
    """A plain value as pages print it."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number_text(value, dollars=dollars)
    return plain_text(value)


_ELEMENT = re.compile(r"([a-z]+)(\d+)(?:-[a-z]?(\d+))?")
_ELEMENTS = {"w": "write", "e": "read", "s": "step", "m": "message"}


def element_words(element: str) -> str:
    """Words for an element of the desk, by its id: `s4` is step 4, `w1-a3` the third argument of write 1."""
    found = _ELEMENT.fullmatch(element)
    if found is None or found[1] not in _ELEMENTS:
        return element
    inner = f", argument {found[3]}" if found[3] and found[1] == "w" else ""
    return f"{_ELEMENTS[found[1]]} {found[2]}{inner}"


def is_plain(value: Any) -> bool:
    """Text, a number, yes, no or nothing: what can be marked on a page."""
    return value is None or isinstance(value, str | int | float)

"""The same value written otherwise: case, white space, currency, separators, units, dates and the world's own words for it."""

import re
from collections.abc import Callable, Mapping
from datetime import date as Date
from functools import lru_cache
from typing import Any

from environments.core.arithmetic import numbers_in
from environments.core.environment import Environment
from writ_app.engine.behaviour.reading import holds_word, plain

_CURRENCY = re.compile(r"^\s*[$€£]\s?|\s?(?:USD|EUR|GBP|dollars?)$")
_SEPARATOR = re.compile(r"(?<=\d),(?=\d{3}\b)")
_WITH_UNIT = re.compile(r"\s*[$€£]?\s?(-?\d[\d,]*(?:\.\d+)?)\s?[A-Za-z%°\"”]{1,10}\.?")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[T ]\d\d:\d\d.*")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]


def _as_date(text: str) -> str:
    """An ISO moment or a day in words as an ISO date; any other text as it is."""
    if moment := _MOMENT.fullmatch(text):
        return moment[1]
    words = re.fullmatch(r"([A-Za-z]{3,9})\.? (\d{1,2}),? (\d{4})", text)
    if words and (month := _month(words[1])):
        try:
            return Date(int(words[3]), month, int(words[2])).isoformat()
        except ValueError:
            return text
    return text


def _month(name: str) -> int:
    """1 to 12, 0 if it is no month."""
    wanted = name.lower()[:3]
    return next((n for n, m in enumerate(_MONTHS, 1) if m.startswith(wanted)), 0)


_STEPS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("date", _as_date),
    ("currency", lambda text: _CURRENCY.sub("", text)),
    ("separator", lambda text: _SEPARATOR.sub("", text)),
    ("white space", lambda text: " ".join(text.replace("_", " ").split())),
    ("quotes", lambda text: text.replace("’", "'")),
    ("case", str.lower),
)
"""What is passed over when values are compared, in this order: (name, how)."""


def normal(value: Any) -> str:
    """The form in which values that mean the same are equal."""
    text = _text(value)
    if text.isalpha() or text.isdecimal():  # most are, and then the rest does nothing
        return text.lower()
    for _, step in _STEPS:
        text = step(text)
    return text


def without_unit(value: Any) -> str:
    """The number of a text like "20 kg" or "$5 fee"; "" if it is none."""
    found = _WITH_UNIT.fullmatch(value) if type(value) is str else None
    return found[1].replace(",", "") if found else ""


def what_differs(value: Any, other: Any) -> str:
    """What had to be passed over for the two to be equal: "case, white space". "unit" if the one is the other's number."""
    ours, theirs, told = _text(value), _text(other), list[str]()
    for name, step in _STEPS:
        if ours == theirs:
            break
        before = ours, theirs
        ours, theirs = step(ours), step(theirs)
        if (ours, theirs) != before:
            told.append(name)
    return ", ".join(told) if ours == theirs else "unit"


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


# --- in what the user says -----------------------------------------------------------------------------------------------------


def told_otherwise(value: Any, text: str, environment: Environment) -> str:
    """How a text tells a value in other words or another form, like "date: “May 20”"; "" if it does not."""
    if isinstance(value, int | float):
        if any(abs(number - value) < 0.005 for number in numbers_in(text)):
            return "currency" if "$" in text else "separator"
        return ""
    if not isinstance(value, str):
        return ""
    if _DATE.fullmatch(value):
        return _date_told(value, text)
    heard = plain(text)
    way = next((w for w in _ways(environment).get(value, ()) if w in heard), "")
    return f"name: “{way}”" if way and holds_word(heard, way) else ""


@lru_cache(maxsize=16)
def _ways(environment: Environment) -> Mapping[str, tuple[str, ...]]:
    """Value → the world's own words for it, plain."""
    found: dict[str, tuple[str, ...]] = {}
    for table in environment.domain.lexicon.values():
        for value, ways in table.items():
            if isinstance(value, str):
                found[value] = (*found.get(value, ()), *map(plain, ways))
    return found


_DAYS = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)?\b")


def _date_told(value: str, text: str) -> str:
    """A day said by its month and number, or one between two of a month that were said."""
    try:
        wanted = Date.fromisoformat(value)
    except ValueError:
        return ""
    name = _MONTHS[wanted.month - 1]
    heard = plain(text)
    if name not in heard and not holds_word(heard, name[:3]):
        return ""
    days = [int(day) for day in _DAYS.findall(heard)]
    days = [day for day in days if 1 <= day <= 31]
    if wanted.day in days:
        return f"date: “{name.title()} {wanted.day}”"
    if days and min(days) < wanted.day < max(days):
        return f"date: between {name.title()} {min(days)} and {max(days)}"
    return ""

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
_DECIMAL = re.compile(r"-?\d+\.\d+")
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
_MONTH_OF = {way: n for n, m in enumerate(_MONTHS, 1) for way in (m, m[:3])}
_MONTH = rf"({'|'.join(sorted(_MONTH_OF, key=len, reverse=True))})"
_DAY_AND_MONTH = re.compile(
    rf"\b{_MONTH}\.? (?:the )?\d{{1,2}}(?!\d)|\b\d{{1,2}}(?:st|nd|rd|th)? (?:of )?{_MONTH}\b"
)
_DAY = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)?\b")


def _as_date(text: str) -> str:
    """An ISO moment or a day in words as an ISO date; any other text as it is."""
    if moment := _MOMENT.fullmatch(text):
        return moment[1]
    words = re.fullmatch(r"([A-Za-z]{3,9})\.? (\d{1,2}),? (\d{4})", text)
    month = _MONTH_OF.get(words[1].lower()) if words else None
    if words and month:
        try:
            return Date(int(words[3]), month, int(words[2])).isoformat()
        except ValueError:
            return text
    return text


def _without_zeros(text: str) -> str:
    return text.rstrip("0").rstrip(".") if _DECIMAL.fullmatch(text) else text


_STEPS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("date", _as_date),
    ("currency", lambda text: _CURRENCY.sub("", text)),
    ("separator", lambda text: _SEPARATOR.sub("", text)),
    ("decimals", _without_zeros),
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
        if any(abs(number - value) < 0.005 for number in _numbers(text)):
            return "currency" if "$" in text else "separator"
        return ""
    if not isinstance(value, str):
        return ""
    if _DATE.fullmatch(value):
        return _date_told(value, text)
    ways = _ways(environment).get(value)
    if not ways:
        return ""
    heard = plain(text)
    return next((f"name: “{way}”" for way in ways if holds_word(heard, way)), "")


@lru_cache(maxsize=16)
def _ways(environment: Environment) -> Mapping[str, tuple[str, ...]]:
    """Value → the world's own words for it, plain."""
    found: dict[str, tuple[str, ...]] = {}
    for table in environment.domain.lexicon.values():
        for value, ways in table.items():
            if isinstance(value, str):
                found[value] = (*found.get(value, ()), *map(plain, ways))
    return found


@lru_cache(maxsize=1024)
def _numbers(text: str) -> tuple[float, ...]:
    return tuple(numbers_in(text))


@lru_cache(maxsize=1024)
def _days(text: str) -> tuple[frozenset[int], frozenset[int]]:
    """(months, days of a month) that a text speaks of."""
    heard = plain(text)
    months = {_MONTH_OF[a or b] for a, b in _DAY_AND_MONTH.findall(heard)}
    days = {day for day in map(int, _DAY.findall(heard)) if 1 <= day <= 31}
    return frozenset(months), frozenset(days if months else ())


def _date_told(value: str, text: str) -> str:
    """A day said by its month and number, or one between two of a month that were said."""
    months, days = _days(text)
    month, day = int(value[5:7]), int(value[8:])
    if month not in months or not days:
        return ""
    name = _MONTHS[month - 1].title()
    if day in days:
        return f"date: “{name} {day}”"
    if min(days) < day < max(days):
        return f"date: between {name} {min(days)} and {max(days)}"
    return ""

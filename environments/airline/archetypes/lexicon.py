"""Ways to say airports, days, times, amounts and means of payment."""

from datetime import date as Date
from typing import Any

AIRPORTS: dict[str, tuple[str, ...]] = {
    "ATL": ("Atlanta", "ATL"),
    "BOS": ("Boston", "BOS"),
    "BUR": ("Burbank", "BUR"),
    "CLT": ("Charlotte", "CLT"),
    "DAL": ("Dallas Love Field (DAL)", "DAL"),
    "DCA": ("Washington National (DCA)", "DCA"),
    "DEN": ("Denver", "DEN"),
    "DFW": ("Dallas/Fort Worth (DFW)", "DFW"),
    "DTW": ("Detroit", "DTW"),
    "EWR": ("Newark", "EWR"),
    "FLL": ("Fort Lauderdale (FLL)", "FLL"),
    "HOU": ("Houston Hobby (HOU)", "HOU"),
    "IAD": ("Washington Dulles (IAD)", "IAD"),
    "IAH": ("Houston Intercontinental (IAH)", "IAH"),
    "JFK": ("New York JFK", "JFK"),
    "LAS": ("Las Vegas", "LAS"),
    "LAX": ("Los Angeles (LAX)", "LAX"),
    "LGA": ("LaGuardia", "LGA"),
    "MCO": ("Orlando", "MCO"),
    "MDW": ("Chicago Midway (MDW)", "MDW"),
    "MIA": ("Miami (MIA)", "MIA"),
    "MSP": ("Minneapolis", "MSP"),
    "OAK": ("Oakland (OAK)", "OAK"),
    "ORD": ("Chicago O'Hare (ORD)", "ORD"),
    "PHL": ("Philadelphia", "PHL"),
    "PHX": ("Phoenix", "PHX"),
    "SEA": ("Seattle", "SEA"),
    "SFO": ("San Francisco (SFO)", "SFO"),
    "SJC": ("San Jose (SJC)", "SJC"),
}
"""Airport → names that mean it alone, in the reference's world and in our own, whose cities have several airports."""

AREAS: tuple[tuple[str, ...], ...] = (
    ("JFK", "LGA", "EWR"),
    ("JFK", "EWR", "PHL"),
    ("SFO", "OAK", "SJC"),
    ("LAX", "BUR", "LAS"),
    ("ORD", "MDW", "DTW"),
    ("DFW", "DAL", "IAH"),
    ("IAH", "HOU", "DFW"),
    ("MIA", "FLL", "MCO"),
    ("DCA", "IAD", "PHL"),
)
"""Airports between which somebody may not care."""

FIRST_DAY, LAST_DAY, LONGEST_WINDOW = 16, 30, 6
"""Days of May 2024 on which flights can be booked; most days that a traveller leaves open."""


def date_text(day: int) -> str:
    return Date(2024, 5, day).isoformat()


def window(first: int, length: int) -> str:
    """Days in a row as a fact: dates joined by commas."""
    return ",".join(date_text(day) for day in range(first, first + length))


def _window_ways(first: int, length: int) -> tuple[str, ...]:
    last = first + length - 1
    if length == 1:
        return f"on May {first}", f"on {first} May"
    if length == 2:
        return f"on May {first} or May {last}", f"on May {first} or {last}"
    return (
        f"any day from May {first} through May {last}",
        f"on any day from May {first} to May {last}",
    )


def _windows() -> dict[Any, tuple[str, ...]]:
    return {
        window(first, length): _window_ways(first, length)
        for length in range(1, LONGEST_WINDOW + 1)
        for first in range(FIRST_DAY, LAST_DAY - length + 2)
    }


def _clock_ways(minutes: int) -> tuple[str, ...]:
    hours, rest = divmod(minutes, 60)
    twelve = f"{(hours - 1) % 12 + 1}" + (f":{rest:02}" if rest else "")
    return f"{twelve} {'am' if hours < 12 else 'pm'}", f"{hours:02}:{rest:02}"


NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_DAYS = _windows()
_TIMES = {minutes: _clock_ways(minutes) for minutes in range(4 * 60, 24 * 60, 30)}

LEXICON: dict[str, dict[Any, tuple[str, ...]]] = {
    **{slot: dict(AIRPORTS) for slot in ("from_1", "from_2", "from_3", "to_1", "to_2")},
    **{slot: dict(AIRPORTS) for slot in ("avoid_1", "avoid_2")},
    "days": _DAYS,
    "back_days": _DAYS,
    "cabin": {
        "basic_economy": ("basic economy",),
        "economy": ("economy", "economy class"),
        "business": ("business", "business class"),
    },
    "deadline": _TIMES,
    "nights": {n: (NUMBERS[n], str(n)) for n in range(2, 8)},
    "left": {n: (NUMBERS[n], str(n)) for n in range(2, 9)},
    "bags": {
        n: (f"{NUMBERS[n]} checked bag{'s' if n > 1 else ''}",) for n in range(1, 8)
    },
    "insurance": {"yes": ("with travel insurance", "including travel insurance")},
    "budget": {n: (f"${n:,}",) for n in range(50, 2001, 10)},
    "payment": {
        "credit_card": ("my credit card", "the credit card on file"),
        "gift_card": ("my gift card", "the gift card on file"),
    },
    "brand": {
        "visa": ("my Visa", "my Visa card"),
        "mastercard": ("my Mastercard", "my Mastercard card"),
        "amex": ("my Amex", "my American Express card"),
        "discover": ("my Discover card",),
    },
}

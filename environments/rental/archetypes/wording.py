"""Words that several kinds of requests share, and the values that are said otherwise than they are written."""

from typing import Any

from environments.core.domain import Clause
from environments.rental.state import CATEGORIES, DAYS, DEPOTS

DATES: dict[Any, tuple[str, ...]] = {day: (f"June {int(day[8:])}",) for day in DAYS}
DOLLARS = (*range(5, 100, 5), *range(100, 400, 10), *range(400, 3001, 100))
"""Round sums that a request draws a line at; rates are never round, so that no price stands on the line."""
_DOLLARS: dict[Any, tuple[str, ...]] = {n: (f"${n}",) for n in DOLLARS}
_DEPOTS: dict[Any, tuple[str, ...]] = {depot: (depot,) for depot in DEPOTS}
_CATEGORIES: dict[Any, tuple[str, ...]] = {
    category: (category,) for category in CATEGORIES
}
_CAPS = ("rate_cap", "deposit_cap", "budget", "extra_cap", "total_cap")
LEXICON: dict[str, dict[Any, tuple[str, ...]]] = {
    "payment": {
        "credit_card": ("my credit card", "the credit card on file"),
        "store_credit": ("my store credit", "the store credit I have"),
    },
    "days": {n: ("1 day" if n == 1 else f"{n} days",) for n in range(1, 8)},
    **dict.fromkeys(("category", "other_category"), _CATEGORIES),
    **dict.fromkeys(("day", "first_day", "last_day", "other_day"), DATES),
    **dict.fromkeys(("depot", "other_depot", "third_depot"), _DEPOTS),
    **dict.fromkeys(_CAPS, _DOLLARS),
}
"""Days, depots and limits are said in words that lead back to one value each."""


def under(low: float, high: float) -> list[int]:
    """Round sums between the two."""
    return [sum_ for sum_ in DOLLARS if low < sum_ < high]


def wish(*patterns: str) -> Clause:
    """What the request is about, for requests that need little more."""
    return Clause("wish", patterns, opens=True)


PAY = Clause(
    "pay",
    (
        "[I'll|I will|I'd like to] pay with {payment}.",
        "[Please charge|Charge] {payment}.",
        "{payment} [should|can] pay for it.",
    ),
)
RATE_ONLY = Clause(
    "rate_only",
    (
        "[Only the daily rate counts|Go by the daily rate], [the deposit doesn't matter|never mind the deposit].",
        "By cheap I mean the daily rate, not the deposit.",
    ),
)
PRICE_ONLY = Clause(
    "price_only",
    (
        "[The deposit is not part of that|I don't count the deposit there], only what I pay for the hire.",
        "That is about the price of the hire; the deposit comes on top and [doesn't matter|is no problem].",
    ),
)
WINDOW = Clause(
    "window",
    (
        "[Any day|Every day] from {first_day} to {last_day} [is fine|works] for the start.",
        "I can start on any day from {first_day} to {last_day}.",
        "The hire can start on any day between {first_day} and {last_day}, those two included.",
        "Pickup can be on any day from {first_day} until {last_day}, both included.",
    ),
)
TWO_DEPOTS = Clause(
    "where",
    (
        "[I can pick it up|Pickup is fine] at {depot} or at {other_depot}.",
        "{depot} and {other_depot} are both fine for pickup.",
        "It has to be at {depot} or {other_depot}.",
    ),
)
THREE_DEPOTS = Clause(
    "where",
    (
        "{depot}, {other_depot} and {third_depot} are [all fine|the depots I can get to].",
        "I can come to {depot}, {other_depot} or {third_depot}.",
        "Look at {depot}, {other_depot} and {third_depot}.",
    ),
)

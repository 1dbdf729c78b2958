"""What is known of a flight on each day of the month, seen from the moment at which the world stands still."""

from datetime import datetime, timedelta

from environments.core.chance import Json, Source

NOW = datetime(2024, 5, 15, 15)  # noqa: DTZ001 - the world has one clock and no zones
DAYS = range(1, 31)
CANCELLED_SO_FAR, CANCELLED_AHEAD = 0.07, 0.02
CABINS = ("basic_economy", "economy", "business")
SEATS = {"basic_economy": (0.15, 20), "economy": (0.1, 24), "business": (0.15, 12)}
"""Chance that a cabin is sold out, and the most seats that are left otherwise."""
CABIN_FARES = {
    "basic_economy": (0.55, 0.8),
    "economy": (1.0, 1.0),
    "business": (2.0, 3.2),
}
"""Range of a cabin's price, as a multiple of economy's."""
FARE_SWING = (0.75, 1.35)
LATE_FROM = 15
"""Minutes from which a flight counts as delayed."""


def on_day(day: int, minutes: int) -> datetime:
    """That many minutes after midnight of a day in May 2024."""
    return datetime(2024, 5, day) + timedelta(minutes=minutes)  # noqa: DTZ001


def date_text(day: int) -> str:
    return on_day(day, 0).date().isoformat()


def make_dates(source: Source, leaves: int, minutes: int, fare: float) -> Json:
    """Date → status. `leaves` and `minutes` are scheduled, `fare` is the usual one in dollars."""
    return {
        date_text(day): _ahead(source, fare)
        if day > NOW.day
        else _so_far(source, on_day(day, leaves), minutes)
        for day in DAYS
    }


def price(source: Source, fare: float, cabin: str) -> int:
    """A price in whole dollars."""
    swung = fare * source.rng.uniform(*FARE_SWING)
    return round(swung * source.rng.uniform(*CABIN_FARES[cabin]))


def _ahead(source: Source, fare: float) -> Json:
    if source.happens(CANCELLED_AHEAD):
        return {"status": "cancelled"}
    swung = fare * source.rng.uniform(*FARE_SWING)
    return {
        "status": "available",
        "available_seats": {cabin: _seats(source, cabin) for cabin in CABINS},
        "prices": {
            cabin: round(swung * source.rng.uniform(*CABIN_FARES[cabin]))
            for cabin in CABINS
        },
    }


def _seats(source: Source, cabin: str) -> int:
    sold_out, most = SEATS[cabin]
    return 0 if source.happens(sold_out) else source.rng.randint(1, most)


def _so_far(source: Source, leaves: datetime, minutes: int) -> Json:
    rng = source.rng
    if source.happens(CANCELLED_SO_FAR):
        return {"status": "cancelled"}
    late = rng.randint(25, 240) if source.happens(0.25) else rng.randint(-8, 12)
    left = leaves + timedelta(minutes=late)
    landed = left + timedelta(minutes=minutes + rng.randint(-12, 15))
    if landed <= NOW:
        return {
            "status": "landed",
            "actual_departure_time_est": left.isoformat(),
            "actual_arrival_time_est": landed.isoformat(),
        }
    if left <= NOW:
        return {
            "status": "flying",
            "actual_departure_time_est": left.isoformat(),
            "estimated_arrival_time_est": landed.isoformat(),
        }
    expected = max(leaves, left)  # nothing is announced to leave early
    return {
        "status": "delayed" if late >= LATE_FROM else "on time",
        "estimated_departure_time_est": expected.isoformat(),
        "estimated_arrival_time_est": (
            expected + timedelta(minutes=minutes)
        ).isoformat(),
    }

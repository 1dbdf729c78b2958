"""Cancelling a booking: policy 6.1 and 6.3 decide, on what is read."""

import random
from collections.abc import Sequence

from environments.core.domain import Archetype, Facts, Proposal, TaskClass
from environments.core.query import Best, Query
from environments.core.state import Record, Session
from environments.rental.archetypes.changing import RATE_DESC, dearest_can_go
from environments.rental.archetypes.parts import (
    MY_BOOKING,
    about,
    booked,
    cancel,
    mine,
    proposal,
    request,
    somebody,
    upcoming,
)
from environments.rental.archetypes.wording import wish
from environments.rental.state import FIRST_CANCELLABLE

# --- E5, N8: cancel the dearest ------------------------------------------------------------------------------------------------------


def _cancel_dearest(facts: Facts) -> Query:
    dearest = Best(selection=upcoming(), objective=(RATE_DESC,))
    return request(facts, dearest, cancel())


def _propose_dearest(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    found = somebody(
        session, rng, people, lambda row: [row] * dearest_can_go(session, row)
    )
    return proposal(found[0], rng, {}, "wish") if found else None


E5 = Archetype(
    "E5",
    "Cancel the upcoming booking with the highest daily rate",
    TaskClass.READ_HEAVY,
    _propose_dearest,
    _cancel_dearest,
    (
        wish(
            "[Please cancel|I'd like to cancel] whichever of my upcoming bookings has the highest daily rate.",
            "Of my upcoming bookings, cancel the one with the highest daily rate.",
            "[Can|Could] you cancel the upcoming booking of mine with the highest rate per day?",
            "The upcoming booking whose daily rate is highest [should|has to] be cancelled.",
        ),
    ),
)


def _dearest_is_close(session: Session, customer: Record) -> bool:
    rows = mine(session, customer)
    dearest = max(rows, key=lambda row: row["daily_rate"], default=None)
    return len(rows) > 1 and dearest is not None and not _is_late(dearest)


def _propose_close(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    found = somebody(
        session, rng, people, lambda row: [row] * _dearest_is_close(session, row)
    )
    return proposal(found[0], rng, {}, "wish") if found else None


N8 = Archetype(
    "N8",
    "Cancel the upcoming booking with the highest daily rate, whose pickup is too close",
    TaskClass.REFUSAL,
    _propose_close,
    _cancel_dearest,
    (
        wish(
            "[Please call off|I'd like to call off] the upcoming booking of mine that has the highest daily rate.",
            "The one of my upcoming bookings with the highest rate per day has to go, please cancel that one.",
            "[Can|Could] I get out of the upcoming booking with the highest rate per day?",
            "Cancel for me, of all my upcoming bookings, the one with the highest daily rate.",
        ),
    ),
)


# --- E19, N1, N7: cancelling, close to the pickup and for the second time -----------------------------------------------------------


def _cancel_mine(facts: Facts) -> Query:
    return request(facts, MY_BOOKING, cancel())


def _is_late(row: Record) -> bool:
    return bool(row["pickup_date"] >= FIRST_CANCELLABLE)


E19 = Archetype(
    "E19",
    "Cancel a booking that may still be cancelled",
    TaskClass.READ_HEAVY,
    about(
        lambda session, customer, row: (
            _is_late(row)
            and len(customer["bookings"]) > 1
            and not booked(session, customer, "cancelled")
        )
    ),
    _cancel_mine,
    (
        wish(
            "[Please call off|I'd like to call off] my upcoming {category} booking.",
            "My plans have changed: please cancel my {category} booking.",
            "[Can|Could] I get out of my upcoming {category} booking?",
            "I won't be needing the {category} that I have booked, so cancel that booking.",
        ),
    ),
    existential=True,
)

N1 = Archetype(
    "N1",
    "Cancel a booking whose pickup is too close",
    TaskClass.REFUSAL,
    about(lambda session, customer, row: not _is_late(row)),
    _cancel_mine,
    (
        wish(
            "[Please cancel|I'd like to cancel] my upcoming {category} booking.",
            "[Can|Could] you cancel the {category} that I have booked?",
            "I no longer want the {category} that I have booked, please cancel it.",
            "My upcoming {category} booking has to be cancelled.",
        ),
    ),
    existential=True,
)

N7 = Archetype(
    "N7",
    "Cancel a second booking in the season",
    TaskClass.REFUSAL,
    about(
        lambda session, customer, row: (
            _is_late(row) and len(booked(session, customer, "cancelled")) == 1
        )
    ),
    _cancel_mine,
    (
        wish(
            "I've changed my mind about the {category} that I have booked, please cancel that booking.",
            "[Please take back|I'd like to take back] my upcoming {category} booking.",
            "[Can|Could] my upcoming {category} booking be cancelled?",
            "There is no need for my upcoming {category} booking any more, so cancel that.",
        ),
    ),
    existential=True,
)

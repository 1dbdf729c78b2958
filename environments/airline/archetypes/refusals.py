"""Requests that end without a write: the policy forbids them, leaves them to a person, or all that is asked is to be told something.

N1, N2, N4, N5 and N7 have a sister that is allowed (A41, A42, A16, A40, A43), asked for in the same words: what was read decides, not the
request.
"""

import random

from environments.airline.archetypes.booked import (
    FLOWN,
    IN_TOTAL,
    NOT_BEGUN,
    REASON,
    TODAY,
    arithmetic,
    begun_too,
    dates,
    dearest_of,
    dearest_readings,
    dearest_trip,
    first_fit,
    free_bags,
    free_for,
    is_upcoming,
    next_of,
    next_readings,
    next_trip,
    pick,
    proposal,
    query,
    reservations,
    route,
    statuses,
    the_trip,
    trips,
    upcoming,
)
from environments.airline.archetypes.cabins import (
    A43,
    fit_flown_upgrade,
    upgrade_unless_flown,
)
from environments.airline.archetypes.endings import (
    A16,
    A41,
    cancel_all_or_none,
    cancel_by_the_rules,
    cancel_if_covered,
    compensate_by_the_rules,
    fit_cancel,
    fit_cancel_dearest,
    fit_compensation,
    fit_none,
    grounds,
    hit_first,
)
from environments.airline.archetypes.fares import A42, fit_move, move_trip
from environments.airline.archetypes.trips import A40, bags_unless_fewer, fit_fewer_bags
from environments.core.domain import (
    Archetype,
    Clause,
    Facts,
    Proposal,
    Reading,
    TaskClass,
)
from environments.core.query import (
    Aggregate,
    Best,
    Branch,
    Condition,
    Decline,
    Query,
    Tell,
    compare,
    const,
    ref,
)
from environments.core.state import Record, Session

# --- refusals ------------------------------------------------------------------------------------------------------------------

N1 = Archetype(
    "N1",
    "Cancel the most expensive upcoming trip, which no rule covers",
    TaskClass.REFUSAL,
    first_fit(fit_cancel_dearest(allowed=False)),
    lambda facts: cancel_if_covered(facts, dearest_trip()),
    A41.clauses,
    A41.readings,
)
N2 = Archetype(
    "N2",
    "Other flights for a trip in basic economy",
    TaskClass.REFUSAL,
    first_fit(fit_move(2, basic=True)),
    move_trip(2, "direct"),
    A42.clauses,
    A42.readings,
    existential=True,
)


def _insure(facts: Facts) -> Query:
    insured = compare(ref("trip.insurance"), "eq", const("yes"))
    told = Tell(what="whether the trip is insured", value=ref("trip.insurance"))
    return query(
        facts,
        the_trip(),
        Branch(condition=insured, then=(told,), otherwise=(Decline(clause="4.4"),)),
    )


def _fit_uninsured(
    session: Session, rng: random.Random, user: Record
) -> Proposal | None:
    row = pick(
        session, rng, user, lambda row: is_upcoming(row) and row["insurance"] == "no"
    )
    return None if row is None else proposal(user, route(row), "wish")


N3 = Archetype(
    "N3",
    "Insurance for a trip that was booked without",
    TaskClass.REFUSAL,
    first_fit(_fit_uninsured),
    _insure,
    (
        Clause(
            "wish",
            (
                "[Please make sure that|See to it that] my trip from {trip_from} to {trip_to} has travel insurance: add it if it's missing.",
                "I don't remember if I took travel insurance for my trip from {trip_from} to {trip_to}; if I didn't, [please |]add it now.",
                "[Can|Could] you add travel insurance to my trip from {trip_from} to {trip_to}, unless there is one already?",
                "My trip from {trip_from} to {trip_to} should be insured. If it isn't, [please |]put travel insurance on it.",
            ),
            opens=True,
        ),
    ),
    existential=True,
)
N4 = Archetype(
    "N4",
    "Compensation for somebody who cannot be compensated",
    TaskClass.REFUSAL,
    first_fit(
        fit_compensation(
            lambda session, user, row: (
                hit_first(session, row) and not grounds(user, row)
            )
        )
    ),
    compensate_by_the_rules,
    A16.clauses,
    existential=True,
)
N5 = Archetype(
    "N5",
    "Fewer bags on the next trip than there are",
    TaskClass.REFUSAL,
    first_fit(fit_fewer_bags),
    lambda facts: bags_unless_fewer(facts, next_trip()),
    A40.clauses,
    A40.readings,
)
N6 = Archetype(
    "N6",
    "Compensation for a trip of which no flight was cancelled",
    TaskClass.REFUSAL,
    first_fit(
        fit_compensation(
            lambda session, user, row: (
                set(statuses(session, row)) == {"landed"} and grounds(user, row) > 0
            )
        )
    ),
    compensate_by_the_rules,
    (
        Clause(
            "wish",
            (
                "I believe one of the flights on my trip from {trip_from} to {trip_to} was cancelled, so I'd like a compensation.",
                "As far as I know a flight of my trip from {trip_from} to {trip_to} got cancelled. [Please compensate|Compensate] me for that.",
                "[Wasn't there|There was] a cancelled flight on my trip from {trip_from} to {trip_to}, and don't I get a compensation for it?",
                "Somebody told me that a flight on my trip from {trip_from} to {trip_to} was cancelled, and I want to be compensated.",
            ),
            opens=True,
        ),
    ),
    existential=True,
)
N7 = Archetype(
    "N7",
    "Another cabin after a flight was flown",
    TaskClass.REFUSAL,
    first_fit(fit_flown_upgrade),
    upgrade_unless_flown,
    A43.clauses,
    existential=True,
)
N8 = Archetype(
    "N8",
    "Cancel upcoming trips of which no rule covers any",
    TaskClass.REFUSAL,
    first_fit(fit_none),
    cancel_all_or_none,
    (
        Clause(
            "wish",
            (
                "[I have to|I must] cancel my upcoming trips, all those for which that is possible.",
                "[Which|Whichever] of my upcoming trips can be cancelled, [please |]cancel all of those.",
                "[Can|Could] you look at my upcoming trips and cancel each one that the rules let you cancel?",
                "As many of my upcoming trips as possible should be cancelled.",
            ),
            opens=True,
        ),
        NOT_BEGUN,
        REASON,
    ),
)


# --- what only a person can do ---------------------------------------------------------------------------------------------------


def _has_begun(session: Session, row: Record) -> bool:
    """Only its first flight was flown, so that no other one tells the same."""
    first, *rest = statuses(session, row)
    return first == "landed" and bool(rest) and not {*FLOWN, "cancelled"} & {*rest}


T1 = Archetype(
    "T1",
    "Cancel a trip of which something was flown",
    TaskClass.TRANSFER,
    first_fit(fit_cancel(lambda session, row, reason: _has_begun(session, row))),
    cancel_by_the_rules,
    (
        Clause(
            "wish",
            (
                "[Please give|Give] me my money back for the trip from {trip_from} to {trip_to} and cancel that reservation.",
                "[I want|I'd like] to have my reservation from {trip_from} to {trip_to} cancelled.",
                "[Can|Could] you see to it that my trip from {trip_from} to {trip_to} is cancelled?",
                "The trip from {trip_from} to {trip_to} is to be cancelled[, please|].",
            ),
            opens=True,
        ),
        REASON,
    ),
    existential=True,
)
T2 = Archetype(
    "T2",
    "Cancel what is left of a trip that is under way",
    TaskClass.TRANSFER,
    first_fit(
        fit_cancel(
            lambda session, row, reason: (
                _has_begun(session, row)
                and row["flight_type"] == "round_trip"
                and max(dates(row)) > TODAY
            )
        )
    ),
    cancel_by_the_rules,
    (
        Clause(
            "wish",
            (
                "[I won't|I don't] need the return of my round trip from {trip_from} to {trip_to}, so [please |]cancel what is left of it.",
                "[Please cancel|Cancel] the rest of my round trip from {trip_from} to {trip_to}.",
                "[Can|Could] the remaining flights of my round trip from {trip_from} to {trip_to} be cancelled?",
                "Whatever hasn't been flown yet of my round trip from {trip_from} to {trip_to} should be cancelled.",
            ),
            opens=True,
        ),
        REASON,
    ),
    existential=True,
)


# --- what is only asked ------------------------------------------------------------------------------------------------------------


def _paid_ahead(facts: Facts, *, of: Condition | None = None) -> Query:
    over = trips("trip", of or upcoming("trip"))
    total = Aggregate(op="sum", over=over, value=ref("trip.paid"))
    return query(
        facts, Tell(what="dollars paid for all upcoming trips together", value=total)
    )


def _fit_several(session: Session, rng: random.Random, user: Record) -> Proposal | None:
    ahead = [row for row in reservations(session, user) if is_upcoming(row)]
    return proposal(user, {}, "wish") if len(ahead) > 1 else None


I4 = Archetype(
    "I4",
    "What all upcoming trips cost together",
    TaskClass.INFORMATION,
    first_fit(_fit_several),
    _paid_ahead,
    (
        Clause(
            "wish",
            (
                "How much did I pay in total for all my upcoming trips?",
                "[I'd like|I want] to know what all my upcoming trips cost me together.",
                "[Can|Could] you tell me the sum of what I paid for my upcoming trips?",
                "What have I spent on my upcoming trips, taken together?",
            ),
            opens=True,
        ),
        NOT_BEGUN,
    ),
    lambda facts: [
        Reading(
            "trips that have begun count too",
            _paid_ahead(facts, of=begun_too("trip")),
            "not_begun",
        )
    ],
)


def _still_free(facts: Facts, trip: Best) -> Query:
    more = arithmetic("-", free_bags("trip"), ref("trip.total_baggages"))
    left = arithmetic("max", const(0), more)
    return query(
        facts,
        trip,
        Tell(what="checked bags that can still be added free of charge", value=left),
    )


def _fit_still_free(
    session: Session, rng: random.Random, user: Record
) -> Proposal | None:
    """No other upcoming trip has as many left, so that it has to be known which one is meant."""
    row = dearest_of(session, user)
    if row is None:
        return None
    ahead = [one for one in reservations(session, user) if is_upcoming(one)]
    left = [max(0, free_for(user, one) - one["total_baggages"]) for one in ahead]
    if left.count(left[ahead.index(row)]) > 1:
        return None
    return proposal(user, {}, "wish")


I5 = Archetype(
    "I5",
    "How many bags are still free on the most expensive upcoming trip",
    TaskClass.INFORMATION,
    first_fit(_fit_still_free),
    lambda facts: _still_free(facts, dearest_trip()),
    (
        Clause(
            "wish",
            (
                "How many more checked bags could we take on my most expensive upcoming trip without paying for them?",
                "[I'd like|I want] to know how many bags we can still add for free on the most expensive of my upcoming trips.",
                "[Can|Could] you tell me how many further checked bags are free on my most expensive upcoming trip?",
                "On the most expensive of my upcoming trips, how many additional bags would be free of charge?",
            ),
            opens=True,
        ),
        IN_TOTAL,
        NOT_BEGUN,
    ),
    dearest_readings(_still_free),
)


def _next_trip(facts: Facts, trip: Best) -> Query:
    return query(
        facts,
        trip,
        Tell(what="airport at which the next trip ends", value=ref("trip.destination")),
        Tell(what="date on which the next trip begins", value=ref("trip.first_date")),
    )


def _fit_next(session: Session, rng: random.Random, user: Record) -> Proposal | None:
    return proposal(user, {}, "wish") if next_of(session, user) else None


I6 = Archetype(
    "I6",
    "Where the next trip goes, and when",
    TaskClass.INFORMATION,
    first_fit(_fit_next),
    lambda facts: _next_trip(facts, next_trip()),
    (
        Clause(
            "wish",
            (
                "Which of my upcoming trips is the next one: where does it go, and on which date does it begin?",
                "[I'd like|I want] to know where my next upcoming trip goes, and on which date it starts.",
                "[Can|Could] you tell me the destination and the first day of my next upcoming trip?",
                "Where do I fly next among my upcoming trips, and when does that trip begin?",
            ),
            opens=True,
        ),
        NOT_BEGUN,
    ),
    next_readings(_next_trip),
)

ARCHETYPES = (N1, N2, N3, N4, N5, N6, N7, N8, T1, T2, I4, I5, I6)

"""Requests to cancel trips, and to be compensated for flights that were cancelled or delayed."""

import random
from collections.abc import Callable

from environments.airline.archetypes.booked import (
    A_DAY_AGO,
    FLOWN,
    HEALTH_OR_WEATHER,
    IN_TOTAL,
    NOT_BEGUN,
    REASON,
    Fit,
    begun_too,
    cancel,
    cancelled_by_airline,
    compensate,
    dearest_of,
    dearest_readings,
    dearest_trip,
    delayed,
    entitled,
    first_fit,
    flown,
    is_upcoming,
    live,
    may_be_cancelled,
    paid_for,
    pick,
    proposal,
    query,
    reservations,
    route,
    seen_apart,
    statuses,
    the_trip,
    trips,
    upcoming,
)
from environments.core.domain import (
    Archetype,
    Clause,
    Facts,
    Proposal,
    Reading,
    TaskClass,
)
from environments.core.query import (
    Best,
    Branch,
    Condition,
    Decline,
    Each,
    Exists,
    Key,
    Query,
    Selection,
    Step,
    Transfer,
    all_of,
    ref,
)
from environments.core.state import Record, Session

REASONS = ("change_of_plans", *HEALTH_OR_WEATHER)
FOR_CANCELLED, FOR_DELAYED = 100, 50
MOST_FLIGHTS = 14


def covered(session: Session, trip: Record, reason: str) -> bool:
    """5.3, on the state."""
    return by_terms(trip, reason) or "cancelled" in statuses(session, trip)


def by_terms(trip: Record, reason: str) -> bool:
    """5.3, as far as the reservation itself tells."""
    return bool(
        trip["created_at"] >= A_DAY_AGO
        or trip["cabin"] == "business"
        or (trip["insurance"] == "yes" and reason in HEALTH_OR_WEATHER)
    )


def grounds(user: Record, trip: Record) -> int:
    """6.2, on the state: how many things make the customer one who can be compensated."""
    found = (
        user["membership"] != "regular",
        trip["insurance"] == "yes",
        trip["cabin"] == "business",
    )
    return sum(found)


# --- A15: of the upcoming trips that can be cancelled, the one that gives most back; W1: all of them ------------------------------------


def _cancellable(of: Condition | None) -> tuple[Condition, ...]:
    return of or upcoming("trip"), may_be_cancelled("trip")


def _cancel_dearest(facts: Facts, *, of: Condition | None = None) -> Query:
    return query(
        facts,
        Best(
            selection=trips("trip", *_cancellable(of)),
            objective=(Key(value=ref("trip.paid"), direction="desc"),),
        ),
        cancel("trip"),
    )


def _cancel_all(facts: Facts, *, of: Condition | None = None) -> Query:
    found = trips("trip", *_cancellable(of))
    return query(facts, Each(selection=found, steps=(cancel("trip"),)))


def _split(
    session: Session, rng: random.Random, user: Record
) -> tuple[str, list[Record], list[Record]]:
    """(reason, upcoming trips that can be cancelled for it, those that cannot)"""
    reason = rng.choice(REASONS)
    ahead = [row for row in reservations(session, user) if is_upcoming(row)]
    yes = [row for row in ahead if covered(session, row, reason)]
    return reason, yes, [row for row in ahead if row not in yes]


def _fit_dearest(session: Session, rng: random.Random, user: Record) -> Proposal | None:
    """What cannot be cancelled cost more, so that it has to be known that it cannot."""
    reason, yes, no = _split(session, rng, user)
    if len(yes) < 2 or not no or min(map(paid_for, no)) < max(map(paid_for, yes)):
        return None
    if not all(seen_apart(session, row) for row in no):
        return None
    return proposal(user, {"reason": reason}, "wish", "reason")


def _fit_all(session: Session, rng: random.Random, user: Record) -> Proposal | None:
    reason, yes, no = _split(session, rng, user)
    if not 2 <= len(yes) <= 4 or not no:
        return None
    if not all(seen_apart(session, row) for row in no):
        return None
    return proposal(user, {"reason": reason}, "wish", "reason")


A15 = Archetype(
    "A15",
    "Cancel the upcoming trip that gives most back of those that can be cancelled",
    TaskClass.READ_HEAVY,
    first_fit(_fit_dearest),
    _cancel_dearest,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to cancel one upcoming trip: of those that your rules let me cancel, the one that gives me most money back.",
                "Of my upcoming trips that can be cancelled under your rules, [please cancel|cancel] the one with the largest refund.",
                "[Can|Could] you cancel the upcoming trip that brings the largest refund, among those that may be cancelled?",
                "One of my upcoming trips has to go: whichever has the largest refund among those that I'm allowed to cancel.",
            ),
            opens=True,
        ),
        NOT_BEGUN,
        REASON,
    ),
    lambda facts: [
        Reading(
            "trips that have begun count too",
            _cancel_dearest(facts, of=begun_too("trip")),
            "not_begun",
        )
    ],
)
W1 = Archetype(
    "W1",
    "Cancel all upcoming trips that can be cancelled",
    TaskClass.WRITE_INTENSIVE,
    first_fit(_fit_all),
    _cancel_all,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to cancel every upcoming trip that your rules let me cancel.",
                "[Please cancel|Cancel] all my upcoming trips, as far as the rules allow it.",
                "[Can|Could] you cancel all of my upcoming trips that may be cancelled? The others have to stay, I know.",
                "All my upcoming trips should be cancelled, except those that can't be.",
            ),
            opens=True,
        ),
        NOT_BEGUN,
        REASON,
    ),
    lambda facts: [
        Reading(
            "trips that have begun count too",
            _cancel_all(facts, of=begun_too("trip")),
            "not_begun",
        )
    ],
)


def cancel_all_or_none(facts: Facts) -> Query:
    found = trips("trip", *_cancellable(None))
    any_of = trips("any", upcoming("any"), may_be_cancelled("any"))
    return query(
        facts,
        Branch(
            condition=Exists(selection=any_of),
            then=(Each(selection=found, steps=(cancel("trip"),)),),
            otherwise=(Decline(clause="5.3"),),
        ),
    )


def fit_none(session: Session, rng: random.Random, user: Record) -> Proposal | None:
    """Several upcoming trips, and no rule covers any."""
    reason, yes, no = _split(session, rng, user)
    if yes or len(no) < 2 or sum(len(row["flights"]) for row in no) > MOST_FLIGHTS:
        return None
    if not all(seen_apart(session, row) for row in no):
        return None
    return proposal(user, {"reason": reason}, "wish", "reason")


# --- A41: cancel a trip, if it can be ----------------------------------------------------------------------------------------------------


def cancel_if_covered(facts: Facts, trip: Step) -> Query:
    """5.3; `trip` finds one that has not begun."""
    return query(facts, trip, _if_covered())


def _if_covered() -> Branch:
    return Branch(
        condition=may_be_cancelled("trip"),
        then=(cancel("trip"),),
        otherwise=(Decline(clause="5.3"),),
    )


def cancel_by_the_rules(facts: Facts) -> Query:
    """5.2 before 5.3."""
    return query(
        facts,
        the_trip(),
        Branch(
            condition=flown("trip"),
            then=(Transfer(clause="5.2"),),
            otherwise=(_if_covered(),),
        ),
    )


def fit_cancel_dearest(*, allowed: bool) -> Fit:
    def fit(session: Session, rng: random.Random, user: Record) -> Proposal | None:
        reason, row = rng.choice(REASONS), dearest_of(session, user)
        if row is None or covered(session, row, reason) != allowed:
            return None
        if not allowed and not seen_apart(session, row):
            return None
        if allowed and not (by_terms(row, reason) or hit_first(session, row)):
            return None  # one of several flights would have to be looked at, and not a certain one
        if not allowed:
            others = [one for one in reservations(session, user) if is_upcoming(one)]
            others.remove(row)
            if not all(covered(session, one, reason) for one in others):
                return None  # with any of these the answer would be the same
        return proposal(user, {"reason": reason}, "wish", "reason")

    return fit


def fit_cancel(fits: Callable[[Session, Record, str], bool]) -> Fit:
    """A trip, not cancelled yet, that fits with the reason."""

    def fit(session: Session, rng: random.Random, user: Record) -> Proposal | None:
        reason = rng.choice(REASONS)
        row = pick(
            session,
            rng,
            user,
            lambda row: row["status"] != "cancelled" and fits(session, row, reason),
        )
        if row is None:
            return None
        return proposal(user, {**route(row), "reason": reason}, "wish", "reason")

    return fit


A41 = Archetype(
    "A41",
    "Cancel the most expensive upcoming trip, which a rule covers",
    TaskClass.READ_HEAVY,
    first_fit(fit_cancel_dearest(allowed=True)),
    lambda facts: cancel_if_covered(facts, dearest_trip()),
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to cancel the most expensive of my upcoming trips.",
                "[Can|Could] you cancel my most expensive upcoming trip?",
                "I [won't|can't] take the most expensive of my upcoming trips, so that one should be cancelled.",
                "My most expensive upcoming trip [has to|must] be cancelled.",
                "[Please cancel|Cancel] the most expensive of my upcoming trips.",
                "[I want|I'd like] my most expensive upcoming trip cancelled and the money back.",
                "[Can|Could] the most expensive of my upcoming trips be cancelled?",
                "We [won't|can't] go on my most expensive upcoming trip after all, so [please |]cancel that reservation.",
            ),
            opens=True,
        ),
        IN_TOTAL,
        NOT_BEGUN,
        REASON,
    ),
    dearest_readings(cancel_if_covered),
)


# --- A16: a cancelled flight; A41: a delayed one, and the trip with it --------------------------------------------------------------------


def compensate_by_the_rules(facts: Facts) -> Query:
    """6.3 and 6.2: a flight was cancelled, and the customer can be compensated."""
    return query(
        facts,
        the_trip(),
        Branch(
            condition=cancelled_by_airline("trip"),
            then=(
                Branch(
                    condition=entitled("trip"),
                    then=(compensate("trip", FOR_CANCELLED),),
                    otherwise=(Decline(clause="6.2"),),
                ),
            ),
            otherwise=(Decline(clause="6.5"),),
        ),
    )


def fit_compensation(
    fits: Callable[[Session, Record, Record], bool],
) -> Fit:
    def fit(session: Session, rng: random.Random, user: Record) -> Proposal | None:
        row = pick(
            session,
            rng,
            user,
            lambda row: row["status"] != "cancelled" and fits(session, user, row),
        )
        return None if row is None else proposal(user, route(row), "wish")

    return fit


def hit_first(session: Session, row: Record) -> bool:
    """Its first flight was cancelled, and no other one would tell the same."""
    found = statuses(session, row)
    return found[:1] == ["cancelled"] and found.count("cancelled") == 1


A16 = Archetype(
    "A16",
    "Compensation for a cancelled flight",
    TaskClass.READ_HEAVY,
    first_fit(
        fit_compensation(
            lambda session, user, row: (
                hit_first(session, row) and grounds(user, row) == 1
            )
        )
    ),
    compensate_by_the_rules,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to be compensated for a cancelled flight on my trip from {trip_from} to {trip_to}.",
                "You cancelled a flight of my trip from {trip_from} to {trip_to}, and I'd like some compensation for that.",
                "[Can|Could] I get a compensation for the flight that was cancelled on my trip from {trip_from} to {trip_to}?",
                "On my trip from {trip_from} to {trip_to} a flight was cancelled. What about a compensation?",
                "A flight of my trip from {trip_from} to {trip_to} was cancelled, and I want a compensation.",
                "[Please compensate|Compensate] me for the cancelled flight on my trip from {trip_from} to {trip_to}.",
                "[What|Which] compensation do I get for the flight that you cancelled on my trip from {trip_from} to {trip_to}?",
                "I had a flight cancelled on my trip from {trip_from} to {trip_to} and would like to be compensated.",
            ),
            opens=True,
        ),
    ),
    existential=True,
)


def _compensate_all(facts: Facts, *, given_up: bool = False) -> Query:
    def hit(name: str) -> Selection:
        ours = [] if given_up else [live(name)]
        return trips(name, *ours, entitled(name), cancelled_by_airline(name))

    send = Each(selection=hit("trip"), steps=(compensate("trip", FOR_CANCELLED),))
    some = Exists(selection=hit("any"))
    none = Decline(clause="6.5")
    return query(facts, Branch(condition=some, then=(send,), otherwise=(none,)))


def _fit_compensate_all(
    session: Session, rng: random.Random, user: Record
) -> Proposal | None:
    """Each trip would count if one of its flights had been cancelled, so that all of these have to be looked at.

    Where one was, it is the first; and there are not more flights than one can look at.
    """
    rows = reservations(session, user)
    found = [statuses(session, row) for row in rows]
    fitting = all(
        row["status"] != "cancelled"
        and "cancelled" not in status[1:]
        and (grounds(user, row) or "cancelled" in status)
        and ("cancelled" in status or seen_apart(session, row))
        for row, status in zip(rows, found, strict=True)
    )
    hit = any(
        "cancelled" in status and grounds(user, row)
        for row, status in zip(rows, found, strict=True)
    )
    if len(rows) < 2 or not hit or not fitting or sum(map(len, found)) > MOST_FLIGHTS:
        return None
    return proposal(user, {}, "wish")


W4 = Archetype(
    "W4",
    "Compensation for every trip with a cancelled flight",
    TaskClass.WRITE_INTENSIVE,
    first_fit(_fit_compensate_all),
    _compensate_all,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] the compensation that is due for each of my trips in which you cancelled a flight.",
                "[Please go|Go] through my trips and compensate me for every one in which a flight was cancelled, as far as your rules allow it.",
                "[Can|Could] you send me a certificate for each trip of mine in which a flight was cancelled, wherever I'm entitled to one?",
                "Flights of mine were cancelled, and for each trip with a cancelled flight I want the certificate that I can get.",
            ),
            opens=True,
        ),
        Clause(
            "mine",
            (
                "[Leave out|Don't count] reservations that I have cancelled myself.",
                "Reservations that are cancelled as a whole don't count.",
            ),
        ),
    ),
    lambda facts: [
        Reading(
            "reservations that were given up count too",
            _compensate_all(facts, given_up=True),
            "mine",
        )
    ],
)


def _give_up_disrupted(facts: Facts) -> Query:
    """5.3, then 6.3 or 6.4: the certificate comes after the cancellation."""

    def give_up(each: int) -> tuple[Step, ...]:
        sent = Branch(condition=entitled("trip"), then=(compensate("trip", each),))
        return cancel("trip"), sent

    late = all_of(may_be_cancelled("trip"), delayed("trip"))
    return query(
        facts,
        the_trip(),
        Branch(
            condition=flown("trip"),
            then=(Transfer(clause="5.2"),),
            otherwise=(
                Branch(
                    condition=cancelled_by_airline("trip"),
                    then=give_up(FOR_CANCELLED),
                    otherwise=(
                        Branch(
                            condition=late,
                            then=give_up(FOR_DELAYED),
                            otherwise=(Decline(clause="5.3"),),
                        ),
                    ),
                ),
            ),
        ),
    )


def _fit_disrupted(
    session: Session, rng: random.Random, user: Record
) -> Proposal | None:
    """A flight was cancelled: who may cancel for a delay may do so by what also gives a right to compensation."""

    def fits(row: Record) -> bool:
        return (
            row["status"] != "cancelled"
            and hit_first(session, row)
            and not {*FLOWN} & {*statuses(session, row)}
            and grounds(user, row) == 1
        )

    row = pick(session, rng, user, fits)
    if row is None:
        return None
    return proposal(
        user, {**route(row), "reason": "disruption"}, "wish", "also", "reason"
    )


W2 = Archetype(
    "W2",
    "Cancel a trip with a cancelled or delayed flight, and be compensated for it",
    TaskClass.WRITE_INTENSIVE,
    first_fit(_fit_disrupted),
    _give_up_disrupted,
    (
        Clause(
            "wish",
            (
                "[As things are with its flights|Given the state of its flights], I'd rather not go on my trip from {trip_from} to {trip_to} at all, so [please |]cancel the whole trip.",
                "[I'd like|I want] to drop my trip from {trip_from} to {trip_to}, whose flights have run into trouble.",
                "[Can|Could] you take back the whole trip from {trip_from} to {trip_to}? Its flights are not going as they should.",
                "My trip from {trip_from} to {trip_to} has been upset by a problem with a flight, and now the whole of it should be cancelled.",
            ),
            opens=True,
        ),
        Clause(
            "also",
            (
                "[After that|Then] I'd also like to be compensated for what happened to the flight.",
                "And for the trouble with the flight I want the compensation that your rules give me.",
                "Once that is done, [please |]send me the compensation that is due for the flight.",
            ),
        ),
        REASON,
    ),
    existential=True,
)

ARCHETYPES = (A15, A16, A41, W1, W2, W4)

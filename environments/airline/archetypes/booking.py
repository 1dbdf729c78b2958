"""Booking one flight, one way, for one person: which of all that fly between some airports on some days.

Each kind says how many stops may be, what is left out, and what is best; the rest they share.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from environments.airline.archetypes.parts import (
    BOOKING_CLAUSES,
    ONE_WAY,
    book_with_one_method,
    draw_cabin,
    draw_days,
    draw_payer,
    draw_route,
    fare,
    found_trips,
    minus,
    proposal,
    query,
    route_clause,
    trips,
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
    Condition,
    Expr,
    Key,
    Query,
    compare,
    const,
    fact,
    ref,
)
from environments.core.state import Record, Session

DAY = 24 * 60
NONSTOP_SHAPES = (
    (1, 1, 3),
    (1, 1, 5),
    (2, 1, 3),
    (2, 1, 4),
    (3, 1, 2),
    (3, 1, 3),
    (3, 1, 4),
)
ONE_STOP_SHAPES = (
    (1, 1, 2),
    (1, 1, 3),
    (2, 1, 2),
    (1, 1, 4),
    (2, 1, 3),
    (3, 1, 2),
    (3, 1, 3),
)
ONE_DAY_SHAPES = ((1, 1, 1), (2, 1, 1), (3, 1, 1))
TWO_GOALS = ((1, 2, 2), (1, 2, 3), (2, 2, 2), (1, 2, 4), (2, 2, 3))
"""(origins, destinations, days): searches needed are their product, twice that with one stop."""


@dataclass(frozen=True)
class Pick:
    """One kind of choice between trips; `more` draws the facts that only it has, from the trips that there are."""

    routing: str
    shapes: Sequence[tuple[int, int, int]]
    objective: Callable[[Facts], tuple[Key, ...]]
    conditions: Callable[[Facts], tuple[Condition, ...]] = lambda facts: ()
    rank: int = 0
    more: Callable[[Sequence[Record], Facts, random.Random], dict[str, Any] | None] = (
        lambda found, facts, rng: {}
    )
    fits: Callable[[Record, Facts], bool] = lambda trip, facts: True
    """What `conditions` say, of one trip."""
    cabins: tuple[str, ...] = ()
    """Empty: any."""

    def query(self, facts: Facts, **other: Any) -> Query:
        """`other` puts another objective, rank or other conditions in their place, for readings."""
        chosen = Best(
            selection=trips(
                facts,
                other.get("routing", self.routing),
                *other.get("conditions", self.conditions)(facts),
            ),
            objective=other.get("objective", self.objective)(facts),
            rank=self.rank,
        )
        return query(chosen, *book_with_one_method(facts, fare(facts)))

    def propose(
        self, session: Session, rng: random.Random, people: Sequence[str]
    ) -> Proposal | None:
        origins, destinations, days = rng.choice(self.shapes)
        nonstop = self.routing == "direct"
        route = draw_route(session, rng, origins, destinations, nonstop=nonstop)
        if route is None:
            return None
        cabin = rng.choice(self.cabins) if self.cabins else draw_cabin(rng)
        facts = {**route, "days": draw_days(rng, days), "cabin": cabin}
        found = found_trips(session, facts, self.routing)
        free = [trip for trip in found if trip["seats"][cabin]]
        if len(free) < self.rank + 2:
            return None
        more = self.more(free, facts, rng)
        if more is None:
            return None
        facts |= more
        if sum(self.fits(trip, facts) for trip in free) < self.rank + 2:
            return None
        drawn = draw_payer(session, rng, people)
        if drawn is None:
            return None
        user, card = drawn
        named = (route_clause(facts), "alone", "target", "plain")
        return proposal(user, {**facts, **card}, *named)


def _cheapest(facts: Facts) -> tuple[Key, ...]:
    return (Key(value=fare(facts)),)


def _archetype(
    slug: str,
    title: str,
    pick: Pick,
    target: Clause,
    *clauses: Clause,
    readings: Callable[[Facts], list[Reading]] = lambda facts: [],
) -> Archetype:
    shapes = {shape[:2] for shape in pick.shapes}
    wishes = [
        clause
        for clause in ONE_WAY
        if tuple(map(int, clause.name.split("_")[1:])) in shapes
    ]
    return Archetype(
        slug,
        title,
        TaskClass.READ_HEAVY,
        pick.propose,
        pick.query,
        (*wishes, target, *clauses, *BOOKING_CLAUSES),
        readings,
    )


# --- by price ---------------------------------------------------------------------------------------------------------------------------

A1 = _archetype(
    "A1",
    "Book the cheapest nonstop flight over airports and days",
    Pick("direct", NONSTOP_SHAPES, _cheapest),
    Clause(
        "target",
        (
            "[It has to be|I want] a nonstop flight, the cheapest [nonstop one|of the nonstops] that still has a seat.",
            "[Only nonstop flights, please|Nonstop only]: take the cheapest [one|of them] with a free seat[ in that cabin|].",
            "Among all [the |]nonstop flights that match and have a seat left, [pick|book|choose] the cheapest.",
        ),
    ),
)
A2 = _archetype(
    "A2",
    "Book the cheapest flight with at most one stop over airports and days",
    Pick("any", ONE_STOP_SHAPES, _cheapest),
    Clause(
        "target",
        (
            "[Nonstop or with one stop|One stop is fine, nonstop too]: I want whatever is cheapest [in total|overall] and has a seat left.",
            "[Pick|Choose] the cheapest [option|itinerary] with at most one stop that still has a seat[ on every leg|].",
            "What matters is the [total |]fare: the cheapest way with at most one connection that is not sold out.",
        ),
    ),
)
A4 = _archetype(
    "A4",
    "Book the second cheapest flight with at most one stop",
    Pick("any", ONE_STOP_SHAPES, _cheapest, rank=1),
    Clause(
        "target",
        (
            "[Leave out|Skip] the cheapest [option|itinerary] with a seat left and at most one stop, and take the second cheapest[| instead].",
            "Of everything with at most one stop and a free seat I want the second cheapest[, not the cheapest|].",
            "Take the second cheapest [option|itinerary] with at most one connection that is not sold out.",
        ),
    ),
)
A7 = _archetype(
    "A7",
    "Book the cheapest flight to either of two places",
    Pick("any", TWO_GOALS, _cheapest),
    Clause(
        "target",
        (
            "[Either place is fine|I don't mind which of the two it is]: take whichever has the cheapest [fare|itinerary], nonstop or with one stop, that has a seat left.",
            "[Send me|Fly me] to whichever of the two is cheaper to reach with at most one stop[|, counting only what has a seat left].",
            "[Which of the two destinations it is shall depend|The destination should depend] on the fare: the cheapest [option|itinerary] with at most one stop and a free seat.",
        ),
    ),
)


# --- by time --------------------------------------------------------------------------------------------------------------------------

_BY_ELAPSED = ref("trip.elapsed")


def _fastest(facts: Facts, value: Expr = _BY_ELAPSED) -> tuple[Key, ...]:
    return (Key(value=value), Key(value=fare(facts)))


_FASTEST = Pick("any", ONE_STOP_SHAPES, _fastest)


def _in_the_air(facts: Facts) -> tuple[Key, ...]:
    return _fastest(facts, minus(ref("trip.elapsed"), ref("trip.wait")))


A3 = _archetype(
    "A3",
    "Book the quickest journey, then the cheapest",
    _FASTEST,
    Clause(
        "target",
        (
            "I want the [quickest|fastest] journey with at most one stop that has a seat left, and of equally [quick|fast] ones the cheapest.",
            "[Pick|Choose] the [shortest|quickest] [trip|itinerary], nonstop or with one stop, with a free seat; if several take equally long, the cheapest of them.",
            "Travel time comes first: take the [shortest|fastest] [option|itinerary] with at most one connection that isn't sold out, and the cheapest if that's a tie.",
        ),
    ),
    Clause(
        "door",
        (
            "What counts is the time from the first take-off to the last landing, with the wait in between.",
            "By travel time I mean from first departure to final arrival, including any layover.",
        ),
    ),
    readings=lambda facts: [
        Reading(
            "only the time in the air counts",
            _FASTEST.query(facts, objective=_in_the_air),
            "door",
        )
    ],
)


def _lands_by(facts: Facts) -> tuple[Condition, ...]:
    return (compare(ref("trip.arrives"), "le", fact("deadline")),)


def draw_deadline(
    found: Sequence[Record], facts: Facts, rng: random.Random
) -> dict[str, Any] | None:
    """A time at which nothing lands, with something cheaper that lands later."""
    cabin = facts["cabin"]
    landings = sorted(trip["arrives"] for trip in found)
    prices = {trip["arrives"]: trip["fare"][cabin] for trip in found}
    half_hours = [
        time
        for time in range(10 * 60, 23 * 60 + 1, 30)
        if landings[1] < time < landings[-1] and time not in prices
    ]
    rng.shuffle(half_hours)
    for time in half_hours:
        early = [trip["fare"][cabin] for trip in found if trip["arrives"] < time]
        late = [trip["fare"][cabin] for trip in found if trip["arrives"] > time]
        if len(early) > 1 and min(late) < min(early):
            return {"deadline": time}
    return None


def _in_time(trip: Record, facts: Facts) -> bool:
    return bool(trip["arrives"] <= facts["deadline"])


A5 = _archetype(
    "A5",
    "Book the cheapest flight that lands in time",
    Pick(
        "any", ONE_STOP_SHAPES, _cheapest, _lands_by, more=draw_deadline, fits=_in_time
    ),
    Clause(
        "target",
        (
            "I have to land by {deadline} Eastern time on the day of departure; [of what gets me there in time|among those flights], nonstop or one stop, I want the cheapest with a seat left.",
            "Take the cheapest [option|itinerary] with at most one stop and a free seat that lands no later than {deadline} Eastern on the same day that it leaves.",
            "It must arrive by {deadline} EST on its day of departure. [Given that|Of those], book the cheapest with at most one stop that isn't sold out.",
        ),
    ),
)


def _latest(facts: Facts) -> tuple[Key, ...]:
    return (Key(value=ref("trip.departs"), direction="desc"), Key(value=fare(facts)))


def _draw_tight_deadline(
    found: Sequence[Record], facts: Facts, rng: random.Random
) -> dict[str, Any] | None:
    """A time with something that leaves later than all that lands before it."""
    half_hours = list(range(10 * 60, 23 * 60 + 1, 30))
    rng.shuffle(half_hours)
    for time in half_hours:
        early = [trip["departs"] for trip in found if trip["arrives"] < time]
        late = [trip["departs"] for trip in found if trip["arrives"] > time]
        if len(early) > 1 and late and max(late) > max(early):
            return {"deadline": time}
    return None


A6 = _archetype(
    "A6",
    "Leave as late as possible and still land in time",
    Pick(
        "any",
        ONE_DAY_SHAPES,
        _latest,
        _lands_by,
        more=_draw_tight_deadline,
        fits=_in_time,
    ),
    Clause(
        "target",
        (
            "I want to leave as late as possible that day and still land by {deadline} Eastern on the same day, with at most one stop and a free seat; if two leave at the same time, the cheaper.",
            "The later [it leaves|the departure], the better, as long as it has a seat, at most one stop, and lands that day by {deadline} Eastern; take the cheapest of those that leave at the same minute.",
            "Book the last departure, nonstop or one stop and not sold out, that lands no later than {deadline} Eastern the same day, and the cheapest if there's more than one at that time.",
        ),
    ),
)


def _earliest(facts: Facts) -> tuple[Key, ...]:
    return (Key(value=ref("trip.arrives")), Key(value=fare(facts)))


def _room(facts: Facts) -> tuple[Condition, ...]:
    left = ref(f"trip.seats.{facts['cabin']}")
    return (compare(left, "ge", fact("left")),)


def _draw_room(
    found: Sequence[Record], facts: Facts, rng: random.Random
) -> dict[str, Any] | None:
    """So many seats that something that lands earlier has fewer."""
    cabin = facts["cabin"]
    numbers = list(range(2, 9))
    rng.shuffle(numbers)
    for number in numbers:
        roomy = [trip["arrives"] for trip in found if trip["seats"][cabin] >= number]
        full = [trip["arrives"] for trip in found if trip["seats"][cabin] < number]
        if len(roomy) > 1 and full and min(full) < min(roomy):
            return {"left": number}
    return None


A25 = _archetype(
    "A25",
    "Book the earliest arrival among flights with seats left",
    Pick(
        "any",
        ONE_DAY_SHAPES,
        _earliest,
        _room,
        more=_draw_room,
        fits=lambda trip, facts: trip["seats"][facts["cabin"]] >= facts["left"],
    ),
    Clause(
        "target",
        (
            "I want to be there as early as possible, but only on flights that still have at least {left} seats in my cabin, nonstop or with one stop; of those that land at the same time, the cheapest.",
            "Take whatever lands first with at most one stop and no fewer than {left} seats left in that cabin on every leg; if there's a tie, the cheaper.",
            "The earliest landing wins, with at most one connection, provided that {left} or more seats are left in that cabin throughout; the cheapest if several land then.",
        ),
    ),
)


# --- by what it must not be -------------------------------------------------------------------------------------------------------------


def _neither(facts: Facts) -> tuple[Condition, ...]:
    return (
        compare(ref("trip.via"), "ne", fact("avoid_1")),
        compare(ref("trip.via"), "ne", fact("avoid_2")),
        compare(ref("trip.arrives"), "lt", const(DAY)),
    )


def _is_refused(trip: Mapping[str, Any], facts: Facts) -> bool:
    avoided = trip["via"] in (facts["avoid_1"], facts["avoid_2"])
    return bool(avoided or trip["arrives"] >= DAY)


def _draw_refusals(
    found: Sequence[Record], facts: Facts, rng: random.Random
) -> dict[str, Any] | None:
    """Two airports not to change at, or nights, one of which rules out something cheaper."""
    stops = sorted({trip["via"] for trip in found if trip["via"]})
    for _ in range(4 if len(stops) > 1 else 0):
        one, other = rng.sample(stops, 2)
        drawn = {"avoid_1": one, "avoid_2": other}
        good = [trip for trip in found if not _is_refused(trip, drawn)]
        prices = [trip["fare"][facts["cabin"]] for trip in good]
        bad = [trip["fare"][facts["cabin"]] for trip in found if trip not in good]
        if len(good) > 1 and bad and min(bad) < min(prices):
            return drawn
    return None


A23 = _archetype(
    "A23",
    "Book the cheapest flight that avoids two places and the night",
    Pick(
        "any",
        ONE_STOP_SHAPES,
        _cheapest,
        _neither,
        more=_draw_refusals,
        fits=lambda trip, facts: not _is_refused(trip, facts),
    ),
    Clause(
        "target",
        (
            "No change of planes in {avoid_1} or {avoid_2}, and nothing that lands on the day after it leaves (Eastern time); of all the rest with at most one stop and a seat left, the cheapest.",
            "It must not connect in {avoid_1} or {avoid_2}, and it must land before midnight Eastern on the day it leaves. Other than that I just want the cheapest with a free seat, nonstop or one stop.",
            "Whatever isn't sold out and has at most one stop is fine, and the cheapest of it wins, except that I won't change in {avoid_1} or {avoid_2} and won't fly past midnight Eastern.",
        ),
    ),
)

ARCHETYPES = (A1, A2, A3, A4, A5, A6, A7, A23, A25)

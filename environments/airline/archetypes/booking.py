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
    TaskClass,
)
from environments.core.query import (
    Best,
    Condition,
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
TWO_SEARCHES = ((1, 1, 2), (2, 1, 1))
ONE_DAY_SHAPES = ((1, 1, 1), (2, 1, 1), (3, 1, 1))
TWO_GOALS = ((1, 2, 2), (1, 2, 3), (2, 2, 1), (2, 2, 2))
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

    def query(self, facts: Facts) -> Query:
        chosen = Best(
            selection=trips(facts, self.routing, *self.conditions(facts)),
            objective=self.objective(facts),
            rank=self.rank,
        )
        return query(chosen, *book_with_one_method(facts, fare(facts)))

    def propose(
        self, session: Session, rng: random.Random, people: Sequence[str]
    ) -> Proposal | None:
        for _ in range(8):
            facts = self._draw(session, rng)
            drawn = draw_payer(session, rng, people) if facts else None
            if facts and drawn:
                user, card = drawn
                named = (route_clause(facts), "alone", "target", "plain")
                return proposal(user, {**facts, **card}, *named)
        return None

    def _draw(self, session: Session, rng: random.Random) -> dict[str, Any] | None:
        """Facts under which there is something to choose."""
        origins, destinations, days = rng.choice(self.shapes)
        nonstop = self.routing == "direct"
        route = draw_route(session, rng, origins, destinations, nonstop=nonstop)
        if route is None:
            return None
        facts = {**route, "days": draw_days(rng, days), "cabin": draw_cabin(rng)}
        found = found_trips(session, facts, self.routing)
        free = [trip for trip in found if trip["seats"][facts["cabin"]]]
        more = self.more(free, facts, rng) if len(free) > self.rank + 1 else None
        return None if more is None else {**facts, **more}


def _cheapest(facts: Facts) -> tuple[Key, ...]:
    return (Key(value=fare(facts)),)


def _archetype(
    slug: str,
    title: str,
    pick: Pick,
    target: Clause,
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
        (*wishes, target, *BOOKING_CLAUSES),
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


def _fastest(facts: Facts) -> tuple[Key, ...]:
    return (Key(value=ref("trip.elapsed")), Key(value=fare(facts)))


A3 = _archetype(
    "A3",
    "Book the quickest nonstop flight, then the cheapest",
    Pick("direct", TWO_SEARCHES, _fastest),
    Clause(
        "target",
        (
            "I want the [quickest|fastest] nonstop flight that has a seat left, and of equally [quick|fast] ones the cheapest.",
            "[Pick|Choose] the [shortest|quickest] flight, nonstop and with a free seat; if several take equally long, the cheapest of them.",
            "Flying time comes first: take the [shortest|fastest] nonstop that isn't sold out, and the cheapest if that's a tie.",
        ),
    ),
)


def _leaves_by(facts: Facts) -> tuple[Condition, ...]:
    return (compare(ref("trip.departs"), "le", fact("latest")),)


def _lands_from(facts: Facts) -> tuple[Condition, ...]:
    return (
        compare(ref("trip.arrives"), "ge", fact("soonest")),
        compare(ref("trip.arrives"), "lt", const(DAY)),
    )


def _draw_latest(
    found: Sequence[Record], facts: Facts, rng: random.Random
) -> dict[str, Any] | None:
    """A time at which nothing leaves, with something cheaper that leaves later."""
    return _draw_time(
        "latest",
        [(trip["departs"], trip["fare"][facts["cabin"]]) for trip in found],
        lambda at, time: at < time,
        rng,
    )


def _draw_soonest(
    found: Sequence[Record], facts: Facts, rng: random.Random
) -> dict[str, Any] | None:
    """A time at which nothing lands, with something cheaper that lands earlier."""
    return _draw_time(
        "soonest",
        [(trip["arrives"], trip["fare"][facts["cabin"]]) for trip in found],
        lambda at, time: time < at < DAY,
        rng,
    )


def _draw_time(
    name: str,
    offers: Sequence[tuple[int, int]],
    fits: Callable[[int, int], bool],
    rng: random.Random,
) -> dict[str, Any] | None:
    """A half hour that leaves a choice and rules out something cheaper; `offers` are (minute, fare)."""
    half_hours = list(range(8 * 60, 22 * 60 + 1, 30))
    rng.shuffle(half_hours)
    for time in half_hours:
        good = [fare for at, fare in offers if fits(at, time)]
        bad = [fare for at, fare in offers if not fits(at, time)]
        exact = any(at == time for at, _ in offers)
        if len(good) > 1 and bad and not exact and min(bad) < min(good):
            return {name: time}
    return None


A5 = _archetype(
    "A5",
    "Book the cheapest flight that leaves early enough",
    Pick("any", ONE_STOP_SHAPES, _cheapest, _leaves_by, more=_draw_latest),
    Clause(
        "target",
        (
            "I have to leave by {latest} Eastern time; [of what leaves by then|among those flights], nonstop or one stop, I want the cheapest with a seat left.",
            "Take the cheapest [option|itinerary] with at most one stop and a free seat that departs no later than {latest} Eastern.",
            "Nothing that leaves after {latest} EST, please. [Given that|Of the rest], book the cheapest with at most one stop that isn't sold out.",
        ),
    ),
)
A31 = _archetype(
    "A31",
    "Book the cheapest flight that lands late enough",
    Pick("any", ONE_STOP_SHAPES, _cheapest, _lands_from, more=_draw_soonest),
    Clause(
        "target",
        (
            "I can't be picked up before {soonest} Eastern time, so it must land then or later, but still on the day it leaves; of those with at most one stop and a seat left, the cheapest.",
            "Take the cheapest [option|itinerary] with at most one stop and a free seat that lands at {soonest} Eastern or later, though not past midnight Eastern.",
            "It shouldn't arrive before {soonest} EST nor on the next day. [Given that|Of those], book the cheapest with at most one stop that isn't sold out.",
        ),
    ),
)


def _first_to_leave(facts: Facts) -> tuple[Key, ...]:
    return (Key(value=ref("trip.departs")), Key(value=fare(facts)))


def _last_to_land(facts: Facts) -> tuple[Key, ...]:
    return (Key(value=ref("trip.arrives"), direction="desc"), Key(value=fare(facts)))


def _same_day(facts: Facts) -> tuple[Condition, ...]:
    return (compare(ref("trip.arrives"), "lt", const(DAY)),)


def _draw_same_day(
    found: Sequence[Record], facts: Facts, rng: random.Random
) -> dict[str, Any] | None:
    return {} if sum(trip["arrives"] < DAY for trip in found) > 1 else None


A6 = _archetype(
    "A6",
    "Land as late as possible the same day, then pay as little as possible",
    Pick("any", ONE_DAY_SHAPES, _last_to_land, _same_day, more=_draw_same_day),
    Clause(
        "target",
        (
            "I want to land as late as possible that day but before midnight Eastern, nonstop or with one stop, on something with a seat left; if two land at the same time, the cheaper.",
            "The later the landing, the better, as long as it's before midnight Eastern on the day I leave and there's a free seat and at most one stop; take the cheapest of those that land at the same minute.",
            "Book whatever arrives last on the day it leaves (Eastern time), with at most one stop and not sold out, and the cheapest if there's more than one at that time.",
        ),
    ),
)


def _room(facts: Facts) -> tuple[Condition, ...]:
    left = ref(f"trip.seats.{facts['cabin']}")
    return (compare(left, "ge", fact("left")),)


def _draw_room(
    found: Sequence[Record], facts: Facts, rng: random.Random
) -> dict[str, Any] | None:
    """So many seats that something that leaves earlier has fewer."""
    cabin = facts["cabin"]
    numbers = list(range(2, 9))
    rng.shuffle(numbers)
    for number in numbers:
        roomy = [trip["departs"] for trip in found if trip["seats"][cabin] >= number]
        full = [trip["departs"] for trip in found if trip["seats"][cabin] < number]
        if len(roomy) > 1 and full and min(full) < min(roomy):
            return {"left": number}
    return None


A25 = _archetype(
    "A25",
    "Book the earliest departure among flights with seats left",
    Pick("any", ONE_DAY_SHAPES, _first_to_leave, _room, more=_draw_room),
    Clause(
        "target",
        (
            "I want to leave as early as possible that day, but only on flights that still have at least {left} seats in my cabin, nonstop or with one stop; of those that leave at the same time, the cheapest.",
            "Take whatever departs first with at most one stop and no fewer than {left} seats left in that cabin on every leg; if there's a tie, the cheaper.",
            "The earliest departure wins, with at most one connection, provided that {left} or more seats are left in that cabin throughout; the cheapest if several leave then.",
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

ARCHETYPES = (A1, A2, A3, A4, A7, A5, A6, A23, A25, A31)

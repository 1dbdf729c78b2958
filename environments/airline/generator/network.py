"""Routes and flights: who flies where, when, how long, and for how much."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from math import dist
from random import Random

from environments.airline.airports import CITIES
from environments.airline.generator.calendar import make_dates
from environments.core.chance import Json, Source

CITY_OF: dict[str, str] = {
    airport: city for city, airports in CITIES.items() for airport in airports
}

PLACES: dict[str, tuple[int, int]] = {
    "New York": (2759, 1083),
    "San Francisco": (146, 876),
    "Chicago": (2009, 1166),
    "Los Angeles": (362, 621),
    "Dallas": (1517, 545),
    "Houston": (1604, 331),
    "Miami": (2419, 62),
    "Washington": (2581, 959),
    "Atlanta": (2192, 593),
    "Boston": (2916, 1201),
    "Charlotte": (2381, 704),
    "Denver": (1096, 1028),
    "Detroit": (2246, 1187),
    "Las Vegas": (529, 766),
    "Minneapolis": (1717, 1373),
    "Orlando": (2360, 235),
    "Philadelphia": (2689, 1028),
    "Phoenix": (702, 580),
    "Seattle": (146, 1546),
}
"""Where the cities lie on a flat map, in miles east and north of its corner."""

TRAFFIC: dict[str, int] = {
    "ORD": 10, "LAX": 10, "ATL": 10, "JFK": 9, "DFW": 9, "DEN": 9, "SFO": 8, "EWR": 7,
    "LGA": 6, "IAH": 6, "BOS": 6, "CLT": 6, "LAS": 6, "MCO": 6, "PHX": 6, "SEA": 6,
    "MIA": 5, "DCA": 5, "MSP": 5, "DTW": 5, "PHL": 5, "MDW": 4, "FLL": 4, "IAD": 4,
    "OAK": 3, "SJC": 3, "DAL": 3, "HOU": 3, "BUR": 2,
}  # fmt: skip
"""How busy an airport is, against the others."""

FLIGHTS_PER_ROUTE = 5
MOST_ROUTES = 200
MILES_PER_MINUTE = 7.8
DAY = 24 * 60


@dataclass(frozen=True)
class Leg:
    """A flight and what its record does not say: minutes of the day and in the air, and its usual economy fare in dollars."""

    flight: Json
    leaves: int
    minutes: int
    fare: float

    @property
    def origin(self) -> str:
        return str(self.flight["origin"])

    @property
    def destination(self) -> str:
        return str(self.flight["destination"])

    @property
    def arrives(self) -> int:
        """Minutes from the start of the day of departure."""
        return self.leaves + self.minutes


@dataclass
class Network:
    legs: list[Leg]
    leaving: dict[str, list[Leg]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for leg in self.legs:
            self.leaving.setdefault(leg.origin, []).append(leg)

    def onward(self, first: Leg, day: int) -> Iterator[tuple[Leg, int]]:
        """Flights that can be caught after the first, with the day of the month on which they leave."""
        late, ready = divmod(first.arrives, DAY)
        for leg in self.leaving.get(first.destination, ()):
            waits = leg.leaves - ready
            if 35 <= waits <= 400 and CITY_OF[leg.destination] != CITY_OF[first.origin]:
                yield leg, day + late


def make_network(source: Source, flights: int) -> Network:
    """That many flights, numbered in no order that would tell their route."""
    legs = [_make_leg(source, *ends) for ends in _ends(source.rng, flights)]
    source.rng.shuffle(legs)
    digits = max(3, len(str(100 + flights)))
    for number, leg in enumerate(legs, 101):
        leg.flight["flight_number"] = f"NWD{number:0{digits}}"
    return Network(legs)


def _ends(rng: Random, flights: int) -> Iterator[tuple[str, str]]:
    """Origin and destination of every flight; busy routes have more, and every route has its way back."""
    routes = _pick_routes(rng, max(1, min(MOST_ROUTES, flights // FLIGHTS_PER_ROUTE)))
    busy = [TRAFFIC[one] * TRAFFIC[other] for one, other in routes]
    for n in range(flights):
        turn, position = divmod(n, len(routes))
        if turn < 2:
            one, other = routes[position]
            back = turn == 1
        else:
            one, other = rng.choices(routes, busy)[0]
            back = rng.random() < 0.5
        yield (other, one) if back else (one, other)


def _pick_routes(rng: Random, count: int) -> list[tuple[str, str]]:
    """Pairs of airports of different cities, busy ones more often."""
    pairs = [
        pair
        for pair in combinations(TRAFFIC, 2)
        if CITY_OF[pair[0]] != CITY_OF[pair[1]]
    ]
    waits = {p: rng.expovariate(TRAFFIC[p[0]] * TRAFFIC[p[1]]) for p in pairs}
    return sorted(pairs, key=waits.__getitem__)[:count]


def _make_leg(source: Source, origin: str, destination: str) -> Leg:
    rng, cities = source.rng, (CITY_OF[origin], CITY_OF[destination])
    miles = dist(PLACES[cities[0]], PLACES[cities[1]])
    leaves = rng.randrange(5 * 60, 23 * 60 + 31, 5)
    minutes = round(40 + miles / MILES_PER_MINUTE) + rng.randint(0, 35)
    # No two flights between the same cities take equally long, so that one of any of them is the fastest.
    while not source.claim(f"{cities} {minutes}"):
        minutes += 1
    fare = (45 + miles * 0.09) * rng.uniform(0.8, 1.25)
    flight: Json = {
        "flight_number": "",
        "origin": origin,
        "destination": destination,
        "scheduled_departure_time_est": _clock(leaves),
        "scheduled_arrival_time_est": _clock(leaves + minutes),
        "dates": make_dates(source, leaves, minutes, fare),
    }
    return Leg(flight, leaves, minutes, fare)


def _clock(minutes: int) -> str:
    """HH:MM:SS, marked if it is on the next day."""
    late, rest = divmod(minutes, DAY)
    return f"{rest // 60:02}:{rest % 60:02}:00{'+1' * late}"

"""An invented airline: flights of May 2024, customers and their reservations, made from a seed.

Shape (SPEC §3.1): `{"flights": {flight_number: …}, "reservations": {reservation_id: …}, "users": {user_id: …}}`, plain JSON,
keys in declared field order. Prices and payments are whole US dollars, balances whole dollars as floats; all times are EST,
and now is 2024-05-15T15:00:00.

Guarantees:
- The same seed gives the same bytes in every process; with the same flights, a world of n users is the beginning of every
  larger world with that seed.
- Ids, emails and payment methods are unique. Names and places are ASCII; nothing is taken from the benchmark.
- Cities with several airports have flights from each of them; no two flights between two cities take equally long.
- Past flights have landed or were cancelled, today's are landed, flying, delayed, on time or cancelled, later ones are
  available, apart from a few that were cancelled already.
- A reservation's flights exist and connect, its cards are its user's, certificates that paid are used up, and what was paid
  is what flights, insurance and extra bags cost: nothing once it is cancelled. Free bags are those of the policy.
"""

from random import Random
from typing import Any

from environments.airline.generator.network import make_network
from environments.airline.generator.reservations import make_reservations
from environments.airline.generator.users import make_user
from environments.core.chance import Json, Source


def generate(
    *, seed: int, users: int = 200, flights: int = 300
) -> dict[str, dict[str, Any]]:
    """An airline with that many flights and users; takes time in proportion to either."""
    if users < 1 or flights < 1:
        raise ValueError("An airline needs at least one user and one flight.")
    # Seeding with a text, because Random treats 1 and -1 as the same seed.
    source = Source(Random(f"airline {seed}"))
    network = make_network(source, flights)
    people: Json = {}
    booked: Json = {}
    for _ in range(users):
        user, companions = make_user(source)
        people[user["user_id"]] = user
        for reservation in make_reservations(source, network, user, companions):
            user["reservations"].append(reservation["reservation_id"])
            booked[reservation["reservation_id"]] = reservation
    schedule = {leg.flight["flight_number"]: leg.flight for leg in network.legs}
    return {"flights": schedule, "reservations": booked, "users": people}

"""An invented shop: products, customers and their orders, made from a seed.

Shape (SPEC §4.1): `{"orders": {order_id: …}, "products": {product_id: …}, "users": {user_id: …}}`,
plain JSON, keys in declared field order, the seven optional fields of an order always present.
Units: prices, amounts and gift card balances are US dollars with two decimals; zip codes are text.

Guarantees:
- The same seed gives the same bytes in every process; a world of n users is the beginning of every
  larger world with that seed. Different seeds share only the names of the product types.
- Ids are unique, and so are emails and (first name, last name, zip). Names and places are ASCII.
- An order belongs to exactly one user, its lines are variants of its products, its payment methods
  are that user's, and what was paid less what was refunded is what its lines cost.
- In one product no two variants have the same options, prices differ by more than 0.50, and at
  least four variants are available.
- With times, what arrived was placed two to seven days before; what is still open is a week old at most.
- Statuses come from a shuffled deck of a hundred, so every hundred orders have the same mix.
"""

from random import Random
from typing import Any

from environments.core.chance import Json, Source
from environments.retail.generator.orders import add_times, make_order
from environments.retail.generator.products import make_products
from environments.retail.generator.users import make_user


def generate(
    *, seed: int, users: int = 200, timed: bool = False
) -> dict[str, dict[str, Any]]:
    """A shop with fifty products and that many users; takes linear time. `timed` adds times to orders and changes nothing else."""
    if users < 1:
        raise ValueError("A shop needs at least one user.")
    # Seeding with a text, because Random treats 1 and -1 as the same seed.
    source = Source(Random(f"retail {seed}"))
    products = {product["product_id"]: product for product in make_products(source)}
    people: Json = {}
    orders: Json = {}
    for _ in range(users):
        user, places = make_user(source)
        people[user["user_id"]] = user
        for address in places:
            order = make_order(source, user, products, address)
            user["orders"].append(order["order_id"])
            orders[order["order_id"]] = order
    if timed:
        rng = Random(f"retail times {seed}")
        for order in orders.values():
            add_times(order, rng)
    return {"orders": orders, "products": products, "users": people}

"""What draws of retail archetypes are put together from: looking for somebody whom a request fits."""

import random
from collections.abc import Callable, Sequence
from typing import Any

from environments.core.domain import Proposal
from environments.core.state import Record, Session

type Fit = Callable[[Session, Record, random.Random], Proposal | None]
type Propose = Callable[[Session, random.Random, Sequence[str]], Proposal | None]


def whoever(fit: Fit, tries: int = 60) -> Propose:
    """Looks for somebody for whom `fit` finds something, among that many people drawn at random."""

    def propose(
        session: Session, rng: random.Random, people: Sequence[str]
    ) -> Proposal | None:
        for key in rng.sample(people, min(tries, len(people))):
            user = session.get("users", key)
            found = fit(session, user, rng) if user and user["orders"] else None
            if found is not None:
                return found
        return None

    return propose


def _identity(user: Record, rng: random.Random) -> dict[str, Any]:
    if rng.random() < 0.5:
        return {"email": user["email"]}
    name = user["name"]
    return {
        "first_name": name["first_name"],
        "last_name": name["last_name"],
        "zip": user["address"]["zip"],
    }


def orders_of(session: Session, user: Record, *statuses: str) -> list[Record]:
    found = [session.get("orders", order_id) for order_id in user["orders"]]
    return [
        order
        for order in found
        if order is not None and (not statuses or order["status"] in statuses)
    ]


def product_names(order: Record) -> list[str]:
    return [line["name"] for line in order["items"]]


SOUNDS_LIKE = {
    "delivered": ("delivered", "exchange requested", "return requested"),
    "pending": ("pending", "pending (item modified)"),
}
"""Status → statuses of the orders that its plain word also describes to a customer."""


def describe(
    session: Session, user: Record, status: str, rng: random.Random
) -> tuple[Record, str] | None:
    """An order with that status ("" for any), and a product that tells it from all orders that the word describes."""
    sounding = orders_of(session, user, *SOUNDS_LIKE[status] if status else ())
    pairs = [
        (order, name)
        for order in sounding
        if order["status"] == status or not status
        for name in dict.fromkeys(product_names(order))
        if product_names(order).count(name) == 1
        and not any(
            name in product_names(other) for other in sounding if other is not order
        )
    ]
    return rng.choice(pairs) if pairs else None


def single_sources(user: Record) -> list[str]:
    """Kinds of payment methods of which the user has exactly one."""
    sources = [method["source"] for method in user["payment_methods"].values()]
    return [source for source in dict.fromkeys(sources) if sources.count(source) == 1]


def draw_source(user: Record, rng: random.Random) -> str | None:
    """A kind of payment method that names one method; a gift card, which may not cover what it has to pay, only for want of others."""
    sources = single_sources(user)
    others = [source for source in sources if source != "gift_card"]
    return rng.choice(others or sources) if sources else None


def gift_card_of(user: Record) -> Record | None:
    """The only gift card, if there is exactly one."""
    methods = user["payment_methods"].values()
    cards = [method for method in methods if method["source"] == "gift_card"]
    return cards[0] if len(cards) == 1 else None


def paid_with(order: Record) -> str:
    """Id of the method that first paid the order."""
    method_id: str = order["payment_history"][0]["payment_method_id"]
    return method_id


def line_called(order: Record, product: str) -> Record:
    line: Record = next(line for line in order["items"] if line["name"] == product)
    return line


def others_in_stock(session: Session, line: Record) -> list[Record]:
    """Other versions of what the line holds that are in stock, cheapest first."""
    product: Any = session.get("products", line["product_id"])
    found = [
        variant
        for variant in product["variants"].values()
        if variant["available"] and variant["item_id"] != line["item_id"]
    ]
    return sorted(found, key=lambda variant: (variant["price"], variant["item_id"]))


def changed_options(line: Record, variant: Record) -> list[str]:
    """Names of the options in which the variant differs from the line."""
    had = line["options"]
    return [n for n, value in variant["options"].items() if had.get(n) != value]


_BARE = ("yes", "no", "none")


def can_be_named(product: Record, option: str) -> bool:
    """Whether the option's values say something by themselves, as "yes" does not."""
    return all(
        option in variant["options"] and variant["options"][option] not in _BARE
        for variant in product["variants"].values()
    )


def product_of(session: Session, line: Record) -> Record:
    product = session.get("products", line["product_id"])
    assert product is not None
    return product


def proposal_for(
    user: Record, rng: random.Random, wishes: dict[str, Any], *clauses: str
) -> Proposal:
    return Proposal({**_identity(user, rng), **wishes}, clauses)


def two_described(
    session: Session, user: Record, rng: random.Random
) -> tuple[tuple[Record, str], tuple[Record, str]] | None:
    """Two different pending orders, each described by a product."""
    first, second = (describe(session, user, "pending", rng) for _ in range(2))
    return (first, second) if first and second and first[0] is not second[0] else None


def repayable(session: Session, user: Record, fallback: str) -> list[Record]:
    """Pending orders that are paid with neither the gift card nor the fallback, so that both branches are open."""
    taken = {
        key
        for key, method in user["payment_methods"].items()
        if method["source"] in ("gift_card", fallback)
    }
    return [
        order
        for order in orders_of(session, user, "pending")
        if len(order["payment_history"]) == 1
        and order["payment_history"][0]["payment_method_id"] not in taken
    ]


# --- addresses -----------------------------------------------------------------------------------------------------------------

_PLACES = (
    ("Denver", "CO", "80205"),
    ("Austin", "TX", "78704"),
    ("Seattle", "WA", "98109"),
    ("Columbus", "OH", "43206"),
    ("Charlotte", "NC", "28203"),
    ("Portland", "OR", "97214"),
    ("Madison", "WI", "53703"),
    ("Tucson", "AZ", "85719"),
    ("Richmond", "VA", "23220"),
    ("Omaha", "NE", "68102"),
)
_STREETS = (
    "Alder",
    "Birchwood",
    "Clover",
    "Dogwood",
    "Fern",
    "Hazel",
    "Juniper",
    "Linden",
    "Quarry",
    "Tamarack",
)


def new_address(rng: random.Random) -> dict[str, str]:
    city, state, new_zip = rng.choice(_PLACES)
    return {
        "address1": f"{rng.randrange(12, 989)} {rng.choice(_STREETS)} {rng.choice(('Street', 'Avenue', 'Lane'))}",
        "address2": f"Apt {rng.randrange(2, 60)}",
        "city": city,
        "state": state,
        "country": "USA",
        "new_zip": new_zip,
    }


def address_facts(rng: random.Random) -> dict[str, str]:
    """What the customer says of a new address."""
    address = new_address(rng)
    return {name: value for name, value in address.items() if name != "country"}

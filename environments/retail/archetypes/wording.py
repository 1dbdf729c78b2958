"""Words that retail archetypes share: how values are said, and clauses of several kinds of requests.

A clause has to stand on its own in a text about several things, so that it says which order or product it is about.
"""

from typing import Any

from environments.core.domain import Clause
from environments.retail.relations import SIZES

type Lexicon = dict[str, dict[Any, tuple[str, ...]]]

EXTRAS = (10, 20, 30, 40, 50, 75, 100, 150, 200, 300, 400, 500)
"""Dollars that a version may cost more."""
LIMITS = (50, 100, 150, 200, 250, 300, 400, 500, 600, 800, 1000, 1500, 2000, 3000)
"""Dollars that a thing may have cost."""
TOTALS = (250, 500, 750, 1000, 1250, 1500, 2000, 2500, 3000, 4000, 5000, 6000)
"""Dollars that orders may come to."""


def _dollars(amounts: tuple[int, ...]) -> dict[Any, tuple[str, ...]]:
    return {amount: (f"${amount:,}",) for amount in amounts}


LEXICON: Lexicon = {
    "payment": {
        "gift_card": ("my gift card", "the gift card on my account"),
        "paypal": ("my PayPal account", "my PayPal"),
        "credit_card": ("my credit card", "the credit card on file"),
    },
    "reason": {
        "no longer needed": (
            "the order is no longer needed",
            "I no longer need that order",
        ),
        "ordered by mistake": (
            "the order was placed by mistake",
            "I placed that order by mistake",
        ),
    },
    "excuse": {
        "found cheaper elsewhere": (
            "I found the same thing cheaper elsewhere",
            "another shop has all of that cheaper",
        ),
        "arrives too late": (
            "the order would arrive too late for me",
            "the delivery takes too long for me",
        ),
        "unhappy with the service": (
            "I am unhappy with your service",
            "your service has let me down",
        ),
    },
    "count": {number: (str(number),) for number in range(1, 25)},
    "extra": _dollars(EXTRAS),
    "limit": _dollars(LIMITS),
    "sum": _dollars(TOTALS),
    "size": {name: (f"largest {name}", f"biggest {name}") for name in SIZES},
}
LEXICON["fallback"] = {
    key: LEXICON["payment"][key] for key in ("paypal", "credit_card")
}


def pay(thing: str) -> Clause:
    """How a price difference is settled; `thing` says for what, such as "the {product}"."""
    return Clause(
        "pay",
        (
            f"[Please put|Put] any difference in price for {thing} on {{payment}}.",
            f"If there is a price difference for {thing}, [use|settle it with] {{payment}}.",
            f"[I'd say that ]{{payment}} can [cover|take] the difference for {thing}[|, whichever way it goes].",
            f"The difference in price for {thing} [should|can] go to {{payment}}.",
            f"[For the difference in price of|As for the price difference of] {thing}, [|please ]use {{payment}}.",
        ),
    )


def reason(order: str) -> Clause:
    """Why an order is cancelled; `order` says which, such as "the order with the {product}"."""
    return Clause(
        "reason",
        (
            f"[The reason for cancelling|My reason to cancel] {order} is that {{reason}}.",
            f"[Why cancel|Why I cancel] {order}? Because {{reason}}.",
            f"[As to why|In case you ask why] {order} has to go: {{reason}}.",
        ),
    )


def refund(thing: str) -> Clause:
    """A refund to the method that was paid with; `thing` says of what."""
    return Clause(
        "refund",
        (
            f"The refund for {thing} should go back [to the payment method I used|the way I paid].",
            f"[Please refund|Refund] {thing} to the original payment method.",
            f"[I'd like|I want] the money for {thing} back on whatever I paid with.",
        ),
    )


DELIVERED_ONLY = Clause(
    "strict",
    (
        "Delivered orders for which I already asked for a return or an exchange [don't count|do not count].",
        "Leave out delivered orders [that have|with] a return or an exchange already requested.",
    ),
)
"""Rules out that orders with a return or exchange under way are meant, too."""

PENDING_ONLY = Clause(
    "strict",
    (
        "Pending orders whose items I already changed [don't count|do not count].",
        "Leave out pending orders in which items were changed already.",
    ),
)

IN_TOTAL = Clause(
    "total",
    (
        "By largest order I mean the [highest|biggest] amount I paid[|, not the number of things in it].",
        "What counts as the largest order is [what I paid for the whole order|the amount paid].",
    ),
)


def new_address_of(thing: str) -> Clause:
    """Where an order is to go."""
    return Clause(
        "address",
        (
            f"The new address for {thing} is {{address1}}, {{address2}}, {{city}}, {{state}} {{new_zip}}, USA.",
            f"Where {thing} should go is {{address1}}, {{address2}}, {{city}}, {{state}} {{new_zip}}, USA.",
        ),
    )


SWAP_WISH = Clause(
    "wish",
    (
        "[I'd like|I would like|I want] to [exchange|swap] the {product} [I received|that was delivered to me].",
        "[Can|Could] you help me exchange the {product} from one of my delivered orders?",
        "The {product} [you delivered|that arrived] isn't right for me, so I'd like to exchange it.",
        "I have [a question about|an issue with] a delivered order: the {product} in that order should be exchanged.",
    ),
    opens=True,
)

"""Returns of delivered things."""

from environments.core.domain import (
    Archetype,
    Clause,
    Facts,
    Reading,
    TaskClass,
)
from environments.core.query import (
    Best,
    Key,
    Query,
    Selection,
    ref,
)
from environments.retail.archetypes.parts import (
    ORIGINAL_METHOD,
    SOUNDS_LIKE,
    has_status,
    orders_where,
    propose_scan,
    request,
    return_item,
)

# --- R5: return the most expensive thing ever received ----------------------------------------------------------------------------


def _return_dearest(
    facts: Facts, *, statuses: tuple[str, ...] = ("delivered",)
) -> Query:
    item = Selection(
        name="item",
        relation="items",
        of=orders_where("order", has_status("order", *statuses)),
    )
    return request(
        facts,
        Best(
            selection=item, objective=(Key(value=ref("item.price"), direction="desc"),)
        ),
        return_item(ORIGINAL_METHOD),
    )


R5 = Archetype(
    "R5",
    "Return the most expensive thing ever received",
    TaskClass.READ_HEAVY,
    propose_scan(3, "delivered"),
    _return_dearest,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to return [one thing|one item]: the most expensive [item|thing] I have ever [received|had delivered] from you.",
                "Of everything you have [|ever ]delivered to me, I want to return the [|single ]most expensive item.",
                "Please take back the priciest item among all [my delivered orders|the orders that were delivered to me].",
                "Can you take back the priciest item among all [my delivered orders|the orders that were delivered to me]?",
            ),
            opens=True,
        ),
        Clause(
            "refund",
            (
                "The [refund|money] should go back [to the payment method I used|the way I paid] for [it|that order].",
                "[Please refund|Refund] [it|me] to the original payment method.",
                "[I'd like|I want] the money back on whatever I paid [that order|it] with.",
            ),
        ),
        Clause(
            "received",
            (
                "[Only count|Count only] what has actually [arrived|been delivered].",
                "[I'm only talking|I only talk] about things that have [|already ]been delivered.",
            ),
        ),
    ),
    lambda facts: [
        Reading(
            "everything ever ordered",
            _return_dearest(facts, statuses=("delivered", "pending", "processed")),
            "received",
        ),
        Reading(
            "what is on its way back was received, too",
            _return_dearest(facts, statuses=SOUNDS_LIKE["delivered"]),
            "",
        ),
    ],
)

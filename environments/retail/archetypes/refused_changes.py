"""What the policy refuses of exchanges and of changes to orders, and a sister that it allows: the same words, on which the state decides."""

import random
from collections.abc import Callable

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
    Arithmetic,
    Branch,
    Decline,
    Exists,
    Query,
    Selection,
    Step,
    The,
    all_of,
    compare,
    const,
    fact,
    ref,
)
from environments.core.state import Record, Session
from environments.retail.archetypes.draws import (
    Fit,
    address_facts,
    can_be_named,
    changed_options,
    describe,
    draw_source,
    gift_card_of,
    line_called,
    others_in_stock,
    paid_with,
    product_of,
    proposal_for,
    single_sources,
    whoever,
)
from environments.retail.archetypes.parts import (
    IN_STOCK,
    address_arguments,
    best,
    exchange_one,
    has_status,
    in_stock,
    item_in,
    only_differs_in,
    option_of,
    order_with,
    other_variant,
    readdress,
    repay,
    request,
    the_method,
)
from environments.retail.archetypes.wording import SWAP_WISH, new_address_of, pay

# --- N3: another type of product ---------------------------------------------------------------------------------------------------------


def _swap_dearest_for(facts: Facts) -> Query:
    called = compare(ref("item.name"), "eq", fact("other_product"))
    wanted = Selection(name="item", relation="items", of=ref("order"), where=called)
    rest = Selection(
        name="line",
        relation="items",
        of=ref("order"),
        where=compare(ref("line.name"), "ne", fact("other_product")),
    )
    # The choice stands inside of the branch: on the other side it would be one between refusals.
    dearest = compare(
        Aggregate(op="max", over=wanted, value=ref("item.price")),
        "gt",
        Aggregate(op="max", over=rest, value=ref("line.price")),
    )
    swap = (
        The(selection=wanted),
        best(other_variant("item", IN_STOCK)),
        the_method("method", fact("payment")),
        exchange_one(),
    )
    return request(
        facts,
        order_with("delivered"),
        Branch(condition=dearest, then=swap, otherwise=(Decline(clause="7.1"),)),
    )


def _fit_dearest_for(
    session: Session, user: Record, rng: random.Random
) -> Proposal | None:
    """The customer wants a product that the order has, too, but that is not its dearest thing."""
    found, source = describe(session, user, "delivered", rng), draw_source(user, rng)
    if found is None or source is None:
        return None
    lines = sorted(found[0]["items"], key=lambda line: -line["price"])
    names = [line["name"] for line in lines]
    if len(lines) < 2 or names.count(names[1]) > 1:
        return None
    wishes = {"product": found[1], "other_product": names[1], "payment": source}
    return proposal_for(user, rng, wishes, "wish", "target", "pay")


N3 = Archetype(
    "N3",
    "Exchange a thing for another type of product",
    TaskClass.REFUSAL,
    whoever(_fit_dearest_for),
    _swap_dearest_for,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to exchange the most expensive thing in my delivered order with the {product}.",
                "[Please exchange|Exchange] whatever cost most in the delivered order that has the {product} in it.",
                "The dearest thing in the delivered order with the {product} should be exchanged.",
                "[Can|Could] you exchange the item I paid most for in my delivered order with the {product}?",
            ),
            opens=True,
        ),
        Clause(
            "target",
            (
                "In exchange for the dearest item of the order with the {product}, send me the cheapest other {other_product} in stock.",
                "What I want in place of the dearest item of the order with the {product} is a {other_product}, the cheapest other one in stock.",
                "The dearest item of the order with the {product} should become the cheapest other {other_product} you have in stock.",
            ),
        ),
        pay("the dearest item of the order with the {product}"),
    ),
    existential=True,
)


# --- N4: a version that is not to be had ---------------------------------------------------------------------------------------------------


def _swap_to_value(facts: Facts) -> Query:
    same = only_differs_in("new", "item", fact("option"))
    wanted = compare(option_of("new", facts["option"]), "eq", fact("value"))
    version = other_variant("item", IN_STOCK, wanted, same)
    return request(
        facts,
        item_in("delivered"),
        the_method("method", fact("payment")),
        Branch(
            condition=Exists(selection=version),
            then=(The(selection=version), exchange_one()),
            otherwise=(Decline(clause="7.1"),),
        ),
    )


def _fit_to_value(
    session: Session, user: Record, rng: random.Random
) -> Proposal | None:
    """What the customer wants exists and is sold out, while versions like it but for another option are in stock."""
    found, source = describe(session, user, "delivered", rng), draw_source(user, rng)
    if found is None or source is None:
        return None
    line = line_called(*found)
    product = product_of(session, line)
    in_stock = others_in_stock(session, line)
    sold_out = [
        (changed[0], variant["options"][changed[0]])
        for variant in product["variants"].values()
        if not variant["available"]
        and len(changed := changed_options(line, variant)) == 1
        and can_be_named(product, changed[0])
    ]
    # Had the customer another version, the wish could be met: that is what the order tells.
    sold_out = [
        (option, value)
        for option, value in sold_out
        for new in in_stock
        if new["options"][option] == value
        and any(
            changed_options(new, other) == [option]
            for other in product["variants"].values()
        )
    ]
    if not sold_out:
        return None
    option, value = rng.choice(sold_out)
    wishes = {
        "product": found[1],
        "option": option,
        "value": value,
        "payment": source,
    }
    return proposal_for(user, rng, wishes, "wish", "target", "pay")


N4 = Archetype(
    "N4",
    "Exchange a thing for a version that is not to be had",
    TaskClass.REFUSAL,
    whoever(_fit_to_value),
    _swap_to_value,
    (
        SWAP_WISH,
        Clause(
            "target",
            (
                "The only {option} I accept for the {product} is {value}, with everything else as before.",
                "I want just the same {product} but with {value} as {option}.",
                "Nothing about the {product} may change, except that the {option} should be {value}.",
            ),
        ),
        pay("the {product}"),
    ),
    existential=True,
)


# --- R27, N5, N6, N10: addresses of orders that cannot be changed --------------------------------------------------------------------------------


def _readdress_if(clause: str, *refused: str) -> Callable[[Facts], Query]:
    """The new address is written if the order is pending; for the refused statuses the clause says no, for others 3.5."""

    def query(facts: Facts) -> Query:
        write = readdress("order", address_arguments())
        other = Decline(clause="3.5")
        refuse: Step = Decline(clause=clause)
        if clause != "3.5":
            status = has_status("order", *refused)
            refuse = Branch(condition=status, then=(refuse,), otherwise=(other,))
        return request(
            facts,
            order_with(""),
            Branch(
                condition=has_status("order", "pending"),
                then=(write,),
                otherwise=(refuse,),
            ),
        )

    return query


def _fit_readdress(*statuses: str) -> Fit:
    def fit(session: Session, user: Record, rng: random.Random) -> Proposal | None:
        found = describe(session, user, "", rng)
        if found is None or found[0]["status"] not in statuses:
            return None
        wishes = {"product": found[1], **address_facts(rng)}
        return proposal_for(user, rng, wishes, "wish", "address")

    return fit


N5 = Archetype(
    "N5",
    "Send an order elsewhere that is no longer pending",
    TaskClass.REFUSAL,
    whoever(_fit_readdress("processed", "delivered")),
    _readdress_if("5.1", "processed", "delivered"),
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] my order with the {product} sent to another address.",
                "[Please change|Change] the shipping address of my order with the {product}.",
                "The order with the {product} goes to the wrong address.",
                "[Can|Could] you change where my order with the {product} is sent?",
            ),
            opens=True,
        ),
        new_address_of("the order with the {product}"),
    ),
    existential=True,
)
R27 = Archetype(
    "R27",
    "Send an order elsewhere that is still pending",
    TaskClass.READ_HEAVY,
    whoever(_fit_readdress("pending")),
    _readdress_if("5.1", "processed", "delivered"),
    N5.clauses,
    existential=True,
)
N6 = Archetype(
    "N6",
    "Send an order elsewhere whose items were changed",
    TaskClass.REFUSAL,
    whoever(_fit_readdress("pending (item modified)"), 400),
    _readdress_if("5.4", "pending (item modified)"),
    (
        Clause(
            "wish",
            (
                "After what I changed in my order with the {product}, the order should go to another address, too.",
                "I had items changed in the order with the {product}, and now want another address for that order.",
                "[Please change|Change] the shipping address of the order with the {product}, in which I changed items before.",
                "[Can|Could] you also change where the order with the {product} goes, now that its items are changed?",
            ),
            opens=True,
        ),
        new_address_of("the order with the {product}"),
    ),
    existential=True,
)
N10 = Archetype(
    "N10",
    "Have an order after all that was cancelled",
    TaskClass.REFUSAL,
    whoever(_fit_readdress("cancelled")),
    _readdress_if("3.5"),
    (
        Clause(
            "wish",
            (
                "I want to have the order with the {product} after all, whatever I said about it before, at a new address.",
                "[Please undo|Undo] any cancellation of my order with the {product}, and send that order to a new address.",
                "I've changed my mind and do want the order with the {product}, sent to my new place.",
                "[Can|Could] you still send me the order with the {product}, cancelled or not, to another address?",
            ),
            opens=True,
        ),
        new_address_of("the order with the {product}"),
    ),
    existential=True,
)


# --- N8, N14, N15: payment ---------------------------------------------------------------------------------------------------------------------


def _repay_with_card(facts: Facts) -> Query:
    covers = compare(ref("method.balance"), "ge", ref("order.payment_history.0.amount"))
    return request(
        facts,
        order_with("pending"),
        the_method("method", const("gift_card")),
        Branch(
            condition=covers,
            then=(repay("order", "method"),),
            otherwise=(Decline(clause="5.2"),),
        ),
    )


def _fit_short_card(
    session: Session, user: Record, rng: random.Random
) -> Proposal | None:
    """A gift card with something on it, which is less than the order cost."""
    card = gift_card_of(user)
    found = describe(session, user, "pending", rng) if card else None
    if card is None or found is None or len(found[0]["payment_history"]) > 1:
        return None
    amount = found[0]["payment_history"][0]["amount"]
    if paid_with(found[0]) == card["id"] or not 0 < card["balance"] < amount - 1:
        return None
    return proposal_for(user, rng, {"product": found[1]}, "wish", "only")


_REPAY_WISH = Clause(
    "wish",
    (
        "[I'd like|I want] to pay for my pending order with the {product} in another way.",
        "[Please change|Change] the payment method of the pending order that has the {product} in it.",
        "The payment of my pending order with the {product} should be moved.",
        "[Can|Could] you move the payment of my pending order with the {product}?",
    ),
    opens=True,
)
N8 = Archetype(
    "N8",
    "Pay an order with a gift card that does not cover it",
    TaskClass.REFUSAL,
    whoever(_fit_short_card, 200),
    _repay_with_card,
    (
        _REPAY_WISH,
        Clause(
            "only",
            (
                "The order with the {product} should be paid with my gift card, all of it.",
                "My gift card is what should pay for the whole order with the {product}.",
                "Charge the full order with the {product} to the gift card on my account.",
            ),
        ),
    ),
    existential=True,
)


def _repay_with_digits(facts: Facts) -> Query:
    on_file = Selection(
        name="method",
        relation="methods",
        of=ref("profile"),
        where=all_of(
            compare(ref("method.source"), "eq", const("credit_card")),
            compare(ref("method.last_four"), "eq", fact("last_four")),
        ),
    )
    known = Branch(
        condition=Exists(selection=on_file),
        then=(The(selection=on_file), repay("order", "method")),
        otherwise=(Decline(clause="3.1"),),
    )
    return request(
        facts,
        order_with(""),
        Branch(
            condition=has_status("order", "pending"),
            then=(known,),
            otherwise=(Decline(clause="5.1"),),
        ),
    )


def _fit_digits(session: Session, user: Record, rng: random.Random) -> Proposal | None:
    """A card that looks like one in the profile: its last two digits are the other way round."""
    found = describe(session, user, "", rng)
    if found is None or found[0]["status"] != "pending":
        return None
    if len(found[0]["payment_history"]) > 1:
        return None
    digits = [
        method["last_four"]
        for key, method in user["payment_methods"].items()
        if method["source"] == "credit_card" and key != paid_with(found[0])
    ]
    alike = [four[:2] + four[3] + four[2] for four in digits if four[2] != four[3]]
    unknown = [four for four in alike if four not in digits]
    if not unknown:
        return None
    wishes = {"product": found[1], "last_four": rng.choice(unknown)}
    return proposal_for(user, rng, wishes, "wish", "only")


N14 = Archetype(
    "N14",
    "Pay an order with a card that is not in the profile",
    TaskClass.REFUSAL,
    whoever(_fit_digits, 200),
    _repay_with_digits,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to pay for my order with the {product} with another card.",
                "[Please change|Change] the card for the order that has the {product} in it.",
                "The order with the {product} should be moved to another credit card.",
                "[Can|Could] you move the payment of the order with the {product} to another card?",
            ),
            opens=True,
        ),
        Clause(
            "only",
            (
                "The order with the {product} should be paid with my credit card that ends in {last_four}.",
                "Charge the order with the {product} to the credit card ending in {last_four}.",
                "What pays for the order with the {product} is my card with the last digits {last_four}.",
            ),
        ),
    ),
    existential=True,
)


def _repay_with_source(facts: Facts) -> Query:
    changed = compare(
        ref("method.id"), "ne", ref("order.payment_history.0.payment_method_id")
    )
    return request(
        facts,
        order_with("pending"),
        the_method("method", fact("fallback")),
        Branch(
            condition=changed,
            then=(repay("order", "method"),),
            otherwise=(Decline(clause="5.2"),),
        ),
    )


def _fit_same_source(
    session: Session, user: Record, rng: random.Random
) -> Proposal | None:
    """The order is paid that way already, though there are other ways in the profile."""
    found = describe(session, user, "pending", rng)
    if found is None or len(user["payment_methods"]) < 2:
        return None
    if len(found[0]["payment_history"]) > 1:
        return None
    method = user["payment_methods"].get(paid_with(found[0]))
    if not method or method["source"] == "gift_card":
        return None
    if method["source"] not in single_sources(user):
        return None
    wishes = {"product": found[1], "fallback": method["source"]}
    return proposal_for(user, rng, wishes, "wish", "only")


N15 = Archetype(
    "N15",
    "Pay an order with the method that it is paid with",
    TaskClass.REFUSAL,
    whoever(_fit_same_source, 200),
    _repay_with_source,
    (
        _REPAY_WISH,
        Clause(
            "only",
            (
                "From now on {fallback} should pay for the order with the {product}.",
                "I have {fallback} in mind as the new payment method of the order with the {product}.",
                "The order with the {product} should be charged to {fallback} in future.",
            ),
        ),
    ),
    existential=True,
)


# --- N9: a difference that the gift card does not cover -----------------------------------------------------------------------------------


def _swap_on_card(facts: Facts, *, stock: bool = True) -> Query:
    top = Aggregate(
        op="max",
        over=other_variant("item", *([in_stock("top")] if stock else []), name="top"),
        value=ref("top.price"),
    )
    rise = Arithmetic(op="-", left=top, right=ref("item.price"))
    new = other_variant("item", *([IN_STOCK] if stock else []))
    return request(
        facts,
        item_in("delivered"),
        the_method("method", const("gift_card")),
        Branch(
            condition=compare(ref("method.balance"), "ge", rise),
            then=(best(new, dearest=True), exchange_one()),
            otherwise=(Decline(clause="7.3"),),
        ),
    )


def _fit_short_difference(
    session: Session, user: Record, rng: random.Random
) -> Proposal | None:
    card = gift_card_of(user)
    found = describe(session, user, "delivered", rng) if card else None
    if card is None or found is None:
        return None
    line = line_called(*found)
    others = others_in_stock(session, line)
    if len(others) < 2 or others[-1]["price"] - line["price"] < card["balance"] + 1:
        return None
    return proposal_for(user, rng, {"product": found[1]}, "wish", "target", "only")


N9 = Archetype(
    "N9",
    "Exchange a thing with a gift card that does not cover the difference",
    TaskClass.REFUSAL,
    whoever(_fit_short_difference, 200),
    _swap_on_card,
    (
        SWAP_WISH,
        Clause(
            "target",
            (
                "I want the most expensive other version of the {product} in stock, and no lesser one.",
                "What I want is none but the dearest other version of the {product} that you have in stock.",
                "Of the other versions of the {product} in stock, only the most expensive will do.",
            ),
        ),
        Clause(
            "only",
            (
                "My gift card is to pay whatever the new {product} costs more, and nothing else is.",
                "The whole difference for the {product} goes on my gift card, not on anything else.",
            ),
        ),
    ),
    lambda facts: [
        Reading(
            "sold-out versions count too", _swap_on_card(facts, stock=False), "target"
        )
    ],
    existential=True,
)

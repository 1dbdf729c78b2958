"""What the policy refuses."""

import random
from collections.abc import Sequence

from environments.core.domain import (
    Archetype,
    Clause,
    Facts,
    Proposal,
    TaskClass,
)
from environments.core.query import (
    Branch,
    Decline,
    Query,
    The,
    compare,
    fact,
    ref,
)
from environments.core.state import Session
from environments.retail.archetypes.parts import (
    cancel,
    describe,
    draw_user,
    has_status,
    holds_product,
    item_in,
    orders_where,
    proposal_for,
    request,
    return_item,
    single_sources,
    the_method,
)
from environments.retail.archetypes.wording import REASON

# --- N1, N2: what the policy refuses -------------------------------------------------------------------------------------------------------------


def _cancel_if_pending(facts: Facts) -> Query:
    return request(
        facts,
        The(selection=orders_where("order", holds_product("order", "product"))),
        Branch(
            condition=has_status("order", "pending"),
            then=(cancel("order"),),
            otherwise=(Decline(clause="4.1"),),
        ),
    )


def _propose_late_cancel(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    user = draw_user(session, rng, people)
    described = describe(session, user, "", rng) if user else None
    if (
        user is None
        or described is None
        or described[0]["status"] not in ("processed", "delivered")
    ):
        return None
    reason = rng.choice(["no longer needed", "ordered by mistake"])
    return proposal_for(
        user, rng, {"product": described[1], "reason": reason}, "wish", "reason"
    )


N1 = Archetype(
    "N1",
    "Cancel an order that can no longer be cancelled",
    TaskClass.REFUSAL,
    _propose_late_cancel,
    _cancel_if_pending,
    (
        Clause(
            "wish",
            (
                "[Please cancel|I want to cancel|I'd like to cancel] my order with the {product}.",
                "[Can|Could] you cancel the order that has the {product} in it?",
            ),
            opens=True,
        ),
        REASON,
    ),
    existential=True,
)


def _return_elsewhere(facts: Facts) -> Query:
    write = return_item(ref("method.id"))
    original = compare(
        ref("method.id"), "eq", ref("order.payment_history.0.payment_method_id")
    )
    return request(
        facts,
        item_in("delivered"),
        the_method("method", fact("fallback")),
        Branch(condition=original, then=(write,), otherwise=(Decline(clause="6.2"),)),
    )


def _propose_return_elsewhere(
    session: Session, rng: random.Random, people: Sequence[str]
) -> Proposal | None:
    user = draw_user(session, rng, people)
    described = describe(session, user, "delivered", rng) if user else None
    if user is None or described is None:
        return None
    order, product = described
    paid = user["payment_methods"].get(order["payment_history"][0]["payment_method_id"])
    others = [
        source
        for source in single_sources(user)
        if source != "gift_card" and paid and source != paid["source"]
    ]
    if not others:
        return None
    return proposal_for(
        user,
        rng,
        {"product": product, "fallback": rng.choice(others)},
        "wish",
        "refund",
    )


N2 = Archetype(
    "N2",
    "Refund to a method that the policy does not allow",
    TaskClass.REFUSAL,
    _propose_return_elsewhere,
    _return_elsewhere,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to return the {product} [that was delivered|I received], with the refund to one particular place.",
                "[I'd like|I want] to send the {product} from a delivered order back, and I care where the refund goes.",
            ),
            opens=True,
        ),
        Clause(
            "refund",
            (
                "The refund has to go to {fallback}, nowhere else.",
                "I only accept the refund on {fallback}.",
            ),
        ),
    ),
    existential=True,
)

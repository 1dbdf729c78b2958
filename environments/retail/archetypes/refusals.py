"""What the policy refuses of cancellations, returns and refunds, and sisters that it allows: the same words, on which the state decides."""

import random
from collections.abc import Callable

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
    Step,
    The,
    Write,
    compare,
    fact,
    ref,
)
from environments.core.state import Record, Session
from environments.retail.archetypes.draws import (
    Fit,
    describe,
    proposal_for,
    single_sources,
    whoever,
)
from environments.retail.archetypes.parts import (
    cancel,
    has_status,
    holds_product,
    item_in,
    order_with,
    orders_where,
    request,
    return_item,
    the_method,
)
from environments.retail.archetypes.wording import LEXICON, reason, refund

# --- R25, N1, N11: orders that cannot be cancelled, reasons that are not accepted -------------------------------------------------------------


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


def _fit_cancel(*statuses: str) -> Fit:
    def fit(session: Session, user: Record, rng: random.Random) -> Proposal | None:
        described = describe(session, user, "", rng)
        if described is None or described[0]["status"] not in statuses:
            return None
        reason = rng.choice(["no longer needed", "ordered by mistake"])
        return proposal_for(
            user, rng, {"product": described[1], "reason": reason}, "wish", "reason"
        )

    return fit


N1 = Archetype(
    "N1",
    "Cancel an order that can no longer be cancelled",
    TaskClass.REFUSAL,
    whoever(_fit_cancel("processed", "delivered")),
    _cancel_if_pending,
    (
        Clause(
            "wish",
            (
                "[Please cancel|I want to cancel|I'd like to cancel] my order with the {product}.",
                "[Can|Could] you cancel the order that has the {product} in it?",
                "[I need|I'd like] the order in which I bought the {product} cancelled.",
                "The order that contains the {product} should be cancelled.",
            ),
            opens=True,
        ),
        reason("the order with the {product}"),
    ),
    existential=True,
)


R25 = Archetype(
    "R25",
    "Cancel an order that can still be cancelled",
    TaskClass.READ_HEAVY,
    whoever(_fit_cancel("pending")),
    _cancel_if_pending,
    N1.clauses,
    existential=True,
)


def _cancel_for(facts: Facts) -> Query:
    cancel_for = Write(
        tool="cancel_pending_order",
        arguments={"order_id": ref("order.order_id"), "reason": fact("excuse")},
    )
    # The user's own word, which no database changes: no branch that evidence could decide.
    accepted = facts["excuse"] in LEXICON["reason"]
    for_reason: Step = cancel_for if accepted else Decline(clause="4.2")
    return request(
        facts,
        order_with(""),
        Branch(
            condition=has_status("order", "pending"),
            then=(for_reason,),
            otherwise=(Decline(clause="4.1"),),
        ),
    )


def _fit_cancel_for(
    session: Session, user: Record, rng: random.Random
) -> Proposal | None:
    found = describe(session, user, "", rng)
    if found is None or found[0]["status"] != "pending":
        return None
    wishes = {"product": found[1], "excuse": rng.choice(list(LEXICON["excuse"]))}
    return proposal_for(user, rng, wishes, "wish", "excuse")


N11 = Archetype(
    "N11",
    "Cancel a pending order for a reason that is not accepted",
    TaskClass.REFUSAL,
    whoever(_fit_cancel_for),
    _cancel_for,
    (
        N1.clauses[0],
        Clause(
            "excuse",
            (
                "The order with the {product} has to go because {excuse}.",
                "My only reason against the order with the {product} is that {excuse}.",
                "Why not keep the order with the {product}? Because {excuse}.",
            ),
        ),
    ),
    existential=True,
)


# --- N2: refunds to other methods ----------------------------------------------------------------------------------------------------------


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


def _fit_return_elsewhere(
    session: Session, user: Record, rng: random.Random
) -> Proposal | None:
    described = describe(session, user, "delivered", rng)
    if described is None:
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
    whoever(_fit_return_elsewhere),
    _return_elsewhere,
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to return the {product} [that was delivered|I received], with the refund to one particular place.",
                "[I'd like|I want] to send the {product} from a delivered order back, and I care where the refund goes.",
                "The {product} that I received goes back, provided that the refund goes to the right place.",
                "[Can|Could] you take back the {product} that was delivered, and refund a method of my choice?",
            ),
            opens=True,
        ),
        Clause(
            "refund",
            (
                "The refund for the {product} has to go to {fallback}, nowhere else.",
                "I only accept the refund for the {product} on {fallback}.",
                "The money for the {product} must end up on {fallback} and on nothing else.",
            ),
        ),
    ),
    existential=True,
)


# --- R26, N12, N7: returns of what was not delivered, or went back already ------------------------------------------------------------------


def _return_if_delivered(clause: str) -> Callable[[Facts], Query]:
    def query(facts: Facts) -> Query:
        return request(
            facts,
            item_in(""),
            Branch(
                condition=has_status("order", "delivered"),
                then=(return_item(),),
                otherwise=(Decline(clause=clause),),
            ),
        )

    return query


def _fit_status(*statuses: str) -> Fit:
    """A thing that tells its order from all others, which has one of the statuses."""

    def fit(session: Session, user: Record, rng: random.Random) -> Proposal | None:
        found = describe(session, user, "", rng)
        if found is None or found[0]["status"] not in statuses:
            return None
        return proposal_for(user, rng, {"product": found[1]}, "wish", "refund")

    return fit


N12 = Archetype(
    "N12",
    "Return a thing that was not delivered yet",
    TaskClass.REFUSAL,
    whoever(_fit_status("pending", "processed")),
    _return_if_delivered("6.1"),
    (
        Clause(
            "wish",
            (
                "[I'd like|I want] to return the {product} I ordered from you.",
                "The {product} that I bought here should be returned.",
                "[Please arrange|Arrange] the return of the {product} that I bought.",
                "[Can|Could] I return the {product} I bought from you?",
            ),
            opens=True,
        ),
        refund("the returned {product}"),
    ),
    existential=True,
)
R26 = Archetype(
    "R26",
    "Return a thing that was delivered",
    TaskClass.READ_HEAVY,
    whoever(_fit_status("delivered")),
    _return_if_delivered("6.1"),
    N12.clauses,
    existential=True,
)
N7 = Archetype(
    "N7",
    "Return a thing from an order with a return or an exchange already requested",
    TaskClass.REFUSAL,
    whoever(_fit_status("exchange requested", "return requested"), 300),
    _return_if_delivered("7.5"),
    (
        Clause(
            "wish",
            (
                "I'd also like to return the {product}, beside anything else that I may have arranged for that order.",
                "There is one more thing to send back, namely the {product} from an order I got from you.",
                "[Please add|Add] the {product} to what goes back from the order it came with.",
                "[Can|Could] the {product} go back as well, whatever was arranged for that order before?",
            ),
            opens=True,
        ),
        refund("the {product} that goes back"),
    ),
    existential=True,
)

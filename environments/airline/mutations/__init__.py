"""Admissible small changes of the airline database: what else a read could have shown.

Admissible is every database of the same shape under the same tools and policy (open world per tool) in which the request still
describes something.
"""

import random
from collections.abc import Iterator

from environments.airline.mutations.flights import changed_status, direct, one_stop
from environments.airline.mutations.records import changed_reservation, changed_user
from environments.airline.relations import DIRECT, ONE_STOP
from environments.core.domain import Patch
from environments.core.pointers import pointer
from environments.core.state import Session, plain_copy
from environments.core.tools import Mode, ToolCall


def mutations(
    session: Session, call: ToolCall, rng: random.Random, mode: Mode = Mode.STRICT
) -> Iterator[Patch]:
    """Patches of what `call` shows, the plainest and best hidden first."""
    arguments = call.arguments
    match call.name:
        case "get_user_details":
            yield from changed_user(session, arguments["user_id"], rng)
        case "get_reservation_details":
            yield from changed_reservation(session, arguments["reservation_id"], rng)
        case "get_flight_status":
            yield from changed_status(session, **arguments)
        case name if name == DIRECT:
            yield from direct(session, rng, mode, **arguments)
        case name if name == ONE_STOP:
            yield from one_stop(session, rng, mode, **arguments)


def swaps(session: Session, one: ToolCall, other: ToolCall) -> Iterator[Patch]:
    """Two reservations of one customer trade everything but their ids."""
    if not one.name == other.name == "get_reservation_details":
        return
    first, second = (
        session.get("reservations", call.arguments["reservation_id"])
        for call in (one, other)
    )
    if first and second and first["user_id"] == second["user_id"]:
        yield [
            {
                "op": "replace",
                "path": pointer("reservations", here["reservation_id"]),
                "value": {
                    **plain_copy(there),
                    "reservation_id": here["reservation_id"],
                },
            }
            for here, there in ((first, second), (second, first))
        ]


__all__ = ["mutations", "swaps"]

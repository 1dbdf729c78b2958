"""Kinds of rental requests: how to draw one, its query, its words. One module per subject.

| module | subject |
|---|---|
| `booking`, `paying` | new bookings: the best of a window; what money or another booking decides |
| `changing` | a booking's unit, length, insurance |
| `cancelling`, `rules` | pairs that a rule of the policy allows or forbids |
| `two_writes` | writes whose order matters |
| `telling` | the user is told something |
| `parts`, `wording` | what they are put together from |
"""

from collections.abc import Sequence
from typing import Any

from environments.core.query import (
    Branch,
    Decline,
    Query,
    Selection,
    Step,
    The,
    Write,
    compare,
    const,
    ref,
)
from environments.core.tools import ToolCall
from environments.rental.archetypes.booking import E1, E2, E3, E6, E7, E8
from environments.rental.archetypes.cancelling import E5, E19, N1, N7, N8
from environments.rental.archetypes.changing import E4, E14, E15, E16, E17, E18
from environments.rental.archetypes.paying import E9, E10, E11, E12, E13
from environments.rental.archetypes.rules import (
    E20,
    E21,
    E22,
    E23,
    E24,
    N2,
    N3,
    N4,
    N5,
    N6,
    T1,
)
from environments.rental.archetypes.telling import I1, I2, I3
from environments.rental.archetypes.two_writes import W1, W2
from environments.rental.archetypes.wording import LEXICON

_READ_HEAVY = (
    *(E1, E2, E3, E4, E5, E6, E7, E8, E9, E10, E11, E12),
    *(E13, E14, E15, E16, E17, E18, E19, E20, E21, E22, E23, E24),
)
ARCHETYPES = (*_READ_HEAVY, W1, W2, N1, N2, N3, N4, N5, N6, N7, N8, T1, I1, I2, I3)


def named(calls: Sequence[ToolCall]) -> Query:
    """The same writes with every argument named: all that is left is whether each booking is still upcoming."""
    steps: list[Step] = []
    for number, call in enumerate(calls):
        arguments: dict[str, Any] = {
            name: const(value) for name, value in call.arguments.items()
        }
        write = Write(tool=call.name, arguments=arguments)
        if "booking_id" not in call.arguments:
            steps.append(write)
            continue
        name = f"booking_{number}"
        by = {"booking_id": arguments["booking_id"]}
        upcoming = compare(ref(f"{name}.status"), "eq", const("upcoming"))
        steps += [
            The(selection=Selection(name=name, relation="booking", by=by)),
            Branch(
                condition=upcoming, then=(write,), otherwise=(Decline(clause="5.1"),)
            ),
        ]
    return Query(steps=tuple(steps))


__all__ = ["ARCHETYPES", "LEXICON", "N1", "N2", "named"]

"""How a world is spoken of: what a write will do, what it did, what to ask, why something is refused.

Every function takes a session: `describe_write` and `describe_refusal` before the write, `describe_outcome` after it.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from environments.core.state import Session
from environments.core.tools import ToolCall


def plain_write(call: ToolCall, session: Session) -> str:
    """An infinitive phrase with every argument: "call refund with order_id #1"."""
    told = [
        f"{name} {value if isinstance(value, str) else json.dumps(value)}"
        for name, value in call.arguments.items()
    ]
    return f"{call.name.replace('_', ' ')} with {', '.join(told)}"


def plain_outcome(call: ToolCall, session: Session) -> str:
    """A sentence on a write that succeeded."""
    return f"I have made this change: {plain_write(call, session)}."


def plain_refusal(clause: str, reads: Sequence[ToolCall], session: Session) -> str:
    """A sentence that says no, for a world without words of its own."""
    return f"I'm sorry, but I can't do that: rule {clause} of our policy does not allow it."


def plain_told(what: str, value: Any) -> str:
    """A sentence that tells the user something; sums are told in whole cents."""
    if isinstance(value, float):
        value = round(value, 2)
    return f"{what[:1].upper()}{what[1:]} is {value}."


def plain_summary(clause: str, reads: Sequence[ToolCall], session: Session) -> str:
    """For the person who takes over."""
    return f"The customer's request is left to a person by rule {clause} of the policy."


def no_aliases(
    call: ToolCall, session: Session
) -> Mapping[str, Sequence[Sequence[str]]]:
    return {}


def no_call(call: ToolCall, session: Session) -> ToolCall | None:
    return None


def no_forbidden_call(
    clause: str, reads: Sequence[ToolCall], session: Session
) -> ToolCall | None:
    return None


IDENTITY: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("email",): (
        "My email [address |]is {email}.",
        "[The|My] account is under {email}.",
        "You [should|will] find me under {email}.",
        "It's {email}.",
        "[I'm registered|I am registered|I signed up] with {email}.",
        "[Sure, my|My] email[ on file|] [would be|is] {email}.",
    ),
    ("first_name", "last_name", "zip"): (
        "[I'm|I am|My name is|This is] {first_name} {last_name}, [and my zip code is|zip code|zip] {zip}.",
        "It's {first_name} {last_name}, zip {zip}.",
        "[My name is|I'm] {first_name} {last_name} and I live in zip code {zip}.",
        "{first_name} {last_name}, [my zip is|zip code] {zip}.",
        "The account is in the name of {first_name} {last_name}, zip code {zip}.",
    ),
    ("user_id",): (
        "My user id is {user_id}.",
        "[The|My] [user |account ]id is {user_id}.",
        "[It's|That's|Sure, it's] {user_id}.",
        "You [should|will] find me under the user id {user_id}.",
        "[I'm|I am] {user_id} in your system.",
    ),
}
"""Facts that say who the user is → patterns of a sentence that tells them."""


_ASKED = {
    "email": "your email, or your full name and zip code",
    "zip": "your email, or your full name and zip code",
    "user_id": "your user id",
}


def asked_identity(names: Collection[str]) -> str:
    """How somebody is asked who he is, who is known by the facts of these names: "your card number"."""
    known = (_ASKED[name] for name in _ASKED if name in names)
    plain = " and ".join(f"your {name.replace('_', ' ')}" for name in names)
    return next(known, plain)


@dataclass(frozen=True)
class Words:
    """A domain's words. The two last are for scripted faults: writes that should not be made."""

    describe_write: Callable[[ToolCall, Session], str] = plain_write
    """An infinitive phrase that names every identifier of the write."""
    describe_outcome: Callable[[ToolCall, Session], str] = plain_outcome
    """One or two sentences."""
    describe_refusal: Callable[[str, Sequence[ToolCall], Session], str] = plain_refusal
    """(policy clause, reads made, state) → why the request is refused."""
    describe_told: Callable[[str, Any], str] = plain_told
    """(what it is, value) → a sentence that tells it."""
    describe_transfer: Callable[[str, Sequence[ToolCall], Session], str] = plain_summary
    """(policy clause, reads made, state) → summary for the person who takes over."""
    transfer_tool: str = "transfer_to_human_agents"
    """The tool that hands over; its argument is `summary`."""
    after_transfer: str = "YOU ARE BEING TRANSFERRED TO A HUMAN AGENT. PLEASE HOLD ON."
    """What the policy has the agent say next."""
    identity: Mapping[tuple[str, ...], tuple[str, ...]] = field(
        default_factory=lambda: IDENTITY
    )
    """Facts that say who the user is → patterns of a sentence that tells them; the first whose facts are there is taken."""
    questions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Fact name → patterns of a question for it."""
    aliases: Callable[[ToolCall, Session], Mapping[str, Sequence[Sequence[str]]]] = (
        no_aliases
    )
    """Id in the call → other ways to name it, each a list of texts that must all be there (none: needs no naming)."""
    unasked_write: Callable[[ToolCall, Session], ToolCall | None] = no_call
    """(gold write, state after all of them) → a legal write that nobody asked for."""
    forbidden_write: Callable[[str, Sequence[ToolCall], Session], ToolCall | None] = (
        no_forbidden_call
    )
    """(policy clause, reads made, state) → the write that the clause forbids."""


PLAIN = Words()

"""Of a request in two phases: what an agent does about the wish that is given up, before it knows that it will be."""

from dataclasses import dataclass

from environments.core.environment import Environment
from environments.core.evaluate import answer
from environments.core.tools import ToolCall
from writ_app.engine.types import Ledger


@dataclass(frozen=True)
class FirstWish:
    """`reads` are what it rests on; then either the `change` is proposed (an infinitive phrase) or the `refusal` is said."""

    reads: tuple[ToolCall, ...] = ()
    write: ToolCall | None = None
    """The first write that it would come to."""
    change: str = ""
    refusal: str = ""


def first_wish(environment: Environment, ledger: Ledger) -> FirstWish | None:
    """None if there is only one wish."""
    first = ledger.first
    if first is None:
        return None
    words, session = environment.domain.words, environment.session()
    found = answer(
        first.query,
        first.facts,
        environment.domain.from_state(session.state),
        environment.domain,
        delta=0.0,
    )
    reads = tuple(
        call
        for call in found.reads.values()
        if not _finds_otherwise(call, environment, ledger)
    )
    if first.declined:
        refusal = words.describe_refusal(first.declined, reads, session.state)
        return FirstWish(reads, refusal=refusal)
    if first.gold:
        change = words.describe_write(first.gold[0], session.state)
        return FirstWish(reads, write=first.gold[0], change=change)
    return FirstWish(reads)


def _finds_otherwise(call: ToolCall, environment: Environment, ledger: Ledger) -> bool:
    """Whether a read finds the account by something that this user does not tell."""
    who = {name for names in environment.domain.words.identity for name in names}
    told = {
        name for line in ledger.lines if line.kind == "identity" for name in line.tells
    }
    assert ledger.first is not None
    facts = ledger.first.facts
    return bool(call.arguments) and all(
        name in who - told and facts.get(name) == value
        for name, value in call.arguments.items()
    )

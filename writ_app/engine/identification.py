"""Whether a request has one right answer: the oracle's answer on the database as it is, and lints on it.

Knows nothing about proofs or words.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from environments.core.domain import Archetype, Facts, Row, Shown, Source
from environments.core.environment import Environment
from environments.core.errors import Unidentifiable
from environments.core.evaluate import Answer, Judged, answer, check_rivals
from environments.core.query import Query, undeclined
from environments.core.state import Session
from environments.core.tools import ToolCall
from writ_app.engine.errors import InvalidTask


@dataclass
class _Unwritten:
    """A source in which writes leave no trace, also those that the world would refuse."""

    source: Source

    def expand(self, relation: str, parent: Row | None, by: Facts) -> list[Shown]:
        return self.source.expand(relation, parent, by)

    def apply(self, call: ToolCall) -> None:
        pass

    def effect(self) -> str:
        return self.source.effect()

    def has_effect_of(self, other: "_Unwritten") -> bool:
        return self.source.has_effect_of(other.source)


def answer_on_base(
    environment: Environment,
    query: Query,
    facts: Mapping[str, Any],
    judged: Judged | None = None,
) -> Answer:
    """The oracle's answer on the base."""
    domain, base = environment.domain, Session(environment.state)
    return answer(query, facts, domain.from_state(base), domain, judged=judged)


def identify(
    environment: Environment,
    query: Query,
    facts: Mapping[str, Any],
    judged: Judged | None = None,
) -> Answer:
    """The oracle's answer, checked for U1–U3."""
    domain, base = environment.domain, Session(environment.state)
    judged = Judged() if judged is None else judged
    found = answer(query, facts, domain.from_state(base), domain, judged=judged)
    check_rivals(query, facts, lambda: domain.from_state(base), domain, found, judged)
    return found


def answer_if_allowed(
    environment: Environment, query: Query, facts: Mapping[str, Any]
) -> tuple[Any, ...] | None:
    """What would come of it if the policy did not refuse it; None if nothing clear would. Nothing is written."""
    domain, base = environment.domain, Session(environment.state)
    source = _Unwritten(domain.from_state(base))
    try:
        return answer(undeclined(query), facts, source, domain).outcome
    except Unidentifiable:
        return None


def ends_like(
    environment: Environment, query: Query, facts: Mapping[str, Any], found: Answer
) -> bool:
    try:
        return identify(environment, query, facts).outcome == found.outcome
    except Unidentifiable:
        return False


def identity_names(
    environment: Environment, facts: Mapping[str, Any]
) -> frozenset[str]:
    """Names of the facts that say who the user is."""
    groups = environment.domain.words.identity
    return next(
        (frozenset(names) for names in groups if facts.keys() >= set(names)),
        frozenset(),
    )


def person_of(environment: Environment, reads: Iterable[ToolCall]) -> str:
    """Key of the first person whom an argument names, "" if none does."""
    known = environment.state.collections.get(environment.domain.people, {})
    named = (value for call in reads for value in call.arguments.values())
    return next((v for v in named if isinstance(v, str) and v in known), "")


def refuse_degenerate(archetype: Archetype, found: Answer) -> None:
    """Lint: an objective must have something to choose between, and a refusal must refuse."""
    for choice in found.choices:
        if sum(candidate.feasible for candidate in choice.candidates) < 2:
            raise InvalidTask("degenerate", f"{choice.name} leaves nothing to choose.")
        if choice.idle:
            raise InvalidTask(
                "idle_term",
                f"{choice.idle[0]} is the same for all: it decides nothing.",
            )
    ending = (
        "declined" if found.declined else "transferred" if found.transferred else "done"
    )
    if archetype.task_class.ending != ending:
        raise InvalidTask(
            "wrong_class", "The policy's answer does not fit the archetype."
        )

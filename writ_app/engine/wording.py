"""A request in words: which clauses have to be said, and words for them that lead back to the query."""

import random
from collections.abc import Iterable, Mapping
from typing import Any

from environments.core.domain import Archetype, Proposal
from environments.core.environment import Environment
from environments.core.evaluate import Answer
from environments.core.grammar import apart_from_sisters, say, understand
from environments.core.query import Query
from writ_app.engine.errors import InvalidTask
from writ_app.engine.identification import (
    answer_if_allowed,
    ends_like,
    identity_names,
)
from writ_app.engine.types import SaidClause

WORDINGS = 12
"""Ways of saying it that are tried before a draw is given up as unclear."""


def clauses_needed(
    environment: Environment,
    archetype: Archetype,
    proposal: Proposal,
    query: Query,
    found: Answer,
) -> tuple[str, ...]:
    """U4: clauses to say, with those that rule out a reading which would give another answer.

    A refusal says what it would say if it were allowed: else the clauses would give it away.
    """
    names, known = (
        set(proposal.clauses),
        {clause.name for clause in archetype.clauses},
    )
    allowed = (
        answer_if_allowed(environment, query, proposal.facts)
        if found.declined
        else None
    )
    for reading in archetype.readings(proposal.facts):
        same = ends_like(environment, reading.query, proposal.facts, found) and (
            allowed is None
            or answer_if_allowed(environment, reading.query, proposal.facts) == allowed
        )
        if not same:
            if reading.ruled_out_by not in {"", *known}:
                raise ValueError(
                    f"{archetype.slug} has no clause {reading.ruled_out_by!r}."
                )
            if not reading.ruled_out_by:
                raise InvalidTask(
                    "two_readings", f"The words may also mean: {reading.name}."
                )
            names.add(reading.ruled_out_by)
    return tuple(clause.name for clause in archetype.clauses if clause.name in names)


def words_for(
    environment: Environment,
    archetype: Archetype,
    names: tuple[str, ...],
    facts: Mapping[str, Any],
    query: Query,
    rng: random.Random,
) -> list[SaidClause]:
    """Words that lead back to the query: parsed again, this archetype accounts for them, and but for sisters no other."""
    domain = environment.domain
    spoken = [clause for clause in archetype.clauses if clause.name in names]
    identity = identity_names(environment, facts)
    who = {name: facts[name] for name in identity}
    for _ in range(WORDINGS):
        said = [say(clause, facts, domain.lexicon, rng) for clause in spoken]
        text = " ".join(part.text for part in said)
        understood = apart_from_sisters(
            understand(text, domain.archetypes, domain.lexicon),
            archetype,
            query,
            who,
            domain.archetypes,
        )
        if len(understood) != 1 or understood[0].archetype != archetype.slug:
            continue
        wishes = understood[0].facts
        if any(facts.get(name) != value for name, value in wishes.items()):
            continue
        again = archetype.query({**_identity(facts, wishes), **wishes})
        if again.content_hash == query.content_hash:
            return [
                SaidClause(name=s.name, text=s.text, tells=s.tells, opens=s.opens)
                for s in said
            ]
    raise InvalidTask("unclear_words", "The words do not lead back to the query.")


def refuse_unsaid(
    environment: Environment, facts: Mapping[str, Any], said: Iterable[SaidClause]
) -> None:
    """Whatever the user knows must come out: in a clause, or in the words by which users say who they are."""
    told = {name for clause in said for name in clause.tells}
    told |= identity_names(environment, facts)
    for name in facts.keys() - told:
        raise InvalidTask("unsaid", f"No clause says {name}.")


def _identity(facts: Mapping[str, Any], wishes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name not in wishes}

"""A request that is identified and worded, and the task that its proof makes of it."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from environments.core.domain import Archetype, TaskClass
from environments.core.environment import Environment
from environments.core.evaluate import Answer, Choice, Judged
from environments.core.query import Query
from writ_app.engine.evidence import Proof
from writ_app.engine.identification import person_of
from writ_app.engine.types import (
    ArgumentOrigin,
    CandidateLine,
    CandidateTable,
    Companions,
    GoldWrite,
    SaidClause,
    Task,
    ToldFact,
    WriteOrders,
)


@dataclass(frozen=True)
class Draft:
    """A request that is identified and worded, and still to be proved."""

    archetypes: tuple[Archetype, ...]
    query: Query
    facts: Mapping[str, Any]
    found: Answer
    said: Sequence[SaidClause]
    dependent: bool
    judged: Judged
    orders: WriteOrders | None = None


def floor_chance(query: Query) -> random.Random:
    """The chance behind a floor: whoever checks the task later must come to the same one."""
    return random.Random(query.content_hash)


def task_of(
    environment: Environment, draft: Draft, proof: Proof, seed: int, lift: int
) -> Task:
    found = draft.found
    archetypes = draft.archetypes
    composed = len(archetypes) > 1
    existential = any(archetype.existential for archetype in archetypes)
    return Task(
        environment=environment.name,
        environment_version=environment.version,
        environment_hash=environment.content_hash,
        state_hash=environment.state.content_hash,
        archetype="+".join(archetype.slug for archetype in archetypes),
        title="; ".join(archetype.title for archetype in archetypes),
        task_class=TaskClass.WRITE_INTENSIVE if composed else archetypes[0].task_class,
        seed=seed,
        query=draft.query,
        facts=dict(draft.facts),
        clauses=tuple(draft.said),
        text=" ".join(clause.text for clause in draft.said),
        gold=_gold(found, proof),
        told=_told(found, proof),
        declined=found.declined,
        transferred=found.transferred,
        gold_effect=found.effect,
        certificate=tuple(proof.reads),
        spoken_of=tuple(proof.scope.values()),
        burden=proof.burden,
        companions=companions_of(
            found,
            expected_reads=proof.expected_reads,
            evidence_tokens=proof.evidence_tokens,
            lift=lift,
        ),
        tables=tuple(_table(choice) for choice in found.choices),
        decisions=tuple(_decision_text(decision) for decision in found.decisions),
        existential=existential and len(proof.scope) > len(proof.reads),
        dependent=draft.dependent,
        person=person_of(environment, found.reads.values()),
        parts=tuple(archetype.slug for archetype in archetypes) if composed else (),
        orders=draft.orders,
    )


def _gold(found: Answer, proof: Proof) -> tuple[GoldWrite, ...]:
    """The gold writes; reads of the certificate that no write rests on are needed by the last one."""
    claimed = {key for write in found.writes for key in write.rests_on}
    claimed |= {key for told in found.told for key in told.rests_on}
    last = len(found.writes) - 1
    return tuple(
        GoldWrite(
            call=write.call,
            origins=tuple(
                ArgumentOrigin(
                    pointer=place,
                    kind=origin.kind,
                    refs=origin.refs,
                    detail=origin.detail,
                )
                for place, origin in write.origins.items()
            ),
            needs=tuple(
                n
                for n, read in enumerate(proof.reads)
                if read.call.key in write.rests_on
                or (number == last and read.call.key not in claimed)
            ),
        )
        for number, write in enumerate(found.writes)
    )


def _told(found: Answer, proof: Proof) -> tuple[ToldFact, ...]:
    """What is told; without writes it needs the whole certificate."""
    return tuple(
        ToldFact(
            what=one.what,
            value=one.value,
            needs=tuple(
                n
                for n, read in enumerate(proof.reads)
                if read.call.key in one.rests_on or not found.writes
            ),
        )
        for one in found.told
    )


def companions_of(
    found: Answer, *, expected_reads: float, evidence_tokens: int, lift: int
) -> Companions:
    margins = [choice.margin for choice in found.choices] + [
        decision.slack for decision in found.decisions
    ]
    numbers = [margin for margin in margins if margin is not None]
    return Companions(
        lift=lift,
        expected_reads=expected_reads,
        candidates=sum(len(choice.candidates) for choice in found.choices),
        feasible=sum(
            candidate.feasible
            for choice in found.choices
            for candidate in choice.candidates
        ),
        decoys=sum(choice.decoys for choice in found.choices),
        margin=round(min(numbers), 2) if numbers else None,
        evidence_tokens=evidence_tokens,
    )


def _table(choice: Choice) -> CandidateTable:
    lines = tuple(
        CandidateLine(
            label=candidate.label,
            objective=candidate.objective,
            why_not=candidate.why_not,
            read=candidate.read,
            pointer=candidate.pointer,
            gold=position == choice.chosen,
        )
        for position, candidate in enumerate(choice.candidates)
    )
    return CandidateTable(
        name=choice.name, objective=choice.objective, lines=lines, margin=choice.margin
    )


def _decision_text(decision: Any) -> str:
    slack = "" if decision.slack is None else f", by {decision.slack:.2f}"
    return f"{decision.condition}: {'yes' if decision.held else 'no'}{slack}"

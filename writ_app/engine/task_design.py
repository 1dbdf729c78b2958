"""Design of tasks: archetype → draw → query → gold → proof → words, each step a function.

The same environment, archetype and seed give the same task in every process. Whatever cannot be proved is refused with a reason.
Knows nothing about databases, users or models.
"""

import random
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from environments.core.domain import Archetype, Proposal, TaskClass
from environments.core.environment import Environment
from environments.core.errors import Unidentifiable
from environments.core.evaluate import Answer, Choice, Judged, answer, check_rivals
from environments.core.grammar import say, understand
from environments.core.query import Query
from environments.core.state import Session
from writ_app.engine.errors import InvalidTask
from writ_app.engine.evidence import Observer, Proof, count_needed, prove
from writ_app.engine.types import (
    ArgumentOrigin,
    CandidateLine,
    CandidateTable,
    Companions,
    GoldWrite,
    SaidClause,
    Task,
    ToldFact,
)

WORDINGS = 12
"""Ways of saying it that are tried before a draw is given up as unclear."""


@dataclass
class DesignReport:
    """How a design went: draws made, refusals by reason, tasks by archetype."""

    draws: int = 0
    drawn: Counter[str] = field(default_factory=Counter)
    """Draws by archetype."""
    refused: Counter[str] = field(default_factory=Counter)
    designed: Counter[str] = field(default_factory=Counter)
    exhausted: list[str] = field(default_factory=list)
    """Archetypes that gave no more tasks."""


class Designer:
    """Designs tasks over one environment; what is read for one proof serves the next.

    `avoid` are keys of people whose entities must not be used, such as those of a benchmark's tasks.
    """

    def __init__(self, environment: Environment, *, avoid: Collection[str] = ()):
        self.environment = environment
        spared = frozenset(avoid)
        self._people = [key for key in environment.people if key not in spared]
        self.report = DesignReport()
        self._observer = Observer(environment)
        self._archetypes = {
            archetype.slug: archetype for archetype in environment.domain.archetypes
        }

    def design(self, slug: str, seed: int, *, draws: int = 1000) -> Task:
        """The task that `seed` gives for an archetype. Raises InvalidTask("exhausted") if no draw can be proved."""
        archetype = self._archetypes[slug]
        rng = random.Random(f"{self.environment.content_hash}/{slug}/{seed}")
        for _ in range(draws if self._people else 0):
            self.report.draws += 1
            self.report.drawn[slug] += 1
            proposal = archetype.propose(
                Session(self.environment.state), rng, self._people
            )
            if proposal is None:
                self.report.refused["no_fit"] += 1
                continue
            try:
                task = self._build(archetype, proposal, seed, rng)
            except (InvalidTask, Unidentifiable) as error:
                self.report.refused[error.reason] += 1
                continue
            self.report.designed[slug] += 1
            return task
        raise InvalidTask(
            "exhausted",
            f"No {slug} could be proved in {draws} draws from {self.environment.version}.",
        )

    def design_many(
        self, mix: Mapping[str, float], count: int, seed: int
    ) -> Iterator[Task]:
        """`count` different tasks, archetypes in turn by weight; an archetype that gives no more is left out from then on."""
        weights = {slug: weight for slug, weight in mix.items() if weight > 0}
        given: Counter[str] = Counter()
        seen: set[str] = set()
        tries = 0
        while sum(given.values()) < count and weights:
            slug = min(
                weights, key=lambda name: ((given[name] + 1) / weights[name], name)
            )
            tries += 1
            try:
                task = self.design(slug, seed * 1_000_003 + tries)
            except InvalidTask:
                del weights[slug]
                self.report.exhausted.append(slug)
                continue
            mark = f"{task.query.content_hash}{sorted(task.facts.items())}"
            if mark in seen:
                self.report.refused["duplicate"] += 1
                if tries > 50 * count:
                    return
                continue
            seen.add(mark)
            given[slug] += 1
            yield task

    def _build(
        self, archetype: Archetype, proposal: Proposal, seed: int, rng: random.Random
    ) -> Task:
        query = archetype.query(proposal.facts)
        found = self._identify(query, proposal.facts)
        _refuse_degenerate(archetype, found)
        self._refuse_order_blindness(archetype, proposal.facts, found)
        clauses = self._clauses_needed(archetype, proposal, found)
        said = self._words(archetype, clauses, proposal.facts, query, rng)
        self._refuse_unsaid(proposal.facts, said)
        proof = prove(self._observer, query, proposal.facts, found, rng=rng)
        if proof.one_sided:
            raise InvalidTask(
                "one_sided", f"Nothing can change whether {proof.one_sided[0]}."
            )
        lift = proof.burden.total - self._floor(found, proposal.facts, rng)
        return self._task(
            archetype, proposal.facts, query, found, proof, said, seed, lift
        )

    def _identify(self, query: Query, facts: Mapping[str, Any]) -> Answer:
        """The oracle's answer, checked for U1–U3."""
        domain, base = self.environment.domain, Session(self.environment.state)
        judged: Judged = {}
        found = answer(query, facts, domain.from_state(base), domain, judged=judged)
        check_rivals(
            query, facts, lambda: domain.from_state(base), domain, found, judged
        )
        return found

    def _refuse_order_blindness(
        self, archetype: Archetype, facts: Mapping[str, Any], found: Answer
    ) -> None:
        """What is called dependent must depend: the wishes in another order lead to another state, or to none."""
        for query in archetype.permuted(facts):
            try:
                other = self._identify(query, facts)
            except Unidentifiable:
                continue
            if other.effect == found.effect:
                raise InvalidTask(
                    "order_blind", "The writes do not depend on each other."
                )

    def _clauses_needed(
        self, archetype: Archetype, proposal: Proposal, found: Answer
    ) -> tuple[str, ...]:
        """U4: clauses to say, with those that rule out a reading which would give another answer."""
        names, known = (
            set(proposal.clauses),
            {clause.name for clause in archetype.clauses},
        )
        for reading in archetype.readings(proposal.facts):
            try:
                same = (
                    self._identify(reading.query, proposal.facts).outcome
                    == found.outcome
                )
            except Unidentifiable:
                same = False
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
        return tuple(
            clause.name for clause in archetype.clauses if clause.name in names
        )

    def _words(
        self,
        archetype: Archetype,
        names: tuple[str, ...],
        facts: Mapping[str, Any],
        query: Query,
        rng: random.Random,
    ) -> list[SaidClause]:
        """Words that lead back to the query: parsed again, exactly one archetype accounts for them, with the same query."""
        domain = self.environment.domain
        spoken = [clause for clause in archetype.clauses if clause.name in names]
        for _ in range(WORDINGS):
            said = [say(clause, facts, domain.lexicon, rng) for clause in spoken]
            understood = understand(
                " ".join(part.text for part in said), domain.archetypes, domain.lexicon
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

    def _refuse_unsaid(
        self, facts: Mapping[str, Any], said: Iterable[SaidClause]
    ) -> None:
        """Whatever the user knows must come out: in a clause, or in the words by which users say who they are."""
        told = {name for clause in said for name in clause.tells}
        for names in self.environment.domain.words.identity:
            if facts.keys() >= set(names):
                told.update(names)
                break
        for name in facts.keys() - told:
            raise InvalidTask("unsaid", f"No clause says {name}.")

    def _floor(
        self, found: Answer, facts: Mapping[str, Any], rng: random.Random
    ) -> int:
        """Burden of the same writes with every argument named by the user."""
        if not found.gold:
            return 0
        told = {**facts, "named": [call.arguments for call in found.gold]}
        try:
            return count_needed(
                self._observer, self.environment.domain.named(found.gold), told, rng
            )
        except Unidentifiable:
            return (
                0  # writes that undo each other's preconditions cannot be named apart
            )

    def _task(
        self,
        archetype: Archetype,
        facts: Mapping[str, Any],
        query: Query,
        found: Answer,
        proof: Proof,
        said: list[SaidClause],
        seed: int,
        lift: int,
    ) -> Task:
        environment = self.environment
        return Task(
            environment=environment.name,
            environment_version=environment.version,
            environment_hash=environment.content_hash,
            state_hash=environment.state.content_hash,
            archetype=archetype.slug,
            title=archetype.title,
            task_class=archetype.task_class,
            seed=seed,
            query=query,
            facts=dict(facts),
            clauses=tuple(said),
            text=" ".join(clause.text for clause in said),
            gold=_gold(found, proof),
            told=_told(found, proof),
            declined=found.declined,
            transferred=found.transferred,
            gold_effect=found.effect,
            certificate=tuple(proof.reads),
            spoken_of=tuple(proof.scope.values()),
            burden=proof.burden,
            companions=_companions(found, proof, lift),
            tables=tuple(_table(choice) for choice in found.choices),
            decisions=tuple(_decision_text(decision) for decision in found.decisions),
            existential=archetype.existential and len(proof.scope) > len(proof.reads),
            dependent=archetype.dependent,
        )


def _identity(facts: Mapping[str, Any], wishes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name not in wishes}


def _refuse_degenerate(archetype: Archetype, found: Answer) -> None:
    """Lint: an objective must have something to choose between, and a refusal must refuse."""
    for choice in found.choices:
        if sum(candidate.feasible for candidate in choice.candidates) < 2:
            raise InvalidTask("degenerate", f"{choice.name} leaves nothing to choose.")
        if choice.idle:
            raise InvalidTask(
                "idle_term",
                f"{choice.idle[0]} is the same for all: it decides nothing.",
            )
    if (archetype.task_class is TaskClass.REFUSAL) != bool(found.declined) or (
        archetype.task_class is TaskClass.TRANSFER
    ) != bool(found.transferred):
        raise InvalidTask(
            "wrong_class", "The policy's answer does not fit the archetype."
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


def _companions(found: Answer, proof: Proof, lift: int) -> Companions:
    margins = [choice.margin for choice in found.choices] + [
        decision.slack for decision in found.decisions
    ]
    numbers = [margin for margin in margins if margin is not None]
    return Companions(
        lift=lift,
        expected_reads=proof.expected_reads,
        candidates=sum(len(choice.candidates) for choice in found.choices),
        feasible=sum(
            candidate.feasible
            for choice in found.choices
            for candidate in choice.candidates
        ),
        decoys=sum(choice.decoys for choice in found.choices),
        margin=round(min(numbers), 2) if numbers else None,
        evidence_tokens=proof.evidence_tokens,
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

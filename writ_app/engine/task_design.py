"""Design of tasks: archetype → draw → query → gold → proof → words, each step a function.

The same environment, archetype and seed give the same task in every process. Whatever cannot be proved is refused with a reason.
Knows nothing about databases, users or models.
"""

import random
from collections import Counter
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from environments.core.domain import (
    Archetype,
    Clause,
    Facts,
    Proposal,
    Row,
    Shown,
    Source,
    TaskClass,
)
from environments.core.environment import Environment
from environments.core.errors import Unidentifiable
from environments.core.evaluate import Answer, Choice, Judged, answer, check_rivals
from environments.core.grammar import apart_from_sisters, say, understand
from environments.core.query import Query, undeclined
from environments.core.state import Session
from environments.core.tools import ToolCall
from writ_app.engine import gold_trace
from writ_app.engine.composition import (
    AFTER,
    NEXT,
    Composition,
    Part,
    split_words,
)
from writ_app.engine.errors import InvalidTask
from writ_app.engine.evidence import Observer, Proof, floor_of, prove
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

WHO = "who"
"""Stands for the key of the read that finds the person."""
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


@dataclass(frozen=True)
class Sketch:
    """A draw that has an answer, before it is checked, worded and proved: cheap to make."""

    archetype: Archetype
    proposal: Proposal
    found: Answer
    needs: frozenset[str]
    """Keys of the reads that the certificate most likely has: all but those in which a description was only looked for.

    The read that finds the person goes by another name, for it is the same however the person is told.
    """


class NotTogether(InvalidTask):
    """Wishes that one request cannot hold: the one at `place` does not go with those before it."""

    def __init__(self, place: int):
        super().__init__("no_fit", "The wishes cannot all be done.")
        self.place = place


@dataclass(frozen=True)
class _Draft:
    """A request that is identified and worded, and still to be proved."""

    archetypes: tuple[Archetype, ...]
    query: Query
    facts: Mapping[str, Any]
    found: Answer
    said: Sequence[SaidClause]
    dependent: bool
    judged: Judged
    orders: WriteOrders | None = None


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


class Designer:
    """Designs tasks over one environment; what is read for one proof serves the next.

    `avoid` are keys of people whose entities must not be used, such as those of a benchmark's tasks. `refuse` gives a reason to
    refuse a finished task, or "".
    """

    def __init__(
        self,
        environment: Environment,
        *,
        avoid: Collection[str] = (),
        refuse: Callable[[Task], str] = lambda task: "",
    ):
        self.environment = environment
        spared = frozenset(avoid)
        self.people = [key for key in environment.people if key not in spared]
        self.report = DesignReport()
        self.archetypes = {
            archetype.slug: archetype for archetype in environment.domain.archetypes
        }
        self._refuse = refuse
        self._observer = Observer(environment)

    def design(
        self,
        slug: str,
        seed: int,
        *,
        draws: int = 1000,
        people: Sequence[str] | None = None,
    ) -> Task:
        """The task that `seed` gives for an archetype, of one of the `people` (default: all).

        Raises InvalidTask("exhausted") if no draw can be proved.
        """
        archetype = self.archetypes[slug]

        def draw(rng: random.Random) -> _Draft:
            chosen = self.people if people is None else people
            return _alone(self._draw(archetype, chosen, rng))

        return self._first(slug, seed, draws, draw)

    def compose(
        self,
        writes: int,
        seed: int,
        *,
        draws: int = 60,
        people: Sequence[str] | None = None,
        weights: Mapping[str, float] | None = None,
    ) -> Task:
        """A task of one user with so many writes, put together from archetypes; `weights` (by slug) say how gladly each is taken.

        Raises InvalidTask("exhausted") if no draw can be proved.
        """

        def draw(rng: random.Random) -> _Draft:
            return self._draw_composed(
                writes, self.people if people is None else people, weights or {}, rng
            )

        return self._first(f"{writes} writes", seed, draws, draw)

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
            if task.request_hash in seen:
                self.report.refused["duplicate"] += 1
                if tries > 50 * count:
                    return
                continue
            seen.add(task.request_hash)
            given[slug] += 1
            yield task

    # step by step, for who chooses what is to be asked

    def sketch(self, slug: str, person: str, rng: random.Random) -> Sketch:
        """A draw of one person, with its answer. Raises InvalidTask or Unidentifiable."""
        archetype = self.archetypes[slug]
        proposal = self._propose(archetype, [person], rng)
        found = self._answer(archetype.query(proposal.facts), proposal.facts)
        told = identity_names(self.environment, proposal.facts)
        who = {name: proposal.facts[name] for name in told}
        first_reads = self.environment.domain.first_reads
        begin = {call.key for call in first_reads(who)}
        begin -= {call.key for call in first_reads({})}
        needs = frozenset(
            WHO if key in begin else key for key in found.reads.keys() - found.scanned
        )
        return Sketch(archetype, proposal, found, needs)

    def wordless(self, slug: str, proposal: Proposal) -> Part:
        """A draw as a part that nobody has put into words: enough to see what it goes together with."""
        archetype, facts = self.archetypes[slug], proposal.facts
        query = archetype.query(facts)
        return Part(archetype, facts, query, self._answer(query, facts), ())

    def part(self, slug: str, proposal: Proposal, rng: random.Random) -> Part:
        """A draw checked and put into words. Raises InvalidTask or Unidentifiable."""
        return self._part(self.archetypes[slug], proposal, rng)

    def changed_by(self, part: Part) -> frozenset[tuple[str, Any]]:
        """(collection, key) of what the part's writes change."""
        session = self.environment.session()
        session.replay(part.found.gold)
        return frozenset(one for one in session.state.affected() if one[1] != "*")

    def go_together(self, one: Part, other: Part) -> bool:
        """Whether one request can hold both."""
        first = Composition((one,), identity_names(self.environment, one.facts))
        return self._with(first, other, Judged()) is not None

    def finish(
        self,
        parts: Sequence[Part],
        seed: int,
        fits: Callable[[int], bool] = lambda expected: True,
    ) -> Task | None:
        """The task of one part, or of several together; None if what it is expected to weigh does not fit, which spares the proof.

        Raises InvalidTask, NotTogether among them, or Unidentifiable.
        """
        rng = random.Random(f"{self.environment.content_hash}/finish/{seed}")
        if len(parts) == 1:
            draft = _alone(parts[0])
        else:
            composition, judged = Composition((), frozenset()), Judged()
            for place, part in enumerate(parts):
                longer = self._with(composition, part, judged)
                if longer is None:
                    raise NotTogether(place)
                composition = longer
            draft = self._joined(composition, judged, rng)
        if not fits(len(draft.found.reads.keys() - draft.found.scanned)):
            return None
        return self._prove(draft, seed, rng)

    def _first(
        self,
        name: str,
        seed: int,
        draws: int,
        draw: Callable[[random.Random], _Draft],
    ) -> Task:
        """The first draw that can be proved."""
        rng = random.Random(f"{self.environment.content_hash}/{name}/{seed}")
        for _ in range(draws if self.people else 0):
            self.report.draws += 1
            self.report.drawn[name] += 1
            try:
                task = self._prove(draw(rng), seed, rng)
            except (InvalidTask, Unidentifiable) as error:
                self.report.refused[error.reason] += 1
                continue
            self.report.designed[name] += 1
            return task
        raise InvalidTask(
            "exhausted",
            f"No {name} could be proved in {draws} draws from {self.environment.version}.",
        )

    # drafts

    def _draw(
        self, archetype: Archetype, people: Sequence[str], rng: random.Random
    ) -> Part:
        """Raises InvalidTask or Unidentifiable if the draw does not fit."""
        return self._part(archetype, self._propose(archetype, people, rng), rng)

    def _propose(
        self, archetype: Archetype, people: Sequence[str], rng: random.Random
    ) -> Proposal:
        proposal = archetype.propose(Session(self.environment.state), rng, people)
        if proposal is None:
            raise InvalidTask("no_fit", "The draw does not fit.")
        return proposal

    def _part(
        self, archetype: Archetype, proposal: Proposal, rng: random.Random
    ) -> Part:
        query = archetype.query(proposal.facts)
        found = self._identify(query, proposal.facts)
        refuse_degenerate(archetype, found)
        self._refuse_order_blindness(archetype, proposal.facts, found)
        clauses = self._clauses_needed(archetype, proposal, query, found)
        said = self._words(archetype, clauses, proposal.facts, query, rng)
        self._refuse_unsaid(proposal.facts, said)
        return Part(archetype, proposal.facts, query, found, tuple(said))

    def _draw_composed(
        self,
        writes: int,
        people: Sequence[str],
        weights: Mapping[str, float],
        rng: random.Random,
    ) -> _Draft:
        """Parts of one person that can be done one after the other. Raises InvalidTask, Unidentifiable."""
        person = [rng.choice(people)]
        composition, judged = Composition((), frozenset()), Judged()
        for archetype in self._joinable(weights, rng):
            try:
                part = self._draw(archetype, person, rng)
            except (InvalidTask, Unidentifiable):
                continue
            if _count_writes(composition) + len(part.found.writes) <= writes:
                composition = self._with(composition, part, judged) or composition
            if _count_writes(composition) == writes:
                break
        if _count_writes(composition) != writes or len(composition.parts) < 2:
            raise InvalidTask("no_fit", "The person has too little to ask for.")
        return self._joined(composition, judged, rng)

    def _joined(
        self, composition: Composition, judged: Judged, rng: random.Random
    ) -> _Draft:
        """Raises InvalidTask or Unidentifiable."""
        query, facts = composition.query(), composition.facts
        found = self._identify(query, facts, judged)
        for part in composition.parts:
            refuse_degenerate(part.archetype, part.found)
        orders = composition.orders(
            self._observer, found, partial(self._answer, judged=judged)
        )
        dependent = orders.same < orders.tried
        joint = AFTER if dependent else NEXT
        said = composition.words(joint, rng)
        _check_joints(said, joint, composition)
        archetypes = tuple(part.archetype for part in composition.parts)
        return _Draft(archetypes, query, facts, found, said, dependent, judged, orders)

    def _joinable(
        self, weights: Mapping[str, float], rng: random.Random
    ) -> Iterator[Archetype]:
        """Archetypes that write and whose own writes keep no order, twice each, in a random order that favours heavy weights."""
        kinds = [
            archetype
            for archetype in self.archetypes.values()
            if is_joinable(archetype) and weights.get(archetype.slug, 1.0) > 0
        ]
        keys = {
            kind.slug: rng.random() ** (1 / weights.get(kind.slug, 1.0))
            for kind in kinds
        }
        for _ in range(2):
            yield from sorted(kinds, key=lambda kind: (-keys[kind.slug], kind.slug))

    def _with(
        self, composition: Composition, part: Part, judged: Judged
    ) -> Composition | None:
        """The composition with one more part, put at the last place where everything can still be done; None if there is none."""
        taken = {call.key for other in composition.parts for call in other.found.gold}
        if taken & {call.key for call in part.found.gold}:
            return None
        names = identity_names(self.environment, part.facts)
        if composition.parts:  # who it is was said before, perhaps in another way
            first = composition.parts[0].facts
            known = identity_names(self.environment, first)
            wishes = {key: part.facts[key] for key in part.facts.keys() - names}
            facts = {**{key: first[key] for key in known}, **wishes}
            part = replace(part, facts=facts, query=part.archetype.query(facts))
            names = known
        total = _count_writes(composition) + len(part.found.writes)
        for place in range(len(composition.parts), -1, -1):
            parts = (*composition.parts[:place], part, *composition.parts[place:])
            trial = Composition(parts, names, composition.known)
            try:
                found = self._answer(trial.query(), trial.facts, judged)
            except Unidentifiable:
                continue
            if len(found.writes) == total and not found.declined:
                return trial
        return None

    # proof

    def _prove(self, draft: _Draft, seed: int, rng: random.Random) -> Task:
        found = draft.found
        proof = prove(
            self._observer,
            draft.query,
            draft.facts,
            found,
            rng=rng,
            judged=draft.judged,
        )
        if proof.one_sided:
            raise InvalidTask(
                "one_sided", f"Nothing can change whether {proof.one_sided[0]}."
            )
        lift = proof.burden.total - floor_of(
            self._observer, found, draft.facts, floor_chance(draft.query)
        )
        task = self._task(draft, proof, seed, lift)
        self._refuse_breaches(task)
        reason = self._refuse(task)
        if reason:
            raise InvalidTask(reason, "The finished task is refused.")
        return task

    def _refuse_breaches(self, task: Task) -> None:
        """Policy as tests: nothing that breaks a clause may be the right answer."""
        for breach in gold_trace.breaches(
            self.environment,
            text=task.text,
            facts=task.facts,
            reads=[read.call for read in task.certificate],
            gold=[write.call for write in task.gold],
            declined=task.declined,
            transferred=task.transferred,
        ):
            raise InvalidTask("policy", f"The gold breaks {breach}")

    def _answer(
        self, query: Query, facts: Mapping[str, Any], judged: Judged | None = None
    ) -> Answer:
        """The oracle's answer on the base."""
        domain, base = self.environment.domain, Session(self.environment.state)
        return answer(query, facts, domain.from_state(base), domain, judged=judged)

    def _identify(
        self, query: Query, facts: Mapping[str, Any], judged: Judged | None = None
    ) -> Answer:
        """The oracle's answer, checked for U1–U3."""
        domain, base = self.environment.domain, Session(self.environment.state)
        judged = Judged() if judged is None else judged
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
        self, archetype: Archetype, proposal: Proposal, query: Query, found: Answer
    ) -> tuple[str, ...]:
        """U4: clauses to say, with those that rule out a reading which would give another answer.

        A refusal says what it would say if it were allowed: else the clauses would give it away.
        """
        names, known = (
            set(proposal.clauses),
            {clause.name for clause in archetype.clauses},
        )
        allowed = self._if_allowed(query, proposal.facts) if found.declined else None
        for reading in archetype.readings(proposal.facts):
            same = self._ends_like(reading.query, proposal.facts, found) and (
                allowed is None
                or self._if_allowed(reading.query, proposal.facts) == allowed
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
        return tuple(
            clause.name for clause in archetype.clauses if clause.name in names
        )

    def _if_allowed(
        self, query: Query, facts: Mapping[str, Any]
    ) -> tuple[Any, ...] | None:
        """What would come of it if the policy did not refuse it; None if nothing clear would. Nothing is written."""
        domain, base = self.environment.domain, Session(self.environment.state)
        source = _Unwritten(domain.from_state(base))
        try:
            return answer(undeclined(query), facts, source, domain).outcome
        except Unidentifiable:
            return None

    def _ends_like(self, query: Query, facts: Mapping[str, Any], found: Answer) -> bool:
        try:
            return self._identify(query, facts).outcome == found.outcome
        except Unidentifiable:
            return False

    def _words(
        self,
        archetype: Archetype,
        names: tuple[str, ...],
        facts: Mapping[str, Any],
        query: Query,
        rng: random.Random,
    ) -> list[SaidClause]:
        """Words that lead back to the query: parsed again, this archetype accounts for them, and but for sisters no other."""
        domain = self.environment.domain
        spoken = [clause for clause in archetype.clauses if clause.name in names]
        identity = identity_names(self.environment, facts)
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

    def _refuse_unsaid(
        self, facts: Mapping[str, Any], said: Iterable[SaidClause]
    ) -> None:
        """Whatever the user knows must come out: in a clause, or in the words by which users say who they are."""
        told = {name for clause in said for name in clause.tells}
        told |= identity_names(self.environment, facts)
        for name in facts.keys() - told:
            raise InvalidTask("unsaid", f"No clause says {name}.")

    def _task(self, draft: _Draft, proof: Proof, seed: int, lift: int) -> Task:
        environment, found = self.environment, draft.found
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
            task_class=TaskClass.WRITE_INTENSIVE
            if composed
            else archetypes[0].task_class,
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


_WRITING = (TaskClass.READ_HEAVY, TaskClass.WRITE_INTENSIVE)


def is_writing(archetype: Archetype) -> bool:
    return archetype.task_class in _WRITING


def is_joinable(archetype: Archetype) -> bool:
    """Whether it can be a part of a composition: it writes, and its own writes keep no order."""
    return is_writing(archetype) and not archetype.dependent


def _alone(part: Part) -> _Draft:
    return _Draft(
        (part.archetype,),
        part.query,
        part.facts,
        part.found,
        part.said,
        part.archetype.dependent,
        Judged(),
    )


def _count_writes(composition: Composition) -> int:
    return sum(len(part.found.writes) for part in composition.parts)


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


def floor_chance(query: Query) -> random.Random:
    """The chance behind a floor: whoever checks the task later must come to the same one."""
    return random.Random(query.content_hash)


def _check_joints(
    said: Sequence[SaidClause], joint: Clause, composition: Composition
) -> None:
    """Taken apart at its joints, the text is the parts' texts, each of which was read back by itself."""
    name, texts = split_words(" ".join(clause.text for clause in said))
    own = [" ".join(clause.text for clause in part.said) for part in composition.parts]
    if name != joint.name or texts != own:
        raise InvalidTask("unclear_words", "The parts cannot be told apart.")


def _identity(facts: Mapping[str, Any], wishes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name not in wishes}


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

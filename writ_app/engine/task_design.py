"""Design of tasks: archetype → draw → query → gold → proof → words, each step a function.

The same environment, archetype and seed give the same task in every process. Whatever cannot be proved is refused with a reason.
Knows nothing about databases, users or models.
"""

import random
from collections import Counter
from collections.abc import (
    Callable,
    Collection,
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
    Proposal,
    TaskClass,
)
from environments.core.environment import Environment
from environments.core.errors import Unidentifiable
from environments.core.evaluate import Answer, Judged
from environments.core.state import Session
from writ_app.engine import gold_trace
from writ_app.engine.composition import (
    AFTER,
    NEXT,
    Composition,
    Part,
    split_words,
)
from writ_app.engine.draft import Draft, floor_chance, task_of
from writ_app.engine.errors import InvalidTask
from writ_app.engine.evidence import Observer, floor_of, prove
from writ_app.engine.identification import (
    answer_on_base,
    identify,
    identity_names,
    refuse_degenerate,
)
from writ_app.engine.types import SaidClause, Task
from writ_app.engine.wording import clauses_needed, refuse_unsaid, words_for

WHO = "who"
"""Stands for the key of the read that finds the person."""


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

        def draw(rng: random.Random) -> Draft:
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

        def draw(rng: random.Random) -> Draft:
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
        found = answer_on_base(
            self.environment, archetype.query(proposal.facts), proposal.facts
        )
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
        return Part(
            archetype, facts, query, answer_on_base(self.environment, query, facts), ()
        )

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
        draw: Callable[[random.Random], Draft],
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
        found = identify(self.environment, query, proposal.facts)
        refuse_degenerate(archetype, found)
        self._refuse_order_blindness(archetype, proposal.facts, found)
        clauses = clauses_needed(self.environment, archetype, proposal, query, found)
        said = words_for(
            self.environment, archetype, clauses, proposal.facts, query, rng
        )
        refuse_unsaid(self.environment, proposal.facts, said)
        return Part(archetype, proposal.facts, query, found, tuple(said))

    def _draw_composed(
        self,
        writes: int,
        people: Sequence[str],
        weights: Mapping[str, float],
        rng: random.Random,
    ) -> Draft:
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
    ) -> Draft:
        """Raises InvalidTask or Unidentifiable."""
        query, facts = composition.query(), composition.facts
        found = identify(self.environment, query, facts, judged)
        for part in composition.parts:
            refuse_degenerate(part.archetype, part.found)
        orders = composition.orders(
            self._observer,
            found,
            partial(answer_on_base, self.environment, judged=judged),
        )
        dependent = orders.same < orders.tried
        joint = AFTER if dependent else NEXT
        said = composition.words(joint, rng)
        _check_joints(said, joint, composition)
        archetypes = tuple(part.archetype for part in composition.parts)
        return Draft(archetypes, query, facts, found, said, dependent, judged, orders)

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
            who = {key: value for key, value in first.items() if key in known}
            wishes = {k: value for k, value in part.facts.items() if k not in names}
            facts = {**who, **wishes}
            part = replace(part, facts=facts, query=part.archetype.query(facts))
            names = known
        total = _count_writes(composition) + len(part.found.writes)
        for place in range(len(composition.parts), -1, -1):
            parts = (*composition.parts[:place], part, *composition.parts[place:])
            trial = Composition(parts, names, composition.known)
            try:
                found = answer_on_base(
                    self.environment, trial.query(), trial.facts, judged
                )
            except Unidentifiable:
                continue
            if len(found.writes) == total and not found.declined:
                return trial
        return None

    # proof

    def _prove(self, draft: Draft, seed: int, rng: random.Random) -> Task:
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
        task = task_of(self.environment, draft, proof, seed, lift)
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

    def _refuse_order_blindness(
        self, archetype: Archetype, facts: Mapping[str, Any], found: Answer
    ) -> None:
        """What is called dependent must depend: the wishes in another order lead to another state, or to none."""
        for query in archetype.permuted(facts):
            try:
                other = identify(self.environment, query, facts)
            except Unidentifiable:
                continue
            if other.effect == found.effect:
                raise InvalidTask(
                    "order_blind", "The writes do not depend on each other."
                )


_WRITING = (TaskClass.READ_HEAVY, TaskClass.WRITE_INTENSIVE)


def is_writing(archetype: Archetype) -> bool:
    return archetype.task_class in _WRITING


def is_joinable(archetype: Archetype) -> bool:
    """Whether it can be a part of a composition: it writes, and its own writes keep no order."""
    return is_writing(archetype) and not archetype.dependent


def _alone(part: Part) -> Draft:
    return Draft(
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


def _check_joints(
    said: Sequence[SaidClause], joint: Clause, composition: Composition
) -> None:
    """Taken apart at its joints, the text is the parts' texts, each of which was read back by itself."""
    name, texts = split_words(" ".join(clause.text for clause in said))
    own = [" ".join(clause.text for clause in part.said) for part in composition.parts]
    if name != joint.name or texts != own:
        raise InvalidTask("unclear_words", "The parts cannot be told apart.")

"""Requests in two phases: what the user wants at first, before the task.

The task itself is always the second phase, so that its gold and its proof stay as they are. What is looked for here is another wish of
the same person that has an answer on the same database, and another answer than the task's: a shift that changed nothing would prove
nothing. Only the oracle is asked; a wish that is given up needs no proof of its evidence.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from environments.core.domain import Archetype, TaskClass
from environments.core.environment import Environment
from environments.core.errors import Unidentifiable
from environments.core.evaluate import Answer, answer
from environments.core.grammar import say
from environments.core.query import Query, renamed
from environments.core.state import Session
from writ_app.engine.composition import without_number
from writ_app.engine.types import FirstPhase, SaidClause, Task, ToldFact

TRIES = 10
"""Other values or other wishes that are tried per kind of shift."""


@dataclass(frozen=True)
class Shift:
    """A first phase in words: clauses that only the first wish has, and names of the task's clauses that wait for the second."""

    first: FirstPhase
    said: tuple[SaidClause, ...] = ()
    waiting: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Part:
    archetype: Archetype
    facts: dict[str, Any]
    """By the names that the archetype knows."""
    clauses: tuple[str, ...] = ()
    """Of a wish that was drawn: names of the clauses to say."""


class Phases:
    """First phases of one task. The same task and seed give the same ones."""

    def __init__(self, environment: Environment, task: Task, seed: int = 0):
        self._environment = environment
        self._task = task
        self._seed = seed
        self._kinds = {a.slug: a for a in environment.domain.archetypes}
        self._found: dict[str, Shift | None] = {}
        self._identity = next(
            (
                frozenset(names)
                for names in environment.domain.words.identity
                if task.facts.keys() >= set(names)
            ),
            frozenset[str](),
        )

    def shift(self, kind: str) -> Shift | None:
        """The first phase of this kind (add, replace, drop, threshold, forbidden), None if the task has room for none."""
        if kind not in self._found:
            finders: dict[str, Callable[[random.Random], Shift | None]] = {
                "add": self._add,
                "replace": self._replace,
                "drop": self._drop,
                "threshold": self._threshold,
                "forbidden": self._forbidden,
            }
            rng = random.Random(f"{kind} {self._seed} {self._task.content_hash}")
            self._found[kind] = finders[kind](rng) if self._parts else None
        return self._found[kind]

    # --- the kinds ---

    def _add(self, rng: random.Random) -> Shift | None:
        """The last part comes to the user's mind only later."""
        last = len(self._parts) - 1
        if last < 1 or self._task.declined or self._task.transferred:
            return None
        query, facts = self._joined(self._parts[:-1])
        waiting = frozenset(
            clause.name
            for clause in self._task.clauses
            if without_number(clause.name)[1] == last
        )
        slug = self._parts[-1].archetype.slug
        return self._shift("add", slug, query, facts, waiting=waiting)

    def _threshold(self, rng: random.Random) -> Shift | None:
        """One condition has another value at first."""
        for clause, name, value in self._other_values(rng):
            _, place = without_number(name)
            stem = without_number(name)[0]
            parts = list(self._parts)
            part = parts[place]
            parts[place] = _Part(part.archetype, {**part.facts, stem: value})
            said = self._say_again(clause, parts[place], rng)
            if said is None:
                continue
            query, facts = self._joined(parts)
            shift = self._shift(
                "threshold",
                part.archetype.slug,
                query,
                facts,
                said=[said],
                waiting=frozenset({clause.name}),
                changed=(name,),
            )
            if shift is not None:
                return shift
        return None

    def _replace(self, rng: random.Random) -> Shift | None:
        """Another wish of the same person, in place of the whole request."""
        return self._other_wish("replace", rng, self._kinds_of(_ANSWERED))

    def _forbidden(self, rng: random.Random) -> Shift | None:
        """A wish of the same person that the policy refuses, before the one that it allows."""
        if not self._task.gold:
            return None
        return self._other_wish("forbidden", rng, self._kinds_of(_REFUSED))

    def _drop(self, rng: random.Random) -> Shift | None:
        """One more wish of the same person, after the request."""
        if self._task.declined or self._task.transferred:
            return None
        for part in self._drawn(self._kinds_of(_WRITING), rng):
            query, facts = self._joined([*self._parts, part])
            number = len(self._parts)
            said = self._words(part, f"__{number + 1}", rng)
            slug = part.archetype.slug
            shift = self._shift("drop", slug, query, facts, said=said)
            if shift is not None:
                return shift
        return None

    def _other_wish(
        self, kind: str, rng: random.Random, kinds: Sequence[Archetype]
    ) -> Shift | None:
        waiting = frozenset(clause.name for clause in self._task.clauses)
        for part in self._drawn(kinds, rng):
            query, facts = self._joined([part])
            said = self._words(part, "~first", rng)
            slug = part.archetype.slug
            shift = self._shift(kind, slug, query, facts, said=said, waiting=waiting)
            if shift is not None and bool(shift.first.declined) == (
                kind == "forbidden"
            ):
                return shift
        return None

    # --- pieces ---

    @cached_property
    def _parts(self) -> list[_Part]:
        """The task's wishes by themselves; empty if an archetype is not of this world."""
        slugs = self._task.parts or (self._task.archetype,)
        if any(slug not in self._kinds for slug in slugs):
            return []
        facts: list[dict[str, Any]] = [{} for _ in slugs]
        for name, value in self._task.facts.items():
            if name in self._identity:
                for own in facts:
                    own[name] = value
            else:
                stem, place = without_number(name)
                facts[place][stem] = value
        return [
            _Part(self._kinds[slug], own)
            for slug, own in zip(slugs, facts, strict=True)
        ]

    def _joined(self, parts: Sequence[_Part]) -> tuple[Query, dict[str, Any]]:
        """The parts as one query with its facts, named as in a composed task."""
        steps: list[Any] = []
        facts: dict[str, Any] = {}
        for number, part in enumerate(parts):
            suffix = f"__{number + 1}" if number else ""
            query = part.archetype.query(part.facts)
            steps += renamed(query, suffix, self._identity).steps
            for name, value in part.facts.items():
                facts[name if name in self._identity else name + suffix] = value
        return Query(steps=tuple(steps)), facts

    def _shift(
        self,
        kind: Any,
        archetype: str,
        query: Query,
        facts: dict[str, Any],
        *,
        said: Sequence[SaidClause] = (),
        waiting: frozenset[str] = frozenset(),
        changed: tuple[str, ...] = (),
    ) -> Shift | None:
        """None if the first wish has no answer, or the same one as the task."""
        found = self._answer(query, facts)
        if found is None or not self._differs(found):
            return None
        first = FirstPhase(
            kind=kind,
            archetype=archetype,
            query=query,
            facts=facts,
            gold=tuple(found.gold),
            told=tuple(ToldFact(what=t.what, value=t.value) for t in found.told),
            declined=found.declined,
            transferred=found.transferred,
            changed=changed,
        )
        return Shift(first, tuple(said), waiting)

    def _answer(self, query: Query, facts: Mapping[str, Any]) -> Answer | None:
        domain, base = self._environment.domain, Session(self._environment.state)
        try:
            return answer(query, facts, domain.from_state(base), domain, bare=True)
        except Unidentifiable:
            return None

    def _differs(self, found: Answer) -> bool:
        task = self._task
        first = (
            sorted(call.key for call in found.gold),
            [repr(one.value) for one in found.told],
            found.declined,
            found.transferred,
        )
        second = (
            sorted(write.call.key for write in task.gold),
            [repr(one.value) for one in task.told],
            task.declined,
            task.transferred,
        )
        return first != second

    def _kinds_of(self, classes: frozenset[TaskClass]) -> list[Archetype]:
        own = set(self._task.parts or (self._task.archetype,))
        return [
            kind
            for kind in self._kinds.values()
            if kind.task_class in classes
            and not kind.dependent
            and kind.slug not in own
        ]

    def _drawn(self, kinds: Sequence[Archetype], rng: random.Random) -> Iterator[_Part]:
        """Other wishes of the same person, with the user known as in the task."""
        if not self._task.person:
            return
        known = {name: self._task.facts[name] for name in self._identity}
        names = {
            name for group in self._environment.domain.words.identity for name in group
        }
        for kind in rng.sample(kinds, min(TRIES, len(kinds))):
            session = Session(self._environment.state)
            proposal = kind.propose(session, rng, [self._task.person])
            if proposal is not None:
                wishes = {n: v for n, v in proposal.facts.items() if n not in names}
                yield _Part(kind, {**known, **wishes}, proposal.clauses)

    def _words(self, part: _Part, mark: str, rng: random.Random) -> list[SaidClause]:
        """What a drawn wish sounds like; `mark` goes to the end of each clause's name."""
        lexicon = self._environment.domain.lexicon
        clauses = [c for c in part.archetype.clauses if c.name in part.clauses]
        spoken = [say(clause, part.facts, lexicon, rng) for clause in clauses]
        return [
            SaidClause(
                name=said.name + mark,
                text=said.text,
                tells=said.tells,
                opens=said.opens,
            )
            for said in sorted(spoken, key=lambda said: not said.opens)
        ]

    def _other_values(
        self, rng: random.Random
    ) -> Iterator[tuple[SaidClause, str, Any]]:
        """(clause, name of a fact that only it tells, another value), the conditions before what the request is about."""
        told = [name for clause in self._task.clauses for name in set(clause.tells)]
        places = [
            (clause, name, value)
            for clause in self._task.clauses
            for name in dict.fromkeys(clause.tells)
            if told.count(name) == 1 and name not in self._identity
            for value in self._alternatives(name, clause.opens)
        ]
        rng.shuffle(places)
        places.sort(key=lambda place: place[0].opens)
        yield from places[: 2 * TRIES]

    def _alternatives(self, name: str, opens: bool) -> list[Any]:
        value = self._task.facts[name]
        if isinstance(value, int | float) and not isinstance(value, bool):
            near = [value + 1, value - 1] if value < 20 else []
            far = [value * 2, value * 4, value // 2 // 10 * 10, value * 3 // 10 * 10]
            return [v for v in [*near, *far] if v > 0 and v != value]
        if opens:
            return []
        ways = self._environment.domain.lexicon.get(without_number(name)[0], {})
        return [other for other in list(ways)[:40] if other != value]

    def _say_again(
        self, clause: SaidClause, part: _Part, rng: random.Random
    ) -> SaidClause | None:
        """The clause with the part's facts, telling the same ones. None if it cannot be said so."""
        name = without_number(clause.name)[0]
        pattern = next((c for c in part.archetype.clauses if c.name == name), None)
        if pattern is None:
            return None
        wanted = {without_number(told)[0] for told in clause.tells}
        for _ in range(8):
            try:
                said = say(pattern, part.facts, self._environment.domain.lexicon, rng)
            except KeyError:
                return None
            if set(said.tells) == wanted:
                return clause.model_copy(
                    update={"name": f"{clause.name}~first", "text": said.text}
                )
        return None


_WRITING = frozenset({TaskClass.READ_HEAVY, TaskClass.WRITE_INTENSIVE})
_ANSWERED = _WRITING | {TaskClass.INFORMATION}
_REFUSED = frozenset({TaskClass.REFUSAL})

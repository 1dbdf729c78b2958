"""A benchmark's tasks, made ready for our own to be compared with."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from environments.core.environment import Environment
from environments.core.pointers import leaves, split
from environments.core.state import Session
from environments.core.tools import ToolCall
from writ_app.engine.decontamination.marks import (
    NAME,
    SHORTEST,
    compact,
    loose,
    names_in,
    people_marks,
    shape,
    task_marks,
    text_marks,
)
from writ_app.engine.decontamination.words import RunIndex, Sketches, words_of
from writ_app.engine.types import Frozen, Task

WORDS_SHARED = 8
"""So many words in a row that are the same in two tasks' texts are no coincidence."""
WORDS_LONG = 13
"""So many are none in two conversations either, which share phrases such as how one agrees to a change."""
WORDS_ALIKE = 3
"""Runs of so many words tell how near two texts come to each other."""
ALIKE = 0.3
"""Two texts whose runs of WORDS_ALIKE have this Jaccard index are one text with changes. Texts of ours come to 0.14 at most of the
benchmark's, which have every seventh word changed come to 0.35."""

ENOUGH = 20
"""Words of a text, at least, for its likeness to say anything."""


class Shared(Frozen):
    """One thing that a task shares with a benchmark. `tasks` are the ids of the benchmark's tasks that have it."""

    kind: Literal["entity", "write", "effect", "text", "near"]
    what: str
    tasks: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind} {self.what!r} of {_tasks(self.tasks)}"


class Nearest(Frozen):
    """How near a task comes to a benchmark: nothing of this is a fault by itself."""

    task: str = ""
    """Id of the benchmark's task whose text is nearest; "" if no text has anything in common."""
    containment: float = 0.0
    """Share of the task's runs of eight words that stand in that text."""
    long_containment: float = 0.0
    """The same of runs of thirteen words."""
    likeness: float = 0.0
    """Share of the task's runs of three words that stand in that text."""
    resemblance: float = 0.0
    """Jaccard index of runs of three words with the text that is most alike, estimated by MinHash."""
    same_shape: tuple[str, ...] = ()
    """Ids of the benchmark's tasks with the same writes but for ids and numbers: the abstract signature."""


class Contamination(Frozen):
    shared: tuple[Shared, ...] = ()
    nearest: Nearest = Nearest()

    @property
    def clean(self) -> bool:
        return not self.shared

    @property
    def finding(self) -> str:
        """What is shared, and with which tasks, for a person; "" if nothing is."""
        return "; ".join(map(str, self.shared))


class BenchmarkIndex:
    """A benchmark's tasks over an environment, made ready to be compared with. Building reads each task once.

    `tasks` are plain JSON in the form of a tasks.json (tau2 SPEC §7.1). `run`: so many words in a row that are the same count as
    shared; WORDS_LONG for conversations.
    """

    def __init__(
        self,
        environment: Environment,
        tasks: Iterable[Mapping[str, Any]],
        *,
        run: int = WORDS_SHARED,
    ):
        self._environment = environment
        self._run = run
        self._ids: list[str] = []
        self._people: dict[str, list[str]] = {}
        self._writes: dict[str, list[str]] = {}
        self._effects: dict[str, list[str]] = {}
        self._shapes: dict[str, list[str]] = {}
        self._spoken: set[str] = set()
        own = list(_own_texts(environment))
        lengths = (WORDS_ALIKE, WORDS_SHARED, WORDS_LONG)
        self._runs = {length: RunIndex(length, own) for length in lengths}
        self._sketches = Sketches(WORDS_ALIKE)
        for task in tasks:
            self._add(task)
        self._marks = dict(people_marks(environment, self._people))
        self._names = self._find_names()
        self._catalog = _catalog(environment, self._people)

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def environment(self) -> str:
        return self._environment.name

    @property
    def people(self) -> frozenset[str]:
        """Keys of the people whom the benchmark's tasks speak of."""
        return frozenset(self._people)

    def check(
        self, task: Task, text: str | None = None, *, said: Sequence[str] = ()
    ) -> Contamination:
        """What the task shares with the benchmark. `text` stands in for the task's words, such as a paraphrase; `said` is what
        the user says in a conversation about it."""
        own = task.text if text is None else text
        words = words_of(own)
        shared = [
            *self._shared_entities(task_marks(task, own), [own]),
            *self._shared_gold(task),
            *self._shared_words(words),
        ]
        nearest = self._nearest(task, words)
        near = nearest.resemblance >= ALIKE and len(words) >= ENOUGH
        if near and not any(one.kind == "text" for one in shared):
            what = f"{nearest.resemblance:.0%} of the wording"
            shared.append(Shared(kind="near", what=what, tasks=(nearest.task,)))
        shared += self.check_said(said)
        return Contamination(shared=tuple(dict.fromkeys(shared)), nearest=nearest)

    def check_said(self, texts: Sequence[str]) -> tuple[Shared, ...]:
        """What texts without a task share: people, and runs of words."""
        marks = (mark for text in texts for mark in text_marks(text))
        shared = [*self._shared_entities(marks, texts)]
        for text in texts:
            shared += self._shared_words(words_of(text))
        return tuple(dict.fromkeys(shared))

    def things_of(self, task: Task) -> set[tuple[str, str]]:
        """(collection, key) of what is for everybody and the task's calls name, such as flights and products."""
        calls = (*task.spoken_of, *(write.call for write in task.gold))
        return set(_things(self._catalog, calls))

    @property
    def things(self) -> set[tuple[str, str]]:
        """The same of the benchmark's tasks."""
        return {self._catalog[mark] for mark in self._spoken if mark in self._catalog}

    # what is looked for

    def _add(self, task: Mapping[str, Any]) -> None:
        number, key = len(self._ids), str(task["id"])
        self._ids.append(key)
        session = Session(self._environment.state)
        text = json.dumps(task, ensure_ascii=False)
        for person in sorted(self._environment.domain.people_in(session, text)):
            self._people.setdefault(person, []).append(key)
        self._add_gold(key, task)
        told = [words_of(text) for text in _scenario_texts(task)]
        for words in told:
            for runs in self._runs.values():
                runs.add(number, words)
        self._sketches.add(number, [word for words in told for word in words])
        for words in told:
            self._sketches.add(number, words)

    def _find_names(self) -> dict[str, list[tuple[str, str, str]]]:
        """Zip → (first name, last name, person), as `compact` has them."""
        found: dict[str, list[tuple[str, str, str]]] = {}
        records = self._environment.state.collections[self._environment.domain.people]
        for person in self._people:
            fields: dict[str, str] = {}
            for place, value in leaves(records[person]):
                fields.setdefault(split(place)[-1], str(value))
            if fields.keys() >= set(NAME):
                first, last, code = (compact(fields[name]) for name in NAME)
                found.setdefault(code, []).append((first, last, person))
        return found

    def _add_gold(self, number: str, task: Mapping[str, Any]) -> None:
        criteria = task.get("evaluation_criteria") or {}
        made = [
            ToolCall(name=action["name"], arguments=action.get("arguments") or {})
            for action in criteria.get("actions") or ()
        ]
        for call in made:
            self._spoken |= {compact(str(v)) for _, v in leaves(call.arguments)}
        calls = [call for call in made if self._environment.is_write(call.name)]
        for key in dict.fromkeys(key for call in calls for key in self._keys(call)):
            self._writes.setdefault(key, []).append(number)
        if not calls:
            return
        self._shapes.setdefault(shape(calls), []).append(number)
        if not task.get("initial_state"):  # it would begin in another state than ours
            session = self._environment.session()
            session.replay(calls)
            if session.state.changes():
                self._effects.setdefault(session.state.effect(), []).append(number)

    # what is found

    def _shared_entities(
        self, marks: Iterable[str], texts: Sequence[str]
    ) -> Iterator[Shared]:
        found = {
            mark: (mark, self._marks[mark]) for mark in marks if mark in self._marks
        }
        for text in texts:
            for mark, person in names_in(text, self._names):
                found.setdefault(mark, (mark, person))
        for mark, person in found.values():
            what = person if mark == compact(person) else f"{mark} of {person}"
            yield Shared(kind="entity", what=what, tasks=tuple(self._people[person]))

    def _shared_gold(self, task: Task) -> Iterator[Shared]:
        for write in task.gold:
            keys = [key for key in self._keys(write.call) if key in self._writes]
            if keys:
                ids = tuple(self._writes[keys[0]])
                yield Shared(kind="write", what=write.call.key, tasks=ids)
        ids = tuple(self._effects.get(task.gold_effect, ())) if task.gold else ()
        if ids and task.state_hash == self._environment.state.content_hash:
            yield Shared(kind="effect", what=task.gold_effect, tasks=ids)

    def _shared_words(self, words: Sequence[str]) -> Iterator[Shared]:
        for run, numbers in self._runs[self._run].found(words):
            ids = tuple(self._ids[number] for number in numbers)
            yield Shared(kind="text", what=run, tasks=ids)

    def _nearest(self, task: Task, words: Sequence[str]) -> Nearest:
        calls = [write.call for write in task.gold]
        same_shape = tuple(self._shapes.get(shape(calls), ())) if calls else ()
        alike, alike_total = self._runs[WORDS_ALIKE].overlap(words)
        if not alike:
            return Nearest(same_shape=same_shape)
        shared, shared_total = self._runs[WORDS_SHARED].overlap(words)
        long, long_total = self._runs[WORDS_LONG].overlap(words)
        number = max(alike, key=lambda n: (shared[n], alike[n], -n))
        most_alike, resemblance = self._sketches.nearest(words)
        if resemblance >= ALIKE:
            number = most_alike
        return Nearest(
            task=self._ids[number],
            containment=shared[number] / (shared_total or 1),
            long_containment=long[number] / (long_total or 1),
            likeness=alike[number] / alike_total,
            resemblance=resemblance,
            same_shape=same_shape,
        )

    def _keys(self, call: ToolCall) -> tuple[str, str]:
        """As the domain sees a write, and without regard to how values are spelled."""
        return self._environment.domain.canonical_write(call).key, loose(call)


def _own_texts(environment: Environment) -> Iterator[str]:
    """What is shared by design: policies, and what the tool schemas say."""
    yield environment.policy
    yield from environment.policies.values()
    for schema in (*environment.schemas, *environment.user_schemas):
        for _, value in leaves(schema):
            if isinstance(value, str):
                yield value


def _scenario_texts(task: Mapping[str, Any]) -> Iterator[str]:
    """What the user is told, and a ticket: the texts that a model meets while it is evaluated."""
    for _, value in leaves([task.get("user_scenario"), task.get("ticket")]):
        if isinstance(value, str):
            yield value


def _catalog(
    environment: Environment, people: Iterable[str]
) -> dict[str, tuple[str, str]]:
    """Keys of what belongs to nobody, as `compact` has them → (collection, key); parts of a record stand for it, if only it has
    them."""
    collections = environment.state.collections
    owned = {environment.domain.people}
    for person in collections.get(environment.domain.people, {}).values():
        texts = {text for _, text in leaves(person) if isinstance(text, str)}
        owned |= {
            name for name, records in collections.items() if texts & records.keys()
        }
    found: dict[str, tuple[str, str]] = {}
    several: set[str] = set()
    for name, records in collections.items():
        if name in owned:
            continue
        for key, record in records.items():
            for mark in _marks_of(key, record):
                if found.setdefault(mark, (name, key)) != (name, key):
                    several.add(mark)
    return {mark: place for mark, place in found.items() if mark not in several}


def _marks_of(key: str, record: Any) -> Iterator[str]:
    parts = {part for place, _ in leaves(record) for part in split(place)}
    for mark in {compact(key), *map(compact, parts)}:
        if len(mark) >= SHORTEST and any(char.isdigit() for char in mark):
            yield mark


def _things(
    catalog: Mapping[str, tuple[str, str]], calls: Iterable[ToolCall]
) -> Iterator[tuple[str, str]]:
    for call in calls:
        for _, value in leaves(call.arguments):
            if place := catalog.get(compact(str(value))):
                yield place


def _tasks(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - 3} more" if len(ids) > 3 else ""
    return f"task {', '.join(ids[:3])}{more}"

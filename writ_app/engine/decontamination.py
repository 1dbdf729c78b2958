"""What our tasks share with a benchmark's: people, gold writes, final states, wordings; and how near they come to it.

A task that shares any of these is contaminated: whoever trains on it has seen a part of the benchmark. The policy and the tool
descriptions are shared by design, so that their phrases do not count. Source: knowledge of reports, §7.2, levels 1 to 4.
Knows nothing about databases or files.
"""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, quantiles
from typing import Any, Literal

from environments.core.environment import Environment
from environments.core.pointers import leaves, split
from environments.core.state import Session
from environments.core.tools import ToolCall
from writ_app.engine.types import Frozen, Task

WORDS_SHARED = 8
"""So many words in a row that are the same in two texts are no coincidence."""
WORDS_ALIKE = 3
"""Runs of so many words tell how near two texts come to each other."""
BINS = 10

_NAME = ("first_name", "last_name", "zip")
"""Facts, and fields of a person's record, that identify somebody together."""


class Shared(Frozen):
    """One thing that a task shares with a benchmark. `tasks` are the ids of the benchmark's tasks that have it."""

    kind: Literal["entity", "write", "effect", "text"]
    what: str
    tasks: tuple[str, ...]


class Nearest(Frozen):
    """How near a task comes to a benchmark: nothing of this is a fault by itself."""

    task: str = ""
    """Id of the benchmark's task whose text is nearest; "" if no text has anything in common."""
    containment: float = 0.0
    """Share of the task's runs of eight words that stand in that text."""
    likeness: float = 0.0
    """Share of the task's runs of three words that stand in that text."""
    same_shape: tuple[str, ...] = ()
    """Ids of the benchmark's tasks with the same writes but for ids and numbers."""


class Contamination(Frozen):
    shared: tuple[Shared, ...] = ()
    nearest: Nearest = Nearest()

    @property
    def clean(self) -> bool:
        return not self.shared

    @property
    def finding(self) -> str:
        """What is shared, and with which tasks, for a person; "" if nothing is."""
        return "; ".join(
            f"{one.kind} {one.what!r} of {_tasks(one.tasks)}" for one in self.shared
        )


class Spread(Frozen):
    """Of shares between 0 and 1. `histogram` counts them in tenths; 1 is in the last."""

    mean: float = 0.0
    median: float = 0.0
    p95: float = 0.0
    largest: float = 0.0
    histogram: tuple[int, ...] = (0,) * BINS


class Distances(Frozen):
    """How near a batch of tasks comes to a benchmark."""

    tasks: int
    benchmark_tasks: int
    containment: Spread
    likeness: Spread
    same_shape: int
    """Tasks whose writes have the shape of a benchmark task's."""


class BenchmarkIndex:
    """A benchmark's tasks over an environment, made ready to be compared with. Building reads each task once.

    `tasks` are plain JSON in the form of a tasks.json (tau2 SPEC §7.1).
    """

    def __init__(self, environment: Environment, tasks: Iterable[Mapping[str, Any]]):
        self._environment = environment
        self._tasks = list(tasks)
        self._ids = [str(task["id"]) for task in self._tasks]
        self._people = self._find_people()
        self._marks = dict(self._find_marks())
        self._writes: dict[str, list[str]] = {}
        self._effects: dict[str, list[str]] = {}
        self._shapes: dict[str, list[str]] = {}
        for number, task in enumerate(self._tasks):
            self._add_gold(self._ids[number], task)
        own = list(_own_texts(environment))
        self._shared_runs = _RunIndex(WORDS_SHARED, own)
        self._alike_runs = _RunIndex(WORDS_ALIKE, own)
        for number, task in enumerate(self._tasks):
            for text in _scenario_texts(task):
                words = words_of(text)
                self._shared_runs.add(number, words)
                self._alike_runs.add(number, words)

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def people(self) -> frozenset[str]:
        """Keys of the people whom the benchmark's tasks speak of."""
        return frozenset(self._people)

    def check(self, task: Task, text: str | None = None) -> Contamination:
        """What the task shares with the benchmark. `text` stands in for the task's words, such as a paraphrase."""
        words = words_of(task.text if text is None else text)
        shared = (
            *self._shared_entities(task, task.text if text is None else text),
            *self._shared_gold(task),
            *self._shared_words(words),
        )
        return Contamination(shared=shared, nearest=self._nearest(task, words))

    # what is looked for

    def _find_people(self) -> dict[str, list[str]]:
        """Person → ids of the tasks that speak of them, wherever in the task."""
        session = Session(self._environment.state)
        found: dict[str, list[str]] = {}
        for number, task in zip(self._ids, self._tasks, strict=True):
            text = json.dumps(task, ensure_ascii=False)
            for person in sorted(self._environment.domain.people_in(session, text)):
                found.setdefault(person, []).append(number)
        return found

    def _find_marks(self) -> Iterator[tuple[str, str]]:
        """(what gives a person away, in lower case; the person): keys, emails, keys of what is theirs, name with zip."""
        collections = self._environment.state.collections
        for person in self._people:
            yield person.lower(), person
            record = collections[self._environment.domain.people][person]
            fields: dict[str, str] = {}
            for place, value in leaves(record):
                fields.setdefault(split(place)[-1], str(value).lower())
                for text in (*split(place), value):
                    if isinstance(text, str) and (
                        "@" in text or _is_key(text, collections)
                    ):
                        yield text.lower(), person
            if fields.keys() >= set(_NAME):
                yield _name_mark(fields), person

    def _add_gold(self, number: str, task: Mapping[str, Any]) -> None:
        criteria = task.get("evaluation_criteria") or {}
        calls = [
            ToolCall(name=action["name"], arguments=action.get("arguments") or {})
            for action in criteria.get("actions") or ()
            if self._environment.is_write(action["name"])
        ]
        for key in dict.fromkeys(map(self._key, calls)):
            self._writes.setdefault(key, []).append(number)
        if not calls:
            return
        self._shapes.setdefault(_shape(calls), []).append(number)
        if not task.get("initial_state"):  # it would begin in another state than ours
            session = self._environment.session()
            session.replay(calls)
            if session.state.changes():
                self._effects.setdefault(session.state.effect(), []).append(number)

    # what is found

    def _shared_entities(self, task: Task, text: str) -> Iterator[Shared]:
        for mark in dict.fromkeys(_marks(task, text)):
            person = self._marks.get(mark)
            if person is not None:
                whose = "" if mark == person.lower() else f" of {person}"
                yield Shared(
                    kind="entity",
                    what=f"{mark}{whose}",
                    tasks=tuple(self._people[person]),
                )

    def _shared_gold(self, task: Task) -> Iterator[Shared]:
        for write in task.gold:
            if ids := self._writes.get(self._key(write.call)):
                yield Shared(kind="write", what=write.call.key, tasks=tuple(ids))
        ids = self._effects.get(task.gold_effect, []) if task.gold else []
        if ids and task.state_hash == self._environment.state.content_hash:
            yield Shared(kind="effect", what=task.gold_effect, tasks=tuple(ids))

    def _shared_words(self, words: Sequence[str]) -> Iterator[Shared]:
        for run, numbers in self._shared_runs.found(words):
            ids = tuple(self._ids[number] for number in numbers)
            yield Shared(kind="text", what=run, tasks=ids)

    def _nearest(self, task: Task, words: Sequence[str]) -> Nearest:
        calls = [write.call for write in task.gold]
        same_shape = tuple(self._shapes.get(_shape(calls), ())) if calls else ()
        shared, shared_total = self._shared_runs.overlap(words)
        alike, alike_total = self._alike_runs.overlap(words)
        if not alike:
            return Nearest(same_shape=same_shape)
        number = max(alike, key=lambda n: (shared[n], alike[n], -n))
        return Nearest(
            task=self._ids[number],
            containment=shared[number] / (shared_total or 1),
            likeness=alike[number] / alike_total,
            same_shape=same_shape,
        )

    def _key(self, call: ToolCall) -> str:
        return self._environment.domain.canonical_write(call).key


EXAMPLES = 20
"""Findings that a screen keeps word for word."""


@dataclass
class Seen:
    """What screens saw: how near the tasks that were kept come to a benchmark, and examples of what was found in the others."""

    benchmark_tasks: int
    nearest: list[Nearest] = field(default_factory=list)
    examples: list[Shared] = field(default_factory=list)

    def add(self, other: "Seen") -> None:
        """What another screen saw of the same benchmark."""
        self.nearest += other.nearest
        self.examples = [*self.examples, *other.examples][:EXAMPLES]

    def report(self) -> dict[str, Any]:
        """Plain JSON: the distances, and the examples."""
        spread = distances(self.nearest, self.benchmark_tasks)
        examples = [one.model_dump(mode="json") for one in self.examples]
        return {**spread.model_dump(mode="json"), "examples": examples}


class Screen:
    """Refuses tasks that are not clean, and keeps count of what it saw: `refuse` judges a task, `keep` counts one that was kept."""

    def __init__(self, index: BenchmarkIndex):
        self._index = index
        self.seen = Seen(len(index))

    def refuse(self, task: Task) -> str:
        """The reason, or "" for a clean task."""
        found = self._index.check(task)
        if found.clean:
            return ""
        room = EXAMPLES - len(self.seen.examples)
        self.seen.examples += found.shared[:room]
        return "contaminated"

    def keep(self, task: Task) -> None:
        """Not every clean task is kept: some are there already, others land where nothing is missing."""
        self.seen.nearest.append(self._index.check(task).nearest)

    def take(self) -> Seen:
        """What was seen since the last time."""
        seen, self.seen = self.seen, Seen(len(self._index))
        return seen


def distances(nearest: Sequence[Nearest], benchmark_tasks: int) -> Distances:
    """The distribution over a batch."""
    return Distances(
        tasks=len(nearest),
        benchmark_tasks=benchmark_tasks,
        containment=_spread([one.containment for one in nearest]),
        likeness=_spread([one.likeness for one in nearest]),
        same_shape=sum(bool(one.same_shape) for one in nearest),
    )


def _spread(shares: Sequence[float]) -> Spread:
    if not shares:
        return Spread()
    cuts = quantiles(shares, n=20, method="inclusive") if len(shares) > 1 else []
    bins = Counter(min(int(share * BINS), BINS - 1) for share in shares)
    return Spread(
        mean=round(fmean(shares), 4),
        median=round(cuts[9] if cuts else shares[0], 4),
        p95=round(cuts[18] if cuts else shares[0], 4),
        largest=round(max(shares), 4),
        histogram=tuple(bins[n] for n in range(BINS)),
    )


# --- words ---------------------------------------------------------------------------------------------------------------------

_PUNCTUATION = re.compile(r"[^\w\s]")


def words_of(text: str) -> list[str]:
    """Words in lower case, without punctuation: "Don't — #W12" is dont, w12."""
    plain = unicodedata.normalize("NFKC", text).lower().replace("_", " ")
    return _PUNCTUATION.sub("", plain).split()


class _RunIndex:
    """Runs of `length` words → the numbers of the texts that hold them, but for runs of what is shared by design."""

    def __init__(self, length: int, exempt: Iterable[str]):
        self._length = length
        self._found: dict[str, list[int]] = {}
        self._exempt = {run for text in exempt for run in self._runs(words_of(text))}

    def add(self, number: int, words: Sequence[str]) -> None:
        for run in set(self._runs(words)) - self._exempt:
            numbers = self._found.setdefault(run, [])
            if numbers[-1:] != [number]:  # a task may have several texts
                numbers.append(number)

    def found(self, words: Sequence[str]) -> Iterator[tuple[str, list[int]]]:
        """Runs of these words that stand in a text, in order."""
        for run in dict.fromkeys(self._runs(words)):
            if numbers := self._found.get(run):
                yield run, numbers

    def overlap(self, words: Sequence[str]) -> tuple[Counter[int], int]:
        """(number of a text → how many different runs it shares, how many there are)."""
        runs = set(self._runs(words)) - self._exempt
        shared: Counter[int] = Counter()
        for run in runs:
            shared.update(self._found.get(run, ()))
        return shared, len(runs)

    def _runs(self, words: Sequence[str]) -> Iterator[str]:
        for start in range(len(words) - self._length + 1):
            yield " ".join(words[start : start + self._length])


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


def _tasks(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - 3} more" if len(ids) > 3 else ""
    return f"task {', '.join(ids[:3])}{more}"


# --- marks and shapes ----------------------------------------------------------------------------------------------------------


def _marks(task: Task, text: str) -> Iterator[str]:
    """Everything in a task that may give a person away, in lower case."""
    calls = (
        *(read.call for read in task.certificate),
        *task.spoken_of,
        *(write.call for write in task.gold),
    )
    for arguments in (task.facts, *(call.arguments for call in calls)):
        for _, value in leaves(arguments):
            yield str(value).lower()
    for arguments in (task.facts, *(read.call.arguments for read in task.certificate)):
        if arguments.keys() >= set(_NAME):
            yield _name_mark(arguments)
    for word in text.lower().split():
        yield word.strip("\"'“”‘’.,;:!?()[]")


def _name_mark(fields: Mapping[str, Any]) -> str:
    first, last, code = (str(fields[name]).lower() for name in _NAME)
    return f"{first} {last}, {code}"


def _is_key(text: str, collections: Mapping[str, Mapping[str, Any]]) -> bool:
    return any(text in records for records in collections.values())


def _shape(calls: Iterable[ToolCall]) -> str:
    """The calls without what tells one instance from another: ids, numbers, dates; in no order."""
    return json.dumps(sorted([call.name, _blank(call.arguments)] for call in calls))


def _blank(value: Any) -> str:
    if isinstance(value, dict):
        return (
            f"{{{', '.join(f'{key}: {_blank(value[key])}' for key in sorted(value))}}}"
        )
    if isinstance(value, list | tuple):
        return f"[{', '.join(sorted(map(_blank, value)))}]"
    if isinstance(value, str) and not any(char.isdigit() for char in value):
        return value.lower()
    return "*" if not isinstance(value, bool) else str(value)

"""Which tools are called, in which order, with how many different values: whether a set shows a model all that there is to do."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import combinations, pairwise
from typing import Any

from environments.core.tools import ToolKind
from writ_app.engine.export.records import World
from writ_app.engine.reports.notes import short_hash
from writ_app.engine.reports.source import Observed, tool_kinds
from writ_app.engine.reports.spread import (
    Sample,
    Tally,
    entropy,
    most_common,
    ratio,
)

SEQUENCES = 120
"""Sequences that are compared pair by pair."""
SEVERAL_VALUES = 5_000
"""Different values of an argument that are told apart."""
LISTED = 400
"""Bigrams in a report."""
WINDOW = 50
"""Calls in a window of the length-corrected type-token ratio."""
START, END = "(start)", "(end)"
NAMES, LONGEST = 1_000, 80
"""Names of tools, and of arguments, that are told apart, and their characters: an imported set may hold anything."""
OTHER = "(other)"
WRITE_WEIGHT = 2
"""What a write that one sequence has and the other has not costs, against 1 of any other call."""


class Values:
    """Different values of one argument."""

    def __init__(self) -> None:
        self.seen: set[int] = set()
        self.times = 0
        self.most: Counter[str] = Counter()

    def add(self, value: Any) -> None:
        text = str(value)
        self.times += 1
        if len(self.seen) < SEVERAL_VALUES:
            self.seen.add(short_hash(text))
        if len(self.most) < SEVERAL_VALUES or text in self.most:
            self.most[text[:80]] += 1


class Tools:
    def __init__(self, worlds: Mapping[str, World], seed: int = 0):
        self._worlds = worlds
        self._calls: Counter[tuple[str, str]] = Counter()
        self._bigrams: Counter[tuple[str, str]] = Counter()
        self._sequences: Counter[int] = Counter()
        self._sample: Sample[tuple[tuple[str, bool], ...]] = Sample(SEQUENCES, seed)
        self._distinct_in = Tally()
        self._values: dict[str, Values] = {}
        self._names: dict[str, str] = {}
        self._count = 0

    def add(self, one: Observed) -> None:
        record = one.record
        kinds = tool_kinds(record.world.name)
        names: list[str] = []
        for message in record.messages:
            for call in message.get("tool_calls") or ():
                names.append(self._named(call["name"]))
                for name, value in _leaves(call["arguments"]):
                    self._values.setdefault(self._named(name), Values()).add(value)
        self._count += 1
        self._calls.update((record.world.name, name) for name in names)
        self._bigrams.update(pairwise([START, *names, END]))
        self._sequences[short_hash(" ".join(names))] += 1
        self._distinct_in.add(len(set(names)))
        sequence = tuple((name, kinds.get(name) is ToolKind.WRITE) for name in names)
        self._sample.add(record.id, sequence)

    def _named(self, name: str) -> str:
        """The name, shortened; OTHER once there are too many."""
        if name not in self._names:
            if len(self._names) >= NAMES:
                return OTHER
            self._names[name] = name[:LONGEST]
        return self._names[name]

    def result(self) -> dict[str, Any]:
        """Entropies are in bits; `bigram_entropy` is that of the next call given the one before."""
        sequences = self._sample.values()
        names = Counter[str]()
        for (_, name), count in self._calls.items():
            names[name] += count
        most = max(self._sequences.values(), default=0)
        return {
            "worlds": [self._world(world) for world in self._worlds.values()],
            "calls": most_common(names, LISTED),
            "entropy": round(entropy(names.values()), 4),
            "bigram_entropy": round(_next_entropy(self._bigrams), 4),
            "bigrams": [[*pair, n] for pair, n in most_common(self._bigrams, LISTED)],
            "sequences": len(self._sequences),
            "sequence_share": ratio(len(self._sequences), self._count),
            "most_frequent_sequence": ratio(most, self._count),
            "distinct_in": self._distinct_in.result(),
            "compared": len(sequences),
            "distance": _mean_distance(sequences),
            "type_token": _type_token([name for one in sequences for name, _ in one]),
            "arguments": self._arguments(),
        }

    def _world(self, world: World) -> dict[str, Any]:
        """How many of its tools are called, and which never are."""
        offered = [tool["function"]["name"] for tool in world.tools]
        called = {name for place, name in self._calls if place == world.name}
        return {
            "world": world.key,
            "offered": len(offered),
            "called": len(called & {*offered}),
            "never": [name for name in offered if name not in called],
            "unknown": sorted(called - {*offered}) if offered else [],
        }

    def _arguments(self) -> list[dict[str, Any]]:
        allowed = _allowed(self._worlds.values())
        found = []
        for name, values in sorted(self._values.items()):
            of = allowed.get(name)
            found.append(
                {
                    "argument": name,
                    "times": values.times,
                    "distinct": len(values.seen),
                    "more": len(values.seen) >= SEVERAL_VALUES,
                    "allowed": len(of) if of else None,
                    "never": sorted(of - values.most.keys()) if of else [],
                    "entropy": round(entropy(values.most.values()), 3),
                    "most": most_common(values.most, 5),
                }
            )
        return sorted(found, key=lambda one: -int(one["times"]))


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """(name of the argument, value), places in lists left out."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner, name)
    else:
        yield name, value


def _allowed(worlds: Iterable[World]) -> dict[str, set[str]]:
    """Argument → the values that schemas allow, of those that name them."""
    found: dict[str, set[str]] = {}
    for world in worlds:
        for tool in world.tools:
            parameters = tool["function"].get("parameters", {}).get("properties", {})
            for name, schema in parameters.items():
                options = schema.get("enum") or schema.get("items", {}).get("enum")
                if options:
                    found.setdefault(name, set()).update(map(str, options))
    return found


def _next_entropy(bigrams: Mapping[tuple[str, str], int]) -> float:
    """H(next | this): what is left open once one call is known."""
    first: Counter[str] = Counter()
    for (one, _), count in bigrams.items():
        first[one] += count
    return entropy(bigrams.values()) - entropy(first.values())


def _type_token(calls: list[str]) -> float | None:
    """Different calls among WINDOW in a row, on average over all windows (MATTR: Covington and McFall 2010)."""
    return moving_types(calls, WINDOW)


def moving_types(tokens: list[str], window: int) -> float | None:
    """Mean share of different ones in every window of so many; None if there are fewer."""
    if len(tokens) < window:
        return None
    counts = Counter(tokens[:window])
    total = len(counts)
    for gone, come in zip(tokens, tokens[window:], strict=False):
        counts[gone] -= 1
        if not counts[gone]:
            del counts[gone]
        counts[come] += 1
        total += len(counts)
    return round(total / window / (len(tokens) - window + 1), 4)


# --- how far sequences are from each other -------------------------------------------------------------------------------------

type Sequence_ = tuple[tuple[str, bool], ...]


def _mean_distance(sequences: list[Sequence_]) -> float | None:
    """Mean over pairs of the weighted edit distance as a share of the most it could be; None for fewer than two."""
    measured = cache(edit_distance)
    pairs = [tuple(sorted(pair)) for pair in combinations(sequences, 2)]
    return ratio(sum(measured(one, other) for one, other in pairs), len(pairs))


def edit_distance(one: Sequence_, other: Sequence_) -> float:
    """0: the same calls in the same order; 1: nothing in common. Levenshtein's distance with WRITE_WEIGHT for writes."""
    weights = [_weight(call) for call in other]
    above = [0]
    for weight in weights:
        above.append(above[-1] + weight)
    longest = max(above[-1], sum(map(_weight, one)))
    for call in one:
        own = _weight(call)
        row = [above[0] + own]
        for place, (theirs, weight) in enumerate(zip(other, weights, strict=True)):
            swap = above[place] + (0 if call == theirs else max(own, weight))
            row.append(min(swap, above[place + 1] + own, row[-1] + weight))
        above = row
    return above[-1] / longest if longest else 0.0


def _weight(call: tuple[str, bool]) -> int:
    return WRITE_WEIGHT if call[1] else 1

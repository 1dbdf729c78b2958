"""Evidence: how much of it a conversation read before it wrote, what it read beside it, and how hard the choice was.

Measures of knowledge of evidence burden, §5.2 and §5.6.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from environments.core.tools import ToolKind
from writ_app.engine.export.records import Record
from writ_app.engine.reports.notes import ReadNote, TaskNote, call_hash
from writ_app.engine.reports.source import Observed, tool_kinds
from writ_app.engine.reports.spread import Tally, ratio


@dataclass(frozen=True, slots=True)
class Followed:
    """How a conversation kept to its task's certificate."""

    needed: int
    covered: int
    """Reads of the certificate that came before the first write that rests on them."""
    reads: int
    repeated: int
    """The same read once more, with nothing written in between."""
    beside: int
    """Reads that are none of the certificate's, and no repetitions."""
    premature: bool
    """A write was made, and succeeded, before a read that it rests on."""


def follow(record: Record, note: TaskNote) -> Followed:
    """Hold a conversation to the certificate of its task, and to nothing else: a write may be a wrong one, and yet rest on it."""
    kinds = tool_kinds(record.world.name)
    wanted = {way: n for n, read in enumerate(note.reads) for way in read.ways}
    seen: set[int] = set()
    done: set[int] = set()
    covered: set[int] = set()
    written: set[int] = set()
    reads = repeated = beside = 0
    premature = False
    for name, arguments, failed in _calls(record):
        if kinds.get(name) is ToolKind.GENERIC:
            continue
        if kinds.get(name) is ToolKind.WRITE:
            if not failed:
                place = _meant(note, name, arguments, written)
                if place is not None:
                    premature = premature or _missing(note.reads, place, done)
                    written.add(place)
                seen.clear()
            continue
        key = call_hash(name, arguments)
        reads += 1
        if key in seen:
            repeated += 1
        elif key not in wanted:
            beside += 1
        seen.add(key)
        if key in wanted and not failed:
            found = wanted[key]
            done.add(found)
            if not written & note.reads[found].needed_by:
                covered.add(found)
    return Followed(len(note.reads), len(covered), reads, repeated, beside, premature)


def _meant(
    note: TaskNote, name: str, arguments: Mapping[str, Any], written: set[int]
) -> int | None:
    """The place of the gold write that a write is, or stands for: one of the same tool that was not made yet."""
    key = call_hash(name, arguments)
    left = [n for n, (tool, _) in enumerate(note.gold) if tool == name]
    left = [n for n in left if n not in written]
    return min(left, key=lambda n: (note.gold[n][1] != key, n), default=None)


def _missing(reads: tuple[ReadNote, ...], place: int, done: set[int]) -> bool:
    return any(n not in done for n, read in enumerate(reads) if place in read.needed_by)


def _calls(record: Record) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """(name, arguments, whether it failed) in order."""
    failed = {
        message["tool_call_id"]
        for message in record.messages
        if message["role"] == "tool" and message.get("error")
    }
    for message in record.messages:
        for call in message.get("tool_calls") or ():
            yield call["name"], call["arguments"], call.get("id") in failed


class Evidence:
    """Of accepted ones; of rejected ones only how many wrote too early."""

    def __init__(self) -> None:
        self._count = self._full = 0
        self._needed = self._covered = 0
        self._reads = self._repeated = self._beside = 0
        self._rejected = self._premature = 0
        self._hits: list[float] = []
        self._tallies = {
            name: Tally()
            for name in ("lift", "candidates", "feasible", "decoys", "evidence_tokens")
        }
        self._margins: list[float] = []

    def add(self, one: Observed, *, accepted: bool) -> None:
        note = one.note
        if note is None or not note.reads:
            return
        found = follow(one.record, note)
        if not accepted:
            self._rejected += 1
            self._premature += found.premature
            return
        self._count += 1
        self._full += found.covered == found.needed
        self._needed += found.needed
        self._covered += found.covered
        self._reads += found.reads
        self._repeated += found.repeated
        self._beside += found.beside
        if note.hit is not None:
            self._hits.append((note.hit[0] - 1) / (note.hit[1] - 1))
        for name, tally in self._tallies.items():
            value = getattr(note, name)
            if value is not None:
                tally.add(value)
        if note.margin is not None:
            self._margins.append(note.margin)

    def result(self) -> dict[str, Any]:
        """Rates are shares: `coverage` of the certificates' reads, `repeated` and `beside` of all reads made, `premature` of the
        rejected. `hits` counts in tenths how far down the candidates' reads the gold stood."""
        margins = sorted(self._margins)
        tenths = [0] * 10
        for hit in self._hits:
            tenths[min(9, int(hit * 10))] += 1
        return {
            "judged": self._count,
            "coverage": ratio(self._covered, self._needed),
            "fully_covered": ratio(self._full, self._count),
            "reads": self._reads,
            "repeated": ratio(self._repeated, self._reads),
            "beside": ratio(self._beside, self._reads),
            "rejected": self._rejected,
            "premature": ratio(self._premature, self._rejected),
            "hits": tenths if self._hits else [],
            "hit_mean": ratio(sum(self._hits), len(self._hits)),
            "margins": {
                "count": len(margins),
                "least": round(margins[0], 2) if margins else None,
                "median": round(margins[len(margins) // 2], 2) if margins else None,
            },
            **{name: tally.result() for name, tally in self._tallies.items()},
        }

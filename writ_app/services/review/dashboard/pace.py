"""How people review: pace, what they find, and whether they tire. Pure: from verdicts in order to numbers and words."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise, permutations
from statistics import median

BREAK = timedelta(minutes=30)
"""A pause of that length begins a new session."""
FLOOR = 4
"""Seconds below which nobody has looked at a trajectory."""
HASTY = 0.1
"""Share of approvals below the floor that is worth a word."""
PART = 10
"""Verdicts in a part of a session, at least, for parts to be compared."""
FASTER = 1.5
CANARIES = 3
"""In each of two parts, at least, for their detection to be compared."""


@dataclass(frozen=True)
class Judged:
    """One standing verdict on one item. `seconds` as the page measured them."""

    reviewer: str
    at: datetime
    verdict: str
    """APPROVE, REJECT or FIX."""
    seconds: int | None
    canary: bool = False
    item: int = 0
    """Key of what was judged by one of several who do not see each other; 0 for who settles a dispute."""

    @property
    def refused(self) -> bool:
        return self.verdict != "APPROVE"

    @property
    def found(self) -> bool:
        return self.canary and self.refused

    @property
    def hasty(self) -> bool:
        return not self.refused and self.seconds is not None and self.seconds < FLOOR


@dataclass(frozen=True)
class Part:
    """A run of verdicts."""

    judged: tuple[Judged, ...]

    @property
    def count(self) -> int:
        return len(self.judged)

    @property
    def _seconds(self) -> list[int]:
        return sorted(one.seconds for one in self.judged if one.seconds is not None)

    @property
    def median(self) -> float | None:
        """Seconds per item; None if no page measured any."""
        return median(self._seconds) if self._seconds else None

    @property
    def p90(self) -> int | None:
        """Nine of ten items took no longer (nearest rank)."""
        found = self._seconds
        return found[-(-9 * len(found) // 10) - 1] if found else None

    @property
    def canaries(self) -> int:
        return sum(one.canary for one in self.judged)

    @property
    def found(self) -> int:
        return sum(one.found for one in self.judged)

    @property
    def detection(self) -> float | None:
        return self.found / self.canaries if self.canaries else None

    @property
    def refused(self) -> int:
        return sum(one.refused for one in self.judged)

    @property
    def approved(self) -> int:
        return self.count - self.refused

    @property
    def fixes(self) -> int:
        return sum(one.verdict == "FIX" for one in self.judged)

    @property
    def rejected(self) -> int:
        return self.refused - self.fixes

    @property
    def hasty(self) -> int:
        """Approvals faster than anybody can look."""
        return sum(one.hasty for one in self.judged)

    def split(self, parts: int) -> tuple["Part", ...]:
        """In so many parts of about the same size, in order."""
        edges = [self.count * n // parts for n in range(parts + 1)]
        return tuple(Part(self.judged[a:b]) for a, b in pairwise(edges) if b > a)


@dataclass(frozen=True)
class Session(Part):
    """Verdicts without a long break between them."""

    @property
    def began(self) -> datetime:
        first = self.judged[0]
        return first.at - timedelta(seconds=first.seconds or 0)

    @property
    def span(self) -> timedelta:
        return self.judged[-1].at - self.began

    @property
    def lasted(self) -> float:
        """Seconds."""
        return self.span.total_seconds()


@dataclass(frozen=True)
class Reviewer(Part):
    """Everything one person judged, or a team."""

    name: str
    sessions: tuple[Session, ...]
    """Oldest first."""
    compared: int = 0
    """Verdicts of others on the same items, canaries left out."""
    agreed: int = 0
    """Of those, the ones that are the same."""

    @property
    def per_hour(self) -> float | None:
        """Items per hour at work, pauses between sessions not counted; None where there is less than a minute to go by."""
        seconds = sum((one.span for one in self.sessions), timedelta()).total_seconds()
        return 3600 * self.count / seconds if seconds >= 60 else None

    @property
    def last(self) -> Session:
        return self.sessions[-1]

    @property
    def hints(self) -> tuple[str, ...]:
        return tuple(hints(self))


def reviewers(judged: Iterable[Judged]) -> tuple[Reviewer, ...]:
    """One each, by name. `judged` in the order of time."""
    by_name: dict[str, list[Judged]] = {}
    by_item: dict[int, list[Judged]] = {}
    for one in judged:
        by_name.setdefault(one.reviewer, []).append(one)
        if one.item and not one.canary:
            by_item.setdefault(one.item, []).append(one)
    compared, agreed = Counter[str](), Counter[str]()
    for ones in by_item.values():
        for one, other in permutations(ones, 2):
            compared[one.reviewer] += 1
            agreed[one.reviewer] += one.verdict == other.verdict
    return tuple(
        Reviewer(tuple(ones), name, sessions(ones), compared[name], agreed[name])
        for name, ones in sorted(by_name.items())
    )


def sessions(judged: Sequence[Judged]) -> tuple[Session, ...]:
    """Of one person, in the order of time."""
    found: list[list[Judged]] = []
    for one in judged:
        if found and one.at - found[-1][-1].at < BREAK:
            found[-1].append(one)
        else:
            found.append([one])
    return tuple(Session(tuple(ones)) for ones in found)


def hints(reviewer: Reviewer) -> Iterator[str]:
    """What somebody should know of the last session: haste, and less care with more speed."""
    last = reviewer.last
    if last.hasty >= PART / 2 and last.hasty >= HASTY * last.approved:
        yield (
            f"{last.hasty} of {last.approved} approvals took less than {FLOOR} s: "
            "too little to have looked."
        )
    if last.count >= 3 * PART:
        begun, *_, ended = last.split(3)
        yield from _tired(begun, ended)


def _tired(begun: Part, ended: Part) -> Iterator[str]:
    if not begun.median or not ended.median:
        return
    words = f"from {begun.median:.0f} s to {ended.median:.0f} s an item"
    if ended.median > FASTER * begun.median:
        yield f"Slower over the session, {words}: time for a break?"
    if begun.median < FASTER * ended.median:
        return
    counted = min(begun.canaries, ended.canaries) >= CANARIES
    if counted and ended.found / ended.canaries < begun.found / begun.canaries:
        yield (
            f"Faster, {words}, while canaries found fell from {begun.found} of "
            f"{begun.canaries} to {ended.found} of {ended.canaries}: time for a break."
        )
    elif not counted and 2 * ended.refused * begun.count < begun.refused * ended.count:
        yield (
            f"Faster, {words}, and refusing less than half as often "
            f"({begun.refused} of {begun.count}, then {ended.refused} of {ended.count}): time for a break?"
        )

"""Texts as runs of words: which runs are shared with which texts, and how alike two texts are.

Runs are 64-bit hashes in sorted arrays, 12 bytes for each run of each text, so that a benchmark of ten thousand conversations fits
in memory. Hashes are the same in every process.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from hashlib import blake2b

from writ_app.engine.arrays import Bools, Int64s, Uint32s, Uint64s, np

type Hashes = Uint64s

_PUNCTUATION = re.compile(r"[^\w\s]")
_BASE = 0x9E3779B97F4A7C15
"""Odd, so that no run loses its first word to the modulus 2^64."""


def words_of(text: str) -> list[str]:
    """Words in lower case, without punctuation: "Don't — #W12" is dont, w12."""
    plain = unicodedata.normalize("NFKC", text).lower().replace("_", " ")
    return _PUNCTUATION.sub("", plain).split()


@lru_cache(maxsize=100_000)
def _hash(word: str) -> int:
    return int.from_bytes(blake2b(word.encode(), digest_size=8).digest())


def run_hashes(words: Sequence[str], length: int) -> Hashes:
    """One hash for each run of `length` words, in order."""
    each = np.array([_hash(word) for word in words], dtype=np.uint64)
    runs = np.zeros(max(0, len(words) - length + 1), dtype=np.uint64)
    base = np.uint64(_BASE)
    for offset in range(length):
        runs = runs * base + each[offset : offset + len(runs)]
    return runs


class RunIndex:
    """Runs of `length` words → the numbers of the texts that hold them, but for runs of what is shared by design."""

    def __init__(self, length: int, exempt: Iterable[str] = ()):
        self._length = length
        own = [run_hashes(words_of(text), length) for text in exempt]
        self._exempt = np.unique(np.concatenate(own)) if own else _none()
        self._waiting: list[tuple[Hashes, int]] = []
        self._runs, self._numbers = _none(), np.zeros(0, dtype=np.uint32)

    def add(self, number: int, words: Sequence[str]) -> None:
        self._waiting.append((self._own(run_hashes(words, self._length)), number))

    def found(self, words: Sequence[str]) -> Iterator[tuple[str, list[int]]]:
        """Runs of these words that stand in a text, in order, each once."""
        self._settle()
        hashes = run_hashes(words, self._length)
        first, last = self._places(hashes)
        for start in np.flatnonzero(last > first).tolist():
            if hashes[start] in hashes[:start]:
                continue
            numbers = np.unique(self._numbers[first[start] : last[start]]).tolist()
            yield " ".join(words[start : start + self._length]), numbers

    def overlap(self, words: Sequence[str]) -> tuple[Counter[int], int]:
        """(number of a text → how many different runs it shares, how many there are)."""
        self._settle()
        hashes = self._own(run_hashes(words, self._length))
        first, last = self._places(hashes)
        shared: Counter[int] = Counter()
        for start in np.flatnonzero(last > first).tolist():
            shared.update(np.unique(self._numbers[first[start] : last[start]]).tolist())
        return shared, len(hashes)

    def _own(self, hashes: Hashes) -> Hashes:
        """Each once, without those that are shared by design."""
        unique = np.unique(hashes)
        return unique[~_within(unique, self._exempt)]

    def _places(self, hashes: Hashes) -> tuple[Int64s, Int64s]:
        left = np.searchsorted(self._runs, hashes, side="left")
        return left, np.searchsorted(self._runs, hashes, side="right")

    def _settle(self) -> None:
        if not self._waiting:
            return
        runs = [self._runs, *(hashes for hashes, _ in self._waiting)]
        numbers = [
            self._numbers,
            *(
                np.full(len(hashes), number, dtype=np.uint32)
                for hashes, number in self._waiting
            ),
        ]
        everything, owners = np.concatenate(runs), np.concatenate(numbers)
        order = np.argsort(everything, kind="stable")
        self._runs, self._numbers = everything[order], owners[order]
        self._waiting.clear()


def _none() -> Hashes:
    return np.zeros(0, dtype=np.uint64)


def _within(hashes: Hashes, ordered: Hashes) -> Bools:
    if not len(ordered):
        return np.zeros(len(hashes), dtype=np.bool_)
    place = np.minimum(np.searchsorted(ordered, hashes), len(ordered) - 1)
    return np.asarray(ordered[place] == hashes)


# --- likeness of whole texts ---------------------------------------------------------------------------------------------------

PERMUTATIONS = 128
"""Of a MinHash: the estimate's standard error is at most 0.045."""


@cache
def _permutations() -> tuple[Hashes, Hashes]:
    """(odd factors, summands), the same in every process."""
    rng = np.random.default_rng(20_260_504)
    factors = rng.integers(0, 2**63, PERMUTATIONS, dtype=np.uint64)
    summands = rng.integers(0, 2**63, PERMUTATIONS, dtype=np.uint64)
    return factors * np.uint64(2) + np.uint64(1), summands


def sketch(hashes: Hashes) -> Uint32s | None:
    """MinHash of a set of runs (Broder 1997), (PERMUTATIONS,) with multiply-shift hashes; None of an empty set."""
    if not len(hashes):
        return None
    factors, summands = _permutations()
    mixed = hashes[None, :] * factors[:, None] + summands[:, None]
    return np.asarray((mixed >> np.uint64(32)).min(axis=1).astype(np.uint32))


class Sketches:
    """Sketches of many texts, to find the most alike: the share of equal minima estimates the Jaccard index of the runs."""

    def __init__(self, length: int):
        self._length = length
        self._rows: list[Uint32s] = []
        self._numbers: list[int] = []
        self._matrix: Uint32s | None = None

    def add(self, number: int, words: Sequence[str]) -> None:
        found = sketch(np.unique(run_hashes(words, self._length)))
        if found is not None:
            self._rows.append(found)
            self._numbers.append(number)
            self._matrix = None

    def nearest(self, words: Sequence[str]) -> tuple[int, float]:
        """(number of the text that is most alike, estimated Jaccard index); (-1, 0) if there is nothing to compare."""
        own = sketch(np.unique(run_hashes(words, self._length)))
        if own is None or not self._rows:
            return -1, 0.0
        if self._matrix is None:
            self._matrix = np.stack(self._rows)
        alike = (self._matrix == own).mean(axis=1)
        best = int(alike.argmax())
        return self._numbers[best], float(alike[best])

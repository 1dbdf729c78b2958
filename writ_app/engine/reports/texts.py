"""How varied what is said is: of users, of assistants and of the requests themselves, each on a sample, at set lengths.

All these measures depend on how much text they are taken of, so that two sets are compared at the same number of words. Compression
ratio, self-repetition and self-BLEU are the three that Shaib et al. (2403.00553) found to be enough and hardly correlated; written
here by hand, because the package of that paper asks for old versions of what it hardly needs.
"""

import math
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

from writ_app.engine.arrays import np
from writ_app.engine.reports.source import Observed
from writ_app.engine.reports.spread import Sample, entropy, most_common, ratio
from writ_app.engine.reports.tools import moving_types

TEXTS = 2_000
"""Texts of each kind in the sample."""
LONGEST = 2_000
"""Characters of one that are looked at."""
BUDGETS = (500, 2_000, 10_000, 40_000)
"""Numbers of words at which a sample is measured."""
GROUPS = (50, 200)
"""Numbers of texts of which self-BLEU and self-repetition are taken."""
CUT, SHORTEST = 40, 6
"""Words of each of them that count, and that it must have."""
LONG = 4
"""Words of an n-gram that is long for the measure of self-repetition (Salkar et al. 2022)."""
OPENING = 3
OPENINGS = 8
WINDOW = 200
"""Words in a window of the moving-average type-token ratio, which hardly depends on length (Covington and McFall 2010)."""
KINDS = ("instructions", "user", "assistant")

_WORD = re.compile(r"\w+(?:['’.-]\w+)*")


class Texts:
    def __init__(self, seed: int = 0):
        self._samples = {kind: Sample[str](TEXTS, seed) for kind in KINDS}

    def add(self, one: Observed) -> None:
        record = one.record
        for number, message in enumerate(record.messages):
            text = message.get("content")
            if text and message["role"] in ("user", "assistant"):
                key = f"{record.id} {number}"
                self._samples[message["role"]].add(key, text[:LONGEST])
        if one.note is not None and one.note.text:
            self._samples["instructions"].add(one.note.key, one.note.text[:LONGEST])

    def result(self) -> dict[str, Any]:
        return {
            kind: _measured(sample.values(), sample.offered)
            for kind, sample in self._samples.items()
        }


def _measured(texts: Sequence[str], offered: int) -> dict[str, Any]:
    split = [_WORD.findall(text.lower()) for text in texts]
    words = [word for one in split for word in one]
    fit = [tuple(one[:CUT]) for one in split if len(one) >= SHORTEST]
    return {
        "texts": offered,
        "sampled": len(texts),
        "words": len(words),
        "openings": openings(split),
        "by_words": {
            str(budget): at_length(texts, split, budget)
            for budget in BUDGETS
            if len(words) >= budget
        },
        "by_texts": {
            str(count): among_texts(fit[:count])
            for count in GROUPS
            if len(fit) >= count
        },
    }


def openings(split: Sequence[Sequence[str]]) -> dict[str, Any]:
    """How texts begin: the share of the most frequent first words, and the entropy (bits) of them all."""
    counts = Counter(" ".join(one[:OPENING]) for one in split if one)
    (_, most), *_ = most_common(counts, 1) or [["", 0]]
    return {
        "distinct": ratio(len(counts), counts.total()),
        "most": ratio(most, counts.total()),
        "entropy": round(entropy(counts.values()), 3),
        "listed": most_common(counts, OPENINGS),
        "of": counts.total(),
    }


def at_length(
    texts: Sequence[str], split: Sequence[Sequence[str]], budget: int
) -> dict[str, Any]:
    """Measures of the first texts that hold so many words together."""
    taken: list[str] = []
    held = 0
    for text, words in zip(texts, split, strict=True):
        taken.append(text)
        held += len(words)
        if held >= budget:
            break
    raw = "\n".join(taken).encode()
    words = [word for one in split[: len(taken)] for word in one][:budget]
    return {
        "compression": round(len(raw) / len(zlib.compress(raw, 9)), 4),
        "types": moving_types(words, WINDOW),
        **{
            f"distinct_{n}": ratio(len(set(_grams(words, n))), budget - n + 1)
            for n in (1, 2, 3)
        },
    }


def among_texts(texts: Sequence[tuple[str, ...]]) -> dict[str, Any]:
    return {
        "self_bleu": round(self_bleu(texts), 4),
        "self_repetition": round(self_repetition(texts), 4),
        "vendi": round(vendi(texts), 2),
    }


def vendi(texts: Sequence[tuple[str, ...]]) -> float:
    """How many texts with nothing in common would be as varied (Friedman and Dieng 2023): from 1, all alike, to their number.

    exp of the entropy of the eigenvalues of K / n, where K holds the cosines of the texts' counts of words and of word pairs,
    averaged over both. Of n-grams, so that other words for the same are another text: without an embedder nobody knows.
    """
    if not texts:
        return 0.0
    kernel = sum(_cosines([_grams(text, n) for text in texts]) for n in (1, 2)) / 2
    shares = np.linalg.eigvalsh(kernel / len(texts))
    held = shares[shares > 1e-12]
    return float(np.exp(-np.sum(held * np.log(held))))


def _cosines(texts: Sequence[Sequence[tuple[str, ...]]]) -> Any:
    """Of each two; every text has at least one n-gram."""
    places: dict[tuple[str, ...], int] = {}
    rows = [[places.setdefault(gram, len(places)) for gram in text] for text in texts]
    counts = np.zeros((len(texts), len(places)))
    for place, row in enumerate(rows):
        np.add.at(counts[place], row, 1)
    counts /= np.linalg.norm(counts, axis=1, keepdims=True)
    return counts @ counts.T


def self_repetition(texts: Sequence[tuple[str, ...]]) -> float:
    """Mean over texts of log(1 + how many other texts have its long n-grams, summed over these): 0 if none is ever repeated."""
    held: Counter[tuple[str, ...]] = Counter()
    for text in texts:
        held.update(set(_grams(text, LONG)))
    scores = [
        math.log1p(sum(held[gram] - 1 for gram in _grams(text, LONG))) for text in texts
    ]
    return sum(scores) / len(scores) if scores else 0.0


def self_bleu(texts: Sequence[tuple[str, ...]]) -> float:
    """Mean BLEU-4 of each text against all others (Zhu et al. 2018): 1 if all are alike. Precisions are smoothed by adding one to
    those of two words and more (Lin and Och 2004)."""
    if len(texts) < 2:
        return 0.0
    grams = [[Counter(_grams(text, n)) for text in texts] for n in range(1, 5)]
    best = [_two_best(counts) for counts in grams]
    lengths = Counter(map(len, texts))
    total = 0.0
    for place, text in enumerate(texts):
        logs = 0.0
        for n, (counts, others) in enumerate(zip(grams, best, strict=True), start=1):
            made = max(0, len(text) - n + 1)
            kept = sum(
                min(count, others[gram].without(place))
                for gram, count in counts[place].items()
            )
            smooth = 1 if n > 1 else 0
            logs += math.log(max(kept + smooth, 1e-9) / max(made + smooth, 1)) / 4
        nearest = min(
            (length for length, n in lengths.items() if n > (length == len(text))),
            key=lambda length: (abs(length - len(text)), length),
        )
        total += math.exp(logs + min(0.0, 1 - nearest / len(text)))
    return total / len(texts)


class _Best:
    """The most often that an n-gram comes in one text, and in another."""

    __slots__ = ("first", "second", "where")

    def __init__(self) -> None:
        self.first = self.second = 0
        self.where = -1

    def add(self, count: int, place: int) -> None:
        if count > self.first:
            self.first, self.second, self.where = count, self.first, place
        elif count > self.second:
            self.second = count

    def without(self, place: int) -> int:
        return self.second if place == self.where else self.first


def _two_best(
    counts: Sequence[Counter[tuple[str, ...]]],
) -> dict[tuple[str, ...], _Best]:
    found: dict[tuple[str, ...], _Best] = {}
    for place, held in enumerate(counts):
        for gram, count in held.items():
            found.setdefault(gram, _Best()).add(count, place)
    return found


def _grams(words: Sequence[str], length: int) -> list[tuple[str, ...]]:
    return [
        tuple(words[start : start + length]) for start in range(len(words) - length + 1)
    ]

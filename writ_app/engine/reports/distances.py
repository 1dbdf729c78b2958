"""How far two reports are apart: named distances, with an interval in which they would lie had others been drawn.

Jensen–Shannon divergence (Lin 1991; base 2: 0 the same, 1 nothing in common) of what is counted by name, Wasserstein-1 distance (in
the unit of what is measured) and the Kolmogorov–Smirnov statistic (0 to 1) of lengths. Intervals (95 %) are percentile bootstraps
over single values: values of one conversation hang together, so that they are somewhat too narrow for those.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from writ_app.engine.arrays import Floats, np

RESAMPLES = 400
MOST = 200_000
"""Values that are resampled as if there were no more: beyond that an interval is a point."""

LENGTHS = (
    ("sizes.parts.messages", "messages"),
    ("sizes.parts.user", "user turns"),
    ("sizes.parts.assistant", "assistant turns with text"),
    ("sizes.parts.calls", "tool calls"),
    ("tools.distinct_in", "different tools used"),
    ("sizes.tokens.user", "tokens of the user"),
    ("sizes.tokens.assistant", "tokens of the assistant's text"),
    ("sizes.tokens.calls", "tokens of calls"),
    ("sizes.tokens.tool", "tokens of results"),
    ("sizes.tokens.whole", "tokens in all"),
    ("cells.writes", "writes"),
    ("cells.burden", "evidence burden"),
)
NAMED = (
    ("tools.calls", "tools called"),
    ("tools.bigrams", "pairs of calls in a row"),
    ("cells.cells", "cells of writes × burden"),
)
SINGLE = (
    ("tools.entropy", "tool-call entropy (bits)"),
    ("tools.bigram_entropy", "entropy of the next call (bits)"),
    ("tools.distance", "mean distance of call sequences"),
    ("tools.type_token", "type-token ratio of calls"),
    ("tools.sequence_share", "share of different call sequences"),
)
TEXT = (
    ("compression", "compression ratio"),
    ("distinct_1", "distinct-1"),
    ("distinct_2", "distinct-2"),
    ("distinct_3", "distinct-3"),
    ("types", "moving-average type-token ratio"),
    ("self_bleu", "self-BLEU"),
    ("self_repetition", "self-repetition"),
    ("vendi", "Vendi score of n-grams"),
)


def calibrate(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Two reports beside each other, as plain JSON. What only one of them has is left out, and named in `missing`."""
    missing: list[str] = []
    lengths, named = [], []
    for place, title in LENGTHS:
        pair = [bars(_at(report, place)) for report in (ours, theirs)]
        if all(pair):
            lengths.append({"place": place, "title": title, **length_distance(*pair)})
        else:
            missing.append(title)
    for place, title in NAMED:
        both = [_shares(_at(report, place)) for report in (ours, theirs)]
        if all(both):
            named.append({"place": place, "title": title, **divergence(*both)})
        else:
            missing.append(title)
    return {
        "lengths": lengths,
        "named": named,
        "single": [
            {"title": title, "ours": mine, "theirs": yours}
            for place, title in SINGLE
            if (mine := _at(ours, place)) is not None
            and (yours := _at(theirs, place)) is not None
        ],
        "texts": _texts(ours.get("texts") or {}, theirs.get("texts") or {}),
        "missing": missing,
    }


def _at(report: Mapping[str, Any], place: str) -> Any:
    value: Any = report
    for part in place.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def bars(tally: Any) -> list[tuple[float, int]]:
    """(middle of a bar, count) of a tally's histogram."""
    if not tally or not tally.get("histogram"):
        return []
    middle = (tally["width"] - 1) / 2
    return [(value + middle, count) for value, count in tally["histogram"]]


def _shares(rows: Any) -> dict[str, int]:
    """Of [[name, …, count]], or of cells."""
    if rows and isinstance(rows[0], Mapping):
        rows = [(row["writes"], row["burden"], row["accepted"]) for row in rows]
        if all(row[1] == "unknown" for row in rows):
            return {}
    return {" → ".join(map(str, row[:-1])): row[-1] for row in rows or () if row[-1]}


# --- lengths -------------------------------------------------------------------------------------------------------------------


def length_distance(
    ours: Sequence[tuple[float, int]], theirs: Sequence[tuple[float, int]]
) -> dict[str, Any]:
    """Wasserstein-1 and Kolmogorov–Smirnov of two histograms [(value, count)], and their medians."""
    places = np.array(sorted({v for v, _ in ours} | {v for v, _ in theirs}))
    counts = [_counts(places, one) for one in (ours, theirs)]
    gaps = np.diff(places)

    def both(one: Floats, other: Floats) -> Floats:
        apart = np.abs(np.cumsum(one, axis=-1) - np.cumsum(other, axis=-1))
        wide = (apart[..., :-1] * gaps).sum(axis=-1)
        return np.stack([wide, apart.max(axis=-1)], axis=-1)

    value, low, high = _with_interval(both, *counts)
    medians = [_median(places, one) for one in counts]
    return {
        "ours": medians[0],
        "theirs": medians[1],
        "wasserstein": _rounded(value[0], low[0], high[0]),
        "ks": _rounded(value[1], low[1], high[1]),
    }


def divergence(ours: Mapping[str, int], theirs: Mapping[str, int]) -> dict[str, Any]:
    """Jensen–Shannon divergence of two counts by name, and the names that make most of it."""
    names = sorted({*ours, *theirs})
    counts = [
        np.array([held.get(name, 0) for name in names], dtype=np.float64)
        for held in (ours, theirs)
    ]

    def of(one: Floats, other: Floats) -> Floats:
        return _parts(one, other).sum(axis=-1, keepdims=True)

    value, low, high = _with_interval(of, *counts)
    shares = [count / count.sum() for count in counts]
    order = np.argsort(-_parts(*shares), kind="stable")[:8]
    return {
        "divergence": _rounded(value[0], low[0], high[0]),
        "most": [
            [names[n], round(float(shares[0][n]), 4), round(float(shares[1][n]), 4)]
            for n in order.tolist()
        ],
        "only_ours": sum(name not in theirs for name in ours),
        "only_theirs": sum(name not in ours for name in theirs),
    }


def _parts(one: Floats, other: Floats) -> Floats:
    """What each name adds to the divergence, in bits."""
    middle = (one + other) / 2
    total = np.zeros_like(middle)
    for share in (one, other):
        safe = np.where(share > 0, share / np.where(middle > 0, middle, 1), 1.0)
        total = total + share * np.log2(safe) / 2
    return total


def _with_interval(
    measure: Callable[[Floats, Floats], Floats], one: Floats, other: Floats
) -> tuple[Floats, Floats, Floats]:
    """(value, low, high) of a measure of two distributions given as counts."""
    shares = [count / count.sum() for count in (one, other)]
    rng = np.random.default_rng(0)
    drawn = []
    for share, count in zip(shares, (one, other), strict=True):
        size = int(min(count.sum(), MOST))
        drawn.append(rng.multinomial(size, share, size=RESAMPLES) / size)
    low, high = np.percentile(measure(*drawn), [2.5, 97.5], axis=0)
    return measure(*shares), low, high


def _counts(places: Floats, held: Sequence[tuple[float, int]]) -> Floats:
    counts = np.zeros(len(places))
    for value, count in held:
        counts[np.searchsorted(places, value)] += count
    return counts


def _median(places: Floats, counts: Floats) -> float:
    reached = np.searchsorted(np.cumsum(counts), counts.sum() / 2)
    return float(places[min(int(reached), len(places) - 1)])


def _rounded(*values: float) -> list[float]:
    return [round(float(value), 4) for value in values]


# --- texts ---------------------------------------------------------------------------------------------------------------------


def _texts(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """For each kind of text, every measure at the largest size that both have."""
    found = []
    for kind in ours:
        if kind not in theirs:
            continue
        lines = []
        for size in ("by_words", "by_texts"):
            mine, yours = ours[kind].get(size, {}), theirs[kind].get(size, {})
            both = sorted(mine.keys() & yours.keys(), key=int)
            if both:
                at = both[-1]
                lines += [
                    {"title": title, "at": f"{int(at):,} {size.removeprefix('by_')}", "ours": mine[at][name], "theirs": yours[at][name]}
                    for name, title in TEXT
                    if mine[at].get(name) is not None and yours[at].get(name) is not None
                ]  # fmt: skip
        if lines:
            found.append({"kind": kind, "lines": lines})
    return found

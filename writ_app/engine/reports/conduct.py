"""Behaviour of users: what was asked for against what came out, and how many pairs of values were ever played together."""

from collections import Counter
from itertools import combinations
from typing import Any

from writ_app.engine.behaviour import DIMENSIONS, go_together
from writ_app.engine.reports.source import Observed
from writ_app.engine.reports.spread import most_common, ratio

type Pair = tuple[tuple[str, str], tuple[str, str]]


class Conduct:
    """Reads the facts `behaviour` and `realised` {dimension: value}, `plan` and `persona`."""

    def __init__(self) -> None:
        self._asked: Counter[tuple[str, str]] = Counter()
        self._came: Counter[tuple[str, str]] = Counter()
        self._kept: Counter[tuple[str, str]] = Counter()
        self._judged: Counter[tuple[str, str]] = Counter()
        self._pairs: Counter[Pair] = Counter()
        self._plans: Counter[str] = Counter()
        self._personas: Counter[str] = Counter()
        self._count = 0

    def add(self, one: Observed) -> None:
        facts = one.record.facts
        asked, came = facts.get("behaviour") or {}, facts.get("realised") or {}
        for name, counter in (("plan", self._plans), ("persona", self._personas)):
            if facts.get(name):
                counter[str(facts[name])] += 1
        if not asked and not came:
            return
        self._count += 1
        self._asked.update(asked.items())
        self._came.update(came.items())
        for dimension, value in asked.items():
            if dimension in came:
                self._judged[dimension, value] += 1
                self._kept[dimension, value] += came[dimension] == value
        self._pairs.update(combinations(sorted(came.items()), 2))

    def result(self) -> dict[str, Any]:
        """`pairs`: of the pairs of values that came out at all and go together, those that came out together."""
        values = sorted(self._came)
        possible = [
            pair
            for pair in combinations(values, 2)
            if pair[0][0] != pair[1][0] and go_together(*pair)
        ]
        seen = sum(pair in self._pairs for pair in possible)
        return {
            "count": self._count,
            "plans": most_common(self._plans, 60),
            "personas": most_common(self._personas, 60),
            "kept": ratio(self._kept.total(), self._judged.total()),
            "pairs": {
                "possible": len(possible),
                "seen": seen,
                "share": ratio(seen, len(possible)),
            },
            "dimensions": [
                {"slug": slug, "title": one.title, "code": one.code, "values": lines}
                for slug, one in DIMENSIONS.items()
                if (lines := self._lines(slug))
            ],
        }

    def _lines(self, slug: str) -> list[dict[str, Any]]:
        return [
            {
                "value": value.slug,
                "title": value.title,
                "asked": self._asked[slug, value.slug],
                "came": self._came[slug, value.slug],
                "judged": self._judged[slug, value.slug],
                "kept": self._kept[slug, value.slug],
            }
            for value in DIMENSIONS[slug].values
            if self._asked[slug, value.slug] or self._came[slug, value.slug]
        ]

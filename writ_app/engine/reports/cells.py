"""The two axes: how many conversations lie in each cell of writes × evidence burden, how many of those made were accepted."""

from collections import Counter
from typing import Any

from writ_app.engine.reports.source import Observed
from writ_app.engine.reports.spread import Tally, ratio
from writ_app.engine.types import BURDEN_BANDS, WRITE_BANDS, burden_band, write_band

NO_BURDEN = "unknown"
"""Band of what has writes, and no proof of its evidence: a benchmark's own tasks."""


class Cells:
    """Takes accepted and rejected ones alike; only what is `counted` is in the histograms of both axes."""

    def __init__(self) -> None:
        self._made: Counter[tuple[str, str]] = Counter()
        self._accepted: Counter[tuple[str, str]] = Counter()
        self._writes, self._burden = Tally(), Tally()
        self._reasons: Counter[tuple[str, str]] = Counter()

    def add(self, one: Observed, *, accepted: bool, counted: bool) -> None:
        facts = one.record.facts
        if not accepted:
            reason = str(facts.get("reason") or "unknown")
            self._reasons[reason, str(facts.get("owner") or "")] += 1
        writes = facts.get("writes", one.note and one.note.writes)
        burden = facts.get("burden", one.note and one.note.burden)
        if writes is None:
            return
        band = NO_BURDEN if burden is None else burden_band(burden)
        cell = write_band(writes), band
        self._made[cell] += 1
        self._accepted[cell] += accepted
        if counted:
            self._writes.add(writes)
            if burden is not None:
                self._burden.add(burden)

    def result(self) -> dict[str, Any]:
        """`attempts` are simulations per accepted one: None where none was."""
        cells = [
            {
                "writes": writes,
                "burden": burden,
                "made": self._made[writes, burden],
                "accepted": self._accepted[writes, burden],
                "rate": ratio(self._accepted[writes, burden], self._made[writes, burden]),
                "attempts": ratio(self._made[writes, burden], self._accepted[writes, burden]),
            }
            for writes in WRITE_BANDS
            for burden in (*BURDEN_BANDS, NO_BURDEN)
            if self._made[writes, burden]
        ]  # fmt: skip
        made, accepted = self._made.total(), self._accepted.total()
        reasons = sorted(self._reasons.items(), key=lambda pair: (-pair[1], pair[0]))
        return {
            "made": made,
            "accepted": accepted,
            "rate": ratio(accepted, made),
            "cells": cells,
            "writes": self._writes.result(),
            "burden": self._burden.result(),
            "reasons": [
                {"reason": reason, "owner": owner, "count": count}
                for (reason, owner), count in reasons
            ],
        }

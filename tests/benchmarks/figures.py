"""What a benchmark found: said to whoever looks on, and noted for the table of `make bench`."""

import json
import os
import statistics
from collections.abc import Sequence
from pathlib import Path

NOTES = "WRIT_FIGURES"
"""Environment variable with the file that figures are added to, one JSON object a line. Unset: they are only said."""


def show(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def note(
    what: str,
    value: float,
    unit: str,
    *,
    size: int = 0,
    at_most: float | None = None,
    at_least: float | None = None,
    beside: str = "",
) -> None:
    """A figure for the table, with what it is meant to be, and in words what others measured on such a machine.

    Figures of one name with different sizes stand side by side.
    """
    if not (path := os.environ.get(NOTES)):
        return
    more = {"size": size or None, "at_most": at_most, "at_least": at_least}
    told = {name: limit for name, limit in more.items() if limit is not None}
    figure = {"what": what, "value": value, "unit": unit, "beside": beside, **told}
    with Path(path).open("a") as notes:
        notes.write(f"{json.dumps(figure)}\n")


def p50(values: Sequence[float]) -> float:
    return statistics.median(values)


def p95(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]

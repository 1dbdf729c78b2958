"""The section that lays a report beside a reference set: distances, and both shapes over each other."""

from collections.abc import Mapping
from typing import Any

from writ_app.services.reports.figures import (
    WIDTH,
    Bar,
    Bars,
    Section,
    Table,
    Words,
    make_histogram,
    number,
    percent,
)

type Json = Mapping[str, Any]

OVERLAID = 8
"""Shapes that are drawn, those that are furthest apart first."""
FEW = 30
KINDS = {"instructions": "requests", "user": "users", "assistant": "assistants"}


def calibration_section(content: Json) -> Section | None:
    found = content.get("calibration")
    if not found:
        return None
    name = content["reference"]["name"]
    lengths = sorted(found["lengths"], key=lambda one: -one["ks"][0])
    figures: list[Any] = [
        Words(
            (
                f"Beside {name}, of size {content['reference']['report']['sizes']['trajectories']:,}. "
                "Outlines are the reference's. Being near is no aim by itself; being far should have a reason.",
            )
        ),
        _few(content),
        _apart(found),
    ]
    for one in lengths[:OVERLAID]:
        figures.append(
            make_histogram(
                one["title"].capitalize(),
                _at(content["report"], one["place"]),
                _at(content["reference"]["report"], one["place"]),
                caption=f"KS {one['ks'][0]:.2f} ({one['ks'][1]:.2f} to {one['ks'][2]:.2f}), W₁ {number(one['wasserstein'][0])}",
            )
        )
    figures.append(_lengths(lengths))
    figures += [_named(one) for one in found["named"]]
    figures.append(_singles(found))
    if found["missing"]:
        figures.append(
            Words((f"Only one of the two has: {', '.join(found['missing'])}.",))
        )
    return Section(
        "calibration",
        "Beside a reference set",
        "How far the two are apart, measure by measure.",
        tuple(figure for figure in figures if figure),
    )


def _few(content: Json) -> Words | None:
    """A warning where one of the two is too small for its shape to say much."""
    sizes = {
        "the reference": content["reference"]["report"]["sizes"]["trajectories"],
        "this set": content["report"]["sizes"]["trajectories"],
    }
    few = [f"{name} has {size:,}" for name, size in sizes.items() if size < FEW]
    if not few:
        return None
    return Words((f"Few to compare: {' and '.join(few)}.",), "warning")


def _apart(found: Json) -> Bars:
    """All distances between 0 and 1 in one picture."""
    rows = [(one["title"], one["ks"], "KS") for one in found["lengths"]]
    rows += [(one["title"], one["divergence"], "JSD") for one in found["named"]]
    rows.sort(key=lambda row: -row[1][0])
    return Bars(
        "How far apart",
        tuple(
            Bar(
                title,
                f"{distance[0]:.2f}",
                round(WIDTH * min(1.0, distance[0]), 1),
                note=f"{measure}, {distance[1]:.2f} to {distance[2]:.2f}",
                tone="ok" if distance[0] < 0.1 else "bad" if distance[0] > 0.5 else "",
            )
            for title, distance, measure in rows
        ),
        "0: the same, 1: nothing in common. KS: Kolmogorov–Smirnov statistic; JSD: Jensen–Shannon divergence in bits. With 95 % intervals.",
        wide=True,
    )


def _lengths(lengths: list[Json]) -> Table:
    return Table(
        "Lengths",
        ("", "ours, median", "reference, median", "Wasserstein-1", "95 %", "KS", "95 %"),
        tuple(
            (
                one["title"],
                number(one["ours"]),
                number(one["theirs"]),
                number(one["wasserstein"][0]),
                f"{number(one['wasserstein'][1])} – {number(one['wasserstein'][2])}",
                f"{one['ks'][0]:.3f}",
                f"{one['ks'][1]:.3f} – {one['ks'][2]:.3f}",
            )
            for one in lengths
        ),
        frozenset(range(1, 7)),
        folded=True,
    )  # fmt: skip


def _named(one: Json) -> Bars:
    most = max([max(row[1], row[2]) for row in one["most"]], default=1) or 1
    low, high = one["divergence"][1:]
    return Bars(
        f"{one['title'].capitalize()}: what differs most",
        tuple(
            Bar(
                name,
                percent(ours),
                round(WIDTH * ours / most, 1),
                ghost=round(WIDTH * theirs / most, 1),
                note=f"reference {percent(theirs)}",
            )
            for name, ours, theirs in one["most"]
        ),
        f"Jensen–Shannon divergence {one['divergence'][0]:.3f} bits ({low:.3f} to {high:.3f}); {one['only_ours']} only ours, {one['only_theirs']} only theirs.",
    )


def _singles(found: Json) -> Table:
    rows = [
        ("tools", one["title"], "", number(one["ours"], 3), number(one["theirs"], 3))
        for one in found["single"]
    ]
    for kind in found["texts"]:
        rows += [
            (KINDS[kind["kind"]], one["title"], one["at"], number(one["ours"], 3), number(one["theirs"], 3))
            for one in kind["lines"]
        ]  # fmt: skip
    return Table(
        "Variety, at the same lengths",
        ("of", "measure", "at", "ours", "reference"),
        tuple(rows),
        frozenset({3, 4}),
    )


def _at(report: Json, place: str) -> Any:
    value: Any = report
    for part in place.split("."):
        value = value[part]
    return value

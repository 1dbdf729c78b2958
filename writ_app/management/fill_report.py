"""How a grid was filled, for people and as JSON."""

from collections.abc import Iterator, Sequence
from typing import Any

from environments.core.environment import Environment
from writ_app.adapters.batches import Batch, Designed
from writ_app.engine.errors import REASONS
from writ_app.engine.grid import Cell
from writ_app.engine.types import BURDEN_BANDS, WRITE_BANDS


def summary(
    batch: Batch, environment: Environment, people: int, seconds: float
) -> dict[str, Any]:
    """Everything that the report says, as plain JSON. `people` is how many could have been asked."""
    report = batch.report
    made = sum(recipe.kept for recipe in report.recipes.values())
    refused = sum(
        (recipe.refused for recipe in report.recipes.values()), start=_nothing(batch)
    )
    return {
        "environment": environment.name,
        "version": environment.version,
        "tasks": len(batch.tasks),
        "wanted": sum(report.wanted.values()),
        "seconds": round(seconds, 1),
        "cells": [
            {
                "writes": cell[0],
                "burden": cell[1],
                "wanted": report.wanted[cell],
                "filled": report.filled[cell],
                "given_up": report.given_up.get(cell, ""),
            }
            for cell in sorted(
                {*report.wanted, *report.filled, *report.given_up}, key=_place
            )
        ],
        "draws": sum(recipe.draws for recipe in report.recipes.values()),
        "kept": made,
        "recipes": [
            {
                "recipe": name,
                "draws": recipe.draws,
                "made": recipe.made,
                "kept": recipe.kept,
                "draws_per_task": round(recipe.draws / recipe.kept, 1)
                if recipe.kept
                else None,
            }
            for name, recipe in sorted(report.recipes.items())
        ],
        "refused": [
            {"reason": reason, "meaning": REASONS.get(reason, ""), "draws": count}
            for reason, count in sorted(refused.items(), key=lambda one: (-one[1], one))
        ],
        "burden": _burden(batch.tasks),
        "people": {
            "used": len(report.people),
            "there": people,
            "most_tasks": max(report.people.values(), default=0),
        },
        "decontamination": batch.seen.report() if batch.seen is not None else None,
    }


def lines(found: dict[str, Any]) -> Iterator[str]:
    """The same, to be read."""
    yield f"{found['tasks']:,} of {found['wanted']:,} tasks over {found['environment']} {found['version']} in {found['seconds']:.1f} s"
    yield ""
    yield f"{'writes':<8}{'burden':<8}{'wanted':>8}{'filled':>8}"
    for cell in found["cells"]:
        why = f"   {cell['given_up']}" if cell["given_up"] else ""
        yield f"{cell['writes']:<8}{cell['burden']:<8}{cell['wanted']:>8,}{cell['filled']:>8,}{why}"
    yield ""
    yield f"{'recipe':<18}{'draws':>8}{'proved':>8}{'kept':>8}{'draws per task':>16}"
    for recipe in found["recipes"]:
        rate = recipe["draws_per_task"]
        shown = "-" if rate is None else f"{rate:,.1f}"
        yield f"{recipe['recipe']:<18}{recipe['draws']:>8,}{recipe['made']:>8,}{recipe['kept']:>8,}{shown:>16}"
    yield ""
    yield "Draws that were refused:"
    for reason in found["refused"]:
        yield f"{reason['draws']:>8,}  {reason['reason']:<16}{reason['meaning']}".rstrip()
    yield ""
    burden, people = found["burden"], found["people"]
    yield f"Burden: {burden['7_or_more']:.0%} have 7 or more, {burden['10_or_more']:.0%} have 10 or more, the most is {burden['most']}."
    yield f"People: {people['used']:,} of {people['there']:,} ask for something, one of them for {people['most_tasks']:,} tasks at most."
    if found["decontamination"] is not None:
        yield ""
        yield from _distances(found["decontamination"])


def _distances(found: dict[str, Any]) -> Iterator[str]:
    yield f"How near they come to the benchmark's {found['benchmark_tasks']:,} tasks, as shares of a task's words:"
    yield f"{'':<34}{'mean':>8}{'median':>8}{'95 %':>8}{'most':>8}"
    for what, name in (
        ("containment", "runs of eight words in one of them"),
        ("likeness", "runs of three words in one of them"),
    ):
        shown = "".join(
            f"{found[what][cut]:>8.1%}" for cut in ("mean", "median", "p95", "largest")
        )
        yield f"{name}{shown}"
    yield f"{found['same_shape']:,} have the writes of one of them but for ids and numbers."


def _burden(tasks: Sequence[Designed]) -> dict[str, Any]:
    burdens = [task.burden for task in tasks]
    whole = max(1, len(burdens))
    return {
        "7_or_more": round(sum(burden >= 7 for burden in burdens) / whole, 4),
        "10_or_more": round(sum(burden >= 10 for burden in burdens) / whole, 4),
        "most": max(burdens, default=0),
    }


def _nothing(batch: Batch) -> Any:
    return type(batch.report.people)()


def _place(cell: Cell) -> tuple[int, int]:
    return list(WRITE_BANDS).index(cell[0]), list(BURDEN_BANDS).index(cell[1])

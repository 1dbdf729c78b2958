"""How a grid was filled, for people and as JSON."""

from collections.abc import Iterator, Sequence
from typing import Any

from environments.core.environment import Environment
from writ_app.adapters.batches import Batch, Designed
from writ_app.engine.grid import Cell
from writ_app.engine.types import BURDEN_BANDS, WRITE_BANDS

REFUSALS = {
    "no_fit": "nobody tried had what the request speaks of",
    "duplicate": "the same was asked for before",
    "contaminated": "it shared something with a task of the benchmark",
    "not_whole": "a read of the certificate could not be proved",
    "tie": "two candidates were equally good",
    "threshold": "a threshold was too close to call",
    "too_few": "too few candidates for the rank asked for",
    "no_match": "a description fitted no row",
    "ambiguous": "a description fitted more than one row",
    "empty": "nothing was asked for",
    "missing": "a value was missing",
    "missing_fact": "a fact was missing",
    "illegal": "a tool refuses the write",
    "same_effect": "another write would have done the same",
    "degenerate": "there was nothing to choose between",
    "idle_term": "a part of the objective decided nothing",
    "wrong_class": "the policy's answer was another than the archetype's",
    "order_blind": "the writes were called dependent and are not",
    "entangled": "there were too many orders to try",
    "two_readings": "the words can be understood in two ways",
    "unclear_words": "the words did not lead back to the query",
    "unsaid": "no clause says something that the user knows",
    "one_sided": "one side of a decision could never be meant",
    "policy": "the gold would break the policy",
    "underivable": "a read's argument is known only from an earlier write",
    "solver": "the tools did not lead to the oracle's answer",
    "insufficient": "another database with the same evidence had another answer",
}
"""Reason code → what it means, in words."""


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
                "given_up": report.why(cell),
                "search": report.search(cell),
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
            {"reason": reason, "meaning": REFUSALS.get(reason, ""), "draws": count}
            for reason, count in sorted(refused.items(), key=lambda one: (-one[1], one))
        ],
        "burden": _burden(batch.tasks),
        "people": {
            "used": len(report.people),
            "there": people,
            "most_tasks": max(report.people.values(), default=0),
        },
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
        meaning = reason["meaning"] or reason["reason"].replace("_", " ")
        yield f"{reason['draws']:>8,}  {meaning} ({reason['reason']})"
    yield ""
    burden, people = found["burden"], found["people"]
    yield f"Burden: {burden['7_or_more']:.0%} have 7 or more, {burden['10_or_more']:.0%} have 10 or more, the most is {burden['most']}."
    yield f"People: {people['used']:,} of {people['there']:,} ask for something, one of them for {people['most_tasks']:,} tasks at most."


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

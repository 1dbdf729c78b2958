"""What a user says beside the request: the remarks of a ledger, by the values of its behaviour."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

from environments.core.domain import Clause
from environments.core.grammar import say
from writ_app.engine.behaviour import remarks as patterns
from writ_app.engine.behaviour.dimensions import Behaviour
from writ_app.engine.types import LedgerLine, Release, Remark


def phrase(patterns: Sequence[str], rng: random.Random, **slots: Any) -> str:
    """One way to say it; the patterns are those of clauses (environments.core.grammar)."""
    return say(Clause("", tuple(patterns)), slots, {}, rng).text


_ONCE: dict[tuple[str, str], tuple[str, Sequence[str], Release]] = {
    ("cooperation", "reluctant"): ("why", patterns.WHY, "asked"),
    ("cooperation", "refuses_optional"): (
        "keeps_back",
        patterns.KEEPS_BACK,
        "with_identity",
    ),
    ("cooperation", "sceptical"): ("doubt", patterns.DOUBT, "before_leaving"),
    ("confirmation", "recap"): ("recap", patterns.RECAP, "at_confirmation"),
    ("confirmation", "conditional"): ("condition", patterns.CONDITION, "with_yes"),
    ("literacy", "wants_comparison"): (
        "comparison",
        patterns.COMPARISON,
        "at_confirmation",
    ),
}
"""(dimension, value) → name of a remark that is made once, ways to say it, its trigger."""
_ASKING = ("asked", "before_leaving", "at_confirmation", "after_refusal")
"""Triggers of remarks that the agent has to answer."""


def make_remarks(
    behaviour: Behaviour,
    lines: Sequence[LedgerLine],
    rng: random.Random,
    *,
    ends_soon: bool,
) -> list[Remark]:
    """The remarks of a ledger with these lines. `ends_soon`: nothing is written, so that the talk may end with the second message."""
    return [
        *_once(behaviour, rng),
        *_at_some_time(behaviour, rng, ends_soon),
        *_escalations(behaviour, lines, rng, ends_soon),
        *_appeals(behaviour, rng),
    ]


def _once(behaviour: Behaviour, rng: random.Random) -> Iterator[Remark]:
    item = "e-mail" if behaviour.get("identity") == "name_zip" else "phone number"
    for (dimension, value), (name, ways, release) in _ONCE.items():
        if behaviour.get(dimension) == value:
            yield Remark(
                name=name,
                dimension=dimension,
                text=phrase(ways, rng, item=item),
                release=release,
                asks=release in _ASKING,
            )


def _at_some_time(
    behaviour: Behaviour, rng: random.Random, ends_soon: bool
) -> Iterator[Remark]:
    if ways := patterns.TANGENTS.get(behaviour.get("distractor", "")):
        first = 1 if ends_soon else rng.randrange(1, 3)
        yield Remark(
            name="tangent",
            dimension="distractor",
            text=phrase(ways, rng),
            release="window",
            window=(first, first + 3),
        )
    if behaviour.get("literacy") == "answer_only":
        yield Remark(
            name="answer_only",
            dimension="literacy",
            text=phrase(patterns.ANSWER_ONLY, rng),
            release="window",
            window=(1, 4),
        )


def _escalations(
    behaviour: Behaviour,
    lines: Sequence[LedgerLine],
    rng: random.Random,
    ends_soon: bool,
) -> Iterator[Remark]:
    """At most two. A demand has to be made before it is repeated."""
    kind = behaviour.get("impatience", "")
    ways = patterns.ESCALATIONS.get(kind)
    if ways is None:
        return
    patience = 0 if ends_soon and kind != "repeats_demand" else 1
    wish = _wish(lines)
    for number, text in enumerate(_several(ways, rng, wish=wish), start=1):
        yield Remark(
            name=f"escalation_{number}",
            dimension="impatience",
            text=text,
            release="window",
            window=(number + patience, 99),
        )


def _wish(lines: Sequence[LedgerLine]) -> str:
    """What the user wants from the beginning to the end; else what is wanted first."""
    requests = [line for line in lines if line.kind == "request"]
    lasting = [line for line in requests if line.phase == "both"] or requests
    goals = [line for line in lasting if line.role == "goal"] or lasting
    return goals[0].wrong_text or goals[0].text


def _appeals(behaviour: Behaviour, rng: random.Random) -> Iterator[Remark]:
    if behaviour.get("policy_pressure") != "appeals":
        return
    for number, text in enumerate(_several(patterns.APPEALS, rng), start=1):
        yield Remark(
            name=f"appeal_{number}",
            dimension="policy_pressure",
            text=text,
            release="after_refusal",
            asks=True,
        )


def _several(ways: Sequence[str], rng: random.Random, **slots: Any) -> list[str]:
    """One or two different ones."""
    chosen = rng.sample(ways, rng.randrange(1, 3))
    return [phrase((way,), rng, **slots) for way in chosen]

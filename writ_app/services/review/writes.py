"""The write side of a page: gold beside actual, argument by argument, each with where it comes from."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from environments.core.pointers import leaves
from writ_app.engine.types import (
    GoldWrite,
    Provenance,
    Task,
    Verification,
)
from writ_app.services.review.chips import Chip, grounds_of
from writ_app.services.review.leaves import argument_name, plain_text
from writ_app.services.review.places import Link, Places
from writ_app.services.review.replay import WriteFacts
from writ_app.services.review.steps import Step, in_order

NOTHING = object()
"""There is no such argument on this side."""


@dataclass(frozen=True)
class ArgumentLine:
    id: str
    name: str
    pointer: str
    """Into the arguments."""
    gold: str
    actual: str
    verdict: Literal["equal", "order", "differs", "missing", "extra"]
    chip: Chip
    links: tuple[Link, ...]
    """Everything that grounds it, best first; a page walks them."""
    gold_chip: Chip | None = None
    """Where the gold's value comes from, if that is another place than the actual one's."""


@dataclass(frozen=True)
class WriteCard:
    number: int
    name: str
    verdict: Literal["equal", "differs", "missing", "extra"]
    lines: tuple[ArgumentLine, ...]
    step: Step | None
    error: str = ""
    needs: int = 0
    made: int = 0
    """Which of the writes that were made it is, from 1; 0 if it was not made."""
    facts: WriteFacts | None = None
    """What if it were left out, or made later; None if it was not made or there are too many to try."""

    @property
    def id(self) -> str:
        return f"w{self.number}"


# --- cards ---------------------------------------------------------------------------------------------------------------------


def make_cards(
    task: Task,
    verification: Verification,
    steps: Sequence[Step],
    places: Places,
) -> tuple[WriteCard, ...]:
    """One card per gold write in order, then one per write that has no gold."""
    made = [step for step in steps if step.kind == "write"]
    failed = [
        step
        for step in steps
        if step.kind == "error" and any(step.name == w.call.name for w in task.gold)
    ]
    pairs = list(_pair(task.gold, made))
    cards = []
    for number, (gold, step) in enumerate(pairs, 1):
        card = _card(number, gold, step, verification.provenance, places)
        if step is None and gold is not None:
            refused = next((s for s in failed if s.name == gold.call.name), None)
            card = replace(card, error=refused.text if refused else "")
        cards.append(card)
    return tuple(cards)


def with_facts(
    cards: Iterable[WriteCard], made: Sequence[Step], facts: Sequence[WriteFacts]
) -> tuple[WriteCard, ...]:
    """The cards, with what was found of the writes that were made: `facts` of each, or of none."""
    numbers = {step.message: number for number, step in enumerate(made, 1)}
    told = dict(zip(numbers, facts, strict=False))
    return tuple(
        replace(
            card,
            made=numbers[card.step.message],
            facts=told.get(card.step.message),
        )
        if card.step
        else card
        for card in cards
    )


def _pair(
    golds: Iterable[GoldWrite], made: Iterable[Step]
) -> Iterator[tuple[GoldWrite | None, Step | None]]:
    """Each gold with the equal write, else with the first one left of the same tool."""
    left = list(made)
    found: dict[int, Step] = {}
    listed = list(golds)
    for exact in (True, False):
        for n, gold in enumerate(listed):
            if n in found:
                continue
            for step in left:
                same = step.name == gold.call.name
                if same and (not exact or _arguments(step) == gold.call.arguments):
                    found[n] = step
                    left.remove(step)
                    break
    for n, gold in enumerate(listed):
        yield gold, found.get(n)
    for step in left:
        yield None, step


def _arguments(step: Step) -> dict[str, Any]:
    return dict(step.arguments or {})


def _card(
    number: int,
    gold: GoldWrite | None,
    step: Step | None,
    provenance: Sequence[Provenance],
    places: Places,
) -> WriteCard:
    golden: dict[str, Any] = {}
    if gold is not None:
        ordered = in_order(places.environment, gold.call.name, gold.call.arguments)
        golden = dict(leaves(ordered))
    actual = dict(leaves(_arguments(step))) if step else {}
    shuffled = _same_but_order(golden, actual)
    origins = {origin.pointer: origin for origin in gold.origins} if gold else {}
    sources = {
        one.pointer: one
        for one in provenance
        if step and one.side == "actual" and one.message == step.message
    }
    golden_sources = {
        one.pointer: one
        for one in provenance
        if gold and one.side == "gold" and one.write == number - 1
    }
    lines = []
    for n, place in enumerate([*golden, *(p for p in actual if p not in golden)], 1):
        ident = f"w{number}-a{n}"
        wanted, got = golden.get(place, NOTHING), actual.get(place, NOTHING)
        verdict = _verdict(wanted, got, place in shuffled)
        origin = origins.get(place)
        # A gold value that is not the actual one's has grounds of its own.
        same = verdict == "equal"
        gold_grounds = grounds_of(golden_sources.get(place), origin, places, ident)
        grounds = (
            gold_grounds
            if got is NOTHING
            else grounds_of(sources.get(place), origin if same else None, places, ident)
        )
        apart = gold is not None and not same and NOTHING not in (wanted, got)
        lines.append(
            ArgumentLine(
                id=ident,
                name=argument_name(place),
                pointer=place,
                gold="" if wanted is NOTHING else plain_text(wanted),
                actual="" if got is NOTHING else plain_text(got),
                verdict=verdict,
                chip=grounds.chip,
                links=tuple(
                    dict.fromkeys([*grounds.links, *gold_grounds.links])
                    if apart
                    else grounds.links
                ),
                gold_chip=gold_grounds.chip if apart else None,
            )
        )
    name = gold.call.name if gold else step.name if step else ""
    return WriteCard(
        number=number,
        name=name,
        verdict=_card_verdict(gold, step, lines),
        lines=tuple(lines),
        step=step,
        needs=len(gold.needs) if gold else 0,
    )


def _card_verdict(
    gold: GoldWrite | None, step: Step | None, lines: Iterable[ArgumentLine]
) -> Literal["equal", "differs", "missing", "extra"]:
    if gold is None:
        return "extra"
    if step is None:
        return "missing"
    equal = all(line.verdict in ("equal", "order") for line in lines)
    return "equal" if equal else "differs"


def _verdict(
    gold: Any, actual: Any, shuffled: bool
) -> Literal["equal", "order", "differs", "missing", "extra"]:
    if gold is NOTHING:
        return "extra"
    if actual is NOTHING:
        return "missing"
    if json.dumps(gold) == json.dumps(actual):
        return "equal"
    return "order" if shuffled else "differs"


def _same_but_order(gold: Mapping[str, Any], actual: Mapping[str, Any]) -> set[str]:
    """Leaves of lists whose members are the same on both sides, pairs of lists moving together."""
    if gold.keys() != actual.keys():
        return set()
    columns: dict[str, list[str]] = {}
    for place in gold:
        head, _, last = place.rpartition("/")
        if last.isdigit():
            columns.setdefault(last, []).append(head)
    rows = [
        {
            n: tuple(json.dumps(side[f"{h}/{n}"]) for h in heads)
            for n, heads in columns.items()
        }
        for side in (gold, actual)
    ]
    same = sorted(rows[0].values()) == sorted(rows[1].values())
    return (
        {f"{h}/{n}" for n, heads in columns.items() for h in heads} if same else set()
    )

"""The write side of a page: gold beside actual, argument by argument, and what both do to the database."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from environments.core.environment import Environment
from environments.core.pointers import leaves
from writ_app.engine.types import (
    ArgumentOrigin,
    GoldWrite,
    Provenance,
    Task,
    Verification,
)
from writ_app.services.review.evidence import Mark
from writ_app.services.review.leaves import argument_name, plain_text
from writ_app.services.review.steps import Step, in_order

NOTHING = object()
"""There is no such argument on this side."""

CHIP_WORDS = {
    "exact": "read",
    "normalised": "read ≈",
    "derived": "derived",
    "said": "said",
    "policy": "policy",
    "not_found": "not found",
}


@dataclass(frozen=True)
class Link:
    """A place on the page: the id of an element, and words for it."""

    target: str
    label: str


@dataclass(frozen=True)
class Chip:
    kind: str
    label: str
    place: str = ""
    detail: str = ""


@dataclass(frozen=True)
class ArgumentLine:
    id: str
    name: str
    gold: str
    actual: str
    verdict: Literal["equal", "order", "differs", "missing", "extra"]
    chip: Chip
    links: tuple[Link, ...]
    """Everything that grounds it, best first; a page walks them."""


@dataclass(frozen=True)
class WriteCard:
    number: int
    name: str
    verdict: Literal["equal", "differs", "missing", "extra"]
    lines: tuple[ArgumentLine, ...]
    step: Step | None
    error: str = ""
    needs: int = 0

    @property
    def id(self) -> str:
        return f"w{self.number}"


# --- cards ---------------------------------------------------------------------------------------------------------------------


class Places:
    """Finds elements for sources: marks in evidence rows first, steps of the conversation otherwise. Makes the marks it needs."""

    def __init__(
        self,
        environment: Environment,
        task: Task,
        verification: Verification,
        steps: Sequence[Step],
    ):
        self.environment = environment
        self.steps = {step.message: step for step in steps}
        self.rows = {
            read.call.key: number for number, read in enumerate(task.certificate, 1)
        }
        self.read_at = {
            made: read.call.key
            for read, made in zip(task.certificate, verification.coverage, strict=False)
            if made is not None
        }
        self.marks: dict[str, dict[str, Mark]] = {}

    def step_of(self, message: int) -> Step | None:
        """The step a message belongs to; a result belongs to its call, which stands before it."""
        return self.steps.get(message) or next(
            (self.steps[n] for n in range(message, -1, -1) if n in self.steps), None
        )

    def of_message(self, message: int, place: str, argument: str) -> Link | None:
        step = self.step_of(message)
        if step is None:
            return None
        key = self.read_at.get(step.message, "")
        if key and place:
            return self.of_read(key, place, argument)
        return Link(step.id, f"step {step.number}")

    def of_read(self, key: str, place: str, argument: str) -> Link | None:
        if key not in self.rows:
            return None
        number, marks = self.rows[key], self.marks.setdefault(key, {})
        mark = marks.setdefault(place, Mark(f"e{number}-{len(marks)}"))
        if argument and argument not in mark.arguments:
            marks[place] = replace(mark, arguments=(*mark.arguments, argument))
        return Link(mark.id, f"read {number}")


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
    provenance: Iterable[Provenance],
    places: Places,
) -> WriteCard:
    golden: dict[str, Any] = {}
    if gold is not None:
        ordered = in_order(places.environment, gold.call.name, gold.call.arguments)
        golden = dict(leaves(ordered))
    actual = dict(leaves(_arguments(step))) if step else {}
    shuffled = _same_but_order(golden, actual)
    sources = (
        {
            p.pointer: p
            for p in provenance
            if p.side == "actual" and p.message == step.message
        }
        if step
        else {}
    )
    origins = {origin.pointer: origin for origin in gold.origins} if gold else {}
    lines = []
    for n, place in enumerate([*golden, *(p for p in actual if p not in golden)], 1):
        ident = f"w{number}-a{n}"
        wanted, got = golden.get(place, NOTHING), actual.get(place, NOTHING)
        source, origin = sources.get(place), origins.get(place)
        links = tuple(_links(source, origin, places, ident))
        lines.append(
            ArgumentLine(
                id=ident,
                name=argument_name(place),
                gold="" if wanted is NOTHING else plain_text(wanted),
                actual="" if got is NOTHING else plain_text(got),
                verdict=_verdict(wanted, got, place in shuffled),
                chip=_chip(source, origin, links, places),
                links=links,
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


def _links(
    source: Provenance | None,
    origin: ArgumentOrigin | None,
    places: Places,
    argument: str,
) -> Iterator[Link]:
    found: dict[str, Link] = {}
    if source is not None and source.source is not None:
        link = places.of_message(source.source, source.source_pointer, argument)
        if link:
            found.setdefault(link.target, link)
    for key, place in origin.refs if origin else ():
        link = places.of_read(key, place, argument)
        if link:
            found.setdefault(link.target, link)
    yield from found.values()


def _chip(
    source: Provenance | None,
    origin: ArgumentOrigin | None,
    links: tuple[Link, ...],
    places: Places,
) -> Chip:
    if source is None:
        kind = {
            "fact": "said",
            "const": "policy",
            "read": "exact",
            "derived": "derived",
        }
        chip = Chip(kind[origin.kind] if origin else "none", "")
        label = links[0].label if links else CHIP_WORDS.get(chip.kind, "")
        return replace(chip, label=label, detail=origin.detail if origin else "")
    label, place = CHIP_WORDS[source.kind], ""
    if source.kind == "derived" and source.detail:
        label = source.detail
    elif source.kind == "said" and source.source is not None:
        step = places.step_of(source.source)
        label = f"said · step {step.number}" if step else label
    elif source.kind in ("exact", "normalised") and links:
        label = links[0].label + (" ≈" if source.kind == "normalised" else "")
        place = _tail(source.source_pointer)
    detail = source.detail if source.detail != label else ""
    if source.kind == "said" and source.source is not None and not detail:
        detail = _quote(places.step_of(source.source), source.value)
    return Chip(source.kind, label, place, detail)


def _tail(place: str) -> str:
    """The end of a long JSON pointer, which is what tells fields apart."""
    return place if len(place) <= 20 else "…" + place[-19:]


def _quote(step: Step | None, value: Any) -> str:
    """The words around a value that was said."""
    text = step.text if step else ""
    at = text.lower().find(str(value).lower())
    if at < 0:
        return ""
    start, stop = max(0, at - 24), at + len(str(value)) + 24
    before, after = "…" if start else "", "…" if stop < len(text) else ""
    return f"“{before}{text[start:stop].strip()}{after}”"

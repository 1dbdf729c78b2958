"""Where an argument comes from, in a chip: what kind of source, which read or step, and the ways to it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from writ_app.engine.types import ArgumentOrigin, Provenance
from writ_app.services.review.places import Link, Places
from writ_app.services.review.steps import Step

KIND_WORDS = {
    "exact": "read",
    "normalised": "read ≈",
    "derived": "derived",
    "said": "said",
    "policy": "policy",
    "not_found": "not found",
    "conflict": "conflict",
    "stale": "stale",
    "ungrounded": "not grounded",
}
ORIGIN_KINDS = {
    "fact": "said",
    "const": "policy",
    "read": "exact",
    "derived": "derived",
}
"""Kind of an origin as the proof names it → as a verification does."""
TAIL = 20
"""Characters of a JSON pointer in a chip."""
AROUND = 24
"""Characters quoted on each side of a value that was said."""


@dataclass(frozen=True)
class Chip:
    kind: str
    label: str
    place: str = ""
    """The end of the JSON pointer."""
    detail: str = ""


@dataclass(frozen=True)
class Grounds:
    """Chip and places of one argument on one side."""

    chip: Chip
    links: tuple[Link, ...]
    """Everything that grounds it, best first; a page walks them."""


def grounds_of(
    source: Provenance | None,
    origin: ArgumentOrigin | None,
    places: Places,
    argument: str,
) -> Grounds:
    """`source` is what the verification found, `origin` what the proof says of the gold; `argument` is the element's id."""
    found: dict[str, Link] = {}
    for link in _links(source, origin, places, argument):
        found.setdefault(link.target + link.inside, link)
    links = tuple(found.values())
    if source is not None:
        chip = _chip(source, links, places)
        if chip.kind == "derived" and origin and origin.detail:
            # The proof knows how it was worked out; what was found may be a sum that happens to fit.
            chip = replace(chip, label=origin.detail, detail="")
        return Grounds(chip, links)
    kind = ORIGIN_KINDS[origin.kind] if origin else "none"
    label = links[0].label if links else KIND_WORDS.get(kind, "")
    return Grounds(Chip(kind, label, detail=origin.detail if origin else ""), links)


def _links(
    source: Provenance | None,
    origin: ArgumentOrigin | None,
    places: Places,
    argument: str,
) -> Iterator[Link]:
    shown: list[tuple[int, str]] = []
    if source is not None:
        if source.source is not None:
            shown.append((source.source, source.source_pointer))
        shown += source.alternatives
    for message, place in shown:
        link = places.of_message(message, place, argument)
        if link:
            yield link
    for key, place in origin.refs if origin else ():
        link = places.of_read(key, place, argument)
        if link:
            yield link


def _chip(source: Provenance, links: tuple[Link, ...], places: Places) -> Chip:
    label, place, detail = KIND_WORDS[source.kind], "", source.detail
    step = places.step_of(source.source) if source.source is not None else None
    if source.kind == "derived" and detail:
        label, detail = detail, ""
    elif source.kind == "said" and step:
        label = f"said · step {step.number}"
        detail = detail or _quote(step, source.value)
    elif source.kind in ("exact", "normalised") and links:
        label = links[0].label + (" ≈" if source.kind == "normalised" else "")
        place = _tail(source.source_pointer)
    elif source.kind in ("conflict", "stale") and links:
        label = f"{label} · {links[0].label}"
    return Chip(source.kind, label, place, detail)


def _tail(place: str) -> str:
    """The end of a long JSON pointer, which is what tells fields apart."""
    return place if len(place) <= TAIL else "…" + place[1 - TAIL :]


def _quote(step: Step, value: Any) -> str:
    """The words around a value that was said."""
    text = step.text
    at = text.lower().find(str(value).lower())
    if at < 0:
        return ""
    start, stop = max(0, at - AROUND), at + len(str(value)) + AROUND
    before, after = "…" if start else "", "…" if stop < len(text) else ""
    return f"“{before}{text[start:stop].strip()}{after}”"

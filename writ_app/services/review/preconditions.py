"""What the policy wants to be so before each write, with ✓ or ✗ and the place in a read that shows it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from environments.core.environment import Environment
from environments.core.pointers import MISSING, at, pointer
from environments.core.policy import FactPlace, Precondition
from environments.core.tools import ToolCall
from writ_app.engine.types import Check, Verification
from writ_app.services.review.leaves import is_plain
from writ_app.services.review.places import Link, Places
from writ_app.services.review.steps import Step
from writ_app.services.review.writes import WriteCard

LONGEST = 200_000
"""Characters of a result that is gone through."""
LINKS = 4
"""Places shown of one precondition."""


@dataclass(frozen=True)
class PolicyLine:
    """One precondition of one write."""

    clause: str
    wanted: str
    found: str
    holds: bool | None
    """None: the state alone does not tell."""
    links: tuple[Link, ...] = ()
    words: str = ""
    """The clause, where it is cited for the first time."""
    unseen: bool = False
    """It can be read somewhere, and nobody had read it before the write."""


@dataclass(frozen=True)
class PolicyGroup:
    """The preconditions of one write."""

    number: int
    name: str
    lines: tuple[PolicyLine, ...]


class _Reads:
    """What was read, found by the fields of a record."""

    def __init__(self, steps: Sequence[Step], places: Places):
        self.reads = [step for step in steps if step.kind == "read"]
        self.places = places

    def links(self, shown: Sequence[FactPlace], before: int) -> Iterator[Link]:
        """The latest read before that message that shows each place."""
        for place in shown:
            for step in reversed(self.reads):
                inside = _inside(step, place) if step.message < before else None
                if inside is not None:
                    link = self.places.of_message(step.message, inside, "")
                    if link:
                        yield link
                    break


def _inside(step: Step, place: FactPlace) -> str | None:
    """Pointer into the step's result; None if it does not show the place, or is too long to go through."""
    if len(step.text) > LONGEST:
        return None
    asked = step.arguments or {}
    if isinstance(step.result, str):
        told = all(asked.get(name) == value for name, value in place.fields.items())
        return "" if told else None
    known = isinstance(step.result, dict | list)
    return _found(step.result, place, asked) if known else None


def _found(value: Any, place: FactPlace, asked: Mapping[str, Any]) -> str | None:
    """Pointer into a value, which is an object or a list."""
    if isinstance(value, dict):
        if _fits(value, place, asked) and _shows(value, place):
            return place.pointer
        inside: Iterable[tuple[str | int, Any]] = value.items()
    else:
        inside = enumerate(value)
    for key, inner in inside:
        if isinstance(inner, dict | list):
            below = _found(inner, place, asked)
            if below is not None:
                return pointer(key) + below
    return None


def _fits(value: Mapping[str, Any], place: FactPlace, asked: Mapping[str, Any]) -> bool:
    """Whether it is the record, by its fields or, of those that it does not have, by what was asked for."""
    for name, wanted in place.fields.items():
        there = value.get(name)
        if (asked.get(name) if there is None else there) != wanted:
            return False
    return True


def _shows(value: Any, place: FactPlace) -> bool:
    found = at(value, place.pointer)
    return found is not MISSING and is_plain(found)


# --- one group per write -------------------------------------------------------------------------------------------------------


def make_policy(
    environment: Environment,
    gold: Sequence[ToolCall],
    cards: Sequence[WriteCard],
    steps: Sequence[Step],
    places: Places,
    verification: Verification,
) -> tuple[PolicyGroup, ...]:
    """Each write that was made is judged by the state just before it; a gold write that was not made, by the gold's own order."""
    reads = _Reads(steps, places)
    words = dict(environment.clauses)
    made = [step.call for step in steps if step.kind == "write"]
    wanted = list(_before_each(environment, made))
    missed = (
        list(_before_each(environment, gold))
        if any(card.step is None for card in cards)
        else []
    )
    order = [step.id for step in steps if step.kind == "write"]
    checks = {check.name: check for check in verification.checks}
    groups = []
    for card in cards:
        if card.step is not None:
            place = order.index(card.step.id)
            message = card.step.message
            lines = [
                *_said(checks, message, places, len(order) == 1),
                *_lines(words, wanted[place], reads, message),
                *_breaches(checks.get("policy"), message),
            ]
        else:
            lines = list(_lines(words, missed[card.number - 1], reads, _END))
        groups.append(PolicyGroup(card.number, card.name, tuple(lines)))
    return tuple(groups)


_END = 1 << 30


def _before_each(
    environment: Environment, calls: Sequence[ToolCall]
) -> Iterator[tuple[Precondition, ...]]:
    """What the policy wants of each call, in the state that the ones before it leave."""
    session = environment.session()
    for call in calls:
        try:
            yield tuple(environment.domain.preconditions(call, session.state))
        except (LookupError, TypeError, ValueError, AttributeError):
            # Wrong arguments, which a model may well give: the tool has its own words for them.
            yield ()
        session.call(call)


def _lines(
    words: dict[str, str],
    found: Sequence[Precondition],
    reads: _Reads,
    before: int,
) -> Iterator[PolicyLine]:
    """`words` has the clauses that were not cited yet."""
    for one in found:
        links = tuple(dict.fromkeys(reads.links(one.shown, before)))
        yield PolicyLine(
            one.clause,
            one.wanted,
            one.found,
            one.holds,
            links[:LINKS],
            words.pop(one.clause, ""),
            unseen=bool(one.shown) and not links,
        )


def _said(
    checks: Mapping[str, Check], message: int, places: Places, only: bool
) -> Iterator[PolicyLine]:
    """The yes, as the check of the confirmation found it."""
    check = checks.get("confirmation")
    if check is None:
        return
    if not check.passed:
        if message in check.where:
            yield PolicyLine(
                "", "the user said yes to it", "no yes to what was listed", False
            )
        elif only:
            yield PolicyLine("", "the user said yes to it", check.finding, False)
        return
    yes = max((place for place in check.where if place < message), default=None)
    step = places.step_of(yes) if yes is not None else None
    if step is not None:
        words = step.text if len(step.text) <= QUOTED else step.text[:QUOTED] + "…"
        link = Link(step.id, f"step {step.number}")
        yield PolicyLine("", "the user said yes to it", f"“{words}”", True, (link,))


QUOTED = 80
"""Characters of a user's yes that are quoted."""


def _breaches(check: Check | None, message: int) -> Iterator[PolicyLine]:
    """What the judges of the whole conversation found at this write."""
    if check is not None and not check.passed and message in check.where:
        yield PolicyLine("", "no executable clause is broken", check.finding, False)

"""A behaviour made concrete for one task: the ledger of everything that the user may say, and when."""

import random
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from environments.core.environment import Environment
from environments.core.words import PLAIN, Words
from writ_app.engine.behaviour import remarks as patterns
from writ_app.engine.behaviour.asides import make_remarks, phrase
from writ_app.engine.behaviour.choosing import first_playable
from writ_app.engine.behaviour.dimensions import Behaviour
from writ_app.engine.behaviour.phases import Shift
from writ_app.engine.behaviour.room import (
    Place,
    Room,
    can_be_mistyped,
    with_description,
    with_pronouns,
)
from writ_app.engine.behaviour.style import styled
from writ_app.engine.composition import without_number
from writ_app.engine.types import (
    BehaviourPlan,
    Ledger,
    LedgerLine,
    Persona,
    Release,
    Remark,
    SaidClause,
    Task,
)


def make_ledger(
    task: Task,
    plan: BehaviourPlan,
    rng: random.Random,
    words: Words = PLAIN,
    *,
    environment: Environment | None = None,
    persona: Persona | None = None,
    behaviour: Behaviour | None = None,
    room: Room | None = None,
) -> Ledger:
    """What the user may say, and when. The same task, plan, behaviour and state of `rng` give the same ledger.

    Without a `behaviour` it is the plainest that plan and persona allow. Values that the task has no room for are left out.
    """
    room = room or Room(task, environment, words)
    if behaviour is None:
        choices = {**(persona.dimensions if persona else {}), **plan.dimensions}
        mixed = {
            slug: tuple(rng.sample(values, len(values)))
            if slug == "correction"
            else values
            for slug, values in choices.items()
        }
        behaviour = first_playable(room.values, mixed)
    chosen = {
        slug: value
        for slug, value in behaviour.items()
        if value in room.values.get(slug, ())
    }
    ledger = _Draft(room, chosen, rng).ledger(plan.slug)
    if persona is None:
        return ledger.model_copy(update={"instruction": plan.instruction})
    who = {"persona": persona.slug, "card": persona.card}
    return ledger.model_copy(update={"instruction": plan.instruction, **who})


class _Draft:
    """A ledger in the making."""

    def __init__(self, room: Room, behaviour: Behaviour, rng: random.Random):
        self._room = room
        self._behaviour = behaviour
        self._rng = rng

    def ledger(self, plan: str) -> Ledger:
        shift = self._shift()
        lines = [self._line(clause) for clause in self._room.task.clauses]
        lines = self._in_order(lines)
        lines = self._referring(lines)
        if shift is not None:
            lines = self._in_two_phases(lines, shift)
        lines = self._released(lines)
        lines = self._with_mistake([*self._identity(), *lines])
        soon = not self._room.task.gold
        remarks = make_remarks(self._behaviour, lines, self._rng, ends_soon=soon)
        return Ledger(
            plan=plan,
            behaviour=dict(self._behaviour),
            lines=tuple(map(self._in_own_words, lines)),
            remarks=tuple(map(self._remark_in_own_words, remarks)),
            first=shift.first if shift else None,
            contrary=self._contrary(lines),
        )

    def _is(self, dimension: str, *values: str) -> bool:
        return self._behaviour.get(dimension) in values

    # --- the request ---

    def _line(self, clause: SaidClause) -> LedgerLine:
        facts = self._room.task.facts
        tells = {name: facts[name] for name in clause.tells if name in facts}
        return LedgerLine(
            name=clause.name,
            kind="request",
            text=clause.text,
            tells=tells,
            part=without_number(clause.name)[1],
            role="goal"
            if clause.opens
            else "hard"
            if clause.name in self._room.hard
            else "soft",
        )

    def _in_order(self, lines: list[LedgerLine]) -> list[LedgerLine]:
        hard = self._room.hard
        opening = [line for line in lines if self._opens(line)]
        details = [line for line in lines if not self._opens(line)]
        if self._is("constraint_order", "hard_first"):
            details.sort(key=lambda line: line.name not in hard)
        elif self._is("constraint_order", "soft_first"):
            details.sort(key=lambda line: line.name in hard)
        elif self._is("constraint_order", "hard_late"):
            late = self._rng.choice([x for x in details if x.name in hard])
            details = [*(x for x in details if x is not late), late]
            details[-1] = late.model_copy(update={"release": "late"})
        elif not self._is("disclosure", "reversed"):
            return lines
        if self._is("disclosure", "reversed"):
            return [*details, *opening]
        return [*opening, *details]

    def _opens(self, line: LedgerLine) -> bool:
        return any(c.opens for c in self._room.task.clauses if c.name == line.name)

    def _referring(self, lines: list[LedgerLine]) -> list[LedgerLine]:
        if self._is("reference", "pronoun"):
            return [self._with_pronouns(line) for line in lines]
        if self._is("reference", "description"):
            place, words = self._rng.choice(self._room.describable)
            return [
                self._described(line, place, words) if line.name == place.line else line
                for line in lines
            ]
        if self._is("reference", "vague"):
            place = self._rng.choice(self._room.countable)
            return list(self._vague_first(lines, place))
        return lines

    def _with_pronouns(self, line: LedgerLine) -> LedgerLine:
        name = self._room.repeated
        text = with_pronouns(line.text, str(self._room.task.facts[name]))
        if self._opens(line) or text == line.text:
            return line
        tells = {key: value for key, value in line.tells.items() if key != name}
        return line.model_copy(update={"text": text, "tells": tells})

    def _described(self, line: LedgerLine, place: Place, words: str) -> LedgerLine:
        tells = {k: v for k, v in line.tells.items() if k != place.fact}
        text = with_description(line.text, place.value, words)
        return line.model_copy(update={"text": text, "tells": tells})

    def _vague_first(
        self, lines: list[LedgerLine], place: Place
    ) -> Iterator[LedgerLine]:
        """The line is held back until the agent asks; before it comes one that only says "a few"."""
        for line in lines:
            if line.name != place.line:
                yield line
                continue
            some = self._rng.choice(patterns.VAGUE)
            yield line.model_copy(
                update={
                    "name": f"{line.name}~vague",
                    "text": line.text.replace(f"{place.value} ", f"{some} "),
                    "tells": {k: v for k, v in line.tells.items() if k != place.fact},
                    "required": False,
                }
            )
            yield line.model_copy(update={"release": "asked"})

    # --- two phases ---

    def _shift(self) -> Shift | None:
        kind = next(
            (
                kind
                for dimension, kind in (
                    ("goal_shift", self._behaviour.get("goal_shift", "none")),
                    ("confirmation", "threshold"),
                    ("policy_pressure", "forbidden"),
                )
                if self._is(dimension, *_TWO_PHASES[dimension])
            ),
            "",
        )
        return self._room.shift(kind) if kind else None

    def _in_two_phases(self, lines: list[LedgerLine], shift: Shift) -> list[LedgerLine]:
        """What is said of the first wish, the words that give it up, and what is said of the second."""
        facts = shift.first.facts
        first = [
            LedgerLine(
                name=clause.name,
                kind="request",
                text=clause.text,
                tells=self._told_first(clause, facts),
                required=False,
                phase="first",
                role="goal" if clause.opens else "soft",
            )
            for clause in shift.said
        ]
        release: Release = "details_told"
        words = shift.first.kind
        if self._is("confirmation", "changes_mind"):
            release, words = "at_confirmation", "changes_mind"  # type: ignore[assignment]
        elif shift.first.kind == "forbidden":
            release = "after_refusal"
        turn = LedgerLine(
            name="shift",
            kind="shift",
            text=phrase(patterns.SHIFTS[words], self._rng),
            release=release,
        )
        second = [
            line.model_copy(update={"phase": "second", "release": "after_shift"})
            for line in lines
            if line.name in shift.waiting
        ]
        both = [line for line in lines if line.name not in shift.waiting]
        if shift.first.kind == "threshold":
            before = self._in_place(lines, shift.waiting, first)
            return [*before, turn, *second]
        return [*both, *first, turn, *second]

    @staticmethod
    def _in_place(
        lines: Sequence[LedgerLine],
        waiting: Collection[str],
        first: Sequence[LedgerLine],
    ) -> list[LedgerLine]:
        return [
            other
            for line in lines
            for other in (first if line.name in waiting else [line])
        ]

    def _told_first(
        self, clause: SaidClause, facts: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {
            name: facts[known]
            for name in clause.tells
            for known in (name, without_number(name)[0])
            if known in facts
        }

    # --- when ---

    def _released(self, lines: list[LedgerLine]) -> list[LedgerLine]:
        """What waits by the disclosure and the packaging; what already waits for something stays so."""
        waits: Release | None = None
        if self._is("disclosure", "asked"):
            waits = "asked"
        elif self._is("disclosure", "incremental"):
            waits = "next_turn"
        released = []
        for line in lines:
            when: Release = line.release
            if when == "opening" and line.phase == "both":
                if line.part and self._is("packaging", "hidden_second"):
                    when = "after_write"
                elif waits and not self._opens(line):
                    when = waits if not line.name.endswith("~vague") else when
                elif line.part and self._is("packaging", "one_by_one"):
                    when = "next_turn"
            released.append(line.model_copy(update={"release": when}))
        return released

    # --- who ---

    def _identity(self) -> list[LedgerLine]:
        tells = self._room.own_identity
        kind = self._behaviour.get("identity", "")
        if kind == "wrong_email":
            return [self._wrong_email()]
        if kind:
            tells = self._room.identities[kind]
        if not tells:
            return []
        release = self._introduced()
        if self._is("cooperation", "reluctant"):
            release = "asked_again"
        text = self._introduction(tells)
        line = LedgerLine(
            name=next(iter(tells)),
            kind="identity",
            text=text,
            tells=dict(tells),
            release=release,
        )
        return [line]

    def _introduced(self) -> Release:
        waits = self._is("disclosure", "asked", "incremental")
        return "asked" if waits else "opening"

    def _introduction(self, tells: Mapping[str, Any]) -> str:
        known = self._room.words.identity
        return phrase(known[tuple(tells)], self._rng, **tells)

    def _wrong_email(self) -> LedgerLine:
        """An address that is nobody's first, then name and zip code."""
        real = self._room.identities["email"]["email"]
        wrong = self._elsewhere(real)
        tells = self._room.identities["name_zip"]
        excuse = phrase(patterns.OTHER_EMAIL, self._rng)
        return LedgerLine(
            name=next(iter(tells)),
            kind="identity",
            text=f"{excuse} {self._introduction(tells)}",
            tells=dict(tells),
            release="after_agent_repeats",
            wrong_text=self._introduction({"email": wrong}),
            wrong_tells={"email": wrong},
            wrong_release=self._introduced(),
        )

    def _elsewhere(self, email: str) -> str:
        """Another address of the same look, on file for nobody."""
        environment = self._room.environment
        people = (
            environment.state.collections[environment.domain.people]
            if environment
            else {}
        )
        taken = {
            str(person.get("email", "")).lower()
            for person in people.values()
            if isinstance(person, dict)
        }
        local, _, host = email.partition("@")
        stem = local.rstrip("0123456789")
        while True:
            other = f"{stem}{self._rng.randrange(10, 9999)}@{host}"
            if other.lower() not in taken:
                return other

    # --- mistakes ---

    def _with_mistake(self, lines: list[LedgerLine]) -> list[LedgerLine]:
        """One line is said wrong first, to be corrected when the agent comes back to it."""
        if self._is("correction", "wrong_id"):
            kind = "identity"
        elif self._is("correction", "wrong_detail"):
            kind = "request"
        else:
            return lines
        places = [
            (n, name)
            for n, line in enumerate(lines)
            if line.kind == kind
            for name, value in line.tells.items()
            if can_be_mistyped(value)
            and line.text.count(value) == 1
            and not any(value in x.text for x in lines if x is not line)
        ]
        if not places:
            return lines
        chosen, name = self._rng.choice(places)
        line = lines[chosen]
        wrong = mistyped(line.tells[name], self._rng)
        apology = phrase(patterns.CORRECTIONS, self._rng)
        corrected = line.model_copy(
            update={
                "release": "after_agent_repeats",
                "wrong_release": line.release,
                "text": f"{apology} {line.text}",
                "wrong_text": line.text.replace(line.tells[name], wrong),
                "wrong_tells": {**line.tells, name: wrong},
            }
        )
        return [*lines[:chosen], corrected, *lines[chosen + 1 :]]

    def _contrary(self, lines: Sequence[LedgerLine]) -> dict[str, tuple[str, ...]]:
        """Words for other values of what the user knows, as far as no line uses them."""
        environment = self._room.environment
        if environment is None:
            return {}
        texts = " ".join(f"{x.text} {x.wrong_text}" for x in lines).lower()
        found = {}
        for name, value in self._room.task.facts.items():
            stem = without_number(name)[0]
            ways = environment.domain.lexicon.get(stem, {})
            if value not in ways or len(ways) > 8:
                continue
            others = {
                way.lower()
                for other, words in ways.items()
                if other != value
                for way in words
                if len(way) > 4
            }
            found[name] = tuple(sorted(way for way in others if way not in texts))
        return {name: words for name, words in found.items() if words}

    # --- manner ---

    def _in_own_words(self, line: LedgerLine) -> LedgerLine:
        values = [*_plain_values(line.tells), *_plain_values(line.wrong_tells)]
        said, wrong = (
            styled(text, self._behaviour, self._rng, values)
            for text in (line.text, line.wrong_text)
        )
        return line.model_copy(
            update={
                "said": said if said != line.text else "",
                "wrong_said": wrong if wrong != line.wrong_text else "",
            }
        )

    def _remark_in_own_words(self, remark: Remark) -> Remark:
        facts = _plain_values(self._room.task.facts)
        said = styled(remark.text, self._behaviour, self._rng, facts)
        return remark.model_copy(update={"said": said if said != remark.text else ""})


_TWO_PHASES: dict[str, tuple[str, ...]] = {
    "goal_shift": ("add", "replace", "drop", "threshold"),
    "confirmation": ("changes_mind",),
    "policy_pressure": ("forbidden_first",),
}


def _plain_values(facts: Mapping[str, Any]) -> Iterable[Any]:
    for value in facts.values():
        yield from value if isinstance(value, list | tuple) else [value]


def mistyped(value: str, rng: random.Random) -> str:
    """`value` with one digit changed, or with one letter of an email's local part doubled."""
    if "@" in value:
        local, _, host = value.partition("@")
        letters = [n for n, char in enumerate(local) if char.isalpha()] or [0]
        place = rng.choice(letters)
        return f"{local[: place + 1]}{local[place:]}@{host}"
    digits = [n for n, char in enumerate(value) if char.isdigit()]
    place = rng.choice(digits[1:] or digits)
    digit = (int(value[place]) + rng.randrange(1, 10)) % 10
    return f"{value[:place]}{digit}{value[place + 1 :]}"

"""What can be played in a task: for each dimension the values that it has room for, and why not the others.

A value that a task has no room for is never offered; a dimension without any room is left out.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from environments.core.environment import Environment
from environments.core.words import PLAIN, Words
from writ_app.engine.behaviour.dimensions import DIMENSIONS
from writ_app.engine.behaviour.phases import Phases, Shift
from writ_app.engine.composition import without_number
from writ_app.engine.types import SaidClause, Task

IDENTITIES: dict[tuple[str, ...], str] = {
    ("email",): "email",
    ("first_name", "last_name", "zip"): "name_zip",
    ("user_id",): "user_id",
}
"""Facts that say who somebody is → value of the dimension."""


@dataclass(frozen=True)
class Place:
    """A value in a text that can be said otherwise."""

    line: str
    """Name of the clause, or of the first fact of who it is."""
    fact: str
    value: Any


class Room:
    """One task's room for behaviour. Without an environment nothing that has to be looked up is offered.

    The same task and seed give the same first phases.
    """

    def __init__(
        self,
        task: Task,
        environment: Environment | None = None,
        words: Words = PLAIN,
        seed: int = 0,
    ):
        self.task = task
        self.environment = environment
        self.words = environment.domain.words if environment else words
        self._phases = Phases(environment, task, seed) if environment else None

    # --- what there is to play with ---

    def shift(self, kind: str) -> Shift | None:
        """The first phase of a kind (see `Phases.shift`), if there is one."""
        return self._phases.shift(kind) if self._phases else None

    @cached_property
    def parts(self) -> int:
        return (
            max(
                (without_number(clause.name)[1] for clause in self.task.clauses),
                default=0,
            )
            + 1
        )

    @cached_property
    def identities(self) -> dict[str, dict[str, Any]]:
        """Value of the dimension `identity` → facts that the user then knows; the task's own first."""
        known: list[Mapping[str, Any]] = [self.task.facts]
        for read in self.task.certificate:
            if read.role == "identity":
                known += [call.arguments for call in read.equivalents]
        found: dict[str, dict[str, Any]] = {}
        for facts in known:
            for names in self.words.identity:
                if facts.keys() >= set(names) and names in IDENTITIES:
                    told = {name: facts[name] for name in names}
                    found.setdefault(IDENTITIES[names], told)
        return found

    @cached_property
    def own_identity(self) -> dict[str, Any]:
        """Who the user is by the task's own facts; empty if nothing says so."""
        for names in self.words.identity:
            if self.task.facts.keys() >= set(names):
                return {name: self.task.facts[name] for name in names}
        return {}

    @cached_property
    def hard(self) -> frozenset[str]:
        """Names of clauses with a value that the opening does not tell: firm conditions."""
        opening = {
            fact
            for clause in self.task.clauses
            if clause.opens
            for fact in clause.tells
        }
        return frozenset(
            clause.name
            for clause in self.task.clauses
            if not clause.opens and set(clause.tells) - opening
        )

    @cached_property
    def details(self) -> tuple[SaidClause, ...]:
        return tuple(clause for clause in self.task.clauses if not clause.opens)

    @cached_property
    def movable(self) -> bool:
        """Whether the details make sense in any order."""
        return self.parts == 1 and all(stands_alone(c.text) for c in self.details)

    @cached_property
    def mistypable(self) -> tuple[Place, ...]:
        """Values of the request of which one digit can be wrong."""
        return tuple(
            Place(clause.name, name, self.task.facts[name])
            for clause in self.task.clauses
            for name in dict.fromkeys(clause.tells)
            if name in self.task.facts
            and can_be_mistyped(self.task.facts[name])
            and clause.text.count(self.task.facts[name]) == 1
        )

    @cached_property
    def repeated(self) -> str:
        """What the opening names and later clauses name again, so that "it" can only mean that; "" if there is no such thing."""
        opening = [c for c in self.task.clauses if c.opens]
        if self.parts > 1 or len(opening) != 1:
            return ""
        names = [n for n in opening[0].tells if isinstance(self.task.facts.get(n), str)]
        if len(set(names)) != 1:
            return ""
        value = str(self.task.facts[names[0]])
        again = any(_the(value).search(c.text) for c in self.details)
        return names[0] if again else ""

    @cached_property
    def countable(self) -> tuple[Place, ...]:
        """Small numbers that can be left vague at first."""
        return tuple(
            Place(clause.name, name, self.task.facts[name])
            for clause in self.task.clauses
            for name in dict.fromkeys(clause.tells)
            if type(self.task.facts.get(name)) is int
            and 2 <= self.task.facts[name] <= 12
            and clause.text.count(str(self.task.facts[name])) == 1
            and re.search(rf"(?<![\w$.]){self.task.facts[name]} (?=[a-z])", clause.text)
        )

    @cached_property
    def describable(self) -> tuple[tuple[Place, str], ...]:
        """Numbers of the user's own things, with a description that fits only that one in the database: (place, description)."""
        if self.environment is None or not self.task.person:
            return ()
        people = self.environment.state.collections.get(
            self.environment.domain.people, {}
        )
        person = people.get(self.task.person, {})
        found = []
        for clause in self.task.clauses:
            for name in dict.fromkeys(clause.tells):
                value = self.task.facts.get(name)
                description = _described(person, value)
                if description and _numbered(value).search(clause.text):
                    found.append((Place(clause.name, name, value), description))
        return tuple(found)

    # --- the values ---

    @cached_property
    def void(self) -> dict[str, dict[str, str]]:
        """Dimension → value → why it cannot be played here: a slug to count by."""
        found: dict[str, dict[str, str]] = {}
        for dimension, value, fits, why in self._judged():
            if not fits:
                found.setdefault(dimension, {})[value] = why
        return found

    @cached_property
    def values(self) -> dict[str, tuple[str, ...]]:
        """Dimension → values that can be played, the plainest first. What has nothing to vary is left out."""
        possible = {
            slug: tuple(
                value.slug
                for value in dimension.values
                if value.slug not in self.void.get(slug, {})
            )
            for slug, dimension in DIMENSIONS.items()
        }
        own = next(iter(self.identities), "")
        if own:
            others = [v for v in possible["identity"] if v != own]
            possible["identity"] = (own, *others)
        return {slug: values for slug, values in possible.items() if values}

    def _judged(self) -> Sequence[tuple[str, str, bool, str]]:
        """(dimension, value, whether it can be played, why not) of every value that not every task has room for."""
        task, told = self.task, self.identities
        details = len(task.clauses) > 1 or bool(self.own_identity)
        soft = {clause.name for clause in self.details} - self.hard
        ordered = self.movable and bool(self.hard) and bool(soft)
        several = self.parts > 1
        writes = bool(task.gold)
        wrong_email = {
            "email",
            "name_zip",
        } <= told.keys() and self.environment is not None
        choice = any(
            len([line for line in table.lines if not line.why_not]) > 1
            for table in task.tables
        )
        shift = self.shift("threshold")
        turns_back = shift is not None and bool(shift.first.gold) and writes
        return [
            ("disclosure", "incremental", details, "nothing_to_withhold"),
            ("disclosure", "asked", details, "nothing_to_withhold"),
            ("disclosure", "reversed", bool(self.details) and self.movable, "no_order"),
            ("correction", "wrong_detail", bool(self.mistypable), "nothing_to_mistype"),
            ("correction", "wrong_id", self._identity_mistypable, "nothing_to_mistype"),
            ("cooperation", "reluctant", bool(self.own_identity), "nobody_to_name"),
            ("cooperation", "refuses_optional", bool(told), "nobody_to_name"),
            ("reference", "pronoun", bool(self.repeated), "no_antecedent"),
            (
                "reference",
                "description",
                bool(self.describable),
                "no_unique_description",
            ),
            ("reference", "vague", bool(self.countable), "no_small_number"),
            *(
                ("goal_shift", kind, self.shift(kind) is not None, "no_first_phase")
                for kind in ("add", "replace", "drop", "threshold")
            ),
            *(
                ("constraint_order", order, ordered, "no_order")
                for order in ("natural", "hard_first", "soft_first", "hard_late")
            ),
            *(
                ("identity", kind, kind in told, "not_known_so")
                for kind in IDENTITIES.values()
            ),
            ("identity", "wrong_email", wrong_email, "not_known_so"),
            ("confirmation", "plain", writes, "no_write"),
            ("confirmation", "conditional", writes, "no_write"),
            ("confirmation", "recap", writes, "no_write"),
            ("confirmation", "changes_mind", turns_back, "no_first_phase"),
            *(
                ("packaging", package, several, "one_part")
                for package in ("at_once", "one_by_one", "hidden_second")
            ),
            (
                "policy_pressure",
                "forbidden_first",
                self.shift("forbidden") is not None,
                "no_forbidden_variant",
            ),
            ("policy_pressure", "appeals", bool(task.declined), "not_refused"),
            ("literacy", "wants_comparison", writes and choice, "no_choice"),
        ]

    @property
    def _identity_mistypable(self) -> bool:
        return any(can_be_mistyped(value) for value in self.own_identity.values())


# --- texts ---------------------------------------------------------------------------------------------------------------------

_LEANS = re.compile(
    r"^(?:and|also|or|but|then|otherwise|if not|should (?:it|that|this))\b|"
    r"\b(?:it|them|those|these|as well|the same|either|above|after that|listed after)\b|\bthat (?:is|was|be|one|day|cabin)\b",
    re.IGNORECASE,
)


def stands_alone(text: str) -> bool:
    """Whether a clause can be understood before the others: it does not point back."""
    return not _LEANS.search(text)


def can_be_mistyped(value: Any) -> bool:
    """Values with digits and emails can be mistyped; a wrong name would be another wish."""
    return isinstance(value, str) and bool("@" in value or re.search(r"\d{3}", value))


def _the(value: str) -> re.Pattern[str]:
    return re.compile(
        rf"\b(?:the (?:(?:[a-z]+ )?order (?:with|that has|that contains|of) )?(?:the )?|a |my ){re.escape(value)}\b(?: in it)?",
        re.IGNORECASE,
    )


def with_pronouns(text: str, value: str) -> str:
    """The text with "it", "that order" and the like for a thing that was named before."""

    def stand_in(match: re.Match[str]) -> str:
        words = "that order" if "order" in match[0].lower() else "it"
        return words.capitalize() if match.start() == 0 else words

    return _the(value).sub(stand_in, text)


def _numbered(value: Any) -> re.Pattern[str]:
    return re.compile(
        rf"\b(?:the|my) (?:[a-z]+ ){{0,3}}card (?:that ends in|ending in|ends in|with the last digits|with the last four digits) {re.escape(str(value))}\b",
        re.IGNORECASE,
    )


def with_description(text: str, value: Any, description: str) -> str:
    return _numbered(value).sub(description, text)


def _described(person: Any, value: Any) -> str:
    """The card that ends in these digits, if it is the person's only one of its brand: "my Visa"; "" if there is no such thing."""
    methods = person.get("payment_methods", {}) if isinstance(person, dict) else {}
    cards = [m for m in methods.values() if isinstance(m, dict) and m.get("last_four")]
    own = [card for card in cards if card["last_four"] == value]
    if len(own) != 1 or not own[0].get("brand"):
        return ""
    same = [card for card in cards if card.get("brand") == own[0]["brand"]]
    return f"my {str(own[0]['brand']).title()}" if len(same) == 1 else ""

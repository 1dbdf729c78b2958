"""What a world declares so that requests about it can be asked and proved."""

import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol

from environments.core.display import Display
from environments.core.errors import Unidentifiable
from environments.core.policy import PolicyCheck, Precondition
from environments.core.query import Query
from environments.core.shapes import Shape
from environments.core.state import Record, Session
from environments.core.tools import ToolCall, ToolResult
from environments.core.words import Words

type Patch = list[dict[str, Any]]
"""RFC 6902 over the database as the reference lays it out: /collection/key/…"""
type Facts = Mapping[str, Any]
type Ending = Literal["done", "declined", "transferred"]


@dataclass(frozen=True)
class Row:
    """One row of a relation: its values, the read that shows it, and where in that read's result it stands."""

    values: Record
    read: ToolCall | None
    pointer: str = ""
    label: str = ""
    """How a person would name it."""
    bare: bool = False
    """The result is one plain text, the row's only value: no pointer leads into it."""
    derived: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Values that the result does not show as such, like a sum of two fares: name → pointers, within the row, of what they are made from.

    A name with dots ("fare.economy") speaks of a part and goes before the whole's.
    """


@dataclass(frozen=True)
class Shown:
    """What one look shows: the read it takes (None: already seen) and the rows in it. `unread`: it may not be made."""

    read: ToolCall | None
    rows: list[Row]
    unread: bool = False


class Source(Protocol):
    """Where rows come from and writes go to: the oracle reads the state, the reference solver calls tools."""

    def expand(self, relation: str, parent: Row | None, by: Facts) -> list[Shown]: ...

    def apply(self, call: ToolCall) -> None:
        """Take the effect of a write, and leave a shallow copy of the source as it is. Raises Unidentifiable if the world refuses it."""
        ...

    def effect(self) -> str:
        """Hash of everything written so far."""
        ...

    def has_effect_of(self, other: Any) -> bool:
        """Whether another source of this kind, over the same base, has the same effect: quicker than both hashes."""
        ...


class Role(StrEnum):
    """What a read contributes (knowledge of the burden's split)."""

    IDENTITY = "identity"
    DISCOVERY = "discovery"
    CANDIDATES = "candidates"
    RULES = "rules"


class TaskClass(StrEnum):
    READ_HEAVY = "read_heavy"
    WRITE_INTENSIVE = "write_intensive"
    REFUSAL = "refusal"
    """The policy forbids it."""
    TRANSFER = "transfer"
    """The policy leaves it to a person."""
    INFORMATION = "information"
    """Nothing is written: the user is told something."""

    @property
    def ending(self) -> "Ending":
        """How a request of this class ends."""
        return _ENDINGS.get(self, "done")


_ENDINGS: dict[TaskClass, Ending] = {
    TaskClass.REFUSAL: "declined",
    TaskClass.TRANSFER: "transferred",
}


@dataclass(frozen=True)
class Clause:
    """One thing the user says: its name, and ways of saying it.

    A pattern is text with `[a|b]` alternatives and `{slot}` places; a slot's words come from the task's facts.
    """

    name: str
    patterns: tuple[str, ...]
    opens: bool = False
    """Whether this clause says what the request is about, so that it is said first."""


@dataclass(frozen=True)
class Reading:
    """Another way to understand the words; it must give the same gold, or `ruled_out_by` must be said."""

    name: str
    query: Query
    ruled_out_by: str
    """Name of the clause that excludes this reading ("" if none does)."""


@dataclass(frozen=True)
class Proposal:
    """What an archetype draws from a state: everything else follows from it."""

    facts: dict[str, Any]
    """What the user knows: identity, wishes. Values are plain JSON."""
    clauses: tuple[str, ...]
    """Names of the clauses to say, in no order."""


@dataclass(frozen=True)
class Archetype:
    """A kind of request: how to draw one, its query, its words."""

    slug: str
    title: str
    task_class: TaskClass
    propose: Callable[[Session, random.Random, Sequence[str]], Proposal | None]
    """(state, chance, keys of the people to choose from) → a draw, or None if this one does not fit."""
    query: Callable[[Facts], Query]
    clauses: tuple[Clause, ...]
    readings: Callable[[Facts], list[Reading]] = lambda facts: []
    existential: bool = False
    """A description found by looking around: the certificate is small while the expected reads are not."""
    dependent: bool = False
    """A later write's arguments or legality depend on an earlier write's effect."""
    permuted: Callable[[Facts], list[Query]] = lambda facts: []
    """The same wishes in other orders; of a dependent archetype each must end elsewhere."""


@dataclass(frozen=True)
class Domain:
    relations: Mapping[str, Role]
    """Relation → what its reads contribute."""
    from_state: Callable[[Session], Source]
    from_tools: Callable[
        [Callable[[ToolCall], ToolResult], Collection[str] | None], Source
    ]
    """(call, keys of allowed reads or None for all) → the reference solver's source."""
    derivable_reads: Callable[[Iterable[str]], Iterable[ToolCall]]
    """Every read whose arguments are among these strings."""
    first_reads: Callable[[Facts], Iterable[ToolCall]]
    """Reads whose arguments the facts supply together."""
    equivalents: Callable[[ToolCall, Session], list[ToolCall]]
    """Other reads that tell the same (observation-equivalent)."""
    mutations: Callable[[Session, ToolCall, random.Random], Iterator[Patch]]
    """Admissible small changes of what a read shows."""
    swaps: Callable[[Session, ToolCall, ToolCall], Iterator[Patch]]
    """Patches by which two reads of one kind would show each other's content."""
    archetypes: tuple[Archetype, ...]
    lexicon: Mapping[str, Mapping[Any, tuple[str, ...]]]
    """Slot → value → ways to say it, for slots whose words are not the value itself."""
    named: Callable[[Sequence[ToolCall]], Query]
    """The same writes with every argument named by the user: what is left to read is the floor of the burden."""
    open_reads: Callable[[Session], Iterable[ToolCall]] = lambda session: ()
    """(changed state) → reads that anybody can make at any time, beside `first_reads`, in which its changes may show.

    For worlds with too many such reads to list them, like searches by any place and day.
    """
    is_open: Callable[[ToolCall], bool] = lambda call: False
    """Whether this is one of those reads."""
    made_from: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """Collection → name of a field or relation in queries → fields of its records that are behind it; a name that is not there is a
    field's own.

    What a query does not speak of cannot change its answer: of the collections named here only patches of the rest are tried.
    """
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    """Collection → what its records look like: a patch that spoils one proves nothing."""
    people: str = ""
    """Collection of those who make requests."""
    people_in: Callable[[Session, str], frozenset[str]] = lambda session, text: (
        frozenset()
    )
    """Keys of the people whom a text (a benchmark's tasks) speaks of, so that ours can keep away from them."""
    words: Words = field(default_factory=Words)
    """How writes, questions and refusals are spoken of."""
    policy_checks: tuple[PolicyCheck, ...] = ()
    """Clauses of the policy that a program can judge."""
    preconditions: Callable[[ToolCall, Session], Iterable[Precondition]] = (
        lambda call, session: ()
    )
    """(write, state just before it) → what the policy wants to be so. It may raise what wrong arguments raise in a tool."""
    reader_judged: Mapping[str, str] = field(default_factory=dict)
    """Clauses that neither tools enforce nor a program can judge → why only a reader can."""
    display: Display = field(default_factory=Display)
    """How records are shown to people."""
    canonical_write: Callable[[ToolCall], ToolCall] = lambda call: call
    """One spelling for writes that mean the same."""


def no_requests() -> Domain:
    """The domain of a world about which nothing is asked yet: it can be played and imported, but no task designed in it."""
    return Domain(
        relations={},
        from_state=lambda session: _Unasked(),
        from_tools=lambda call, allowed: _Unasked(),
        derivable_reads=lambda texts: (),
        first_reads=lambda facts: (),
        equivalents=lambda call, session: [],
        mutations=lambda session, call, rng: iter(()),
        swaps=lambda session, one, other: iter(()),
        archetypes=(),
        lexicon={},
        named=lambda calls: Query(steps=()),
    )


class _Unasked:
    """A source without rows that takes no writes."""

    def expand(self, relation: str, parent: Row | None, by: Facts) -> list[Shown]:
        return []

    def apply(self, call: ToolCall) -> None:
        raise Unidentifiable("no_requests", "This world has no requests yet.")

    def effect(self) -> str:
        return ""

    def has_effect_of(self, other: Any) -> bool:
        return True

"""Executable clauses of a policy: judges over what happened, in the environment's own terms.

A judge gets a `PolicyTrace` and gives the breaches it sees. It knows nothing of tasks or gold: it judges any conversation.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter
from typing import Any, Literal

from environments.core.state import Session
from environments.core.tools import ToolCall, ToolKind, ToolResult


@dataclass(frozen=True)
class Event:
    """One thing that happened: a text, or a call with its result. `index` is the message's place in the conversation."""

    index: int
    by: Literal["agent", "user"]
    text: str = ""
    call: ToolCall | None = None
    result: ToolResult | None = None
    kind: ToolKind | None = None
    """None for texts and for calls of tools that do not exist."""

    @property
    def made(self) -> bool:
        """Whether this is a call that the tool did not refuse."""
        return self.result is not None and not self.result.error

    @property
    def wrote(self) -> bool:
        return self.kind is ToolKind.WRITE and self.made


@dataclass(frozen=True)
class PolicyTrace:
    """A whole conversation over the state in which it began."""

    events: tuple[Event, ...]
    start: Session
    lexicon: Mapping[str, Mapping[Any, tuple[str, ...]]] = field(default_factory=dict)
    """Ways to say certain values (Domain.lexicon)."""

    @cached_property
    def calls(self) -> list[Event]:
        return [event for event in self.events if event.call is not None]

    @cached_property
    def writes(self) -> list[Event]:
        """Those that were made."""
        return [event for event in self.calls if event.wrote]

    def said_by_user(self, before: int) -> str:
        """Everything that the user said before that message, in lower case."""
        count = bisect_left(self._told, before, key=itemgetter(0))
        if count not in self._joined:
            self._joined[count] = "\n".join(text for _, text in self._told[:count])
        return self._joined[count]

    @cached_property
    def _joined(self) -> dict[int, str]:
        """How many of the user's texts → all of them in one; every judge asks for the same few."""
        return {}

    @cached_property
    def _told(self) -> list[tuple[int, str]]:
        """(index, text in lower case) of what the user said."""
        return [(e.index, e.text.lower()) for e in self.events if e.by == "user"]


_YES = re.compile(
    r"\b(?:yes|yep|yeah|yup|go ahead|please do|do it|proceed|confirm(?:ed)?|i agree|agreed|absolutely|definitely|"
    r"that works|(?:sounds|looks) (?:good|right|fine|great|correct)|that(?:'s| is) (?:right|correct|fine|ok|okay|perfect|good))\b|"
    # What is a yes on its own is none in the middle of a sentence: "and of course the phone rang".
    r"(?:^|[.!?\n]\s*)(?:sure|of course|ok|okay|fine|correct|perfect|great|right|certainly|exactly)\b",
    re.IGNORECASE,
)
_NO = re.compile(
    r"^\s*(?:no\b(?! (?:problem|worries|rush))|nope|wait\b|stop\b|hold on|never mind|not yet|don't|do not|actually,? (?:no|don't|wait|i have to))|"
    r"\b(?:don't|do not|not|rather not|before you) (?:do|go|proceed|want|confirm|agree|sure)\b|"
    r"\bbut (?:not|don't|do not|wait|first)\b|\bnot (?:now|yet|today)\b",
    re.IGNORECASE,
)


def says_yes(text: str) -> bool:
    """Whether a user's message is an explicit yes: one is in it, and nothing that holds back."""
    return bool(_YES.search(text.replace("’", "'"))) and not holds_back(text)


def holds_back(text: str) -> bool:
    """Whether a user's message is an explicit no, or a "wait"."""
    return bool(_NO.search(text.replace("’", "'")))


@dataclass(frozen=True)
class Breach:
    text: str
    """A sentence for a person."""
    where: tuple[int, ...]
    """Indexes of messages."""


@dataclass(frozen=True)
class PolicyCheck:
    """One clause of the policy that a program can judge."""

    clause: str
    title: str
    judge: Callable[[PolicyTrace], Iterable[Breach]]


@dataclass(frozen=True)
class FactPlace:
    """Where a reader can see a fact: a record, told by some of its fields, and the place in it.

    A result shows it if an object with these fields is in it. What the call asked for counts as a field, too: a search by day does
    not repeat the day, and an answer in one word is all that there is (its place is then the whole).
    """

    fields: Mapping[str, Any]
    pointer: str


@dataclass(frozen=True)
class Precondition:
    """One thing that a clause wants to be so before a write."""

    clause: str
    wanted: str
    """What has to be so, in a few words: "the order is pending"."""
    found: str
    """What is so: "delivered"."""
    holds: bool | None
    """None: it also takes what was said, which the state does not tell."""
    shown: tuple[FactPlace, ...] = ()

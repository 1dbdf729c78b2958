"""Where a conversation stands, as the user knows it: what was said, what was heard, which lines of the ledger may be said now."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from writ_app.engine.behaviour.reading import (
    announces_shift,
    asks,
    asks_confirmation,
    asks_identity,
    mentions,
    offers_more,
    plain,
    refuses,
    reports_done,
    reports_nothing_found,
    was_remarked,
    was_said,
    was_told,
    was_told_wrong,
)
from writ_app.engine.types import Ledger, LedgerLine, Message, Remark

_FORMATTED = re.compile(r"\d{3}|@")


@dataclass(frozen=True)
class Heard:
    """One message of the agent, read once."""

    text: str

    @cached_property
    def offers_more(self) -> bool:
        return offers_more(self.text)

    @cached_property
    def asks(self) -> bool:
        return asks(self.text)

    @cached_property
    def waits_for_yes(self) -> bool:
        return asks_confirmation(self.text) and not self.offers_more

    @cached_property
    def refuses(self) -> bool:
        return refuses(self.text)

    @cached_property
    def found_nothing(self) -> bool:
        return reports_nothing_found(self.text)

    @cached_property
    def is_done(self) -> bool:
        return self.offers_more or reports_done(self.text)

    def asks_who(self, names: Iterable[str] = ()) -> bool:
        known = tuple(names)
        if known not in self._asked:
            self._asked[known] = asks_identity(self.text, known)
        return self._asked[known]

    @cached_property
    def _asked(self) -> dict[tuple[str, ...], bool]:
        return {}

    def returns_to(self, line: LedgerLine) -> bool:
        """Whether it comes back to what is wrong in the line's first version."""
        return was_told_wrong(line, self.text) or self.found_nothing


@dataclass
class Hearing:
    """The user's side so far. `heard` begins with the greeting; `said` has the user's own messages, `heard_before` how many messages
    of the agent came before each."""

    ledger: Ledger
    heard: list[Heard] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    heard_before: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, ledger: Ledger, messages: Iterable[Message]) -> "Hearing":
        """From a conversation as the simulation keeps it: calls, their results and texts beside them are unseen."""
        hearing = cls(ledger)
        for message in messages:
            if message.role == "user":
                hearing.say(message.content)
            elif message.role == "assistant" and not message.tool_calls:
                hearing.hear(message.content)
        return hearing

    @classmethod
    def of_user(cls, ledger: Ledger, messages: Iterable[Message]) -> "Hearing":
        """From what a user's model is given, where the user is the assistant."""
        hearing = cls(ledger)
        for message in messages:
            if message.role == "assistant":
                hearing.say(message.content)
            else:
                hearing.hear(message.content)
        return hearing

    def hear(self, text: str) -> None:
        self.heard.append(Heard(text))

    def say(self, text: str) -> None:
        self.said.append(text)
        self.heard_before.append(len(self.heard))
        self.__dict__.pop("told", None)

    @cached_property
    def told(self) -> str:
        """Everything that the user has said."""
        return "\n".join(self.said)

    @cached_property
    def own_values(self) -> dict[str, list[Any]]:
        """Line → its values that no other line tells and that do not turn up in ordinary talk."""
        told = {
            line.name: [*line.tells.values(), *line.wrong_tells.values()]
            for line in self.ledger.lines
        }
        return {
            line.name: [
                value
                for value in line.tells.values()
                if _FORMATTED.search(str(value))
                and not any(
                    value in others
                    for name, others in told.items()
                    if name != line.name
                )
            ]
            for line in self.ledger.lines
        }

    @property
    def last(self) -> Heard:
        return self.heard[-1] if self.heard else Heard("")

    @property
    def answers(self) -> list[Heard]:
        """What the agent said since the user began: the greeting does not count."""
        return self.heard[self.heard_before[0] :] if self.heard_before else []

    # --- phases ---

    @property
    def shift_line(self) -> LedgerLine | None:
        return next((x for x in self.ledger.lines if x.kind == "shift"), None)

    @property
    def shifted(self) -> bool:
        """Whether the second phase has begun, or there is only one."""
        line = self.shift_line
        return line is None or shift_was_said(line, self.ledger, self.said)

    @property
    def wanted(self) -> list[LedgerLine]:
        """The lines of the request as it stands: of the first wish until it is given up, of the second from then on."""
        gone = "first" if self.shifted else "second"
        return [
            line
            for line in self.ledger.lines
            if line.kind != "shift" and line.phase != gone
        ]

    def unsaid(
        self, kinds: Sequence[str] = ("identity", "request")
    ) -> list[LedgerLine]:
        told = self.told
        return [
            line
            for line in self.wanted
            if line.kind in kinds and not was_said(line, told)
        ]

    def hidden(self, line: LedgerLine) -> bool:
        """Whether a line belongs to a part of the request that the user has not come out with yet."""
        own = [
            x
            for x in self.ledger.lines
            if x.part == line.part and x.release == "after_write"
        ]
        others = [x for x in self.ledger.lines if x.part != line.part]
        telling = [
            x
            for x in own
            if not any(plain(x.spoken) in plain(other.spoken) for other in others)
        ]
        return bool(own) and not any(was_said(x, self.told) for x in telling or own)

    # --- triggers ---

    def may_say(self, line: LedgerLine | Remark) -> bool:
        """Whether its trigger has come, before the user's next message."""
        if isinstance(line, Remark):
            turn = len(self.said) + 1
            if not line.window[0] <= turn <= line.window[1]:
                return False
        test = _TRIGGERS.get(line.release)
        return test is None or test(self, line)

    def remarks(self, *releases: str) -> Iterator[Remark]:
        """Remarks with these triggers that are due and were not made yet."""
        for remark in self.ledger.remarks:
            if (
                remark.release in releases
                and self.may_say(remark)
                and not was_remarked(remark, self.told)
            ):
                yield remark


def shift_was_said(line: LedgerLine, ledger: Ledger, said: Sequence[str]) -> bool:
    """Whether one message gave up the first wish: in the ledger's words, or with words of that kind and the second wish in it."""
    spoken = plain(line.spoken)
    second = [x for x in ledger.lines if x.phase == "second"]
    first = [x for x in ledger.lines if x.phase == "first"]
    return any(
        spoken in plain(text)
        or (
            announces_shift(text)
            and all(_is_in(x, text) for x in second)
            and not any(was_said(x, text) for x in first)
        )
        for text in said
    )


def _is_in(line: LedgerLine, text: str) -> bool:
    """Whether a text has a value of the line, or, if that tells none, its words."""
    values = line.tells.values()
    return any(mentions(text, v) for v in values) if values else was_told(line, text)


def _asked(hearing: Hearing, line: LedgerLine | Remark) -> bool:
    """Who the user is has to be asked for as such, at any time before; a detail right before."""
    if isinstance(line, Remark):
        return any(heard.asks_who() for heard in hearing.answers)
    if line.kind == "identity":
        return any(heard.asks_who(line.tells) for heard in hearing.answers)
    return bool(hearing.answers) and hearing.answers[-1].asks


def _asked_again(hearing: Hearing, line: LedgerLine | Remark) -> bool:
    names = line.tells if isinstance(line, LedgerLine) else ()
    places = [n for n, heard in enumerate(hearing.answers) if heard.asks_who(names)]
    return bool(places) and len(hearing.answers) > places[0] + 1


def _agent_repeats(hearing: Hearing, line: LedgerLine | Remark) -> bool:
    return isinstance(line, LedgerLine) and any(
        heard.returns_to(line) for heard in hearing.answers
    )


_TRIGGERS: dict[str, Callable[[Hearing, LedgerLine | Remark], bool]] = {
    "next_turn": lambda hearing, line: bool(hearing.said),
    "asked": _asked,
    "asked_again": _asked_again,
    "after_agent_repeats": _agent_repeats,
    "late": lambda hearing, line: bool(hearing.said),
    "details_told": lambda hearing, line: bool(hearing.said),
    "at_confirmation": lambda hearing, line: any(
        heard.waits_for_yes for heard in hearing.answers
    ),
    "with_yes": lambda hearing, line: any(
        heard.waits_for_yes for heard in hearing.answers
    ),
    "after_refusal": lambda hearing, line: any(
        heard.refuses for heard in hearing.answers
    ),
    "after_shift": lambda hearing, line: hearing.shifted,
    "after_write": lambda hearing, line: any(
        heard.is_done for heard in hearing.answers
    ),
    "before_leaving": lambda hearing, line: any(
        heard.is_done or heard.refuses for heard in hearing.answers
    ),
}

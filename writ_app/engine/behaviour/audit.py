"""The audit of a user: everything told, nothing invented, when the plan said so. It reads texts only, so it is quick."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from writ_app.engine.behaviour.reading import (
    STOP_TOKENS,
    asks,
    asks_confirmation,
    asks_identity,
    mentions,
    offers_more,
    plain,
    reports_nothing_found,
    stems,
    was_told,
    was_told_wrong,
)
from writ_app.engine.types import Frozen, Ledger, LedgerLine, Message


class UserFinding(Frozen):
    """One thing that the user did against the ledger. `kind` is missing, leaked, invented, uncorrected or stop."""

    kind: str
    text: str
    where: tuple[int, ...] = ()


class UserAudit(Frozen):
    findings: tuple[UserFinding, ...]
    dimensions: dict[str, str]
    """The values of the behaviour taxonomy as they came out, to compare with the plan's."""


class _Talk:
    """The user's messages, and what the agent had said before each. Tool messages and texts beside calls are unseen."""

    def __init__(self, messages: Sequence[Message]):
        self.user: list[tuple[int, str]] = []
        self.agent: list[tuple[int, str]] = []
        for n, message in enumerate(messages):
            if message.role == "user":
                self.user.append((n, message.content))
            elif message.role == "assistant" and not message.tool_calls:
                self.agent.append((n, message.content))

    def heard(self, before: int) -> list[str]:
        """The agent's texts before a message, oldest first."""
        return [text for n, text in self.agent if n < before]

    def first(self, test: Any) -> int | None:
        """Index of the first user message for which `test(text, everything said up to it)` holds."""
        told = ""
        for n, text in self.user:
            told = f"{told}\n{text}"
            if test(text, told):
                return n
        return None


def audit_user(ledger: Ledger, messages: Sequence[Message]) -> UserAudit:
    """Judge the user's side. Quick enough for every conversation: it reads texts only."""
    talk = _Talk(messages)
    findings = [
        *_undelivered(ledger, talk),
        *_leaks(ledger, talk),
        *_mistakes(ledger, talk),
        *_inventions(ledger, talk),
        *_stops(talk, len(messages)),
    ]
    return UserAudit(findings=tuple(findings), dimensions=_realised(ledger, talk))


def _undelivered(ledger: Ledger, talk: _Talk) -> Iterable[UserFinding]:
    told = "\n".join(text for _, text in talk.user)
    for line in ledger.lines:
        if not was_told(line, told, _other_words(line, ledger)):
            yield UserFinding(
                kind="missing", text=f'The user never said: "{line.text}"'
            )


def _other_words(line: LedgerLine, ledger: Ledger) -> set[str]:
    return {
        stem
        for other in ledger.lines
        if other is not line
        for stem in stems(other.text)
    }


def _leaks(ledger: Ledger, talk: _Talk) -> Iterable[UserFinding]:
    """Lines that wait to be asked for, said without being asked."""
    for line in ledger.lines:
        if line.release != "asked":
            continue
        own = _own_values(line, ledger)

        def gives_away(
            text: str, told: str, line: LedgerLine = line, own: list[Any] = own
        ) -> bool:
            return plain(line.text) in plain(text) or any(
                mentions(text, value) for value in own
            )

        said = talk.first(gives_away)
        if said is not None and not _was_asked(line, talk.heard(said)):
            yield UserFinding(
                kind="leaked",
                text=f'The user said before being asked: "{line.text}"',
                where=(said,),
            )


def _own_values(line: LedgerLine, ledger: Ledger) -> list[Any]:
    """Values that no other line tells and that do not turn up in ordinary talk."""
    others = [
        value
        for other in ledger.lines
        if other is not line
        for value in other.tells.values()
    ]
    return [
        value
        for value in line.tells.values()
        if value not in others and re.search(r"\d{3}|@", str(value))
    ]


def _was_asked(line: LedgerLine, heard: Sequence[str]) -> bool:
    """The greeting does not count. Who the user is has to be asked for as such, at any time before."""
    if line.kind == "identity":
        return any(asks_identity(text, line.tells) for text in heard[1:])
    return len(heard) > 1 and asks(heard[-1])


def _mistakes(ledger: Ledger, talk: _Talk) -> Iterable[UserFinding]:
    """The wrong version comes first, the correction only when the agent came back to it."""
    for line in ledger.lines:
        if line.release != "after_agent_repeats":
            continue
        differing = [v for n, v in line.tells.items() if line.wrong_tells[n] != v]
        wrong = talk.first(lambda text, _, line=line: was_told_wrong(line, text))
        right = talk.first(
            lambda text, _, values=differing: any(mentions(text, v) for v in values)
        )
        if wrong is None or (right is not None and right <= wrong):
            yield UserFinding(
                kind="uncorrected",
                text=f'The user should have said first: "{line.wrong_text}"',
                where=() if right is None else (right,),
            )
        elif right is not None:
            between = [text for n, text in talk.agent if wrong < n < right]
            if not any(_returns_to(line, text) for text in between):
                yield UserFinding(
                    kind="leaked",
                    text="The user corrected the detail before the agent came back to it.",
                    where=(wrong, right),
                )


def _returns_to(line: LedgerLine, text: str) -> bool:
    return was_told_wrong(line, text) or reports_nothing_found(text)


_TOKENS = re.compile(
    # Bounded, so that no text however long and odd makes the search crawl.
    r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"  # emails
    r"|#\w{0,40}?\d{3,}"  # order ids
    r"|\b[a-z]{1,40}(?:_[a-z]{1,40}){0,8}_\d{3,}\b"  # ids made of words
    r"|\$\s?\d[\d,]*(?:\.\d+)?"  # amounts
    r"|\b\d{4,}\b",  # long numbers
    re.IGNORECASE,
)


def _inventions(ledger: Ledger, talk: _Talk) -> Iterable[UserFinding]:
    """Values with a format that neither the ledger nor the agent ever gave the user."""
    given = " ".join(_all_texts(ledger))
    for n, text in talk.user:
        tokens = _TOKENS.findall(text)
        if not tokens:
            continue
        known = _formatted(" ".join([given, *talk.heard(n)]))
        for token in tokens:
            if _bare(token) not in known:
                yield UserFinding(
                    kind="invented",
                    text=f"The user could not know: {token}",
                    where=(n,),
                )


def _all_texts(ledger: Ledger) -> Iterable[str]:
    for line in ledger.lines:
        yield from (line.text, line.wrong_text)
        for tells in (line.tells, line.wrong_tells):
            yield from map(str, tells.values())


def _formatted(text: str) -> set[str]:
    """Every value with a format in a text, and every number that is part of one."""
    tokens = {_bare(token) for token in _TOKENS.findall(text)}
    return tokens | set(re.findall(r"\d{4,}", text))


def _bare(token: str) -> str:
    token = token.lower().rstrip(".")
    if not token.startswith("$"):
        return token
    return f"${float(token[1:].replace(',', '')):.2f}"


def _stops(talk: _Talk, length: int) -> Iterable[UserFinding]:
    stopped = [
        n for n, text in talk.user if any(token in text for token in STOP_TOKENS)
    ]
    for n in stopped:
        if n != length - 1:
            yield UserFinding(
                kind="stop", text="The user stopped and then went on.", where=(n,)
            )
    if not stopped or not talk.heard(stopped[-1]):
        return
    last = talk.heard(stopped[-1])[-1]
    if asks_confirmation(last) and not offers_more(last):
        yield UserFinding(
            kind="stop",
            text="The user stopped while the agent was waiting for a yes or no.",
            where=(stopped[-1],),
        )


def _realised(ledger: Ledger, talk: _Talk) -> dict[str, str]:
    first = talk.user[0][1] if talk.user else ""
    at_once = [
        was_told(line, first, _other_words(line, ledger))
        or bool(line.wrong_tells and was_told_wrong(line, first))
        for line in ledger.lines
    ]
    wrong = any(
        line.wrong_tells and talk.first(lambda text, _, x=line: was_told_wrong(x, text))
        for line in ledger.lines
    )
    words = [len(text.split()) for _, text in talk.user]
    mean = sum(words) / len(words) if words else 0.0
    return {
        "disclosure": "upfront" if all(at_once) else "asked",
        "correction": "one wrong detail" if wrong else "none",
        "verbosity": "minimal"
        if mean < 5
        else "standard"
        if mean <= 60
        else "rambling",
        "identity": _identity_kind(ledger.lines),
    }


def _identity_kind(lines: Iterable[LedgerLine]) -> str:
    kinds: Mapping[str, str] = {"email": "email", "first_name": "name and zip"}
    return next(
        (kinds.get(line.name, line.name) for line in lines if line.kind == "identity"),
        "none",
    )

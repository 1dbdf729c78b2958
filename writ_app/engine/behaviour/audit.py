"""The audit of a user: everything told, nothing invented, when the ledger said so. It reads texts only, so it is quick.

`screen_turn` judges one message before it is committed, `audit_user` a whole conversation. What breaks the ledger is a finding that
rejects; how a message sounds is only measured (see `realised`), but a screen says so too, so that a better draft can be taken.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from writ_app.engine.behaviour.hearing import Hearing, shift_was_said
from writ_app.engine.behaviour.reading import (
    STOP_TOKENS,
    mentions,
    other_words,
    plain,
    was_said,
    was_told,
    was_told_wrong,
    without_mere_words,
)
from writ_app.engine.behaviour.realised import realised, sounds_wrong
from writ_app.engine.behaviour.style import rejoined
from writ_app.engine.types import Frozen, Ledger, LedgerLine, Message

LONGEST = 20_000
"""Characters of one message that are read: nobody writes more, and hostile text must not take our time."""


class UserFinding(Frozen):
    """One thing that the user did against the ledger.

    `kind` is missing, leaked, invented, contradicted, uncorrected, unshifted, stop, tool, agent_voice or abuse; of a screen also style.
    """

    kind: str
    text: str
    where: tuple[int, ...] = ()


class UserAudit(Frozen):
    findings: tuple[UserFinding, ...]
    dimensions: dict[str, str]
    """The values of the behaviour taxonomy as they came out, to compare with the ledger's."""


def screen_turn(
    ledger: Ledger, messages: Sequence[Message], text: str
) -> tuple[UserFinding, ...]:
    """What is wrong with `text` as the user's next message after `messages`. Findings' `where` is the place that it would take."""
    text = text[:LONGEST]
    hearing = Hearing.of(ledger, messages)
    findings = [
        *_turn_findings(hearing, text, len(messages)),
        *_stop_too_early(hearing, text, len(messages)),
    ]
    if problem := sounds_wrong(ledger, hearing, text):
        where = (len(messages),)
        findings.append(UserFinding(kind="style", text=problem, where=where))
    return tuple(findings)


def audit_user(ledger: Ledger, messages: Sequence[Message]) -> UserAudit:
    """Judge the user's side of a whole conversation."""
    hearing, places, findings = Hearing(ledger), list[int](), list[UserFinding]()
    for n, message in enumerate(messages):
        if message.role == "user":
            text = message.content[:LONGEST]
            findings += _turn_findings(hearing, text, n)
            hearing.say(text)
            places.append(n)
        elif message.role == "assistant" and not message.tool_calls:
            hearing.hear(message.content[:LONGEST])
    findings += _undelivered(ledger, hearing.said)
    findings += _mistakes(hearing, places)
    findings += _stops(hearing, places, len(messages))
    return UserAudit(findings=tuple(findings), dimensions=realised(ledger, hearing))


def _turn_findings(hearing: Hearing, text: str, place: int) -> Iterator[UserFinding]:
    """What breaks the ledger in one message, whatever comes after it."""
    where = (place,)
    for line in _leaked(hearing, text):
        said = "before being asked" if line.release == "asked" else "too early"
        yield UserFinding(
            kind="leaked", text=f'The user said {said}: "{line.text}"', where=where
        )
    for token in _invented(hearing, text):
        yield UserFinding(
            kind="invented", text=f"The user could not know: {token}", where=where
        )
    for name, words in _contradicted(hearing, text):
        yield UserFinding(
            kind="contradicted",
            text=f"The user said “{words}”, which is not what the ledger says of {name.replace('_', ' ')}.",
            where=where,
        )
    lowered = text.lower()  # much quicker than to ignore the case
    for kind, hints, pattern, problem in _OUT_OF_ROLE:
        hinted = any(hint in lowered for hint in hints)
        match = pattern.search(lowered) if hinted else None
        if match and not _was_heard(hearing, match[0]):
            yield UserFinding(kind=kind, text=f"{problem}: {match[0]}", where=where)


# --- too early -----------------------------------------------------------------------------------------------------------------


def _leaked(hearing: Hearing, text: str) -> Iterator[LedgerLine]:
    """Lines that this message gives away and that were not due yet."""
    shifts = hearing.shift_line is not None and shift_was_said(
        hearing.shift_line, hearing.ledger, [text]
    )
    heard = plain(text)
    for line in hearing.ledger.lines:
        if line.release == "opening":
            continue
        if line.release == "after_agent_repeats":
            continue  # told in the order of its own: see _mistakes
        if line.release == "after_shift" and shifts:
            continue
        given = plain(line.spoken) in heard or any(
            mentions(text, value) for value in hearing.own_values[line.name]
        )
        if (
            given
            and not hearing.may_say(line)
            and not _told_before(line, hearing)
            and not _said_for_another(line, hearing)
        ):
            yield line


def _said_for_another(line: LedgerLine, hearing: Hearing) -> bool:
    """Whether another part, which may be told by now, says the same in the same words."""
    return any(
        plain(line.spoken) in plain(other.spoken) and hearing.may_say(other)
        for other in hearing.ledger.lines
        if other is not line
    )


def _told_before(line: LedgerLine, hearing: Hearing) -> bool:
    """Only the first time counts."""
    return bool(hearing.said) and (
        plain(line.spoken) in plain(hearing.told)
        or any(mentions(hearing.told, value) for value in hearing.own_values[line.name])
    )


# --- invented ------------------------------------------------------------------------------------------------------------------

_TOKENS = re.compile(
    # Bounded, so that no text however long and odd makes the search crawl.
    r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"  # emails
    r"|#\w{0,40}?\d{3,}"  # order ids
    r"|\b[a-z]{1,40}(?:_[a-z]{1,40}){0,8}_\d{3,}\b"  # ids made of words
    r"|\$\s?\d[\d,]*(?:\.\d+)?"  # amounts
    r"|\b\d{4,}\b",  # long numbers
    re.IGNORECASE,
)


def _invented(hearing: Hearing, text: str) -> list[str]:
    """Values with a format that neither the ledger nor the agent ever gave the user."""
    tokens = _tokens(text)
    joined = rejoined(text)
    if joined != text.lower():
        tokens += [token for token in _tokens(joined) if token not in text.lower()]
    if not tokens:
        return []
    known = _given(hearing.ledger)
    unknown = [token for token in tokens if _bare(token) not in known]
    if not unknown:
        return []
    heard = _formatted(" ".join(heard.text for heard in hearing.heard))
    return [token for token in dict.fromkeys(unknown) if _bare(token) not in heard]


def _tokens(text: str) -> list[str]:
    """Every value with a format; a text without digit and @ has none, and none but an amount goes over a blank."""
    if not _DIGIT.search(text):
        return []
    return _TOKENS.findall(text if "$" in text else without_mere_words(text))


_DIGIT = re.compile(r"[\d@]")


def _given(ledger: Ledger) -> frozenset[str]:
    return _formatted(" ".join(_all_texts(ledger)))


def _all_texts(ledger: Ledger) -> Iterable[str]:
    for line in ledger.lines:
        yield from (line.text, line.wrong_text)
        for tells in (line.tells, line.wrong_tells):
            yield from map(str, tells.values())
    for remark in ledger.remarks:
        yield from (remark.text, remark.spoken)


@lru_cache(maxsize=1024)
def _formatted(text: str) -> frozenset[str]:
    """Every value with a format in a text, and every number that is part of one."""
    tokens = {_bare(token) for token in _tokens(text)}
    return frozenset(tokens | set(re.findall(r"\d{4,}", text)))


def _bare(token: str) -> str:
    token = token.lower().rstrip(".")
    if not token.startswith("$"):
        return token
    return f"${float(token[1:].replace(',', '')):.2f}"


def _contradicted(hearing: Hearing, text: str) -> Iterator[tuple[str, str]]:
    """Words for another value of what the user knows, which the agent did not bring up."""
    if not hearing.ledger.contrary:
        return
    heard = plain(rejoined(text))  # spelled digits are no numbers
    for name, words in hearing.ledger.contrary.items():
        for way in words:
            if way in heard and not _was_heard(hearing, way):
                yield name, way


def _was_heard(hearing: Hearing, words: str) -> bool:
    """Whether the agent said it before, or the ledger has it."""
    wanted = plain(words)
    return any(wanted in plain(heard.text) for heard in hearing.heard) or any(
        wanted in plain(text) for text in _all_texts(hearing.ledger)
    )


# --- out of the role -----------------------------------------------------------------------------------------------------------

_OUT_OF_ROLE = (
    (
        "tool",
        ("_",),
        re.compile(
            r"\b(?:get|find|list|search|cancel|modify|update|return|exchange|book|add|send|swap|extend|transfer|calculate)(?:_[a-z]{2,30}){1,7}\b"
        ),
        "The user spoke of a tool",
    ),
    (
        "agent_voice",
        (" you", "anything else i", "as an ai"),
        re.compile(
            r"\bhow (?:can|may) i (?:help|assist) you\b|\bis there anything else i can\b|\bi(?:'ve| have) (?:found|located|cancell?ed|updated|processed) your\b|"
            r"\blet me (?:look up|check|pull up) your\b|\bi(?:'ll| will) transfer you\b|\bas an ai\b",
        ),
        "The user spoke for the agent",
    ),
    (
        "abuse",
        (
            "idiot",
            "moron",
            "stupid",
            "shut up",
            "bastard",
            "asshole",
            "fuck",
            "dumb",
            "scumbag",
            "bitch",
        ),
        re.compile(
            r"\b(?:idiots?|morons?|stupid|shut up|bastards?|assholes?|fuck\w{0,4}|dumb(?:ass)?|scumbags?|bitch\w{0,3})\b",
        ),
        "The user became abusive",
    ),
)
"""(kind, hints, pattern, what to say of it). A text without any of the hints cannot match, and to look for them is much quicker."""


# --- delivered -----------------------------------------------------------------------------------------------------------------


def _undelivered(ledger: Ledger, said: Sequence[str]) -> Iterator[UserFinding]:
    """Everything that the request needs has to be told before the end."""
    told = "\n".join(said)
    for line in ledger.lines:
        if not line.required:
            continue
        if line.kind == "shift":
            if not shift_was_said(line, ledger, said):
                yield UserFinding(
                    kind="unshifted",
                    text=f'The user never gave up the first wish: "{line.text}"',
                )
        elif not was_said(line, told) and not was_told(
            line, told, other_words(line, ledger)
        ):
            yield UserFinding(
                kind="missing", text=f'The user never said: "{line.text}"'
            )


def _mistakes(hearing: Hearing, places: Sequence[int]) -> Iterator[UserFinding]:
    """The wrong version comes first, the correction only when the agent came back to it."""
    for line in hearing.ledger.lines:
        if line.release != "after_agent_repeats":
            continue
        right_values = [
            v for name, v in line.tells.items() if line.wrong_tells.get(name) != v
        ]
        wrong = _first(hearing.said, lambda text, x=line: was_told_wrong(x, text))
        right = _first(
            hearing.said, lambda text, v=right_values: all(mentions(text, x) for x in v)
        )
        if wrong is None or (right is not None and right <= wrong):
            yield UserFinding(
                kind="uncorrected",
                text=f'The user should have said first: "{line.wrong_text}"',
                where=() if right is None else (places[right],),
            )
        elif right is not None:
            start, end = hearing.heard_before[wrong], hearing.heard_before[right]
            if not any(heard.returns_to(line) for heard in hearing.heard[start:end]):
                yield UserFinding(
                    kind="leaked",
                    text="The user corrected the detail before the agent came back to it.",
                    where=(places[wrong], places[right]),
                )


def _first(texts: Sequence[str], test: Any) -> int | None:
    return next((n for n, text in enumerate(texts) if test(text)), None)


# --- the end -------------------------------------------------------------------------------------------------------------------


def _stop_too_early(hearing: Hearing, text: str, place: int) -> Iterator[UserFinding]:
    """Of a message that would end the conversation: what was not told, and a question that was not answered."""
    if not any(token in text for token in STOP_TOKENS):
        return
    for finding in _undelivered(hearing.ledger, [*hearing.said, text]):
        yield UserFinding(
            kind="stop",
            text=f"The user would stop too early. {finding.text}",
            where=(place,),
        )
    if hearing.last.waits_for_yes:
        yield UserFinding(kind="stop", text=_UNANSWERED, where=(place,))


_UNANSWERED = "The user stopped while the agent was waiting for a yes or no."


def _stops(
    hearing: Hearing, places: Sequence[int], length: int
) -> Iterator[UserFinding]:
    stopped = [
        n
        for n, text in enumerate(hearing.said)
        if any(token in text for token in STOP_TOKENS)
    ]
    for n in stopped:
        if places[n] != length - 1:
            yield UserFinding(
                kind="stop",
                text="The user stopped and then went on.",
                where=(places[n],),
            )
    if not stopped or not hearing.heard_before[stopped[-1]]:
        return
    if hearing.heard[hearing.heard_before[stopped[-1]] - 1].waits_for_yes:
        yield UserFinding(kind="stop", text=_UNANSWERED, where=(places[stopped[-1]],))

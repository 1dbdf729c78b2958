"""Reading what was said: yes or no, questions, values and whole lines in a text, whatever its wording."""

import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Any

from writ_app.engine.behaviour.style import rejoined
from writ_app.engine.types import Ledger, LedgerLine, Remark

STOP = "###STOP###"
STOP_TOKENS = (STOP, "###TRANSFER###", "###OUT-OF-SCOPE###")

_CONFIRMATION = re.compile(
    r"yes/no|\(yes|\"yes\"|yes or no|\bconfirm|go ahead|\bproceed|shall i\b|should i\b|may i\b (?:do|make)|is (?:that|this) (?:ok|okay|fine|alright)|"
    r"do you (?:agree|approve)|would you like me to",
    re.IGNORECASE,
)
_WHICH = re.compile(
    r"\b(?:which|what|how|where|when|who)\b[^.?!:;]{0,80}\bshould i\b|\bwhat(?: exactly| precisely)? would you like me to\b|"
    r"\bconfirm (?:who|your (?:identity|e-?mail|name|full name|user id|account|zip|customer))\b",
    re.IGNORECASE,
)
_IDENTITY_WORDS = re.compile(
    r"e-?mail|zip|user id|account id|customer id|verify|identity|identify|your account|full name|who (?:am i|i am)",
    re.IGNORECASE,
)
_ASKING = re.compile(
    r"\?|\bplease\b|could you|can you|let me know|tell me|provide|\bi(?:'ll| will)? need\b",
    re.IGNORECASE,
)
_NOTHING_FOUND = re.compile(
    r"(?:not|n't|unable to|no) (?:able to )?(?:find|locate|match|found|account|order)|not found|doesn't match|nothing (?:under|with|for)|"
    r"double-check|check (?:that|it|the)|no such",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"anything else|something else|any other|anything more|further (?:help|assist|question)|else I can|else you need",
    re.IGNORECASE,
)


_DONE = re.compile(
    r"\b(?:is done|all done|that's done|has been|have been|was (?:cancell?ed|changed|booked|refunded|updated)|i(?:'ve| have) (?:now )?[a-z]+ed|"
    r"went through|it worked|all set|good news)\b",
    re.IGNORECASE,
)
_REFUSAL = re.compile(
    r"\b(?:can't|cannot|can not|couldn't|unable|not able|won't|not possible|isn't possible|impossible|not allowed|isn't allowed|not permitted|"
    r"doesn't allow|does not allow|don't allow|against (?:our|the) (?:policy|rules)|not eligible|isn't eligible|must decline)\b",
    re.IGNORECASE,
)
_LOOKING_FOR = re.compile(r"\b(?:find|found|locate|match|see)\b", re.IGNORECASE)
_SHIFT = re.compile(
    r"\b(?:actually|forget|change(?:d)? my mind|instead|never mind|leave (?:that|it|this) out|leave out|scrap|drop (?:that|it)|hold on|"
    r"something else|after all|forgot to|one thing should|let me change|just remembered|more than that)\b",
    re.IGNORECASE,
)


def reports_done(text: str) -> bool:
    """Whether an agent's message says that something was done."""
    return bool(_DONE.search(text.replace("’", "'")))


def refuses(text: str) -> bool:
    """Whether an agent's message refuses something, other than that it could not find it."""
    text = text.replace("’", "'")
    return bool(_REFUSAL.search(text)) and not (
        reports_nothing_found(text) and _LOOKING_FOR.search(text)
    )


@lru_cache(maxsize=4096)
def announces_shift(text: str) -> bool:
    """Whether a user's message says that something is wanted otherwise from now on."""
    return bool(_SHIFT.search(text.replace("’", "'")))


def asks_confirmation(text: str) -> bool:
    """Whether an agent's message waits for a yes or no to a change: "Which card should I use?" and "Could you confirm your email?" do not."""
    return "?" in text and bool(_CONFIRMATION.search(_WHICH.sub("", text)))


def asks_identity(text: str, names: Iterable[str] = ()) -> bool:
    """Whether an agent's message wants to know who the user is, who is known by the facts of these names."""
    return any(
        _ASKING.search(sentence)
        and (
            _IDENTITY_WORDS.search(sentence)
            or any(name.replace("_", " ") in sentence.lower() for name in names)
        )
        for sentence in re.split(r"(?<=[.?!])\s+", text)
    )


def asks(text: str) -> bool:
    """Whether an agent's message wants to be told something."""
    return bool(_ASKING.search(text))


def offers_more(text: str) -> bool:
    return bool(_MORE.search(text))


def reports_nothing_found(text: str) -> bool:
    return bool(_NOTHING_FOUND.search(text.replace("’", "'")))


def plain(value: Any) -> str:
    """Lower case, single blanks, no underscores, plain quotes: how values and sentences are compared."""
    return _plain(str(value))


@lru_cache(maxsize=8192)
def _plain(text: str) -> str:
    return " ".join(text.replace("_", " ").replace("’", "'").lower().split())


def mentions(text: str, value: Any) -> bool:
    """Whether a text holds a value as a whole word, whatever its case and spacing, be it spelled out."""
    if isinstance(value, list | tuple):
        return all(mentions(text, part) for part in value)
    wanted, heard = plain(value), plain(text)
    if holds_word(heard, wanted):
        return True
    joined = _plain_rejoined(heard)
    return joined is not heard and holds_word(joined, wanted)


def without_mere_words(text: str) -> str:
    """A text without the words that have letters only: what is looked for by its digits and signs need not be looked for there."""
    return " ".join([word for word in text.split() if not word.isalpha()])


def holds_word(text: str, word: str) -> bool:
    """Whether `word` stands in `text` as it is, with no letter, digit or underscore beside it. Quicker than a pattern for each word."""
    place = text.find(word) if word else -1
    while place >= 0:
        end = place + len(word)
        if not (_in_word(text[place - 1 : place]) or _in_word(text[end : end + 1])):
            return True
        place = text.find(word, place + 1)
    return False


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "_"


@lru_cache(maxsize=4096)
def _plain_rejoined(heard: str) -> str:
    """A plain text with what was spelled out put together; the very same if nothing was."""
    joined = plain(rejoined(heard))
    return heard if joined == heard else joined


def was_said(line: LedgerLine, told: str) -> bool:
    """Whether a line was delivered as it stands in the ledger; who the user is, and a correction, in any words."""
    heard = plain(told)
    if plain(line.spoken) in heard or plain(line.text) in heard:
        return True
    free = line.kind == "identity" or line.release == "after_agent_repeats"
    return free and all(mentions(told, value) for value in line.tells.values())


def was_told(line: LedgerLine, told: str, others: Collection[str] = ()) -> bool:
    """Whether a line was delivered, be it in other words: every value is there, with some of the line's words.

    `others` are stems of the other lines' words: they prove nothing about this one. Generous, since what a user left out
    shows in what the agent does.
    """
    if was_said(line, told):
        return True
    if line.kind == "identity" or line.release == "after_agent_repeats":
        return False
    own = stems(line.text) - set(others) or stems(line.text)
    share = len(own & stems(told)) / (len(own) or 1)
    if not line.tells:
        return share >= 0.25
    return share > 0 and all(
        _value_told(value, told, others) for value in line.tells.values()
    )


def _value_told(value: Any, told: str, others: Collection[str]) -> bool:
    """A name, code or number as such; an ordinary phrase by half of its own words."""
    if mentions(told, value):
        return True
    text = str(value)
    if text != text.lower() or re.search(r"[\d_@]", text):
        return False
    words = stems(text) - set(others)
    return bool(words) and 2 * len(words & stems(told)) >= len(words)


_COMMON = frozenset(
    [
        "that",
        "this",
        "with",
        "have",
        "from",
        "what",
        "would",
        "like",
        "please",
        "want",
        "should",
        "could",
        "your",
        "there",
        "they",
        "them",
        "then",
        "will",
        "been",
        "were",
    ]
)


@lru_cache(maxsize=8192)
def stems(text: str) -> frozenset[str]:
    """The beginnings of a text's telling words: "needed" and "need" count as one."""
    words = re.findall(r"[a-z0-9']{4,}", plain(text))
    return frozenset(word[:4] for word in words if word not in _COMMON)


def other_words(line: LedgerLine, ledger: Ledger) -> frozenset[str]:
    """Stems of what the other lines say that the request needs."""
    return frozenset(
        stem
        for other in ledger.lines
        if other is not line and other.required and other.kind != "shift"
        for stem in stems(other.text)
    )


def was_remarked(remark: Remark, told: str) -> bool:
    """Whether a remark was made, word for word or in most of its words."""
    heard = plain(told)
    if plain(remark.spoken) in heard or plain(remark.text) in heard:
        return True
    own = stems(remark.text)
    return len(own) > 2 and any(
        len(own & stems(sentence)) >= 0.7 * len(own)
        for sentence in re.split(r"[.?!]\s|\n", told)
        if len(sentence) <= 3 * len(remark.text) + 40
    )


def was_told_wrong(line: LedgerLine, told: str) -> bool:
    return any(mentions(told, wrong) for wrong in wrong_values(line))


def wrong_values(line: LedgerLine) -> list[Any]:
    """What is wrong in the line's first version."""
    return [
        value
        for name, value in line.wrong_tells.items()
        if line.tells.get(name) != value
    ]

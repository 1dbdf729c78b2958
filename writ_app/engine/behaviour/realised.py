"""What came out of a behaviour: one cheap verifier per dimension, each from texts alone.

A verifier gives the value that the conversation shows, whatever was asked for. Where a conversation shows nothing of a dimension (too
short to tell, no room for it) it gives the plain value.
"""

import re
from collections.abc import Callable, Sequence
from functools import cached_property

from writ_app.engine.behaviour.dimensions import DIMENSIONS
from writ_app.engine.behaviour.hearing import Hearing, shift_was_said
from writ_app.engine.behaviour.reading import (
    STOP_TOKENS,
    mentions,
    other_words,
    plain,
    was_remarked,
    was_said,
    was_told,
    was_told_wrong,
)
from writ_app.engine.behaviour.style import ARTICLES, rejoined
from writ_app.engine.types import Ledger, LedgerLine

MINIMAL = 18
RAMBLING = 32
"""Mean words per message: at most so many are minimal, from so many on it is rambling."""


def realised(ledger: Ledger, hearing: Hearing) -> dict[str, str]:
    """Dimension → value as it came out, of the dimensions that the ledger sets (of all, if it sets none)."""
    talk = _Talk(ledger, hearing)
    wanted = ledger.behaviour or DIMENSIONS
    return {slug: VERIFIERS[slug](talk) for slug in wanted if slug in VERIFIERS}


class _Talk:
    """The user's messages with what all verifiers want to know of them."""

    def __init__(self, ledger: Ledger, hearing: Hearing):
        self.ledger = ledger
        self.hearing = hearing
        self.said = [_without_tokens(text) for text in hearing.said]
        self.told = "\n".join(self.said)
        self._turns: dict[str, int | None] = {}
        self.beside = _without_lines(self.told, ledger)
        """What was said beside the ledger's own words: that is where manners show."""

    @cached_property
    def lowered(self) -> str:
        """What was said, in lower case: much quicker to search than to ignore the case."""
        return self.told.lower()

    @cached_property
    def lines_as_told(self) -> str:
        """Of the ledger's lines those that were told, in the user's own manner."""
        lines = [x for x in self.ledger.lines if self.turn(x) is not None]
        return " ".join(x.spoken for x in lines if x.kind != "shift")

    def turn(self, line: LedgerLine) -> int | None:
        """Number of the message that told the line first, right or wrong."""
        if line.name not in self._turns:
            self._turns[line.name] = next(
                (n for n, text in enumerate(self.said) if self._tells(line, text)), None
            )
        return self._turns[line.name]

    def _tells(self, line: LedgerLine, text: str) -> bool:
        if line.wrong_tells and was_told_wrong(line, text):
            return True
        if was_said(line, text):
            return True
        if line.kind != "request" or self._in_own_words:
            return False
        return was_told(line, text, other_words(line, self.ledger))

    @cached_property
    def _in_own_words(self) -> bool:
        """Whether all lines were said as the ledger has them: then nothing has to be looked for in other words."""
        told = plain(self.told)
        return all(
            plain(line.spoken) in told for line in self.ledger.lines if line.required
        )

    def lines(self, *kinds: str) -> list[LedgerLine]:
        return [line for line in self.ledger.lines if line.kind in kinds]

    @cached_property
    def wish(self) -> list[LedgerLine]:
        """The request as it was before a shift changed a part of it; if the shift replaces it, what replaces it."""
        lines = self.lines("request")
        begun = any(line.phase == "both" for line in lines)
        return [
            line for line in lines if line.phase != ("second" if begun else "first")
        ]

    def place(self, line: LedgerLine) -> tuple[int, int]:
        """(message, place in it) where the line was told, for comparing orders."""
        turn = self.turn(line)
        if turn is None:
            return len(self.said), 0
        heard = plain(self.said[turn])
        at = heard.find(plain(line.spoken_wrong or line.spoken))
        if at < 0:
            places = [heard.find(plain(value)) for value in line.tells.values()]
            at = max(places, default=0)
        return turn, at

    def remarked(self, dimension: str) -> bool:
        """Whether a remark of the ledger that belongs to a dimension was made."""
        return any(
            was_remarked(remark, text)
            for remark in self.ledger.remarks
            if remark.dimension == dimension
            for text in self.said
        )

    def asked(self, dimension: str) -> str:
        return self.ledger.behaviour.get(dimension, "")


def _without_lines(told: str, ledger: Ledger) -> str:
    for line in ledger.lines:
        for text in (line.spoken, line.spoken_wrong):
            if text:
                told = told.replace(text, " ")
    return told


def _without_tokens(text: str) -> str:
    for token in STOP_TOKENS:
        text = text.replace(token, "")
    return text.strip()


# --- how the request is revealed -----------------------------------------------------------------------------------------------


def _disclosure(talk: _Talk) -> str:
    lines = [
        line
        for line in talk.lines("request")
        if line.phase != "second"
        and line.release in ("opening", "next_turn", "asked", "after_agent_repeats")
        and (not line.part or talk.asked("packaging") in ("", "at_once"))
        and not (
            line.release == "asked"
            and talk.asked("reference") == "vague"
            and talk.asked("disclosure") != "asked"
        )
    ]
    who = [
        line
        for line in talk.lines("identity")
        if line.release in ("opening", "asked", "after_agent_repeats")
    ]
    turns = [talk.turn(line) for line in (*lines, *who)]
    if all(turn == 0 for turn in turns):
        goals = [talk.place(x) for x in lines if x.role == "goal"]
        details = [talk.place(x) for x in lines if x.role != "goal"]
        backwards = goals and details and min(goals) > max(details)
        return "reversed" if backwards else "upfront"
    later = [line for line in lines if (talk.turn(line) or 0) > 0]
    if any(_volunteered(line, later, talk) for line in later):
        return "incremental"
    return "asked"


def _volunteered(line: LedgerLine, later: Sequence[LedgerLine], talk: _Talk) -> bool:
    """Told though the agent's last message asked for something else, or for nothing."""
    turn = talk.turn(line)
    assert turn is not None
    heard = talk.hearing.heard[: talk.hearing.heard_before[turn]]
    last = heard[-1] if heard else None
    alone = not any(talk.turn(x) == turn for x in talk.lines("identity"))
    return last is None or not last.asks or last.waits_for_yes or not alone


def _correction(talk: _Talk) -> str:
    for line in talk.lines("identity", "request"):
        same = bool(line.wrong_tells) and line.wrong_tells.keys() == line.tells.keys()
        if same and any(was_told_wrong(line, text) for text in talk.said):
            return "wrong_id" if line.kind == "identity" else "wrong_detail"
    return "none"


def _cooperation(talk: _Talk) -> str:
    if talk.remarked("cooperation"):
        return talk.asked("cooperation")
    if _WHY.search(talk.lowered):
        return "reluctant"
    return "cooperative"


_WHY = re.compile(
    r"\b(?:why do you need|what do you need (?:it|that) for|why is that (?:needed|necessary)|is that really necessary)\b",
)


def _reference(talk: _Talk) -> str:
    """Only what the ledger can show: an "it" after the noun, a description in place of a number, "a few" before the number."""
    match talk.asked("reference"):
        case "pronoun":
            return "pronoun" if _PRONOUN.search(talk.told) else "explicit"
        case "description":
            return "description" if _DESCRIPTION.search(talk.told) else "explicit"
        case "vague":
            vague = [n for n, text in enumerate(talk.said) if _VAGUE.search(text)]
            exact = [
                turn
                for line in talk.lines("request")
                if f"{line.name}~vague" in {x.name for x in talk.ledger.lines}
                and (turn := talk.turn(line)) is not None
                and was_said(line, talk.said[turn])
            ]
            return "vague" if vague and exact and vague[0] < min(exact) else "explicit"
    return "explicit"


_PRONOUN = re.compile(r"\b(?:it|that one|this one|that order)\b", re.IGNORECASE)
_DESCRIPTION = re.compile(
    r"\bmy (?:only )?(?:visa|mastercard|american express|amex|discover)\b",
    re.IGNORECASE,
)
_VAGUE = re.compile(r"\b(?:a few|several|some|a couple)\b", re.IGNORECASE)


def _goal_shift(talk: _Talk) -> str:
    kind = talk.ledger.first.kind if talk.ledger.first else ""
    if kind not in ("add", "replace", "drop", "threshold"):
        return "none"
    if talk.asked("confirmation") == "changes_mind" or not _shifted(talk):
        return "none"
    return kind


def _shifted(talk: _Talk) -> bool:
    line = talk.hearing.shift_line
    return line is not None and shift_was_said(line, talk.ledger, talk.said)


def _distractor(talk: _Talk) -> str:
    return talk.asked("distractor") if talk.remarked("distractor") else "none"


def _constraint_order(talk: _Talk) -> str:
    # What a shift changes has its role at the words that it ends with.
    role = {x.name: x.role for x in talk.lines("request")}
    told_as = [(role.get(x.name.removesuffix("~first"), x.role), x) for x in talk.wish]
    hard = [line for kind, line in told_as if kind == "hard"]
    soft = [line for kind, line in told_as if kind == "soft"]
    if not hard or not soft:
        return "natural"
    turns = [talk.turn(x) or 0 for x in (*hard, *soft)]
    latest = max(turns)
    one_late = [talk.turn(x) for x in hard].count(latest) == turns.count(latest) == 1
    expected = talk.asked("constraint_order") == "hard_late"
    if latest and one_late and (expected or talk.asked("disclosure") == "upfront"):
        return "hard_late"
    firm, wished = [talk.place(x) for x in hard], [talk.place(x) for x in soft]
    if talk.asked("constraint_order") == "natural":
        return "natural"
    if max(firm) < min(wished):
        return "hard_first"
    return "soft_first" if max(wished) < min(firm) else "natural"


def _identity(talk: _Talk) -> str:
    lines = talk.lines("identity")
    for line in lines:
        other = "email" in line.wrong_tells and "email" not in line.tells
        if other and any(was_told_wrong(line, text) for text in talk.said):
            return "wrong_email"
    for line in lines:
        if talk.turn(line) is not None:
            kinds = {"email": "email", "first_name": "name_zip", "user_id": "user_id"}
            return kinds.get(line.name, line.name)
    return "none"


def _confirmation(talk: _Talk) -> str:
    if talk.ledger.first and talk.asked("confirmation") == "changes_mind":
        return "changes_mind" if _shifted(talk) else "plain"
    if talk.remarked("confirmation"):
        return talk.asked("confirmation")
    if _RECAP.search(talk.lowered):
        return "recap"
    return "plain"


_RECAP = re.compile(
    r"\b(?:sum (?:it |that |everything )?up|recap|summari[sz]e|summary)\b",
)


def _packaging(talk: _Talk) -> str:
    first: dict[int, int] = {}
    for line in talk.wish:
        turn = talk.turn(line)
        if turn is not None and (line.tells or line.role == "goal"):
            first[line.part] = min(turn, first.get(line.part, turn))
    if len(first) < 2 or len(set(first.values())) == 1:
        return "at_once"
    later = max(first.values())
    heard = talk.hearing.heard[: talk.hearing.heard_before[later]]
    return "hidden_second" if heard and heard[-1].is_done else "one_by_one"


def _policy_pressure(talk: _Talk) -> str:
    if talk.ledger.first and talk.ledger.first.kind == "forbidden":
        told = any(
            talk.turn(x) is not None for x in talk.ledger.lines if x.phase == "first"
        )
        return "forbidden_first" if told and _shifted(talk) else "none"
    return "appeals" if talk.remarked("policy_pressure") else "none"


# --- who speaks ----------------------------------------------------------------------------------------------------------------


def _verbosity(talk: _Talk) -> str:
    words = mean_words(talk.said)
    if words <= MINIMAL:
        return (
            "minimal"
            if talk.asked("verbosity") == "minimal" or words < 5
            else "standard"
        )
    return "rambling" if words >= RAMBLING and _pads(talk) else "standard"


def mean_words(said: Sequence[str]) -> float:
    """Mean words per message; what was spelled out counts as one."""
    return sum(len(rejoined(text).split()) for text in said) / (len(said) or 1)


def _pads(talk: _Talk) -> bool:
    """Whether the words are more than what had to be said."""
    needed = sum(
        len(line.text.split())
        for line in talk.lines("identity", "request", "shift")
        if talk.turn(line) is not None
    )
    spoken = sum(len(rejoined(text).split()) for text in talk.said)
    return spoken >= 2 * needed


def _tone(talk: _Talk) -> str:
    told = talk.lowered
    if _ANGRY.search(told):
        return "angry"
    if _ANXIOUS.search(told):
        return "anxious"
    courteous = len(_POLITE.findall(talk.beside.lower()))
    if courteous >= max(2, len(talk.said)):
        return "polite"
    if not courteous and not _GREETING.search(told):
        return "curt"
    return "neutral"


_ANGRY = re.compile(
    r"\b(?:annoy(?:ed|ing)|fed up|ridiculous|unacceptable|angry|furious|outrageous|had enough|a joke|sick of|not amused|frustrat(?:ed|ing)|"
    r"nerves|disgrace)\b",
)
_ANXIOUS = re.compile(
    r"\b(?:worried|worry|nervous|afraid|anxious|scared|hope nothing|i hope this|can't sleep|uneasy|fingers crossed|nothing goes wrong)\b",
)
_POLITE = re.compile(
    r"\b(?:please|pls|thank|thanks|thx|appreciate|grateful|kind(?:ly)?|sorry to|gracias|por favor|so much|very good of you|much obliged)\b",
)
_GREETING = re.compile(
    r"\b(?:hi|hello|hey|hola|good (?:morning|afternoon|day|evening)|dear)\b",
)


def _impatience(talk: _Talk) -> str:
    return talk.asked("impatience") if talk.remarked("impatience") else "none"


def _language(talk: _Talk) -> str:
    if _SPANISH.search(talk.lowered):
        return "code_mix"
    if _is_transcript(talk):
        return "native"
    if _TEXTING.search(talk.told):
        return "informal"
    starts = [text[0] for text in talk.said if text[:1].isalpha()]
    lower = sum(letter.islower() for letter in starts)
    if starts and lower >= 0.6 * len(starts):
        return "informal"
    expected = " ".join(
        line.text
        for line in talk.lines("request", "identity")
        if talk.turn(line) is not None
    )
    articles = len(ARTICLES.findall(expected))
    verbatim = len(talk.beside) < 0.8 * len(talk.told)
    text = talk.lines_as_told if verbatim else talk.told
    if articles and len(ARTICLES.findall(text)) <= 0.65 * articles:
        return "learner"
    return "native"


_TEXTING = re.compile(r"\b(?:gonna|wanna|pls|thx|cuz|im|dont|isnt)\b|\bi\b(?! [A-Z])")
_SPANISH = re.compile(
    r"\b(?:por favor|gracias|hola|también|porque|pero|ahora|bueno|adiós)\b|, y ",
)


def _channel(talk: _Talk) -> str:
    letters = sum(bool(_SALUTATION.search(text)) and "\n" in text for text in talk.said)
    if talk.said and letters >= 0.6 * len(talk.said):
        return "email"
    return "voice" if _is_transcript(talk) else "chat"


_SALUTATION = re.compile(
    r"\A\s*(?:dear|hello|hi|good (?:morning|afternoon|day)|to whom)\b[^\n]{0,60},?\n",
    re.IGNORECASE,
)


def _is_transcript(talk: _Talk) -> bool:
    """No capitals and no punctuation at all."""
    letters = [text for text in talk.said if text]
    plain_ones = sum(
        not re.search(r"[A-Z][a-z]|[.,;:!?](?:\s|$)", text) for text in letters
    )
    return bool(letters) and plain_ones == len(letters) and len(talk.told.split()) > 5


def _literacy(talk: _Talk) -> str:
    if talk.remarked("literacy"):
        return talk.asked("literacy")
    return "wants_comparison" if _COMPARES.search(talk.lowered) else "accepts_ids"


_COMPARES = re.compile(
    r"\b(?:next best|alternatives|other options|runner-up|how does (?:it|that) compare)\b",
)

VERIFIERS: dict[str, Callable[[_Talk], str]] = {
    "disclosure": _disclosure,
    "correction": _correction,
    "cooperation": _cooperation,
    "verbosity": _verbosity,
    "tone": _tone,
    "reference": _reference,
    "goal_shift": _goal_shift,
    "distractor": _distractor,
    "impatience": _impatience,
    "language": _language,
    "channel": _channel,
    "constraint_order": _constraint_order,
    "identity": _identity,
    "confirmation": _confirmation,
    "packaging": _packaging,
    "policy_pressure": _policy_pressure,
    "literacy": _literacy,
}
"""Dimension → what the conversation shows of it."""


# --- one message ---------------------------------------------------------------------------------------------------------------


def sounds_wrong(ledger: Ledger, hearing: Hearing, text: str) -> str:
    """What is out of bounds in how one message sounds, for a person; "" if nothing is."""
    words = len(rejoined(_without_tokens(text)).split())
    verbosity = ledger.behaviour.get("verbosity", "")
    pinned = [line.spoken for line in ledger.lines]
    pinned += [remark.spoken for remark in ledger.remarks]
    needed = sum(len(said.split()) for said in pinned if mentions(text, said))
    most = {"minimal": 30, "standard": 150, "rambling": 350}.get(verbosity, 400)
    if words > most + needed:
        return f"{words} words are too many for a {verbosity or 'usual'} message."
    voice = ledger.behaviour.get("channel") == "voice"
    if voice and re.search(r"[.!?;](?:\s|$)", _without_tokens(text)):
        return "A transcript of speech has no punctuation."
    return ""

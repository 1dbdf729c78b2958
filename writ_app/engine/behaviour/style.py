"""Manners of speaking as transformations of sentences: fewer words, slips, everyday words, transcripts of speech.

They touch only what is not a fact: values that the sentence tells, and whatever looks like a number or code, come out as they went in,
or, in a transcript, spelled in a way that `rejoined` takes back.
"""

import random
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from writ_app.engine.behaviour.dimensions import Behaviour


def styled(
    text: str, behaviour: Behaviour, rng: random.Random, facts: Iterable[Any] = ()
) -> str:
    """A sentence the way this user says it. `facts` are values in it that must stay as they are."""
    if not text:
        return text
    keep = _protected(facts)
    if behaviour.get("verbosity") == "minimal":
        text = _shortened(text)
    if behaviour.get("tone") == "curt":
        text = _curt(text)
    change = _LANGUAGES.get(behaviour.get("language", ""))
    if change is not None:
        text = _around(keep, text, lambda piece: change(piece, rng))
    if behaviour.get("channel") == "voice":
        text = _transcript(text)
    return text


# --- keeping facts as they are -------------------------------------------------------------------------------------------------

_CODE = r"\S*[\d@#_$]\S*"


def _protected(facts: Iterable[Any]) -> re.Pattern[str]:
    values = sorted({str(fact) for fact in facts if fact}, key=len, reverse=True)
    named = [rf"(?<!\w){re.escape(value)}(?!\w)" for value in values if len(value) > 1]
    return re.compile(f"({'|'.join([*named, _CODE])})", re.IGNORECASE)


def _around(keep: re.Pattern[str], text: str, change: Callable[[str], str]) -> str:
    """`change` applied between what is kept."""
    pieces = keep.split(text)
    return "".join(piece if n % 2 else change(piece) for n, piece in enumerate(pieces))


# --- few words -----------------------------------------------------------------------------------------------------------------

_LEAD_IN = re.compile(
    r"^(?:(?:could|can|would|will) you (?:please |help me (?:to )?)?|i(?:'d| would) like (?:you )?to (?:have )?|i(?:'d| would) like |"
    r"i want (?:you )?to |i need (?:you )?to |i just want to |please |i want |i need |my wish is to |what i want is )",
    re.IGNORECASE,
)
_PLEASE = re.compile(r",? ?\bplease\b,?", re.IGNORECASE)


def _shortened(text: str) -> str:
    """Without the words that only lead up to the matter."""
    short = _PLEASE.sub("", _LEAD_IN.sub("", text)).strip(" ,")
    if short.endswith("?") and not text.lower().startswith(
        ("what", "how", "which", "why")
    ):
        short = f"{short[:-1]}."
    return _capital(short) if len(short) > 3 else text


def _curt(text: str) -> str:
    return _capital(_PLEASE.sub("", text).strip(" ,")) or text


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


# --- how one writes ------------------------------------------------------------------------------------------------------------


def _swap(piece: str, words: Iterable[tuple[str, str]]) -> str:
    for old, new in words:
        piece = re.sub(rf"\b{old}\b", new, piece, flags=re.IGNORECASE)
    return piece


_CASUAL = (
    ("going to", "gonna"),
    ("want to", "wanna"),
    ("because", "cuz"),
    ("please", "pls"),
    ("thank you", "thx"),
    ("thanks", "thx"),
    ("I am", "im"),
    ("I'm", "im"),
    ("I'd like to", "i wanna"),
    ("don't", "dont"),
    ("isn't", "isnt"),
    ("it's", "its"),
    ("that's", "thats"),
    ("you", "u"),
)
_MIXED = (
    ("please", "por favor"),
    ("thank you", "gracias"),
    ("thanks", "gracias"),
    ("hello", "hola"),
    ("hi", "hola"),
    ("and", "y"),
    ("also", "también"),
    ("but", "pero"),
    ("because", "porque"),
    ("now", "ahora"),
    ("well", "bueno"),
    ("goodbye", "adiós"),
    ("bye", "adiós"),
)
_SLIPS = (
    ("doesn't", "don't"),
    ("isn't", "is not"),
    ("there is", "it has"),
    ("there are", "it has"),
    ("has to", "have to"),
    ("was placed", "was place"),
    ("would like", "like"),
    ("I'd like", "I like"),
    ("I have been", "I am"),
)
ARTICLES = re.compile(r"\b(?:the|an?) (?=[a-z]|$)", re.IGNORECASE)


def _informal(piece: str, rng: random.Random) -> str:
    piece = _swap(piece, _CASUAL)
    piece = re.sub(r"\bI\b", "i", piece)
    return re.sub(r"(^|[.!?] )([A-Z])(?=[a-z])", lambda m: m[1] + m[2].lower(), piece)


def _learner(piece: str, rng: random.Random) -> str:
    piece = _swap(piece, _SLIPS)
    return ARTICLES.sub(lambda m: "" if rng.random() < 0.65 else m[0], piece)


def _code_mix(piece: str, rng: random.Random) -> str:
    return _swap(piece, _MIXED)


_LANGUAGES: dict[str, Callable[[str, random.Random], str]] = {
    "informal": _informal,
    "learner": _learner,
    "code_mix": _code_mix,
}


# --- speech --------------------------------------------------------------------------------------------------------------------

_DIGITS = dict(
    zip(
        "0123456789",
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
        ],
        strict=True,
    )
)
_SYMBOLS = {".": "dot", "@": "at", "_": "underscore", "-": "dash", "#": "hash"}
_BACK = {word: sign for sign, word in {**_DIGITS, **_SYMBOLS}.items()}
_SPELLED = re.compile(
    # Bounded, so that no text however long and odd makes the search crawl.
    r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"  # emails
    r"|#?\b(?=[\w-]{0,30}\d)(?=[\w-]{0,30}[a-z_-])[\w]{3,40}(?:-\w{1,40}){0,4}\b"  # codes and dates
    r"|\b\d{4,20}\b",  # long numbers
    re.IGNORECASE,
)


def spelled(value: str) -> str:
    """An email, code or number as it is read out: "soren dot g at example dot net", "hash w one two"."""
    words: list[str] = []
    email = "@" in value
    for piece in re.findall(r"[A-Za-z]+|.", value):
        if piece.isalpha():
            words += [piece.lower()] if email or len(piece) > 3 else list(piece.lower())
        else:
            words.append(_DIGITS.get(piece) or _SYMBOLS.get(piece) or piece)
    return " ".join(words)


def _read_out(match: re.Match[str]) -> str:
    value = match[0]
    words = spelled(value)
    return words if rejoined(words) == value.lower() else value


def _transcript(text: str) -> str:
    """No capitals but those of abbreviations, no punctuation, codes spelled."""
    text = _SPELLED.sub(_read_out, text)
    text = re.sub(r"[,;:.!?…—–()\"]+(?=\s|$)|(?<=\s)[(\"—–]+", "", text)
    words = (
        word if _ACRONYM.fullmatch(word) else word.lower() for word in text.split()
    )
    return " ".join(words)


_ACRONYM = re.compile(r"[A-Z]{2,4}")
_ONE = rf"(?:{'|'.join(_DIGITS.values())}|[a-z0-9])"
_SPOKEN = re.compile(
    rf"\b(?:dot|underscore|dash|hash)\b|\b{_ONE} {_ONE} {_ONE}\b"
)  # of text in lower case, which is much quicker than to ignore the case
"""A sign of something that was spelled out: most texts have none, and are left alone."""


@lru_cache(maxsize=4096)
def rejoined(text: str) -> str:
    """The text in lower case with what was spelled out put together again."""
    text = text.lower()
    if not _SPOKEN.search(text):
        return text
    words = text.split()
    glued = _glue_emails(words)
    out: list[str] = []
    join = False
    for n, word in enumerate(glued):
        sign = _BACK.get(word, word) if word != "at" else word
        following = glued[n + 1] if n + 1 < len(glued) else ""
        last = n + 2 >= len(glued) or not _atom(glued[n + 2])
        if following in ("i", "a", "u", "r") and last:
            following = (
                ""  # a word of its own ("i", "u"), and no letter of the code before it
            )
        if join and out:
            out[-1] += sign
        else:
            out.append(sign)
        join = (
            (_atom(word) and _atom(following) and _in_run(glued, n))
            or (_is_joint(glued, n) and bool(following))
            or (following in _JOINTS - {"hash"} and _is_joint(glued, n + 1))
        )
    return " ".join(out)


def with_rejoined(text: str) -> str:
    """The text, and below it the same with what was spelled out put together, if anything was."""
    joined = rejoined(text)
    return text if joined == text.lower() else f"{text}\n{joined}"


def runs_on(before: str, after: str) -> bool:
    """Whether a code at the end of one text would take the beginning of the next for its own: "… three one", "one way …"."""
    last, first = before.split()[-1:], after.split()[:1]
    return bool(last and first) and _atom(last[0]) and _atom(first[0].lower())


_JOINTS = frozenset({"dot", "underscore", "dash", "hash"})


def _is_joint(words: list[str], place: int) -> bool:
    """A dash camera is no code: "dash" joins only letters and digits that are spelled."""
    if words[place] != "dash":
        return words[place] in _JOINTS
    return any(
        _atom(word)
        for word in (*words[place - 1 : place], *words[place + 1 : place + 2])
    )


def _atom(word: str) -> bool:
    return (word in _BACK and word not in _JOINTS and word != "at") or (
        len(word) == 1 and word.isalnum()
    )


def _in_run(words: list[str], place: int) -> bool:
    """Whether at least three digits or letters stand together here, one of them a digit."""
    start = place
    while start > 0 and place - start < 40 and _atom(words[start - 1]):
        start -= 1
    run = []
    for word in words[start : start + 80]:
        if not _atom(word):
            break
        run.append(word)
    joined = start > 0 and words[start - 1] in _JOINTS
    return (len(run) >= 3 or joined) and any(
        word in _BACK or word.isdigit() for word in run
    )


def _glue_emails(words: list[str]) -> list[str]:
    """ "mia one two at example dot net" as one word, wherever a word, `at`, and words joined by `dot` follow each other."""
    out: list[str] = []
    n = 0
    while n < len(words):
        if (
            words[n] == "at"
            and n + 3 < len(words) + 1
            and words[n + 2 : n + 3] == ["dot"]
            and out
        ):
            local = _take_local(out)
            host = words[n + 1]
            n += 2
            while n + 1 < len(words) and words[n] == "dot":
                host += f".{words[n + 1]}"
                n += 2
            out.append(f"{local}@{host}")
        else:
            out.append(words[n])
            n += 1
    return out


def _take_local(out: list[str]) -> str:
    """The end of what was said so far that can be the part before the @."""
    taken: list[str] = []
    while out:
        while out and (out[-1] in _BACK and out[-1] != "at"):
            taken.append(_BACK[out.pop()])
        if out:
            taken.append(out.pop())
        if not out or out[-1] not in _JOINTS - {"hash"}:
            break
    return "".join(reversed(taken))

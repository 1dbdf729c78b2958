"""Words of requests: patterns with alternatives and slots, spoken with a seed and parsed back.

A pattern is text with `[a|b]` alternatives (which may nest) and `{slot}` places. Speaking draws one way through it; parsing turns it
into a regular expression and gives the slots' values. A text is understood only if exactly one archetype's clauses account for all
of it, each clause at most once; or several that state the same query and end otherwise (see `apart_from_sisters`). A slot is taken to
end with its sentence: words that break this rule are not understood, hence refused.
"""

import itertools
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from environments.core.domain import Archetype, Clause, Facts
from environments.core.query import Query

BEGINNING = 24
"""Letters of a clause that are compared before its expression is made: most clauses begin in another way."""

type Lexicon = Mapping[str, Mapping[Any, tuple[str, ...]]]

_TOKENS = re.compile(r"\[|\]|\||\{\w+\}|[^\[\]|{}]+")


@dataclass(frozen=True)
class Said:
    """One clause in words. `tells` are the slots, that is: the facts, in it."""

    name: str
    text: str
    tells: tuple[str, ...]
    opens: bool


@dataclass(frozen=True)
class Understood:
    """A parse: which archetype, which of its clauses, which values."""

    archetype: str
    clauses: tuple[str, ...]
    facts: dict[str, Any]


def say(
    clause: Clause, facts: Mapping[str, Any], lexicon: Lexicon, rng: random.Random
) -> Said:
    """One way to say the clause. Raises KeyError if a slot's fact is missing."""
    pattern = rng.choice(clause.patterns)
    tells: list[str] = []
    text = _speak(_parse_pattern(pattern), facts, lexicon, rng, tells)
    return Said(clause.name, text[0].upper() + text[1:], tuple(tells), clause.opens)


def understand(
    text: str, archetypes: Sequence[Archetype], lexicon: Lexicon
) -> list[Understood]:
    """Every way to account for the whole text; one is what a clear request has."""
    found = []
    for archetype in archetypes:
        for clauses, facts in _cover(text, 0, archetype.clauses, lexicon):
            understood = Understood(archetype.slug, tuple(sorted(clauses)), facts)
            if understood not in found:
                found.append(understood)
    return found


def apart_from_sisters(
    found: Sequence[Understood],
    archetype: Archetype,
    query: Query,
    who: Facts,
    archetypes: Sequence[Archetype],
) -> list[Understood]:
    """Ways to understand words of this archetype, without those of its sisters.

    A sister states the same query for the same words and ends otherwise, as what the policy allows and what it refuses do: both are
    understood, and the state decides, on which the query has one answer. `who` are the facts that say who the user is.
    """
    endings = {one.slug: one.task_class.ending for one in archetypes}
    queries = {one.slug: one.query for one in archetypes}

    def is_sister(way: Understood) -> bool:
        if endings[way.archetype] == archetype.task_class.ending:
            return False
        try:
            theirs = queries[way.archetype]({**who, **way.facts})
        except (KeyError, TypeError, ValueError):
            return False  # they ask for something that these words do not tell
        return theirs.content_hash == query.content_hash

    return [way for way in found if not is_sister(way)]


def segments(text: str, joints: Sequence[Clause]) -> list[tuple[str, str]]:
    """The pieces between sentences that only join: (name of the joint before it, "" for the first; text)."""
    expressions = [
        (joint.name, _regex(pattern, ()))
        for joint in joints
        for pattern in joint.patterns
    ]
    found, name, start, at = [], "", 0, 0
    while at < len(text):
        match = next(
            ((n, m) for n, e in expressions if (m := e.match(text, at)) is not None),
            None,
        )
        if match is None:
            at = _next_sentence(text, at)
            continue
        found.append((name, text[start:at].strip()))
        name, start = match[0], match[1].end()
        at = start
    return [*found, (name, text[start:].strip())]


def _next_sentence(text: str, at: int) -> int:
    places = [text.find(end, at) for end in (". ", "? ", "! ")]
    return min((place + 2 for place in places if place >= 0), default=len(text))


@cache
def slots_of(pattern: str) -> tuple[str, ...]:
    """Names of the slots in a pattern, in order, each once."""
    return tuple(dict.fromkeys(re.findall(r"\{(\w+)\}", pattern)))


def _cover(
    text: str, start: int, clauses: Sequence[Clause], lexicon: Lexicon
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    if start >= len(text):
        yield (), {}
        return
    lowered = text[start : start + BEGINNING].lower()
    for clause in clauses:
        rest = [other for other in clauses if other is not clause]
        for pattern in clause.patterns:
            if not lowered.startswith(_beginnings(pattern)):
                continue
            match = _regex(pattern, _words(pattern, lexicon)).match(text, start)
            if match is None:
                continue
            facts = {
                group.rpartition("__")[0]: _value(
                    group.rpartition("__")[0], said, lexicon
                )
                for group, said in match.groupdict().items()
                if said is not None
            }
            for names, more in _cover(text, match.end(), rest, lexicon):
                if all(more.get(name, value) == value for name, value in facts.items()):
                    yield (clause.name, *names), {**facts, **more}


def _value(slot: str, said: str, lexicon: Lexicon) -> Any:
    for value, ways in lexicon.get(slot, {}).items():
        if said.lower() in (way.lower() for way in ways):
            return value
    return said


def _words(pattern: str, lexicon: Lexicon) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Ways to say what the pattern's slots may hold; slots of other patterns would only make it slow to look up."""
    kept = _KEPT_WORDS.get((pattern, id(lexicon)))
    if kept is None or kept[0] is not lexicon:
        words = tuple(
            (slot, tuple(way for ways in lexicon[slot].values() for way in ways))
            for slot in slots_of(pattern)
            if slot in lexicon
        )
        kept = _KEPT_WORDS[pattern, id(lexicon)] = lexicon, words
    return kept[1]


_KEPT_WORDS: dict[
    tuple[str, int], tuple[Lexicon, tuple[tuple[str, tuple[str, ...]], ...]]
] = {}
"""(pattern, id of a lexicon) → the lexicon, which so stays there, and the words: a world's lexicon is long and never changes."""


# A pattern's tree: a list of parts; a part is plain text, ("slot", name) or a list of alternative trees.


@cache
def _parse_pattern(pattern: str) -> tuple[Any, ...]:
    tokens = _TOKENS.findall(pattern)
    tree, rest = _sequence(tokens)
    if rest:
        raise ValueError(f"Unbalanced brackets in pattern: {pattern}")
    return tree


def _sequence(tokens: list[str]) -> tuple[tuple[Any, ...], list[str]]:
    parts: list[Any] = []
    while tokens and tokens[0] not in ("]", "|"):
        token, *tokens = tokens
        if token == "[":
            options = []
            while True:
                option, tokens = _sequence(tokens)
                options.append(option)
                if not tokens:
                    raise ValueError("A bracket is not closed.")
                closing, *tokens = tokens
                if closing == "]":
                    break
            parts.append(options)
        elif token.startswith("{"):
            parts.append(("slot", token[1:-1]))
        else:
            parts.append(token)
    return tuple(parts), tokens


@cache
def _beginnings(pattern: str) -> tuple[str, ...]:
    """Ways in which its words begin, in lower case: up to a slot, or `BEGINNING` letters."""
    return tuple({text.lower() for text, _ in _begin(_parse_pattern(pattern))})


def _begin(tree: tuple[Any, ...]) -> set[tuple[str, bool]]:
    """(words, whether they may go on) of every way into the tree."""
    found = {("", True)}
    for part in tree:
        if isinstance(part, str):
            more = {(part, True)}
        elif isinstance(part, tuple):
            more = {("", False)}
        else:
            more = set().union(*map(_begin, part))
        found = {
            longer
            for text, goes_on in found
            for longer in (
                [_cut(text + added, still) for added, still in more]
                if goes_on
                else [(text, False)]
            )
        }
        if not any(goes_on for _, goes_on in found):
            break
    return found


def _cut(text: str, goes_on: bool) -> tuple[str, bool]:
    return text[:BEGINNING], goes_on and len(text) < BEGINNING


def _speak(
    tree: tuple[Any, ...],
    facts: Mapping[str, Any],
    lexicon: Lexicon,
    rng: random.Random,
    tells: list[str],
) -> str:
    """Words of one way through the tree; the slots on it are added to `tells`."""
    words = []
    for part in tree:
        if isinstance(part, str):
            words.append(part)
        elif isinstance(part, tuple):
            slot = part[1]
            value = facts[slot]
            tells.append(slot)
            words.append(
                rng.choice(lexicon[slot][value]) if slot in lexicon else str(value)
            )
        else:
            words.append(_speak(rng.choice(part), facts, lexicon, rng, tells))
    return "".join(words)


@cache
def _regex(
    pattern: str, words: tuple[tuple[str, tuple[str, ...]], ...]
) -> re.Pattern[str]:
    """A match begins at a clause's first letter and eats the blank after its last."""
    expression = _expression(_parse_pattern(pattern), dict(words), itertools.count())
    return re.compile(expression + r"(?:\s+|$)", re.IGNORECASE)


def _expression(
    tree: tuple[Any, ...], words: Mapping[str, tuple[str, ...]], numbers: Iterator[int]
) -> str:
    """Groups are called SLOT__NUMBER: a slot may stand in several alternatives."""
    parts = []
    for part in tree:
        if isinstance(part, str):
            parts.append(re.escape(part))
        elif isinstance(part, tuple):
            slot = part[1]
            ways = words.get(slot)
            inner = _longest_of(ways) if ways else r".+?"
            parts.append(f"(?P<{slot}__{next(numbers)}>{inner})")
        else:
            parts.append(
                "(?:"
                + "|".join(_expression(option, words, numbers) for option in part)
                + ")"
            )
    return "".join(parts)


@cache
def _longest_of(words: tuple[str, ...]) -> str:
    """An expression for the longest of the words that stands there. What many begin with is in it once, which makes it quick to compile."""
    tree: dict[str, Any] = {}
    for word in words:
        node = tree
        for letter in word:
            node = node.setdefault(_plain(letter), {})
        node[""] = {}
    return _branches(tree)


def _plain(letter: str) -> str:
    """Letters that are the same but for their case become one, where that is one letter."""
    lower = letter.lower()
    return lower if len(lower) == 1 else letter


def _branches(node: Mapping[str, Any]) -> str:
    ways = []
    for letter, inner in node.items():
        text = letter
        while len(inner) == 1 and letter:
            (letter, inner) = next(iter(inner.items()))
            text += letter
        ways.append(re.escape(text) + (_branches(inner) if letter else ""))
    if len(ways) == 1:
        return ways[0]
    if "" in node:  # a word ends here, but a longer one goes first
        ways.remove("")
        ways.append("")
    return f"(?:{'|'.join(ways)})"

"""What changed in a sentence, word by word."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

MOST_WORDS = 3_000
"""Longer texts are shown as replaced as a whole: comparing takes the square of this."""
AROUND = 8
"""Words that stay on either side of a change when the rest is left out."""
_WORD = re.compile(r"\s*\S+|\s+$")


@dataclass(frozen=True)
class Segment:
    kind: Literal["same", "del", "ins", "gap"]
    text: str


def word_diff(before: str, after: str) -> tuple[Segment, ...]:
    """Runs of words that stayed, went and came, in order. Their kept and gone texts make up `before`, kept and new ones `after`."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    if max(len(old), len(new)) > MOST_WORDS:
        whole = (Segment("del", before), Segment("ins", after))
        return tuple(one for one in whole if one.text)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return tuple(
        Segment(kind, text)
        for what, a, b, c, d in matcher.get_opcodes()
        for kind, words in _sides(what, old[a:b], new[c:d])
        if (text := "".join(words))
    )


def _sides(
    what: str, old: Sequence[str], new: Sequence[str]
) -> Iterator[tuple[Literal["same", "del", "ins"], Sequence[str]]]:
    if what == "equal":
        yield "same", old
    else:
        yield "del", old
        yield "ins", new


def shortened(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """Only what stands around the changes; what is left out is a gap."""
    found: list[Segment] = []
    for n, one in enumerate(segments):
        words = _WORD.findall(one.text)
        head = AROUND if n else 0
        tail = AROUND if n < len(segments) - 1 else 0
        if one.kind != "same" or len(words) <= head + tail + 4:
            found.append(one)
            continue
        if head:
            found.append(Segment("same", "".join(words[:head])))
        found.append(Segment("gap", " … "))
        if tail:
            found.append(Segment("same", "".join(words[-tail:])))
    return tuple(found)


def distance(before: str, after: str) -> int:
    """Words that went or came, the larger of the two for each place: an edit distance over words."""
    total = went = came = 0
    for one in (*word_diff(before, after), Segment("same", "")):
        if one.kind == "same":
            total += max(went, came)
            went = came = 0
        elif one.kind == "del":
            went = len(one.text.split())
        else:
            came = len(one.text.split())
    return total

"""Searching what was said and asked for: the words of a query, the index's condition for them, and where they show."""

import re
from dataclasses import dataclass

from django.contrib.postgres.search import SearchQuery
from django.db.models import BooleanField, F, Func, Q, Value

CONFIG = "simple"
"""No stemming: ids, addresses and names are found as they are written."""
BEFORE, AFTER = 24, 150
"""Characters shown on the sides of a hit."""
SHOWN_HITS = 6

_OPERATOR = re.compile(r'"|(?:^|\s)-|(?:^|\s)or(?:\s|$)', re.IGNORECASE)


class _Matches(Func):
    """The index's own operator, which takes an expression for the query."""

    arg_joiner = " @@ "
    template = "%(expressions)s"
    output_field = BooleanField()


class _Lexeme(Func):
    """One lexeme as it stands in the index, with all that begins with it."""

    template = "(%(expressions)s)::tsquery"


def search_condition(text: str) -> Q:
    """All words, the last of them also as a beginning; "quoted words" together, -word not, or between two for either."""
    text = text.replace("\0", " ").strip()
    if not text:
        return Q()
    whole = SearchQuery(text, config=CONFIG, search_type="websearch")
    head, last = _last_word(text)
    if not last:
        return Q(_Matches(F("search"), whole))
    # As the parser cuts it (#W12 is w12, a_b two words), or as one piece, which half an e-mail address is in the index.
    quoted = "'" + last.lower().replace("\\", "\\\\").replace("'", "''") + "':*"
    ending = Func(Value(CONFIG), Value(quoted), function="to_tsquery")
    met = Q(_Matches(F("search"), ending)) | Q(
        _Matches(F("search"), _Lexeme(Value(quoted)))
    )
    if head:
        before = SearchQuery(head, config=CONFIG, search_type="websearch")
        met &= Q(_Matches(F("search"), before))
    return met


def _last_word(text: str) -> tuple[str, str]:
    """What comes before the last word, and that word, if somebody may still be typing it; "" for it otherwise."""
    if _OPERATOR.search(text) or not re.search(r"\w$", text):
        return text, ""
    head, _, last = text.rpartition(" ")
    return head.strip(), last


@dataclass(frozen=True)
class Piece:
    text: str
    hit: bool = False


def excerpt(text: str, words: str) -> tuple[Piece, ...]:
    """Some of `words` around the first place where the query's words stand, with its hits told apart; () if there is none."""
    pattern = _pattern(text)
    first = pattern.search(words) if pattern else None
    if pattern is None or first is None:
        return ()
    start, end = max(0, first.start() - BEFORE), first.end() + AFTER
    shown = words[start:end]
    pieces, at = [Piece("…" if start else "")], 0
    for hit in list(pattern.finditer(shown))[:SHOWN_HITS]:
        pieces += [Piece(shown[at : hit.start()]), Piece(hit[0], hit=True)]
        at = hit.end()
    pieces += [Piece(shown[at:]), Piece("…" if end < len(words) else "")]
    return tuple(piece for piece in pieces if piece.text)


def _pattern(text: str) -> re.Pattern[str] | None:
    kept = re.sub(r"(?:^|\s)-\S+", " ", text)
    wanted = [
        word.strip("\"'#.,;:!?()")
        for word in re.findall(r'"[^"]+"|\S+', kept)
        if word.lower() != "or"
    ]
    found = "|".join(re.escape(word) for word in wanted if word)
    return re.compile(rf"(?<!\w)(?:{found})", re.IGNORECASE) if found else None

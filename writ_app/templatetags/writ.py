"""What templates print with. Text made by models goes through `visible` or the JSON tags, which escape every character."""

import html
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import chain, groupby
from typing import Any

from django import template
from django.http import HttpRequest
from django.template import Context
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from writ_app.services.review.evidence import Mark
from writ_app.services.review.listing import Piece
from writ_app.services.review.steps import Ribbon, parse_result
from writ_app.templatetags import json_text

register = template.Library()

THEMES = ("light", "dark")
SHOWN_CAP = 20_000
"""Characters of one message on a page."""

# Controls, zero width, bidirectional overrides and isolates, tags, private use: what a reader cannot see but a trainer reads.
_ODD = re.compile(
    "([\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\ud800-\udfff\ue000-\uf8ff\U000e0000-\U000e0fff])"
)


# Letters that look like those of another script. A word of one script is a word; of two, somebody may be deceived.
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
_LOOKALIKE = re.compile("[\u0370-\u03ff\u0400-\u052f\u0530-\u058f\u13a0-\u13ff]")
_WORD = re.compile(r"(\w+)")


@register.filter
def visible(value: Any, cap: int = SHOWN_CAP) -> SafeString:
    """Text with its invisible characters shown as marks and words of mixed scripts set apart, cut if it is huge."""
    text = json_text.cut(str(value), cap)
    if text.isascii():
        if text.isprintable() or not _ODD.search(text):
            return SafeString(html.escape(text))
    elif not _ODD.search(text) and not _LOOKALIKE.search(text):
        return SafeString(html.escape(text))
    parts = (piece for part in _ODD.split(text) for piece in _words(part))
    return format_html_join("", "{}", ((_part(part),) for part in parts if part))


def _words(part: str) -> list[str]:
    """A piece of text with words of mixed scripts on their own."""
    return _WORD.split(part) if _LOOKALIKE.search(part) else [part]


@register.filter
def plain(value: Any, cap: int = 120) -> str:
    """The same without markup, for attributes and titles."""
    cut = json_text.cut(str(value), cap)
    return _ODD.sub(lambda odd: f"U+{ord(odd[0]):04X}", cut)


def _part(part: str) -> SafeString | str:
    if not _ODD.fullmatch(part):
        if _LOOKALIKE.search(part) and _LATIN.search(part) and _WORD.fullmatch(part):
            return format_html(
                '<span class="odd mixed" title="Latin letters beside letters of another script that look like them">{}</span>',
                part,
            )
        return part
    name = unicodedata.name(part, "control character")
    return format_html(
        '<span class="odd" title="{}">U+{}</span>', name, f"{ord(part):04X}"
    )


@register.simple_tag
def json_whole(value: Any) -> SafeString:
    """A value as indented JSON; text as it is."""
    if isinstance(value, str):
        return visible(value)
    return _printed(json_text.whole(value), {})


@register.simple_tag
def json_around(value: Any, marks: Mapping[str, Mark]) -> SafeString:
    """The marked fields of a value and what stands beside them."""
    if isinstance(value, str):
        return _token(json_text.Token("str", json_text.cut(value)), marks)
    lines = (_printed([line], marks) for line in json_text.around(value, marks))
    return format_html_join(
        "", '<span class="j-line">{}</span>', ((line,) for line in lines)
    )


@register.simple_tag
def json_linked(value: Any, links: Mapping[str, str]) -> SafeString:
    """A value as indented JSON in which some leaves (by pointer) lead to an address."""
    return _printed(json_text.whole(value), {}, links)


@register.filter
def parsed(text: str) -> Any:
    """A tool's answer as the JSON it is, or the text as it is."""
    return parse_result(text)


PLAIN = ("key", "punct", "space")
"""Tokens that look like the text around them, and so need no element of their own."""


def _printed(
    lines: Iterable[json_text.Line],
    marks: Mapping[str, Mark],
    links: Mapping[str, str] | None = None,
) -> SafeString:
    broken = (
        (*([json_text.Token("space", "\n")] if n else []), *line)
        for n, line in enumerate(lines)
    )
    runs = groupby(chain.from_iterable(broken), lambda token: token.kind in PLAIN)
    # Every part is safe as it comes; escaping asks each again, which is dear with so many.
    return SafeString("".join(_parts(runs, marks, links or {})))


def _parts(
    runs: Any, marks: Mapping[str, Mark], links: Mapping[str, str]
) -> Iterator[SafeString]:
    for plain, tokens in runs:
        if plain:
            text = "".join(token.text for token in tokens)
            yield visible(text, cap=len(text))
        else:
            yield from (_token(token, marks, links) for token in tokens)


def _token(
    token: json_text.Token,
    marks: Mapping[str, Mark],
    links: Mapping[str, str] | None = None,
) -> SafeString:
    text = visible(token.text, cap=len(token.text))
    if links and token.kind == "str" and token.place in links:
        return format_html(
            '<a class="j-str" href="{}">{}</a>', links[token.place], text
        )
    mark = marks.get(token.place) if token.kind in ("str", "num", "word") else None
    if mark is None:  # most are; kinds are ours
        return SafeString(f'<span class="j-{token.kind}">{text}</span>')
    if mark.arguments:
        return format_html(
            '<a class="mark grounds" id="{}" href="#{}" data-grounds="{}" data-pointer="{}">{}</a>',
            mark.id,
            mark.arguments[0],
            " ".join(mark.arguments),
            token.place,
            text,
        )
    return format_html(
        '<mark class="mark" id="{}" data-pointer="{}">{}</mark>',
        mark.id,
        token.place,
        text,
    )


@register.simple_tag(takes_context=True)
def theme(context: Context) -> str:
    """The theme the person chose, or "" for the one of their system."""
    request: HttpRequest | None = context.get("request")
    chosen = request.COOKIES.get("theme", "") if request else ""
    return chosen if chosen in THEMES else ""


@register.simple_tag
def sparkline(ribbon: Ribbon) -> SafeString:
    """The same at half the size, as a picture for lists: one path for each kind of step, so that fifty weigh little."""
    drawn: dict[str, str] = {}
    for glyph in ribbon.glyphs:
        middle = glyph.y + glyph.height // 2
        line = f"M{glyph.x} {middle}h{glyph.width}"
        drawn[glyph.kind] = drawn.get(glyph.kind, "") + line
    paths = "".join(f'<path class="{kind}" d="{d}"/>' for kind, d in drawn.items())
    return SafeString(  # numbers and kinds: nothing that anybody wrote
        f'<svg class="sparkline" viewBox="0 0 {ribbon.width} {ribbon.height}" width="{ribbon.width // 2}" '
        f'height="{ribbon.height // 2}" preserveAspectRatio="none" aria-hidden="true">{paths}</svg>'
    )


def marked(pieces: Iterable[Piece]) -> SafeString:
    """An excerpt, with the words that were searched for marked."""
    parts = ((visible(piece.text, 200), piece.hit) for piece in pieces)
    return SafeString(
        "".join(f"<mark>{text}</mark>" if hit else text for text, hit in parts)
    )


_AT_NAME = re.compile(r"(?<![\w.@+-])(@[\w.@+-]{1,150})")


@register.simple_tag
def said(text: str, names: Collection[str]) -> SafeString:
    """What somebody wrote, with the names of colleagues (after an @) set apart."""
    parts = _AT_NAME.split(json_text.cut(text))
    return format_html_join("", "{}", ((_addressed(p, names),) for p in parts if p))


def _addressed(part: str, names: Collection[str]) -> SafeString:
    name = part[1:].rstrip(".-+@") if part.startswith("@") else ""
    if name not in names and part[1:] not in names:
        return visible(part)
    return format_html('<span class="named">{}</span>', visible(part))


@register.filter
def share(part: float, whole: float) -> int:
    """Percent, from 0 to 100."""
    return round(100 * part / whole) if whole else 0


@register.filter
def lasting(span: timedelta) -> str:
    """A span as people say it: `2 h 5 min`, `12 min`, `40 s`."""
    minutes, seconds = divmod(round(span.total_seconds()), 60)
    if minutes < 1:
        return f"{seconds} s"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{minutes} min"


@register.filter
def words(value: str) -> str:
    """A code as words: `missing_read` is "missing read"."""
    return str(value).replace("_", " ")


@register.filter
def band(slug: str) -> str:
    """A band as people write it: `2-3` is "2–3"."""
    return str(slug).replace("-", "–")

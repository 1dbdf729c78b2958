"""What the desk prints with: records as people read them. Every character goes through `visible`, which escapes it."""

from collections.abc import Iterator
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from environments.core.display import Display
from writ_app.templatetags.records import (
    Leaf,
    Part,
    Record,
    Short,
    Table,
    lay_out,
)
from writ_app.templatetags.writ import visible

register = template.Library()


@register.simple_tag
def record(value: Any, display: Display) -> SafeString:
    """A tool's answer laid out as fields and tables."""
    return _part(lay_out(value, display))


def _part(part: Part | None) -> SafeString:
    match part:
        case Leaf():
            return format_html(
                '<span class="leaf {}" data-pointer="{}">{}</span>',
                part.kind,
                part.place,
                visible(part.text),
            )
        case Short():
            return _short(part)
        case Table():
            return _table(part)
        case Record():
            return _record(part)
    return SafeString("")


def _short(part: Short) -> SafeString:
    pairs = format_html_join(
        " ",
        '<span class="short">{}{}</span>',
        (
            (
                format_html('<span class="k">{}</span> ', visible(name))
                if name
                else "",
                _part(leaf),
            )
            for name, leaf in part.parts
        ),
    )
    return format_html('<span class="shorts">{}{}</span>', pairs, _more(part.more))


def _table(part: Table) -> SafeString:
    numeric = part.numeric
    heads = format_html_join(
        "",
        '<th scope="col"{}>{}</th>',
        (
            (_number(is_number), visible(_spoken(name)))
            for name, is_number in zip(part.columns, numeric, strict=True)
        ),
    )
    rows = format_html_join(
        "",
        "<tr>{}</tr>",
        (
            (
                format_html_join(
                    "",
                    "<td{}>{}</td>",
                    (
                        (_number(is_number), _part(cell))
                        for cell, is_number in zip(row, numeric, strict=True)
                    ),
                ),
            )
            for row in part.rows
        ),
    )
    return format_html(
        '<div class="scroll" tabindex="0" role="group" aria-label="Table">'
        '<table class="records"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>{}</div>',
        heads,
        rows,
        _more(part.more, "rows"),
    )


def _number(is_number: bool) -> SafeString:
    return SafeString(' class="num"' if is_number else "")


def _record(part: Record) -> SafeString:
    return format_html(
        '<div class="record">{}<dl class="kv">{}</dl>{}</div>',
        format_html_join("", "{}", ((one,) for one in _head(part))),
        format_html_join(
            "",
            "<dt{}>{}</dt><dd{}>{}</dd>",
            (
                (_wide(inner), visible(_spoken(name)), _wide(inner), _part(inner))
                for name, inner in part.fields
            ),
        ),
        _more(part.more, "fields"),
    )


def _head(part: Record) -> Iterator[SafeString]:
    if part.title is None:
        return
    lead = format_html_join(
        "",
        '<span class="badge" title="{}">{}</span>',
        ((_spoken(name), _part(leaf)) for name, leaf in part.lead),
    )
    yield format_html(
        '<p class="record-head"><span class="soft">{}</span> <strong>{}</strong> {}</p>',
        part.noun,
        _part(part.title),
        lead,
    )


def _wide(part: Part) -> SafeString:
    """Tables and records take the whole line."""
    return SafeString(' class="wide"' if isinstance(part, Table | Record) else "")


def _spoken(name: str) -> str:
    return name.replace("_", " ").replace(".", " ")


def _more(count: int, what: str = "") -> SafeString | str:
    if not count:
        return ""
    return format_html('<span class="hint"> and {} more {}</span>', f"{count:,}", what)

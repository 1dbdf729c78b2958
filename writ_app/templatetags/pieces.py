"""What a desk has dozens of, put together without templates: theirs was half of the time that a desk took to print.

Everything from outside goes through `visible`, a JSON tag or `plain` and `escape`; what else is put in is ours: numbers, kinds, ids.
"""

from collections.abc import Iterable, Iterator

from django import template
from django.template.defaultfilters import filesizeformat
from django.utils.html import escape
from django.utils.safestring import SafeString

from writ_app.services.review.evidence import CandidateRow
from writ_app.services.review.steps import Glyph, Ribbon, Step
from writ_app.templatetags.writ import json_whole, plain, visible, words

register = template.Library()

BEGINNING = 900
"""Characters shown of a message whose rest is fetched."""
CONVERSATION_CAP = 2_000_000
"""Characters of a whole conversation that cannot be asked for parts: what comes after them is counted."""
SQUEEZED = 90
"""Steps up to which a ribbon is squeezed into its place; with more it scrolls."""


@register.simple_tag
def ribbon(ribbon: Ribbon) -> SafeString:
    """One glyph per step, each a link to it."""
    width, height = ribbon.width, ribbon.height
    long = " long" if len(ribbon.glyphs) > SQUEEZED else ""
    return SafeString(
        f'<svg class="ribbon{long}" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' preserveAspectRatio="none" aria-label="Steps of the conversation" role="group">'
        f"{''.join(map(_glyph, ribbon.glyphs))}</svg>"
    )


def _glyph(glyph: Glyph) -> str:
    title, failed = escape(plain(glyph.title)), " failed" if glyph.failed else ""
    return (
        f'<a href="#{glyph.target}" aria-label="{title}" data-step="{glyph.target}"><title>{title}</title>'
        f'<rect class="g {glyph.kind}{failed}" x="{glyph.x}" y="{glyph.y}"'
        f' width="{glyph.width}" height="{glyph.height}" rx="2"/></a>'
    )


@register.simple_tag
def conversation_steps(steps: Iterable[Step], base: str = "") -> SafeString:
    """Messages and calls in order. `base` is the address of the conversation, if it can be asked for parts."""
    if base:
        base = escape(base)
        return SafeString("".join(part for step in steps for part in _step(step, base)))
    return SafeString("".join(_whole(steps)))


def _whole(steps: Iterable[Step]) -> Iterator[str]:
    """Each step is capped, but somebody else's file may hold thousands of the largest."""
    size, left = 0, 0
    for step in steps:
        if size > CONVERSATION_CAP:
            left += 1
            continue
        made = "".join(_step(step, ""))
        size += len(made)
        yield made
    if left:
        yield f'<li class="step"><p class="notice warning">{left:,} more steps are left out here: see the raw file.</p></li>'


def _step(step: Step, base: str) -> Iterator[str]:
    failed = " failed" if step.failed else ""
    yield (
        f'<li class="step {step.kind}{failed}" id="{step.id}" tabindex="-1" data-message="{step.message}">'
        f'<div class="step-head"><span class="step-number">{step.number}</span>'
    )
    yield from _call(step, base) if step.name else _message(step, base)
    yield "</li>"


def _message(step: Step, base: str) -> Iterator[str]:
    who = "user" if step.kind == "user" else "agent"
    yield f'<span class="who">{who}</span>{_failed_checks(step)}</div>'
    if step.cut and base:
        yield f'<div class="says">{visible(step.text, BEGINNING)}</div>'
        size = filesizeformat(len(step.text))
        yield f'<a class="fill button small" href="{base}steps/{step.number}/">Show all {size}</a>'
    elif step.folds:
        yield f'<div class="says long">{visible(step.text)}</div>'
        yield f'<label class="unfold"><input type="checkbox"> Show all<span class="sr"> of step {step.number}</span></label>'
    else:
        yield f'<div class="says">{visible(step.text)}</div>'


def _call(step: Step, base: str) -> Iterator[str]:
    error = step.kind == "error"
    yield f'<span class="badge {"bad" if error else step.kind}">{step.kind}</span> '
    yield f'<code class="tool">{visible(step.name, 80)}</code> '
    if step.short and step.arguments:
        yield f'<code class="call-line">{json_whole(step.arguments)}</code> '
    if step.superfluous:
        yield '<span class="badge" title="Made before, or not needed: reported, not punished">not needed</span> '
    yield f"{_failed_checks(step)}</div>"
    if step.arguments and not step.short:
        if step.cut and base:
            yield f'<p class="hint">{filesizeformat(step.call_size)} of arguments</p>'
        else:
            yield f'<pre class="json call">{json_whole(step.arguments)}</pre>'
    if step.told:
        bad = " bad-text" if error else ""
        yield f'<p class="told mono{bad}">→ {visible(step.told)}</p>'
    else:
        yield from _result(step, base)


def _result(step: Step, base: str) -> Iterator[str]:
    error = step.kind == "error"
    what = "no answer" if step.answer is None else "error" if error else "result"
    yield f'<details class="result"{" open" if error and not base else ""}>'
    yield f'<summary>{what}<span class="hint"> {filesizeformat(len(step.text))}</span></summary>'
    if base:
        yield f'<a class="fill" href="{base}steps/{step.number}/">Show the result</a>'
    else:
        yield f'<pre class="json">{json_whole(step.result)}</pre>'
    yield "</details>"


def _failed_checks(step: Step) -> str:
    return "".join(
        f'<span class="badge bad">{escape(words(name))}</span>' for name in step.marks
    )


def candidate_rows(rows: Iterable[CandidateRow]) -> SafeString:
    """Rows of a candidate table: its label, its values, the read that shows it, and why it is not the one."""
    return SafeString("".join(part for row in rows for part in _candidate(row)))


def _candidate(row: CandidateRow) -> Iterator[str]:
    kind = "winner" if row.gold else "decoy" if row.why_not else ""
    yield f'<tr class="{kind}"><td class="mono">{visible(row.label, 120)}</td>'
    for value in row.values:
        yield f'<td class="num">{visible(value, 60)}</td>'
    read = f'<a href="#{row.row.id}">{row.row.number}</a>' if row.row else ""
    why = "gold" if row.gold else visible(row.why_not or row.gap, 200)
    yield f'<td>{read}</td><td class="why-not">{why}</td></tr>'

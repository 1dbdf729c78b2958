"""What reports print with: each kind of figure has its template."""

from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

register = template.Library()

SECTIONS = {
    "sizes": "size",
    "axes": "two axes",
    "evidence": "evidence",
    "tools": "tools",
    "texts": "texts",
    "conduct": "behavior",
    "production": "how it was made",
    "review": "review",
    "trials": "stability",
    "calibration": "reference",
    "purity": "contamination",
    "origins": "made from",
}


@register.simple_tag
def figure(one: Any) -> SafeString:
    """A figure by the template of its kind, which is one of ours and nothing that a client names."""
    return render_to_string(f"components/report/{one.kind}.html", {"one": one})


@register.filter
def section_title(slug: str) -> str:
    return SECTIONS.get(slug, slug)


@register.filter
def filter_value(value: Any) -> str:
    """Of a list's filter: one value, or several."""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@register.filter
def style_text(text: str) -> SafeString:
    """Our own style sheets as they are, for a file that stands alone. `</` could end the element, and never comes."""
    if "</" in text:
        raise ValueError("A style sheet must not hold markup.")
    return SafeString(text)

"""The keys of the person who looks, as pages print them."""

from functools import lru_cache

from django import template
from django.template import Context
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from writ_app.services.review.keys import DEFAULTS, keys_of

register = template.Library()


def keys_of_request(context: Context) -> dict[str, str]:
    """Asked for once per request."""
    request = context["request"]
    if not hasattr(request, "review_keys"):
        user = request.user
        request.review_keys = keys_of(user) if user.is_authenticated else DEFAULTS
    found: dict[str, str] = request.review_keys
    return found


@register.simple_tag(takes_context=True)
def key(context: Context, action: str) -> SafeString:
    """The key of an action: `<kbd>a</kbd>`."""
    return printed(keys_of_request(context)[action])


@register.simple_tag(takes_context=True)
def key_name(context: Context, action: str) -> str:
    """The same for aria-keyshortcuts."""
    return shortcut(keys_of_request(context)[action])


def shortcut(name: str) -> str:
    """A key for aria-keyshortcuts, which knows no chords."""
    return name.replace("Ctrl+", "Control+") if " " not in name else ""


@lru_cache(maxsize=512)
def printed(name: str) -> SafeString:
    """Every part of a chord or combination in a box of its own."""
    parts = name.split(" ") if " " in name else [name]
    if name.startswith("Ctrl+"):
        parts = ["Ctrl", name.removeprefix("Ctrl+")]
    return format_html_join(" ", "<kbd>{}</kbd>", ((part,) for part in parts))

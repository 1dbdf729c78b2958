"""The keys of the person who looks, as pages print them and scripts read them."""

from functools import lru_cache
from typing import Any

from django import template
from django.template import Context
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from writ_app.services.review.keys import DEFAULTS, PAGES, keys_of, names_on

register = template.Library()


def _keys(context: Context) -> dict[str, str]:
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
    return _printed(_keys(context)[action])


@register.simple_tag(takes_context=True)
def key_name(context: Context, action: str) -> str:
    """For aria-keyshortcuts, which knows no chords."""
    name = _keys(context)[action]
    return name.replace("Ctrl+", "Control+") if " " not in name else ""


@register.simple_tag(takes_context=True)
def key_map(context: Context, page: str = "") -> dict[str, str]:
    """Key → action of one of the PAGES (the desk unless another is named), for json_script."""
    keys = _keys(context)
    return {keys[name]: name for name in names_on(page or "desk")}


@register.simple_tag(takes_context=True)
def key_groups(context: Context, page: str = "") -> list[dict[str, Any]]:
    """The key sheet of one of the PAGES (the desk unless another is named): groups of actions with their keys."""
    keys = _keys(context)
    return [
        {
            "title": title,
            "actions": [
                {"title": action.title, "key": _printed(keys[action.name])}
                for action in actions
            ],
        }
        for title, actions in PAGES[page or "desk"].items()
    ]


@lru_cache(maxsize=512)
def _printed(name: str) -> SafeString:
    """Every part of a chord or combination in a box of its own."""
    parts = name.split(" ") if " " in name else [name]
    if name.startswith("Ctrl+"):
        parts = ["Ctrl", name.removeprefix("Ctrl+")]
    return format_html_join(" ", "<kbd>{}</kbd>", ((part,) for part in parts))

"""What is drawn with Jinja: the desk with its verdict bar, the rows of the list, and what is on every page.

Jinja compiles a template to Python. Django's look every name up anew each time a value is printed: that was half of what a desk, or a
list of forty rows, took to make. All else is Django's; its templates ask for one of these by the tags below. They stand beside the
others as `*.jinja`, escape as those do, and a name that nobody gave them is an error instead of an empty text.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.template import Context, defaultfilters
from django.template.backends.utils import csrf_input
from django.templatetags.static import static
from django.urls import get_script_prefix, reverse
from django.utils.html import json_script
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from writ_app.models.accounts import Membership
from writ_app.services.review.comments import count_unread
from writ_app.services.review.evidence import CandidateView
from writ_app.services.review.keys import PAGES, names_on
from writ_app.services.review.leaves import element_words
from writ_app.services.review.listing import ListedItem
from writ_app.services.review.page import ReviewPage
from writ_app.services.review.replay import Difference
from writ_app.services.review.siblings import kinship
from writ_app.templatetags import pieces, writ
from writ_app.templatetags.keys import keys_of_request, printed, shortcut

register = template.Library()


@register.simple_tag(takes_context=True)
def top(context: Context) -> SafeString:
    """The bar above every page."""
    request = context["request"]
    route = request.resolver_match
    whose = _whose(context)
    return _draw(
        "components/top.jinja",
        **whose,
        address=request.get_full_path(),
        here=(route and route.url_name) or "",
        theme=writ.theme(context),
        unread=count_unread(request.user) if whose["membership"] else 0,
    )


@register.simple_tag(takes_context=True)
def team_switch(context: Context, next: str) -> SafeString:
    """Another team to work in, and where to go on there."""
    return _draw("components/team_switch.jinja", **_whose(context), next=next)


def _whose(context: Context) -> dict[str, Any]:
    """Who looks, and where they work: nobody and nowhere on some pages."""
    request = context["request"]
    membership: Membership | None = getattr(request, "membership", None)
    return {
        "csrf_input": csrf_input(request),
        "membership": membership,
        "places": getattr(request.user, "places", ()),
        "team": membership and membership.team_id,
        "user": request.user,
    }


@register.simple_tag(takes_context=True)
def key_sheet(context: Context, page: str = "desk") -> SafeString:
    """The keys of one of the PAGES, for people and for scripts."""
    own = keys_of_request(context)
    return _draw(
        "components/key_sheet.jinja",
        keys=own,
        map={own[name]: name for name in names_on(page)},
        groups=PAGES[page],
        for_list=page == "list",
    )


@register.simple_tag(takes_context=True)
def desk(context: Context, page: ReviewPage) -> SafeString:
    """All that there is to know of one trajectory, in three columns."""
    return _draw(
        "components/desk.jinja",
        page=page,
        keys=keys_of_request(context),
        at=context.get("at"),
        judgements=context.get("judgements", ()),
        notes=context.get("notes", ()),
        notes_hidden=context.get("notes_hidden", False),
    )


@register.simple_tag(takes_context=True)
def verdict_bar(context: Context) -> SafeString:
    """What a desk of the queue is judged with. A desk that is drawn ahead knows nothing of the day and of what was done last."""
    wanted = ("page", "slot", "submission", "reasons", "waiting", "choice")
    known = ("errors", "reason", "note", "last_title")
    return _draw(
        "components/verdict_bar.jinja",
        keys=keys_of_request(context),
        csrf_input=csrf_input(context["request"]),
        today=context.get("today", 0),
        **{name: context[name] for name in wanted},
        **{name: context.get(name, "") for name in known},
    )


@register.simple_tag
def check_strip(page: ReviewPage) -> SafeString:
    return _draw("components/check_strip.jinja", page=page)


@register.simple_tag
def candidate_table(table: CandidateView) -> SafeString:
    return _draw("components/candidate_table.jinja", table=table)


@register.simple_tag
def database_diff(difference: Difference) -> SafeString:
    return _draw("components/diff.jinja", difference=difference)


@register.simple_tag
def list_rows(lines: Iterable[ListedItem]) -> SafeString:
    """Rows of the list of trajectories."""
    return _draw("components/list_rows.jinja", lines=lines)


def _draw(name: str, **values: Any) -> SafeString:
    return SafeString(environment().get_template(name).render(values))


@cache
def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(settings.BASE_DIR / "templates"),
        autoescape=True,
        auto_reload=settings.DEBUG,
        undefined=StrictUndefined,
    )
    made.globals = {
        "candidate_rows": pieces.candidate_rows,
        "conversation_steps": pieces.conversation_steps,
        "json_around": writ.json_around,
        "json_script": json_script,
        "kinship": kinship,
        "ribbon": pieces.ribbon,
        "sparkline": writ.sparkline,
        "static": static,
        "url": url,
    }
    made.filters |= {
        "date": date,
        "element_words": element_words,
        "filesizeformat": defaultfilters.filesizeformat,
        "kbd": printed,
        "marked": writ.marked,
        "plain": writ.plain,
        "pluralize": defaultfilters.pluralize,
        "shortcut": shortcut,
        "visible": writ.visible,
        "words": writ.words,
    }
    return made


def url(name: str, *args: Any) -> str:
    return _url(get_script_prefix(), name, *args)


@lru_cache(maxsize=4096)
def _url(prefix: str, name: str, *args: Any) -> str:
    """Of a route under a prefix: made once, as a page has dozens, many of them of the same rows."""
    return reverse(name, args=args)


def date(moment: datetime, form: str) -> str:
    """In the person's time zone, as Django's templates have it."""
    return str(defaultfilters.date(localtime(moment), form))

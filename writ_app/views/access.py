"""Who may open what. Every view of the site wears one of these, or is on the short public list."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from writ_app.engine.errors import Conflict
from writ_app.models.accounts import Membership, Role, Team, User
from writ_app.services.access import SAFE, TEAM, Access, Fresh, enter, require
from writ_app.services.sessions import SECOND_FACTOR, is_fresh, note_seen

type View = Callable[..., HttpResponseBase]


class MemberRequest(HttpRequest):
    """A request by somebody who is in a team."""

    user: User
    membership: Membership
    team: Team


def fresh_required(fresh: Fresh = "all") -> Callable[[View], View]:
    """Goes below a guard, which then asks people whose proof is old to give it again: for "all" methods, or for those that "write"."""

    def decorate(view: View) -> View:
        view.fresh = fresh  # type: ignore[attr-defined]
        return view

    return decorate


def guard(read: Role, *, write: Role | None = None) -> Callable[[View], View]:
    """Signed in, in a team, and with the role: the view gets `request.membership` and `request.team`.

    Members without the role are told so: they know that the page exists.
    """

    def decorate(view: View) -> View:
        access = Access(read, write or read, getattr(view, "fresh", ""))

        @login_required
        @wraps(view)
        def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if _enter(request) is None:
                return render(request, "accounts/no_team.html", status=403)
            require(request.membership, access, request.method)
            if _lacks_second_factor(request):
                return _to_second_factor(request)
            if access.wants_fresh(request.method) and not is_fresh(request.session):
                return ask_again(request)
            try:
                return view(request, *args, **kwargs)
            except Conflict as error:
                return render(request, "409.html", {"reason": str(error)}, status=409)

        guarded.access = access  # type: ignore[attr-defined]
        return guarded

    return decorate


def person_required(view: View) -> View:
    """Signed in, in whatever team or none: pages about the person. `request.membership` is there, or None."""
    access = Access(None, None, getattr(view, "fresh", ""))

    @login_required
    @wraps(view)
    def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        _enter(request)
        if access.wants_fresh(request.method) and not is_fresh(request.session):
            return ask_again(request)
        return view(request, *args, **kwargs)

    guarded.access = access  # type: ignore[attr-defined]
    return guarded


def _enter(request: Any) -> Membership | None:
    """The membership that the request is made under, noted where the rest of it looks for it."""
    membership = enter(request.user, team_id=request.session.get(TEAM))
    request.membership = membership
    if membership is not None:
        request.team = membership.team
    note_seen(request.session, membership)
    return membership


# --- proof ----------------------------------------------------------------------------------------------------------------------


def _lacks_second_factor(request: Any) -> bool:
    needs = request.membership.team.needs_second_factor
    return bool(needs and not request.session.get(SECOND_FACTOR))


def _to_second_factor(request: Any) -> HttpResponseBase:
    messages.warning(
        request,
        f"{request.team} asks its members for a second factor when they sign in.",
    )
    return _go(request, reverse("second_factor"))


def ask_again(request: Any) -> HttpResponseBase:
    """To the page that asks for the proof, and from there to what was asked for; a form has to be sent again."""
    if request.method in SAFE and not request.headers.get("HX-Request"):
        after = request.get_full_path()
    else:
        messages.info(request, "Nothing has been done yet: confirm, then do it again.")
        after = came_from(request)
    return _go(request, f"{reverse('confirm')}?{urlencode({'next': after})}")


def came_from(request: HttpRequest) -> str:
    """Path of the page of ours that sent the request, else the start."""
    parts = urlsplit(request.headers.get("Referer", ""))
    if parts.netloc != request.get_host() or not parts.path.startswith("/"):
        return "/"
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _go(request: HttpRequest, to: str) -> HttpResponseBase:
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": to})
    return redirect(to)


viewer_required = guard(Role.VIEWER)
reviewer_required = guard(Role.REVIEWER)
curator_required = guard(Role.CURATOR)
owner_required = guard(Role.OWNER)

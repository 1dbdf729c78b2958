"""Who may open what. Every view of the site wears one of these, or is on the short public list."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from writ_app.adapters.logs import note
from writ_app.models.accounts import Membership, Role, Team, User
from writ_app.services.accounts import membership_of
from writ_app.services.catalog import ChangedEnvironment

type View = Callable[..., HttpResponseBase]


class MemberRequest(HttpRequest):
    """A request by somebody who is in a team."""

    user: User
    membership: Membership
    team: Team


def member_required(view: View) -> View:
    """Signed in, and in a team: the view gets `request.membership`."""

    @login_required
    @wraps(view)
    def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        request.membership = membership_of(request.user)
        if request.membership is None:
            return render(request, "accounts/no_team.html", status=403)
        request.team = request.membership.team
        note(user=request.user.pk, team=request.team.pk)
        try:
            return view(request, *args, **kwargs)
        except ChangedEnvironment as error:
            return render(request, "409.html", {"reason": str(error)}, status=409)

    guarded.access = "member"  # type: ignore[attr-defined]
    return guarded


def owner_required(view: View) -> View:
    """A member who is an owner. Others are told so: they know that the page exists."""

    @member_required
    @wraps(view)
    def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        require_owner(request)
        return view(request, *args, **kwargs)

    guarded.access = "owner"  # type: ignore[attr-defined]
    return guarded


def require_owner(request: MemberRequest) -> None:
    if request.membership.role != Role.OWNER:
        raise PermissionDenied("Only an owner of the team can do that.")

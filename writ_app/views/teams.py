"""Teams: who is in them, who may come, and which of one's own is worked in."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from writ_app.adapters.logs import about
from writ_app.engine.errors import WritError
from writ_app.forms.accounts import (
    InvitationForm,
    JoinForm,
    RoleForm,
    TeamForm,
    TeamSettingsForm,
)
from writ_app.models.accounts import Invitation, Role, Team, User
from writ_app.services.accounts import (
    add_member,
    change_team,
    create_team,
    remove_member,
)
from writ_app.services.accounts.allauth import INVITED
from writ_app.services.accounts.invitations import (
    Made,
    accept,
    find_invitation,
    invite,
    pending,
    revoke,
    send_invitation,
)
from writ_app.services.audit import record
from writ_app.views.access import (
    TEAM,
    MemberRequest,
    fresh_required,
    owner_required,
    person_required,
    viewer_required,
)
from writ_app.views.accounts import provider_name, safe, sign_in

MEMBERS_SHOWN = 500


@viewer_required
def team(request: MemberRequest) -> HttpResponse:
    """The members; to owners also what is pending, and what can be changed."""
    return _show(request)


def _show(request: MemberRequest, status: int = 200, **context: Any) -> HttpResponse:
    members = request.team.memberships.select_related("user").order_by("user__username")
    known: dict[str, Any] = {"members": members[:MEMBERS_SHOWN], "roles": Role.choices}
    if request.membership.owns:
        known["invitations"] = pending(request.team, at=timezone.now())
        known["invitation_form"] = InvitationForm()
        known["settings_form"] = TeamSettingsForm(instance=_fresh(request.team))
    return render(request, "accounts/team.html", {**known, **context}, status=status)


def _fresh(row: Team) -> Team:
    """A form writes into its row even if it is not valid; the page goes on with the other."""
    return Team.objects.get(pk=row.pk)


@require_POST
@owner_required
@fresh_required()
def team_settings(request: MemberRequest) -> HttpResponse:
    form = TeamSettingsForm(request.POST, instance=_fresh(request.team))
    if not form.is_valid():
        return _show(request, 422, settings_form=form)
    try:
        change_team(team=request.team, **form.cleaned_data)
    except WritError as error:
        form.add_error("name", str(error))
        return _show(request, 422, settings_form=form)
    messages.success(request, "Kept.")
    return redirect("team")


@owner_required
@fresh_required("write")
def team_new(request: MemberRequest) -> HttpResponse:
    """Another team. Its maker is its owner, and works in it from then on."""
    form = TeamForm(request.POST or None)
    if form.is_valid():
        try:
            made = create_team(name=form.cleaned_data["name"], owner=request.user)
        except WritError as error:
            form.add_error("name", str(error))
        else:
            request.session[TEAM] = made.pk
            messages.success(request, f"You work in {made} now.")
            return redirect("team")
    status = 422 if form.is_bound else 200
    return render(request, "accounts/team_new.html", {"form": form}, status=status)


@require_POST
@person_required
def team_switch(request: MemberRequest) -> HttpResponse:
    """Work in another of one's own teams; a team of others is left unsaid."""
    chosen = request.POST.get("team", "")
    place = next((p for p in request.user.places if str(p.team_id) == chosen), None)
    if place is None:
        messages.error(request, "You are not in that team.")
        return redirect("home")
    request.session[TEAM] = place.team_id
    messages.info(request, f"You work in {place.team} now.")
    return redirect(safe(request.POST.get("next", ""), request))


# --- members --------------------------------------------------------------------------------------------------------------------


@require_POST
@owner_required
@fresh_required()
def member_role(request: MemberRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(request.team.memberships.select_related("user"), pk=pk)
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, "There is no such role.")
        return redirect("team")
    role = Role(form.cleaned_data["role"])
    try:
        add_member(team=request.team, user=row.user, role=role)
    except WritError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{row.user} is {role.label} now.")
    return redirect("team")


@require_POST
@owner_required
@fresh_required()
def member_remove(request: MemberRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(request.team.memberships.select_related("user"), pk=pk)
    try:
        remove_member(team=request.team, user=row.user)
    except WritError as error:
        messages.error(request, str(error))
        return redirect("team")
    messages.success(request, f"{row.user} is no longer in {request.team}.")
    return redirect("home" if row.user_id == request.user.pk else "team")


@require_POST
@viewer_required
@fresh_required()
def team_leave(request: MemberRequest) -> HttpResponse:
    """Go yourself. The only owner cannot."""
    try:
        remove_member(team=request.team, user=request.user)
    except WritError as error:
        messages.error(request, str(error))
        return redirect("team")
    messages.success(request, f"You are no longer in {request.team}.")
    return redirect("home")


# --- invitations ----------------------------------------------------------------------------------------------------------------


@never_cache
@require_POST
@owner_required
@fresh_required()
def team_invite(request: MemberRequest) -> HttpResponse:
    """Hold a place. The link goes out by e-mail if that can be, and is shown this once if not."""
    form = InvitationForm(request.POST)
    if not form.is_valid():
        return _show(request, 422, invitation_form=form)
    made = invite(
        team=request.team,
        by=request.user,
        role=Role(form.cleaned_data["role"]),
        email=form.cleaned_data["email"],
        at=timezone.now(),
    )
    query = urlencode({"token": made.token})
    link = request.build_absolute_uri(f"{reverse('invitation')}?{query}")
    if _sent(request, made, link):
        messages.success(request, f"The invitation is sent to {made.invitation.email}.")
        return redirect("team")
    return _show(request, link=link)


def _sent(request: MemberRequest, made: Made, link: str) -> bool:
    try:
        return send_invitation(made=made, link=link, by=request.user)
    except OSError as error:
        messages.error(request, f"It could not be sent: {error}")
        return False


@require_POST
@owner_required
def invitation_revoke(request: MemberRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(request.team.invitations.select_related("team"), pk=pk)
    if revoke(invitation=row, at=timezone.now()):
        messages.success(request, "Revoked. Its link opens nothing any more.")
    else:
        messages.info(request, "That invitation was used, revoked or over already.")
    return redirect("team")


@never_cache
def invitation(request: HttpRequest) -> HttpResponse:
    """Where an invitation's link leads: take the place with the account one has, or make one."""
    token = request.POST.get("token", "") or request.GET.get("token", "")
    found = find_invitation(token, at=timezone.now()) if token else None
    if found is None:
        return render(request, "accounts/invitation_over.html", status=404)
    request.session[INVITED] = found.pk  # for who goes on to the provider
    context: dict[str, Any] = {"invitation": found, "token": token}
    try:
        if request.user.is_authenticated:
            return _take(request, found, context)
        return _join(request, found, context)
    except WritError as error:
        context["refusal"] = str(error)
        return render(request, "accounts/invitation.html", context, status=409)


def _take(request: Any, found: Invitation, context: dict[str, Any]) -> HttpResponse:
    if request.method != "POST":
        return render(request, "accounts/invitation.html", context)
    with about(user=request.user.pk):
        accept(invitation=found, user=request.user, at=timezone.now())
    return _welcome(request, found)


def _join(
    request: HttpRequest, found: Invitation, context: dict[str, Any]
) -> HttpResponse:
    form = JoinForm(
        request.POST if request.method == "POST" else None, email=found.email
    )
    if not form.is_valid():
        query = urlencode({"token": context["token"]})
        context |= {
            "form": form,
            "provider": provider_name(),
            "here": f"{reverse('invitation')}?{query}",
        }
        status = 422 if form.is_bound else 200
        return render(request, "accounts/invitation.html", context, status=status)
    with transaction.atomic():
        user: User = form.save()
        with about(user=user.pk):
            record("person.create", team=None, row=user, after={"by": "invitation"})
            accept(invitation=found, user=user, at=timezone.now())
    sign_in(request, user, reverse("home"))
    return _welcome(request, found)


def _welcome(request: HttpRequest, found: Invitation) -> HttpResponse:
    request.session.pop(INVITED, None)
    request.session[TEAM] = found.team_id
    messages.success(request, f"You are in {found.team} now.")
    return redirect("home")

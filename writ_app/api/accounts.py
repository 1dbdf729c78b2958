"""Who asks, the team, its members, who is invited, and API tokens."""

import logging
from datetime import timedelta
from typing import Any

from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from rest_framework import serializers

from writ_app.api.endpoint import Endpoint, MemberRequest, found, operation
from writ_app.api.fields import Body, Coded, Flag, Moment, PageQuery, Text
from writ_app.api.paging import Page, page, page_of
from writ_app.api.problems import check, refused_content
from writ_app.forms.accounts import InvitationForm
from writ_app.models.accounts import Membership, Role, Team
from writ_app.services.access import Access
from writ_app.services.accounts import (
    NameTaken,
    add_member,
    change_team,
    create_team,
    memberships_of,
    remove_member,
)
from writ_app.services.accounts.invitations import invite, revoke, send_invitation
from writ_app.services.tokens import (
    BadToken,
    make_token,
    revoke_token,
    tokens_for,
)

logger = logging.getLogger(__name__)

LIFE = timedelta(days=90)
refused_content(BadToken, NameTaken)


class UserLine(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    username = serializers.CharField()


class TeamLine(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="team.pk")
    name = serializers.CharField(source="team.name")
    role = Coded(Role)


class Myself(serializers.Serializer[Any]):
    user = UserLine()
    team = TeamLine(
        source="membership",
        help_text="What this request works in, and as what: a token's scope counts.",
    )
    teams = TeamLine(
        many=True, help_text="All that the user is in; by a token, only its own."
    )


class Me(Endpoint):
    tag = "Accounts"
    access = Access(Role.VIEWER, Role.VIEWER)

    @operation("get_me", answer=Myself)
    def get(self, request: MemberRequest) -> dict[str, Any]:
        """Who asks, and in which team.

        A token works in one team. With a session it is the team that was chosen last on the pages.
        """
        own = [request.membership] if request.auth else memberships_of(request.user)
        return {
            "user": request.user,
            "membership": request.membership,
            "teams": own,
        }


class TeamSettings(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    needs_second_factor = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class TeamBody(Body):
    name = Text(max_length=80, help_text="No other team has it.")


class TeamChange(Body):
    name = Text(max_length=80, required=False, help_text="No other team has it.")
    needs_second_factor = Flag(
        required=False,
        help_text="Whether members see nothing of the team before they signed in with a second factor.",
    )


class OneTeam(Endpoint):
    tag = "Accounts"
    access = Access(Role.VIEWER, Role.OWNER, fresh="write")

    @operation("get_team", answer=TeamSettings)
    def get(self, request: MemberRequest) -> Team:
        """The team that the request works in."""
        return request.team

    @operation("change_team", body=TeamChange, answer=TeamSettings, person=True)
    def patch(self, request: MemberRequest, body: dict[str, Any]) -> Team:
        """Rename the team, or say whether its members need a second factor. What is left out stays."""
        team = request.team
        now = {name: getattr(team, name) for name in ("name", "needs_second_factor")}
        change_team(team=team, **(now | body))
        team.refresh_from_db()
        return team


class Teams(Endpoint):
    tag = "Accounts"
    access = Access(Role.OWNER, Role.OWNER, fresh="write")

    @operation(
        "create_team", body=TeamBody, answer=TeamSettings, status=201, person=True
    )
    def post(self, request: MemberRequest, body: dict[str, Any]) -> Team:
        """Make another team, which you own. Your requests go on working in the one that you are in."""
        return create_team(name=body["name"], owner=request.user)


class MemberLine(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    user = UserLine()
    role = Coded(Role)
    since = serializers.DateTimeField(source="created_at")


class RoleBody(Body):
    role = Coded(Role)


class Members(Endpoint):
    tag = "Accounts"
    access = Access(Role.VIEWER, Role.OWNER)

    @operation("list_members", query=PageQuery, answer=page_of(MemberLine))
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Page:
        """The team's members, oldest first."""
        rows = Membership.objects.filter(team=request.team).select_related("user")
        return page(request, rows, query, order=["pk"])


class OneMember(Endpoint):
    tag = "Accounts"
    access = Access(Role.OWNER, Role.OWNER, fresh="write")

    @operation("change_member_role", body=RoleBody, answer=MemberLine, person=True)
    def patch(
        self, request: MemberRequest, pk: int, body: dict[str, Any]
    ) -> Membership:
        """Give a member another role. The last owner stays one (409)."""
        row = _member(request, pk)
        return add_member(team=request.team, user=row.user, role=body["role"])

    @operation("remove_member", person=True, refuses=(409,))
    def delete(self, request: MemberRequest, pk: int) -> None:
        """Take a member out of the team, with their tokens, leases and invitations. What they did stays. The last owner stays (409)."""
        remove_member(team=request.team, user=_member(request, pk).user)


class Leave(Endpoint):
    tag = "Accounts"
    access = Access(Role.VIEWER, Role.VIEWER, fresh="write")

    @operation("leave_team", person=True, once=False, refuses=(409,))
    def post(self, request: MemberRequest) -> None:
        """Leave the team yourself. The last owner cannot (409)."""
        remove_member(team=request.team, user=request.user)


def _member(request: MemberRequest, pk: int) -> Membership:
    return found(request.team.memberships.select_related("user"), pk=pk)


class InvitationLine(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    role = Coded(Role)
    email = serializers.CharField(help_text="Nothing: for whoever has the link.")
    invited_by = serializers.CharField(source="invited_by.username")
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


class MadeInvitation(InvitationLine):
    sent = serializers.BooleanField(help_text="Whether it went out by e-mail.")
    link = serializers.CharField(
        allow_null=True,
        help_text="Of one that was not sent; shown this once, and kept nowhere.",
    )


class InvitationBody(Body):
    role = Coded(Role)
    email = Text(
        required=False,
        max_length=254,
        help_text="Only an account with this address can use the link.",
    )


class Invitations(Endpoint):
    tag = "Accounts"
    access = Access(Role.OWNER, Role.OWNER, fresh="write")

    @operation("list_invitations", query=PageQuery, answer=page_of(InvitationLine))
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Page:
        """Invitations that somebody could still take, newest first."""
        rows = request.team.invitations.pending(timezone.now())
        return page(request, rows.select_related("invited_by"), query)

    @operation(
        "invite_member",
        body=InvitationBody,
        answer=MadeInvitation,
        status=201,
        atomic=False,
        person=True,
    )
    def post(self, request: MemberRequest, body: dict[str, Any]) -> Any:
        """Hold a place in the team. Its link goes out by e-mail if that can be, and is shown this once if not."""
        form = InvitationForm({"email": body.get("email", ""), "role": body["role"]})
        check(form)
        made = invite(
            team=request.team,
            by=request.user,
            role=body["role"],
            email=form.cleaned_data["email"],
            at=timezone.now(),
        )
        query = urlencode({"token": made.token})
        link = request.build_absolute_uri(f"{reverse('invitation')}?{query}")
        row: Any = made.invitation
        try:
            row.sent = send_invitation(made=made, link=link, by=request.user)
        except OSError:
            logger.warning("An invitation could not be sent", exc_info=True)
            row.sent = False
        row.link = None if row.sent else link
        return row


class OneInvitation(Endpoint):
    tag = "Accounts"
    access = Access(Role.OWNER, Role.OWNER)

    @operation("revoke_invitation")
    def delete(self, request: MemberRequest, pk: int) -> None:
        """Withdraw an invitation: its link opens nothing any more. One that was used, withdrawn or is over stays as it is."""
        row = found(request.team.invitations.select_related("team"), pk=pk)
        revoke(invitation=row, at=timezone.now())


class TokenLine(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    scope = Coded(Role)
    key_id = serializers.CharField(help_text="The middle part of the token.")
    user = UserLine(source="membership.user")
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(
        allow_null=True, help_text="To the minute."
    )
    revoked_at = serializers.DateTimeField(allow_null=True)


class MadeToken(TokenLine):
    token = serializers.CharField(help_text="Shown this once, and kept nowhere.")


class TokenBody(Body):
    name = Text(max_length=80, help_text="What it is for.")
    scope = Coded(Role, help_text="What it may at most.")
    expires_at = Moment(required=False, help_text="Within a year. Without: in 90 days.")


class Tokens(Endpoint):
    tag = "Accounts"
    access = Access(Role.VIEWER, Role.VIEWER, fresh="write")

    @operation("list_tokens", query=PageQuery, answer=page_of(TokenLine))
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Page:
        """Your tokens; an owner sees the team's. Newest first."""
        return page(request, tokens_for(request.membership), query)

    @operation(
        "create_token",
        body=TokenBody,
        answer=MadeToken,
        status=201,
        once=False,
        person=True,
    )
    def post(self, request: MemberRequest, body: dict[str, Any]) -> Any:
        """Make a token, which is shown this once.

        A token that got into wrong hands must not make others. Takes no Idempotency-Key: a token is not kept, so it cannot be
        answered again.
        """
        now = timezone.now()
        row, text = make_token(
            membership=request.membership,
            name=body["name"],
            scope=body["scope"],
            expires_at=body.get("expires_at", now + LIFE),
            now=now,
        )
        row.token = text  # type: ignore[attr-defined]
        return row


class Token(Endpoint):
    tag = "Accounts"
    access = Access(Role.VIEWER, Role.VIEWER)

    @operation("revoke_token")
    def delete(self, request: MemberRequest, pk: int) -> None:
        """Revoke a token for good. An owner may revoke any of the team."""
        row = found(tokens_for(request.membership), pk=pk)
        revoke_token(token=row, now=timezone.now())


urlpatterns = [
    path("me", Me.as_view(), name="me"),
    path("team", OneTeam.as_view(), name="team"),
    path("teams", Teams.as_view(), name="teams"),
    path("members", Members.as_view(), name="members"),
    path("members/leave", Leave.as_view(), name="leave"),
    path("members/<int:pk>", OneMember.as_view(), name="member"),
    path("invitations", Invitations.as_view(), name="invitations"),
    path("invitations/<int:pk>", OneInvitation.as_view(), name="invitation"),
    path("tokens", Tokens.as_view(), name="tokens"),
    path("tokens/<int:pk>", Token.as_view(), name="token"),
]

"""Members, invitations and teams, through their pages."""

import re
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import (
    PASSWORD,
    make_member,
    make_owner,
    make_reviewer,
    make_team,
    make_user,
    team_of,
)
from tests.views.test_accounts import signed_in
from writ_app.models.accounts import Invitation, Role, Team, User
from writ_app.models.audit import AuditEntry
from writ_app.services.accounts import add_member

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_counted():
    cache.clear()


@pytest.fixture
def ada():
    return make_owner(name="ada")


def link_of(client: Client, **fields) -> str:
    """The path of the link that the page shows for a new invitation."""
    answer = client.post(reverse("team_invite"), {"role": "REVIEWER", **fields})
    shown = re.search(r'value="(http://testserver[^"]+)"', answer.content.decode())
    parts = urlsplit(shown[1])
    return f"{parts.path}?{parts.query}"


NEW = {
    "username": "bob",
    "password1": "a long enough phrase",
    "password2": "a long enough phrase",
}


def follow(client: Client, link: str, **fields):
    token = link.partition("token=")[2]
    return client.post(reverse("invitation"), {"token": token, **fields})


class TestAnInvitation:
    def test_makes_an_account_that_is_signed_in_and_in_the_team(self, ada, client):
        link = link_of(signed_in(ada))
        assert "ada invites you" in client.get(link).content.decode()

        answer = follow(client, link, **NEW)

        bob = User.objects.get(username="bob")
        assert answer.headers["Location"] == "/"
        assert bob.memberships.get().team == team_of(ada)
        assert bob.memberships.get().role == Role.REVIEWER
        assert client.get("/review/").status_code == 200

    def test_adds_an_account_that_is_there(self, ada):
        link = link_of(signed_in(ada))
        bob = make_user(name="bob")
        client = signed_in(bob)

        assert "Join as bob" in client.get(link).content.decode()
        assert not bob.memberships.exists()
        follow(client, link)

        assert bob.memberships.get().team == team_of(ada)

    def test_leaves_its_token_in_no_session(self, ada, client):
        link = link_of(signed_in(ada))

        client.get(link)

        assert link.partition("token=")[2] not in str(dict(client.session))

    def test_opens_nothing_twice(self, ada, client):
        link = link_of(signed_in(ada))
        follow(client, link, **NEW)

        again = Client().get(link)

        assert again.status_code == 404
        assert "opens nothing" in again.content.decode()

    def test_takes_a_good_password_and_a_free_name(self, ada, client):
        link = link_of(signed_in(ada))

        taken = follow(client, link, **{**NEW, "username": "ADA"})
        weak = follow(client, link, **{**NEW, "password1": "x", "password2": "x"})

        assert (taken.status_code, weak.status_code) == (422, 422)
        assert User.objects.count() == 1
        assert Invitation.objects.pending(timezone.now()).count() == 1

    def test_is_shown_once_and_listed_without_its_link(self, ada):
        client = signed_in(ada)
        token = link_of(client).partition("token=")[2]

        page = client.get(reverse("team")).content.decode()

        assert "whoever has the link" in page
        assert token not in page

    def test_goes_out_by_mail_if_a_server_is_configured(self, ada, settings):
        settings.EMAIL_URL = "smtp://localhost"
        client = signed_in(ada)

        answer = client.post(
            reverse("team_invite"), {"role": "VIEWER", "email": "bob@example.org"}
        )

        assert answer.status_code == 302
        (sent,) = mail.outbox
        assert sent.to == ["bob@example.org"]
        token = re.search(r"token=(\S+)", sent.body)[1]
        bob = Client()
        bob.post(
            reverse("invitation"), {"token": token, **NEW, "email": "eve@example.org"}
        )
        assert User.objects.get(username="bob").email == "bob@example.org"

    def test_can_be_revoked_by_owners_of_its_team_alone(self, ada):
        link = link_of(signed_in(ada))
        address = reverse("invitation_revoke", args=[Invitation.objects.get().pk])

        assert signed_in(make_owner()).post(address).status_code == 404
        assert Client().get(link).status_code == 200
        signed_in(ada).post(address)
        assert Client().get(link).status_code == 404

    def test_without_one_nobody_makes_an_account(self, client):
        answer = follow(client, "/invitation/?token=made-up", **NEW)

        assert answer.status_code == 404
        assert not User.objects.exists()


class TestMembers:
    def test_are_seen_by_viewers_who_can_change_nothing(self, ada):
        viewer = make_member(team=team_of(ada), role=Role.VIEWER, name="vera")

        page = signed_in(viewer).get(reverse("team")).content.decode()

        assert "ada" in page
        assert "<select" not in page
        assert "Invite" not in page

    def test_get_another_role(self, ada):
        bob = make_reviewer(team=team_of(ada))
        pk = bob.memberships.get().pk

        signed_in(ada).post(reverse("member_role", args=[pk]), {"role": "CURATOR"})

        assert bob.memberships.get().role == Role.CURATOR
        act = AuditEntry.objects.get(action="member.role")
        assert (act.actor, act.before, act.after) == (
            ada,
            {"role": "REVIEWER"},
            {"role": "CURATOR"},
        )

    def test_lose_the_team_in_the_middle_of_a_session(self, ada):
        bob = make_reviewer(team=team_of(ada))
        client = signed_in(bob)
        assert client.get("/review/").status_code == 200

        pk = bob.memberships.get().pk
        signed_in(ada).post(reverse("member_remove", args=[pk]))

        assert client.get("/review/").status_code == 403
        assert User.objects.filter(pk=bob.pk, is_active=True).exists()

    def test_leave_by_themselves_but_for_the_last_owner(self, ada):
        bob = make_reviewer(team=team_of(ada))

        signed_in(bob).post(reverse("team_leave"))
        page = signed_in(ada).post(reverse("team_leave"), follow=True)

        assert not bob.memberships.exists()
        assert "only owner" in page.content.decode()
        assert ada.memberships.exists()

    @pytest.mark.parametrize("name", ["member_role", "member_remove"])
    def test_keep_their_last_owner(self, ada, name):
        pk = ada.memberships.get().pk

        page = signed_in(ada).post(
            reverse(name, args=[pk]), {"role": "VIEWER"}, follow=True
        )

        assert "only owner" in page.content.decode()
        assert ada.memberships.get().role == Role.OWNER

    def test_of_another_team_are_not_there(self, ada):
        pk = make_owner().memberships.get().pk

        answer = signed_in(ada).post(reverse("member_remove", args=[pk]))

        assert answer.status_code == 404


class TestTeams:
    def test_are_made_by_owners_who_go_on_in_them(self, ada):
        client = signed_in(ada)

        client.post(reverse("team_new"), {"name": "Second"})

        assert ada.memberships.get(team__name="Second").role == Role.OWNER
        assert "<h1>Second</h1>" in client.get(reverse("team")).content.decode()

    def test_have_names_of_their_own(self, ada):
        name = team_of(ada).name

        answer = signed_in(ada).post(reverse("team_new"), {"name": name})

        assert answer.status_code == 422
        assert Team.objects.count() == 1

    def test_are_renamed_and_may_need_a_second_factor(self, ada):
        signed_in(ada).post(
            reverse("team_settings"), {"name": "New", "needs_second_factor": "on"}
        )

        team = Team.objects.get()
        assert (team.name, team.needs_second_factor) == ("New", True)
        assert AuditEntry.objects.get(action="team.change").after["name"] == "New"

    def test_are_switched_by_who_is_in_them_with_the_role_there(self, ada):
        other = make_team(name="Other")
        add_member(team=other, user=ada, role=Role.VIEWER)
        client = signed_in(ada)
        assert client.get(reverse("batch_new")).status_code == 200

        client.post(reverse("team_switch"), {"team": other.pk})

        assert "<h1>Other</h1>" in client.get(reverse("team")).content.decode()
        assert client.get(reverse("batch_new")).status_code == 403

    @pytest.mark.parametrize("chosen", ["theirs", "x", "", "99999999999999999999"])
    def test_of_others_are_not_switched_to(self, ada, chosen):
        theirs = team_of(make_owner())
        client = signed_in(ada)

        client.post(
            reverse("team_switch"),
            {"team": theirs.pk if chosen == "theirs" else chosen},
        )

        assert f"<h1>{team_of(ada).name}</h1>" in client.get("/team/").content.decode()


def test_the_password_of_the_tests_is_a_good_one():
    assert len(PASSWORD) >= 12

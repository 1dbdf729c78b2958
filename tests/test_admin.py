"""Teams in the administration: changed by the services that everybody's changes go through."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import make_owner, make_reviewer, make_user, team_of
from writ_app.models.accounts import Role, Team, User
from writ_app.models.audit import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(client: Client) -> User:
    user = make_user()
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    client.force_login(User.objects.get(pk=user.pk))
    return user


def acts() -> list[tuple[str, str]]:
    rows = AuditEntry.objects.order_by("pk").select_related("actor")
    return [(row.action, str(row.actor)) for row in rows]


class TestTeams:
    def test_a_new_one_gets_its_owner_and_both_are_written_down(
        self, client: Client, root: User
    ) -> None:
        ada = make_user()
        sent = {"name": "Shop", "owner": ada.pk, "needs_second_factor": "on"}

        client.post(reverse("admin:writ_app_team_add"), sent)

        team = Team.objects.get(name="Shop")
        assert team.needs_second_factor
        assert [(one.user, one.role) for one in team.memberships.all()] == [
            (ada, Role.OWNER)
        ]
        assert acts()[-3:] == [
            ("team.create", str(root)),
            ("member.add", str(root)),
            ("team.change", str(root)),
        ]

    def test_a_new_one_without_an_owner_is_refused(
        self, client: Client, root: User
    ) -> None:
        page = client.post(reverse("admin:writ_app_team_add"), {"name": "Shop"})

        assert "Choose who is to own the team." in page.content.decode()
        assert not Team.objects.filter(name="Shop").exists()

    def test_one_whose_owner_is_gone_gets_another(
        self, client: Client, root: User
    ) -> None:
        team = team_of(make_owner())
        colleague = make_reviewer(team=team)

        client.post(
            reverse("admin:writ_app_team_change", args=[team.pk]),
            {"name": team.name, "owner": colleague.pk},
        )

        assert colleague.memberships.get().role == Role.OWNER
        assert acts()[-1] == ("member.role", str(root))

    def test_shows_members_and_changes_none_of_them(
        self, client: Client, root: User
    ) -> None:
        owner = make_owner()
        team = team_of(owner)
        address = reverse("admin:writ_app_team_change", args=[team.pk])
        assert str(owner) in client.get(address).content.decode()

        client.post(address, {"name": team.name, "members": "nobody"})

        assert owner.memberships.get().role == Role.OWNER

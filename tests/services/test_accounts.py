"""Teams, and who is in them."""

import pytest

from tests.factories import make_owner, make_reviewer, make_team, make_user, team_of
from writ_app.models.accounts import Role
from writ_app.services.accounts import (
    LastOwner,
    add_member,
    create_team,
    membership_of,
)

pytestmark = pytest.mark.django_db


class TestCreateTeam:
    def test_makes_its_maker_the_owner(self):
        user = make_user()

        team = create_team(name="Audit", owner=user)

        membership = membership_of(user)
        assert membership is not None
        assert (membership.team, membership.role) == (team, Role.OWNER)


class TestAddMember:
    def test_changes_the_role_of_somebody_who_is_in_it(self):
        team = make_team()
        user = make_reviewer(team=team)

        add_member(team=team, user=user, role=Role.OWNER)

        assert team.memberships.get(user=user).role == Role.OWNER

    def test_keeps_the_last_owner(self):
        owner = make_owner()

        with pytest.raises(LastOwner):
            add_member(team=team_of(owner), user=owner, role=Role.REVIEWER)


class TestMembershipOf:
    def test_is_none_for_somebody_without_a_team(self):
        assert membership_of(make_user()) is None

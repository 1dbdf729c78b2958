"""Teams over HTTP: renamed and made by owners who are there themselves."""

import pytest

from tests.api.client import Person, Program
from tests.factories import make_owner, make_reviewer, make_team, team_of
from writ_app.models.accounts import Team
from writ_app.models.audit import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_owner(name="ada")


@pytest.fixture
def ada(owner):
    return Person(owner)


class TestATeam:
    def test_is_told_to_everybody_in_it(self, owner):
        team = team_of(owner)
        colleague = Program(make_reviewer(team=team))

        told = colleague.ask("get", "team").json()

        assert (told["id"], told["name"]) == (team.pk, team.name)
        assert told["needs_second_factor"] is False

    def test_keeps_what_a_change_leaves_out(self, owner, ada):
        team = team_of(owner)

        renamed = ada.ask("patch", "team", {"name": "  Analysts "}).json()

        assert (renamed["name"], renamed["needs_second_factor"]) == ("Analysts", False)
        row = Team.objects.get(pk=team.pk)
        assert row.name == "Analysts"
        assert AuditEntry.objects.filter(team=team, action="team.change").exists()

    def test_asks_for_a_second_factor_from_then_on(self, ada):
        changed = ada.ask("patch", "team", {"needs_second_factor": True})

        assert changed.json()["needs_second_factor"] is True
        assert ada.ask("get", "team").status_code == 403

    def test_does_not_take_another_ones_name(self, owner, ada):
        make_team(name="The others")

        refused = ada.ask("patch", "team", {"name": "The others"})

        assert refused.status_code == 422
        assert "The others" in refused.json()["detail"]
        assert team_of(owner).name != "The others"

    def test_is_made_beside_the_one_that_is_worked_in(self, owner, ada):
        team = team_of(owner)

        made = ada.ask("post", "teams", {"name": "One more"})

        assert made.status_code == 201
        assert owner.memberships.get(team=made.json()["id"]).owns
        assert ada.ask("get", "me").json()["team"]["id"] == team.pk
        assert ada.ask("post", "teams", {"name": "One more"}).status_code == 422

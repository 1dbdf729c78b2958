"""Personas, plans and a batch's marginals, as pages."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import (
    make_batch,
    make_owner,
    make_reviewer,
    make_trajectory,
    team_of,
)
from writ_app.models.behaviour import BehaviourPlan, Persona
from writ_app.models.synthesis import Trajectory

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_owner(name="ada")


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def described(**changes) -> dict[str, object]:
    return {
        "title": "Wavers",
        "slug": "wavers",
        "text": "You waver.",
        "dimension-goal_shift": ["replace", "drop"],
        **changes,
    }


class TestBehaviour:
    def test_lists_what_is_built_in_and_what_the_team_has(self, owner):
        own = Persona.objects.create(team=team_of(owner), slug="mine", title="Of ours")
        other = Persona.objects.create(
            team=team_of(make_owner()), slug="theirs", title="Of theirs"
        )

        page = signed_in(owner).get(reverse("behaviour")).content.decode()

        assert "Anything goes" in page
        assert "Writes letters" in page
        assert own.title in page
        assert other.title not in page


class TestPlanNew:
    def test_adds_a_plan_of_the_team(self, owner):
        response = signed_in(owner).post(reverse("plan_new"), described())

        plan = BehaviourPlan.objects.get(slug="wavers")
        assert response.headers["Location"] == reverse("plan", args=[plan.pk])
        assert plan.team == team_of(owner)
        assert plan.dimensions == {"goal_shift": ["replace", "drop"]}

    def test_says_which_values_do_not_go_together(self, owner):
        wrong = described(**{"dimension-confirmation": ["changes_mind"]})

        response = signed_in(owner).post(reverse("plan_new"), wrong)

        assert response.status_code == 422
        assert "The request changes only once." in response.content.decode()
        assert not BehaviourPlan.objects.filter(slug="wavers").exists()

    def test_refuses_a_name_that_is_taken(self, owner):
        response = signed_in(owner).post(reverse("plan_new"), described(slug="upfront"))

        assert response.status_code == 422
        assert "called upfront already" in response.content.decode()

    def test_begins_as_a_copy(self, owner):
        source = BehaviourPlan.objects.get(slug="guarded")

        page = signed_in(owner).get(f"{reverse('plan_new')}?from={source.pk}")

        form = page.context["form"]
        assert form.initial["slug"] == "guarded-copy"
        assert form.initial["dimension-cooperation"] == [
            "reluctant",
            "refuses_optional",
        ]

    @pytest.mark.parametrize("given", ["x", "-1", "9" * 40, "²"])
    def test_takes_a_strange_source_for_none(self, owner, given):
        page = signed_in(owner).get(reverse("plan_new"), {"from": given})

        assert page.status_code == 200
        assert page.context["source"] is None


class TestPersona:
    def test_shows_the_ledger_and_what_a_model_is_told(self, owner):
        make_trajectory(batch=make_batch(team=team_of(owner), by=owner))
        caller = Persona.objects.get(slug="caller")

        page = signed_in(owner).get(reverse("persona", args=[caller.pk]))

        text = page.content.decode()
        assert "Persona:" in text
        assert caller.text[:20] in text
        assert "one" in page.context["ledger"].lines[0].spoken

    def test_has_no_example_of_another_team(self, owner):
        trajectory = make_trajectory(batch=make_batch(team=team_of(make_owner())))
        plan = BehaviourPlan.objects.get(slug="open")
        address = reverse("plan", args=[plan.pk])

        page = signed_in(owner).get(address, {"task": trajectory.simulation.task_id})

        assert page.context["example"] is None
        assert "order a batch first" in page.content.decode()

    def test_edits_what_is_the_teams_own(self, owner):
        client = signed_in(owner)
        client.post(reverse("plan_new"), described())
        plan = BehaviourPlan.objects.get(slug="wavers")

        client.post(reverse("plan", args=[plan.pk]), described(title="Wavers twice"))

        plan.refresh_from_db()
        assert plan.title == "Wavers twice"

    def test_leaves_what_is_built_in_as_it_is(self, owner):
        plan = BehaviourPlan.objects.get(slug="upfront")

        signed_in(owner).post(reverse("plan", args=[plan.pk]), described())

        plan.refresh_from_db()
        assert plan.slug == "upfront"

    def test_of_another_team_is_not_found(self, owner):
        other = Persona.objects.create(
            team=team_of(make_owner()), slug="theirs", title="Of theirs"
        )
        client = signed_in(owner)

        assert client.get(reverse("persona", args=[other.pk])).status_code == 404
        address = reverse("persona_enabled", args=[other.pk])
        assert client.post(address).status_code == 404


class TestEnabled:
    def test_is_for_the_own_team_only(self, owner):
        plan = BehaviourPlan.objects.get(slug="pushing")
        other = team_of(make_owner())

        signed_in(owner).post(
            reverse("plan_enabled", args=[plan.pk]), {"enabled": "no"}
        )

        assert plan not in BehaviourPlan.objects.enabled_for(team_of(owner))
        assert plan in BehaviourPlan.objects.enabled_for(other)

    def test_is_for_owners_only(self, owner):
        reviewer = make_reviewer(team=team_of(owner))
        plan = BehaviourPlan.objects.get(slug="pushing")
        client = signed_in(reviewer)

        forbidden = [
            client.post(reverse("plan_enabled", args=[plan.pk])),
            client.get(reverse("plan_new")),
            client.post(reverse("persona_new")),
        ]

        assert [response.status_code for response in forbidden] == [403] * 3
        assert client.get(reverse("behaviour")).status_code == 200


class TestBatchBehaviour:
    def trajectory(self, owner) -> Trajectory:
        batch = make_batch(team=team_of(owner), by=owner)
        trajectory = make_trajectory(batch=batch)
        simulation = trajectory.simulation
        simulation.behaviour = {"tone": "angry", "channel": "chat"}
        simulation.save()
        trajectory.realised = {"tone": "neutral", "channel": "chat"}
        trajectory.save()
        return trajectory

    def test_counts_requested_against_realised(self, owner):
        trajectory = self.trajectory(owner)
        batch = trajectory.simulation.batch

        page = signed_in(owner).get(reverse("batch_behaviour", args=[batch.pk]))

        counts = {
            (one.dimension.slug, line.slug): (line.requested, line.kept, line.realised)
            for one in page.context["marginals"]
            for line in one.lines
        }
        assert counts == {
            ("tone", "neutral"): (0, 0, 1),
            ("tone", "angry"): (1, 0, 0),
            ("channel", "chat"): (1, 1, 1),
        }

    def test_gives_the_same_as_json(self, owner):
        batch = self.trajectory(owner).simulation.batch

        response = signed_in(owner).get(reverse("batch_behaviour_raw", args=[batch.pk]))

        counts = json.loads(response.content)["dimensions"]
        assert counts["tone"]["angry"] == {
            "requested": 1,
            "finished": 1,
            "kept": 0,
            "realised": 0,
        }

    def test_says_so_if_there_is_nothing_to_count(self, owner):
        batch = make_batch(team=team_of(owner), by=owner)

        page = signed_in(owner).get(reverse("batch_behaviour", args=[batch.pk]))

        assert "Nothing to count yet" in page.content.decode()

    def test_is_not_found_by_other_teams(self, owner):
        batch = self.trajectory(owner).simulation.batch
        client = signed_in(make_owner())

        for name in ("batch_behaviour", "batch_behaviour_raw"):
            assert client.get(reverse(name, args=[batch.pk])).status_code == 404

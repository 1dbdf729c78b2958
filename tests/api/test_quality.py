"""Quality control over HTTP: disputes settled, lots approved by a sample, planted errors counted."""

import pytest

from tests.api.client import Program
from tests.factories import (
    judge,
    make_batch,
    make_curator,
    make_dispute,
    make_owner,
    make_reviewer,
    make_trajectory,
    team_of,
)
from writ_app.models.review import ReviewItem, Verdict
from writ_app.services.review.quality.canaries import plant_canaries

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_owner(name="ada")


@pytest.fixture
def curator(owner):
    return Program(make_curator(team=team_of(owner), name="cleo"))


class TestADispute:
    def test_is_settled_by_a_third_and_taken_back(self, owner, curator):
        item = make_dispute(team=team_of(owner))
        at = f"disputes/{item.pk}"
        listed = curator.ask("get", "disputes").json()["items"]
        assert [one["trajectory"] for one in listed] == [item.pk]
        assert [one["verdict"] for one in listed[0]["opinions"]] == [
            "approve",
            "reject",
        ]

        lease = curator.ask("post", f"{at}/lease").json()
        body = {"token": lease["token"], "verdict": "approve"}
        assert curator.ask("post", f"{at}/settle", body).status_code == 201
        told = curator.ask("get", at).json()
        assert (told["status"], told["decision"]["reviewer"]) == ("approved", "cleo")
        assert curator.ask("get", "disputes").json()["items"] == []
        settled = curator.ask("get", "disputes", query={"settled": "true"}).json()
        assert [one["trajectory"] for one in settled["items"]] == [item.pk]

        assert curator.ask("post", "queue/undo", {}).status_code == 200
        assert ReviewItem.objects.get(pk=item.pk).status == "DISPUTED"

    def test_is_settled_by_neither_of_the_two(self, owner):
        team = team_of(owner)
        item = make_dispute(team=team)
        one = item.slots.get(number=1).events.get().reviewer
        one.memberships.update(role="CURATOR")

        refused = Program(one).ask("post", f"disputes/{item.pk}/lease")

        assert refused.status_code == 409

    def test_is_no_place_of_the_queue(self, owner, curator):
        item = make_dispute(team=team_of(owner))
        lease = curator.ask("post", f"disputes/{item.pk}/lease").json()
        body = {"token": lease["token"], "verdict": "approve"}

        at = f"queue/slots/{lease['slot']}/verdict"
        assert curator.ask("post", at, body).status_code == 404


class TestASample:
    @pytest.fixture
    def rows(self, owner):
        batch = make_batch(team=team_of(owner), by=owner)
        return [make_trajectory(batch=batch, number=n % 6) for n in range(12)]

    def test_is_offered_ordered_judged_and_approves_the_rest(
        self, owner, curator, rows
    ):
        offers = curator.ask("get", "sampling-plans/offers").json()
        assert offers["lot"] == len(rows)
        limit = offers["offers"][0]["limit"]
        plan = curator.ask("post", "sampling-plans", {"limit": limit}).json()
        at = f"sampling-plans/{plan['id']}"
        assert plan["status"] == "sampling"
        assert curator.ask("post", f"{at}/approve").status_code == 409

        for row in rows:
            if row.pk in plan["sample"]:
                judge(row, Verdict.APPROVE, owner)
        told = curator.ask("get", at).json()
        assert (told["status"], told["good"]) == ("passed", plan["size"])

        done = curator.ask("post", f"{at}/approve").json()
        assert done["items"] == len(rows) - plan["size"]
        assert set(ReviewItem.objects.values_list("status", flat=True)) == {"APPROVED"}
        assert curator.ask("post", f"{at}/undo").status_code == 200
        assert curator.ask("get", at).json()["status"] == "undone"

    def test_is_of_no_lot_that_there_is_not(self, curator, rows):
        for body in ({"archetype": "nowhere"}, {"batch": 10**9}):
            refused = curator.ask("post", "sampling-plans", {"limit": 0.1, **body})
            assert refused.status_code == 422
            assert refused.json()["errors"].keys() == body.keys()


class TestDetection:
    def test_names_others_to_curators_alone(self, owner, curator):
        team = team_of(owner)
        make_trajectory(batch=make_batch(team=team, by=owner))
        plant_canaries(team=team, seed=1, count=1)
        canary = ReviewItem.objects.exclude(canary="").get()
        finder = make_reviewer(team=team, name="ben")
        program = Program(finder)
        lease = program.ask("post", f"trajectories/{canary.pk}/lease").json()
        body = {"token": lease["token"], "verdict": "fix"}
        program.ask("post", f"queue/slots/{lease['slot']}/verdict", body)
        other = Program(make_reviewer(team=team))

        assert curator.ask("get", "quality/canaries").json()["reviewers"] == ["ben"]
        assert other.ask("get", "quality/canaries").json()["reviewers"] == []
        assert other.ask("get", "quality/canaries").json()["whole"]["hits"] == 1

    def test_follows_a_policy_that_curators_change(self, owner, curator):
        policy = {
            "second_share": 0.25,
            "canary_share": 0.05,
            "lease_seconds": 120,
            "ahead": 3,
        }

        assert curator.ask("put", "quality/policy", policy).json() == policy
        assert curator.ask("get", "quality/policy").json() == policy
        wrong = {**policy, "canary_share": 0.5}
        assert curator.ask("put", "quality/policy", wrong).status_code == 400

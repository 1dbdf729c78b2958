"""Edits over HTTP: drafted, judged at each step, saved as a version, withdrawn."""

import pytest

from tests.api.client import Program
from tests.edits import make_item
from tests.factories import (
    make_batch,
    make_owner,
    make_reviewer,
    make_trajectory,
    team_of,
)
from writ_app.models.editing import EditDraft
from writ_app.models.review import ReviewItem
from writ_app.services.review.quality.canaries import plant_canaries

pytestmark = pytest.mark.django_db
GREETING = {"act": "text", "message": 0, "value": "Good day, how can I help?"}


@pytest.fixture
def owner():
    return make_owner(name="ada")


@pytest.fixture
def item(owner):
    return make_item(by=owner)


@pytest.fixture
def program(owner, item):
    return Program(make_reviewer(team=team_of(owner), name="ben"))


class TestAnEdit:
    def test_is_drafted_saved_and_withdrawn(self, program, item, owner):
        at = f"trajectories/{item.pk}"
        told = program.ask("post", f"{at}/edit", GREETING).json()
        assert told["valid"]
        assert told["content"]["messages"][0]["content"] == GREETING["value"]
        assert program.ask("get", f"{at}/edit").json() == told
        assert Program(owner).ask("get", f"{at}/edit").json()["changes"] == []

        saved = program.ask("post", f"{at}/edit/save", {"reason": "Friendlier."})
        assert saved.status_code == 201
        version = f"trajectories/{saved.json()['id']}"
        shown = Program(owner).ask("get", version).json()
        assert (shown["edited"], shown["parent"]) == (True, item.pk)
        assert shown["edit_reason"] == "Friendlier."

        assert Program(owner).ask("post", f"{version}/withdraw").status_code == 409
        assert program.ask("post", f"{version}/withdraw").status_code == 204

    def test_gives_what_it_is_made_from_back_to_be_fixed(self, program, item):
        at = f"trajectories/{item.pk}"
        program.ask("post", f"{at}/lease")
        program.ask("post", f"{at}/edit", GREETING)

        program.ask("post", f"{at}/edit/save", {"reason": "Friendlier."})

        assert program.ask("get", at).json()["status"] == "fix"

    def test_is_no_version_while_a_check_fails(self, program, item):
        at = f"trajectories/{item.pk}"
        calls = [
            (number, call["id"])
            for number, message in enumerate(item.stored_content["messages"])
            for call in message["tool_calls"]
        ]
        step = {"act": "remove", "message": calls[-1][0], "call": calls[-1][1]}
        told = program.ask("post", f"{at}/edit", step).json()
        assert not told["valid"]
        assert told["advice"]

        refused = program.ask("post", f"{at}/edit/save", {"reason": "Shorter."})

        assert refused.status_code == 409
        assert program.ask("delete", f"{at}/edit").status_code == 204
        assert not EditDraft.objects.exists()

    @pytest.mark.parametrize(
        ("step", "status"),
        [
            ({"act": "explode"}, 400),
            ({"act": "text", "message": "x"}, 400),
            ({"act": "text", "message": 999, "value": "x"}, 422),
            ({"act": "add_call", "message": 0, "tool": "rm -rf"}, 422),
            ({"act": "accept", "target": "x"}, 422),
        ],
    )
    def test_refuses_nonsense_and_keeps_nothing_of_it(
        self, program, item, step, status
    ):
        at = f"trajectories/{item.pk}/edit"

        assert program.ask("post", at, step).status_code == status
        assert not EditDraft.objects.exists()

    def test_opened_tells_nothing_of_a_planted_error(self, owner, program):
        make_trajectory(batch=make_batch(team=team_of(owner), by=owner))
        plant_canaries(team=team_of(owner), seed=1, count=1)
        canary = ReviewItem.objects.exclude(canary="").get()

        told = program.ask("get", f"trajectories/{canary.pk}/edit").json()

        assert (told["valid"], told["advice"], told["proposals"]) == (True, {}, [])

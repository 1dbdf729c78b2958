"""Many at once over HTTP: judged, taken back, saved under a name, found again by a rule."""

import pytest

from tests.api.client import Program
from tests.factories import (
    judge,
    make_batch,
    make_owner,
    make_reviewer,
    make_trajectory,
    team_of,
)
from writ_app.models.accounts import Role
from writ_app.models.curation import SavedView
from writ_app.models.review import BulkAction, ReviewEvent, ReviewItem, Verdict

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_owner(name="ada")


@pytest.fixture
def rows(owner):
    batch = make_batch(team=team_of(owner), by=owner)
    return [make_trajectory(batch=batch, number=number) for number in range(3)]


@pytest.fixture
def reviewer(owner):
    return make_reviewer(team=team_of(owner), name="ben")


@pytest.fixture
def program(rows, reviewer):
    return Program(reviewer)


def states():
    return list(ReviewItem.objects.order_by("pk").values_list("status", flat=True))


class TestABulkAction:
    def test_is_forecast_done_and_undone(self, program, rows, owner):
        judge(rows[0], Verdict.APPROVE, owner)
        body = {"verdict": "reject", "reason": "policy", "filters": {}}

        seen = program.ask("post", "bulk-actions/forecast", body).json()
        assert (seen["total"], seen["changes"]) == (3, 2)
        assert [one["count"] for one in seen["skipped"]] == [1]
        assert states() == ["APPROVED", "OPEN", "OPEN"]

        done = program.ask("post", "bulk-actions", body).json()
        assert (done["total"], done["verdict"]) == (2, "reject")
        assert states() == ["APPROVED", "REJECTED", "REJECTED"]

        back = program.ask("post", f"bulk-actions/{done['id']}/undo").json()
        assert back == {"items": 2}
        assert states() == ["APPROVED", "OPEN", "OPEN"]

    def test_is_done_once_under_one_key(self, program, rows):
        body = {"verdict": "approve", "trajectories": [row.pk for row in rows]}

        answers = [
            program.ask("post", "bulk-actions", body, key="one") for _ in range(2)
        ]

        assert [one.status_code for one in answers] == [201, 201]
        assert BulkAction.objects.count() == 1

    def test_is_undone_as_a_whole_by_undoing_its_last_verdict(self, program, rows):
        body = {"verdict": "approve", "trajectories": [row.pk for row in rows]}
        program.ask("post", "bulk-actions", body)

        back = program.ask("post", "queue/undo", {}).json()

        assert back == {"lease": None, "items": 3}
        assert states() == ["OPEN"] * 3

    def test_of_another_is_undone_by_an_owner_and_by_no_other(
        self, program, rows, owner
    ):
        peer = Program(make_reviewer(team=team_of(owner)))
        done = program.ask(
            "post",
            "bulk-actions",
            {"verdict": "approve", "trajectories": [rows[0].pk]},
        ).json()
        at = f"bulk-actions/{done['id']}/undo"

        assert peer.ask("post", at).status_code == 409
        assert Program(owner).ask("post", at).status_code == 200

    def test_of_another_is_not_undone_by_an_owners_token_that_is_less(
        self, program, rows, owner
    ):
        body = {"verdict": "approve", "trajectories": [rows[0].pk]}
        done = program.ask("post", "bulk-actions", body).json()
        narrow = Program(owner, scope=Role.REVIEWER)

        refused = narrow.ask("post", f"bulk-actions/{done['id']}/undo")

        assert refused.status_code == 409
        assert states()[0] == "APPROVED"

    def test_reaches_nothing_of_other_teams(self, program):
        foreign = make_trajectory(batch=make_batch(team=team_of(make_owner())))
        body = {"verdict": "approve", "trajectories": [foreign.pk]}

        assert program.ask("post", "bulk-actions", body).status_code == 409
        assert not ReviewEvent.objects.exists()

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({"verdict": "approve"}, 422),
            ({"verdict": "approve", "filters": {}, "trajectories": [1]}, 422),
            ({"verdict": "reject", "filters": {}}, 422),
            ({"verdict": "approve", "filters": {"stauts": ["open"]}}, 400),
            ({"verdict": "approve", "trajectories": []}, 400),
            ({"verdict": "withdraw", "filters": {}}, 400),
        ],
    )
    def test_never_takes_a_slip_of_the_pen_for_everything(self, program, body, status):
        assert program.ask("post", "bulk-actions", body).status_code == status
        assert not ReviewEvent.objects.exists()


class TestASavedView:
    def test_is_saved_found_changed_and_deleted(self, program):
        body = {"name": "open", "filters": {"status": ["open"]}, "sort": "oldest"}
        made = program.ask("post", "views", body).json()
        assert SavedView.objects.get().filters["status"] == ["OPEN"]
        assert made["filters"] == {"status": ["open"], "sort": "oldest"}

        at = f"views/{made['id']}"
        shared = program.ask("put", at, {"name": "todo", "shared": True}).json()
        assert (shared["name"], shared["shared"]) == ("todo", True)
        assert program.ask("get", "views").json()["items"] == [shared]
        assert program.ask("delete", at).status_code == 204
        assert not SavedView.objects.exists()

    def test_of_another_is_seen_if_shared_and_never_changed(self, program, owner):
        theirs = Program(owner)
        saved = [
            theirs.ask(
                "post", "views", {"name": name, "filters": {}, "shared": shared}
            ).json()
            for name, shared in (("mine", False), ("ours", True))
        ]

        listed = program.ask("get", "views").json()["items"]

        assert [one["name"] for one in listed] == ["ours"]
        for view in saved:
            body = {"name": "taken", "shared": True}
            assert program.ask("put", f"views/{view['id']}", body).status_code == 404
            assert program.ask("delete", f"views/{view['id']}").status_code == 404

    def test_has_a_name_of_its_own(self, program):
        body = {"name": "open", "filters": {}}
        assert program.ask("post", "views", body).status_code == 201
        assert program.ask("post", "views", body).status_code == 409


class TestARule:
    def test_is_tried_and_then_requeues_what_it_finds(self, program, rows, owner):
        judge(rows[0], Verdict.APPROVE, owner)
        event = judge(rows[1], Verdict.REJECT, owner, reason="policy")
        filters = {"accepted": ["yes"]}

        trial = program.ask("post", "rules/try", {"filters": filters}).json()
        assert (trial["hits"], trial["approved"], trial["rejected"]) == (3, 1, 1)
        assert states() == ["APPROVED", "REJECTED", "OPEN"]

        rule = {"name": "all", "filters": filters, "event": event.pk}
        made = program.ask("post", "rules", rule).json()
        assert (made["hits"], made["requeued"]) == (3, 1)
        assert states() == ["OPEN", "REJECTED", "OPEN"]

    def test_comes_from_no_rejection_that_is_hidden(self, program, rows, owner):
        ReviewItem.objects.filter(pk=rows[1].pk).update(wanted=2)
        event = judge(rows[1], Verdict.REJECT, owner, reason="policy")
        rule = {"name": "x", "filters": {"accepted": ["yes"]}, "event": event.pk}

        refused = program.ask("post", "rules", rule)

        assert refused.status_code == 422
        assert refused.json()["errors"].keys() == {"event"}

    def test_names_a_filter(self, program):
        assert program.ask("post", "rules/try", {"filters": {}}).status_code == 422

"""The review over HTTP: leased, judged, taken back; found, looked at, talked about; and planted errors kept secret."""

import json
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client

from tests.api.client import Program
from tests.factories import (
    judge,
    make_batch,
    make_owner,
    make_reviewer,
    make_trajectory,
    team_of,
)
from writ_app.models.audit import AuditEntry
from writ_app.models.review import ReviewEvent, ReviewItem, ReviewSlot, Verdict
from writ_app.services.review.quality.canaries import plant_canaries
from writ_app.services.sessions import FRESH

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


def leased(program, **body):
    return program.ask("post", "queue/next", body).json()["lease"]


def given(program, lease, **body):
    body = {"token": lease["token"], "verdict": "approve", **body}
    return program.ask("post", f"queue/slots/{lease['slot']}/verdict", body)


class TestAReviewer:
    def test_leases_judges_and_takes_it_back(self, program, rows, reviewer):
        lease = leased(program)
        assert lease["trajectory"] == rows[0].pk
        assert program.ask("get", f"trajectories/{rows[0].pk}").status_code == 200

        said = given(
            program, lease, verdict="reject", reason="policy", message=2, note="No."
        )
        assert said.status_code == 201
        event = ReviewEvent.objects.get()
        assert said.json()["event"] == event.pk
        assert (event.reviewer, event.reason, event.message) == (reviewer, "policy", 2)
        told = program.ask("get", f"trajectories/{rows[0].pk}").json()
        assert told["status"] == "rejected"
        assert [one["verdict"] for one in told["verdicts"]] == ["reject"]
        assert program.ask("get", "queue/back").json()["event"] == event.pk

        back = program.ask("post", "queue/undo", {}).json()
        assert back["lease"]["trajectory"] == rows[0].pk
        assert back["lease"]["token"] > lease["token"]
        assert ReviewItem.objects.get(pk=rows[0].pk).status == "OPEN"
        assert given(program, back["lease"]).status_code == 201
        assert AuditEntry.objects.filter(action="verdict.give").count() == 2

    def test_may_send_a_verdict_twice_and_gives_it_once(self, program):
        lease, same = leased(program), {"submission": str(uuid4())}

        first = given(program, lease, **same)
        again = given(program, lease, **same)
        without = given(program, lease)

        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json()["event"] == again.json()["event"]
        assert without.status_code == 409
        assert ReviewEvent.objects.count() == 1

    def test_may_send_it_again_under_one_key(self, program):
        lease = leased(program)
        at = f"queue/slots/{lease['slot']}/verdict"
        body = {"token": lease["token"], "verdict": "approve"}

        answers = [program.ask("post", at, body, key="one") for _ in range(2)]
        other = program.ask("post", at, {**body, "verdict": "fix"}, key="one")

        assert [one.status_code for one in answers] == [201, 201]
        assert answers[0].json() == answers[1].json()
        assert other.status_code == 422
        assert ReviewEvent.objects.count() == 1

    def test_is_handed_nothing_that_another_holds(self, program, owner, rows):
        mine, theirs = leased(program), leased(Program(owner))

        assert mine["trajectory"] != theirs["trajectory"]
        at = f"queue/slots/{theirs['slot']}"
        body = {"token": theirs["token"], "verdict": "approve"}
        assert program.ask("post", f"{at}/verdict", body).status_code == 409
        assert (
            program.ask("post", f"{at}/renew", {"token": theirs["token"]}).status_code
            == 409
        )
        taken = program.ask("post", f"trajectories/{theirs['trajectory']}/lease")
        assert taken.status_code == 409

    def test_keeps_a_lease_alive_and_gives_it_back(self, program, owner):
        lease = leased(program)
        at, token = f"queue/slots/{lease['slot']}", {"token": lease["token"]}

        kept = program.ask("post", f"{at}/renew", token)
        gone = program.ask("post", f"{at}/release", token)

        assert kept.json()["leased_until"] >= lease["leased_until"]
        assert gone.status_code == 204
        taken = leased(Program(owner))
        assert taken["trajectory"] == lease["trajectory"]
        assert program.ask("post", f"{at}/renew", token).status_code == 409

    def test_gets_another_place_beside_those_in_hand(self, program):
        first = leased(program)
        second = leased(program, held=[first["slot"]])
        third = leased(program, held=[first["slot"], second["slot"]])
        held = [one["slot"] for one in (first, second, third)]

        assert len(set(held)) == 3
        assert leased(program, held=held) is None

    def test_asks_for_a_part_of_the_queue(self, program, rows):
        archetype = ReviewItem.objects.get(pk=rows[0].pk).archetype

        assert leased(program, archetype=archetype) is not None
        nowhere = program.ask("post", "queue/next", {"archetype": "nowhere"})
        assert nowhere.status_code == 422
        assert nowhere.json()["errors"].keys() == {"archetype"}

    @pytest.mark.parametrize(
        ("body", "status", "field"),
        [
            ({"verdict": "reject"}, 422, "reason"),
            ({"verdict": "reject", "reason": "other"}, 422, "note"),
            ({"verdict": "withdraw"}, 400, "verdict"),
            ({"verdict": "APPROVE"}, 400, "verdict"),
            ({"reason": "ugly"}, 400, "reason"),
            ({"message": "2"}, 400, "message"),
        ],
    )
    def test_is_told_which_part_of_a_verdict_is_wrong(
        self, program, body, status, field
    ):
        lease = leased(program)

        refused = given(program, lease, **body)

        assert refused.status_code == status
        assert refused.json()["errors"].keys() == {field}
        assert not ReviewEvent.objects.exists()

    def test_puts_off_and_finds_it_last(self, program):
        first = leased(program)
        given(program, first, verdict="defer")

        assert leased(program)["trajectory"] != first["trajectory"]
        assert program.ask("get", "queue").json()["deferred"] == 1


class TestTheList:
    def test_is_narrowed_by_the_filters_of_the_pages(self, program, rows, owner):
        judge(rows[1], Verdict.APPROVE, owner)

        def found(**query):
            told = program.ask("get", "trajectories", query=query).json()
            return [one["id"] for one in told["items"]]

        assert found() == [row.pk for row in reversed(rows)]
        assert found(status="approved") == [rows[1].pk]
        assert found(status=["open", "approved"], sort="oldest") == [
            row.pk for row in rows
        ]
        assert found(accepted="no") == []

    @pytest.mark.parametrize(
        "query", ["stauts=open", "status=OPEN", "writes=nine", "reviewer=ben", "sort=x"]
    )
    def test_refuses_what_it_does_not_know(self, program, query):
        assert program.ask("get", f"trajectories?{query}").status_code == 400

    @pytest.mark.parametrize("sort", ["newest", "oldest", "uncertain", "burden"])
    def test_comes_in_pages_that_repeat_and_skip_nothing(self, program, rows, sort):
        at, seen = f"/api/v1/trajectories?limit=1&sort={sort}", []
        while at:
            told = program.ask("get", at.removeprefix("/api/v1/")).json()
            seen += [one["id"] for one in told["items"]]
            at = told["next"]

        assert sorted(seen) == [row.pk for row in rows]

    def test_costs_as_many_queries_however_long_it_is(
        self, program, rows, django_assert_max_num_queries
    ):
        with django_assert_max_num_queries(16):
            told = program.ask("get", "trajectories")
        assert told.status_code == 200
        with django_assert_max_num_queries(16):
            told = program.ask("get", f"trajectories/{rows[0].pk}")
        assert told.status_code == 200

    def test_tells_what_it_can_be_narrowed_by(self, program, rows):
        told = program.ask("get", "trajectories/facets").json()["facets"]

        status = next(one for one in told if one["name"] == "status")
        counts = {one["value"]: one["count"] for one in status["choices"]}
        assert counts["open"] == len(rows)

    def test_is_exported_for_curators_and_put_on_record(self, owner, rows):
        query = {"format": "csv", "accepted": "yes"}
        sent = Program(owner).ask("get", "trajectories/export", query=query)

        lines = b"".join(sent.streaming_content).decode().splitlines()
        assert len(lines) == 1 + len(rows)
        entry = AuditEntry.objects.get(action="trajectories.export")
        assert entry.after["filters"] == {"accepted": ["yes"]}

    def test_is_exported_by_a_session_only_after_a_proof_of_late(self, owner, rows):
        client = Client()
        client.force_login(owner)
        assert client.get("/api/v1/trajectories/export").status_code == 200
        session = client.session
        session[FRESH] -= settings.REAUTH_SECONDS
        session.save()

        assert client.get("/api/v1/trajectories/export").status_code == 403


class TestAPlantedError:
    @pytest.fixture
    def canary(self, owner, rows):
        plant_canaries(team=team_of(owner), seed=1, count=1)
        return ReviewItem.objects.exclude(canary="").get()

    def test_looks_like_all_else_to_who_has_not_judged_it(self, program, canary):
        listed = program.ask("get", "trajectories").json()["items"]
        line = next(one for one in listed if one["id"] == canary.pk)
        told = program.ask("get", f"trajectories/{canary.pk}").json()
        original = program.ask("get", f"trajectories/{canary.parent_id}").json()

        assert line["accepted"]
        assert (line["reason"], line["failed"], line["edited"]) == ("", [], False)
        assert set(told) == set(original)
        for name in ("accepted", "edited", "parent", "edit_reason", "planted"):
            assert told[name] == original[name], name
        assert all(check["passed"] for check in told["verification"]["checks"])
        assert canary.canary not in json.dumps(told)

    def test_is_found_by_no_filter_that_would_tell_it_apart(self, program, canary):
        for query in ("accepted=no", "version=edited", "kinds=not_found"):
            told = program.ask("get", f"trajectories?{query}").json()["items"]
            assert told == [], query

    def test_is_told_to_who_has_judged_it(self, program, canary):
        lease = program.ask("post", f"trajectories/{canary.pk}/lease").json()

        said = given(program, lease, verdict="reject", reason="wrong_write").json()

        assert said["planted"]["caught"]
        told = program.ask("get", f"trajectories/{canary.pk}").json()
        assert told["planted"]["title"] == said["planted"]["title"]

    def test_is_in_no_export(self, owner, canary):
        judge_it = ReviewSlot.objects.filter(item=canary)
        judge_it.update(status="APPROVED")

        sent = Program(owner).ask("get", "trajectories/export")

        keys = [
            json.loads(one)["id"]
            for one in b"".join(sent.streaming_content).splitlines()
        ]
        assert canary.pk not in keys


class TestASecondOpinion:
    def test_is_given_without_seeing_the_first(self, program, owner, rows):
        ReviewItem.objects.filter(pk=rows[0].pk).update(wanted=2)
        item = ReviewItem.objects.get(pk=rows[0].pk)
        judge(rows[0], Verdict.REJECT, owner, reason="policy")
        Program(owner).ask(
            "post", f"trajectories/{item.pk}/comments", {"body": "Look at step 3."}
        )

        told = program.ask("get", f"trajectories/{item.pk}").json()
        talk = program.ask("get", f"trajectories/{item.pk}/comments").json()

        assert told["blind"]
        assert told["verdicts"] == []
        assert (talk["hidden"], talk["comments"]) == (True, [])

        lease = program.ask("post", f"trajectories/{item.pk}/lease").json()
        given(program, lease)
        told = program.ask("get", f"trajectories/{item.pk}").json()
        assert len(told["verdicts"]) == 2


class TestComments:
    def test_are_said_answered_and_withdrawn(self, program, owner, rows):
        at = f"trajectories/{rows[0].pk}/comments"
        first = program.ask("post", at, {"body": "Odd, @ada.", "message": 1}).json()
        reply = {"body": "It is.", "parent": first["id"]}
        answer = Program(owner).ask("post", at, reply).json()
        assert (answer["parent"], answer["message"]) == (first["id"], 1)

        assert program.ask("delete", f"comments/{answer['id']}").status_code == 404
        assert program.ask("delete", f"comments/{first['id']}").status_code == 204

        told = program.ask("get", at).json()
        assert [one["body"] for one in told["comments"]] == ["", "It is."]
        assert told["count"] == 1

    def test_answer_none_of_another_trajectory(self, program, rows):
        first = program.ask(
            "post", f"trajectories/{rows[0].pk}/comments", {"body": "Odd."}
        ).json()

        wrong = program.ask(
            "post",
            f"trajectories/{rows[1].pk}/comments",
            {"body": "Yes.", "parent": first["id"]},
        )

        assert wrong.status_code == 422
        assert wrong.json()["errors"].keys() == {"parent"}

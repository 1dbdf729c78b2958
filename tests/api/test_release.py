"""Releases over HTTP: drafted, chosen, frozen, downloaded, pushed."""

import hashlib
import io
import json
import zipfile

import pytest
from django.conf import settings
from django.test import Client

from tests.api.client import Program
from tests.factories import (
    judge,
    make_batch,
    make_curator,
    make_member,
    make_owner,
    make_team,
    make_trajectory,
    team_of,
)
from tests.hub_server import TOKEN, hub_running
from tests.releases import NOW
from writ_app.jobs import release as jobs
from writ_app.models.accounts import Role
from writ_app.models.audit import AuditEntry
from writ_app.models.review import Verdict
from writ_app.services.release import freeze_release
from writ_app.services.review.saved import save_view
from writ_app.services.sessions import FRESH

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_owner(name="ada")


@pytest.fixture
def rows(owner):
    batch = make_batch(team=team_of(owner), by=owner)
    made = [make_trajectory(batch=batch, number=number) for number in range(3)]
    for row in made:
        judge(row, Verdict.APPROVE, owner)
    return made


@pytest.fixture
def program(owner):
    return Program(owner)


@pytest.fixture
def frozen(rows, owner):
    return freeze_release(team=team_of(owner), name="first", by=owner, at=NOW)


@pytest.fixture
def worked(monkeypatch, django_capture_on_commit_callbacks):
    """Asks, and does at once what a worker is sent by it."""
    for job in (jobs.choose_members, jobs.freeze_draft, jobs.make_push):
        monkeypatch.setattr(job, "delay", job)

    def ask(program, *args, **kwargs):
        with django_capture_on_commit_callbacks(execute=True):
            return program.ask(*args, **kwargs)

    return ask


def content(response):
    return b"".join(response.streaming_content)


class TestARelease:
    def test_is_drafted_chosen_frozen_and_downloaded(self, program, rows, worked):
        draft = program.ask("post", "releases", {"name": "tools"}).json()
        at = f"releases/{draft['id']}"
        assert (draft["stage"], draft["trajectories"]) == ("new", 0)

        shares = {"train": 0.5, "test": 0.5}
        changed = program.ask("patch", at, {"shares": shares, "seed": 3}).json()
        assert changed["recipe"]["shares"] == shares
        assert worked(program, "post", f"{at}/choose").status_code == 202
        ready = program.ask("get", at).json()
        assert (ready["stage"], ready["trajectories"]) == ("ready", 3)
        assert sum(ready["splits"].values()) == 3
        members = program.ask("get", f"{at}/members").json()["items"]
        assert {one["trajectory"] for one in members} == {row.pk for row in rows}

        assert worked(program, "post", f"{at}/freeze").status_code == 202
        frozen = program.ask("get", f"{at}/progress").json()
        assert frozen["stage"] == "frozen"
        file = program.ask("get", f"{at}/file", query={"path": "manifest.json"})
        assert hashlib.sha256(content(file)).hexdigest() == frozen["content_hash"]
        archive = program.ask("get", f"{at}/archive", query={"format": "trl"})
        names = zipfile.ZipFile(io.BytesIO(content(archive))).namelist()
        listed = program.ask("get", f"{at}/files").json()["items"]
        wanted = {one["path"] for one in listed if one["format"] == "trl"}
        assert wanted
        assert {f"tools-v1/{path}" for path in wanted} < set(names)

    def test_holds_what_its_filters_find_and_nothing_else(self, program, rows, worked):
        filters = {"archetype": ["nothing has this one"]}
        draft = program.ask("post", "releases", {"name": "x", "filters": filters})
        at = f"releases/{draft.json()['id']}"
        worked(program, "post", f"{at}/choose")
        assert program.ask("get", at).json()["trajectories"] == 0

        program.ask("patch", at, {"filters": {"status": ["approved"]}})
        worked(program, "post", f"{at}/choose")

        assert program.ask("get", at).json()["trajectories"] == 3

    def test_tells_what_it_left_out_and_why(self, program, rows, worked):
        at = f"releases/{program.ask('post', 'releases', {'name': 'x'}).json()['id']}"
        program.ask("patch", at, {"cap": 0})
        worked(program, "post", f"{at}/choose")

        told = program.ask("get", f"{at}/refusals", query={"reason": "cap"}).json()

        assert {one["trajectory"] for one in told["items"]} == {r.pk for r in rows}
        assert program.ask("get", at).json()["left_out"] == {"cap": 3}

    def test_is_drafted_from_a_view_that_the_member_may_see(self, program, owner):
        team = team_of(owner)
        hidden = make_curator(team=team)
        saved = {"user": hidden, "team": team, "filters": {"writes": ["1"]}}
        own = save_view(name="mine alone", **saved)
        shared = save_view(name="for all", shared=True, **saved)

        refused = program.ask("post", "releases", {"name": "x", "view": own.pk})
        draft = program.ask("post", "releases", {"name": "x", "view": shared.pk})

        assert refused.status_code == 422
        assert refused.json()["errors"].keys() == {"view"}
        assert draft.json()["recipe"]["filters"] == {"writes": ["1"]}

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"shares": {"train": 0.5}}, ""),
            ({"shares": {"trian": 1}}, "shares"),
            ({"caps": {"1/1000": 1}}, "caps"),
            ({"gates": ["nowhere/v1"]}, "gates"),
            ({"max_tokens": 100}, ""),
            ({"view": 10**9}, "view"),
        ],
    )
    def test_takes_no_recipe_that_cannot_be_followed(self, program, body, field):
        at = f"releases/{program.ask('post', 'releases', {'name': 'x'}).json()['id']}"
        before = program.ask("get", at).json()

        refused = program.ask("patch", at, body)

        assert refused.status_code == 422
        assert set(refused.json()["errors"]) == ({field} if field else set())
        assert program.ask("get", at).json() == before

    def test_takes_no_filter_that_means_nothing(self, program):
        for filters in ({"writes": ["nine"]}, {"wirtes": ["1"]}, {"shape": "zz"}):
            body = {"name": "x", "filters": filters}
            assert program.ask("post", "releases", body).status_code == 400, filters

    def test_stays_as_it_was_frozen(self, program, frozen):
        at = f"releases/{frozen.pk}"

        answers = [
            program.ask("patch", at, {"seed": 2}),
            program.ask("delete", at),
            program.ask("post", f"{at}/choose"),
            program.ask("post", f"{at}/freeze"),
        ]

        assert [one.status_code for one in answers] == [409] * 4
        frozen.refresh_from_db()
        assert frozen.recipe["seed"] == 1

    def test_is_listed_in_pages_that_repeat_and_skip_nothing(self, program, frozen):
        query: dict[str, str] = {"limit": "2"}
        seen = []
        while True:
            told = program.ask(
                "get", f"releases/{frozen.pk}/members", query=query
            ).json()
            seen += [one["position"] for one in told["items"]]
            if told["cursor"] is None:
                break
            query["after"] = told["cursor"]

        assert seen == [0, 1, 2]

    def test_costs_as_many_queries_however_much_it_holds(
        self, program, frozen, django_assert_max_num_queries
    ):
        for place, most in (("members", 12), ("refusals", 12), ("files", 14)):
            with django_assert_max_num_queries(most):
                told = program.ask("get", f"releases/{frozen.pk}/{place}")
            assert told.status_code == 200
        with django_assert_max_num_queries(12):
            program.ask("get", "releases")

    def test_differs_from_another_in_what_the_comparison_says(
        self, program, frozen, rows, owner
    ):
        extra = make_trajectory(batch=rows[0].simulation.batch, number=3)
        judge(extra, Verdict.APPROVE, owner)
        later = freeze_release(team=team_of(owner), name="first", by=owner, at=NOW)
        query = {"before": str(frozen.pk), "after": str(later.pk)}

        told = program.ask("get", "releases/compare", query=query).json()

        assert told["added"] == [extra.pk]
        assert told["same"] == 3


class TestADownload:
    def test_is_in_the_log_with_what_was_taken(self, program, frozen):
        query = {"path": "trajectories.jsonl"}
        sent = program.ask("get", f"releases/{frozen.pk}/file", query=query)

        assert len(content(sent).splitlines()) == 3
        entry = AuditEntry.objects.filter(action="release.download").get()
        assert entry.after["file"] == "trajectories.jsonl"

    def test_of_what_there_is_not_is_not_found(self, program, frozen):
        for path in ("../manifest.json", "no-such-file", "trl/"):
            sent = program.ask(
                "get", f"releases/{frozen.pk}/file", query={"path": path}
            )
            assert sent.status_code == 404, path

    def test_by_a_session_wants_a_proof_of_late(self, owner, frozen):
        client = Client()
        client.force_login(owner)
        at = f"/api/v1/releases/{frozen.pk}/file?path=manifest.json"
        right_after = client.get(at)
        session = client.session
        session[FRESH] -= settings.REAUTH_SECONDS
        session.save()

        refused = client.get(at)

        assert right_after.status_code == 200
        assert refused.status_code == 403
        assert "Confirm" in refused.json()["detail"]

    def test_is_not_for_other_teams(self, frozen):
        stranger = Program(make_owner(team=make_team()))

        for place in ("", "/members", "/files", "/file?path=manifest.json", "/archive"):
            at = f"releases/{frozen.pk}{place}"
            assert stranger.ask("get", at).status_code == 404, place


class TestThePreview:
    def test_tells_what_carries_loss(self, program, rows):
        query = {"format": "trl", "family": "qwen3_instruct"}

        told = program.ask(
            "get", f"trajectories/{rows[0].pk}/preview", query=query
        ).json()

        assert 0 < told["trained"] < told["tokens"]
        roles = {
            turn["role"]
            for turn in told["turns"]
            if any(one["trained"] for one in turn["segments"])
        }
        assert roles == {"assistant"}
        assert json.dumps(told["row"])


class TestAPush:
    @pytest.fixture
    def hub(self, monkeypatch):
        with hub_running() as hub:
            monkeypatch.setenv("HF_ENDPOINT", hub.address)
            monkeypatch.setenv("HF_TOKEN", TOKEN)
            yield hub

    def test_is_planned_and_then_sent(self, program, frozen, hub, worked):
        at = f"releases/{frozen.pk}/pushes"
        body = {"repository": "ada/first", "formats": ["trl"]}

        planned = worked(program, "post", at, body)
        told = program.ask("get", f"{at}/{planned.json()['id']}").json()
        assert planned.status_code == 202
        assert told["stage"] == "planned"
        assert "trl/train.jsonl" in {one["path"] for one in told["files"]}
        assert not hub.repos

        sent = worked(program, "post", f"{at}/{told['id']}/send")
        assert sent.status_code == 202
        assert program.ask("get", f"{at}/{told['id']}").json()["stage"] == "done"
        assert "trl/train.jsonl" in hub.files("ada/first")
        assert TOKEN not in json.dumps(program.ask("get", at).json())

    def test_that_is_not_the_last_one_is_not_sent(self, program, frozen, hub, worked):
        at = f"releases/{frozen.pk}/pushes"
        first = worked(program, "post", at, {"repository": "ada/first"}).json()
        worked(program, "post", at, {"repository": "ada/second"})

        assert program.ask("post", f"{at}/{first['id']}/send").status_code == 409

    def test_is_for_owners(self, owner, frozen):
        curator = Program(make_member(team=team_of(owner), role=Role.CURATOR))

        assert curator.ask("get", f"releases/{frozen.pk}/pushes").status_code == 403

"""The page that pushes a release: who may, what it asks, and that a token is never part of it."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import (
    judge,
    make_batch,
    make_owner,
    make_reviewer,
    make_trajectory,
    team_of,
)
from tests.hub_server import TOKEN, hub_running
from tests.releases import NOW
from writ_app.jobs import release as jobs
from writ_app.models.release import PushStage, ReleasePush
from writ_app.models.review import Verdict
from writ_app.services.release import freeze_release

pytestmark = pytest.mark.django_db

GOES_TO = {"repository": "ada/first", "branch": "main", "private": "on"}


@pytest.fixture
def release() -> Any:
    owner = make_owner(name="ada")
    row = make_trajectory(batch=make_batch(team=team_of(owner), by=owner))
    judge(row, Verdict.APPROVE, owner)
    return freeze_release(team=team_of(owner), name="first", by=owner, at=NOW)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch):
    with hub_running() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield hub


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def page(release):
    return client_of(release.created_by)


@pytest.fixture
def at(release):
    return reverse("release_push", args=[release.pk])


@pytest.fixture
def worked(monkeypatch, django_capture_on_commit_callbacks):
    """Posts, and does at once what a worker is sent by it."""
    monkeypatch.setattr(jobs.make_push, "delay", jobs.make_push)

    def post(page: Client, address: str, values: dict[str, Any]) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return page.post(address, values)

    return post


class TestThePage:
    def test_shows_first_what_would_be_sent_and_then_sends_it(
        self, page, at, release, hub, worked
    ):
        worked(page, at, GOES_TO | {"slugs": ["trl"]})
        text = page.get(at).content.decode()
        push = ReleasePush.objects.get()
        assert push.stage == PushStage.PLANNED
        assert "it will be made, private" in text
        assert "trl/train.jsonl" in text
        assert not hub.repos

        send = reverse("release_push_send", args=[release.pk])
        worked(page, send, {"push": push.pk})

        text = page.get(at).content.decode()
        assert "trl/train.jsonl" in hub.files("ada/first")
        assert f"{hub.address}/datasets/ada/first/commit/" in text
        assert TOKEN not in text

    def test_tells_how_far_it_is_without_the_rest(self, page, at, release, hub):
        page.post(at, GOES_TO)
        ReleasePush.objects.update(
            stage=PushStage.SENDING,
            dealt_with=3,
            files=[{"path": "a", "state": "new", "bytes": 1}] * 7,
        )

        part = page.get(at, headers={"HX-Request": "true"}).content.decode()

        assert "3 / 7" in part
        assert "<html" not in part

    @pytest.mark.parametrize(
        "wrong",
        [
            {"repository": "no name!"},
            {"repository": "one/two/three"},
            {"repository": "http://127.0.0.1/x"},
            {"branch": "../main"},
            {"slugs": ["nope"]},
        ],
    )
    def test_refuses_what_is_no_repository_branch_or_format(self, page, at, hub, wrong):
        answer = page.post(at, GOES_TO | wrong)

        assert answer.status_code == 422
        assert not ReleasePush.objects.exists()

    def test_says_when_no_token_is_set_and_has_no_field_for_one(
        self, page, at, monkeypatch
    ):
        monkeypatch.delenv("HF_TOKEN", raising=False)

        text = page.get(at).content.decode()
        answer = page.post(at, GOES_TO)

        assert "<code>HF_TOKEN</code> is not set" in text
        assert 'name="repository"' not in text
        assert answer.status_code == 422
        assert not ReleasePush.objects.exists()

    def test_a_second_one_is_refused_while_one_is_under_way(self, page, at, hub):
        page.post(at, GOES_TO)

        answer = page.post(at, GOES_TO)

        assert "is under way" in answer.content.decode()
        assert ReleasePush.objects.count() == 1

    def test_sends_only_the_push_that_was_looked_at(self, page, at, release, hub):
        page.post(at, GOES_TO)
        first = ReleasePush.objects.get()
        ReleasePush.objects.update(stage=PushStage.PLANNED)
        page.post(at, GOES_TO | {"repository": "ada/second"})
        ReleasePush.objects.update(stage=PushStage.PLANNED)

        send = reverse("release_push_send", args=[release.pk])
        answer = page.post(send, {"push": first.pk}, follow=True)

        assert "There is a later push by now" in answer.content.decode()
        assert not ReleasePush.objects.live().exists()


class TestWhoMay:
    def test_only_owners_see_it_or_its_button(self, at, release, hub):
        reviewer = client_of(make_reviewer(team=release.team))
        send = reverse("release_push_send", args=[release.pk])

        assert reviewer.get(at).status_code == 403
        assert reviewer.post(at, GOES_TO).status_code == 403
        assert reviewer.post(send, {"push": 1}).status_code == 403
        of_release = reverse("release", args=[release.pk])
        assert at not in reviewer.get(of_release).content.decode()
        assert at in client_of(release.created_by).get(of_release).content.decode()

    def test_another_team_finds_nothing(self, at, release, hub):
        other = client_of(make_owner())
        send = reverse("release_push_send", args=[release.pk])

        assert other.get(at).status_code == 404
        assert other.post(at, GOES_TO).status_code == 404
        assert other.post(send, {"push": 1}).status_code == 404

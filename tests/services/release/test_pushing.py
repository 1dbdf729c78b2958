"""Pushes by the site: planned, sent, gone on with; what is in the way is said in the row."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.hub_server import TOKEN, Fault, Hub, hub_running
from writ_app.adapters.huggingface import HubError
from writ_app.jobs import release as jobs
from writ_app.models.release import PushStage, ReleasePush
from writ_app.services.release import CannotRelease, draft_release
from writ_app.services.release import pushing as service
from writ_app.services.release.files import files_of

pytestmark = pytest.mark.django_db

REPO = "ada/first"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr("writ_app.adapters.huggingface.PAUSE_SECONDS", 0.0)
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    with hub_running() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield hub


@pytest.fixture
def push(release: Any, owner: Any, hub: Hub) -> ReleasePush:
    return service.order_push(
        release=release, by=owner, repository=REPO, slugs=["trl", "parquet"]
    )


def run(push: ReleasePush) -> ReleasePush:
    service.make_push(push_id=push.pk)
    push.refresh_from_db()
    return push


def sent(push: ReleasePush) -> ReleasePush:
    run(push)
    service.order_sending(push)
    return run(push)


class TestPlanning:
    def test_says_what_would_be_sent_and_sends_nothing(self, push, hub):
        run(push)

        assert (push.stage, push.found) == (PushStage.PLANNED, "none")
        assert {one["state"] for one in push.files} == {"new"}
        assert "trl/train.jsonl" in {one["path"] for one in push.files}
        assert not hub.repos

    def test_refuses_a_public_repository_for_what_is_to_be_private(self, push, hub):
        sent(push)
        hub.repos[REPO]["private"] = False

        again = run(
            service.order_push(
                release=push.release, by=push.created_by, repository=REPO
            )
        )

        assert again.stage == PushStage.FAILED
        assert "is there and public" in again.trouble

    def test_names_files_that_are_not_of_the_release(self, push, hub):
        sent(push)
        hub.repos[REPO]["branches"]["main"]["notes.txt"] = (b"mine", False)

        again = run(
            service.order_push(
                release=push.release, by=push.created_by, repository=REPO, slugs=["trl"]
            )
        )

        assert (again.found, "notes.txt" in again.others) == ("private", True)
        assert next(one for one in again.files if one["path"] == "trl/train.jsonl")[
            "state"
        ] in ("same", "unknown")


class TestSending:
    def test_everything_is_there_as_it_is_made(self, push, hub):
        sent(push)

        made = {
            one.path: b"".join(one.chunks) for one in files_of(push.release, push.slugs)
        }
        assert made.items() <= hub.files(REPO).items()
        assert push.stage == PushStage.DONE
        assert push.dealt_with == len(push.files) == len(made) + 1
        assert push.address.startswith(hub.address)
        assert hub.repos[REPO]["private"] is True

    def test_is_not_begun_before_it_was_planned(self, push):
        with pytest.raises(CannotRelease, match="no longer waiting"):
            service.order_sending(push)

    def test_goes_on_where_it_was_stopped(self, push, hub):
        hub.faults = [Fault("POST", "/commit/", 500) for _ in range(20)]
        sent(push)
        assert push.stage == PushStage.FAILED
        uploads, hub.faults = list(hub.uploads), []

        service.order_sending(push)
        run(push)

        assert push.stage == PushStage.DONE
        assert uploads
        assert hub.uploads == uploads

    def test_goes_on_when_a_worker_died(self, push, hub):
        run(push)
        service.order_sending(push)
        dead = ReleasePush.objects.claim(push.pk, quiet=service.QUIET)
        service.make_push(push_id=push.pk)
        assert ReleasePush.objects.get().stage == PushStage.SENDING  # somebody is at it
        long_ago = timezone.now() - service.QUIET - timedelta(seconds=1)
        ReleasePush.objects.update(touched_at=long_ago)

        assert service.waiting_pushes() == [push.pk]
        run(push)

        assert push.stage == PushStage.DONE
        assert push.attempt == dead + 1
        assert not ReleasePush.objects.under(push.pk, dead).exists()

    def test_a_worker_that_was_overtaken_stops_and_writes_nothing(
        self, push, hub, monkeypatch
    ):
        run(push)
        service.order_sending(push)
        real = service.push_release

        def overtaken(*args: Any, **more: Any) -> Iterator[Any]:
            for one in real(*args, **more):
                ReleasePush.objects.update(attempt=77)
                yield one

        monkeypatch.setattr(service, "push_release", overtaken)
        run(push)

        assert (push.stage, push.dealt_with) == (PushStage.SENDING, 0)
        assert hub.commits == 0

    @pytest.mark.django_db(transaction=True)
    def test_says_that_it_is_alive_while_a_file_takes_long(
        self, push, hub, monkeypatch
    ):
        long_ago = timezone.now() - timedelta(hours=1)

        def slow(*args: Any) -> Iterator[Any]:
            ReleasePush.objects.update(touched_at=long_ago)
            until = time.monotonic() + 30
            while ReleasePush.objects.filter(touched_at=long_ago):
                assert time.monotonic() < until
                time.sleep(0.01)
            yield from ()

        monkeypatch.setattr(service, "BEAT", 0.01)
        monkeypatch.setattr(service, "plan_push", slow)

        assert run(push).stage == PushStage.PLANNED


class TestWhatIsInTheWay:
    def test_without_a_token_nothing_is_ordered(self, release, owner, monkeypatch):
        monkeypatch.delenv("HF_TOKEN", raising=False)

        with pytest.raises(HubError, match="HF_TOKEN is not set"):
            service.order_push(release=release, by=owner, repository=REPO)

    def test_a_worker_without_a_token_says_so(self, push, monkeypatch):
        monkeypatch.delenv("HF_TOKEN")

        assert "HF_TOKEN is not set" in run(push).trouble

    def test_a_token_that_is_refused_is_in_no_row(self, push, monkeypatch):
        monkeypatch.setenv("HF_TOKEN", "hf_wrongToken")

        run(push)

        assert push.stage == PushStage.FAILED
        assert "the token is not accepted" in push.trouble
        row = ReleasePush.objects.values().get()
        assert "hf_wrongToken" not in str(row)

    def test_two_at_once_are_refused(self, push, release, owner):
        with pytest.raises(CannotRelease, match="is under way"):
            service.order_push(release=release, by=owner, repository="ada/other")

    def test_a_draft_is_refused(self, team, owner, hub):
        draft = draft_release(team=team, name="next", by=owner)

        with pytest.raises(CannotRelease, match="freeze it first"):
            service.order_push(release=draft, by=owner, repository=REPO)

    def test_what_nobody_expected_ends_the_push_with_a_word(self, push, monkeypatch):
        def broken(*args: Any, **more: Any) -> None:
            raise RuntimeError("hf_secret")

        monkeypatch.setattr(service, "plan_push", broken)
        jobs.make_push(push_id=push.pk)
        push.refresh_from_db()

        assert push.stage == PushStage.FAILED
        assert push.trouble == "It broke off: RuntimeError, see the log."

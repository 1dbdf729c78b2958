"""A push from the form to the repository, by a real worker over the real broker; one dies in the midst, and another goes on."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import psutil
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import judge, make_batch, make_owner, make_trajectory, team_of
from tests.hub_server import Fault, Hub, hub_running, known_to_workers
from tests.releases import NOW
from writ_app.adapters.processes import Child
from writ_app.jobs.release import resume_pushes
from writ_app.models.release import PushStage, Release, ReleasePush
from writ_app.models.review import Verdict
from writ_app.services.release import freeze_release
from writ_app.services.release.files import files_of
from writ_app.services.release.pushing import QUIET

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
REPO = "ada/first"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    known = known_to_workers()
    for name, value in known.items():
        monkeypatch.setenv(name, value)
    with hub_running(urlsplit(known["HF_ENDPOINT"]).port or 0) as hub:
        yield hub


@pytest.fixture
def release() -> Release:
    owner = make_owner(name="ada")
    batch = make_batch(team=team_of(owner), by=owner)
    for number in range(2):
        row = make_trajectory(batch=batch, number=number)
        judge(row, Verdict.APPROVE, owner)
    return freeze_release(team=team_of(owner), name="first", by=owner, at=NOW)


def until(holds: Callable[[ReleasePush], bool]) -> ReleasePush:
    push = ReleasePush.objects.get()
    for _ in range(600):
        if holds(push):
            return push
        time.sleep(0.1)
        push.refresh_from_db()
    raise AssertionError(f"{push}: {push.stage} {push.dealt_with} {push.trouble}")


def over_by_the_clock() -> Callable[[ReleasePush], bool]:
    """Whether it has ended, with the periodic job at work: a message to who just died may be lost, and is sent again."""
    asked = 0

    def holds(push: ReleasePush) -> bool:
        nonlocal asked
        if asked % 50 == 0:
            resume_pushes()
        asked += 1
        return not push.is_live

    return holds


def kill_who_sends(runner: Child) -> None:
    """The worker that pushes are for, with its processes: it is the runner's neighbour. Another one takes its place."""
    assert runner.process is not None
    (code,) = psutil.Process(runner.process.pid).parents()[:1]
    (sender,) = (one for one in code.children() if one.pid != runner.process.pid)
    os.killpg(sender.pid, signal.SIGKILL)


def test_a_worker_sends_what_another_one_left_behind(
    hub: Hub, celery_worker_process: Child, release: Release
) -> None:
    client = Client()
    client.force_login(release.created_by)
    address = reverse("release_push", args=[release.pk])

    client.post(address, {"repository": REPO, "branch": "main", "private": "on"})
    push = until(lambda push: push.stage == PushStage.PLANNED)
    assert not hub.repos

    hub.faults = [Fault("PUT", "/lfs/", "held", after=3)]
    client.post(reverse("release_push_send", args=[release.pk]), {"push": push.pk})
    assert hub.holds.wait(60)
    kill_who_sends(celery_worker_process)
    hub.goes_on.set()
    before = list(hub.uploads)
    long_ago = timezone.now() - QUIET - timedelta(seconds=1)
    ReleasePush.objects.filter(stage=PushStage.SENDING).update(touched_at=long_ago)
    push = until(over_by_the_clock())

    assert (push.stage, push.trouble) == (PushStage.DONE, "")
    assert hub.uploads[: len(before)] == before
    assert len(before) == 3
    assert len(set(hub.uploads)) == len(hub.uploads)  # none was sent twice
    assert hub.commits == 1
    made = {one.path: b"".join(one.chunks) for one in files_of(release)}
    assert made.items() <= hub.files(REPO).items()
    assert push.address in client.get(address).content.decode()

"""Pushes that the site makes: ordered, planned and then sent by workers, and gone on with after any interruption."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import timedelta
from threading import Event, Thread
from typing import Any

from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models.functions import Now

from writ_app.adapters.huggingface import HubError
from writ_app.engine.errors import WritError
from writ_app.models.accounts import User
from writ_app.models.release import PushStage, Release, ReleasePush
from writ_app.services import webhooks
from writ_app.services.audit import record
from writ_app.services.release.draft import CannotRelease
from writ_app.services.release.push import (
    TOKEN,
    Done,
    Repository,
    check_frozen,
    has_token,
    plan_push,
    push_release,
    repository_at,
)

QUIET = timedelta(minutes=2)
"""A worker that says nothing for so long is taken for dead."""
BEAT = 20.0
"""Seconds: one large file may take longer than a worker may be quiet."""
NO_TOKEN = (
    f"{TOKEN} is not set: nothing can be compared or sent. Set it in the environment of the site and its workers, "
    "and start them again. It is never typed here."
)


class Overtaken(WritError):
    """Another worker does this push by now."""


def order_push(
    *,
    release: Release,
    by: User,
    repository: str,
    branch: str = "main",
    private: bool = True,
    slugs: Sequence[str] = (),
) -> ReleasePush:
    """A push that is to be planned; nothing is sent before `order_sending`. The caller sends the job. Raises CannotRelease, HubError."""
    check_frozen(release)
    _need_token()
    push = ReleasePush(
        release=release,
        created_by=by,
        repository=repository,
        branch=branch,
        private=private,
        slugs=list(slugs),
    )

    def keep() -> None:
        push.save()
        record(
            "release.plan_push",
            team=release.team_id,
            row=release,
            after={"repository": repository, "branch": branch, "private": private},
        )

    _one_at_a_time(push, keep)
    return push


def order_sending(push: ReleasePush) -> None:
    """Let go what was planned, or again what was stopped. The caller sends the job. Raises CannotRelease, HubError."""
    _need_token()
    known = PushStage.SENDING if push.files else PushStage.PLANNING
    waiting = ReleasePush.objects.filter(
        pk=push.pk, stage__in=(PushStage.PLANNED, PushStage.FAILED)
    )

    def let_go() -> int:
        done = waiting.update(
            stage=known,
            claimed=False,
            dealt_with=0,
            trouble="",
            finished_at=None,
            touched_at=Now(),
        )
        if done:
            record(
                "release.push",
                team=push.release.team_id,
                row=push.release,
                after={"repository": push.repository, "private": push.private},
            )
        return done

    if not _one_at_a_time(push, let_go):
        raise CannotRelease(f"The push to {push.repository} is no longer waiting.")


def _need_token() -> None:
    """The site says at once what its workers would say."""
    if not has_token():
        raise HubError(NO_TOKEN)


def _one_at_a_time(push: ReleasePush, write: Any) -> Any:
    try:
        with transaction.atomic():
            return write()
    except IntegrityError as error:
        if "release_push_one_at_a_time" not in str(error):
            raise
        raise CannotRelease(
            f"Another push of {push.release} is under way: wait until it is done."
        ) from error


def waiting_pushes() -> list[int]:
    """Those that nobody is at: their messages were lost, or their workers."""
    left = ReleasePush.objects.live().filter(touched_at__lt=Now() - QUIET)
    return list(left.order_by("pk").values_list("pk", flat=True))


def stop_push(*, push_id: int, why: str) -> None:
    """Note why the work on it ended early."""
    push = ReleasePush.objects.select_related("release").filter(pk=push_id).first()
    if push is not None:
        _end(push, ReleasePush.objects.live().filter(pk=push_id), _failed(why))


def _failed(why: str) -> dict[str, Any]:
    return {"stage": PushStage.FAILED, "trouble": why[:4000], "finished_at": Now()}


@transaction.atomic
def _end(push: ReleasePush, mine: Any, values: dict[str, Any]) -> None:
    """Note how it ended, and tell it, unless it is somebody else's by now."""
    if not mine.update(**values):
        return
    done = values["stage"] == PushStage.DONE
    told = webhooks.Event
    webhooks.announce(
        told.RELEASE_PUSHED if done else told.RELEASE_PUSH_FAILED,
        team=push.release.team_id,
        push=push.pk,
        release=push.release_id,
        name=str(push.release),
        repository=push.repository,
        **({"address": values["address"]} if done else {}),
    )


def make_push(*, push_id: int) -> None:
    """Plan it, or send it, whichever was ordered. What goes wrong is noted in its row; whoever comes second leaves it alone."""
    attempt = ReleasePush.objects.claim(push_id, quiet=QUIET)
    if attempt is None:
        return
    push = ReleasePush.objects.select_related("release__team").get(pk=push_id)
    mine = ReleasePush.objects.under(push_id, attempt)
    try:
        _need_token()
        repository = repository_at(push.repository, push.branch)
        with _beating(push):
            if push.stage == PushStage.PLANNING:
                _plan(push, repository, mine)
            else:
                _send(push, repository, mine)
    except Overtaken:
        return
    except (WritError, OSError) as error:
        _end(push, mine, _failed(str(error)))


def _plan(push: ReleasePush, repository: Repository, mine: Any) -> None:
    found = repository.visibility()
    if push.private and found == "public":
        raise HubError(
            f"{push.repository} is there and public, and was to be private: nothing was sent."
        )
    remote = repository.files() if found != "none" else None
    planned = [
        asdict(one) for one in plan_push(push.release, push.slugs or None, remote)
    ]
    ours = {one["path"] for one in planned} | {".gitattributes"}
    mine.update(
        stage=PushStage.PLANNED,
        found=found,
        files=planned,
        others=sorted((remote or {}).keys() - ours),
        finished_at=Now(),
    )


def _send(push: ReleasePush, repository: Repository, mine: Any) -> None:
    files = {one["path"]: one for one in push.files}
    done = Done("", ())
    steps = push_release(
        push.release, repository, push.slugs or None, private=push.private
    )
    for count, one in enumerate(steps, start=1):
        if isinstance(one, Done):
            done = one
            continue
        files[one.path] = asdict(one)
        told = {"files": list(files.values()), "dealt_with": count}
        if not mine.update(**told, touched_at=Now()):
            raise Overtaken("Somebody else does this push.")
    ended = {
        "stage": PushStage.DONE,
        "address": done.address,
        "others": list(done.others),
        "finished_at": Now(),
    }
    _end(push, mine, ended)


@contextmanager
def _beating(push: ReleasePush) -> Iterator[None]:
    """Says every now and then that somebody is at it, on a connection of its own."""
    mine = ReleasePush.objects.filter(pk=push.pk, attempt=push.attempt)
    over = Event()

    def beat() -> None:
        while not over.wait(BEAT):
            with suppress(DatabaseError):  # the next beat may reach it
                mine.update(touched_at=Now())
            connection.close()

    thread = Thread(target=beat, name=f"push-{push.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()

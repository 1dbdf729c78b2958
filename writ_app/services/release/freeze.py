"""Freezing: all rows are read and hashed first, then one short transaction looks at every member again and makes it final."""

from collections.abc import Collection
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from writ_app.engine.errors import WritError
from writ_app.engine.export.records import digest
from writ_app.models.accounts import Team, User
from writ_app.models.release import DraftStage, Release
from writ_app.models.review import ReviewItem
from writ_app.services.audit import record
from writ_app.services.catalog import ChangedEnvironment
from writ_app.services.release.dataset import ReleaseDamaged
from writ_app.services.release.draft import (
    CannotRelease,
    choose_members,
    draft_release,
    lock_draft,
    order_choice,
    stop,
)
from writ_app.services.release.manifest import (
    Seen,
    build_manifest,
    canonical,
    look_through,
)
from writ_app.services.release.recipe import Recipe
from writ_app.services.webhooks import Event, announce

NAMED = 5
"""Trajectories that an error lists."""
SMALL = 1000
"""So many members are frozen while the page waits."""


def freeze_draft(*, release: Release, by: User, at: datetime) -> Release:
    """Freeze what was chosen. Raises CannotRelease if nothing was, or if a member may no longer be released."""
    release = Release.objects.select_related("team", "created_by").get(pk=release.pk)
    if release.frozen_at is not None:
        raise CannotRelease(f"{release} is frozen already.")
    if release.stage not in (DraftStage.READY, DraftStage.FREEZING):
        raise CannotRelease(f"{release}: choose its members first.")
    if not release.members.exists():
        raise CannotRelease(_nothing(release))
    try:
        seen = look_through(release)
    except (ReleaseDamaged, ChangedEnvironment) as error:
        raise CannotRelease(
            f"{error} Choose the members of {release} again."
        ) from error
    try:
        return _freeze(release, seen, by, at)
    except IntegrityError as error:
        reason = str(error).splitlines()[0]
        raise CannotRelease(
            f"{reason} Choose the members of {release} again."
        ) from error


@transaction.atomic
def _freeze(release: Release, seen: Seen, by: User, at: datetime) -> Release:
    held = lock_draft(release)
    if held.revision != release.revision:
        raise CannotRelease(f"{release} was changed meanwhile: look at it again.")
    _lock_members(held)
    held.manifest = build_manifest(held, seen, by=by, at=at)
    held.content_hash = digest(canonical(held.manifest))
    held.frozen_at, held.stage = at, DraftStage.READY
    held.save(update_fields=["manifest", "content_hash", "frozen_at", "stage"])
    record(
        "release.freeze",
        team=held.team_id,
        row=held,
        by=by,
        after={
            "name": str(held),
            "members": held.members.count(),
            "content_hash": held.content_hash,
        },
    )
    announce(
        Event.RELEASE_FROZEN,
        team=held.team_id,
        release=held.pk,
        name=str(held),
        content_hash=held.content_hash,
    )
    return held


def _lock_members(release: Release) -> None:
    """Hold back whoever undoes or judges anew at this moment. Raises CannotRelease for a member that may not be released."""
    items = ReviewItem.objects.filter(memberships__release=release)
    locked = set(
        items.order_by("pk")
        .select_for_update(no_key=True, of=("self",))
        .values_list("pk", flat=True)
    )
    gone = sorted(
        locked - set(items.releasable().order_by().values_list("pk", flat=True))
    )
    if gone:
        named = ", ".join(map(str, gone[:NAMED]))
        more = f" and {len(gone) - NAMED:,} more" if len(gone) > NAMED else ""
        raise CannotRelease(
            f"Trajectory {named}{more} may no longer be released: its approval was withdrawn, a later version of it was approved, "
            f"or the verification rejects it by now. Choose the members of {release} again."
        )


def _nothing(release: Release) -> str:
    if release.refusals.exists():
        return (
            f"{release} would be empty: everything that its recipe finds is left out."
        )
    return (
        "There are no approved trajectories to release"
        + (" among what the filters find" if release.recipe.get("filters") else "")
        + ". Review some first."
    )


def order_freeze(release: Release) -> int:
    """Note that a draft is to be frozen by a job; returns the revision to send it with. Raises CannotRelease."""
    with transaction.atomic():
        held = lock_draft(release)
        if held.stage != DraftStage.READY or not held.members.exists():
            raise CannotRelease(f"{held}: choose its members first.")
        Release.objects.filter(pk=held.pk).update(
            stage=DraftStage.FREEZING, trouble="", touched_at=Now()
        )
        return held.revision


def freeze_ordered(*, release_id: int, revision: int, by_id: int, at: datetime) -> None:
    """Do what `order_freeze` noted. What goes wrong is noted in the row; a stale order is dropped."""
    release = (
        Release.objects.drafts()
        .filter(pk=release_id, revision=revision, stage=DraftStage.FREEZING)
        .first()
    )
    if release is None:
        return
    try:
        freeze_draft(release=release, by=User.objects.get(pk=by_id), at=at)
    except WritError as error:
        stop(release_id=release_id, revision=revision, why=str(error))


def freeze_release(
    *,
    team: Team,
    name: str,
    by: User,
    at: datetime,
    excluded: Collection[int] = (),
    recipe: Recipe | None = None,
    licence: str = "",
    description: str = "",
) -> Release:
    """Draft, choose and freeze in one go: by default all approved trajectories of the team but the `excluded`.

    Raises CannotRelease, and then leaves no draft behind.
    """
    recipe = (recipe or Recipe()).model_copy(update={"excluded": tuple(excluded)})
    with transaction.atomic():
        release = draft_release(
            team=team,
            name=name,
            by=by,
            recipe=recipe,
            licence=licence,
            description=description,
        )
        choose_members(release_id=release.pk, revision=order_choice(release))
        release.refresh_from_db()
        if release.stage == DraftStage.FAILED:
            raise CannotRelease(release.trouble)
        return freeze_draft(release=release, by=by, at=at)

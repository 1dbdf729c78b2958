"""Drafts: a numbered release that is still to be frozen. Its recipe can be changed, its members chosen anew, all of it thrown away.

Choosing reads every candidate, which takes a while if they are many: a job does it outside of any transaction and stores the result
in one short one, unless the recipe was changed meanwhile.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import batched
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Max
from django.db.models.functions import Now

from writ_app.engine.errors import WritError
from writ_app.engine.export.records import digest
from writ_app.models.accounts import Team, User
from writ_app.models.release import (
    WORKING,
    DraftStage,
    Release,
    ReleaseMember,
    ReleaseQuerySet,
    ReleaseRefusal,
)
from writ_app.models.review import ReviewItem
from writ_app.services.audit import digest_of_text, record
from writ_app.services.release.choose import Candidate, choose
from writ_app.services.release.dataset import Writer, read_rows
from writ_app.services.release.judge import Refusal, candidates_of, judge
from writ_app.services.release.recipe import Recipe, dump_recipe, read_recipe
from writ_app.services.release.split import Splits, split

AT_ONCE = 200
SMALL = 100
"""So many candidates are chosen from while the page waits."""


class CannotRelease(WritError):
    """Nothing is approved, or the draft is not at the stage for it."""


class StaleDraft(WritError):
    """The recipe was changed, or the draft thrown away, while a job was at it."""


# --- drafts --------------------------------------------------------------------------------------------------------------------


@transaction.atomic
def draft_release(
    *,
    team: Team,
    name: str,
    by: User,
    recipe: Recipe | None = None,
    licence: str = "",
    description: str = "",
) -> Release:
    """A numbered, empty release: v1 of a new name, the next one of a known name."""
    # Two drafts at once would ask for the same number, so they take turns.
    Team.objects.select_for_update().get(pk=team.pk)
    last = Release.objects.filter(team=team, name=name).aggregate(last=Max("number"))
    release = Release.objects.create(
        team=team,
        name=name,
        number=(last["last"] or 0) + 1,
        created_by=by,
        recipe=dump_recipe(recipe or Recipe()),
        licence=licence,
        description=description,
    )
    record("release.draft", team=team, row=release, by=by, after=_told(release))
    return release


def _told(release: Release) -> dict[str, Any]:
    """What the log keeps of a draft."""
    return {
        "name": str(release),
        "recipe": release.recipe,
        "licence": release.licence,
        "description_sha256": digest_of_text(release.description),
    }


@transaction.atomic
def change_draft(
    *, release: Release, recipe: Recipe, licence: str, description: str
) -> Release:
    """Another recipe: what was chosen by the one before goes. Raises CannotRelease for a frozen one."""
    held = lock_draft(release)
    before = _told(held)
    changed = dump_recipe(recipe) != held.recipe
    held.recipe, held.licence = dump_recipe(recipe), licence
    held.description = description
    if changed:
        _empty(held)
        held.stage = DraftStage.NEW
        held.revision += 1
    held.save(
        update_fields=["recipe", "licence", "description", "stage", "revision"]
        + (["manifest"] if changed else [])
    )
    record(
        "release.change",
        team=held.team_id,
        row=held,
        before=before,
        after=_told(held),
    )
    return held


@transaction.atomic
def discard_draft(release: Release) -> None:
    """Throw it away. Its number may come again. Raises CannotRelease for a frozen one."""
    held = lock_draft(release)
    record("release.discard", team=held.team_id, row=held, before=_told(held))
    _empty(held)
    held.delete()


def lock_draft(release: Release) -> Release:
    """The row, locked and as it is now. Raises CannotRelease if it is frozen, or gone."""
    held = (
        Release.objects.select_related("team", "created_by")
        .select_for_update(no_key=True, of=("self",))
        .filter(pk=release.pk)
        .first()
    )
    if held is None:
        raise CannotRelease(f"The draft {release} was thrown away meanwhile.")
    if held.frozen_at is not None:
        raise CannotRelease(
            f"{held} is frozen and stays as it is: a correction is the next number."
        )
    return held


def _empty(release: Release) -> None:
    ReleaseMember.objects.filter(release=release)._raw_delete("default")
    ReleaseRefusal.objects.filter(release=release)._raw_delete("default")
    release.manifest = {}


# --- choosing ------------------------------------------------------------------------------------------------------------------


@transaction.atomic
def order_choice(release: Release) -> int:
    """Note that the members are to be chosen; returns the revision that the job is to be sent with. Raises CannotRelease."""
    held = lock_draft(release)
    held.stage, held.trouble = DraftStage.CHOOSING, ""
    held.revision += 1
    held.dealt_with, held.whole = 0, 0
    Release.objects.filter(pk=held.pk).update(
        stage=held.stage,
        trouble="",
        revision=held.revision,
        dealt_with=0,
        whole=0,
        touched_at=Now(),
    )
    return held.revision


def is_small(release: Release) -> bool:
    """Whether it can be chosen while somebody waits."""
    found = candidates_of(release, read_recipe(release.recipe))
    return bool(found.order_by()[: SMALL + 1].count() <= SMALL)


type Step = Callable[[int, int], None]
"""Told (done, whole) every now and then."""


def choose_members(
    *, release_id: int, revision: int, step: Step = lambda done, whole: None
) -> None:
    """Do what `order_choice` noted. What goes wrong is noted in the row; a stale order is dropped."""
    release = (
        _ordered(release_id, revision).select_related("team", "created_by").first()
    )
    if release is None:
        return
    try:
        _choose(release, step)
    except StaleDraft:
        return
    except WritError as error:
        stop(release_id=release_id, revision=revision, why=str(error))
    except IntegrityError as error:
        why = str(error).splitlines()[0]
        stop(
            release_id=release_id,
            revision=revision,
            why=f"A verdict was changed meanwhile ({why}) Choose again.",
        )


def stop(*, release_id: int, revision: int, why: str) -> None:
    """Note why the work on a draft ended early."""
    _ordered(release_id, revision).update(stage=DraftStage.FAILED, trouble=why)


def give_back(*, release_id: int, revision: int) -> None:
    """A freezing that nobody is at anymore: the draft is as it was before."""
    Release.objects.drafts().filter(
        pk=release_id, revision=revision, stage=DraftStage.FREEZING
    ).update(
        stage=DraftStage.READY,
        trouble="Freezing was interrupted: nothing is lost, freeze it again.",
    )


def _ordered(release_id: int, revision: int) -> ReleaseQuerySet:
    return Release.objects.drafts().filter(
        pk=release_id, revision=revision, stage__in=WORKING
    )


def waiting_drafts(*, before: datetime) -> list[tuple[int, int, str]]:
    """(release, revision, stage) of drafts that a job should be at, and was not since before that moment."""
    waiting = Release.objects.drafts().filter(stage__in=WORKING, touched_at__lt=before)
    return list(waiting.order_by("pk").values_list("pk", "revision", "stage"))


def note_progress(release: Release, done: int, whole: int) -> None:
    """Raises StaleDraft if the work is no longer wanted."""
    if not _ordered(release.pk, release.revision).update(
        dealt_with=done, whole=whole, touched_at=Now()
    ):
        raise StaleDraft(f"{release} was changed meanwhile.")


def _choose(release: Release, step: Step) -> None:
    def stepped(done: int, whole: int) -> None:
        note_progress(release, done, whole)
        step(done, whole)

    recipe = read_recipe(release.recipe)
    fit, unfit = judge(release, recipe, stepped)
    taken, capped = choose(fit, recipe)
    splits = split(taken, recipe.shares, recipe.seed)
    unfit += [Refusal(one.item, "cap", f"cell {one.cell}") for one in capped]
    members, sizes = _members(release, taken, splits)
    summary = {
        "found": len(fit) + len(unfit),
        "groups": splits.groups,
        "largest_group": splits.largest,
        "notes": list(splits.notes),
        "bytes": dict(sizes),
    }
    _store(release, members, unfit, summary)


def _members(
    release: Release, taken: Sequence[Candidate], splits: Splits
) -> tuple[list[ReleaseMember], Counter[str]]:
    """Members with the hashes of their rows, and the bytes of each split's."""
    writer, sizes = Writer(), Counter[str]()
    members: list[ReleaseMember] = []
    for chunk in batched(taken, AT_ONCE):
        note_progress(release, len(members), len(taken))
        rows = ReviewItem.objects.filter(pk__in=[one.item for one in chunk])
        for one, row in zip(chunk, read_rows(rows, after=0), strict=True):
            line = writer.record(row, splits.of[one.item]).line
            sizes[splits.of[one.item]] += len(line.encode()) + 1
            members.append(
                ReleaseMember(
                    release=release,
                    item_id=one.item,
                    position=len(members),
                    split=splits.of[one.item],
                    row_hash=digest(line),
                    tokens=one.tokens,
                )
            )
    return members, sizes


@transaction.atomic
def _store(
    release: Release,
    members: Sequence[ReleaseMember],
    unfit: Sequence[Refusal],
    summary: dict[str, Any],
) -> None:
    if not _ordered(release.pk, release.revision).select_for_update(no_key=True):
        raise StaleDraft(f"{release} was changed meanwhile.")
    _empty(release)
    ReleaseMember.objects.bulk_create(members, batch_size=2000)
    ReleaseRefusal.objects.bulk_create(
        (
            ReleaseRefusal(
                release=release,
                item_id=one.item,
                reason=one.reason,
                detail=one.detail[:2000],
            )
            for one in sorted(unfit, key=lambda one: one.item)
        ),
        batch_size=2000,
    )
    Release.objects.filter(pk=release.pk).update(
        manifest={"draft": summary},
        stage=DraftStage.READY,
        dealt_with=F("whole"),
        touched_at=Now(),
    )
    record(
        "release.choose",
        team=release.team_id,
        row=release,
        after={
            "members": len(members),
            "left_out": len(unfit),
            "rows_sha256": digest_of_text(",".join(one.row_hash for one in members)),
        },
    )

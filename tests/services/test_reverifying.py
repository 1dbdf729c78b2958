"""Judging edited versions again: what moves, what is kept, what stays as it is, and what a cut leaves behind."""

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from tests.factories import make_reviewer, make_version, team_of
from tests.stored_batches import play_batch
from writ_app.engine import verification
from writ_app.engine.types import Check, Owner
from writ_app.engine.verification.trace import Trace
from writ_app.jobs.verification import reverify
from writ_app.models.editing import EarlierJudgement, VersionAct, VersionEvent
from writ_app.models.review import ItemStatus, ReviewItem, Verdict
from writ_app.models.synthesis import Batch, Trajectory
from writ_app.models.verification import Reverification
from writ_app.services.review import (
    ChecksFail,
    lease_next,
    lease_slot,
    submit_verdict,
)
from writ_app.services.review import reverifying as module
from writ_app.services.review.reverifying import (
    Lot,
    outdated_versions,
    reverify_versions,
)
from writ_app.services.synthesis import verifying

pytestmark = pytest.mark.django_db
FIRST = verification.VERSION


def check_brevity(trace: Trace) -> Check:
    """A check of the next version: an R1 is too much to ask."""
    asked = trace.task.archetype == "R1"
    return Check(
        name="brevity",
        passed=not asked,
        finding="It was too long." if asked else "It was short.",
        owner=Owner.AGENT if asked else None,
    )


@pytest.fixture
def batch() -> Batch:
    return play_batch(ordered=2)


@pytest.fixture
def simulated(batch: Batch) -> Trajectory:
    rows = Trajectory.objects.filter(simulation__batch=batch)
    return rows.get(simulation__task__archetype="R1")


@pytest.fixture
def version(batch: Batch, simulated: Trajectory) -> ReviewItem:
    return make_version(of=simulated, by=batch.created_by, reason="a clearer yes")


@pytest.fixture
def next_version(monkeypatch: pytest.MonkeyPatch) -> str:
    checks = (*verification.CHECKS, check_brevity)
    monkeypatch.setattr(verification, "CHECKS", checks)
    monkeypatch.setattr(verification, "VERSION", "next")
    return "next"


def order(batch: Batch) -> Reverification:
    return verifying.order_reverification(team=batch.team, batch=batch)


def judge_again(batch: Batch) -> Lot:
    whole = Lot()
    for lot in reverify_versions(order_id=order(batch).pk):
        whole.add(lot)
    return whole


def judged_by(item: ReviewItem) -> str:
    item.refresh_from_db()
    return str(item.verification["version"])


def test_an_edited_version_is_judged_by_the_new_version_and_what_was_said_is_kept(
    batch: Batch, version: ReviewItem, next_version: str
) -> None:
    before = version.verification

    found = judge_again(batch)

    assert (found.verified, found.newly_rejected) == ([version.pk], [version.pk])
    assert judged_by(version) == "next"
    assert (version.accepted, version.reason, version.ready) == (
        False,
        "brevity",
        False,
    )
    assert version.failed == ["brevity"]
    kept = EarlierJudgement.objects.get(item=version)
    assert kept.content == before
    assert kept.content["version"] == FIRST
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        kept.delete()
    assert judge_again(batch) == Lot()


def test_a_version_that_fails_now_cannot_be_approved_by_who_has_it_on_screen(
    batch: Batch, version: ReviewItem, next_version: str
) -> None:
    colleague = make_reviewer(team=batch.team)
    place = version.slots.get()
    slot = lease_slot(slot_id=place.pk, user=colleague, at=timezone.now())

    judge_again(batch)

    with pytest.raises(ChecksFail, match="brevity"):
        submit_verdict(
            slot=slot,
            token=slot.token,
            reviewer=colleague,
            verdict=Verdict.APPROVE,
            at=timezone.now(),
        )


def test_an_approval_that_is_in_doubt_stands_and_is_found(
    batch: Batch, version: ReviewItem, next_version: str
) -> None:
    colleague = make_reviewer(team=batch.team)
    while slot := lease_next(user=colleague, at=timezone.now()):
        submit_verdict(
            slot=slot,
            token=slot.token,
            reviewer=colleague,
            verdict=Verdict.APPROVE,
            at=timezone.now(),
        )
    version.refresh_from_db()
    assert version.status == ItemStatus.APPROVED

    judge_again(batch)

    assert list(ReviewItem.objects.approved_but_rejected()) == [version]


def test_a_canary_is_judged_too_and_still_handed_out(
    batch: Batch, simulated: Trajectory, next_version: str
) -> None:
    canary = make_version(of=simulated, canary="dropped_read")

    assert judge_again(batch).verified == [canary.pk]
    assert judged_by(canary) == "next"
    assert (canary.ready, canary.status) == (True, ItemStatus.OPEN)


def test_a_withdrawn_version_is_left_alone(
    batch: Batch, version: ReviewItem, next_version: str
) -> None:
    VersionEvent.objects.create(
        item=version, act=VersionAct.WITHDRAWN, by=batch.created_by
    )

    assert judge_again(batch) == Lot()
    version.refresh_from_db()
    assert version.status == ""


def test_one_that_cannot_be_judged_holds_nobody_back_and_keeps_its_judgement(
    batch: Batch, simulated: Trajectory, version: ReviewItem, next_version: str
) -> None:
    broken = make_version(of=simulated, by=batch.created_by, reason="broken")
    content = broken.content | {"messages": [{"role": "nobody"}]}
    ReviewItem.objects.filter(pk=broken.pk).update(content=content)
    last = make_version(of=simulated, by=batch.created_by, reason="again")

    found = judge_again(batch)

    assert found.verified == [version.pk, last.pk]
    ((skipped, why),) = found.skipped
    assert skipped == broken.pk
    assert "ValidationError" in why
    assert judged_by(broken) == FIRST
    assert list(outdated_versions(batch.team, batch)) == [broken]


def test_a_job_that_is_cut_off_after_a_lot_goes_on_with_the_next(
    batch: Batch,
    simulated: Trajectory,
    version: ReviewItem,
    next_version: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_version(of=simulated, by=batch.created_by, reason="once more")
    monkeypatch.setattr(module, "AT_ONCE", 1)
    made = order(batch)

    next(iter(reverify_versions(order_id=made.pk)))

    assert outdated_versions(batch.team).count() == 1
    made.refresh_from_db()
    assert made.finished_at is None
    reverify(order_id=made.pk)
    assert not outdated_versions(batch.team).exists()
    made.refresh_from_db()
    assert made.finished_at is not None
    assert (made.total, made.verified) == (2, 2)


def test_a_judgement_that_quotes_what_postgres_has_no_text_for_says_its_version(
    batch: Batch, version: ReviewItem, next_version: str
) -> None:
    quoting = version.verification | {"version": "0", "finding": "\0 and \ud800"}
    ReviewItem.objects.filter(pk=version.pk).update(verification=quoting)
    version.refresh_from_db()
    assert version.judged_by == "0"

    assert judge_again(batch).verified == [version.pk]

    version.refresh_from_db()
    assert version.judged_by == "next"
    assert ReviewItem.objects.get(pk=version.parent_id).judged_by == ""


def test_nobody_elses_versions_are_judged(
    batch: Batch, version: ReviewItem, next_version: str
) -> None:
    other = play_batch(ordered=1, mix={"R1": 1})

    assert judge_again(other) == Lot()
    assert team_of(other.created_by) != batch.team
    assert judged_by(version) == FIRST

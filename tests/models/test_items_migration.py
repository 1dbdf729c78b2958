"""Trajectories, slots and releases of before there were items keep their numbers, verdicts and places."""

import pytest

from tests.factories import make_batch, make_owner, make_slot, make_trajectory, team_of
from tests.models.steps import latest, one_by_one
from writ_app.models.release import ReleaseMember
from writ_app.models.review import ReviewItem, ReviewSlot, Verdict
from writ_app.services.release import freeze_release
from writ_app.services.review import lease_next, submit_verdict

BEFORE = ("writ_app", "0013_behaviour")


@pytest.mark.django_db(transaction=True)
def test_what_there_was_is_filed() -> None:
    owner = make_owner()
    batch = make_batch(team=team_of(owner), by=owner)
    approved, waiting = (make_trajectory(batch=batch, number=n) for n in range(2))
    rejected = make_trajectory(batch=batch, number=2, fault="missing_read")
    at = make_slot(trajectory=approved).created_at
    slot = lease_next(user=owner, at=at)
    assert slot is not None
    submit_verdict(
        slot=slot, token=slot.token, reviewer=owner, verdict=Verdict.APPROVE, at=at
    )
    freeze_release(team=team_of(owner), name="first", by=owner, at=at)
    outlines = dict(ReviewItem.objects.values_list("pk", "outline"))

    one_by_one().migrate([BEFORE])
    one_by_one().migrate(latest())

    assert dict(ReviewItem.objects.values_list("pk", "status")) == {
        approved.pk: "APPROVED",
        waiting.pk: "OPEN",
        rejected.pk: "",
    }
    assert dict(ReviewItem.objects.values_list("pk", "outline")) == outlines
    slots = set(ReviewSlot.objects.values_list("item_id", "status"))
    assert slots == {(approved.pk, "APPROVED"), (waiting.pk, "OPEN")}
    assert ReleaseMember.objects.get().item_id == approved.pk

"""The dashboard's numbers: how far, what is missing, how people get on."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from tests.factories import (
    make_batch,
    make_owner,
    make_reviewer,
    make_trajectory,
    team_of,
)
from writ_app.models.release import Release, ReleaseMember
from writ_app.models.review import ReviewEvent, ReviewItem, ReviewSlot
from writ_app.services.review.dashboard import build_dashboard
from writ_app.services.review.dashboard.pace import (
    FLOOR,
    Judged,
    hints,
    reviewers,
    sessions,
)

START = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
STATUS = {"APPROVE": "APPROVED", "REJECT": "REJECTED", "FIX": "FIX"}


def given(
    seconds: list[int], verdict: str = "APPROVE", *, canary: bool = False
) -> list[Judged]:
    """One verdict after the other."""
    at, found = START, []
    for one in seconds:
        at += timedelta(seconds=one)
        found.append(Judged("ada", at, verdict, one, canary))
    return found


def in_a_row(*parts: list[Judged]) -> list[Judged]:
    """The same without gaps between the parts."""
    at, found = START, []
    for one in (one for part in parts for one in part):
        at += timedelta(seconds=one.seconds or 0)
        found.append(Judged(one.reviewer, at, one.verdict, one.seconds, one.canary))
    return found


class TestPace:
    def test_tells_median_p90_and_items_an_hour(self):
        (ada,) = reviewers(given([10] * 8 + [30, 50]))

        assert (ada.median, ada.p90) == (10, 30)
        assert ada.per_hour == pytest.approx(3600 * 10 / 160)

    def test_counts_no_pause_as_work(self):
        morning = given([10] * 6)
        evening = [
            Judged("ada", one.at + timedelta(hours=9), "APPROVE", 10) for one in morning
        ]

        (ada,) = reviewers([*morning, *evening])

        assert [one.count for one in sessions([*morning, *evening])] == [6, 6]
        assert ada.per_hour == pytest.approx(360)

    def test_takes_a_refused_canary_as_found(self):
        part = reviewers(
            in_a_row(
                given([10], "REJECT", canary=True),
                given([10], "FIX", canary=True),
                given([10], canary=True),
                given([10], "REJECT"),
            )
        )[0]

        assert (part.found, part.canaries, part.detection) == (
            2,
            3,
            pytest.approx(2 / 3),
        )

    def test_compares_verdicts_on_the_same_items_without_canaries(self):
        def judged(name: str, verdict: str, item: int, canary: bool = False) -> Judged:
            return Judged(name, START, verdict, 9, canary, item)

        ada, bob, eve = reviewers(
            [
                judged("ada", "APPROVE", 1),
                judged("bob", "APPROVE", 1),
                judged("ada", "REJECT", 2),
                judged("eve", "FIX", 2),
                judged("ada", "APPROVE", 3, canary=True),
                judged("bob", "REJECT", 3, canary=True),
                judged("bob", "REJECT", 0),
                judged("eve", "APPROVE", 0),
            ]
        )

        assert (ada.agreed, ada.compared) == (1, 2)
        assert (bob.agreed, bob.compared) == (1, 1)
        assert (eve.agreed, eve.compared) == (0, 1)

    def test_says_nothing_of_pace_that_no_page_measured(self):
        (ada,) = reviewers([Judged("ada", START, "APPROVE", None)])

        assert (ada.median, ada.p90, ada.per_hour) == (None, None, None)


class TestHints:
    def test_speak_of_more_speed_with_less_found(self):
        careful, hasty = given([20] * 12), given([8] * 12)
        caught = given([20] * 3, "REJECT", canary=True)
        missed = given([8] * 3, canary=True)

        (hint,) = hints(
            reviewers(in_a_row(careful, caught, given([14] * 15), missed, hasty))[0]
        )

        assert "from 20 s to 8 s an item" in hint
        assert "fell from 3 of 3 to 0 of 3" in hint

    def test_keep_quiet_if_the_faster_one_still_finds_them(self):
        found = given([20] * 3, "REJECT", canary=True)
        still = given([8] * 3, "REJECT", canary=True)

        session = in_a_row(
            given([20] * 12), found, given([14] * 15), still, given([8] * 12)
        )

        assert list(hints(reviewers(session)[0])) == []

    def test_without_canaries_go_by_refusals(self):
        session = in_a_row(
            given([20] * 8),
            given([20] * 4, "REJECT"),
            given([14] * 12),
            given([8] * 12),
        )

        (hint,) = hints(reviewers(session)[0])

        assert "4 of 12, then 0 of 12" in hint

    def test_speak_of_approvals_too_fast_to_have_looked(self):
        session = in_a_row(given([20] * 10), given([FLOOR - 1] * 6))

        (hint,) = hints(reviewers(session)[0])

        assert hint.startswith("6 of 16 approvals took less than 4 s")

    def test_speak_of_slowing_down(self):
        session = in_a_row(given([10] * 20), given([20] * 10))

        (hint,) = hints(reviewers(session)[0])

        assert "Slower over the session" in hint

    def test_say_nothing_of_a_short_session(self):
        assert list(hints(reviewers(given([40] * 5 + [5] * 5))[0])) == []


# --- from the database ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def owner():
    return make_owner(name="ada")


@pytest.fixture
def batch(owner):
    return make_batch(team=team_of(owner), by=owner, ordered=5)


def judge(item: int, by, verdict: str = "APPROVE", **fields) -> ReviewEvent:
    slot = ReviewSlot.objects.get(item=item, number=1)
    event = ReviewEvent.objects.create(
        slot=slot,
        reviewer=by,
        verdict=verdict,
        reason="policy" if verdict == "REJECT" else "",
        seconds=12,
        **fields,
    )
    slot.status = STATUS[verdict]
    slot.save()
    return event


def plant(original: ReviewItem, *, canary: str = "swapped") -> ReviewItem:
    ReviewItem.objects.create(
        trajectory=original.trajectory,
        number=2,
        parent=original,
        canary=canary,
        content=original.trajectory.content,
        verification=original.trajectory.verification,
    )
    return ReviewItem.objects.get(parent=original)


@pytest.fixture(autouse=True)
def counted_anew(monkeypatch):
    monkeypatch.setattr("writ_app.services.review.kept.SECONDS", 0)


def built(user, **filters):
    owns = user.memberships.owners().exists()
    return build_dashboard(
        user=user, filters=filters, since=None, at=timezone.now(), owns=owns
    )


def counts(funnel) -> list[int]:
    return [stage.count for stage in funnel.total.stages]


@pytest.mark.django_db
class TestFunnel:
    def test_counts_trajectories_at_each_stage(self, owner, batch):
        first, second, third = (make_trajectory(batch=batch) for _ in range(3))
        make_trajectory(batch=batch, fault="wrong_argument")
        judge(first.pk, owner)
        judge(second.pk, owner)
        judge(third.pk, owner, "REJECT")
        release = Release.objects.create(
            team=batch.team, name="may", number=1, created_by=owner
        )
        ReleaseMember.objects.create(release=release, item_id=first.pk, position=0)
        unfrozen = counts(built(owner).data.funnel)
        release.content_hash, release.frozen_at = "x", timezone.now()
        release.save()

        assert unfrozen == [5, 4, 3, 3, 2, 0]
        assert counts(built(owner).data.funnel) == [5, 4, 3, 3, 2, 1]

    def test_leaves_canaries_out_and_counts_an_edit_for_its_trajectory(
        self, owner, batch
    ):
        planted = plant(ReviewItem.objects.get(pk=make_trajectory(batch=batch).pk))
        judge(planted.pk, owner)
        wrong = ReviewItem.objects.get(
            pk=make_trajectory(batch=batch, fault="wrong_argument").pk
        )
        right = make_trajectory(batch=batch)
        ReviewItem.objects.create(
            trajectory=wrong.trajectory,
            number=2,
            parent=wrong,
            content=right.content,
            verification=right.verification,
            edited_by=owner,
        )
        judge(ReviewItem.objects.get(parent=wrong).pk, owner)

        assert counts(built(owner).data.funnel) == [5, 3, 3, 0, 1, 0]

    def test_is_told_by_batch_and_narrowed(self, owner, batch):
        other = make_batch(team=batch.team, by=owner, ordered=2)
        make_trajectory(batch=batch)
        make_trajectory(batch=other)

        page = built(owner)

        assert [line.counts.simulated for line in page.data.funnel.batches] == [1, 1]
        assert counts(built(owner, batch=other.pk).data.funnel)[:2] == [2, 1]
        assert counts(built(owner, environment="rental").data.funnel)[:2] == [0, 0]

    def test_shows_nothing_of_other_teams(self, batch):
        make_trajectory(batch=batch)

        page = built(make_owner())

        assert counts(page.data.funnel) == [0] * 6
        assert page.team is None


@pytest.mark.django_db
class TestCoverage:
    def test_compares_what_was_approved_with_what_the_grid_wants(self, owner, batch):
        row = make_trajectory(batch=batch)
        make_trajectory(batch=batch)
        judge(row.pk, owner)
        task = row.simulation.task
        batch.grid = {"cells": []}
        batch.plans_per_task = 2
        cell = {"writes": "1", "burden": "7-9", "wanted": 3, "filled": 3}
        assert 7 <= task.burden <= 9
        batch.design_report = {"grid": [cell]}
        batch.save()

        grid = built(owner).data.grid

        found = next(c for r in grid.rows for c in r.cells if c.count)
        assert (found.writes, found.burden, found.count, found.wanted) == (
            "1",
            "7-9",
            1,
            6,
        )

    def test_names_tools_and_plans_that_nothing_approved_has(self, owner, batch):
        batch.plans = ["upfront", "withholding"]
        batch.save()
        judge(make_trajectory(batch=batch).pk, owner)

        axes = {axis.title: axis for axis in built(owner).data.axes}

        tools = {one.name: one.counts for one in axes["Tools"].values}
        assert tools["exchange_delivered_order_items"].approved == 1
        assert tools["cancel_pending_order"].approved == 0
        assert [one.name for one in axes["Plans"].values] == ["withholding", "upfront"]
        assert axes["Plans"].blind == 1


@pytest.mark.django_db
class TestPeople:
    def test_owners_see_everybody_and_reviewers_themselves_and_the_sum(
        self, owner, batch
    ):
        bob = make_reviewer(team=batch.team, name="bob")
        judge(make_trajectory(batch=batch).pk, owner)
        judge(make_trajectory(batch=batch).pk, bob, "REJECT")

        assert [one.name for one in built(owner).people] == ["ada", "bob"]
        assert [one.name for one in built(bob).people] == ["bob"]
        assert built(bob).team.count == 2

    def test_count_canaries_as_work_and_not_what_was_taken_back(self, owner, batch):
        original = ReviewItem.objects.get(pk=make_trajectory(batch=batch).pk)
        judge(plant(original).pk, owner, "REJECT")
        event = judge(original.pk, owner)
        ReviewEvent.objects.create(
            slot=event.slot, reviewer=owner, verdict="WITHDRAW", withdraws=event
        )

        (ada,) = built(owner).people

        assert (ada.count, ada.found, ada.canaries) == (1, 1, 1)

    def test_estimate_what_is_left(self, owner, batch):
        for _ in range(3):
            make_trajectory(batch=batch)
        judge(make_trajectory(batch=batch).pk, owner)

        rest = built(owner).rest

        assert rest.slots == 3
        assert rest.work == timedelta(seconds=36)
        assert rest.days == 3

    def test_count_each_day(self, owner, batch):
        at = timezone.now()
        judge(make_trajectory(batch=batch).pk, owner, created_at=at - timedelta(days=2))
        judge(make_trajectory(batch=batch).pk, owner, "FIX")

        days = built(owner).days

        assert [day.given for day in days[-3:]] == [1, 0, 1]
        assert (days[-1].fixes, days[-3].approved) == (1, 1)

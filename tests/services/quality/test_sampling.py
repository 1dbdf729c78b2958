"""Acceptance sampling: said before the click, drawn by a seed, stopped by a defect, undone as a whole, printed in the release."""

from datetime import UTC, datetime

import pytest

from tests.factories import make_batch, make_owner, make_trajectory, team_of
from writ_app.models.curation import PlanStatus, SamplingPlan
from writ_app.models.review import (
    ItemStatus,
    RejectReason,
    ReviewEvent,
    ReviewItem,
    ReviewPolicy,
    ReviewSlot,
    Verdict,
)
from writ_app.services.release import freeze_release
from writ_app.services.review import submit_verdict, undo_last
from writ_app.services.review.quality.sampling import (
    CannotSample,
    approve_rest,
    lot_of,
    offers,
    order_plan,
    progress_of,
    undo_plan,
)
from writ_app.services.review.queue import take

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db
ALL = {"kinds": ["exact", "normalised", "said", "policy", "derived"]}


@pytest.fixture
def owner():
    return make_owner(name="ada")


@pytest.fixture
def team(owner):
    team = team_of(owner)
    batch = make_batch(team=team, by=owner)
    for number in range(12):
        make_trajectory(batch=batch, number=number % 4)
    make_trajectory(batch=batch, fault="wrong_argument")
    return team


def order(team, owner, limit=0.1):
    return order_plan(team=team, by=owner, filters=ALL, limit=limit, seed=5)


def judge(item_id, user, verdict=Verdict.APPROVE):
    slot = ReviewSlot.objects.get(item=item_id, number=1)
    take(slot=slot, user=user, at=NOW)
    reason = RejectReason.POLICY if verdict == Verdict.REJECT else ""
    submit_verdict(
        slot=slot,
        token=slot.token,
        reviewer=user,
        verdict=verdict,
        reason=reason,
        at=NOW,
    )


def sample(plan):
    return list(plan.items.filter(sampled=True).values_list("item", flat=True))


class TestLots:
    def test_hold_what_passed_every_check_with_provenance_of_the_chosen_kinds(
        self, team
    ):
        assert lot_of(team, ALL).count() == 12
        assert lot_of(team, {"kinds": ["exact"]}).count() == 0

    def test_leave_out_what_two_are_to_judge_and_what_a_plan_holds(self, team, owner):
        ReviewPolicy.objects.create(team=team, second_share=1.0)
        make_trajectory(batch=make_batch(team=team, by=owner))
        assert lot_of(team, ALL).count() == 12

        order(team, owner)

        assert lot_of(team, ALL).count() == 0


class TestOffers:
    def test_say_what_a_clean_sample_proves(self):
        said = {offer.limit: offer for offer in offers(10_000)}

        assert (said[0.05].size, said[0.01].size) == (59, 291)
        assert said[0.05].statement == (
            "59 of 10,000 checked, 0 bad: at most 493 of the 10,000 (4.9%) are bad, with 95% confidence."
        )

    def test_of_nothing_are_none(self):
        assert offers(0) == ()

    def test_names_no_sample_twice(self):
        sizes = [offer.size for offer in offers(46)]

        assert len(sizes) == len(set(sizes)) < 4


class TestPlans:
    def test_draw_the_same_sample_from_the_same_lot_and_bring_it_forward(
        self, team, owner
    ):
        first = order(team, owner)
        drawn = sample(first)
        head = ReviewSlot.objects.order_by("pk").values_list("item", flat=True)

        assert len(drawn) == first.size == 9
        assert set(head[: len(drawn)]) == set(drawn)
        undo_plan(plan=first, by=owner, at=NOW)
        assert sample(order(team, owner)) == drawn

    def test_of_an_empty_lot_are_refused(self, owner):
        with pytest.raises(CannotSample, match="no lot"):
            order(team_of(owner), owner)

    def test_pass_when_the_whole_sample_is_good_and_then_approve_the_rest(
        self, team, owner
    ):
        plan = order(team, owner)
        with pytest.raises(CannotSample, match="not through"):
            approve_rest(plan=plan, by=owner, at=NOW)
        for pk in sample(plan):
            judge(pk, owner)
        assert progress_of(plan).plan.status == PlanStatus.PASSED

        approved = approve_rest(plan=plan, by=owner, at=NOW)

        assert approved == 3
        states = ReviewItem.objects.filter(plans__plan=plan)
        assert set(states.values_list("status", flat=True)) == {ItemStatus.APPROVED}
        bulk = ReviewEvent.objects.filter(bulk__plan=plan)
        assert {event.bulk.note for event in bulk} == {plan.statement}

    def test_stop_at_the_first_defect(self, team, owner):
        plan = order(team, owner)
        judge(sample(plan)[0], owner)
        judge(sample(plan)[1], owner, Verdict.REJECT)

        stands = progress_of(plan)

        assert stands.plan.status == PlanStatus.FAILED
        assert stands.proves.startswith("2 of 12 checked, 1 bad")
        with pytest.raises(CannotSample):
            approve_rest(plan=plan, by=owner, at=NOW)

    def test_are_undone_as_a_whole_but_not_once_they_are_released(self, team, owner):
        plan = order(team, owner)
        for pk in sample(plan):
            judge(pk, owner)
        approve_rest(plan=plan, by=owner, at=NOW)

        assert undo_plan(plan=plan, by=owner, at=NOW) == 3

        plan.refresh_from_db()
        assert plan.status == PlanStatus.UNDONE
        assert plan.bulk.undone_at == NOW
        open_ = ReviewItem.objects.filter(plans__plan=plan, status=ItemStatus.OPEN)
        assert open_.count() == 3
        with pytest.raises(CannotSample, match="before"):
            undo_plan(plan=plan, by=owner, at=NOW)

    def test_are_in_doubt_when_a_verdict_on_the_sample_is_taken_back(self, team, owner):
        plan = order(team, owner)
        for pk in sample(plan):
            judge(pk, owner)
        last = ReviewEvent.objects.filter(reviewer=owner).latest("pk")
        approve_rest(plan=plan, by=owner, at=NOW)
        assert not progress_of(SamplingPlan.objects.get()).in_doubt

        undo_last(reviewer=owner, at=NOW, event_id=last.pk)

        assert progress_of(SamplingPlan.objects.get()).in_doubt

    def test_are_printed_in_the_release_with_what_they_approved(self, team, owner):
        plan = order(team, owner)
        for pk in sample(plan):
            judge(pk, owner)
        approve_rest(plan=plan, by=owner, at=NOW)
        rest = plan.items.filter(sampled=False).values_list("item", flat=True)

        release = freeze_release(team=team, name="sampled", by=owner, at=NOW)

        (printed,) = release.manifest["sampling"]
        assert printed["statement"] == plan.statement
        assert printed["items"] == sorted(rest)
        assert (printed["sample"], printed["good"]) == (9, 9)
        with pytest.raises(CannotSample, match="frozen"):
            undo_plan(plan=plan, by=owner, at=NOW)

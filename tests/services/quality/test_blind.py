"""Second opinions that know nothing of the first, and disputes that a third settles."""

from datetime import UTC, datetime

import pytest

from tests.factories import (
    make_batch,
    make_owner,
    make_reviewer,
    make_trajectory,
    team_of,
)
from writ_app.models.accounts import Membership
from writ_app.models.review import (
    ItemStatus,
    RejectReason,
    ReviewItem,
    ReviewPolicy,
    ReviewSlot,
    Verdict,
)
from writ_app.services.review import lease_next, submit_verdict
from writ_app.services.review.blind import events_for, may_see_others
from writ_app.services.review.quality.disputes import (
    dispute_on,
    disputed,
    settled,
    take_dispute,
)
from writ_app.services.review.quality.opinions import agreement_of
from writ_app.services.review.quality.policy import ask_second_opinions
from writ_app.services.review.queue import take

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_owner(name="ada")


@pytest.fixture
def bob(owner):
    return make_reviewer(team=team_of(owner), name="bob")


@pytest.fixture
def team(owner):
    team = team_of(owner)
    ReviewPolicy.objects.create(team=team, second_share=1.0)
    return team


@pytest.fixture
def item(team, owner):
    row = make_trajectory(batch=make_batch(team=team, by=owner))
    return ReviewItem.objects.get(pk=row.pk)


def give(item, user, verdict, number=1, **fields):
    slot = ReviewSlot.objects.get(item=item, number=number)
    take(slot=slot, user=user, at=NOW)
    if verdict == Verdict.REJECT:
        fields.setdefault("reason", RejectReason.POLICY)
    event = submit_verdict(
        slot=slot, token=slot.token, reviewer=user, verdict=verdict, at=NOW, **fields
    )
    item.refresh_from_db()
    return event


class TestShare:
    def test_gives_items_two_places(self, item):
        assert item.wanted == 2
        assert item.slots.count() == 2

    def test_reaches_what_waits_when_it_is_raised_but_not_what_was_touched(self, owner):
        team = team_of(owner)
        batch = make_batch(team=team, by=owner)
        rows = [make_trajectory(batch=batch, number=n) for n in range(3)]
        touched = ReviewItem.objects.get(pk=rows[0].pk)
        give(touched, owner, Verdict.DEFER)
        ReviewPolicy.objects.create(team=team, second_share=1.0)

        added = ask_second_opinions(team)

        assert added == 2
        assert ReviewSlot.objects.filter(team=team).count() == 5


class TestBlindness:
    def test_hides_the_first_verdict_until_the_second_is_given(self, item, owner, bob):
        give(item, owner, Verdict.REJECT, note="look at the card")

        assert not may_see_others(bob, item)
        assert events_for(bob, item) == ()
        assert events_for(None, item) == ()
        assert len(events_for(owner, item)) == 1

        give(item, bob, Verdict.APPROVE, number=2)

        assert may_see_others(bob, item)
        assert len(events_for(bob, item)) == 2

    def test_never_hands_one_person_two_versions_of_a_trajectory(self, owner, bob):
        """But a canary's original may follow the canary: where one person reviews alone, nobody else could judge it."""
        team = team_of(owner)
        row = make_trajectory(batch=make_batch(team=team, by=owner))
        item = ReviewItem.objects.get(pk=row.pk)
        canary = ReviewItem.objects.create(
            trajectory=row,
            parent=item,
            number=2,
            canary="weak_yes",
            content=row.content,
            verification=row.verification,
        )
        carol = make_reviewer(team=team)
        give(canary, owner, Verdict.REJECT)
        give(item, bob, Verdict.APPROVE)
        ReviewSlot.objects.update(status="OPEN")

        assert lease_next(user=bob, at=NOW) is None
        assert lease_next(user=owner, at=NOW).item == item
        assert lease_next(user=carol, at=NOW).item == canary


class TestDisputes:
    @pytest.fixture
    def dispute(self, item, owner, bob):
        give(item, owner, Verdict.APPROVE)
        give(item, bob, Verdict.REJECT, number=2, note="the card is expired")
        return item

    def test_show_both_opinions_to_who_may_settle_them(self, dispute, owner, bob):
        carol = make_reviewer(team=team_of(owner))
        member = {u: Membership.objects.get(user=u) for u in (owner, bob, carol)}

        assert list(disputed(carol)) == [dispute]
        shown = dispute_on(dispute, member[carol])
        assert [o.event.verdict for o in shown.opinions] == ["APPROVE", "REJECT"]
        assert shown.opinions[1].event.note == "the card is expired"
        assert [
            dispute_on(dispute, member[u]).may_settle for u in (owner, bob, carol)
        ] == [True, False, True]

    def test_are_settled_by_a_third_on_a_place_of_their_own(self, dispute, owner):
        carol = make_reviewer(team=team_of(owner))
        slot = take_dispute(item=dispute, user=carol, at=NOW)
        assert take_dispute(item=dispute, user=owner, at=NOW) is None

        submit_verdict(
            slot=slot,
            token=slot.token,
            reviewer=carol,
            verdict=Verdict.APPROVE,
            at=NOW,
        )

        dispute.refresh_from_db()
        assert dispute.status == ItemStatus.APPROVED
        assert list(settled(owner)) == [dispute]
        assert not disputed(owner).exists()


class TestAgreement:
    def test_takes_what_two_people_said_and_explains_what_cannot_be_computed(
        self, team, owner, bob
    ):
        batch = make_batch(team=team, by=owner)
        assert "two people" in agreement_of(team).verdict.why
        said = [("APPROVE", "APPROVE"), ("REJECT", "APPROVE"), ("REJECT", "REJECT")]
        for number, (mine, yours) in enumerate(said):
            row = make_trajectory(batch=batch, number=number)
            item = ReviewItem.objects.get(pk=row.pk)
            give(item, owner, Verdict(mine))
            give(item, bob, Verdict(yours), number=2)

        page = agreement_of(team)

        assert page.items == 3
        assert page.verdict.value == pytest.approx(4 / 9)
        assert page.pairs[0].title == "ada and bob"
        assert page.pairs[0].agreement.value == pytest.approx(0.4)
        assert [line.title for line in page.reasons] == ["against the policy"]
        assert dict(page.table)["Reject"] == (1, 1, 0)
        assert (page.left.first, page.left.second, page.left.both) == (2, 1, 1)

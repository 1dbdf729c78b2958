"""Pages of quality control: who may do what, what stays hidden, and what is said before a click."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import (
    make_batch,
    make_curator,
    make_owner,
    make_reviewer,
    make_trajectory,
    team_of,
)
from writ_app.models.curation import PlanStatus, SamplingPlan
from writ_app.models.review import (
    ItemStatus,
    RejectReason,
    ReviewItem,
    ReviewPolicy,
    ReviewSlot,
    Verdict,
)
from writ_app.services.review import submit_verdict, undo_last
from writ_app.services.review.queue import take

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
NOTE = "The card <b>expired</b>."
pytestmark = pytest.mark.django_db
PAGES = ("", "_canaries", "_agreement", "_disputes", "_lanes", "_judges")


@pytest.fixture
def ada():
    return make_owner(name="ada")


@pytest.fixture
def bob(ada):
    return make_reviewer(team=team_of(ada), name="bob")


@pytest.fixture
def batch(ada):
    return make_batch(team=team_of(ada), by=ada)


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def get(user, name, *args):
    return signed_in(user).get(reverse(name, args=args)).content.decode()


def item_of(batch, **fields):
    return ReviewItem.objects.get(pk=make_trajectory(batch=batch, **fields).pk)


def give(item, user, verdict, number=1, note=""):
    slot = ReviewSlot.objects.get(item=item, number=number)
    take(slot=slot, user=user, at=NOW)
    reason = RejectReason.POLICY if verdict == Verdict.REJECT else ""
    submit_verdict(
        slot=slot,
        token=slot.token,
        reviewer=user,
        verdict=verdict,
        reason=reason,
        note=note,
        at=NOW,
    )
    item.refresh_from_db()


@pytest.fixture
def twice(batch):
    """An item that two are to judge."""
    ReviewPolicy.objects.create(team=batch.team, second_share=1.0)
    return item_of(batch)


@pytest.fixture
def dispute(twice, ada, bob):
    give(twice, ada, Verdict.APPROVE)
    give(twice, bob, Verdict.REJECT, 2, NOTE)
    return twice


def planted(item, canary="weak_yes"):
    return ReviewItem.objects.create(
        trajectory=item.trajectory,
        parent=item,
        number=2,
        canary=canary,
        content=item.stored_content,
        verification=item.stored_verification,
        changes={"changed": "The yes was taken out.", "message": 3, "pointer": ""},
    )


class TestPages:
    @pytest.mark.parametrize("name", PAGES)
    def test_open_with_nothing_to_show(self, ada, name):
        response = signed_in(ada).get(reverse(f"quality{name}"))

        assert response.status_code == 200

    def test_explain_what_cannot_be_computed(self, twice, ada, bob):
        give(twice, ada, Verdict.APPROVE)
        give(twice, bob, Verdict.APPROVE, 2)

        shown = get(ada, "quality_agreement")

        assert "α undefined" in shown
        assert "κ undefined" in shown
        assert "Both always said “Approve” (1 items)" in shown


class TestSettings:
    def test_are_kept_and_reach_what_waits(self, ada, batch):
        item = item_of(batch)
        given = {"second_share": "100", "canary_share": "4"}
        more = {"lease_seconds": "120", "ahead": "3"}

        response = signed_in(ada).post(reverse("quality"), given | more, follow=True)

        policy = ReviewPolicy.objects.get(team=batch.team)
        assert (policy.second_share, policy.canary_share) == (1.0, 0.04)
        assert (policy.lease_seconds, policy.ahead) == (120, 3)
        item.refresh_from_db()
        assert item.wanted == 2
        assert "1 of those that wait are now for two" in response.content.decode()

    def test_are_refused_with_a_reason_when_they_are_out_of_bounds(self, ada):
        response = signed_in(ada).post(reverse("quality"), {"second_share": "300"})

        assert response.status_code == 422
        assert "less than or equal to 100" in response.content.decode()
        assert not ReviewPolicy.objects.exists()

    @pytest.mark.parametrize(
        ("name", "args"),
        [
            ("quality", ()),
            ("quality_plant", ()),
            ("quality_order", ()),
            ("quality_lane_approve", (1,)),
            ("quality_lane_undo", (1,)),
        ],
    )
    def test_are_for_owners(self, bob, name, args):
        response = signed_in(bob).post(reverse(name, args=args))

        assert response.status_code == 403


class TestOtherTeams:
    def test_find_no_dispute_and_no_plan_of_ours(self, dispute, ada):
        plan = SamplingPlan.objects.create(
            team=team_of(ada), by=ada, lot=1, size=1, limit=0.1, seed=1, statement="s"
        )
        stranger = signed_in(make_owner())

        for name, pk in (("quality_dispute", dispute.pk), ("quality_lane", plan.pk)):
            assert stranger.get(reverse(name, args=[pk])).status_code == 404
        undo = reverse("quality_lane_undo", args=[plan.pk])
        assert stranger.post(undo).status_code == 404


class TestBlindness:
    def test_hides_the_first_verdict_on_every_page_until_the_second(
        self, twice, ada, bob
    ):
        give(twice, ada, Verdict.REJECT, note="Look at the card.")
        pages = [("trajectory", twice.pk), ("review",)]

        for name, *args in pages:
            shown = get(bob, name, *args)
            assert "Look at the card." not in shown
            assert "rejected" not in shown
        assert "Look at the card." in get(ada, "trajectory", twice.pk)

        give(twice, bob, Verdict.APPROVE, 2)

        assert "Look at the card." in get(bob, "trajectory", twice.pk)


class TestDisputes:
    def test_show_both_opinions_over_the_desk_and_take_a_decision(self, dispute, ada):
        carol = make_curator(team=team_of(ada), name="carol")
        address = reverse("quality_dispute", args=[dispute.pk])
        shown = get(carol, "quality_dispute", dispute.pk)
        assert "&lt;b&gt;expired" in shown
        assert 'value="APPROVE"' in shown
        slot = ReviewSlot.objects.get(item=dispute, number=0)
        given = {"slot": slot.pk, "token": slot.token, "verdict": "APPROVE"}

        response = signed_in(carol).post(address, given, follow=True)

        dispute.refresh_from_db()
        assert dispute.status == ItemStatus.APPROVED
        assert "Settled" in response.content.decode()

    def test_that_were_settled_are_led_back_to_when_that_is_undone(self, dispute, ada):
        carol = make_curator(team=team_of(ada), name="carol")
        address = reverse("quality_dispute", args=[dispute.pk])
        get(carol, "quality_dispute", dispute.pk)
        slot = ReviewSlot.objects.get(item=dispute, number=0)
        given = {"slot": slot.pk, "token": slot.token, "verdict": "APPROVE"}
        signed_in(carol).post(address, given)

        undone = signed_in(carol).post(reverse("review_undo"))
        get(carol, "quality_dispute", dispute.pk)
        slot.refresh_from_db()
        signed_in(carol).post(address, {**given, "token": slot.token})
        by_script = signed_in(carol).post(
            reverse("review_undo"), headers={"HX-Request": "true"}
        )

        assert undone.url == address
        assert by_script.headers["HX-Redirect"] == address
        dispute.refresh_from_db()
        assert dispute.status == ItemStatus.DISPUTED

    def test_are_not_for_a_reviewer_who_is_one_of_the_two(self, dispute, bob):
        shown = get(bob, "quality_dispute", dispute.pk)
        slot = ReviewSlot.objects.get(item=dispute, number=0)
        given = {"slot": slot.pk, "token": slot.token, "verdict": "APPROVE"}

        signed_in(bob).post(reverse("quality_dispute", args=[dispute.pk]), given)

        assert "somebody else settles it" in shown
        assert 'value="APPROVE"' not in shown
        dispute.refresh_from_db()
        assert dispute.status == ItemStatus.DISPUTED

    def test_are_hidden_again_when_an_opinion_is_taken_back(self, dispute, ada, bob):
        undo_last(reviewer=bob, at=NOW)

        address = reverse("quality_dispute", args=[dispute.pk])

        assert signed_in(bob).get(address).status_code == 404
        assert NOTE not in get(ada, "quality_disputes")

    def test_of_a_rejection_ask_for_the_reason(self, dispute, ada):
        get(ada, "quality_dispute", dispute.pk)
        slot = ReviewSlot.objects.get(item=dispute, number=0)
        given = {"slot": slot.pk, "token": slot.token, "verdict": "REJECT"}

        response = signed_in(ada).post(
            reverse("quality_dispute", args=[dispute.pk]), given
        )

        assert response.status_code == 422
        assert "pick one of the nine" in response.content.decode()


class TestCanaries:
    def test_look_like_anything_else_until_they_are_judged(self, batch, ada):
        item = item_of(batch)
        canary = planted(item)
        before = get(ada, "trajectory", canary.pk)
        assert "planted" not in before
        assert "weak" not in before
        assert "canary" not in before.lower()

        give(canary, ada, Verdict.APPROVE)

        after = get(ada, "trajectory", canary.pk)
        assert "planted error; you missed it" in after
        assert "The yes was taken out." in after
        assert "planted" not in get(ada, "trajectory", item.pk)

    def test_are_planted_by_an_owner_and_counted_on_the_page(self, batch, ada):
        canary = planted(item_of(batch))
        give(canary, ada, Verdict.REJECT)

        shown = get(ada, "quality_canaries")

        assert "The user&#x27;s yes made an evasion" in shown
        assert "<strong>1/1</strong>" in shown
        response = signed_in(ada).post(
            reverse("quality_plant"), {"count": "3"}, follow=True
        )
        assert "0 planted" in response.content.decode()

    def test_show_a_reviewer_only_their_own_record_beside_the_whole(
        self, batch, ada, bob
    ):
        give(planted(item_of(batch)), ada, Verdict.REJECT)

        assert "ada</th>" in get(ada, "quality_canaries")
        assert "ada</th>" not in get(bob, "quality_canaries")


class TestSampling:
    def test_says_what_a_sample_proves_before_the_click_and_goes_to_the_end(
        self, batch, ada
    ):
        for number in range(12):
            make_trajectory(batch=batch, number=number % 4)
        owner = signed_in(ada)
        shown = get(ada, "quality_lanes")
        assert "9 of 12 checked, 0 bad: at most 1 of the 12 (8.3%) are bad" in shown

        given = {"limit": "0.1", "kinds": ["exact", "said"]}
        owner.post(reverse("quality_order"), given)
        plan = SamplingPlan.objects.get()
        assert plan.filters == {"kinds": ["exact", "said"]}
        for planned in plan.items.filter(sampled=True):
            give(planned.item, ada, Verdict.APPROVE)
        assert "Approve the other 3" in get(ada, "quality_lane", plan.pk)
        owner.post(reverse("quality_lane_approve", args=[plan.pk]))

        plan.refresh_from_db()
        assert plan.status == PlanStatus.APPLIED
        assert "Undo: reopen 3" in get(ada, "quality_lane", plan.pk)

    def test_takes_no_share_that_was_not_offered(self, batch, ada):
        item_of(batch)

        response = signed_in(ada).post(
            reverse("quality_order"), {"limit": "0.9"}, follow=True
        )

        assert not SamplingPlan.objects.exists()
        assert "one of the samples that are offered" in response.content.decode()

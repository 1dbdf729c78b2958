"""A planted error passes for any other item until one has judged it; what is wrong with it stays to be seen."""

from datetime import UTC, datetime

import pytest

from tests.factories import make_owner, make_reviewer, team_of
from tests.stored_batches import play_batch
from writ_app.engine.canaries import KINDS
from writ_app.models.review import (
    RejectReason,
    ReviewEvent,
    ReviewItem,
    ReviewSlot,
    Verdict,
)
from writ_app.services.review import build_review_page, submit_verdict
from writ_app.services.review.disguise import shown_verification
from writ_app.services.review.edit_page import build_edit_page
from writ_app.services.review.edits import EDITED, open_edit
from writ_app.services.review.listing import found_by, list_facets, list_items
from writ_app.services.review.quality.canaries import plant_canaries, reveal
from writ_app.services.review.queue import take
from writ_app.services.review.rules import conditions_of
from writ_app.services.review.siblings import kinship

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_owner(name="ada")


@pytest.fixture
def reviewer(owner):
    return make_reviewer(team=team_of(owner), name="bob")


@pytest.fixture
def planted(owner):
    """Copies that the machine rejects, one per class that there is room for."""
    play_batch(by=owner, ordered=8)
    plant_canaries(team=team_of(owner), seed=1, count=8)
    rows = ReviewItem.objects.exclude(canary="").order_by("pk")
    found = [row for row in rows if KINDS[row.canary].mechanical]
    assert len({row.canary for row in found}) > 3
    return found


def judge(item, user, verdict):
    slot = ReviewSlot.objects.get(item=item, number=1)
    take(slot=slot, user=user, at=NOW)
    reason = RejectReason.WRONG_WRITE if verdict == Verdict.REJECT else ""
    return submit_verdict(
        slot=slot,
        token=slot.token,
        reviewer=user,
        verdict=verdict,
        reason=reason,
        at=NOW,
    )


class TestPage:
    def test_shows_the_checks_as_they_were_before_the_error_was_planted(
        self, planted, reviewer
    ):
        for item in planted:
            page = build_review_page(item_id=item.pk, viewer=reviewer)
            original = build_review_page(item_id=item.parent_id, viewer=reviewer)

            assert item.failed
            assert page.failed == ()
            assert [line.check.name for line in page.checks] == [
                line.check.name for line in original.checks
            ]
            assert not any(step.marks for step in page.steps)
            last = len(page.trajectory.messages)
            assert all(n < last for line in page.checks for n in line.check.where)

    def test_still_shows_what_is_wrong_with_the_copy_itself(self, planted, reviewer):
        def signs(page):
            return [
                *(card.verdict for card in page.cards if card.verdict != "equal"),
                *(row.number for row in page.evidence if row.step is None),
                *(row.number for row in page.evidence if row.altered),
                *["state"] * (not page.difference.equal),
                *["precondition"] * page.preconditions_failed,
                *["claims"] * (page.claims is not None),
                *(
                    line.check.name
                    for line in (page.told_check, page.no_write_check)
                    if line and not line.check.passed
                ),
            ]

        for item in planted:
            assert signs(build_review_page(item_id=item.pk, viewer=reviewer))
            assert not signs(build_review_page(item_id=item.parent_id))

    def test_says_what_the_machine_found_to_who_has_judged(self, planted, reviewer):
        item = planted[0]
        judge(item, reviewer, Verdict.REJECT)

        page = build_review_page(item_id=item.pk, viewer=reviewer)

        assert {line.check.name for line in page.failed} == set(item.failed)
        assert build_review_page(item_id=item.pk).failed == ()

    def test_keeps_the_checks_of_an_original_that_is_rejected_by_now(
        self, planted, reviewer
    ):
        item = planted[0]
        trajectory = item.trajectory
        content = trajectory.verification
        content["version"] = "99"
        content["checks"][0]["passed"] = False
        trajectory.verification, trajectory.accepted = content, False
        trajectory.reason, trajectory.owner = content["checks"][0]["name"], "AGENT"
        trajectory.save(update_fields=["verification", "accepted", "reason", "owner"])
        again = ReviewItem.objects.get(pk=item.pk)

        assert shown_verification(again, reviewer).accepted

    def test_says_no_more_in_the_editor_before_something_is_changed(
        self, planted, reviewer
    ):
        for item in planted:
            draft = open_edit(item=EDITED.get(pk=item.pk), user=reviewer)
            page = build_edit_page(draft)
            assert page.failed == ()
            assert not any(row.problems or row.proposals for row in page.rows)


class TestApproval:
    def test_is_recorded_as_a_miss_and_makes_nothing_releasable(
        self, planted, reviewer
    ):
        item = planted[0]
        assert ReviewSlot.objects.get(item=item).ready

        judge(item, reviewer, Verdict.APPROVE)

        assert ReviewEvent.objects.get(slot__item=item).verdict == Verdict.APPROVE
        assert not reveal(user=reviewer, item=item).caught
        assert not ReviewItem.objects.releasable().filter(pk=item.pk).exists()


class TestLists:
    def test_find_it_where_its_original_is_found(self, planted, reviewer):
        keys = {item.pk for item in planted}

        def found(**filters):
            rows = found_by(filters, user=reviewer).values_list("pk", flat=True)
            return keys & set(rows)

        assert found(accepted=["yes"]) == keys
        assert not found(accepted=["no"])
        assert found(accepted=["yes", "no"]) == keys
        for item in planted:
            assert not found(failed=item.failed)
            assert not found(reason=[item.reason])
            assert not found(cluster=item.cluster)
        assert not found(kinds=["not_found"])
        assert not found(argument_kind="not_found")
        others = sorted({kind for item in planted for kind in item.kinds})
        assert "not_found" in others
        assert found(kinds=others)
        assert found(version=["simulated"]) == keys
        assert not found(version=["edited"])

    def test_show_and_count_it_as_accepted(self, planted, reviewer):
        facets = {
            facet.name: {one.value: one.count for one in facet.choices}
            for facet in list_facets(user=reviewer, filters={})
        }
        whole = ReviewItem.objects.count()

        assert facets["accepted"] == {"yes": whole}
        assert not facets.get("failed")
        assert facets["version"] == {"simulated": whole}
        assert "not_found" not in facets["kinds"]
        shown = list_items(user=reviewer, filters={}, at=NOW)
        assert all(line.row.looks_accepted for line in shown.rows)
        assert not any(line.edited for line in shown.rows)

    def test_offer_no_failed_check_to_find_more_by(self, planted, reviewer):
        event = judge(planted[0], reviewer, Verdict.REJECT)

        assert "failed" not in {one.name for one in conditions_of(event)}

    def test_let_it_agree_with_its_siblings_as_its_original_does(self, planted):
        assert all(kinship(item).right for item in planted)

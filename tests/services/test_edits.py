"""Edits: drafts that are kept, versions that pass every check, and what becomes of both."""

import json
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction

from tests.edits import make_item
from tests.factories import (
    make_batch,
    make_owner,
    make_reviewer,
    make_trajectory,
    team_of,
)
from writ_app.engine.editing import BadEdit, Remove, SetArgument, SetResult
from writ_app.models.editing import EditDraft, VersionEvent
from writ_app.models.review import (
    ItemStatus,
    ReviewEvent,
    ReviewItem,
    ReviewSlot,
    Verdict,
)
from writ_app.services.catalog.parameters import BadValue
from writ_app.services.release import freeze_release
from writ_app.services.release.files import find_file
from writ_app.services.review import lease_next, submit_verdict, undo_last
from writ_app.services.review.edit_page import build_edit_page
from writ_app.services.review.edits import (
    EDITED,
    CannotSave,
    CannotWithdraw,
    EditStep,
    changes_of,
    check_edit,
    discard_edit,
    open_edit,
    read_base,
    revise_draft,
    save_edit,
    take_step,
    withdraw_edit,
)
from writ_app.services.review.lineage import versions_of
from writ_app.services.review.verdicts import OwnEdit

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
REASON = "The agent took the wrong one."


@pytest.fixture
def owner():
    return make_owner(name="ada")


@pytest.fixture
def item(owner) -> ReviewItem:
    """Of a conversation that passes every check."""
    return make_item(by=owner)


@pytest.fixture
def wrong(owner) -> ReviewItem:
    """Of one in which the agent wrote something else than was asked for."""
    return make_item(by=owner, fault="wrong_argument")


def write_of(base) -> tuple[int, str]:
    return next(
        (n, made.id)
        for n, message in enumerate(base.trajectory.messages)
        for made in message.tool_calls
        if base.environment.is_write(made.name)
    )


def do(item, user, *steps: EditStep):
    base = read_base(item)
    for step in steps:
        draft = revise_draft(
            item=item,
            user=user,
            revise=lambda now, step=step: take_step(base, now, step),
        )
    return draft


def say(message: int, text: str) -> EditStep:
    return EditStep("text", message=message, value=text)


GREETING = say(0, "Hello! What can I do for you today?")


def saved(item, user) -> ReviewItem:
    do(item, user, GREETING)
    return save_edit(item=item, user=user, reason=REASON, at=NOW)


def mend(item, user) -> None:
    """Give the wrong write the gold's arguments, and accept what follows."""
    base = read_base(item)
    place, call = write_of(base)
    gold = base.task.gold[0].call.arguments
    for name, value in gold.items():
        typed = json.dumps(value)
        do(
            item,
            user,
            EditStep("argument", place, call, f"/{name}", typed, as_json=True),
        )
    do(item, user, EditStep("replay"))
    for hunk in check_edit(base, changes_of(open_edit(item=item, user=user))).hunks:
        do(item, user, EditStep("accept", target=hunk.change.target))


class TestDrafts:
    def test_are_kept_for_one_person_and_leave_the_item_as_it_is(self, item, owner):
        before = item.stored_content

        do(item, owner, GREETING)

        other = make_reviewer(team=team_of(owner))
        assert len(changes_of(open_edit(item=item, user=owner))) == 1
        assert changes_of(open_edit(item=item, user=other)) == ()
        assert ReviewItem.objects.get().stored_content == before

    def test_are_not_stored_by_looking(self, item, owner):
        open_edit(item=item, user=owner)

        assert not EditDraft.objects.exists()

    def test_stay_as_they_were_when_a_step_cannot_be_taken(self, item, owner):
        do(item, owner, GREETING)

        with pytest.raises(BadEdit):
            do(item, owner, say(999, "x"))

        assert len(changes_of(open_edit(item=item, user=owner))) == 1

    def test_can_be_discarded(self, item, owner):
        do(item, owner, GREETING)

        discard_edit(item=item, user=owner)

        assert not EditDraft.objects.exists()


class TestSteps:
    @pytest.fixture
    def call(self, item) -> tuple[int, str]:
        return write_of(read_base(item))

    def changed(self, item, user) -> list:
        return list(changes_of(open_edit(item=item, user=user)))

    def test_type_an_argument_as_the_schema_has_it(self, item, owner, call):
        do(item, owner, EditStep("argument", *call, "/new_item_ids/0", "123"))

        assert self.changed(item, owner) == [
            SetArgument(
                message=call[0], call=call[1], pointer="/new_item_ids/0", value="123"
            )
        ]

    def test_take_a_whole_list_as_json(self, item, owner, call):
        step = EditStep("argument", *call, "/item_ids", '["1", "2"]', as_json=True)

        do(item, owner, step)

        assert self.changed(item, owner)[0].value == ["1", "2"]

    def test_say_what_is_wrong_with_json(self, item, owner, call):
        with pytest.raises(BadValue, match="line 1"):
            do(
                item,
                owner,
                EditStep("argument", *call, "/item_ids", "[", as_json=True),
            )

    def test_make_calls_with_their_true_results(self, item, owner):
        do(item, owner, EditStep("add_call", message=1, tool="calculate"))
        (added,) = self.changed(item, owner)
        assert added.error

        do(
            item,
            owner,
            EditStep("argument", 1, added.id, "/expression", "2 * 3"),
        )

        (added,) = self.changed(item, owner)
        assert (added.arguments, added.content) == ({"expression": "2 * 3"}, "6.0")

    def test_add_and_change_a_message(self, item, owner):
        do(
            item,
            owner,
            EditStep("add_message", message=0, role="user", value="Hello?"),
        )
        (added,) = self.changed(item, owner)

        do(item, owner, EditStep("text", 0, added.id, value="Hello!"))

        assert [one.text for one in self.changed(item, owner)] == ["Hello!"]

    def test_remove_and_bring_back(self, item, owner):
        do(item, owner, EditStep("remove", message=2))
        assert self.changed(item, owner) == [Remove(message=2)]

        do(item, owner, EditStep("reset", target="remove:2:"))

        assert self.changed(item, owner) == []

    def test_replay_everything_that_is_no_longer_true(self, item, owner, call):
        do(
            item,
            owner,
            EditStep("argument", *call, "/new_item_ids/0", "1"),
            EditStep("replay"),
        )

        assert any(isinstance(one, SetResult) for one in self.changed(item, owner))

    def test_accept_nothing_that_is_not_proposed(self, item, owner):
        with pytest.raises(BadEdit, match="no longer applies"):
            do(item, owner, EditStep("accept", target="text:0"))


class TestSaving:
    def test_makes_a_version_with_its_lineage_and_an_honest_verification(
        self, wrong, owner
    ):
        assert not wrong.accepted
        mend(wrong, owner)
        page = build_edit_page(open_edit(item=wrong, user=owner))
        assert {check.name for check in page.failed} == {"confirmation", "policy"}
        assert {check.name for check in page.mended} == {"writes", "final_state"}
        gold = page.base.task.gold[0].call.arguments
        words = (
            f"I can exchange item {gold['item_ids'][0]} in order {gold['order_id']} for "
            f"{gold['new_item_ids'][0]}; any difference goes to {gold['payment_method_id']}. "
            "Shall I go ahead (yes/no)?"
        )
        do(wrong, owner, say(write_of(page.base)[0] - 2, words))

        version = save_edit(item=wrong, user=owner, reason=f" {REASON} ", at=NOW)

        assert (version.number, version.parent, version.edited_by) == (2, wrong, owner)
        assert (version.edit_reason, version.status) == (REASON, ItemStatus.OPEN)
        assert version.accepted
        assert version.failed == []
        assert version.stored_content != wrong.stored_content
        assert (
            next(check["name"] for check in version.verification["checks"]) == "schema"
        )
        assert [one.act for one in VersionEvent.objects.all()] == ["SAVED"]
        assert not EditDraft.objects.exists()

    def test_files_the_version_like_any_other(self, item, owner):
        version = saved(item, owner)

        assert (version.team, version.archetype, version.burden) == (
            item.team,
            item.archetype,
            item.burden,
        )
        assert "What can I do for you today" in version.words
        assert version.sources.count() == item.sources.count() > 0
        assert version.slots.get().ready

    def test_is_refused_while_a_check_fails(self, item, owner):
        place, call = write_of(read_base(item))
        do(item, owner, EditStep("argument", place, call, "/new_item_ids/0", "1"))

        with pytest.raises(CannotSave, match="replay"):
            save_edit(item=item, user=owner, reason=REASON, at=NOW)

        assert ReviewItem.objects.count() == 1
        assert EditDraft.objects.exists()

    @pytest.mark.parametrize(("reason", "why"), [("", "Say why"), ("  ", "Say why")])
    def test_needs_a_reason(self, item, owner, reason, why):
        do(item, owner, GREETING)

        with pytest.raises(CannotSave, match=why):
            save_edit(item=item, user=owner, reason=reason, at=NOW)

    def test_needs_a_change(self, item, owner):
        with pytest.raises(CannotSave, match="Nothing was changed"):
            save_edit(item=item, user=owner, reason=REASON, at=NOW)

    def test_gives_what_the_reviewer_holds_their_verdict_in_the_same_click(
        self, item, owner
    ):
        lease_next(user=owner, at=NOW)

        version = saved(item, owner)

        event = ReviewEvent.objects.get()
        assert (event.verdict, event.note, event.slot.item) == ("FIX", REASON, item)
        assert version.version_events.get().verdict == event
        item.refresh_from_db()
        assert item.status == ItemStatus.FIX

    def test_gives_no_verdict_to_what_the_reviewer_does_not_hold(self, item, owner):
        saved(item, owner)

        assert not ReviewEvent.objects.exists()

    def test_numbers_versions_of_versions(self, item, owner):
        second = EDITED.get(pk=saved(item, owner).pk)

        third = saved_again(second, owner)

        assert (third.number, third.parent) == (3, second)


def saved_again(item, user) -> ReviewItem:
    do(item, user, say(0, "Good morning! What can I do for you?"))
    return save_edit(item=item, user=user, reason="Politer.", at=NOW)


class TestApproval:
    def test_is_somebody_elses(self, item, owner):
        colleague = make_reviewer(team=team_of(owner))
        lease_next(user=owner, at=NOW)
        version = saved(item, owner)

        assert lease_next(user=owner, at=NOW) is None
        assert lease_next(user=colleague, at=NOW).item_id == version.pk

    def test_is_refused_to_the_editor_who_holds_it_all_the_same(self, item, owner):
        make_reviewer(team=team_of(owner))
        version = saved(item, owner)
        slot = version.slots.get()
        ReviewSlot.objects.filter(pk=slot.pk).update(leased_by=owner, leased_until=NOW)

        with pytest.raises(OwnEdit, match="somebody else"):
            approve(slot, owner)

    def test_is_ones_own_in_a_team_of_one(self, item, owner):
        lease_next(user=owner, at=NOW)
        version = saved(item, owner)

        approve(lease_next(user=owner, at=NOW), owner)

        version.refresh_from_db()
        assert version.status == ItemStatus.APPROVED

    def test_is_refused_by_the_database_while_a_check_fails(self, item, owner):
        version = saved(item, owner)
        failing = json.loads(json.dumps(version.verification))
        failing["checks"][0]["passed"] = False
        ReviewItem.objects.filter(pk=version.pk).update(verification=failing)

        with pytest.raises(IntegrityError, match="check fails"), transaction.atomic():
            ReviewSlot.objects.filter(item=version).update(status="APPROVED")

    def test_of_a_later_version_takes_the_earlier_ones_place_in_a_release(
        self, item, owner
    ):
        approve(lease_next(user=owner, at=NOW), owner)
        version = saved(item, owner)
        assert list(ReviewItem.objects.releasable()) == [item]

        approve(lease_next(user=owner, at=NOW), owner)

        assert list(ReviewItem.objects.releasable()) == [version]


def approve(slot, user) -> None:
    submit_verdict(
        slot=slot, token=slot.token, reviewer=user, verdict=Verdict.APPROVE, at=NOW
    )


class TestWithdrawing:
    def test_takes_the_version_out_of_the_queue_and_deletes_nothing(self, item, owner):
        version = saved(item, owner)

        withdraw_edit(version=version, user=owner)

        version.refresh_from_db()
        assert version.status == ""
        assert not ReviewSlot.objects.free(NOW).filter(item=version).exists()
        assert [one.act for one in VersionEvent.objects.all()] == ["SAVED", "WITHDRAWN"]

    def test_undoes_the_verdict_that_came_with_it(self, item, owner):
        lease_next(user=owner, at=NOW)
        version = saved(item, owner)

        withdraw_edit(version=version, user=owner)

        item.refresh_from_db()
        assert item.status == ItemStatus.OPEN
        assert lease_next(user=owner, at=NOW).item_id == item.pk

    def test_comes_with_the_undoing_of_that_verdict(self, item, owner):
        lease_next(user=owner, at=NOW)
        version = saved(item, owner)

        undo_last(reviewer=owner, at=NOW)

        version.refresh_from_db()
        assert (version.status, version.wanted) == ("", 0)

    def test_takes_it_out_of_the_hands_of_who_looks_at_it(self, item, owner):
        colleague = make_reviewer(team=team_of(owner))
        lease_next(user=owner, at=NOW)
        version = saved(item, owner)
        slot = lease_next(user=colleague, at=NOW)

        withdraw_edit(version=version, user=owner)

        with pytest.raises(Exception, match="no longer yours"):
            approve(slot, colleague)

    def test_is_too_late_once_somebody_has_judged(self, item, owner):
        colleague = make_reviewer(team=team_of(owner))
        lease_next(user=owner, at=NOW)
        version = saved(item, owner)
        approve(lease_next(user=colleague, at=NOW), colleague)

        with pytest.raises(CannotWithdraw, match="judged"):
            withdraw_edit(version=version, user=owner)
        with pytest.raises(IntegrityError, match="verdict"), transaction.atomic():
            VersionEvent.objects.create(item=version, act="WITHDRAWN", by=owner)

    def test_is_for_who_made_it(self, item, owner):
        version = saved(item, owner)

        with pytest.raises(CannotWithdraw, match="Only who made"):
            withdraw_edit(version=version, user=make_reviewer(team=team_of(owner)))

    @pytest.mark.parametrize("act", ["update", "delete"])
    def test_is_an_event_that_stays(self, item, owner, act):
        saved(item, owner)
        rows = VersionEvent.objects.all()

        with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
            rows.update(by=owner) if act == "update" else rows.delete()


class TestCanaries:
    def test_pass_their_nature_on_and_are_not_queued_again(self, item, owner):
        canary = ReviewItem.objects.create(
            trajectory=item.trajectory,
            number=2,
            parent=item,
            canary="swapped_argument",
            content=item.stored_content,
            verification=item.stored_verification,
        )

        version = saved(EDITED.get(pk=canary.pk), owner)

        assert version.canary == "swapped_argument"
        assert version.status == ""
        assert [one.item.pk for one in versions_of(version, owner)] == [
            canary.pk,
            version.pk,
        ]
        assert versions_of(item, owner) == ()


class TestLineage:
    def test_tells_each_version_with_what_it_changed(self, item, owner):
        version = saved(item, owner)
        saved_again(EDITED.get(pk=version.pk), owner)

        first, second, third = versions_of(item, owner)

        assert (first.lines, first.distance) == ((), 0)
        assert [line.title for line in second.lines] == ["The agent's words"]
        assert second.distance > 0
        kept = [one.text for one in third.lines[0].segments if one.kind == "ins"]
        assert "".join(kept).split()[0] == "Good"

    def test_is_hidden_while_a_second_review_is_to_stay_blind(self, item, owner):
        colleague = make_reviewer(team=team_of(owner))
        saved(item, owner)
        ReviewItem.objects.filter(pk=item.pk).update(wanted=2)
        item.refresh_from_db()

        assert versions_of(item, colleague) == ()


class TestRelease:
    def test_tells_original_edit_and_reason_beside_the_rows(self, item, owner):
        lease_next(user=owner, at=NOW)
        version = saved(item, owner)
        approve(lease_next(user=owner, at=NOW), owner)

        release = freeze_release(team=team_of(owner), name="edited", by=owner, at=NOW)

        file = find_file(release, "edits.jsonl")
        assert file is not None
        row = json.loads(b"".join(file.chunks))
        assert row["reason"] == REASON
        assert row["item"] == version.pk
        assert row["original"]["item"] == item.pk
        (first,) = row["rejected"][:1]
        assert first["content"] != row["chosen"][0]["content"]
        assert row["chosen"][0]["content"] == GREETING.value
        assert row["prompt"][0]["role"] == "system"
        assert row["tools"]
        assert release.manifest["edited"] == 1

    def test_has_no_such_file_without_edits(self, item, owner):
        approve(lease_next(user=owner, at=NOW), owner)

        release = freeze_release(team=team_of(owner), name="plain", by=owner, at=NOW)

        assert find_file(release, "edits.jsonl") is None
        assert release.manifest["edited"] == 0


def test_an_item_of_old_checks_can_be_edited_all_the_same(owner):
    """The hand-made rows of other tests name checks that the engine does not have."""
    row = make_trajectory(batch=make_batch(team=team_of(owner), by=owner))

    page = build_edit_page(open_edit(item=EDITED.get(pk=row.pk), user=owner))

    assert page.checks[0].was is None
    assert page.why_not == "Nothing is changed yet."

"""Releases: only what was approved, for good, and the same bytes each time."""

import hashlib
import json
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from tests.factories import make_batch, make_owner, make_slot, make_trajectory, team_of
from writ_app.engine.export import FORMATS
from writ_app.models.release import Release, ReleaseMember
from writ_app.models.review import ReviewSlot, SlotStatus, Verdict
from writ_app.models.synthesis import Trajectory
from writ_app.services.release import (
    CannotRelease,
    ReleaseDamaged,
    draft_release,
    freeze_release,
    two_axes,
    write_card,
    write_manifest,
    write_release,
)
from writ_app.services.review import (
    CannotUndo,
    lease_next,
    submit_verdict,
    undo_last,
)

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_owner(name="ada")


@pytest.fixture
def team(owner):
    return team_of(owner)


@pytest.fixture
def batch(team, owner):
    return make_batch(team=team, by=owner)


def judge(user, verdict=Verdict.APPROVE, **fields):
    slot = lease_next(user=user, at=NOW)
    submit_verdict(
        slot=slot, token=slot.token, reviewer=user, verdict=verdict, at=NOW, **fields
    )
    return slot.item.trajectory


@pytest.fixture
def approved(batch, owner):
    for number in range(3):
        make_trajectory(batch=batch, number=number)
    return [judge(owner) for _ in range(3)]


@pytest.fixture
def release(approved, team, owner):
    return freeze_release(team=team, name="first", by=owner, at=NOW)


def refused(statement: str, *parameters: object) -> str:
    """The database's words of refusal."""
    with (
        pytest.raises(IntegrityError) as caught,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, parameters)
    return str(caught.value)


class TestFreezeRelease:
    def test_takes_all_approved_in_stable_order_and_nothing_else(
        self, batch, approved, team, owner
    ):
        make_trajectory(batch=batch, number=3)
        judge(owner, Verdict.REJECT, reason="policy")
        make_trajectory(batch=batch, number=4)

        release = freeze_release(team=team, name="first", by=owner, at=NOW)

        members = release.members.values_list("item_id", flat=True)
        assert list(members) == sorted(row.pk for row in approved)
        assert release.manifest["verdicts"]["given"] == {"APPROVE": 3, "REJECT": 1}
        assert release.manifest["verdicts"]["reasons"] == {"policy": 1}
        assert release.manifest["scripted"] == 3

    def test_leaves_out_what_is_excluded(self, approved, team, owner):
        release = freeze_release(
            team=team, name="first", by=owner, at=NOW, excluded=[approved[0].pk]
        )

        assert release.members.count() == 2

    def test_numbers_releases_of_one_name(self, release, team, owner):
        again = freeze_release(team=team, name="first", by=owner, at=NOW)
        other = freeze_release(team=team, name="other", by=owner, at=NOW)

        assert [str(r) for r in (release, again, other)] == [
            "first v1",
            "first v2",
            "other v1",
        ]

    def test_refuses_an_empty_one(self, team, owner):
        with pytest.raises(CannotRelease, match="no approved"):
            freeze_release(team=team, name="first", by=owner, at=NOW)

        assert not Release.objects.exists()

    def test_pins_what_it_was_made_from(self, release, batch):
        (world,) = release.manifest["environments"]

        assert world["content_hash"] == batch.environment.content_hash
        assert len(world["policy_sha256"]) == len(world["tools_sha256"]) == 64
        assert release.manifest["counts"]["archetype"]
        assert sum(release.manifest["counts"]["grid"].values()) == 3

    def test_names_the_trajectory_that_makes_no_row(self, batch, owner, team):
        row = make_trajectory(batch=batch)
        judge(owner)
        content = {**row.content, "messages": row.content["messages"][:1]}
        content["messages"][0]["content"] = ""
        Trajectory.objects.filter(pk=row.pk).update(content=content)

        with pytest.raises(CannotRelease, match=f"Trajectory {row.pk} "):
            freeze_release(team=team, name="first", by=owner, at=NOW)


class TestWriteRelease:
    @pytest.mark.parametrize("format", sorted(FORMATS))
    def test_gives_the_bytes_of_the_manifest_every_time(self, release, format):
        release.refresh_from_db()
        frozen = release.manifest["files"][format]

        texts = ["".join(write_release(release, format)) for _ in range(2)]

        assert texts[0] == texts[1]
        assert hashlib.sha256(texts[0].encode()).hexdigest() == frozen["sha256"]
        assert len([json.loads(line) for line in texts[0].splitlines()]) == 3

    def test_breaks_off_at_a_row_that_is_not_what_was_frozen(self, release, approved):
        row = approved[1]
        messages = [dict(m) for m in row.content["messages"]]
        messages[1]["content"] = "something else"
        Trajectory.objects.filter(pk=row.pk).update(
            content={**row.content, "messages": messages}
        )
        lines = write_release(release, "trl")

        next(lines)
        with pytest.raises(ReleaseDamaged, match=f"trajectory {row.pk}"):
            next(lines)


class TestTwoAxes:
    def test_puts_every_trajectory_into_one_cell(self, release):
        grid = two_axes(release)

        counts = {writes: sum(cells) for writes, cells in grid.rows}
        assert counts == {"0": 0, "1": 3, "2-3": 0, "4+": 0}


class TestManifest:
    def test_has_the_hash_that_names_the_release(self, release):
        release.refresh_from_db()
        text = write_manifest(release)

        assert hashlib.sha256(text.encode()).hexdigest() == release.content_hash
        assert json.loads(text) == release.manifest


class TestCard:
    def test_says_that_scripted_rows_are_not_for_training(self, release):
        card = write_card(release)

        assert "3 of 3 were made by scripted models" in card
        assert release.content_hash in card


class TestTheDatabaseItself:
    def test_refuses_a_member_that_is_not_approved(self, batch, team, owner):
        row = make_trajectory(batch=batch)
        make_slot(trajectory=row)
        with transaction.atomic():
            draft = draft_release(team=team, name="draft", by=owner)

        with (
            pytest.raises(IntegrityError, match="Only an approved trajectory"),
            transaction.atomic(),
        ):
            ReleaseMember.objects.create(release=draft, item_id=row.pk, position=0)

    def test_refuses_new_members_of_a_frozen_release(self, release, batch, owner):
        make_trajectory(batch=batch, number=5)
        late = judge(owner)

        text = refused(
            "INSERT INTO writ_app_releasemember (release_id, item_id, position)"
            " VALUES (%s, %s, 99)",
            release.pk,
            late.pk,
        )

        assert "takes no more members" in text

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE writ_app_release SET name = 'other' WHERE id = %s",
            "DELETE FROM writ_app_release WHERE id = %s",
            "UPDATE writ_app_releasemember SET position = position + 9 WHERE release_id = %s",
            "DELETE FROM writ_app_releasemember WHERE release_id = %s",
        ],
    )
    def test_refuses_changes_of_a_frozen_release(self, release, statement):
        assert "frozen" in refused(statement, release.pk)

    def test_refuses_to_withdraw_an_approval_that_was_released(self, release, approved):
        text = refused(
            "UPDATE writ_app_reviewslot SET status = 'OPEN' WHERE item_id = %s",
            approved[0].pk,
        )

        assert "its approval stands" in text

    def test_so_undo_refuses_it_too(self, release, approved, owner):
        with pytest.raises(CannotUndo, match="frozen release"):
            undo_last(reviewer=owner, at=NOW)

        assert (
            ReviewSlot.objects.get(item=approved[-1].pk).status == SlotStatus.APPROVED
        )

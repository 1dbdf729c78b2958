"""What the database itself refuses, tried with SQL: whoever gets past the services gets no further."""

import pytest
from django.db import IntegrityError, connection, transaction

from tests.factories import (
    judge,
    make_batch,
    make_owner,
    make_slot,
    make_trajectory,
    make_version,
    team_of,
)
from tests.releases import NOW
from writ_app.models.release import ReleaseFile, ReleaseMember, ReleaseRefusal
from writ_app.models.review import ReviewItem, ReviewSlot, SlotStatus, Verdict
from writ_app.models.synthesis import Trajectory
from writ_app.services.release import draft_release
from writ_app.services.review import CannotUndo, undo_last

pytestmark = pytest.mark.django_db
MEMBER = "INSERT INTO writ_app_releasemember (release_id, item_id, position) VALUES (%s, %s, 99)"
REFUSAL = "INSERT INTO writ_app_releaserefusal (release_id, item_id, reason) VALUES (%s, %s, 'cap')"
FILE = (
    "INSERT INTO writ_app_releasefile (release_id, path, slug, split, rows, bytes, sha256) "
    "VALUES (%s, 'a.jsonl', 'jsonl', '', 1, 1, 'x')"
)
FREEZE = (
    "UPDATE writ_app_release SET frozen_at = now(), content_hash = 'x' WHERE id = %s"
)


def refused(statement: str, *parameters: object) -> str:
    """The database's words of refusal."""
    with (
        pytest.raises(IntegrityError) as caught,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, parameters)
    return str(caught.value)


@pytest.fixture
def draft(team, owner):
    return draft_release(team=team, name="draft", by=owner)


class TestMembers:
    def test_are_approved(self, batch, draft):
        row = make_trajectory(batch=batch)
        make_slot(trajectory=row)

        assert "Only an approved trajectory" in refused(MEMBER, draft.pk, row.pk)

    def test_are_no_canaries(self, approved, draft):
        canary = make_version(of=approved[0], canary="swapped_id")
        ReviewItem.objects.filter(pk=canary.pk).update(status="APPROVED")

        assert "canary never enters" in refused(MEMBER, draft.pk, canary.pk)

    def test_are_accepted_by_the_verification(self, approved, draft):
        Trajectory.objects.filter(pk=approved[0].pk).update(
            accepted=False, reason="policy"
        )

        assert "rejects enters no" in refused(MEMBER, draft.pk, approved[0].pk)

    def test_are_the_teams_own(self, draft):
        stranger = make_owner()
        row = make_trajectory(batch=make_batch(team=team_of(stranger), by=stranger))
        judge(row, Verdict.APPROVE, stranger)

        assert "only what its own team" in refused(MEMBER, draft.pk, row.pk)

    def test_of_many_at_once_are_each_looked_at(self, approved, batch, draft):
        bad = make_trajectory(batch=batch, number=4)
        rows = [
            ReleaseMember(release=draft, item_id=row.pk, position=n)
            for n, row in enumerate([*approved, bad])
        ]

        with (
            pytest.raises(IntegrityError, match="Only an approved"),
            transaction.atomic(),
        ):
            ReleaseMember.objects.bulk_create(rows)

    def test_of_a_draft_go_but_do_not_change(self, approved, draft):
        ReleaseMember.objects.create(release=draft, item_id=approved[0].pk, position=0)

        text = refused("UPDATE writ_app_releasemember SET split = 'test'")
        assert "are not changed" in text
        draft.members.all().delete()
        assert not ReleaseMember.objects.exists()


class TestFrozen:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE writ_app_release SET name = 'other' WHERE id = %s",
            "UPDATE writ_app_release SET frozen_at = NULL, content_hash = '' WHERE id = %s",
            "UPDATE writ_app_release SET recipe = '{}' WHERE id = %s",
            "UPDATE writ_app_release SET licence = 'MIT' WHERE id = %s",
            "DELETE FROM writ_app_release WHERE id = %s",
            "UPDATE writ_app_releasemember SET position = position + 9 WHERE release_id = %s",
            "UPDATE writ_app_releasemember SET row_hash = 'x' WHERE release_id = %s",
            "DELETE FROM writ_app_releasemember WHERE release_id = %s",
        ],
    )
    def test_stays_as_it_is(self, release, statement):
        assert "frozen" in refused(statement, release.pk)

    def test_takes_no_more_members(self, release, batch, owner):
        late = make_trajectory(batch=batch, number=5)
        judge(late, Verdict.APPROVE, owner)

        assert "takes no more members" in refused(MEMBER, release.pk, late.pk)

    def test_keeps_the_list_of_what_it_left_out(self, approved, team, owner, batch):
        draft = draft_release(team=team, name="other", by=owner)
        ReleaseMember.objects.create(
            release=draft, item_id=approved[0].pk, position=0, row_hash="x"
        )
        ReleaseRefusal.objects.create(
            release=draft, item_id=approved[1].pk, reason="cap"
        )
        with connection.cursor() as cursor:
            cursor.execute(FREEZE, [draft.pk])

        texts = [
            refused(REFUSAL, draft.pk, approved[2].pk),
            refused(
                "UPDATE writ_app_releaserefusal SET reason = 'x' WHERE release_id = %s",
                draft.pk,
            ),
            refused(
                "DELETE FROM writ_app_releaserefusal WHERE release_id = %s", draft.pk
            ),
        ]

        assert all("is not changed" in text for text in texts)

    def test_is_not_frozen_without_members(self, draft):
        assert "without members is not frozen" in refused(FREEZE, draft.pk)

    def test_is_not_frozen_with_one_that_lost_its_approval(
        self, approved, draft, owner
    ):
        for n, row in enumerate(approved):
            ReleaseMember.objects.create(release=draft, item_id=row.pk, position=n)
        undo_last(reviewer=owner, at=NOW)

        assert "Only an approved trajectory" in refused(FREEZE, draft.pk)

    def test_is_not_frozen_without_the_hashes_of_its_rows(self, approved, draft):
        ReleaseMember.objects.create(release=draft, item_id=approved[0].pk, position=0)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE writ_app_release SET manifest = '{\"manifest_version\": 2}' WHERE id = %s",
                [draft.pk],
            )

        assert "no hash of its row" in refused(FREEZE, draft.pk)

    def test_begins_as_a_draft(self, team, owner):
        text = refused(
            "INSERT INTO writ_app_release (team_id, name, number, recipe, manifest, content_hash, created_by_id, frozen_at) "
            "VALUES (%s, 'x', 1, '{}', '{}', 'x', %s, now())",
            team.pk,
            owner.pk,
        )

        assert "begins as a draft" in text

    def test_holds_its_approvals(self, release, approved, owner):
        text = refused(
            "UPDATE writ_app_reviewslot SET status = 'OPEN' WHERE item_id = %s",
            approved[0].pk,
        )
        assert "its approval stands" in text

        with pytest.raises(CannotUndo, match="frozen release"):
            undo_last(reviewer=owner, at=NOW)
        slot = ReviewSlot.objects.get(item=approved[-1].pk)
        assert slot.status == SlotStatus.APPROVED


class TestFiles:
    def test_are_of_a_frozen_release(self, draft):
        assert "Only files of a frozen release" in refused(FILE, draft.pk)

    def test_have_one_hash_for_good(self, release):
        with connection.cursor() as cursor:
            cursor.execute(FILE, [release.pk])

        assert "release_file_once" in refused(FILE, release.pk)
        for statement in (
            "UPDATE writ_app_releasefile SET sha256 = 'y' WHERE release_id = %s",
            "DELETE FROM writ_app_releasefile WHERE release_id = %s",
        ):
            assert "never changed or deleted" in refused(statement, release.pk)
        assert ReleaseFile.objects.count() == 1

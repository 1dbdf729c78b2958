"""Uploaded files: what a worker makes of them, and what is left when it cannot."""

import json
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from django.core.files.base import File

from tests.factories import make_owner, team_of
from writ_app.models.accounts import User
from writ_app.models.catalog import (
    ImportStatus,
    ReferenceImport,
    ReferenceImportPart,
    ReferenceSet,
)
from writ_app.services.catalog import uploads

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ROW = json.dumps({"messages": [{"role": "user", "content": "Hi"}]})


def uploaded(text: str, name: str = "file.jsonl") -> ReferenceImport:
    owner = User.objects.filter(username="ada").first() or make_owner(name="ada")
    file = File(BytesIO(text.encode()), name)
    return uploads.keep_upload(team=team_of(owner), by=owner, file=file)


def test_a_file_waits_in_parts_and_becomes_a_set_of_its_team(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(uploads, "PART", 40)
    row = uploaded(f"{ROW}\n{ROW}\n")
    assert row.parts.count() == 3

    uploads.run_import(import_id=row.pk, at=NOW)

    row.refresh_from_db()
    kept = ReferenceSet.objects.get()
    assert (row.status, row.rows, row.reference_set) == (ImportStatus.DONE, 2, kept)
    assert kept.team == row.team
    assert kept.trajectories.count() == 2
    assert not ReferenceImportPart.objects.exists()


def test_a_refused_file_says_why_and_leaves_nothing() -> None:
    row = uploaded(f"{ROW}\n{{}}\n")

    uploads.run_import(import_id=row.pk, at=NOW)

    row.refresh_from_db()
    assert row.status == ImportStatus.FAILED
    assert row.trouble == "file.jsonl, line 2, /messages: must be a list of messages."
    assert not ReferenceSet.objects.exists()
    assert not ReferenceImportPart.objects.exists()


def test_a_file_that_is_here_says_so() -> None:
    for _ in range(2):
        row = uploaded(ROW)
        uploads.run_import(import_id=row.pk, at=NOW)

    row.refresh_from_db()
    assert row.trouble == "This file was here before."
    assert ReferenceSet.objects.count() == 1


def test_a_message_that_comes_twice_does_nothing_the_second_time() -> None:
    row = uploaded(ROW)
    uploads.run_import(import_id=row.pk, at=NOW)

    uploads.run_import(import_id=row.pk, at=NOW)

    row.refresh_from_db()
    assert (row.attempt, row.trouble) == (1, "")


def test_what_a_dead_worker_left_is_found_again() -> None:
    row = uploaded(ROW)
    silent = ReferenceImport.objects.filter(pk=row.pk)
    silent.update(status=ImportStatus.RUNNING, attempt=1, touched_at=NOW)

    assert uploads.abandoned_imports(before=NOW) == []
    assert uploads.abandoned_imports(before=NOW + timedelta(seconds=1)) == [row.pk]


def test_a_worker_thought_dead_cannot_write_over_its_successor() -> None:
    row = uploaded(ROW)
    ReferenceImport.objects.filter(pk=row.pk).update(
        status=ImportStatus.RUNNING, attempt=2
    )

    uploads._end(row, status=ImportStatus.FAILED, trouble="late")

    row.refresh_from_db()
    assert (row.status, row.trouble) == (ImportStatus.RUNNING, "")


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\data\\passwd", "passwd"])
def test_a_browsers_folders_are_nobodys_business(name: str) -> None:
    assert uploaded(ROW, name).file_name == "passwd"


@pytest.mark.django_db(transaction=True)
def test_how_far_it_is_can_be_seen_before_it_is_in() -> None:
    row = uploaded("\n".join([ROW] * 600))
    seen: list[int] = []
    beside = ReferenceImport.objects.filter(pk=row.pk)

    with uploads._telling(row) as tell:
        tell(10, 100, uploads.Written(rows=250))
        seen.append(beside.get().done)

    assert seen == [10]
    assert not ReferenceSet.objects.exists()

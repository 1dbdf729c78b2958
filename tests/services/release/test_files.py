"""Files of a release: the same bytes each time, held to the hash of the first time, broken off before a row that is another."""

import hashlib
import io
import json
import zipfile
from typing import Any

import pytest

from writ_app.engine.export.formats import FORMATS
from writ_app.engine.export.records import digest
from writ_app.models.release import Release, ReleaseFile
from writ_app.models.synthesis import Trajectory
from writ_app.services.release import DatabaseDataset, ReleaseDamaged, write_manifest
from writ_app.services.release import dataset as reading
from writ_app.services.release.files import (
    files_of,
    find_file,
    known_hashes,
    read_sums,
    write_file,
    write_zip,
)

pytestmark = pytest.mark.django_db


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def written(release: Release, path: str) -> bytes:
    file = find_file(release, path)
    assert file is not None
    return b"".join(write_file(release, file))


def damage(row: Trajectory) -> None:
    messages = [dict(message) for message in row.content["messages"]]
    messages[1]["content"] = "something else"
    Trajectory.objects.filter(pk=row.pk).update(
        content={**row.content, "messages": messages}
    )


class TestManifest:
    def test_has_the_hash_that_names_the_release(self, release):
        release.refresh_from_db()
        text = write_manifest(release)

        assert digest(text) == release.content_hash
        assert json.loads(text) == release.manifest

    def test_has_the_hashes_of_the_canonical_files_and_of_the_members(self, release):
        for path in ("trajectories.jsonl", "tasks.jsonl", "environments.jsonl"):
            assert release.manifest["canonical"][path]["sha256"] == sha(
                written(release, path)
            )
        members = written(release, "members.jsonl")
        assert release.manifest["members"]["sha256"] == sha(members)
        rows = written(release, "trajectories.jsonl").splitlines()
        assert [json.loads(line)["row_sha256"] for line in members.splitlines()] == [
            sha(row) for row in rows
        ]


class TestFiles:
    def test_are_there_for_every_format(self, release):
        slugs = {file.slug for file in files_of(release)}

        assert set(FORMATS) <= slugs

    @pytest.mark.parametrize("slug", sorted(FORMATS))
    def test_have_the_same_bytes_every_time(self, release, slug):
        files = [file for file in files_of(release, [slug]) if file.slug == slug]
        first = {file.path: written(release, file.path) for file in files}

        assert {path: written(release, path) for path in first} == first
        kept = dict(ReleaseFile.objects.values_list("path", "sha256"))
        assert kept == {path: sha(data) for path, data in first.items()}

    def test_of_a_format_that_there_is_not_are_refused(self, release):
        with pytest.raises(KeyError, match="pascal"):
            files_of(release, ["pascal"])

    def test_are_not_kept_by_a_reader_who_goes_away(self, release):
        file = find_file(release, "trl/train.jsonl")
        assert file is not None
        parts = write_file(release, file)
        parts.close()  # type: ignore[attr-defined]

        assert not ReleaseFile.objects.exists()

    def test_break_off_before_a_row_that_is_not_what_was_frozen(
        self, release, approved, monkeypatch
    ):
        monkeypatch.setattr("writ_app.engine.export.chunks.CHUNK", 1)
        damage(approved[1])
        file = find_file(release, "jsonl/train.jsonl")
        assert file is not None

        sent: list[bytes] = []
        with pytest.raises(ReleaseDamaged, match=f"trajectory {approved[1].pk} "):
            sent.extend(write_file(release, file))

        assert not ReleaseFile.objects.exists()
        assert len(sent) <= 1
        assert b"something else" not in b"".join(sent)

    def test_that_come_to_something_else_end_without_their_last_part(self, release):
        file = find_file(release, "trl/train.jsonl")
        assert file is not None
        ReleaseFile.objects.create(
            release=release,
            path=file.path,
            slug="trl",
            split="train",
            rows=3,
            bytes=9,
            sha256="0" * 64,
        )
        whole = b"".join(file.chunks)

        sent: list[bytes] = []
        with pytest.raises(ReleaseDamaged, match="came to 0000"):
            sent.extend(write_file(release, file))

        assert len(b"".join(sent)) < len(whole)


class TestDataset:
    def test_gives_the_members_of_a_split_and_few_at_a_time(
        self, release, monkeypatch, django_assert_num_queries
    ):
        monkeypatch.setattr(reading, "AT_ONCE", 2)
        dataset = DatabaseDataset(release)
        assert len(dataset.worlds) == 1

        with django_assert_num_queries(5):  # two rows and one with their items, none
            records = list(dataset.records("train"))

        assert len(records) == 3
        assert list(dataset.records("test")) == []
        assert dataset.splits == ("train",)
        assert len({id(record.world) for record in records}) == 1

    def test_tells_tasks_once_in_order_of_their_hashes(self, release):
        hashes = [key for key, _ in DatabaseDataset(release).tasks()]

        assert hashes == sorted(set(hashes))
        assert set(hashes) == {one.task for one in DatabaseDataset(release).records()}
        assert all(
            task.content_hash == key for key, task in DatabaseDataset(release).tasks()
        )


class TestZip:
    def test_holds_every_file_with_its_sum(self, release):
        data = b"".join(write_zip(release, ["trl", "parquet"], "first-v1"))

        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert archive.testzip() is None
            held = {name: archive.read(name) for name in archive.namelist()}
        sums = read_sums(held["first-v1/SHA256SUMS"].decode().splitlines(True))
        assert sums == {
            name.removeprefix("first-v1/"): sha(content)
            for name, content in held.items()
            if name != "first-v1/SHA256SUMS"
        }
        assert "first-v1/trl/train.jsonl" in held
        assert "first-v1/parquet/train.parquet" in held
        assert not any("axolotl" in name for name in held)

    def test_does_not_open_if_it_was_broken_off(self, release, approved):
        damage(approved[2])
        parts: list[bytes] = []

        with pytest.raises(ReleaseDamaged):
            parts.extend(write_zip(release, None, "x"))

        with pytest.raises(zipfile.BadZipFile):
            zipfile.ZipFile(io.BytesIO(b"".join(parts)))


class TestKnownHashes:
    def test_are_those_of_the_manifest_until_a_file_was_made(self, release):
        before = set(known_hashes(release))

        written(release, "trl/train.jsonl")

        assert before == {
            "manifest.json",
            "members.jsonl",
            "environments.jsonl",
            "tasks.jsonl",
            "trajectories.jsonl",
        }
        assert set(known_hashes(release)) - before == {"trl/train.jsonl"}


def as_the_first(release: Release, items: Any) -> Release:
    """A release as it was frozen before there were recipes: version 1, with a hash of each row of each file."""
    from django.utils import timezone

    from writ_app.engine.export.first_rows import ROWS
    from writ_app.engine.export.records import compact
    from writ_app.models.release import ReleaseMember
    from writ_app.services.release.edits import source_of
    from writ_app.services.release.manifest import canonical

    old = Release.objects.create(
        team=release.team, name="old", number=1, created_by=release.created_by
    )
    for position, item in enumerate(items):
        ReleaseMember.objects.create(release=old, item=item, position=position)
    files = {}
    for slug, name in (("openai_chat", "openai-chat.jsonl"), ("trl", "trl.jsonl")):
        lines = [compact(ROWS[slug](source_of(item))) + "\n" for item in items]
        files[slug] = {
            "file": name,
            "sha256": digest("".join(lines)),
            "rows": [digest(line) for line in lines],
        }
    counts = {**release.manifest["counts"], "maker": {"scripted": len(items)}}
    old.manifest = {
        "manifest_version": 1,
        "release": {"name": "old", "number": 1},
        "frozen_at": "2026-11-01T00:00:00+00:00",
        "frozen_by": "ada",
        "trajectories": len(items),
        "scripted": len(items),
        "environments": release.manifest["environments"],
        "counts": counts,
        "verdicts": release.manifest["verdicts"],
        "sampling": [],
        "files": files,
        "members": [[item.pk, "", ""] for item in items],
    }
    old.content_hash = digest(canonical(old.manifest))
    old.frozen_at = timezone.now()
    old.save()
    return old


class TestFirstManifest:
    @pytest.fixture
    def old(self, release, approved):
        from writ_app.models.review import ReviewItem

        items = ReviewItem.objects.filter(pk__in=[row.pk for row in approved])
        return as_the_first(release, list(items.order_by("pk")))

    def test_still_gives_its_files(self, old):
        from writ_app.services.release.first import verify_first, write_first

        for slug, file in old.manifest["files"].items():
            text = "".join(write_first(old, slug))
            assert digest(text) == file["sha256"]
        assert verify_first(old) == []

    def test_breaks_off_at_a_row_that_is_not_what_was_frozen(self, old, approved):
        from writ_app.services.release.first import verify_first, write_first

        damage(approved[1])
        lines = write_first(old, "trl")

        next(lines)
        with pytest.raises(ReleaseDamaged, match=f"trajectory {approved[1].pk}"):
            next(lines)
        assert len(verify_first(old)) == 2

    def test_has_its_page_card_and_downloads(self, old, owner, client):
        client.force_login(owner)

        page = client.get(f"/releases/{old.pk}/").content.decode()

        assert "Frozen before releases had splits" in page
        assert "3 of 3 were made by scripted models" in page
        answer = client.get(f"/releases/{old.pk}/files/trl.jsonl")
        assert (
            digest(b"".join(answer.streaming_content).decode())
            == (old.manifest["files"]["trl"]["sha256"])
        )
        assert client.get(f"/releases/{old.pk}/files/other.jsonl").status_code == 404
        assert client.get(f"/releases/{old.pk}/files.zip").status_code == 404

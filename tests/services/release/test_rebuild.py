"""Rebuilt from the database, and from the canonical files alone, every file has the same hash; what differs is named."""

import copy
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.factories import judge, make_owner, make_version, team_of
from tests.releases import NOW
from tests.stored_batches import play_batch
from writ_app.models.release import Release, ReleaseFile
from writ_app.models.review import ReviewItem, Verdict
from writ_app.models.synthesis import Trajectory
from writ_app.services import catalog
from writ_app.services.release import Recipe, freeze_release
from writ_app.services.release.rebuild import (
    CannotRebuild,
    export_release,
    rebuild_folder,
    verify_folder,
)

pytestmark = pytest.mark.django_db


def states(made: Any) -> dict[str, str]:
    return {one.path: one.state for one in made}


@pytest.fixture
def folder(release: Release, tmp_path: Path) -> Path:
    assert not any(one.wrong for one in export_release(release, tmp_path / "data"))
    return tmp_path / "data"


class TestFromTheDatabase:
    def test_gives_what_was_first_written(self, release, folder, tmp_path):
        again = states(export_release(release, tmp_path / "again"))

        assert set(again.values()) == {"same", "new"}
        assert [path for path, state in again.items() if state == "new"] == [
            "README.md"  # its words are no data: nothing is kept of them
        ]
        for path in again:
            assert (folder / path).read_bytes() == (
                tmp_path / "again" / path
            ).read_bytes()

    def test_names_what_differs(self, release, tmp_path):
        ReleaseFile.objects.create(
            release=release,
            path="trl/train.jsonl",
            slug="trl",
            split="train",
            rows=3,
            bytes=1,
            sha256="0" * 64,
        )

        wrong = [one for one in export_release(release, tmp_path) if one.wrong]

        assert [one.path for one in wrong] == ["trl/train.jsonl"]
        assert "was 0000" in wrong[0].note
        assert not (tmp_path / "SHA256SUMS").exists()

    def test_names_every_file_that_a_damaged_row_spoils(
        self, release, approved, folder
    ):
        row = approved[0]
        Trajectory.objects.filter(pk=row.pk).update(
            content={**row.content, "user": "other"}
        )

        wrong = {one.path for one in export_release(release, None) if one.wrong}

        assert {
            "trajectories.jsonl",
            "trl/train.jsonl",
            "parquet/train.parquet",
        } <= wrong
        assert "manifest.json" not in wrong

    def test_resumes_where_it_was_cut_off(self, release, folder):
        (folder / "trl/train.jsonl").write_text("half")
        (folder / "tasks.jsonl").unlink()

        again = states(export_release(release, folder, resume=True))

        made = {path for path, state in again.items() if state != "skipped"}
        assert made == {"README.md", "trl/train.jsonl", "tasks.jsonl"}

    def test_writes_sums_that_the_usual_tool_takes(self, folder):
        done = subprocess.run(
            ["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder, check=False
        )

        assert done.returncode == 0


class TestFromTheFolder:
    def test_gives_every_file_again(self, release, folder, tmp_path):
        made = list(rebuild_folder(folder, tmp_path / "again"))

        assert {one.state for one in made} == {"same"}
        assert len(made) == len(list(export_release(release, None)))
        for one in made:
            if not one.note:
                again = tmp_path / "again" / one.path
                if again.exists():
                    assert again.read_bytes() == (folder / one.path).read_bytes()

    @pytest.mark.parametrize(
        ("path", "before", "after"),
        [
            ("trajectories.jsonl", b'"role":"user"', b'"role":"tool"'),
            ("tasks.jsonl", b'"seed":', b'"seeds":'),
            ("environments.jsonl", b'"retail"', b'"retaul"'),
            ("manifest.json", b'"trajectories":3', b'"trajectories":4'),
            ("members.jsonl", b'"split":"train"', b'"split":"trains"'),
        ],
    )
    def test_names_a_file_that_was_changed(self, folder, path, before, after):
        data = (folder / path).read_bytes()
        assert before in data
        (folder / path).write_bytes(data.replace(before, after, 1))

        wrong = {one.path for one in rebuild_folder(folder) if one.wrong}

        assert path in wrong

    def test_rebuilds_the_formats_that_were_exported(self, release, tmp_path):
        list(export_release(release, tmp_path, ["axolotl"]))

        made = list(rebuild_folder(tmp_path))

        assert {one.state for one in made} == {"same"}
        folders = {one.path.split("/")[0] for one in made if "/" in one.path}
        assert folders == {"axolotl"}

    def test_gives_edited_members_again(self, release, approved, owner, team, tmp_path):
        version = make_version(of=approved[0], by=owner, reason="Warmer.")
        content = copy.deepcopy(approved[0].content)
        content["messages"][0]["content"] = "Good day! What can I do for you?"
        ReviewItem.objects.filter(pk=version.pk).update(content=content)
        ReviewItem.objects.filter(pk=version.pk).update(status="APPROVED")
        edited = freeze_release(team=team, name="edited", by=owner, at=NOW)
        assert edited.manifest["edited"] == 1
        assert not [one for one in export_release(edited, tmp_path) if one.wrong]

        made = states(rebuild_folder(tmp_path))

        assert set(made.values()) == {"same"}
        assert "edits.jsonl" in made

    def test_refuses_what_is_no_release(self, tmp_path):
        with pytest.raises(CannotRebuild, match=r"manifest.json: No such file"):
            list(rebuild_folder(tmp_path))
        (tmp_path / "manifest.json").write_text("[]")
        with pytest.raises(CannotRebuild, match="is no manifest"):
            list(rebuild_folder(tmp_path))


class TestVerify:
    def test_finds_what_was_changed_or_is_missing(self, folder):
        assert set(states(verify_folder(folder)).values()) == {"same"}
        (folder / "trl/train.jsonl").write_text("other")
        (folder / "tasks.jsonl").unlink()

        wrong = {one.path for one in verify_folder(folder) if one.wrong}

        assert wrong == {"trl/train.jsonl", "tasks.jsonl"}

    def test_reads_nothing_outside_of_the_folder(self, folder):
        (folder / "SHA256SUMS").write_text(f"{'0' * 64}  ../secret\n")

        (one,) = verify_folder(folder)

        assert one.state == "failed"
        assert "outside" in one.note


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_three_environments_are_rebuilt_from_their_canonical_files(tmp_path):
    owner = make_owner()
    for name in ("retail", "airline", "rental"):
        play_batch(by=owner, ordered=6, environment=name, mix=two_kinds(name))
    for row in Trajectory.objects.filter(accepted=True).order_by("pk"):
        judge(row, Verdict.APPROVE, owner)
    release = freeze_release(
        team=team_of(owner),
        name="three",
        by=owner,
        at=NOW,
        recipe=Recipe(
            shares={"train": 0.6, "validation": 0.2, "test": 0.2},
            tokenizer="estimate",
        ),
        licence="CC-BY-4.0",
    )
    assert len(release.manifest["environments"]) == 3

    assert not [one for one in export_release(release, tmp_path) if one.wrong]

    assert {one.state for one in rebuild_folder(tmp_path)} == {"same"}


def two_kinds(name: str) -> dict[str, float]:
    """Weights of the first two kinds of request of a world."""
    row = catalog.register_generated(name=name, seed=7, users=60)
    kinds = catalog.load_environment(row).domain.archetypes
    return {kind.slug: 1.0 for kind in kinds[:2]}

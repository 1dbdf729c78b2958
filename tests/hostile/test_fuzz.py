"""A few of the cases of tests/benchmarks/fuzz_imports.py, and what longer runs of it have found."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from tests.adapters.test_tau2_results import minimal, written
from tests.benchmarks.fuzz_imports import Door, Outcome, doors, try_door
from writ_app.adapters.tau2 import BadCheckout, read_domain
from writ_app.engine.export.folder import BadFolder, FolderDataset
from writ_app.engine.importing import BadFile
from writ_app.models.catalog import ReferenceSet
from writ_app.services.catalog.references import import_reference
from writ_app.services.catalog.results import import_results
from writ_app.services.operations.backup import DUMP, MANIFEST, BackupError
from writ_app.services.operations.backup import read_manifest as read

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.timeout(300)]
CASES = range(9_001, 9_006)


def test_every_door_takes_good_files_and_takes_or_refuses_bad_ones(
    tmp_path: Path,
) -> None:
    outcome = Outcome()
    tried = doors(tmp_path / "seeds")

    for door in tried:
        assert enters(door, tmp_path / "good"), door.name
        for number in CASES:
            try_door(door, number, tmp_path / "case", outcome)

    assert not outcome.found, "\n".join(
        f"{one.door}, {one.number}: {one.what}" for one in outcome.found
    )
    assert sum(outcome.refused.values()) > len(tried)
    assert sum(outcome.taken.values()) > len(tried) / 2


def enters(door: Door, folder: Path) -> bool:
    """Whether a door takes the first of its own files as it is."""
    folder = folder / door.name.replace("/", " ")
    for path, content in door.seeds[0].items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    door.enter(folder if door.whole_folder else folder / next(iter(door.seeds[0])))
    return True


def test_a_door_that_crashes_or_keeps_half_is_found(tmp_path: Path) -> None:
    def crashes(path: Path) -> None:
        raise KeyError("role")

    def keeps_half(path: Path) -> None:
        from tests.factories import make_environment

        make_environment()
        raise BadCheckout("no")

    outcome = Outcome()
    for name, enter in (("crashes", crashes), ("keeps half", keeps_half)):
        door = Door(name, ({"file": b"{}"},), enter, (BadCheckout,))
        try_door(door, 1, tmp_path / "case", outcome)

    first, second = outcome.found
    assert "KeyError" in first.what
    assert "came in of what was refused" in second.what


class TestReferences:
    def test_are_refused_in_few_words_however_long_the_wrong_text_is(
        self, tmp_path: Path
    ) -> None:
        """A reason of 100 kB broke the connection that the rows were copied over."""
        good = {"role": "user", "content": "Hi"}
        wrong = {"role": "tool", "tool_call_id": "x" * 100_000, "content": "-"}
        path = tmp_path / "rows.jsonl"
        path.write_text(json.dumps({"messages": [good, wrong]}))

        with pytest.raises(BadFile, match="xxx…") as error:
            import_reference(path=path)

        assert len(str(error.value)) < 1_200
        assert not ReferenceSet.objects.exists()

    def test_with_endless_numbers_in_their_environments_are_refused(
        self, tmp_path: Path
    ) -> None:
        line = '{"name": "shop", "tools": [{"strict": 1e999}]}'
        (tmp_path / "environments.jsonl").write_text(line)

        with pytest.raises(BadFolder, match="larger than a number may be"):
            _ = FolderDataset(tmp_path).worlds

    @pytest.mark.parametrize("sign", ["\x00", "\ud83d"])
    def test_with_what_no_text_can_hold_in_a_policy_come_in_without_it(
        self, tmp_path: Path, sign: str
    ) -> None:
        value = minimal()
        value["info"]["environment_info"]["policy"] = f"{sign}Be kind."

        (row,) = import_results(root=written(tmp_path, value))

        row.refresh_from_db()
        kept = row.content["info"]["environment_info"]["policy"]
        assert kept == "\ufffdBe kind."


class TestCheckouts:
    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("9" * 5_000, "not JSON"),
            ("[" * 100_000, "not JSON"),
            ('{"orders": NaN}', "not JSON"),
            ('{"orders": {}, "orders": {}}', "twice"),
            ('{"orders": "\\u0000"}', "NUL"),
            ('{"orders": "\\ud800"}', "surrogate"),
        ],
    )
    def test_with_json_that_no_reader_should_take_are_refused(
        self, tmp_path: Path, text: str, says: str
    ) -> None:
        folder = tmp_path / "data/tau2/domains/retail"
        folder.mkdir(parents=True)
        (folder / "db.json").write_text(text)
        (folder / "tasks.json").write_text("[]")
        (folder / "policy.md").write_text("Be kind.")

        with pytest.raises(BadCheckout, match=says):
            read_domain(tmp_path, "retail")

    def test_with_a_nul_in_the_policy_are_refused(self, tmp_path: Path) -> None:
        folder = tmp_path / "data/tau2/domains/retail"
        folder.mkdir(parents=True)
        (folder / "db.json").write_text("{}")
        (folder / "tasks.json").write_text("[]")
        (folder / "policy.md").write_text("Be\x00kind.")

        with pytest.raises(BadCheckout, match="NUL"):
            read_domain(tmp_path, "retail")


class TestBackups:
    @pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
    def test_that_are_packed_are_refused_unread(
        self, tmp_path: Path, method: int
    ) -> None:
        """They may unpack without end, and ours never are."""
        with zipfile.ZipFile(tmp_path / "bomb", "w", method) as archive:
            archive.writestr(DUMP, b"")
            archive.writestr(MANIFEST, b" " * 50_000_000)

        with pytest.raises(BackupError, match="not a whole backup"):
            read(tmp_path / "bomb")

    @pytest.mark.parametrize(
        "manifest", ["[" * 100_000, json.dumps({"bytes": 10**40}), "\udc80", ""]
    )
    def test_with_a_manifest_that_is_none_are_refused(
        self, tmp_path: Path, manifest: str
    ) -> None:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(DUMP, b"")
            archive.writestr(MANIFEST, manifest.encode(errors="surrogateescape"))
        (tmp_path / "backup").write_bytes(file.getvalue())

        with pytest.raises(BackupError, match="not a whole backup"):
            read(tmp_path / "backup")

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.export.made import Listed, dataset
from writ_app.engine.export import folder
from writ_app.engine.export.folder import (
    BadFolder,
    FolderDataset,
    check_messages,
    write_canonical,
)


@pytest.fixture
def some() -> Listed:
    return dataset()


@pytest.fixture
def place(some: Listed, tmp_path: Path) -> Path:
    for file in write_canonical(some):
        (tmp_path / file.path).write_bytes(b"".join(file.chunks))
    return tmp_path


class TestFolderDataset:
    def test_is_the_dataset_that_was_written(self, some: Listed, place: Path) -> None:
        read = FolderDataset(place)
        assert [one.line for one in read.records()] == [r.line for r in some.records()]
        assert list(read.tasks()) == list(some.tasks())
        assert dict(read.worlds) == dict(some.worlds)
        assert read.splits == some.splits

    def test_gives_the_records_of_a_split(self, some: Listed, place: Path) -> None:
        (one,) = FolderDataset(place).records("test")
        assert one.line == next(some.records("test")).line

    def test_gives_the_tasks_of_an_environment(self, place: Path) -> None:
        read = FolderDataset(place)
        (key,) = read.worlds
        assert list(read.tasks(key)) == list(read.tasks())
        assert list(read.tasks("retail/other")) == []

    def test_written_again_is_the_same_bytes(self, place: Path) -> None:
        for file in write_canonical(FolderDataset(place)):
            assert b"".join(file.chunks) == (place / file.path).read_bytes()

    def test_reads_every_pass_anew(self, place: Path) -> None:
        read = FolderDataset(place)
        assert list(read.records()) == list(read.records())

    def test_a_file_of_another_hash_is_refused_at_its_end(self, place: Path) -> None:
        path = place / "trajectories.jsonl"
        own = hashlib.sha256(path.read_bytes()).hexdigest()
        hashes = {path.name: own}
        assert len(list(FolderDataset(place, hashes).records())) == 8
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(lines[:-1]))
        records = FolderDataset(place, hashes).records()
        assert len([next(records) for _ in range(7)]) == 7
        with pytest.raises(BadFolder, match="SHA-256"):
            next(records)

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(BadFolder, match=r"^environments\.jsonl: No such file"):
            _ = FolderDataset(tmp_path).worlds


def spoil(path: Path, line: int, change: Callable[[Any], Any]) -> None:
    lines = path.read_text("utf-8").splitlines()
    value = json.loads(lines[line - 1])
    changed = change(value)
    lines[line - 1] = json.dumps(value if changed is None else changed)
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _set(**keys: Any) -> Callable[[Any], Any]:
    return lambda value: {**value, **keys}


class TestBadFolder:
    @pytest.mark.parametrize(
        ("change", "told"),
        [
            (_set(id=1), "id"),
            (_set(split=None), "split"),
            (_set(environment="other/1"), "other/1"),
            (_set(messages={}), "messages"),
            (_set(messages=[{"role": "system", "content": "x"}]), "Message 1"),
            (_set(messages=[{"role": "user"}]), "content of message 1"),
            (_set(seed=99), "SHA-256"),
            (lambda value: [value], "no object"),
        ],
    )
    def test_a_bad_record_is_told_by_its_line(
        self, place: Path, change: Callable[[Any], Any], told: str
    ) -> None:
        spoil(place / "trajectories.jsonl", 5, change)
        records = FolderDataset(place).records()
        good = [next(records) for _ in range(4)]
        with pytest.raises(BadFolder, match=told) as refused:
            next(records)
        assert (refused.value.file, refused.value.line) == ("trajectories.jsonl", 5)
        assert len(good) == 4

    def test_a_line_that_is_no_json_is_told(self, place: Path) -> None:
        path = place / "trajectories.jsonl"
        path.write_bytes(b"\n".join([*path.read_bytes().splitlines()[:2], b'{"id": ']))
        with pytest.raises(BadFolder, match=r"line 3: This is no JSON"):
            list(FolderDataset(place).records())

    @pytest.mark.parametrize("line", [b'{"id": NaN}', b"[" * 100_000])
    def test_what_json_does_not_have_is_told(self, place: Path, line: bytes) -> None:
        (place / "trajectories.jsonl").write_bytes(line + b"\n")
        with pytest.raises(BadFolder, match="line 1: This is no JSON"):
            list(FolderDataset(place).records())

    def test_a_line_without_end_is_not_read_to_it(
        self, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(folder, "LONGEST_LINE", 100)
        with pytest.raises(BadFolder, match="line 1: It has more than 100 bytes"):
            list(FolderDataset(place).records())

    def test_bytes_that_are_no_utf_8_are_told(self, place: Path) -> None:
        (place / "tasks.jsonl").write_bytes(b'{"id": "\xff\xfe"}\n')
        with pytest.raises(BadFolder, match="line 1"):
            list(FolderDataset(place).tasks())

    def test_a_changed_task_is_told(self, place: Path) -> None:
        def change(value: Any) -> None:
            value["content"]["title"] = "Another"

        spoil(place / "tasks.jsonl", 2, change)
        with pytest.raises(BadFolder, match="line 2: The task is not what its id says"):
            list(FolderDataset(place).tasks())

    def test_a_task_that_stands_twice_is_told(self, place: Path) -> None:
        path = place / "tasks.jsonl"
        first = path.read_bytes().splitlines(keepends=True)[0]
        path.write_bytes(first + path.read_bytes())
        with pytest.raises(BadFolder, match="line 2: Tasks have to stand once"):
            list(FolderDataset(place).tasks())

    @pytest.mark.parametrize(
        ("change", "told"),
        [(_set(tools=[{}]), "tool"), (_set(policy=None), "policy")],
    )
    def test_a_bad_environment_is_told(
        self, place: Path, change: Callable[[Any], Any], told: str
    ) -> None:
        spoil(place / "environments.jsonl", 1, change)
        with pytest.raises(BadFolder, match=told):
            _ = FolderDataset(place).worlds

    def test_an_environment_that_stands_twice_is_told(self, place: Path) -> None:
        path = place / "environments.jsonl"
        path.write_bytes(path.read_bytes() * 2)
        with pytest.raises(BadFolder, match=r"line 2: .* twice"):
            _ = FolderDataset(place).worlds


def test_calls_of_any_shape_but_the_right_one_are_refused() -> None:
    from writ_app.engine.export.folder import BadLine

    good = {"id": "a", "name": "find", "arguments": {}}
    check_messages([{"role": "assistant", "tool_calls": [good]}])
    for bad in (
        None,
        {},
        {**good, "id": 1},
        {**good, "arguments": "{}"},
        {**good, "x": 1},
    ):
        with pytest.raises(BadLine, match="Message 1 holds a call"):
            check_messages([{"role": "assistant", "tool_calls": [bad]}])

import errno
from pathlib import Path

import pytest

from writ_app.adapters.files import written_whole, written_whole_bytes


def write_and_fail(path: Path, error: type[BaseException]) -> None:
    with written_whole(path) as out:
        out.write("new")
        raise error


def fill_up(path: Path, number: int) -> None:
    with written_whole_bytes(path) as out:
        out.write(b"new")
        raise OSError(number, "what the system says")


class TestAFullDisk:
    @pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
    def test_is_named_with_the_file_and_what_to_do(
        self, tmp_path: Path, number: int
    ) -> None:
        path = tmp_path / "tasks.jsonl"

        with pytest.raises(OSError, match="the disk is full") as caught:
            fill_up(path, number)

        assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(path))
        assert list(tmp_path.iterdir()) == []


class TestWrittenWhole:
    def test_replaces_the_file_at_the_end(self, tmp_path: Path) -> None:
        path = tmp_path / "tasks.jsonl"
        path.write_text("old")

        with written_whole(path) as out:
            out.write("new ↑\n")
            assert path.read_text() == "old"

        assert path.read_bytes() == "new ↑\n".encode()
        assert list(tmp_path.iterdir()) == [path]

    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
    def test_leaves_all_as_it_was_if_something_goes_wrong(
        self, tmp_path: Path, error: type[BaseException]
    ) -> None:
        path = tmp_path / "tasks.jsonl"
        path.write_text("old")

        with pytest.raises(error):
            write_and_fail(path, error)

        assert path.read_text() == "old"
        assert list(tmp_path.iterdir()) == [path]

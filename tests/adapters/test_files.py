from pathlib import Path

import pytest

from writ_app.adapters.files import written_whole


def write_and_fail(path: Path, error: type[BaseException]) -> None:
    with written_whole(path) as out:
        out.write("new")
        raise error


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

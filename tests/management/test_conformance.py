import gzip
import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command


def conformance(*words: str) -> str:
    out = StringIO()
    call_command("conformance", *words, stdout=out)
    return out.getvalue()


class TestConformance:
    def test_prints_one_line_per_file(self, tau2_root: Path, tmp_path: Path) -> None:
        vectors = some_vectors(tau2_root, tmp_path)

        lines = conformance(
            "--environment",
            "retail",
            "--tau2-root",
            f"{tau2_root / 'checkout'}",
            "--vectors",
            f"{vectors}",
        ).splitlines()

        assert lines == ["retail/random_calls: 20 passed, 0 failed"]

    def test_exits_with_1_and_shows_what_differs(
        self, tau2_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        vectors = some_vectors(tau2_root, tmp_path, spoil=True)
        out = StringIO()

        with pytest.raises(SystemExit) as ended:
            call_command(
                "conformance",
                tau2_root=tau2_root,
                vectors=vectors,
                show=1,
                environment=["retail"],
                stdout=out,
            )

        assert ended.value.code == 1
        assert "retail/random_calls: 19 passed, 1 failed" in out.getvalue()
        assert 'expected "spoilt"' in out.getvalue()

    def test_prints_json_on_request(self, tau2_root: Path, tmp_path: Path) -> None:
        vectors = some_vectors(tau2_root, tmp_path)

        printed = conformance(
            "--environment",
            "retail",
            "--tau2-root",
            f"{tau2_root}",
            "--vectors",
            f"{vectors}",
            "--json",
        )

        assert json.loads(printed) == [
            {"file": "retail/random_calls", "passed": 20, "failed": 0, "shown": []}
        ]

    def test_refuses_a_folder_without_vectors_instead_of_passing(
        self, tau2_root: Path, tmp_path: Path
    ) -> None:
        with pytest.raises(CommandError, match="There are no vectors of retail"):
            conformance(
                "--environment",
                "retail",
                "--tau2-root",
                f"{tau2_root}",
                "--vectors",
                f"{tmp_path}",
            )

    def test_refuses_a_folder_that_is_no_checkout(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="no tau2-bench checkout"):
            conformance(
                "--environment",
                "retail",
                "--tau2-root",
                f"{tmp_path}",
                "--vectors",
                f"{tmp_path}",
            )


def some_vectors(tau2_root: Path, tmp_path: Path, *, spoil: bool = False) -> Path:
    """Twenty recorded calls, the first one spoilt on request."""
    with gzip.open(tau2_root / "vectors/retail/random_calls.jsonl.gz", "rt") as file:
        rows = [json.loads(next(file)) for _ in range(20)]
    if spoil:
        rows[0]["result"] = "spoilt"
    (tmp_path / "retail").mkdir()
    with gzip.open(tmp_path / "retail/random_calls.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return tmp_path

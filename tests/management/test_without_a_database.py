"""`migrate` where there is no database: it says so in a sentence."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_says_where_it_looked_and_what_to_check(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "manage.py", "migrate"],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": "postgresql://u:p@127.0.0.1:1/writ",
            "WRIT_VAR_DIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert "The database at 127.0.0.1 cannot be used" in ended.stderr
    assert "DATABASE_URL" in ended.stderr
    assert "Traceback" not in ended.stderr

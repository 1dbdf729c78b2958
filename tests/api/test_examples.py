"""The page about the API: what it tells people to type does what it says."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.api.client import token_of
from tests.factories import (
    make_batch,
    make_environment,
    make_owner,
    make_trajectory,
    team_of,
)
from writ_app.models.catalog import ReferenceImport
from writ_app.models.evaluation import EvaluationRun, RunStatus
from writ_app.models.synthesis import Batch, BatchStatus

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.M | re.S)


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_its_commands_run_one_after_the_other(live_server, tmp_path):
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    owner = make_owner()
    make_environment()
    make_trajectory(batch=make_batch(team=team_of(owner), by=owner))
    blocks = BLOCK.findall((ROOT / "docs" / "api.md").read_text(encoding="utf-8"))
    script = "set -eu\n" + "\n".join(blocks)

    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", script],
        env={
            **os.environ,
            "WRIT_URL": live_server.url,
            "WRIT_TOKEN": token_of(owner),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
    )

    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    batch = Batch.objects.get(team=team_of(owner), name="nightly")
    assert (batch.status, batch.max_tokens) == (BatchStatus.CANCELLED, 5_000_000)
    assert (tmp_path / "results.json").stat().st_size > 0
    assert EvaluationRun.objects.get().status == RunStatus.CANCELLED
    assert json.loads((tmp_path / "evaluation.json").read_text())["tasks"]
    assert ReferenceImport.objects.get().file_name == "rows.jsonl"

"""The examples of docs/api.md for Python, run against a live server as they stand there."""

import re
from pathlib import Path

import pytest

from tests.api.client import token_of
from tests.factories import make_environment, make_owner
from writ_app.models.synthesis import Batch

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.django_db(transaction=True)
def test_the_examples_do_what_they_say(live_server, monkeypatch, tmp_path, capsys):
    make_environment()
    monkeypatch.setenv("WRIT_URL", live_server.url)
    monkeypatch.setenv("WRIT_TOKEN", token_of(make_owner()))
    monkeypatch.chdir(tmp_path)
    blocks = BLOCK.findall((ROOT / "docs" / "api.md").read_text(encoding="utf-8"))
    assert blocks

    for block in blocks:
        exec(compile(block, "docs/api.md", "exec"), {})

    batch = Batch.objects.get(name="from-python")
    assert batch.status == "CANCELLED"
    assert (tmp_path / "from-python.json").is_file()
    assert capsys.readouterr().out.startswith("409 ")

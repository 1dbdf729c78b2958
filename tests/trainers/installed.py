"""What `make trainers` installed: folders of other people's packages, read where they lie.

WRIT_TRAINERS names another folder than .venv/trainers. WRIT_TRAINERS_PYTHON names an interpreter that has torch, for the
checks that need it.
"""

import atexit
import base64
import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import tiktoken

from tests.trainers.readers.vocabularies import VOCABULARIES, pattern

ROOT = Path(os.environ.get("WRIT_TRAINERS") or Path(sys.prefix) / "trainers")
READERS = Path(__file__).parent / "readers"

needs_trainers = pytest.mark.skipif(
    not (ROOT / "trl").is_dir(), reason="No trainers are installed: make trainers"
)


def stock_template(name: str) -> str:
    """A chat template as TRL keeps it, such as qwen3 or qwen3_training."""
    path = ROOT / "trl" / "chat_templates" / f"{name}.jinja"
    return path.read_text(encoding="utf-8")


def see_trainers() -> None:
    """Let this process import them. Last on the path, so that nothing of ours is replaced."""
    if str(ROOT) not in sys.path:
        sys.path.append(str(ROOT))


def render(
    template: str, messages: list[Any], tools: list[Any] | None, **more: Any
) -> tuple[str, list[tuple[int, int]]]:
    """(text, character spans within generation markers) as transformers renders it."""
    see_trainers()
    from transformers.utils.chat_template_utils import render_jinja_template

    texts, spans = render_jinja_template(
        [messages],
        tools=tools,
        chat_template=template,
        return_assistant_tokens_mask="generation %}" in template
        or "generation -%}" in template,
        **more,
    )
    return texts[0], list(spans[0]) if spans else []


def read_with(
    reader: str, payload: Any, timeout: float = 300, torch: bool = False
) -> Any:
    """What a script of `readers/` answers to a JSON value, in a process that sees the trainers. Skips if it says so."""
    named = os.environ.get("WRIT_TRAINERS_PYTHON", "")
    if torch and not named and find_spec("torch") is None:
        pytest.skip("No interpreter with torch: set WRIT_TRAINERS_PYTHON")
    python = (torch and named) or sys.executable
    done = subprocess.run(
        [python, str(READERS / f"{reader}.py")],
        input=json.dumps(payload),
        capture_output=True,
        text=True,
        timeout=timeout,
        env={
            **{k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
            "PYTHONPATH": str(ROOT),
            "HF_HUB_OFFLINE": "1",
        },
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


# --- vocabularies ----------------------------------------------------------------------------------------------------------


@cache
def vocabulary(family: str) -> tiktoken.Encoding:
    """The family's own: Qwen's of dashscope, Llama's of llama-models, with the special tokens that templates write."""
    told = VOCABULARIES[family]
    lines = (ROOT / told.path).read_bytes().splitlines()
    ranks = {
        base64.b64decode(token): int(rank)
        for token, rank in (line.split() for line in lines)
    }
    return tiktoken.Encoding(
        family,
        pat_str=pattern(told),
        mergeable_ranks=ranks,
        special_tokens={t: len(ranks) + n for n, t in enumerate(told.special)},
    )


@cache
def tokenizer_folder(family: str) -> str:
    """The same as a tokenizer that trainers load, made once per process."""
    folder = tempfile.TemporaryDirectory(prefix=f"writ-{family}-")
    atexit.register(folder.cleanup)
    return read_with("vocabularies", {"family": family, "folder": folder.name})

"""What `make trainers` installed: folders of other people's packages, read where they lie.

WRIT_TRAINERS names another folder than .venv/trainers. Checks that need torch run in what `make training` installed, or in
the interpreters that WRIT_TRAINERS_PYTHON and WRIT_LLAMA_FACTORY_PYTHON name.
"""

import atexit
import base64
import json
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Timer
from typing import IO, Any

import pytest
import tiktoken

from tests.trainers.readers.standins import ANSWER
from tests.trainers.readers.vocabularies import VOCABULARIES, pattern

ROOT = Path(os.environ.get("WRIT_TRAINERS") or Path(sys.prefix) / "trainers")
READERS = Path(__file__).parent / "readers"


def _interpreter(variable: str, folder: str) -> str:
    """The one that the variable names, or that of an environment beside the trainers; "" if there is neither."""
    made = Path(sys.prefix) / folder / "bin" / "python"
    return os.environ.get(variable, "") or (str(made) if made.exists() else "")


TRAINING = _interpreter("WRIT_TRAINERS_PYTHON", "training")
LLAMA_FACTORY = _interpreter("WRIT_LLAMA_FACTORY_PYTHON", "llama-factory")

needs_trainers = pytest.mark.skipif(
    not (ROOT / "trl").is_dir(), reason="No trainers are installed: make trainers"
)
needs_llama_factory = pytest.mark.skipif(
    not LLAMA_FACTORY,
    reason="LLaMA-Factory is not installed: make training, or set WRIT_LLAMA_FACTORY_PYTHON",
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
    if torch and not TRAINING and find_spec("torch") is None:
        pytest.skip(
            "No interpreter with torch: make training, or set WRIT_TRAINERS_PYTHON"
        )
    python = (torch and TRAINING) or sys.executable
    return _asked(_reader(reader, python), payload, timeout)


@cache
def _reader(name: str, python: str) -> "subprocess.Popen[str]":
    """One process for all that is asked of it: what it imports takes seconds."""
    said = tempfile.TemporaryFile("w+")  # noqa: SIM115 as long as the process
    process = subprocess.Popen(
        [python, str(READERS / f"{name}.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=said,
        text=True,
        env={
            **{k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
            "PYTHONPATH": str(ROOT),
            "HF_HUB_OFFLINE": "1",
        },
    )
    atexit.register(process.kill)
    SAID[process.pid] = said
    return process


SAID: dict[int, IO[str]] = {}
"""What each reader wrote to standard error."""


def _asked(process: "subprocess.Popen[str]", payload: Any, timeout: float) -> Any:
    assert process.stdin
    assert process.stdout
    late = Timer(timeout, process.kill)
    late.start()
    with suppress(BrokenPipeError):
        process.stdin.write(json.dumps(payload) + "\n")
        process.stdin.flush()
    answered = any(line == f"{ANSWER}\n" for line in process.stdout)
    late.cancel()
    if answered:
        return json.loads(process.stdout.readline())
    SAID[process.pid].seek(0)
    _reader.cache_clear()  # who asks next asks another
    raise AssertionError(SAID[process.pid].read()[-4000:] or "It took too long.")


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

"""What `make trainers` installed: folders of other people's packages, read where they lie.

WRIT_TRAINERS names another folder than .venv/trainers. WRIT_TRAINERS_PYTHON names an interpreter that has torch, for the
checks that need it.
"""

import base64
import json
import os
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import tiktoken

ROOT = Path(os.environ.get("WRIT_TRAINERS") or Path(sys.prefix) / "trainers")
READERS = Path(__file__).parent / "readers"

needs_trainers = pytest.mark.skipif(
    not (ROOT / "trl").is_dir(), reason="No trainers are installed: make trainers"
)


def stock_template(name: str) -> str:
    """A chat template as TRL keeps it, such as qwen3 or qwen3_training."""
    path = ROOT / "trl" / "chat_templates" / f"{name}.jinja"
    return path.read_text(encoding="utf-8")


def render(
    template: str, messages: list[Any], tools: list[Any] | None, **more: Any
) -> tuple[str, list[tuple[int, int]]]:
    """(text, character spans within generation markers) as transformers renders it."""
    if str(ROOT) not in sys.path:
        sys.path.append(str(ROOT))  # last, so that nothing of ours is replaced
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
    python = os.environ.get("WRIT_TRAINERS_PYTHON") or sys.executable
    if torch and python == sys.executable and find_spec("torch") is None:
        pytest.skip("No interpreter with torch: set WRIT_TRAINERS_PYTHON")
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
    if family == "qwen":
        path = ROOT / "dashscope" / "resources" / "qwen.tiktoken"
        digits, first = r"\p{N}", 151643
        special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
        later = ["<tool_call>", "</tool_call>"], 151657
        thinking = (
            [
                "<tool_response>",
                "</tool_response>",
                "<think>",
                "</think>",
            ],
            151665,
        )
        named = {t: first + n for n, t in enumerate(special)}
        for tokens, start in (later, thinking):
            named |= {t: start + n for n, t in enumerate(tokens)}
    else:
        path = ROOT / "llama_models" / "llama3" / "tokenizer.model"
        digits = r"\p{N}{1,3}"
        named = {
            "<|begin_of_text|>": 128000,
            "<|start_header_id|>": 128006,
            "<|end_header_id|>": 128007,
            "<|eot_id|>": 128009,
            "<|python_tag|>": 128010,
        }
    pattern = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
        + digits
        + r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )
    ranks = {
        base64.b64decode(token): int(rank)
        for token, rank in (line.split() for line in path.read_bytes().splitlines())
    }
    return tiktoken.Encoding(
        family, pat_str=pattern, mergeable_ranks=ranks, special_tokens=named
    )

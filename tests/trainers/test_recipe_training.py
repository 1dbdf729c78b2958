"""The recipe's configurations train a small model on a release that was really frozen and written: optional, for it needs torch.

`make training` installs what it takes; without it these skip. The model has random weights, so that what can be seen is that the
loss falls and where it is taken, not that anything good is learned.
"""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
import tiktoken
from django.core.management import call_command
from django.db import transaction

from tests.factories import judge, make_owner
from tests.stored_batches import play_batch
from tests.trainers.installed import (
    LLAMA_FACTORY,
    needs_llama_factory,
    needs_trainers,
    read_with,
    stock_template,
    vocabulary,
)
from tests.trainers.test_recipe import FOLDER, drafted, settings, told
from writ_app.engine.export.chat_templates import FAMILIES
from writ_app.engine.export.fixed import Row
from writ_app.engine.export.mask import segments
from writ_app.models.review import Verdict
from writ_app.models.synthesis import Trajectory

pytestmark = [needs_trainers, pytest.mark.django_db, pytest.mark.timeout(900)]

MERGES = 8_000
"""Of Qwen's 151,643: the logits of a whole row are a third of a gigabyte with these, and three with all."""
SMALL = {
    "num_train_epochs": 2,
    "gradient_accumulation_steps": 1,
    "lr_scheduler_type": "constant",
    "warmup_steps": 0,
    "bf16": "false",
    "use_cpu": "true",
    "disable_tqdm": "true",
    "eval_strategy": "steps",
    "eval_steps": 1000,
    "save_strategy": "steps",
    "save_steps": 1000,
}
"""What is otherwise here than in the files: a few steps on a CPU, each of a single row."""
INSTRUCT = FAMILIES["qwen3_instruct"]


@pytest.fixture(scope="module")
def release(
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The folder above the one that the page's commands write to, of scripted conversations in retail."""
    folder = tmp_path_factory.mktemp("recipe")
    [out] = told("release", "files")
    draft = drafted()
    with django_db_blocker.unblock(), transaction.atomic():
        owner = make_owner()
        batch = play_batch(by=owner, ordered=3, mix={"R1": 1, "W1": 1, "N1": 1})
        for row in Trajectory.objects.filter(simulation__batch=batch, accepted=True):
            judge(row, Verdict.APPROVE, owner)
        call_command(
            *("release", "draft", draft.name, "--shares", "train=0.7,validation=0.3"),
            *("--tokenizer", draft.tokenizer, "--max-tokens", str(draft.max_tokens)),
        )
        call_command("release", "freeze", draft.name)
        formats = [word for one in out.format for word in ("--format", one)]
        to = folder / out.out
        call_command("release", "files", draft.name, "--out", str(to), *formats)
        transaction.set_rollback(True)
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("model") / "tiny"
    asked = {
        "folder": str(folder),
        "template": stock_template("qwen3_instruct_2507"),
        "vocabulary": MERGES,
    }
    made: str = read_with("tiny_model", asked, timeout=800, torch=True)
    return made


def shortened() -> tiktoken.Encoding:
    """What the small model's tokenizer is, told by another library: it says which bytes a token stands for."""
    whole = vocabulary("qwen")
    ranks = {t: n for t, n in whole._mergeable_ranks.items() if n < MERGES}
    names = sorted(whole._special_tokens, key=lambda name: whole._special_tokens[name])
    return tiktoken.Encoding(
        "shortened",
        pat_str=whole._pat_str,
        mergeable_ranks=ranks,
        special_tokens={name: MERGES + n for n, name in enumerate(names)},
    )


def check_labels(row: Row, slug: str, made: Any) -> int:
    """Every token carries its own id as label where the page says that it is trained, and -100 elsewhere. How many are."""
    encoding = shortened()
    parts = segments(row, slug, INSTRUCT)
    shown = [
        (byte, part.trained) for part in parts for byte in part.text.encode("utf-8")
    ]
    at = trained = 0
    for token, label in zip(made["ids"], made["labels"], strict=True):
        piece = encoding.decode_single_token_bytes(token)
        bytes_, marks = zip(*shown[at : at + len(piece)], strict=True)
        assert bytes(bytes_) == piece
        assert set(marks) == {label != -100}
        assert label in (-100, token)
        at += len(piece)
        trained += label != -100
    assert at == len(shown)
    return trained


def lines(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def check_falls(losses: Sequence[float]) -> None:
    """Of the same rows, the second time against the first."""
    half = len(losses) // 2
    assert half
    assert mean(losses[half:]) < mean(losses[:half]), losses


class TestTrl:
    @pytest.mark.parametrize("name", ["trl-full.yaml", "trl-lora.yaml"])
    def test_learns_the_assistants_tokens_and_no_others(
        self, name: str, release: Path, model: str, tmp_path: Path
    ) -> None:
        config = settings(name)
        data = release / config["dataset_name"]
        instead = {
            "model_name_or_path": model,
            "dataset_name": data,
            "output_dir": tmp_path / "out",
            **SMALL,
            "dtype": "float32",
            "dataset_num_proc": 1,
            "learning_rate": 0.01,
        }
        words = [
            str(word) for key, value in instead.items() for word in (f"--{key}", value)
        ]
        made = read_with(
            "trl_recipe",
            {
                "script": str(FOLDER / "trl_sft.py"),
                "arguments": ["--config", str(FOLDER / name), *words],
            },
            torch=True,
            timeout=800,
        )
        rows = lines(data / f"{config['dataset_train_split']}.jsonl")
        for row, one in zip(rows, made["rows"], strict=True):
            assert check_labels(row, "trl", one) > 50
        check_falls(made["losses"])


@needs_llama_factory
class TestLlamaFactory:
    def run(self, part: str, file: Path, folder: Path, **instead: Any) -> None:
        done = subprocess.run(
            [
                str(Path(LLAMA_FACTORY).with_name("llamafactory-cli")),
                *(part, str(file)),
                *(f"{key}={value}" for key, value in instead.items()),
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=800,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]

    def losses(self, folder: Path) -> list[float]:
        logged = lines(folder / "trainer_log.jsonl")
        return [one["loss"] for one in logged if "loss" in one]

    def test_trains_every_weight(
        self, release: Path, model: str, tmp_path: Path
    ) -> None:
        self.run(
            "train",
            FOLDER / "llama-factory-full.yaml",
            release,
            model_name_or_path=model,
            output_dir=tmp_path / "out",
            learning_rate=0.01,
            preprocessing_num_workers=1,
            **SMALL,
        )
        check_falls(self.losses(tmp_path / "out"))

    def test_trains_adapters_and_merges_them_into_a_model(
        self, release: Path, model: str, tmp_path: Path
    ) -> None:
        adapters, merged = tmp_path / "adapters", tmp_path / "merged"
        self.run(
            "train",
            FOLDER / "llama-factory-lora.yaml",
            release,
            model_name_or_path=model,
            output_dir=adapters,
            learning_rate=0.01,
            preprocessing_num_workers=1,
            **SMALL,
        )
        check_falls(self.losses(adapters))
        self.run(
            "export",
            FOLDER / "llama-factory-merge.yaml",
            release,
            model_name_or_path=model,
            adapter_name_or_path=adapters,
            export_dir=merged,
        )
        assert (merged / "model.safetensors").stat().st_size > 0
        kept = (merged / "chat_template.jinja").read_text("utf-8")
        assert kept == stock_template("qwen3_instruct_2507")

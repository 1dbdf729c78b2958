"""docs/recipe.md and its files agree with each other, with the commands, and with what an export writes."""

import json
import re
import shlex
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import load_command_class
from django.core.management.base import CommandParser
from rest_framework.serializers import Serializer

from environments import registry
from tests.engine.export.made import dataset
from tests.trainers.installed import needs_trainers, read_with, tokenizer_folder
from tests.trainers.test_tokens import labelled, learned, ours
from writ_app.api.endpoints import EndpointBody
from writ_app.engine.export.chat_templates import FAMILIES
from writ_app.engine.export.formats import FORMATS
from writ_app.engine.export.options import Options
from writ_app.engine.export.writing import files
from writ_app.engine.grid import read_grid
from writ_app.models.synthesis import ModelEndpoint

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/recipe.md").read_text("utf-8")
FOLDER = ROOT / "docs/recipe"
LINES = [
    line
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    if line
]
LLAMA_FACTORY = ("llama-factory-full.yaml", "llama-factory-lora.yaml")
TRL = ("trl-full.yaml", "trl-lora.yaml")


def settings(name: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text("utf-8"))
    return read


def commands() -> list[list[str]]:
    """What the page tells manage.py, in its order."""
    told = [shlex.split(line) for line in LINES if " manage.py " in line]
    return [words[words.index("manage.py") + 1 :] for words in told]


def parsed(words: list[str]) -> Namespace:
    name, *options = words
    parser: CommandParser = load_command_class("writ_app", name).create_parser(
        "manage.py", name
    )
    return parser.parse_args(options)


def told(name: str, part: str = "") -> list[Namespace]:
    """Every use of a command, or of a part of it."""
    return [
        parsed(words)
        for words in commands()
        if words[0] == name and (not part or words[1] == part)
    ]


def drafted() -> Namespace:
    [draft] = told("release", "draft")
    return draft


def splits() -> list[str]:
    return [share.split("=")[0] for share in drafted().shares.split(",")]


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the page's commands write, of some rows in the splits that it names."""
    [out] = told("release", "files")
    folder = tmp_path_factory.mktemp("recipe") / out.out
    rows = dataset()
    for number, row in enumerate(rows.listed):
        object.__setattr__(row, "split", splits()[number % len(splits())])
    for file in files(rows, out.format, Options()):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(file.chunks))
    return folder


class TestThePage:
    def test_names_every_file_of_its_folder_and_no_other(self) -> None:
        named = set(re.findall(r"(?:docs/)?recipe/([-\w]+\.\w+)", PAGE))
        there = {path.name for path in FOLDER.iterdir() if path.is_file()}
        assert named == there

    @pytest.mark.parametrize("words", commands(), ids=" ".join)
    def test_gives_commands_that_there_are_with_options_that_they_have(
        self, words: list[str]
    ) -> None:
        parsed(words)

    def test_goes_from_the_order_to_the_comparison(self) -> None:
        steps = [" ".join(words[:2]) for words in commands()]
        assert steps[:2] == ["import_tau2 TAU2", "synthesize --environment"]
        assert steps[-1] == "evaluate --compare"

    def test_orders_both_environments_by_the_grid(self) -> None:
        orders = [order for order in told("synthesize") if not order.clone]
        assert {order.environment for order in orders} == {"retail", "airline"}
        assert sum(order.count for order in orders) >= 2000
        for order in orders:
            environment = registry.world(order.environment).generated(seed=1, users=20)
            assert read_grid(json.loads(order.grid.read_text()), environment).cells

    def test_tells_the_files_that_the_release_has(self, release: Path) -> None:
        for row in re.findall(r"^\| (`release/.*?) \|", PAGE, re.MULTILINE):
            first, *others = re.findall(r"`(.*?)`", row)
            assert (release.parent / first).is_file()
            for other in others:
                assert (release.parent / first).with_name(other).is_file()

    def test_evaluates_the_tuned_model_and_its_base_alike(self) -> None:
        tuned, base = (vars(run) for run in told("evaluate") if run.agent)
        assert {key for key in tuned if tuned[key] != base[key]} == {"agent", "name"}
        assert (tuned["split"], tuned["trials"]) == ("base", 4)
        assert tuned["environment"] == ["retail", "airline"]


class TestTrainers:
    @pytest.mark.parametrize("name", LLAMA_FACTORY)
    def test_llama_factory_is_told_of_datasets_that_the_register_has(
        self, name: str, release: Path
    ) -> None:
        config = settings(name)
        folder = release.parent / config["dataset_dir"]
        register = json.loads((folder / "dataset_info.json").read_text())
        assert register.keys() == {config["dataset"], config["eval_dataset"]}
        for entry in register.values():
            assert (folder / entry["file_name"]).stat().st_size > 0

    @pytest.mark.parametrize("name", TRL)
    def test_trl_is_told_of_files_that_the_release_has(
        self, name: str, release: Path
    ) -> None:
        config = settings(name)
        folder = release.parent / config["dataset_name"]
        assert folder.name == FORMATS["trl"].folder
        for split in (config["dataset_train_split"], config["dataset_test_split"]):
            assert (folder / f"{split}.jsonl").stat().st_size > 0

    def test_neither_cuts_a_row_that_the_release_may_hold(self) -> None:
        for name in LLAMA_FACTORY:
            assert settings(name)["cutoff_len"] > drafted().max_tokens
        for name in TRL:
            assert settings(name)["max_length"] is None

    def test_both_train_alike(self) -> None:
        """So that it does not matter which of the two one has."""
        of_trl = {"seed", "bf16", "num_train_epochs", "learning_rate", "output_dir"}
        of_trl |= {"lr_scheduler_type", "warmup_steps", "weight_decay", "packing"}
        of_trl |= {"gradient_accumulation_steps", "per_device_train_batch_size"}
        for theirs, trl in zip(LLAMA_FACTORY, TRL, strict=True):
            one, other = settings(theirs), settings(trl)
            assert {k: one[k] for k in of_trl} == {k: other[k] for k in of_trl}
            assert one["model_name_or_path"] == other["model_name_or_path"]
        lora, adapters = settings(LLAMA_FACTORY[1]), settings(TRL[1])
        for key in ("rank", "alpha", "dropout"):
            assert lora[f"lora_{key}"] == adapters[f"lora_{key}".replace("rank", "r")]

    def test_what_they_write_is_merged_and_served(self) -> None:
        full, lora = map(settings, LLAMA_FACTORY)
        merge = settings("llama-factory-merge.yaml")
        assert merge["adapter_name_or_path"] == lora["output_dir"]
        assert merge["export_dir"] == full["output_dir"]
        assert merge["template"] == full["template"] == lora["template"]
        assert settings("vllm.yaml")["model"] == full["output_dir"]

    @needs_trainers
    @pytest.mark.timeout(400)
    @pytest.mark.parametrize("name", LLAMA_FACTORY)
    def test_llama_factory_trains_on_what_the_app_says(
        self, name: str, release: Path
    ) -> None:
        """With its own processor, given the settings of the file."""
        config, model = settings(name), FAMILIES["qwen3_instruct"]
        folder = release.parent / config["dataset_dir"]
        register = json.loads((folder / "dataset_info.json").read_text())
        written = folder / register[config["dataset"]]["file_name"]
        rows = [json.loads(line) for line in written.read_text("utf-8").splitlines()]
        asked = {
            "rows": rows,
            "info": register,
            "name": config["dataset"],
            "tokenizer": tokenizer_folder("qwen"),
            "template": config["template"],
            "settings": {
                key: config[key]
                for key in ("cutoff_len", "train_on_prompt", "mask_history")
            },
        }
        for row, made in zip(rows, read_with("llama_factory", asked), strict=True):
            shown = ours(row, "llama_factory_sharegpt", model)
            assert made["ids"] == shown.ids
            assert learned(labelled(made), model) == learned(shown, model)


class TestServing:
    @pytest.mark.parametrize("name", ["endpoint.json", "endpoint-base.json"])
    def test_the_endpoint_is_one_that_can_be_registered(self, name: str) -> None:
        told = json.loads((FOLDER / name).read_text())
        body: Serializer[Any] = EndpointBody(data=told)
        assert body.is_valid(), body.errors
        fields = {field.name for field in ModelEndpoint._meta.get_fields()}
        given = {key: value for key, value in told.items() if key in fields}
        ModelEndpoint(**given).clean_fields(exclude=["team"])

    def test_the_endpoints_lead_to_the_servers_and_are_what_is_evaluated(self) -> None:
        config = settings("vllm.yaml")
        served = {config["served-model-name"]: config["port"]}
        for line in LINES:
            if line.startswith("vllm serve ") and "--served-model-name" in line:
                words = shlex.split(line)
                name = words[words.index("--served-model-name") + 1]
                served[name] = int(words[words.index("--port") + 1])
        registered = {}
        for name in ("endpoint.json", "endpoint-base.json"):
            told = json.loads((FOLDER / name).read_text())
            registered[told["name"]] = told
            assert told["model"] == f"openai/{told['name']}"
            port = served[told["name"]]
            assert told["base_url"] == f"http://{config['host']}:{port}/v1"
        agents = [run.agent for run in _runs()]
        assert agents == list(registered)


def _runs() -> list[Namespace]:
    return [run for run in told("evaluate") if run.agent]

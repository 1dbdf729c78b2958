"""Token by token: what trainers' own code makes of the rows is what the app says they train on."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.engine.export.made import dataset, record
from tests.engine.talks import designer
from tests.trainers.installed import (
    needs_trainers,
    read_with,
    see_trainers,
    stock_template,
    tokenizer_folder,
    vocabulary,
)
from tests.trainers.test_chat_templates import STOCK, TRAINED
from tests.trainers.test_render import options_for, rows_of
from writ_app.engine.export.chat_templates import FAMILIES, Family
from writ_app.engine.export.fixed import Row
from writ_app.engine.export.formats import FORMATS
from writ_app.engine.export.mask import RULES, Segment, segments, tokens
from writ_app.engine.export.options import Options
from writ_app.engine.export.tokens import counter
from writ_app.engine.export.writing import files

pytestmark = [needs_trainers, pytest.mark.timeout(400)]

SOME = ("R1", "W1", "N1", "T1")
INSTRUCT = FAMILIES["qwen3_instruct"]


class Told(NamedTuple):
    """A row as a trainer holds it: token ids, and for each whether it carries loss."""

    ids: list[int]
    trained: list[bool]


def ours(row: Row, slug: str, family: Family, special: Any = "all") -> Told:
    """By what the app says, with the family's own vocabulary. No token may be trained on in part.

    `special`: which control tokens there are; Qwen2.5 has a few less than the vocabulary of Qwen3.
    """
    parts = segments(row, slug, family)
    encoding = vocabulary(family.tokenizer)
    text = "".join(part.text for part in parts)
    ids = encoding.encode(text, allowed_special=special, disallowed_special=())
    marks = [
        part.trained for part in parts for _ in range(len(part.text.encode("utf-8")))
    ]
    trained, at = [], 0
    for token in ids:
        length = len(encoding.decode_single_token_bytes(token))
        some = set(marks[at : at + length])
        assert len(some) == 1, "A token crosses the edge of what is trained on."
        trained.append(some.pop())
        at += length
    return Told(ids, trained)


def labelled(made: Any) -> Told:
    return Told(made["ids"], [label != -100 for label in made["labels"]])


def learned(told: Told, family: Family) -> list[str]:
    """The stretches that carry loss, without the line feeds around them: trainers differ in these alone."""
    runs: list[list[int]] = []
    before = False
    for token, trained in zip(*told, strict=True):
        if trained and not before:
            runs.append([])
        if trained:
            runs[-1].append(token)
        before = trained
    decode = vocabulary(family.tokenizer).decode
    return [decode(run).strip("\n") for run in runs]


def write(folder: Path, slug: str, options: Options) -> dict[str, Path]:
    """The files of a format for a small dataset, by path within its folder."""
    made = {}
    for file in files(dataset(SOME), [slug], options):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(file.chunks))
        made[path.name] = path
    return made


def lines(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("slug", TRAINED)
class TestTransformers:
    def test_marks_the_same_tokens_of_the_assistant(self, slug: str) -> None:
        see_trainers()
        from transformers import AutoTokenizer

        family = FAMILIES[slug]
        tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder(family.tokenizer))
        for archetype in list(designer().archetypes)[::4]:
            [row] = rows_of("trl", record(archetype), Options())
            made = tokenizer.apply_chat_template(
                row["messages"],
                tools=row["tools"],
                chat_template=stock_template(TRAINED[slug]),
                return_dict=True,
                return_assistant_tokens_mask=True,
            )
            told = ours(row, "trl", family)
            assert made["input_ids"] == told.ids
            assert [bool(mark) for mark in made["assistant_masks"]] == told.trained


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.slug)
class TestCounts:
    def test_are_exact_with_the_vocabulary_of_the_family(self, family: Family) -> None:
        encoding = vocabulary(family.tokenizer)

        def count(texts: Sequence[str]) -> list[int]:
            return [len(encoding.encode_ordinary(text)) for text in texts]

        for slug in RULES:
            for row in rows_of(slug, record("W1"), options_for(family))[:3]:
                parts: list[Segment] = segments(row, slug, family)
                text = "".join(part.text for part in parts)
                control = set(family.control.findall(text)) - set("0123456789")
                told = ours(row, slug, family, control)
                assert tokens(parts, family, count) == (
                    len(told.ids),
                    sum(told.trained),
                )

    def test_are_nearly_the_same_with_the_tokenizer_that_the_app_brings(
        self, family: Family
    ) -> None:
        for archetype in list(designer().archetypes)[::5]:
            [row] = rows_of("trl", record(archetype), options_for(family))
            parts = segments(row, "trl", family)
            control = set(family.control.findall("".join(p.text for p in parts)))
            told = ours(row, "trl", family, control - set("0123456789"))
            counted = tokens(parts, family, counter("cl100k_base"))
            real = (len(told.ids), sum(told.trained))
            assert counted == pytest.approx(real, rel=0.002)


class TestAxolotl:
    def read(self, rows: list[Row], family: Family, **more: Any) -> list[Told]:
        told = {
            "type": "chat_template",
            "field_messages": "messages",
            "field_tools": "tools",
            "message_field_training": "train",
            "roles_to_train": ["assistant"],
            "train_on_eos": "turn",
        }
        asked = {
            "rows": rows,
            "tokenizer": tokenizer_folder(family.tokenizer),
            "template": stock_template(STOCK[family.slug]),
            "dataset": {**told, **more},
        }
        return [labelled(made) for made in read_with("axolotl_chat", asked)]

    def test_its_side_file_says_what_is_asked_of_it_here(self, tmp_path: Path) -> None:
        import yaml

        written = write(tmp_path, "axolotl", Options())
        [entry] = yaml.safe_load(written["datasets.yaml"].read_text())["datasets"]
        assert entry.pop("path") == "axolotl/train.jsonl"
        assert entry.pop("ds_type") == "json"
        assert entry == {
            "type": "chat_template",
            "field_messages": "messages",
            "field_tools": "tools",
            "message_field_training": "train",
            "roles_to_train": ["assistant"],
            "train_on_eos": "turn",
        }

    @pytest.mark.parametrize("slug", ["qwen3_instruct", "qwen2_5", "llama3_1"])
    def test_trains_on_what_the_app_says(self, slug: str, tmp_path: Path) -> None:
        family = FAMILIES[slug]
        path = write(tmp_path, "axolotl", options_for(family))["train.jsonl"]
        rows = lines(path)
        for row, made in zip(rows, self.read(rows, family), strict=True):
            told = ours(row, "axolotl", family)
            assert made.ids == told.ids
            assert learned(made, family) == learned(told, family)

    def test_trains_on_a_masked_greeting_unless_it_is_told_of_the_flag(
        self, tmp_path: Path
    ) -> None:
        [row, *_] = lines(write(tmp_path, "axolotl", Options())["train.jsonl"])
        greeting = row["messages"][1]["content"] + "<|im_end|>"
        [made] = self.read([row], INSTRUCT)
        [deaf] = self.read([row], INSTRUCT, message_field_training=None)
        assert learned(deaf, INSTRUCT) == [greeting, *learned(made, INSTRUCT)]


class TestLlamaFactory:
    NAMES = {
        "qwen3_instruct": "qwen3_nothink",
        "llama3_1": "llama3",
    }
    """Its own names for the templates of these families."""

    def read(
        self, rows: list[Row], info: Any, template: str, family: Family, **settings: Any
    ) -> list[Any]:
        asked = {
            "rows": rows,
            "info": info,
            "name": "writ_train",
            "tokenizer": tokenizer_folder(family.tokenizer),
            "template": template,
            "settings": settings,
        }
        made: list[Any] = read_with("llama_factory", asked)
        return made

    @pytest.mark.parametrize("family", NAMES)
    @pytest.mark.parametrize("slug", ["llama_factory_sharegpt", "llama_factory_openai"])
    def test_trains_on_what_the_app_says(
        self, slug: str, family: str, tmp_path: Path
    ) -> None:
        written = write(tmp_path, slug, Options())
        rows, model = lines(written["train.jsonl"]), FAMILIES[family]
        info = json.loads(written["dataset_info.json"].read_text())
        made = self.read(rows, info, self.NAMES[family], model)
        for row, one in zip(rows, made, strict=True):
            told = ours(row, slug, model)
            assert learned(labelled(one), model) == learned(told, model)
            assert one["system"].strip() == row_system(row).strip()
            assert json.loads(one["tools"]) == json.loads(row["tools"])
            if slug == "llama_factory_sharegpt" and family == "qwen3_instruct":
                assert one["ids"] == told.ids

    def test_drops_a_row_that_begins_with_a_greeting(self, tmp_path: Path) -> None:
        written = write(tmp_path, "llama_factory_sharegpt", Options())
        info = json.loads(written["dataset_info.json"].read_text())
        [row, *_] = lines(written["train.jsonl"])
        greeting = {"from": "gpt", "value": "Hi!"}
        greeted = {**row, "conversations": [greeting, *row["conversations"]]}
        made, dropped = self.read([row, greeted], info, "qwen3_nothink", INSTRUCT)
        assert made["ids"]
        assert not dropped["ids"]

    def test_cuts_what_is_longer_than_it_was_told_without_a_word(
        self, tmp_path: Path
    ) -> None:
        written = write(tmp_path, "llama_factory_sharegpt", Options())
        info = json.loads(written["dataset_info.json"].read_text())
        [row, *_] = lines(written["train.jsonl"])
        [cut] = self.read([row], info, "qwen3_nothink", INSTRUCT, cutoff_len=2048)
        told = ours(row, "llama_factory_sharegpt", INSTRUCT)
        assert len(cut["ids"]) <= 2048 < len(told.ids)
        whole = learned(told, INSTRUCT)
        assert len(learned(labelled(cut), INSTRUCT)) < len(whole)
        assert "--cutoff_len" in FORMATS["llama_factory_sharegpt"].load

    def test_encodes_arguments_that_are_text_a_second_time(
        self, tmp_path: Path
    ) -> None:
        """Why its openai shape says calls as text, and is not the one of OpenAI."""
        info = {
            "writ_train": {
                "file_name": "x.jsonl",
                "formatting": "openai",
                "columns": {"messages": "messages", "tools": "tools"},
                "tags": {
                    "role_tag": "role",
                    "content_tag": "content",
                    "user_tag": "user",
                    "assistant_tag": "assistant",
                    "observation_tag": "tool",
                    "function_tag": "function_call",
                    "system_tag": "system",
                },
            }
        }
        [row] = rows_of("openai_chat", record("R1"), Options(greeting="drop"))
        spoken = [{"content": "", **message} for message in row["messages"]]
        asked = {**row, "messages": spoken, "tools": json.dumps(row["tools"])}
        [made] = self.read([asked], info, "qwen3_nothink", INSTRUCT)
        calls = [m for m in made["messages"] if m["role"] == "function"]
        assert calls
        for call in calls:
            assert isinstance(json.loads(call["content"])[0]["arguments"], str)


class TestMsSwift:
    """With its preprocessor and agent template; its encoder needs a model's processor, which no package ships."""

    def test_reads_the_messages_the_loss_and_the_calls_that_the_app_shows(
        self, tmp_path: Path
    ) -> None:
        path = write(tmp_path, "ms_swift", Options())["train.jsonl"]
        asked = {"file": str(path), "folder": str(tmp_path / "cache")}
        for row, made in zip(lines(path), read_with("ms_swift", asked), strict=True):
            said = row["messages"][1:]
            assert [(m["role"], m["content"]) for m in made["messages"]] == [
                (m["role"], m["content"]) for m in said
            ]
            lost = [n for n, m in enumerate(made["messages"]) if m.get("loss") is False]
            assert lost == [n for n, m in enumerate(said) if m.get("loss") is False]
            shown = segments(row, "ms_swift", INSTRUCT)
            head = "".join(p.text for p in shown if p.role in ("system", "tools"))
            assert head == f"<|im_start|>system\n{made['system']}<|im_end|>\n"
            calls = [p.text for p in shown if p.trained and "<tool_call>" in p.text]
            assert calls == [f"{call}<|im_end|>\n" for call in made["calls"]]


class TestTrl:
    """With its trainer, which needs torch."""

    def read(
        self, path: Path, template: str, folder: Path, family: Family, **settings: Any
    ) -> Any:
        asked = {
            "file": str(path),
            "tokenizer": tokenizer_folder(family.tokenizer),
            "template": stock_template(template),
            "settings": settings,
            "folder": str(folder / "work"),
        }
        return read_with("trl_sft", asked, torch=True)

    @pytest.mark.parametrize("family", TRAINED)
    def test_trains_on_what_the_app_says(self, family: str, tmp_path: Path) -> None:
        """Given the stock template of the model, as a user of it would: TRL puts its own in its place."""
        path = write(tmp_path, "trl", Options())["train.jsonl"]
        stock = {"qwen3_training": "qwen3"}.get(family, STOCK[family])
        made = self.read(
            path,
            stock,
            tmp_path,
            FAMILIES[family],
            assistant_only_loss=True,
            max_length=None,
        )
        for row, one in zip(lines(path), made["rows"], strict=True):
            assert labelled(one) == ours(row, "trl", FAMILIES[family])

    @pytest.mark.parametrize("family", ["qwen3_instruct", "qwen3", "llama3_1"])
    def test_trains_on_the_completion_of_a_row_per_turn(
        self, family: str, tmp_path: Path
    ) -> None:
        model = FAMILIES[family]
        path = write(tmp_path, "turns", options_for(model))["train.jsonl"]
        made = self.read(path, STOCK[family], tmp_path, model, max_length=None)
        for row, one in zip(lines(path), made["rows"], strict=True):
            told = ours(row, "turns", model)
            assert one["ids"] == told.ids
            assert learned(labelled(one), model)[-1].endswith(
                learned(told, model)[0][-40:]
            )

    def test_drops_every_row_at_the_length_it_has_by_default(
        self, tmp_path: Path
    ) -> None:
        path = write(tmp_path, "trl", Options())["train.jsonl"]
        made = self.read(
            path, "qwen3_instruct_2507", tmp_path, INSTRUCT, assistant_only_loss=True
        )
        assert made["rows"] == []

    def test_refuses_the_template_of_llama(self, tmp_path: Path) -> None:
        path = write(tmp_path, "trl", Options())["train.jsonl"]
        llama = FAMILIES["llama3_1"]
        made = self.read(
            path,
            "llama3_1",
            tmp_path,
            llama,
            assistant_only_loss=True,
            max_length=None,
        )
        assert "not training-compatible" in made["error"]


class TestVerl:
    """With its dataset, which needs torch."""

    def read(self, written: dict[str, Path], template: str, **settings: Any) -> Any:
        asked = {
            "file": str(written["train.parquet"]),
            "loader": str(written["writ_dataset.py"]),
            "tokenizer": tokenizer_folder("qwen"),
            "template": stock_template(template),
            "settings": settings,
        }
        return read_with("verl_multiturn", asked, torch=True)

    @pytest.mark.parametrize("family", ["qwen3_instruct", "qwen2_5"])
    def test_trains_on_what_the_app_says(self, family: str, tmp_path: Path) -> None:
        made = self.read(write(tmp_path, "verl", Options()), STOCK[family])
        rows = [
            row
            for one in dataset(SOME).records("train")
            for row in rows_of("verl", one, Options())
        ]
        for row, one in zip(rows, made["rows"], strict=True):
            told = ours(row, "verl", FAMILIES[family])
            assert one["ids"] == told.ids
            read = Told(one["ids"], [bool(mark) for mark in one["mask"]])
            assert learned(read, FAMILIES[family]) == learned(told, FAMILIES[family])

    def test_stops_at_a_thinking_template_as_history_is_not_what_was_trained(
        self, tmp_path: Path
    ) -> None:
        made = self.read(write(tmp_path, "verl", Options()), "qwen3")
        assert "may not equal" in made["error"]


def row_system(row: Row) -> str:
    if "system" in row:
        return str(row["system"])
    return str(row["messages"][0]["content"])

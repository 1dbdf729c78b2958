"""What each format for a trainer is like, as that trainer's documents and loader want it."""

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.engine.export.conversations import WORLD, recorded
from tests.engine.export.losses import stored
from tests.engine.export.made import dataset, record, shop
from tests.engine.export.test_formats import FAILED, calls_of, only_row
from tests.engine.talks import small_shop
from writ_app.engine.export.fixed import Row, encode
from writ_app.engine.export.formats import FORMATS
from writ_app.engine.export.formats.trl import FEATURES
from writ_app.engine.export.options import Options
from writ_app.engine.export.records import Json, spoken
from writ_app.engine.export.unfit import UnfitRow
from writ_app.engine.export.writing import files

ARCHETYPES = ("R1", "R2", "W1", "N1")


def rows_of(slug: str) -> list[Row]:
    return [
        row
        for archetype in ARCHETYPES
        for row in FORMATS[slug].rows(record(archetype), Options())
    ]


@pytest.mark.parametrize("slug", ["jsonl", "parquet", "trl", "turns"])
def test_the_code_of_a_dataset_card_loads_the_files(
    slug: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    for file in files(dataset(), [slug], Options()):
        path = tmp_path / file.path
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"".join(file.chunks))
        if file.split == "train":
            rows = file.rows
    made: dict[str, Any] = {}
    exec(FORMATS[slug].load, made)
    assert len(made["records" if slug == "jsonl" else "dataset"]) == rows


class TestOpenaiChat:
    def test_has_arguments_as_text_and_no_content_beside_calls(self) -> None:
        row = only_row("openai_chat")
        assert row["parallel_tool_calls"] is False
        for message in row["messages"]:
            if "tool_calls" in message:
                assert "content" not in message
        assert all(isinstance(json.loads(f["arguments"]), dict) for f in calls_of(row))

    def test_offers_the_tools_exactly_as_the_agent_had_them(self) -> None:
        assert only_row("openai_chat")["tools"] == small_shop().schemas


class TestTrl:
    def test_has_arguments_as_an_object_and_content_in_every_message(self) -> None:
        row = only_row("trl")
        assert all(isinstance(m["content"], str) for m in row["messages"])
        assert all(isinstance(f["arguments"], dict) for f in calls_of(row))

    @pytest.mark.parametrize("explicit", [True, False])
    def test_file_comes_back_equal_from_datasets(
        self, tmp_path: Path, explicit: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        import datasets

        features = eval(FEATURES, vars(datasets)) if explicit else None
        assert loaded("trl", tmp_path, features) == rows_of("trl")

    def test_says_what_to_load_it_with(self) -> None:
        assert FEATURES in FORMATS["trl"].load


def loaded(slug: str, place: Path, features: Any = None) -> list[Row]:
    """The rows of a file as `datasets` gives them."""
    import datasets

    path = place / "train.jsonl"
    path.write_text(
        "".join(encode(row).decode() + "\n" for row in rows_of(slug)), "utf-8"
    )
    return list(
        datasets.load_dataset(
            "json",
            data_files=str(path),
            split="train",
            features=features,
            cache_dir=str(place / "cache"),
        )
    )


class TestTurns:
    def test_has_a_row_for_each_turn_that_is_trained(self) -> None:
        rows = list(FORMATS["turns"].rows(recorded(FAILED), Options()))
        assert [len(row["prompt"]) for row in rows] == [3, 5, 7]
        assert all(len(row["completion"]) == 1 for row in rows)

    def test_a_row_holds_all_that_came_before_its_turn(self) -> None:
        *_, last = FORMATS["turns"].rows(recorded(FAILED), Options())
        for row in FORMATS["turns"].rows(recorded(FAILED), Options()):
            assert row["prompt"] == last["prompt"][: len(row["prompt"])]


class TestLlamaFactory:
    @pytest.mark.parametrize("slug", ["llama_factory_sharegpt", "llama_factory_openai"])
    def test_every_value_is_a_text_so_that_nothing_is_filled_in(
        self, slug: str
    ) -> None:
        row = only_row(slug)
        for key, value in row.items():
            if key not in ("conversations", "messages"):
                assert isinstance(value, str)
            else:
                assert all(isinstance(v, str) for one in value for v in one.values())

    def test_user_and_assistant_take_turns_and_their_number_is_even(self) -> None:
        for row in rows_of("llama_factory_sharegpt"):
            speakers = [one["from"] for one in row["conversations"]]
            assert set(speakers[::2]) <= {"human", "observation"}
            assert set(speakers[1::2]) <= {"gpt", "function_call"}
            assert speakers[0] == "human"
            assert len(speakers) % 2 == 0

    def test_a_call_is_one_object(self) -> None:
        for one in only_row("llama_factory_sharegpt")["conversations"]:
            if one["from"] == "function_call":
                assert json.loads(one["value"]).keys() == {"name", "arguments"}

    @pytest.mark.parametrize("slug", ["llama_factory_sharegpt", "llama_factory_openai"])
    def test_a_conversation_out_of_turn_is_refused_and_not_left_out_unseen(
        self, slug: str
    ) -> None:
        twice = [*FAILED[:2], spoken("user", "Please."), *FAILED[2:]]
        with pytest.raises(UnfitRow) as refused:
            list(FORMATS[slug].rows(recorded(twice), Options()))
        assert refused.value.pitfall == "alternation"

    @pytest.mark.parametrize(
        ("slug", "messages"),
        [
            ("llama_factory_sharegpt", "conversations"),
            ("llama_factory_openai", "messages"),
        ],
    )
    def test_its_register_names_the_columns_and_speakers_that_rows_have(
        self, slug: str, messages: str
    ) -> None:
        (side,) = FORMATS[slug].side(["train", "test"], Options(name="shop"))
        info = json.loads(side.text)
        assert [*info] == ["shop_train", "shop_test"]
        entry, row = info["shop_train"], only_row(slug)
        assert entry["file_name"] == "train.jsonl"
        assert set(entry["columns"].values()) == set(row)
        tags = entry["tags"]
        assert entry["columns"]["messages"] == messages
        speakers = {one[tags["role_tag"]] for one in row[messages]}
        assert speakers <= {value for key, value in tags.items() if key != "role_tag"}

    def test_a_file_comes_back_equal_from_a_loader_that_gives_all_rows_the_same_keys(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        for slug in ("llama_factory_sharegpt", "llama_factory_openai"):
            (tmp_path / slug).mkdir()
            assert loaded(slug, tmp_path / slug) == rows_of(slug)


class TestAxolotl:
    def test_has_arguments_and_parameters_as_text(self) -> None:
        row = only_row("axolotl")
        for function in calls_of(row):
            assert isinstance(json.loads(function["arguments"]), dict)
        for tool, known in zip(row["tools"], small_shop().schemas, strict=True):
            parameters = json.loads(tool["function"]["parameters"])
            assert parameters == known["function"]["parameters"]

    def test_its_configuration_is_yaml_that_names_every_split_once(self) -> None:
        import yaml

        sides = list(FORMATS["axolotl"].side(["train", "validation"], Options()))
        read = {
            name: value
            for side in sides
            for name, value in yaml.safe_load(side.text).items()
        }
        (train,), (rest,) = read["datasets"], read["test_datasets"]
        assert (train["path"], rest["path"]) == (
            "axolotl/train.jsonl",
            "axolotl/validation.jsonl",
        )
        for one in (train, rest):
            assert one["type"] == "chat_template"
            assert one["message_field_training"] == "train"
            assert one["roles_to_train"] == ["assistant"]
        assert yaml.safe_load(FORMATS["axolotl"].load)["datasets"] == read["datasets"]


class TestMsSwift:
    def test_calls_and_results_have_roles_of_their_own(self) -> None:
        row = only_row("ms_swift")
        assert isinstance(row["tools"], str)
        roles = {message["role"] for message in row["messages"]}
        assert roles == {"system", "user", "assistant", "tool_call", "tool_response"}

    def test_a_thought_before_a_call_is_a_message_of_its_own(self) -> None:
        thought = [dict(one) for one in FAILED]
        thought[4] = {
            "role": "assistant",
            "content": "<think>so</think>",
            "tool_calls": FAILED[4]["tool_calls"],
        }
        (row,) = FORMATS["ms_swift"].rows(recorded(thought), Options(reasoning="keep"))
        assert [m["role"] for m in row["messages"][5:7]] == ["assistant", "tool_call"]
        assert (
            FORMATS["ms_swift"].parse(row).messages[4]["content"] == "<think>so</think>"
        )

    def test_two_messages_of_the_assistant_in_a_row_are_refused(self) -> None:
        twice = [*FAILED, spoken("assistant", "Bye.")]
        with pytest.raises(UnfitRow) as refused:
            list(FORMATS["ms_swift"].rows(recorded(twice), Options()))
        assert refused.value.pitfall == "alternation"


class TestVerl:
    """Its own code needs a GPU stack; this is a base with the same three methods, as verl's source has them."""

    @pytest.fixture
    def loader(self, monkeypatch: pytest.MonkeyPatch) -> type:
        class Base:
            def __init__(self, rows: list[Row]):
                self.rows = rows
                self._read_files_and_process()

            def _read_files_and_process(self) -> None:
                self.tools = [row["tools"] for row in self.rows]

            def _build_messages(self, example: Row) -> list[Json]:
                return list(example["messages"])

            def _process_single_message(
                self, index: int, message: Json, full_message: list[Json]
            ) -> tuple[int, int, int, Json]:
                return index, 1, 1, message

        name = "verl.utils.dataset.multiturn_sft_dataset"
        module = ModuleType(name)
        vars(module)["MultiTurnSFTDataset"] = Base
        monkeypatch.setitem(sys.modules, name, module)
        (side,) = FORMATS["verl"].side(["train"], Options())
        made: dict[str, Any] = {}
        exec(compile(side.text, side.path, "exec"), made)
        return made["WritDataset"]

    def rows(self) -> list[Row]:
        fmt = FORMATS["verl"]
        one = recorded(FAILED)
        return stored(fmt, [*fmt.rows(one, Options(train_on_failed_calls=False))])

    def test_its_loader_gives_the_template_what_it_takes(self, loader: type) -> None:
        rows = self.rows()
        made = loader(rows)
        assert made.tools == [list(WORLD.tools)]
        messages = made._build_messages(rows[0])
        (templated,) = FORMATS["trl"].rows(recorded(FAILED), Options())
        told = [{k: v for k, v in m.items() if k != "trained"} for m in messages]
        assert told == templated["messages"]

    def test_its_loader_masks_what_carries_no_loss(self, loader: type) -> None:
        rows = self.rows()
        made = loader(rows)
        messages = made._build_messages(rows[0])
        losses = [
            made._process_single_message(index=n, message=m, full_message=messages)[1]
            for n, m in enumerate(messages)
        ]
        assert losses == [0, 0, 0, 0, 0, 1, 0, 1]

    def test_nothing_in_the_file_is_null(self) -> None:
        assert "None" not in repr(self.rows())


class TestParquet:
    def test_comes_back_equal_from_datasets(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        import datasets

        from writ_app.engine.export.parquet import write_parquet

        for slug in ("parquet", "verl"):
            columns = FORMATS[slug].columns
            assert columns
            path = tmp_path / f"{slug}.parquet"
            path.write_bytes(b"".join(write_parquet(rows_of(slug), columns())))
            back = datasets.load_dataset(
                "parquet", data_files=str(path), split="train", cache_dir=str(tmp_path)
            )
            assert list(back) == rows_of(slug)


class TestTau2Results:
    def test_a_record_that_does_not_tell_when_it_was_simulated_is_refused(self) -> None:
        facts = {**recorded(FAILED).facts}
        del facts["started_at"]
        one = recorded(FAILED)
        untimed = type(one)(one.id, one.task, one.split, one.world, one.messages, facts)
        with pytest.raises(UnfitRow) as refused:
            list(FORMATS["tau2_results"].rows(untimed, Options()))
        assert refused.value.pitfall == "no_times"

    def test_a_user_who_calls_tools_has_no_place_here(self) -> None:
        call = {"id": "a", "name": "toggle", "arguments": {}, "requestor": "user"}
        row = {"messages": [{"role": "user", "content": None, "tool_calls": [call]}]}
        with pytest.raises(UnfitRow) as refused:
            FORMATS["tau2_results"].parse(row)
        assert refused.value.pitfall == "user_tools"

    def test_folders_of_environments_are_plain_names(self) -> None:
        from writ_app.engine.export.formats.tau2 import folder_of

        hostile = type(shop())(
            **{**vars_of(shop()), "name": "../../etc", "version": "a b"}
        )
        name = folder_of(hostile)
        assert "/" not in name
        assert not name.startswith(".")
        assert folder_of(shop()) == "retail-generated-1-60"


def vars_of(world: Any) -> dict[str, Any]:
    return {
        name: getattr(world, name)
        for name in (
            "name",
            "version",
            "content_hash",
            "state_hash",
            "policy",
            "system",
            "tools",
        )
    }

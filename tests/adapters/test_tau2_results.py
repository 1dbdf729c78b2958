"""Result files, whole and broken by hand."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from writ_app.adapters.tau2_results import BadResults, find_result_files, read_results


def minimal() -> dict[str, Any]:
    """The smallest file the reference loads (tau2 SPEC §11)."""
    calls = [{"id": "a", "name": "n", "arguments": {}}]
    return {
        "info": {
            "git_commit": "x",
            "num_trials": 1,
            "max_steps": 200,
            "max_errors": 10,
            "user_info": {"implementation": "user_simulator"},
            "agent_info": {"implementation": "llm_agent"},
            "environment_info": {"domain_name": "retail", "policy": "p"},
        },
        "tasks": [{"id": "0", "user_scenario": {"instructions": "x"}}],
        "simulations": [
            {
                "id": "s",
                "task_id": "0",
                "start_time": "a",
                "end_time": "b",
                "duration": 1.0,
                "termination_reason": "user_stop",
                "messages": [
                    {"role": "assistant", "content": "hi"},
                    {"role": "user", "content": "###STOP###"},
                    {"role": "assistant", "tool_calls": calls},
                    {"id": "a", "role": "tool", "content": "x"},
                ],
            }
        ],
    }


def written(folder: Path, value: Any, name: str = "file.json") -> Path:
    path = folder / name
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def as_directory(folder: Path, value: dict[str, Any]) -> Path:
    """The same in directory form."""
    inner = folder / "voice"
    (inner / "simulations").mkdir(parents=True)
    whole = copy.deepcopy(value)
    simulations = whole.pop("simulations")
    whole["simulation_index"] = [
        {name: one[name] for name in ("id", "task_id", "termination_reason")}
        for one in simulations
    ]
    written(inner, whole, "results.json")
    for one in simulations:
        written(inner / "simulations", one, f"{one['id']}.json")
    return inner


class TestGoodFiles:
    def test_minimal_gives_engine_values_with_defaults(self, tmp_path: Path) -> None:
        results = read_results(written(tmp_path, minimal()))

        (simulation,) = results.simulations()
        assert (results.domain, results.agent, results.user) == (
            "retail",
            "llm_agent",
            "user_simulator",
        )
        assert (simulation.trial, simulation.reward) == (0, None)
        assert [m.role for m in simulation.messages] == [
            "assistant",
            "user",
            "assistant",
            "tool",
        ]
        call = simulation.messages[2].tool_calls[0]
        assert simulation.messages[3].tool_call_id == call.id == "a"
        assert "messages" not in simulation.content
        assert "simulations" not in results.content

    def test_directory_form_gives_the_same(self, tmp_path: Path) -> None:
        whole = read_results(written(tmp_path, minimal()))
        split = read_results(as_directory(tmp_path, minimal()) / "results.json")

        assert list(split.simulations()) == list(whole.simulations())
        assert split.name == "voice/results.json"

    def test_calls_with_the_same_id_get_their_own_answers(self, tmp_path: Path) -> None:
        value = minimal()
        call = {"id": "", "name": "n", "arguments": {"a": 1}}
        value["simulations"][0]["messages"] = [
            {"role": "assistant", "tool_calls": [call, call]},
            {"role": "tool", "content": "one"},
            {"role": "tool", "id": "", "content": "two", "error": True},
            {"role": "user", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_messages": [{"role": "tool", "content": "three"}]},
        ]

        (simulation,) = read_results(written(tmp_path, value)).simulations()

        answers = {m.tool_call_id: m for m in simulation.messages if m.role == "tool"}
        calls = [call.id for m in simulation.messages for call in m.tool_calls]
        assert [answers[name].content for name in calls] == ["one", "two", "three"]
        assert [answers[name].error for name in calls] == [False, True, False]

    def test_keys_may_stand_in_any_order_and_unknown_ones_are_kept(
        self, tmp_path: Path
    ) -> None:
        value = dict(reversed(minimal().items()))
        value["more"] = {"x": [1]}
        value["simulations"][0] |= {"extra": 1, "reward_info": {"reward": 1}}

        results = read_results(written(tmp_path, value))

        (simulation,) = results.simulations()
        assert results.content["more"] == {"x": [1]}
        assert simulation.content["extra"] == 1
        assert simulation.reward == 1.0

    def test_of_the_reference_keep_every_message(self, tau2_root: Path) -> None:
        path = tau2_root / "samples/tau2_results_sample.json"
        raw = json.loads(path.read_text())

        results = read_results(path)

        for given, simulation in zip(
            raw["simulations"], results.simulations(), strict=True
        ):
            assert simulation.content | {"messages": given["messages"]} == given
            for told, message in zip(
                given["messages"], simulation.messages, strict=True
            ):
                assert message.role == told["role"]
                assert message.content == (told["content"] or "")
                assert [(c.id, c.name, c.arguments) for c in message.tool_calls] == [
                    (c["id"], c["name"], c["arguments"])
                    for c in told.get("tool_calls") or []
                ]
            assert simulation.reward == given["reward_info"]["reward"]

    def test_smallest_of_the_reference_loads(self, tau2_root: Path) -> None:
        results = read_results(tau2_root / "samples/minimal_results.json")

        assert len(results) == 1
        assert results.domain == "airline"


type Break = Callable[[dict[str, Any]], object]


def simulation(value: dict[str, Any]) -> dict[str, Any]:
    return value["simulations"][0]


class TestBrokenFiles:
    @pytest.mark.parametrize(
        ("spoil", "says"),
        [
            (lambda v: v.pop("info"), "$: info is missing"),
            (lambda v: v["info"].pop("max_steps"), "$.info.max_steps: is missing"),
            (
                lambda v: v["info"].update(num_trials=True),
                "$.info.num_trials: must be a whole number",
            ),
            (
                lambda v: v["info"]["agent_info"].clear(),
                "$.info.agent_info.implementation: is missing",
            ),
            (
                lambda v: v["info"]["environment_info"].pop("policy"),
                "$.info.policy: is missing",
            ),
            (lambda v: v.pop("simulations"), "simulations is missing"),
            (lambda v: v.update(simulations={}), "$.simulations: must be an array"),
            (lambda v: v.update(tasks=[{}]), "$.tasks[0].id: is missing"),
            (lambda v: v["simulations"].append(1), "$.simulations[1]: must be an obj"),
            (
                lambda v: v["simulations"].append(simulation(v)),
                "$.simulations[1].id: two simulations are called 's'",
            ),
            (
                lambda v: simulation(v).pop("termination_reason"),
                "$.simulations[0].termination_reason: is missing",
            ),
            (
                lambda v: simulation(v).update(duration="long"),
                "$.simulations[0].duration: must be a number",
            ),
            (
                lambda v: simulation(v).update(task_id="a\x00b"),
                "$.simulations[0].task_id: must be a plain text",
            ),
            (
                lambda v: simulation(v).update(trial=-1),
                "$.simulations[0].trial: must be a number of a trial",
            ),
            (
                lambda v: simulation(v).update(reward_info={"reward": "1"}),
                "$.simulations[0].reward_info.reward: must be a number",
            ),
            (
                lambda v: simulation(v)["messages"][1].update(role="system"),
                "$.simulations[0].messages[1].role: is 'system'",
            ),
            (
                lambda v: simulation(v)["messages"][0].update(content=[]),
                "$.simulations[0].messages[0].content: must be a text",
            ),
            (
                lambda v: simulation(v)["messages"][2]["tool_calls"][0].update(
                    arguments="{}"
                ),
                "messages[2].tool_calls[0].arguments: must be an object",
            ),
            (
                lambda v: simulation(v)["messages"][3].update(id="b"),
                "messages[3].id: 'b' answers no call before it",
            ),
        ],
    )
    def test_say_what_is_wrong_and_where(
        self, tmp_path: Path, spoil: Break, says: str
    ) -> None:
        value = minimal()
        spoil(value)

        with pytest.raises(BadResults) as refused:
            read_results(written(tmp_path, value))

        assert str(refused.value).startswith("file.json, $")
        assert says in str(refused.value)

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("", "must hold one JSON object"),
            ("[]", "must hold one JSON object"),
            ('{"info": {}', "',' expected at line 1"),
            ('{"info": {}} more', "more after the end"),
            ('{"info": {}, "info": {}}', "'info' twice"),
            ('{"info": {"a": 1, "a": 2}}', "$.info: an object has the key 'a' twice"),
            ('{"info": {"a": NaN}}', "$.info: NaN is no JSON number"),
            ('{"info": {"a": 1e999}}', "1e999 is larger than a number may be"),
            ('{"info": {"a": ' + "1" * 5_000 + "}}", "$.info: Exceeds the limit"),
            ('{"simulations": [{}, {]}', "$.simulations[1]: is not JSON"),
            ('{"simulations": [{},]}', "nothing between the comma and ]"),
            ('{"info": ' + "[" * 200_000, "$.info: is"),
        ],
    )
    def test_that_are_no_json_say_where(
        self, tmp_path: Path, text: str, says: str
    ) -> None:
        with pytest.raises(BadResults) as refused:
            read_results(written(tmp_path, text))

        assert says in str(refused.value)

    def test_that_are_cut_off_anywhere_are_refused(self, tmp_path: Path) -> None:
        text = json.dumps(minimal(), indent=1)

        for end in range(0, len(text) - 1, 7):
            with pytest.raises(BadResults):
                read_results(written(tmp_path, text[:end]))

    @pytest.mark.parametrize(
        ("spoil", "says"),
        [
            (
                lambda d: (d / "simulations/s.json").unlink(),
                "$.simulation_index[0]: there is no file simulations/s.json",
            ),
            (
                lambda d: written(d / "simulations", {}, "t.json"),
                "$.simulation_index: does not name simulations/t.json",
            ),
            (
                lambda d: written(
                    d / "simulations",
                    simulation(minimal()) | {"task_id": "9"},
                    "s.json",
                ),
                "$.simulation_index[0].task_id: is '0', but '9'",
            ),
            (
                lambda d: written(d / "simulations", "{", "s.json"),
                "simulations/s.json, $: is not JSON",
            ),
        ],
    )
    def test_whose_index_and_files_disagree_are_refused(
        self, tmp_path: Path, spoil: Callable[[Path], object], says: str
    ) -> None:
        folder = as_directory(tmp_path, minimal())
        spoil(folder)

        with pytest.raises(BadResults) as refused:
            read_results(folder / "results.json")

        assert says in str(refused.value)


class TestFindResultFiles:
    def test_takes_a_file_a_directory_form_or_a_folder_of_both(
        self, tmp_path: Path
    ) -> None:
        file = written(tmp_path, minimal())
        split = as_directory(tmp_path, minimal())

        assert find_result_files(file) == [file]
        assert find_result_files(split) == [split / "results.json"]
        assert find_result_files(tmp_path) == [file, split / "results.json"]

    def test_says_when_there_is_nothing(self, tmp_path: Path) -> None:
        with pytest.raises(BadResults, match="holds no result files"):
            find_result_files(tmp_path)
        with pytest.raises(BadResults, match="neither a file nor a folder"):
            find_result_files(tmp_path / "nowhere")

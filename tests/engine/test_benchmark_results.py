import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.engine.talks import small_shop, talk, task_of
from writ_app.adapters.tau2_results import read_results
from writ_app.engine.benchmark_results import (
    Player,
    Run,
    Simulated,
    Took,
    info_of,
    simulation_id,
    simulation_of,
    with_defaults,
    write_results,
)
from writ_app.engine.benchmark_tasks import benchmark_task
from writ_app.engine.types import Message, MessageCall, Trajectory, Usage

START = datetime(2026, 11, 22, 9, 0, 0, 5, tzinfo=UTC)
ARCHETYPES = ("R1", "W1", "N1")

# As the specification lists them (SPEC §7.1, §8.4, §11), in the order in which the reference writes them.
FILE = ["timestamp", "info", "tasks", "simulations", "simulation_index"]
INFO = [
    "git_commit",
    "num_trials",
    "max_steps",
    "max_errors",
    "user_info",
    "agent_info",
    "environment_info",
    "seed",
    "text_streaming_config",
    "speech_complexity",
    "audio_native_config",
    "retrieval_config",
    "retrieval_config_kwargs",
]
USER_INFO = [
    "implementation",
    "llm",
    "llm_args",
    "global_simulation_guidelines",
    "voice_settings",
    "persona_config",
]
AGENT_INFO = ["implementation", "llm", "llm_args", "voice_settings"]
ENVIRONMENT_INFO = ["domain_name", "policy", "tool_defs"]
TASK = [
    "id",
    "description",
    "user_scenario",
    "ticket",
    "initial_state",
    "evaluation_criteria",
    "issues",
    "required_documents",
    "user_tools",
]
CRITERIA = [
    "actions",
    "env_assertions",
    "communicate_info",
    "nl_assertions",
    "reward_basis",
]
ACTION = ["action_id", "requestor", "name", "arguments", "info", "compare_args"]
SIMULATION = [
    "id",
    "task_id",
    "timestamp",
    "start_time",
    "end_time",
    "duration",
    "termination_reason",
    "agent_cost",
    "user_cost",
    "agent_usage",
    "reward_info",
    "messages",
    "ticks",
    "trial",
    "seed",
    "mode",
    "speech_environment",
    "review",
    "user_only_review",
    "info",
    "auth_classification",
    "hallucination_retries_used",
    "hallucination_check",
    "provider_session_id",
    "policy",
    "effect_timeline",
]
SPOKEN = [
    "role",
    "content",
    "tool_calls",
    "is_audio",
    "turn_idx",
    "timestamp",
    "cost",
    "usage",
    "raw_data",
    "generation_time_seconds",
    "audio_format",
    "audio_path",
    "audio_script_gold",
    "speech_effects",
    "source_effects",
    "channel_effects",
    "turn_taking_action",
    "utterance_ids",
    "chunk_id",
    "is_final_chunk",
    "source",
    "contains_speech",
]
TOOL = ["id", "role", "content", "requestor", "error", "turn_idx", "timestamp"]
CALL = ["id", "name", "arguments", "requestor"]


def run_of(**changes: Any) -> Run:
    script = Player("scripted", scripted=True)
    values = {
        "environment": small_shop(),
        "agent": script,
        "user": script,
        "seed": 300,
        "trials": 1,
        "made_at": START,
        **changes,
    }
    return Run(**values)


def simulated(trajectory: Trajectory, task_id: str = "t", trial: int = 0) -> Simulated:
    return Simulated(trajectory, task_id, trial, START, START + timedelta(seconds=30))


def some() -> list[Simulated]:
    return [simulated(talk(slug), task_of(slug).slug) for slug in ARCHETYPES]


def file_text(run: Run | None = None) -> str:
    tasks = (
        benchmark_task(task_of(slug), small_shop().domain.words) for slug in ARCHETYPES
    )
    return "".join(write_results(run or run_of(), tasks, some()))


class TestFile:
    def test_has_every_key_that_the_reference_writes_in_its_order(self) -> None:
        value = json.loads(file_text())

        assert list(value) == FILE
        info = value["info"]
        assert list(info) == INFO
        assert list(info["user_info"]) == USER_INFO
        assert list(info["agent_info"]) == AGENT_INFO
        assert list(info["environment_info"]) == ENVIRONMENT_INFO
        for task in value["tasks"]:
            assert list(task) == TASK
            assert list(task["evaluation_criteria"]) == CRITERIA
            for action in task["evaluation_criteria"]["actions"]:
                assert list(action) == ACTION
        for simulation in value["simulations"]:
            assert list(simulation) == SIMULATION
            for message in simulation["messages"]:
                assert list(message) == (TOOL if message["role"] == "tool" else SPOKEN)
                for call in message.get("tool_calls") or ():
                    assert list(call) == CALL

    def test_is_read_back_equal_by_our_own_reader(self, tmp_path: Path) -> None:
        path = tmp_path / "file.json"
        path.write_text(file_text())

        results = read_results(path)

        assert (results.domain, results.policy) == ("retail", small_shop().policy)
        assert (results.agent, results.user) == ("scripted_agent", "scripted_user")
        read = list(results.simulations())
        assert [one.messages for one in read] == [
            talk(slug).messages for slug in ARCHETYPES
        ]
        assert [one.task_id for one in read] == [
            task_of(slug).slug for slug in ARCHETYPES
        ]
        assert {one.ended_by for one in read} == {"user_stop"}
        assert {one.reward for one in read} == {None}

    def test_has_the_same_bytes_each_time(self) -> None:
        assert file_text() == file_text()

    def test_is_written_one_simulation_at_a_time(self) -> None:
        made: list[str] = []

        def one_by_one() -> Iterator[Simulated]:
            for one in some():
                made.append(one.task_id)
                yield one

        parts = write_results(run_of(), [], one_by_one())
        seen = [len(made) for part in parts if '"messages"' in part]

        assert seen == [1, 2, 3]

    def test_without_anything_is_still_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "file.json"
        path.write_text("".join(write_results(run_of(), [], [])))

        assert len(read_results(path)) == 0

    def test_keeps_hostile_text_as_it_is(self, tmp_path: Path) -> None:
        evil = 'q"\\\n\u2028\u202e\x00é😀</script>'
        message = Message(role="user", content=evil)
        trajectory = talk("R1").model_copy(update={"messages": (message,)})
        path = tmp_path / "file.json"
        text = "".join(write_results(run_of(), [], [simulated(trajectory)]))
        path.write_text(text)

        (read,) = read_results(path).simulations()

        assert read.messages == (message,)
        assert text.isascii()


class TestLikeTheSample:
    def test_types_are_the_samples_at_every_level(self, tau2_root: Path) -> None:
        path = tau2_root / "samples" / "tau2_results_sample.json"
        sample = json.loads(path.read_text())
        run = run_of(
            agent=Player("gpt", scripted=False, parameters={"temperature": 0.0}),
            user=Player("gpt", scripted=False, parameters={"temperature": 0.0}),
        )
        ours = json.loads(file_text(run))

        assert list(differences(ours, sample)) == []

    def test_has_what_the_smallest_file_has(self, tau2_root: Path) -> None:
        path = tau2_root / "samples" / "minimal_results.json"
        smallest = json.loads(path.read_text())
        ours = json.loads(file_text())

        assert list(missing(smallest, ours)) == []


def differences(ours: Any, sample: Any, place: str = "$") -> Iterator[str]:
    """Where keys or types are others. Null is of every type: it says that nothing was recorded."""
    if ours is None or sample is None:
        return
    if type(ours) is not type(sample):
        yield f"{place}: {type(ours).__name__}, not {type(sample).__name__}"
    elif isinstance(ours, dict) and not place.endswith((".arguments", ".llm_args")):
        if list(ours) != list(sample):
            yield f"{place}: keys {list(ours)}, not {list(sample)}"
        for key in ours.keys() & sample.keys():
            yield from differences(ours[key], sample[key], f"{place}.{key}")
    elif isinstance(ours, list):
        for n, one in enumerate(ours):
            twins = [other for other in sample if kind(other) == kind(one)]
            if sample and not twins:
                yield f"{place}[{n}]: nothing like it in the sample"
            for twin in twins:
                yield from differences(one, twin, f"{place}[{n}]")


def kind(value: Any) -> Any:
    """Messages are compared with those of their role, everything else with all."""
    return value.get("role") if isinstance(value, dict) else None


def missing(wanted: Any, held: Any, place: str = "$") -> Iterator[str]:
    if isinstance(wanted, dict) and isinstance(held, dict):
        for key in wanted:
            if key not in held:
                yield f"{place}.{key}"
            else:
                yield from missing(wanted[key], held[key], f"{place}.{key}")
    elif isinstance(wanted, list) and isinstance(held, list):
        for one in wanted:
            for other in held:
                if kind(one) == kind(other):
                    yield from missing(one, other, f"{place}[]")


class TestSimulation:
    def test_messages_come_in_the_order_of_their_moments(self) -> None:
        made = simulation_of(run_of(), simulated(talk("R1")))

        moments = [message["timestamp"] for message in made["messages"]]
        assert moments == sorted(set(moments))
        assert moments[0] == made["start_time"] == "2026-11-22T09:00:00.000005"
        assert moments[-1] < made["end_time"]
        assert [m["turn_idx"] for m in made["messages"]] == list(range(len(moments)))
        assert made["duration"] == 30.0

    def test_that_took_no_time_still_has_an_order(self) -> None:
        one = Simulated(talk("R1"), "t", 0, START, START)

        moments = [m["timestamp"] for m in simulation_of(run_of(), one)["messages"]]

        assert moments == sorted(set(moments))

    def test_no_calls_and_no_text_are_null(self) -> None:
        for message in simulation_of(run_of(), simulated(talk("R1")))["messages"]:
            if message["role"] != "tool":
                assert message["tool_calls"] != []
                assert message["content"] != ""

    def test_text_beside_calls_and_several_calls_are_kept(self) -> None:
        calls = tuple(
            MessageCall(id=name, name="calculate", arguments={"expression": "1"})
            for name in "ab"
        )
        both = Message(role="assistant", content="Let me see.", tool_calls=calls)
        trajectory = talk("R1").model_copy(update={"messages": (both,)})

        (message,) = simulation_of(run_of(), simulated(trajectory))["messages"]

        assert message["content"] == "Let me see."
        assert [call["id"] for call in message["tool_calls"]] == ["a", "b"]

    def test_costs_are_unknown_unless_nobody_was_paid(self) -> None:
        free = simulation_of(run_of(), simulated(talk("R1")))
        spent = Usage(prompt_tokens=5, cost=0.1)
        paid = talk("R1").model_copy(update={"usage": spent})
        unknown = simulation_of(run_of(), simulated(paid))

        assert (free["agent_cost"], free["user_cost"]) == (0.0, 0.0)
        assert (unknown["agent_cost"], unknown["user_cost"]) == (None, None)
        costs = [m["cost"] for m in unknown["messages"] if m["role"] != "tool"]
        assert costs[0] == 0.0  # the greeting, which no model wrote
        assert set(costs[1:]) == {None}

    def test_answers_have_the_usage_and_the_cost_that_were_recorded(self) -> None:
        talked = talk("R1")
        spoken = [m for m in talked.messages if m.role != "tool"][1:]
        sides = ["agent" if m.role == "assistant" else "user" for m in spoken]
        took = [Took(side, 10 + n, n, 0.5) for n, side in enumerate(sides)]  # type: ignore[arg-type]
        took[0] = Took("user", 0, 0, None)  # a server that does not count
        one = replace(simulated(talked), took=took)

        value = simulation_of(run_of(), one)

        greeting, first, *others = [
            (m["usage"], m["cost"]) for m in value["messages"] if m["role"] != "tool"
        ]
        assert (greeting, first) == ((None, 0.0), (None, None))
        assert others == [
            ({"completion_tokens": n, "prompt_tokens": 10 + n}, 0.5)
            for n in range(1, len(took))
        ]
        assert value["user_cost"] is None
        assert value["agent_cost"] == 0.5 * sides.count("agent")

    def test_ids_follow_from_what_was_simulated(self) -> None:
        ids = {
            simulation_id(one)
            for one in [
                *some(),
                simulated(talk("R1")),
                simulated(talk("R1"), trial=1),
                simulated(talk("R1", "incremental")),
            ]
        }

        assert len(ids) == 6
        assert simulation_id(some()[0]) == simulation_id(some()[0])


class TestInfo:
    def test_says_whether_a_script_or_a_model_played(self) -> None:
        model = Player("openai/x", scripted=False, parameters={"temperature": 0.5})
        info = info_of(run_of(agent=model))

        assert info["agent_info"]["implementation"] == "llm_agent"
        assert info["agent_info"]["llm"] == "openai/x"
        assert info["agent_info"]["llm_args"] == {"temperature": 0.5}
        assert info["user_info"]["implementation"] == "scripted_user"
        assert info["user_info"]["llm"] is None


class TestTask:
    @pytest.mark.parametrize("slug", ARCHETYPES)
    def test_has_the_reference_s_defaults_and_changes_nothing(self, slug: str) -> None:
        task = benchmark_task(task_of(slug))

        full = with_defaults(task)

        assert {key: full[key] for key in task if key != "evaluation_criteria"} == {
            key: task[key] for key in task if key != "evaluation_criteria"
        }
        assert (
            full["evaluation_criteria"]["reward_basis"]
            == task["evaluation_criteria"]["reward_basis"]
        )
        assert full["user_tools"] is full["issues"] is full["ticket"] is None

"""Simulations in the form of τ²-bench's result files, so that its loader reads them and its evaluator scores them (tau2 SPEC §11).

Every key that the reference writes is there, in its order. What was not recorded is null, never made up; moments of messages lie
evenly between the beginning and the end of their simulation. `write_results` holds one simulation at a time, and the same
simulations give the same bytes. Knows nothing about databases or files.
"""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from writ_app.engine.benchmark_tasks import BenchmarkTask
from writ_app.engine.simulation import Limits, Side
from writ_app.engine.simulation.prompts import USER_PROMPT
from writ_app.engine.types import Message, Trajectory, Usage

type Json = dict[str, Any]

_IDS = uuid.UUID("0d6c6a5e-5d0e-4c2b-9d58-6f7a3d4be1a1")
"""Under which the ids of simulations are made."""


@dataclass(frozen=True)
class Player:
    """Who played agent or user: a model with its sampling, or a script, which is none."""

    name: str
    scripted: bool
    parameters: Mapping[str, Any] = field(default_factory=dict)


class Described(Protocol):
    """What a file tells of the environment that it is of."""

    @property
    def name(self) -> str: ...
    @property
    def policy(self) -> str: ...


@dataclass(frozen=True)
class Run:
    """What all simulations of a file share. `made_at` is in the file's local time."""

    environment: Described
    agent: Player
    user: Player
    seed: int
    trials: int
    """Most simulations of one task."""
    made_at: datetime
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Took:
    """What one answer took, with what had to be asked again for it. A cost in US dollars; None: nobody knows."""

    side: Side
    prompt_tokens: int
    completion_tokens: int
    cost: float | None


@dataclass(frozen=True)
class Simulated:
    """One simulation: the trial counts those of the same task from 0. `reward_info` is None where an outside judge is to score."""

    trajectory: Trajectory
    task_id: str
    trial: int
    started_at: datetime
    finished_at: datetime
    reward_info: Json | None = None
    took: Sequence[Took] = ()
    """By the answers of both sides, in their order; empty if that was not recorded."""


# --- a file --------------------------------------------------------------------------------------------------------------------


def write_results(
    run: Run, tasks: Iterable[BenchmarkTask], simulations: Iterable[Simulated]
) -> Iterator[str]:
    """The text of a monolithic results.json in parts, one line per task and per simulation."""
    yield from write_parts(
        run,
        (with_defaults(task) for task in tasks),
        (simulation_of(run, one) for one in simulations),
    )


def write_parts(
    run: Run, tasks: Iterable[Json], simulations: Iterable[Json]
) -> Iterator[str]:
    """The same of tasks and simulations that are in the file's form already."""
    yield f'{{"timestamp": {_text(_moment(run.made_at))},\n"info": {_text(info_of(run))},\n"tasks": ['
    yield from _list(tasks)
    yield '],\n"simulations": ['
    yield from _list(simulations)
    yield '],\n"simulation_index": null}\n'


def _list(values: Iterable[Any]) -> Iterator[str]:
    separator = "\n"
    for value in values:
        yield separator + _text(value)
        separator = ",\n"


def _text(value: Any) -> str:
    """JSON in which every character that a line or a decoder could stumble over is escaped."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False)


# --- its parts -----------------------------------------------------------------------------------------------------------------


def info_of(run: Run) -> Json:
    scenario = USER_PROMPT.index("<scenario>")
    return {
        "git_commit": "unknown",
        "num_trials": run.trials,
        "max_steps": run.limits.max_steps,
        "max_errors": run.limits.max_errors,
        "user_info": {
            **_player(run.user, "user_simulator", "scripted_user"),
            "global_simulation_guidelines": USER_PROMPT[:scenario].strip(),
            "voice_settings": None,
            "persona_config": None,
        },
        "agent_info": {
            **_player(run.agent, "llm_agent", "scripted_agent"),
            "voice_settings": None,
        },
        "environment_info": {
            "domain_name": run.environment.name,
            "policy": run.environment.policy,
            "tool_defs": None,
        },
        "seed": run.seed,
        "text_streaming_config": {"chunk_by": "words", "chunk_size": 1},
        "speech_complexity": None,
        "audio_native_config": None,
        "retrieval_config": None,
        "retrieval_config_kwargs": None,
    }


def _player(player: Player, model: str, script: str) -> Json:
    return {
        "implementation": script if player.scripted else model,
        "llm": None if player.scripted else player.name,
        "llm_args": dict(player.parameters),
    }


def with_defaults(task: BenchmarkTask) -> Json:
    """The task with every key that the reference knows (SPEC §7.1)."""
    criteria = task["evaluation_criteria"]
    return {
        "id": task["id"],
        "description": task.get("description"),
        "user_scenario": task["user_scenario"],
        "ticket": task.get("ticket"),
        "initial_state": task.get("initial_state"),
        "evaluation_criteria": {
            "actions": [
                {**one, "compare_args": one.get("compare_args")}
                for one in criteria["actions"] or ()
            ],
            "env_assertions": criteria.get("env_assertions"),
            "communicate_info": criteria.get("communicate_info"),
            "nl_assertions": criteria.get("nl_assertions"),
            "reward_basis": criteria.get("reward_basis"),
        },
        "issues": None,
        "required_documents": None,
        "user_tools": None,
    }


def simulation_of(run: Run, one: Simulated) -> Json:
    trajectory = one.trajectory
    took = one.finished_at - one.started_at
    total = 0.0 if trajectory.usage == Usage() else None
    return {
        "id": simulation_id(one),
        "task_id": one.task_id,
        "timestamp": _moment(one.finished_at),
        "start_time": _moment(one.started_at),
        "end_time": _moment(one.finished_at),
        "duration": took.total_seconds(),
        "termination_reason": trajectory.ended_by.value,
        # Where only the sum of both is recorded, that of either is unknown unless nobody was paid.
        "agent_cost": _cost(one.took, "agent") if one.took else total,
        "user_cost": _cost(one.took, "user") if one.took else total,
        "agent_usage": None,
        "reward_info": one.reward_info,
        "messages": list(_messages(one, total)),
        "ticks": None,
        "trial": one.trial,
        "seed": trajectory.seed,
        "mode": "half_duplex",
        "speech_environment": None,
        "review": None,
        "user_only_review": None,
        "info": None,
        "auth_classification": None,
        "hallucination_retries_used": 0,
        "hallucination_check": None,
        "provider_session_id": None,
        "policy": run.environment.policy,
        "effect_timeline": None,
    }


def simulation_id(one: Simulated) -> str:
    """A UUID that follows from what was simulated."""
    return str(
        uuid.uuid5(_IDS, f"{one.task_id} {one.trial} {one.trajectory.content_hash}")
    )


def _cost(took: Sequence[Took], side: Side) -> float | None:
    costs = [one.cost for one in took if one.side == side]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None


def _messages(one: Simulated, cost: float | None) -> Iterator[Json]:
    """Their order is told by their moments, so that no two are the same. `cost` is of those of which nothing was recorded."""
    messages = one.trajectory.messages
    lasted = one.finished_at - one.started_at
    step = max(lasted / max(len(messages), 1), timedelta(microseconds=1))
    answers = iter(one.took)
    for n, message in enumerate(messages):
        moment = _moment(one.started_at + n * step)
        if message.role == "tool":
            yield _tool_message(message, n, moment)
        elif n == 0:  # the greeting, which no model wrote
            yield _spoken(message, n, moment, 0.0, None)
        else:
            took = next(answers, None)
            yield _spoken(message, n, moment, took.cost if took else cost, took)


def _usage(took: Took | None) -> Json | None:
    """Tokens that nobody counted are not 0."""
    if took is None or not took.prompt_tokens + took.completion_tokens:
        return None
    return {
        "completion_tokens": took.completion_tokens,
        "prompt_tokens": took.prompt_tokens,
    }


def _tool_message(message: Message, turn: int, moment: str) -> Json:
    return {
        "id": message.tool_call_id,
        "role": "tool",
        "content": message.content,
        "requestor": "assistant",
        "error": message.error,
        "turn_idx": turn,
        "timestamp": moment,
    }


def _spoken(
    message: Message, turn: int, moment: str, cost: float | None, took: Took | None
) -> Json:
    """A message of agent or user. No calls are null: an empty list would count as a call."""
    calls = [
        {
            "id": made.id,
            "name": made.name,
            "arguments": made.arguments,
            "requestor": "assistant" if message.role == "assistant" else "user",
        }
        for made in message.tool_calls
    ]
    return {
        "role": message.role,
        "content": message.content or None,
        "tool_calls": calls or None,
        "is_audio": False,
        "turn_idx": turn,
        "timestamp": moment,
        "cost": cost,
        "usage": _usage(took),
        "raw_data": None,
        "generation_time_seconds": None,
        "audio_format": None,
        "audio_path": None,
        "audio_script_gold": None,
        "speech_effects": None,
        "source_effects": None,
        "channel_effects": None,
        "turn_taking_action": None,
        "utterance_ids": None,
        "chunk_id": None,
        "is_final_chunk": True,
        "source": None,
        "contains_speech": True,
    }


def _moment(moment: datetime) -> str:
    """ISO with microseconds and without a zone, always of the same length, so that texts sort as moments do."""
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds")

"""Designed tasks in the form of τ²-bench's `tasks.json`, so that its loader reads them and its evaluator scores them.

Gold reads are left out: the evaluator compares states, texts and, where the basis says so, actions; which reads were made is
no part of it (tau2 SPEC §7.1, §8). Knows nothing about databases or files.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from environments.core.words import PLAIN, Words
from writ_app.engine.errors import WritError
from writ_app.engine.types import Task, ToldFact

type BenchmarkTask = dict[str, Any]
"""Plain JSON, keys as in SPEC §7.1."""

_MANNER = (
    "Say everything that you want in your own words, with every name, number and code exactly as given. "
    "Ask for nothing else. When the agent asks you to confirm exactly this, say yes. "
    "If the agent says that it cannot be done, accept that."
)
_IN_ORDER = "What you want has to be done in the order in which it is told here."
_UNKNOWN = (
    "Every id, number and price that is not given here: you do not have them at hand."
)

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class UnfitTasks(WritError):
    """Tasks that do not make one file; the text says which."""


def benchmark_tasks(
    tasks: Sequence[Task], words: Mapping[str, Words]
) -> list[BenchmarkTask]:
    """The content of a tasks.json, tasks in the given order. `words` are the domains' by environment name.

    Raises UnfitTasks for tasks of several environments, and for a task that comes twice: ids must be unique.
    """
    environments = sorted({task.environment for task in tasks})
    if len(environments) > 1:
        raise UnfitTasks(
            f"A tasks file is of one domain; these tasks are of {', '.join(environments)}."
        )
    hashes = Counter(task.content_hash for task in tasks)
    if twice := [task.slug for task in tasks if hashes[task.content_hash] > 1]:
        raise UnfitTasks(f"The task {twice[0]} is there twice.")
    slugs = Counter(task.slug for task in tasks)
    return [
        benchmark_task(
            task,
            words.get(task.environment, PLAIN),
            task_id=task.slug
            if slugs[task.slug] == 1
            else f"{task.environment}-{task.archetype}-{task.content_hash}",
        )
        for task in tasks
    ]


def splits_of(tasks: Sequence[BenchmarkTask]) -> dict[str, list[str]]:
    """The content of a split_tasks.json: `base`, the split that is loaded by default, holds all."""
    return {"base": [task["id"] for task in tasks]}


def benchmark_task(
    task: Task, words: Words = PLAIN, *, task_id: str = ""
) -> BenchmarkTask:
    """One task. `task_id` defaults to the task's slug, which follows from its content."""
    task_id = task_id or task.slug
    communicated, judged = _what_is_told(task, words)
    return {
        "id": task_id,
        "description": {
            "purpose": task.title,
            "relevant_policies": None,
            "notes": _notes(task),
        },
        "user_scenario": {"persona": None, "instructions": _instructions(task)},
        "initial_state": None,
        "evaluation_criteria": {
            "actions": list(_actions(task, words, task_id)),
            "communicate_info": communicated,
            "nl_assertions": list(_assertions(task)) or None,
            "reward_basis": _reward_basis(task, communicated, judged),
        },
    }


def is_communicated(wanted: str, sentence: str) -> bool:
    """Whether the evaluator finds the wanted text in an agent's message (SPEC §8.3)."""
    return wanted.lower() in sentence.lower().replace(",", "")


# --- what the user is given ----------------------------------------------------------------------------------------------------


def _instructions(task: Task) -> dict[str, str]:
    """Clauses are first person and stand as quotations; facts that no clause tells say who the user is."""
    told = {name for clause in task.clauses for name in clause.tells}
    known = [
        f"Your {name.replace('_', ' ')} is {value}."
        for name, value in task.facts.items()
        if name not in told
    ]
    manner = [_MANNER, _IN_ORDER] if task.dependent else [_MANNER]
    return {
        "domain": task.environment,
        "reason_for_call": f'You contact customer service because of this: "{task.text}"',
        "known_info": " ".join(known),
        "unknown_info": _UNKNOWN,
        "task_instructions": " ".join(manner),
    }


# --- what is evaluated ---------------------------------------------------------------------------------------------------------


def _actions(task: Task, words: Words, task_id: str) -> Iterator[dict[str, Any]]:
    """Gold writes in order, or the hand-over, whose summary is anybody's wording: only its name is compared."""
    for number, write in enumerate(task.gold):
        yield {
            "action_id": f"{task_id}_{number}",
            "requestor": "assistant",
            "name": write.call.name,
            "arguments": write.call.arguments,
            "info": None,
        }
    if task.transferred:
        summary = f"{task.title}. Rule {task.transferred} of the policy leaves this to a person."
        yield {
            "action_id": f"{task_id}_{len(task.gold)}",
            "requestor": "assistant",
            "name": words.transfer_tool,
            "arguments": {"summary": summary},
            "info": None,
            "compare_args": [],
        }


def _reward_basis(task: Task, communicated: list[str], judged: bool) -> list[str]:
    """DB; what is told by text or, where texts cannot be compared, by the judge; ACTION where doing nothing would pass."""
    basis = ["DB"]
    if communicated:
        basis.append("COMMUNICATE")
    if task.transferred:
        basis.append("ACTION")
    if judged:
        basis.append("NL_ASSERTION")
    return basis


def _assertions(task: Task) -> Iterator[str]:
    """For the judge, who counts only if the basis says so, and for people."""
    for one in task.told:
        yield f"Agent should tell the user that {one.what} is {one.value}."
    if task.declined:
        yield f"Agent should refuse the request, which rule {task.declined} of the policy does not allow."
    if task.transferred:
        yield "Agent should transfer the user to a human agent."


def _notes(task: Task) -> str:
    """Both axes, and the rule that decides, for people."""
    clause = task.declined or task.transferred
    rule = f"; decided by rule {clause} of the policy" if clause else ""
    return f"Writes: {task.writes}; evidence burden: {task.burden.total}{rule}."


def _what_is_told(task: Task, words: Words) -> tuple[list[str], bool]:
    """(texts that a message must hold, whether something is told that only a judge can hear)."""
    communicated: list[str] = []
    judged = False
    for one in task.told:
        wanted = _wanted(one, words)
        communicated += [text for text in wanted if text not in communicated]
        judged = judged or not wanted
    return communicated, judged


def _wanted(told: ToldFact, words: Words) -> list[str]:
    """Texts that any natural sentence with the value holds; none if wordings differ too much (dates, yes and no, units)."""
    texts = list(_texts(told.value))
    sentence = words.describe_told(told.what, told.value)
    found = all(text and is_communicated(text, sentence) for text in texts)
    return texts if found else []


def _texts(value: Any) -> Iterator[str]:
    """Parts of a value without commas, which the evaluator removes from what the agent says; "" for what has no one wording."""
    if isinstance(value, bool) or value is None:
        yield ""
    elif isinstance(value, int | float):
        yield _number_text(value)
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
    elif _DATE.search(value):
        yield ""
    else:
        yield from (part.strip() for part in value.split(",") if part.strip())


def _number_text(value: int | float) -> str:
    """Shortest digits: 100.0 → 100 is in "$100" and "$100.00"; 180.1 is in "$180.10". Money is rounded to cents, a sign is words."""
    text = f"{abs(round(Decimal(repr(value)), 2)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text

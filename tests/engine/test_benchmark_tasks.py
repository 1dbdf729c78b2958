import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from environments.core.domain import TaskClass
from environments.core.environment import Environment
from environments.core.tools import Mode, ToolCall
from environments.core.words import Words
from environments.registry import world
from tests.engine.talks import small_shop, task_of
from writ_app.adapters.tau2 import read_domain
from writ_app.engine.benchmark_tasks import (
    UnfitTasks,
    benchmark_task,
    benchmark_tasks,
    is_communicated,
    splits_of,
)
from writ_app.engine.task_design import Designer
from writ_app.engine.types import Task, ToldFact


def words() -> dict[str, Words]:
    return {"retail": small_shop().domain.words}


@cache
def some_tasks() -> tuple[Task, ...]:
    """One choice, several writes in one request, a dependent request, a refusal."""
    return tuple(task_of(slug) for slug in ("R1", "W1", "W2", "W4", "N1"))


def informing(*told: Any, writes: bool = False) -> Task:
    """The same request, had it asked for a value (with nothing written, unless said so)."""
    task = task_of("R1")
    facts = tuple(ToldFact(what="the amount", value=value) for value in told)
    changes: dict[str, Any] = {"told": facts}
    if not writes:
        changes |= {"gold": (), "task_class": TaskClass.INFORMATION}
    return task.model_copy(update=changes)


def handing_over() -> Task:
    update = {"gold": (), "transferred": "9.1", "task_class": TaskClass.TRANSFER}
    return task_of("R1").model_copy(update=update)


def criteria(task: Task, spoken: Words | None = None) -> dict[str, Any]:
    found: dict[str, Any] = benchmark_task(task, spoken or Words())[
        "evaluation_criteria"
    ]
    return found


def replay(environment: Environment, exported: dict[str, Any]) -> str:
    """The effect of an exported task's actions on a fresh session, none of which may fail."""
    session = environment.session()
    for action in exported["evaluation_criteria"]["actions"]:
        result = session.call(
            ToolCall(name=action["name"], arguments=action["arguments"])
        )
        assert not result.error, result.content
    return session.state.effect()


class TestBenchmarkTasks:
    def test_are_read_by_the_importer_and_lead_to_the_gold_effect(
        self, tmp_path: Path
    ) -> None:
        folder = tmp_path / "data" / "tau2" / "domains" / "retail"
        folder.mkdir(parents=True)
        shop, tasks = small_shop(), some_tasks()
        exported = benchmark_tasks(tasks, words())
        (folder / "db.json").write_text(json.dumps(shop.state.collections))
        (folder / "policy.md").write_text(shop.policy)
        (folder / "tasks.json").write_text(json.dumps(exported))
        (folder / "split_tasks.json").write_text(json.dumps(splits_of(exported)))

        domain = read_domain(tmp_path, "retail")

        assert domain.splits == {"base": [task.slug for task in tasks]}
        state = world("retail").read_state(domain.database)
        again = world("retail").build(state=state, version="again", mode=Mode.CORRECTED)
        for task, read in zip(tasks, domain.tasks, strict=True):
            assert replay(again, read) == task.gold_effect

    def test_say_everything_that_the_user_knows(self) -> None:
        for task in some_tasks():
            scenario = benchmark_task(task)["user_scenario"]

            said = json.dumps(scenario, ensure_ascii=False)
            assert task.text in scenario["instructions"]["reason_for_call"]
            spoken = {name for clause in task.clauses for name in clause.tells}
            for name in task.facts.keys() - spoken:
                assert task.facts[name] in said

    def test_compare_no_reads(self) -> None:
        for task in some_tasks():
            actions = criteria(task)["actions"]

            assert [action["name"] for action in actions] == [
                write.call.name for write in task.gold
            ]

    def test_tell_a_user_of_a_dependent_request_to_keep_the_order(self) -> None:
        (dependent,) = (task for task in some_tasks() if task.dependent)
        (other, *_) = (task for task in some_tasks() if not task.dependent)

        texts = [
            benchmark_task(task)["user_scenario"]["instructions"]["task_instructions"]
            for task in (dependent, other)
        ]

        assert ["in the order" in text for text in texts] == [True, False]

    def test_have_unique_ids_that_stay_the_same(self) -> None:
        one, other = (benchmark_tasks(some_tasks(), words()) for _ in range(2))

        ids = [task["id"] for task in one]
        actions = [
            action["action_id"]
            for task in one
            for action in task["evaluation_criteria"]["actions"]
        ]
        assert len(set(ids)) == len(ids)
        assert len(set(actions)) == len(actions) > 5
        assert one == other

    def test_that_are_twice_there_or_of_two_domains_are_refused(self) -> None:
        task = task_of("R1")
        elsewhere = task.model_copy(update={"environment": "airline"})

        with pytest.raises(UnfitTasks, match=f"{task.slug} is there twice"):
            benchmark_tasks([task, task_of("W1"), task], words())
        with pytest.raises(UnfitTasks, match="airline, retail"):
            benchmark_tasks([task, elsewhere], words())


class TestClasses:
    def test_writes_are_judged_by_the_state(self) -> None:
        assert criteria(task_of("R1"))["reward_basis"] == ["DB"]

    def test_a_refusal_wants_the_state_unchanged(self) -> None:
        task = task_of("N1")

        wanted = criteria(task)

        assert wanted["actions"] == []
        assert wanted["reward_basis"] == ["DB"]
        assert f"rule {task.declined}" in wanted["nl_assertions"][0]

    def test_a_transfer_wants_the_call_whatever_its_summary(self) -> None:
        wanted = criteria(handing_over(), Words(transfer_tool="hand_over"))

        (action,) = wanted["actions"]
        assert action["name"] == "hand_over"
        assert action["compare_args"] == []
        assert action["arguments"]["summary"]
        assert wanted["reward_basis"] == ["DB", "ACTION"]

    def test_what_is_told_beside_writes_is_judged_beside_the_state(self) -> None:
        wanted = criteria(informing(12.5, writes=True))

        assert len(wanted["actions"]) == 1
        assert wanted["communicate_info"] == ["12.5"]
        assert wanted["reward_basis"] == ["DB", "COMMUNICATE"]


class TestToldValues:
    @pytest.mark.parametrize(
        ("value", "sentences"),
        [
            (1093.34, ["It comes to $1,093.34.", "1093.34 dollars in all"]),
            (100.0, ["You have $100.", "You have $100.00 left."]),
            (180.1, ["That is $180.10.", "It costs 180.1 dollars."]),
            (6.320000000000022, ["The difference is $6.32."]),
            (-12.5, ["You get $12.50 back.", "The difference is -12.5."]),
            (12000, ["There are 12,000 of them."]),
            ("Gift Card", ["It went to your gift card."]),
            ("Chicago, IL", ["It goes to Chicago, IL 60621."]),
        ],
    )
    def test_are_found_in_natural_sentences(
        self, value: Any, sentences: list[str]
    ) -> None:
        wanted = criteria(informing(value))["communicate_info"]

        assert wanted
        for sentence in sentences:
            assert all(is_communicated(text, sentence) for text in wanted)
        assert not all(is_communicated(text, "It is 77 euros.") for text in wanted)

    @pytest.mark.parametrize("value", [True, None, "2024-05-15", [], [3, False]])
    def test_without_one_wording_are_left_to_the_judge(self, value: Any) -> None:
        wanted = criteria(informing(value))

        assert wanted["communicate_info"] == []
        assert wanted["reward_basis"] == ["DB", "NL_ASSERTION"]
        assert str(value) in wanted["nl_assertions"][0]

    def test_in_other_units_in_the_worlds_own_words_are_left_to_the_judge(self) -> None:
        spoken = Words(describe_told=lambda what, value: "It takes two hours.")

        assert criteria(informing(120), spoken)["communicate_info"] == []


class TestAgainstTheReference:
    def test_tasks_over_its_database_have_its_shape_and_replay_in_strict_mode(
        self, tau2_root: Path
    ) -> None:
        name = "retail"
        domain = read_domain(tau2_root, name)
        environment = world(name).build(
            state=world(name).read_state(domain.database),
            version="reference",
            policy=domain.policy,
        )
        designer = Designer(environment)
        tasks = [designer.design(slug, 0) for slug in ("R1", "R5", "W2", "N1")]

        exported = benchmark_tasks(tasks, {name: environment.domain.words})

        # Only the airline's tasks have notes.
        known = shape_of([*domain.tasks, *read_domain(tau2_root, "airline").tasks])
        known["/[]/evaluation_criteria/actions/[]/requestor"] = {"str"}  # SPEC §7.1
        for place, kinds in shape_of(exported).items():
            if "/arguments/" not in place:
                assert kinds <= known[place], place
        for task, one in zip(tasks, exported, strict=True):
            assert replay(environment, one) == task.gold_effect


def shape_of(value: Any, place: str = "") -> dict[str, set[str]]:
    """Place → kinds of values that stand there, list elements taken together."""
    found = {place: {type(value).__name__}}
    inner = value.items() if isinstance(value, dict) else []
    if isinstance(value, list):
        inner = [("[]", one) for one in value]
    for key, one in inner:
        for where, kinds in shape_of(one, f"{place}/{key}").items():
            found.setdefault(where, set()).update(kinds)
    return found

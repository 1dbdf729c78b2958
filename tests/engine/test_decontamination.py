import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from environments.core.tools import ToolCall
from environments.registry import world
from tests.engine.talks import small_shop, task_of
from writ_app.adapters.tau2 import read_domain
from writ_app.engine.decontamination import (
    BenchmarkIndex,
    Contamination,
    Nearest,
    Screen,
    distances,
    words_of,
)
from writ_app.engine.task_design import Designer
from writ_app.engine.types import Task

NOBODY = "You want to know when the shop opens tomorrow."


def benchmark_task(number: int, **changes: Any) -> dict[str, Any]:
    """A task in the form of a tasks.json that shares nothing with anybody; `changes` are parts of it."""
    return {
        "id": str(number),
        "user_scenario": {
            "persona": None,
            "instructions": {
                "domain": "retail",
                "reason_for_call": changes.get("reason", NOBODY),
                "known_info": changes.get("known", "Nothing."),
                "task_instructions": "You are brief.",
            },
        },
        "initial_state": changes.get("initial_state"),
        "evaluation_criteria": {"actions": changes.get("actions", [])},
    }


def index(*tasks: dict[str, Any]) -> BenchmarkIndex:
    return BenchmarkIndex(small_shop(), tasks)


def user_of(task: Task) -> tuple[str, dict[str, Any]]:
    key = next(
        read.call.arguments["user_id"]
        for read in task.certificate
        if read.call.name == "get_user_details"
    )
    return key, small_shop().state.collections["users"][key]


def kinds(found: Contamination) -> set[str]:
    return {one.kind for one in found.shared}


@cache
def apart() -> tuple[Task, Task]:
    """Two tasks of different people."""
    one = task_of("R1")
    other = next(
        task
        for task in (task_of("R1", seed) for seed in range(1, 20))
        if user_of(task)[0] != user_of(one)[0]
    )
    return one, other


def action(call: ToolCall) -> dict[str, Any]:
    return {"action_id": "0_0", "name": call.name, "arguments": call.arguments}


class TestEntities:
    @pytest.mark.parametrize("how", ["user id", "email", "order", "name and zip"])
    def test_named_in_any_way_are_found(self, how: str) -> None:
        task, other = apart()
        key, user = user_of(task)
        name, place = user["name"], user["address"]
        known = {
            "user id": f"Your user id is {key}.",
            "email": f"You are {user['email'].upper()}.",
            "order": f"It is about {user['orders'][0]}.",
            "name and zip": f"You are {name['first_name']} {name['last_name']}, in {place['zip']}.",
        }[how]

        benchmark = index(benchmark_task(3), benchmark_task(7, known=known))

        assert benchmark.people == {key}
        found = benchmark.check(task)
        assert kinds(found) == {"entity"}
        assert all(one.tasks == ("7",) for one in found.shared)
        assert any(one.what == key for one in found.shared)
        assert benchmark.check(other).clean

    def test_in_an_actions_arguments_are_found(self) -> None:
        task, other = apart()
        key, _ = user_of(task)
        call = ToolCall(name="get_user_details", arguments={"user_id": key})

        benchmark = index(benchmark_task(1, actions=[action(call)]))

        assert kinds(benchmark.check(task)) == {"entity"}
        assert benchmark.check(other).clean

    def test_are_found_by_every_mark_that_a_task_holds(self) -> None:
        """Whichever way our task speaks of somebody, by email, name or only an order in its words."""
        task, other = apart()
        key, user = user_of(task)
        benchmark = index(benchmark_task(1, known=f"You are {key}."))
        name = {**user["name"], "zip": user["address"]["zip"]}
        rest = other.model_dump()["facts"] | {"email": "nobody@example.com"}

        for facts, text in (
            ({**rest, "email": user["email"]}, "Hello."),
            ({**rest, **name}, "Hello."),
            (rest, f"Send me ({user['orders'][0]})."),
        ):
            planted = other.model_copy(update={"facts": facts, "text": text})
            assert kinds(benchmark.check(planted)) == {"entity"}

    def test_with_a_name_but_another_zip_are_somebody_else(self) -> None:
        task, other = apart()
        _, user = user_of(task)
        benchmark = index(benchmark_task(1, known=f"You are {user['email']}."))
        facts = {**other.facts, **user["name"], "zip": "00000"}

        assert benchmark.check(other.model_copy(update={"facts": facts})).clean


class TestGold:
    def test_write_is_found_however_it_is_spelled(self) -> None:
        """Items of a return in another order are the same return."""
        items = {"item_ids": ["2", "1"], "payment_method_id": "p"}
        call = ToolCall(
            name="return_delivered_order_items", arguments={"order_id": "#W0", **items}
        )
        again = call.model_copy(
            update={"arguments": {**call.arguments, "item_ids": ["1", "2"]}}
        )
        task = task_of("R1")
        gold = task.gold[0].model_copy(update={"call": again})
        task = task.model_copy(update={"gold": (gold,), "gold_effect": "another"})

        found = index(benchmark_task(5, actions=[action(call)])).check(task)

        assert [(one.kind, one.tasks) for one in found.shared] == [("write", ("5",))]
        assert found.nearest.same_shape == ("5",)

    def test_effect_is_found_if_other_calls_lead_to_it(self) -> None:
        """A failing call before the write changes nothing, and the write itself is another one."""
        task = task_of("R1")
        (write,) = task.gold
        planted = benchmark_task(2, actions=[action(write.call)])
        renamed = write.model_copy(
            update={"call": ToolCall(name=write.call.name, arguments={})}
        )
        other = task.model_copy(update={"gold": (renamed,)})

        found = index(planted).check(other)

        assert "effect" in kinds(found)
        assert "write" not in kinds(found)

    def test_effect_on_another_state_is_another_effect(self) -> None:
        task = task_of("R1")
        planted = benchmark_task(2, actions=[action(task.gold[0].call)])
        elsewhere = task.model_copy(update={"state_hash": "another"})

        assert "effect" in kinds(index(planted).check(task))
        assert "effect" not in kinds(index(planted).check(elsewhere))

    def test_reads_are_no_gold(self) -> None:
        call = ToolCall(name="list_all_product_types", arguments={})
        refusal = task_of("N1")

        found = index(benchmark_task(1, actions=[action(call)])).check(refusal)

        assert found.clean
        assert found.nearest.same_shape == ()

    def test_of_the_same_shape_is_reported_but_no_fault(self) -> None:
        task, other = apart()
        write = task.gold[0].call
        changed = {**write.arguments, "order_id": "#W1", "new_item_ids": ["77"]}
        planted = ToolCall(name=write.name, arguments=changed)

        found = index(benchmark_task(4, actions=[action(planted)])).check(other)

        assert found.clean
        assert found.nearest.same_shape == ("4",)


class TestTexts:
    SENTENCE = "You bought a lamp in spring and now it hums all night long."

    def with_text(self, text: str) -> Task:
        return task_of("R1").model_copy(update={"text": text})

    def test_with_eight_words_in_a_row_are_found_whatever_the_spelling(self) -> None:
        benchmark = index(benchmark_task(1), benchmark_task(6, reason=self.SENTENCE))

        found = benchmark.check(
            self.with_text("Yes: BOUGHT a lamp, in spring -- and now it stopped.")
        )

        (shared,) = found.shared
        assert (shared.kind, shared.tasks) == ("text", ("6",))
        assert shared.what == "bought a lamp in spring and now it"

    def test_with_seven_words_in_a_row_are_only_near(self) -> None:
        benchmark = index(benchmark_task(1), benchmark_task(6, reason=self.SENTENCE))

        found = benchmark.check(self.with_text("I bought a lamp in spring and now?"))

        assert found.clean
        assert found.nearest.task == "6"
        assert found.nearest.containment == 0.0
        assert found.nearest.likeness == 5 / 6

    def test_may_share_what_policy_and_tools_say(self) -> None:
        """Whole sentences of both, which a user might well quote."""
        shop = small_shop()
        policy = max(shop.policy.split("\n"), key=len)
        tool = shop.schemas[1]["function"]["description"]
        quoting = benchmark_task(1, reason=f"{policy} {NOBODY}", known=tool)
        task = self.with_text(f"{policy} Also: {tool}")

        assert len(words_of(policy)) >= 8 <= len(words_of(tool))
        assert index(quoting).check(task).clean

    def test_can_be_looked_at_in_other_words(self) -> None:
        benchmark = index(benchmark_task(6, reason=self.SENTENCE))

        assert benchmark.check(task_of("R1")).clean
        assert kinds(benchmark.check(task_of("R1"), self.SENTENCE)) == {"text"}


class TestDistances:
    def test_of_a_batch_are_counted(self) -> None:
        near = [
            Nearest(task="1", containment=share, likeness=share) for share in (0.0, 1.0)
        ]

        found = distances([*near, Nearest(same_shape=("1", "2"))], 2)

        assert (found.tasks, found.benchmark_tasks, found.same_shape) == (3, 2, 1)
        assert found.likeness.histogram == (2, 0, 0, 0, 0, 0, 0, 0, 0, 1)
        assert found.likeness.median == 0.0
        assert found.likeness.largest == 1.0
        assert found.likeness.mean == 0.3333

    def test_of_no_tasks_are_zero(self) -> None:
        assert distances([], 5).containment.largest == 0.0


class TestAgainstTheReference:
    def test_tasks_of_its_people_are_found_and_those_of_others_are_clean(
        self, tau2_root: Path
    ) -> None:
        domain = read_domain(tau2_root, "retail")
        environment = world("retail").build(
            state=world("retail").read_state(domain.database),
            version="reference",
            policy=domain.policy,
        )
        benchmark = BenchmarkIndex(environment, domain.tasks)
        everybody = frozenset(environment.people)

        theirs = Designer(environment, avoid=everybody - benchmark.people)
        others = Designer(environment, avoid=benchmark.people)

        assert len(benchmark) == 114
        assert len(benchmark.people) >= 52
        for slug in ("R1", "R5", "W1", "N1"):
            assert "entity" in kinds(benchmark.check(theirs.design(slug, 0)))
            assert benchmark.check(others.design(slug, 0)).clean
        for row in domain.tasks[:20]:
            text = row["user_scenario"]["instructions"]["reason_for_call"]
            found = benchmark.check(others.design("R1", 0), text)
            assert "text" in kinds(found)
            assert found.nearest.containment == 1.0

    def test_takes_less_than_a_millisecond_per_task(self, tau2_root: Path) -> None:
        domain = read_domain(tau2_root, "retail")
        environment = world("retail").build(
            state=world("retail").read_state(domain.database), version="reference"
        )
        benchmark = BenchmarkIndex(environment, domain.tasks)
        task = task_of("R2")

        start = time.process_time()
        for _ in range(200):
            benchmark.check(task)

        assert (time.process_time() - start) / 200 < 0.001


class TestScreen:
    def test_of_two_halves_has_seen_what_one_of_the_whole_has(self) -> None:
        task, other = apart()
        benchmark = index(benchmark_task(4, known=f"You are {user_of(task)[0]}."))
        whole, halves = Screen(benchmark), Screen(benchmark)

        for screen in (whole, halves):
            assert (screen.refuse(task), screen.refuse(other)) == ("contaminated", "")
            screen.keep(other)
        first = halves.take()
        for screen in (whole, halves):
            screen.refuse(task)
            screen.keep(task)
        second = halves.take()
        first.add(second)

        assert first.report() == whole.seen.report()
        assert (first.report()["tasks"], first.benchmark_tasks) == (2, 1)
        assert {one.tasks for one in first.examples} == {("4",)}
        assert halves.seen.nearest == halves.seen.examples == []

"""Tasks of the reference benchmark in disguise are held back, each one; ours are not. The disguises are made when this runs."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from environments.core.environment import Environment
from environments.core.tools import ToolCall
from environments.registry import world
from writ_app.adapters.tau2 import Tau2Domain, read_domain
from writ_app.engine.decontamination import (
    BenchmarkIndex,
    gate,
    index_conversations,
)
from writ_app.engine.task_design import Designer
from writ_app.engine.types import GoldWrite, Task


@dataclass(frozen=True)
class Bench:
    """A domain of the reference, its index, and a clean task of ours in the same world."""

    domain: Tau2Domain
    environment: Environment
    index: BenchmarkIndex
    clean: Task

    def task(self, key: str) -> dict[str, Any]:
        return next(task for task in self.domain.tasks if task["id"] == key)

    def writes(self, key: str) -> list[ToolCall]:
        actions = self.task(key)["evaluation_criteria"]["actions"]
        return [
            ToolCall(name=action["name"], arguments=action["arguments"])
            for action in actions
            if self.environment.is_write(action["name"])
        ]

    def effect(self, calls: list[ToolCall]) -> str:
        session = self.environment.session()
        session.replay(calls)
        return session.state.effect()

    def reason(self, key: str) -> str:
        return self.task(key)["user_scenario"]["instructions"]["reason_for_call"]

    def with_gold(self, calls: list[ToolCall], **changes: Any) -> Task:
        gold = tuple(GoldWrite(call=call) for call in calls)
        changes.setdefault("gold_effect", "an effect of nobody's")
        return self.clean.model_copy(update={"gold": gold, **changes})

    def with_text(self, text: str) -> Task:
        return self.clean.model_copy(update={"text": text})


@cache
def _bench(root: Path, name: str) -> Bench:
    domain = read_domain(root, name)
    environment = world(name).build(
        state=world(name).read_state(domain.database),
        version="reference",
        policy=domain.policy,
    )
    index = BenchmarkIndex(environment, domain.tasks)
    designer = Designer(environment, avoid=index.people)
    clean = designer.design({"retail": "R1", "airline": "A1"}[name], 0)
    return Bench(domain, environment, index, clean)


@pytest.fixture
def retail(tau2_root: Path) -> Bench:
    return _bench(tau2_root, "retail")


@pytest.fixture
def airline(tau2_root: Path) -> Bench:
    return _bench(tau2_root, "airline")


def pick(bench: Bench, wanted: Callable[[list[ToolCall]], bool]) -> str:
    """Id of the first task whose writes are as wanted."""
    return next(
        task["id"] for task in bench.domain.tasks if wanted(bench.writes(task["id"]))
    )


def longest(bench: Bench) -> str:
    return max((task["id"] for task in bench.domain.tasks), key=lambda key: len(bench.reason(key)))  # fmt: skip


def every(text: str, step: int, instead: str = "perhaps") -> str:
    words = text.split()
    return " ".join(instead if n % step == step - 1 else w for n, w in enumerate(words))


def person_of(bench: Bench) -> tuple[str, dict[str, Any]]:
    key = sorted(bench.index.people)[0]
    return key, bench.environment.state.collections["users"][key]


# --- disguises: each gives a task of ours with something of the benchmark's in it, and what its user says ----------------------

type Disguised = tuple[Task, tuple[str, ...]]


def renamed_in_words(bench: Bench) -> Disguised:
    """The same writes, asked for by somebody with another name and in other words."""
    key = pick(bench, lambda calls: len(calls) == 1)
    return bench.with_gold(bench.writes(key), text="I am Nobody Atall."), ()


def writes_reordered(bench: Bench) -> Disguised:
    key = pick(bench, lambda calls: len(calls) > 1)
    return bench.with_gold(bench.writes(key)[::-1]), ()


def one_of_several_writes(bench: Bench) -> Disguised:
    key = pick(bench, lambda calls: len(calls) > 2)
    return bench.with_gold(bench.writes(key)[1:2]), ()


def lists_reordered(bench: Bench) -> Disguised:
    key = pick(
        bench, lambda calls: bool(calls) and len(calls[0].arguments.get("item_ids", ())) > 1
    )  # fmt: skip
    call = bench.writes(key)[0]
    turned = {
        name: value[::-1] if isinstance(value, list) else value
        for name, value in call.arguments.items()
    }
    return bench.with_gold([ToolCall(name=call.name, arguments=turned)]), ()


def ids_spelled_otherwise(bench: Bench) -> Disguised:
    """Order numbers without their #, in lower case."""
    key = pick(bench, lambda calls: len(calls) == 1)
    call = bench.writes(key)[0]
    plain = {
        name: value.replace("#", "").lower() if isinstance(value, str) else value
        for name, value in call.arguments.items()
    }
    return bench.with_gold([ToolCall(name=call.name, arguments=plain)]), ()


def only_the_effect(bench: Bench) -> Disguised:
    """Other calls that leave the database as the benchmark's task does."""
    key = pick(bench, lambda calls: len(calls) == 1)
    other = [ToolCall(name="another_way", arguments={"of": "doing it"})]
    return bench.with_gold(other, gold_effect=bench.effect(bench.writes(key))), ()


def only_a_read(bench: Bench) -> Disguised:
    person, _ = person_of(bench)
    read = bench.clean.certificate[0]
    call = ToolCall(name="get_user_details", arguments={"user_id": person})
    read = read.model_copy(update={"call": call})
    return bench.clean.model_copy(update={"certificate": (read,)}), ()


def id_in_words(bench: Bench) -> Disguised:
    person, _ = person_of(bench)
    return bench.with_text(f"My id is {person.replace('_', ' ').title()}, I think."), ()


def email_in_capitals(bench: Bench) -> Disguised:
    _, user = person_of(bench)
    return bench.with_text(f"Write to {user['email'].upper()}!"), ()


def theirs(bench: Bench) -> str:
    """A key of what belongs to somebody of the benchmark: an order, a reservation."""
    _, user = person_of(bench)
    return str((user.get("orders") or user.get("reservations"))[0])


def order_without_its_sign(bench: Bench) -> Disguised:
    return bench.with_text(f"It is about {theirs(bench).strip('#').lower()}."), ()


def order_in_wide_letters(bench: Bench) -> Disguised:
    wide = "".join(chr(ord(c) + 0xFEE0) if c.isalnum() else c for c in theirs(bench))
    return bench.with_text(f"It is about {wide}."), ()


def order_in_groups(bench: Bench) -> Disguised:
    plain = theirs(bench).strip("#")
    return bench.with_text(f"It is {plain[:3]} {plain[3:5]}-{plain[5:]}."), ()


def name_far_from_zip(bench: Bench) -> Disguised:
    _, user = person_of(bench)
    name, code = user["name"], user["address"]["zip"]
    text = f"This is {name['first_name']}. I live in {code}, as do all of the {name['last_name']} family."
    return bench.with_text(text), ()


def other_punctuation(bench: Bench) -> Disguised:
    text = re.sub(r"[.,]", " --", bench.reason(longest(bench))).upper()
    return bench.with_text(text), ()


def some_words_changed(bench: Bench) -> Disguised:
    return bench.with_text(every(bench.reason(longest(bench)), 12)), ()


def many_words_changed(bench: Bench) -> Disguised:
    """No eight words in a row are left."""
    return bench.with_text(every(bench.reason(longest(bench)), 7)), ()


def sentences_reordered(bench: Bench) -> Disguised:
    sentences = re.split(r"(?<=[.!?])\s+", bench.reason(longest(bench)))
    return bench.with_text(" ".join(sentences[::-1])), ()


def inside_a_longer_text(bench: Bench) -> Disguised:
    words = bench.reason(longest(bench)).split()[5:16]
    return bench.with_text(
        f"{bench.clean.text} {' '.join(words)} {bench.clean.text}"
    ), ()


def said_late(bench: Bench) -> Disguised:
    return bench.clean, ("Hello.", f"Oh, and the number is {theirs(bench)}.")


def scenario_said(bench: Bench) -> Disguised:
    return bench.clean, ("Hello.", bench.reason(longest(bench)))


RETAIL: dict[Callable[[Bench], Disguised], str] = {
    renamed_in_words: "write",
    writes_reordered: "write",
    one_of_several_writes: "write",
    lists_reordered: "write",
    ids_spelled_otherwise: "write",
    only_the_effect: "effect",
    only_a_read: "entity",
    id_in_words: "entity",
    email_in_capitals: "entity",
    order_without_its_sign: "entity",
    order_in_wide_letters: "entity",
    order_in_groups: "entity",
    name_far_from_zip: "entity",
    other_punctuation: "text",
    some_words_changed: "text",
    many_words_changed: "near",
    sentences_reordered: "text",
    inside_a_longer_text: "text",
    said_late: "entity",
    scenario_said: "text",
}
AIRLINE = {
    disguise: kind
    for disguise, kind in RETAIL.items()
    # reservations hold no list of items, and no zip is in a passenger's record
    if disguise not in (lists_reordered, name_far_from_zip, many_words_changed)
}


class TestADisguisedTask:
    @pytest.mark.parametrize("disguise", RETAIL, ids=lambda one: one.__name__)
    def test_of_the_shop_is_held_back(
        self, retail: Bench, disguise: Callable[[Bench], Disguised]
    ) -> None:
        task, said = disguise(retail)

        reasons = gate(task, {"tau2 retail": retail.index}, said=said)

        assert RETAIL[disguise] in {reason.shared.kind for reason in reasons}
        assert all(reason.benchmark == "tau2 retail" for reason in reasons)
        assert all(reason.shared.tasks for reason in reasons)

    @pytest.mark.parametrize("disguise", AIRLINE, ids=lambda one: one.__name__)
    def test_of_the_airline_is_held_back(
        self, airline: Bench, disguise: Callable[[Bench], Disguised]
    ) -> None:
        task, said = disguise(airline)

        reasons = gate(task, {"tau2 airline": airline.index}, said=said)

        assert AIRLINE[disguise] in {reason.shared.kind for reason in reasons}

    def test_names_the_benchmarks_task(self, retail: Bench) -> None:
        key = longest(retail)
        (task, said) = scenario_said(retail)

        (reason, *_) = gate(task, {"tau2": retail.index}, said=said)

        assert key in reason.shared.tasks
        assert f"task {key}" in str(reason)
        assert str(reason).endswith("(tau2)")


class TestOurTasks:
    @pytest.mark.parametrize(
        ("name", "slugs"),
        [
            ("retail", ("R1", "R2", "R5", "R8", "R13", "R26", "W2", "N1", "N12")),
            ("airline", ("A1", "A4", "A6", "A16", "A25")),
        ],
    )
    def test_of_other_people_pass(
        self, tau2_root: Path, name: str, slugs: tuple[str, ...]
    ) -> None:
        bench = _bench(tau2_root, name)
        designer = Designer(bench.environment, avoid=bench.index.people)
        indexes = {"tau2": bench.index}

        for slug in slugs:
            for seed in range(3):
                task = designer.design(slug, seed)
                assert not gate(task, indexes, said=[task.text])
                assert bench.index.check(task).nearest.resemblance < 0.25

    def test_that_share_a_flight_or_a_product_pass_and_that_is_told(
        self, retail: Bench
    ) -> None:
        """Products are for everybody: what is shared is reported, not gated."""
        assert {collection for collection, _ in retail.index.things} == {"products"}
        assert retail.index.things_of(retail.clean)
        assert not gate(retail.clean, {"tau2": retail.index})


class TestAnImportedConversation:
    def conversation(self, bench: Bench, key: str) -> list[Mapping[str, Any]]:
        calls = [
            {"id": str(n), "name": call.name, "arguments": call.arguments}
            for n, call in enumerate(bench.writes(key))
        ]
        return [
            {"role": "user", "content": bench.reason(key)},
            {"role": "assistant", "tool_calls": calls},
        ]

    def test_is_a_benchmark_too(self, retail: Bench) -> None:
        key = pick(retail, lambda calls: len(calls) == 1)
        talk = ("talk-1", self.conversation(retail, key))
        index = index_conversations(retail.environment, [talk])
        task, _ = renamed_in_words(retail)

        found = gate(task, {"imported": index})

        assert "write" in {reason.shared.kind for reason in found}
        assert {reason.shared.tasks for reason in found} == {("talk-1",)}
        assert not gate(retail.clean, {"imported": index})

    def test_shares_a_phrase_of_eight_words_without_harm(self, retail: Bench) -> None:
        """People agree to a change in much the same words."""
        yes = "Yes, please go ahead and make that change."
        talk = ("talk-1", [{"role": "user", "content": f"{yes} Thank you."}])
        index = index_conversations(retail.environment, [talk])

        assert not gate(retail.clean, {"imported": index}, said=[yes])

    def test_with_a_call_that_failed_wrote_nothing(self, retail: Bench) -> None:
        key = pick(retail, lambda calls: len(calls) == 1)
        (call,) = retail.writes(key)
        talk = [
            {"role": "assistant", "tool_calls": [{"id": "c", "name": call.name, "arguments": call.arguments}]},
            {"role": "tool", "tool_call_id": "c", "content": "Error", "error": True},
        ]  # fmt: skip
        index = index_conversations(retail.environment, [("talk-1", talk)])

        assert "write" not in {
            reason.shared.kind
            for reason in gate(retail.with_gold([call]), {"imported": index})
        }

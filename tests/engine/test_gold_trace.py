"""The gold as a conversation, judged by the policy's executable clauses."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from environments.core.domain import TaskClass
from environments.core.policy import Breach, Event, PolicyCheck, PolicyTrace
from environments.core.tools import ToolCall
from tests.engine.lines import desk
from writ_app.engine import gold_trace
from writ_app.engine.types import Task

KINDS = [
    (name, slug)
    for name, slugs in {
        "retail": ("R1", "R6", "W3", "N1", "I2", "T1", "joined", "in order"),
        "rental": ("E1", "W1", "N1", "I1", "T1", "joined", "in order"),
        "airline": ("A1", "A13", "W2", "N2", "I3", "T1"),
    }.items()
    for slug in slugs
]


def spoken(task: Task, **changes: Any) -> dict[str, Any]:
    return {
        "text": task.text,
        "facts": task.facts,
        "reads": [read.call for read in task.certificate],
        "gold": [write.call for write in task.gold],
        "declined": task.declined,
        "transferred": task.transferred,
        **changes,
    }


def events_of(name: str, task: Task) -> Sequence[Event]:
    """The conversation as a check sees it."""
    seen: list[PolicyTrace] = []

    def judge(trace: PolicyTrace) -> list[Breach]:
        seen.append(trace)
        return []

    environment = desk(name).environment
    domain = replace(environment.domain, policy_checks=(PolicyCheck("0", "", judge),))
    list(gold_trace.breaches(replace(environment, domain=domain), **spoken(task)))
    return seen[0].events


class TestBreaches:
    @pytest.mark.parametrize(("name", "slug"), KINDS)
    def test_of_what_was_designed_are_none(self, name: str, slug: str) -> None:
        at = desk(name)

        assert list(gold_trace.breaches(at.environment, **spoken(at.task(slug)))) == []

    def test_of_a_write_for_somebody_who_may_be_anybody(self) -> None:
        assert "policy 1.1" in cited("R1", reads=[])

    def test_of_a_write_for_a_reason_that_the_user_did_not_give(self) -> None:
        write = desk("retail").task("R6").gold[0].call
        other = {**write.arguments, "reason": "ordered by mistake"}

        assert write.arguments["reason"] != other["reason"]
        assert cited("R6", gold=[ToolCall(name=write.name, arguments=other)]) == {
            "policy 4.2"
        }

    def test_of_acting_on_an_order_that_was_not_looked_at(self) -> None:
        reads = [read.call for read in desk("retail").task("R6").certificate]
        kept = [call for call in reads if call.name != "get_order_details"]

        assert cited("R6", reads=kept) == {"policy 3.5"}

    def test_of_looking_at_what_is_somebody_elses(self) -> None:
        at, task = desk("retail"), desk("retail").task("R1")
        other = next(key for key in at.environment.people if key != task.person)
        look = ToolCall(name="get_user_details", arguments={"user_id": other})
        reads = [read.call for read in task.certificate]

        assert cited("R1", reads=[*reads, look]) == {"policy 1.3"}


def cited(slug: str, **changes: Any) -> set[str]:
    """The clauses that a retail task's gold breaks after these changes."""
    at = desk("retail")
    found = gold_trace.breaches(at.environment, **spoken(at.task(slug), **changes))
    return {one.partition(":")[0] for one in found}


class TestConversation:
    @pytest.mark.parametrize(("name", "slug"), KINDS)
    def test_begins_with_who_asks_and_for_what(self, name: str, slug: str) -> None:
        task = desk(name).task(slug)
        first = events_of(name, task)[0]

        assert first.by == "user"
        assert first.text.endswith(task.text)
        who = first.text.removesuffix(task.text).lower()
        assert any(str(value).lower() in who for value in task.facts.values())

    @pytest.mark.parametrize(("name", "slug"), KINDS)
    def test_makes_the_reads_and_then_each_write_after_a_yes(
        self, name: str, slug: str
    ) -> None:
        task = desk(name).task(slug)
        events = events_of(name, task)
        made = [event.call for event in events if event.call is not None]
        reads = [read.call for read in task.certificate]

        assert made[: len(reads)] == reads
        assert [e.index for e in events] == list(range(len(events)))
        writes = [n for n, event in enumerate(events) if event.wrote]
        wanted = [write.call for write in task.gold]
        assert [events[n].call for n in writes if events[n].call in wanted] == wanted
        for n in writes if task.gold else ():
            assert (events[n - 1].by, events[n - 1].text) == ("user", "Yes.")
            assert events[n - 2].by == "agent"
            assert events[n - 2].text

    def test_ends_with_a_refusal_or_a_transfer_in_words(self) -> None:
        for name, slug in KINDS:
            task = desk(name).task(slug)
            last = events_of(name, task)[-1]
            if task.task_class in (TaskClass.REFUSAL, TaskClass.TRANSFER):
                assert last.by == "agent"
                assert last.call is None
                assert last.text

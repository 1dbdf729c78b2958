import json
import os
import random
import subprocess
import sys
from collections import Counter

import pytest

from tests.engine.talks import (
    calls_of,
    check,
    judged,
    ledger_of,
    small_shop,
    talk,
    task_of,
)
from writ_app.engine.behaviour import PLANS, make_ledger
from writ_app.engine.scripted import (
    FAULTS,
    NotApplicable,
    ScriptedAgent,
    ScriptedUser,
    applicable,
    cast,
)
from writ_app.engine.scripted.phrases import PROPOSE
from writ_app.engine.scripted.user_phrases import YES
from writ_app.engine.simulation import simulate, user_view
from writ_app.engine.types import Ending, Owner

ARCHETYPES = ("R1", "R2", "R5", "R6", "R10", "R13", "W1", "W2", "W3", "N1", "N2")


PROGRAM = """
import hashlib
from tests.engine.talks import judged, ledger_of, talk
digest = hashlib.sha256()
for plan in ("upfront", "incremental", "corrected"):
    for archetype in ("R1", "W3", "N1"):
        found = talk(archetype, plan)
        for value in (ledger_of(archetype, plan), found, judged(found, archetype, plan)):
            digest.update(value.model_dump_json().encode())
print(digest.hexdigest())
"""


class TestScriptedModels:
    def test_do_the_same_in_every_process(self) -> None:
        hashes = {
            subprocess.run(
                [sys.executable, "-c", PROGRAM],
                env={**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": "."},
                capture_output=True,
                text=True,
                check=True,
                timeout=60,
            ).stdout
            for seed in (1, 2)
        }
        assert len(hashes) == 1


class TestScriptedAgent:
    @pytest.mark.parametrize("archetype", ARCHETYPES)
    @pytest.mark.parametrize("plan", ["upfront", "incremental", "corrected"])
    def test_fulfils_every_kind_of_task_under_every_plan(
        self, archetype: str, plan: str
    ) -> None:
        trajectory = talk(archetype, plan)
        verification = judged(trajectory, archetype, plan)
        assert trajectory.ended_by is Ending.USER_STOP
        assert [c.finding for c in verification.checks if not c.passed] == []

    def test_reads_the_certificate_and_then_writes_the_gold(self) -> None:
        task = task_of("R1")
        wanted = [r.call for r in task.certificate] + [w.call for w in task.gold]
        calls = calls_of(talk("R1"))
        assert [call for call in calls if call in wanted] == wanted
        looked_around = {call.key for call in calls if call not in wanted}
        assert looked_around <= {call.key for call in task.spoken_of}

    def test_asks_who_it_is_before_anything_else(self) -> None:
        messages = talk("R1", "incremental").messages
        assert "email" in messages[2].content
        assert not messages[2].tool_calls

    def test_comes_back_to_an_email_that_nobody_has(self) -> None:
        trajectory = talk("R10", "corrected")
        failed = [m for m in trajectory.messages if m.error]
        assert [m.content for m in failed] in ([], ["Error: User not found"])

    def test_says_what_it_compared(self) -> None:
        texts = [m.content for m in talk("R1").messages if m.role == "assistant"]
        gold = next(line for line in task_of("R1").tables[0].lines if line.gold)
        name, _, options = gold.label.partition(" · ")
        assert any(
            f"{name} ({options})" in text and "lowest price" in text for text in texts
        )

    def test_depends_on_the_messages_alone_so_that_it_can_be_resumed(self) -> None:
        for plan in PLANS:
            task, ledger = task_of("W1"), ledger_of("W1", plan)
            trajectory = talk("W1", plan)
            for n, message in enumerate(trajectory.messages[1:], start=1):
                earlier = trajectory.messages[:n]
                if message.role == "assistant":
                    answer = ScriptedAgent(small_shop(), task, ledger).complete(
                        system="", messages=earlier, tools=[], seed=0
                    )
                    assert answer.content == message.content
                    assert answer.tool_calls == message.tool_calls
                elif message.role == "user":
                    answer = ScriptedUser(task, ledger).complete(
                        system="", messages=user_view(earlier), tools=[], seed=0
                    )
                    assert answer.content == message.content

    def test_asks_again_if_the_answer_is_no_yes(self) -> None:
        task, ledger = task_of("R1"), ledger_of("R1")
        trajectory = talk("R1")
        n = next(
            n
            for n, m in enumerate(trajectory.messages)
            if "yes" in m.content.lower() and m.role == "user"
        )
        messages = [
            *trajectory.messages[:n],
            trajectory.messages[n].model_copy(update={"content": "Hm, let me think."}),
        ]
        answer = ScriptedAgent(small_shop(), task, ledger).complete(
            system="", messages=messages, tools=[], seed=0
        )
        assert answer.tool_calls == ()
        assert "yes or no" in answer.content

    def test_refuses_with_the_rule_and_the_status_that_is_in_the_way(self) -> None:
        texts = [m.content for m in talk("N1").messages if m.role == "assistant"]
        assert "only an order that is still pending can be cancelled" in texts[-1]
        assert "has the status" in texts[-1]

    def test_speaks_differently_with_another_seed(self) -> None:
        task, ledger = task_of("R1"), ledger_of("R1")
        seen = set()
        for seed in range(12):
            trajectory = simulate(
                environment=small_shop(),
                task=task,
                ledger=ledger,
                agent=ScriptedAgent(small_shop(), task, ledger),
                user=ScriptedUser(task, ledger),
                seed=seed,
            )
            seen.add(tuple(m.content for m in trajectory.messages if m.role != "tool"))
        assert len(seen) == 12

    def test_does_the_same_with_the_same_seed(self) -> None:
        first = talk("W1", "corrected")
        talk.cache_clear()
        assert talk("W1", "corrected") == first


class TestScriptedUser:
    def test_says_only_what_it_is_about_when_incremental(self) -> None:
        opening = talk("W1", "incremental").messages[1].content
        lines = ledger_of("W1", "incremental").lines
        assert [line.name for line in lines if line.text in opening] == ["wish"]

    def test_ends_with_the_stop_token(self) -> None:
        assert talk("W2").messages[-1].content.endswith("###STOP###")

    def test_knows_dozens_of_ways_to_say_yes_and_to_ask_for_it(self) -> None:
        from writ_app.engine.behaviour import asks_confirmation, phrase, says_yes

        rng = random.Random(1)
        yes = {phrase(YES, rng) for _ in range(500)}
        asked = {phrase(PROPOSE, rng, change="do it") for _ in range(500)}
        assert len(yes) >= 24
        assert all(says_yes(text) for text in yes)
        assert len(asked) >= 8
        assert all(asks_confirmation(text) for text in asked)


def fits(fault: str, archetype: str, plan: str = "upfront") -> bool:
    return applicable(
        fault, small_shop(), task_of(archetype), ledger_of(archetype, plan)
    )


class TestApplicable:
    def test_is_false_where_a_task_leaves_no_room(self) -> None:
        assert not fits("forbidden_write", "R1")
        assert not fits("missing_read", "N1")
        assert fits("forbidden_write", "N1")

    def test_is_false_where_the_user_would_have_said_it_anyway(self) -> None:
        assert not fits("leaked_fact", "R1", "upfront")
        assert fits("leaked_fact", "R1", "incremental")
        assert not fits("uncorrected", "R1", "upfront")

    def test_is_false_for_an_order_that_makes_no_difference(self) -> None:
        assert not task_of("W1").dependent
        assert not fits("wrong_order", "W1")

    def test_raises_for_a_fault_that_there_is_not(self) -> None:
        with pytest.raises(KeyError):
            fits("bad_mood", "R1")

    def test_a_fault_that_does_not_apply_is_refused_at_once(self) -> None:
        with pytest.raises(NotApplicable, match="No write needs"):
            ScriptedAgent(small_shop(), task_of("N1"), ledger_of("N1"), "missing_read")


class TestCast:
    def test_holds_the_conversation_in_the_tasks_own_world(self) -> None:
        players = cast(small_shop(), task_of("R1"), ledger_of("R1"), "missing_read")
        assert players.environment is small_shop()

    def test_answers_one_call_wrong_where_the_environment_is_at_fault(self) -> None:
        players = cast(small_shop(), task_of("R1"), ledger_of("R1"), "tampered_result")
        reads = [read.call for read in task_of("R1").certificate]
        given = players.environment.session().replay(reads)
        right = small_shop().session().replay(reads)
        assert [a == b for a, b in zip(given, right, strict=True)].count(False) == 1


class TestFaults:
    def test_there_are_twenty_at_least_and_each_owner_has_one(self) -> None:
        assert len(FAULTS) >= 20
        assert {fault.owner for fault in FAULTS.values()} == set(Owner)

    def test_a_wrong_argument_is_taken_by_the_tool_where_one_can_be_found(self) -> None:
        trajectory = talk("R1", "upfront", "wrong_argument")
        assert not any(m.error for m in trajectory.messages)

    def test_a_missing_read_still_ends_in_the_right_state(self) -> None:
        verification = judged(talk("R1", "upfront", "missing_read"), "R1")
        assert check("final_state", verification).passed
        assert verification.reason == "evidence"

    def test_a_malformed_call_comes_as_garbage_and_as_a_call_that_fits_no_tool(
        self,
    ) -> None:
        endings = Counter(
            talk("R1", "upfront", "malformed_call", seed).ended_by for seed in range(8)
        )
        assert endings[Ending.AGENT_ERROR]
        assert endings[Ending.USER_STOP]

    def test_the_fault_is_noted_on_the_trajectory(self) -> None:
        assert talk("R1", "upfront", "early_stop").fault == "early_stop"
        assert FAULTS["early_stop"].owner is Owner.USER

    def test_faults_leave_a_dialogue_that_reads_back_from_json(self) -> None:
        trajectory = talk("W1", "upfront", "extra_write")
        text = json.dumps(trajectory.model_dump(mode="json"))
        assert type(trajectory).model_validate_json(text) == trajectory
        ledger = make_ledger(task_of("W1"), PLANS["upfront"], random.Random(0))
        assert type(ledger).model_validate_json(ledger.model_dump_json()) == ledger

"""Planted errors: every class shows what it promises, and nothing gives a copy away."""

import random
from functools import cache

import pytest

from environments.registry import world
from writ_app.engine.behaviour import PLANS, make_ledger
from writ_app.engine.canaries import KINDS, comes_out_right, mutate
from writ_app.engine.scripted import cast
from writ_app.engine.simulation import simulate
from writ_app.engine.task_design import Designer
from writ_app.engine.verification import verify

ARCHETYPES = {"retail": ("R1", "R5", "R10"), "rental": ("E1", "E3")}


@cache
def played():
    """(environment, task, ledger, trajectory) of accepted conversations in two worlds."""
    found = []
    for name, slugs in ARCHETYPES.items():
        environment = world(name).generated(seed=1, users=60)
        designer = Designer(environment)
        tasks = [designer.design(slug, seed) for slug in slugs for seed in (1, 2)]
        tasks += [designer.compose(3, seed) for seed in (1, 2)]
        for number, task in enumerate(tasks):
            plan = PLANS["upfront"]
            ledger = make_ledger(
                task, plan, random.Random(number), environment=environment
            )
            players = cast(environment, task, ledger)
            talk = simulate(
                environment=environment,
                task=task,
                ledger=ledger,
                agent=players.agent,
                user=players.user,
                seed=number,
            )
            found.append((environment, task, ledger, talk))
    return found


@cache
def planted(kind):
    """(original, canary, verification, environment) of each that has room for it and comes out right."""
    found = []
    for environment, task, ledger, talk in played():
        canary = mutate(task, environment, talk, kind, 1)
        if canary is None:
            continue
        judged = verify(
            environment=environment,
            task=task,
            trajectory=canary.trajectory,
            ledger=ledger,
        )
        if comes_out_right(kind, judged):
            found.append((talk, canary, judged, environment))
    return found


def test_what_is_copied_is_accepted():
    for environment, task, ledger, talk in played():
        assert verify(
            environment=environment, task=task, trajectory=talk, ledger=ledger
        ).accepted


@pytest.mark.parametrize("kind", KINDS)
class TestEveryClass:
    def test_can_be_planted(self, kind):
        assert planted(kind)

    def test_fails_checks_if_and_only_if_it_is_mechanical(self, kind):
        for _, _, judged, _ in planted(kind):
            assert judged.accepted is not KINDS[kind].mechanical

    def test_changes_the_message_that_it_points_at(self, kind):
        for talk, canary, _, _ in planted(kind):
            messages = canary.trajectory.messages
            before = talk.messages[canary.message : canary.message + 1]
            assert messages[canary.message : canary.message + 1] != before
            assert canary.changed.endswith(".")

    def test_pairs_every_result_with_its_call_and_takes_nothing_else_over(self, kind):
        for talk, canary, _, _ in planted(kind):
            called = [c.id for m in canary.trajectory.messages for c in m.tool_calls]
            answered = [
                m.tool_call_id for m in canary.trajectory.messages if m.role == "tool"
            ]
            assert called == answered
            assert len(set(called)) == len(called)
            same = {"messages"}
            assert canary.trajectory.model_dump(exclude=same) == talk.model_dump(
                exclude=same
            )

    def test_has_results_that_the_environment_gives_unless_they_are_what_is_planted(
        self, kind
    ):
        for _, _, judged, _ in planted(kind):
            replay = next(c for c in judged.checks if c.name == "replay")
            assert replay.passed is (kind != "tampered_result")

    def test_comes_out_the_same_with_the_same_seed(self, kind):
        environment, task, _, talk = played()[0]

        first, second = (mutate(task, environment, talk, kind, 5) for _ in range(2))

        assert first == second


def test_words_follow_an_id_that_was_swapped():
    for talk, canary, _, _ in planted("sibling_id"):
        messages = canary.trajectory.messages
        write = messages[canary.message].tool_calls[0]
        original = talk.messages[canary.message].tool_calls[0]
        old, new = (
            next(v for v in sorted(_leaves(one)) if v not in _leaves(other))
            for one, other in (
                (original.arguments, write.arguments),
                (write.arguments, original.arguments),
            )
        )
        asked = next(
            m.content
            for m in reversed(messages[: canary.message])
            if new in m.content and m.role == "assistant"
        )
        assert old not in asked


def _leaves(value):
    inner = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        return {leaf for one in inner for leaf in _leaves(one)}
    return {str(value)}


def test_a_yes_that_was_weakened_is_none_any_more():
    for talk, canary, judged, _ in planted("weak_yes"):
        check = next(c for c in judged.checks if c.name == "confirmation")
        assert not check.passed
        assert canary.trajectory.messages[canary.message].role == "user"
        assert len(canary.trajectory.messages) == len(talk.messages)


def test_an_unknown_class_is_an_error():
    environment, task, _, talk = played()[0]

    with pytest.raises(KeyError):
        mutate(task, environment, talk, "nonsense", 1)

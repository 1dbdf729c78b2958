"""The scripted user plays every value, and no two of its conversations begin alike."""

import random
from collections import Counter

import pytest

from tests.engine.behaviour.played import ledger_for, named, play, room_of
from tests.engine.talks import small_shop
from writ_app.engine.behaviour import (
    DIMENSIONS,
    PERSONAS,
    PLANS,
    audit_user,
    make_ledger,
    says_yes,
    screen_turn,
)
from writ_app.engine.behaviour.cover import Cover
from writ_app.engine.scripted import ScriptedUser
from writ_app.engine.simulation import GREETING, user_view
from writ_app.engine.types import Message

NAMES = ("R1", "W1", "N1", "R17", "0")
PLAYED = [
    (dimension.slug, value.slug)
    for dimension in DIMENSIONS.values()
    for value in dimension.values
    if any(value.slug in room_of(name).values.get(dimension.slug, ()) for name in NAMES)
]
NEEDS_MORE_OF_THE_AGENT = {
    ("confirmation", "changes_mind"),
    ("packaging", "hidden_second"),
    ("policy_pressure", "forbidden_first"),
}
"""Played in full only with an agent that proposes the first wish, or refuses it."""


def opening(name: str, seed: int, plan: str, persona: str) -> str:
    room = room_of(name)
    cover = Cover([PLANS[plan]], [PERSONAS[persona]], seed)
    drawn = cover.draw(room.values, name)
    ledger = make_ledger(
        room.task,
        drawn.plan,
        random.Random(seed),
        persona=drawn.persona,
        behaviour=drawn.behaviour,
        room=room,
    )
    heard = user_view([Message(role="assistant", content=GREETING)])
    user = ScriptedUser(room.task, ledger)
    return user.complete(system="", messages=heard, tools=[], seed=seed).content


class TestScriptedUser:
    @pytest.mark.parametrize(
        ("dimension", "value"),
        [pair for pair in PLAYED if pair not in NEEDS_MORE_OF_THE_AGENT],
    )
    def test_plays_every_value_without_breaking_the_ledger(
        self, dimension: str, value: str
    ) -> None:
        came = []
        for name in NAMES:
            if value not in room_of(name).values.get(dimension, ()):
                continue
            ledger = ledger_for(name, **{dimension: value})
            messages = play(named(name), ledger).messages
            audit = audit_user(ledger, messages)
            assert audit.findings == ()
            came.append(audit.dimensions[dimension] == value)
            for n, message in enumerate(messages):
                if message.role == "user":
                    found = screen_turn(ledger, messages[:n], message.content)
                    assert [x.kind for x in found if x.kind != "style"] == []
        assert sum(came) >= 0.6 * len(came)

    @pytest.mark.parametrize(
        ("dimension", "value", "shift"),
        [
            ("packaging", "at_once", "add"),
            ("packaging", "at_once", "replace"),
            ("constraint_order", "soft_first", "threshold"),
            ("constraint_order", "hard_first", "threshold"),
        ],
    )
    def test_is_not_taken_for_late_because_of_what_a_shift_changes(
        self, dimension: str, value: str, shift: str
    ) -> None:
        came = []
        for name in (*NAMES, "R3", "R6"):
            values = room_of(name).values
            if value in values.get(dimension, ()) and shift in values["goal_shift"]:
                ledger = ledger_for(name, **{dimension: value}, goal_shift=shift)
                talk = play(named(name), ledger).messages
                came.append(audit_user(ledger, talk).dimensions[dimension])
        assert came
        assert set(came) == {value}

    def test_says_yes_so_that_it_is_heard_whatever_the_manner(self) -> None:
        for persona in PERSONAS:
            for seed in range(6):
                room = room_of("R1")
                cover = Cover([PLANS["upfront"]], [PERSONAS[persona]], seed)
                drawn = cover.draw(room.values, "R1")
                ledger = make_ledger(
                    room.task,
                    drawn.plan,
                    random.Random(seed),
                    persona=drawn.persona,
                    behaviour={**drawn.behaviour, "literacy": "accepts_ids"},
                    room=room,
                )
                messages = play(room.task, ledger, seed).messages
                write = next(
                    n
                    for n, m in enumerate(messages)
                    if any(made.name.startswith("exchange") for made in m.tool_calls)
                )
                assert says_yes(messages[write - 1].content)

    def test_opens_no_two_conversations_alike(self) -> None:
        names = [a.slug for a in small_shop().domain.archetypes][:30]
        plans, personas = list(PLANS), list(PERSONAS)
        texts = [
            opening(
                names[n % len(names)],
                n,
                plans[n % len(plans)],
                personas[n * 5 % len(personas)],
            )
            for n in range(300)
        ]

        assert len(set(texts)) >= 299
        grams = Counter(
            gram for text in texts for gram in {*eight_grams(text.lower().split())}
        )
        shared = sum(count > 0.1 * len(texts) for count in grams.values())
        assert shared <= 0.005 * len(grams)

    def test_words_one_task_in_many_ways(self) -> None:
        texts = {opening("R1", seed, "upfront", "regular") for seed in range(60)}
        assert len(texts) == 60


def eight_grams(words: list[str]) -> list[tuple[str, ...]]:
    return [tuple(words[n : n + 8]) for n in range(len(words) - 7)]

"""Models that answer anything: every simulation has an outcome, and somebody who is to answer for it."""

from typing import Any

import pytest

from tests.fakes import Reply, completion_reply
from tests.played import Key, Players
from tests.services.runs import (
    ordered,
    run,
)
from writ_app.engine import types
from writ_app.models.synthesis import (
    BatchStatus,
    Trajectory,
)

pytestmark = pytest.mark.django_db(transaction=True)


GARBAGE = {
    "empty text": {"content": ""},
    "white space": {"content": " \n "},
    "nothing": {"content": None},
    "a stop token at once": {"content": "###STOP###"},
    "long text": {"content": "x" * 200_000},
    "control characters": {"content": "\x00\x01\x1b[2J\ud800 hello \udfff\u202e"},
    "broken arguments": [("get_user_details", '{"user_id": ')],
    "a list of arguments": [("get_user_details", "[1]")],
    "NaN": [("get_user_details", '{"user_id": NaN}')],
    "infinity": [("get_user_details", '{"user_id": 1e999}')],
    "deep": [("get_user_details", '{"user_id": ' + "[" * 3000 + "]" * 3000 + "}")],
    "wrong types": [("get_user_details", '{"user_id": {"a": [1]}}')],
    "an unknown tool": [("launch_missiles\x00", '{"at\x00": "\ud800"}')],
    "no name": [("", "{}")],
    "several calls": [("get_user_details", '{"user_id": "x"}')] * 3,
    "very many calls": [("get_user_details", "{}")] * 5000,
}


class TestGarbage:
    @pytest.mark.parametrize("side", ["agent", "user"])
    def test_is_an_outcome_with_an_owner(self, side: str) -> None:
        with ordered(ordered=len(GARBAGE)) as (batch, players):
            seeds = sorted(batch.simulations.values_list("seed", flat=True))
            said = dict(zip(seeds, map(as_message, GARBAGE.values()), strict=True))

            def answer(key: Key) -> Reply | None:
                if key[1] != side:
                    return None
                return completion_reply(said[key[0]])

            players.before = answer
            players_say_something_to_everything(players)
            run()
        batch.refresh_from_db()
        assert batch.status == BatchStatus.DONE, batch.stopped_by
        rows = {
            row.simulation.seed: row
            for row in Trajectory.objects.select_related("simulation")
        }
        for seed, what in zip(seeds, GARBAGE, strict=True):
            row = rows[seed]
            assert row.reason, what
            assert row.owner in {"agent", "user", "budget"}, what
            types.Trajectory.model_validate(row.content)

    def test_beside_calls_is_kept_and_never_shown_to_the_user(self) -> None:
        calls = as_message([("list_all_product_types", "{}")])
        both = {**calls, "content": "secret"}

        def answer(key: Key) -> Reply | None:
            return completion_reply(both) if key[1:] == ("agent", 3) else None

        with ordered(before=answer, ordered=1) as (_, players):
            players_say_something_to_everything(players)
            run()
        [message] = [
            one
            for one in Trajectory.objects.get().content["messages"]
            if one["content"] == "secret"
        ]
        assert message["tool_calls"]


def as_message(said: Any) -> dict[str, Any]:
    if isinstance(said, dict):
        return {"role": "assistant", **said}
    calls = [
        {
            "id": "same",
            "type": "function",
            "function": {"name": name, "arguments": arguments},
        }
        for name, arguments in said
    ]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def players_say_something_to_everything(players: Players) -> None:
    """Off the script, the other side has something to say too."""

    class Anything(dict[Key, dict[str, Any]]):
        def __missing__(self, key: Key) -> dict[str, Any]:
            return {"role": "assistant", "content": "I see."}

    players.answers = Anything(players.answers)

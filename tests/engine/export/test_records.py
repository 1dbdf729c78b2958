import json

import pytest
from hypothesis import given, settings

from environments.core.tools import ordered
from tests.engine.export.conversations import WORLD, records
from tests.engine.export.made import record, shop
from tests.engine.talks import small_shop, talk, task_of
from writ_app.engine.export.folder import BadLine, parse_record
from writ_app.engine.export.records import (
    Record,
    compact,
    content_hash_of,
    messages_of,
    trajectory_json,
    trajectory_of,
)
from writ_app.engine.types import Ending, Owner, Trajectory, Usage


class TestRecord:
    @settings(deadline=None)
    @given(one=records())
    def test_comes_back_from_its_line(self, one: Record) -> None:
        back = parse_record(json.loads(one.line), {WORLD.key: WORLD})
        assert back.line == one.line
        assert back == one

    @pytest.mark.parametrize(
        "trajectory",
        [
            pytest.param(talk("W1", "incremental", "", 3), id="of another seed"),
            pytest.param(talk("R1", "upfront", "text_beside_call"), id="with a fault"),
            pytest.param(
                talk("R1").model_copy(
                    update={
                        "agent": "some/model",
                        "user": "another/model",
                        "usage": Usage(prompt_tokens=7, cost=0.25),
                        "ended_by": Ending.AGENT_ERROR,
                        "owner": Owner.AGENT,
                        "note": "It said nothing.",
                    }
                ),
                id="that was paid for and failed",
            ),
        ],
    )
    def test_tells_all_of_its_trajectory(self, trajectory: Trajectory) -> None:
        made = record("R1", trajectory)
        told = trajectory.model_copy(update={"task_hash": made.task})
        assert trajectory_of(made) == told
        assert content_hash_of(trajectory_json(made)) == told.content_hash
        assert made.id == trajectory.content_hash

    def test_changed_content_is_noticed_by_its_id(self) -> None:
        value = json.loads(record().line)
        value["messages"][1]["content"] += " "
        with pytest.raises(BadLine, match="id"):
            parse_record(value, {shop().key: shop()})

    def test_tells_of_its_task(self) -> None:
        facts = record("W1").facts
        assert facts["writes"] == task_of("W1").writes
        assert facts["archetype"] == "W1"
        assert facts["slug"] == task_of("W1").slug


class TestMessagesOf:
    def test_a_database_that_orders_keys_anew_makes_no_difference(self) -> None:
        """Postgres gives the keys of an object by length, then by alphabet."""
        stored = talk("W1").model_dump(mode="json")["messages"]
        shuffled = json.loads(json.dumps(stored, sort_keys=True))
        lines = [compact(messages_of(shop(), some)) for some in (stored, shuffled)]
        assert lines[0] == lines[1]

    def test_arguments_stand_in_the_order_of_the_signature(self) -> None:
        for message in record("W1").messages:
            for made in message.get("tool_calls", ()):
                known = list(shop().parameters[made["name"]])
                places = [known.index(name) for name in made["arguments"]]
                assert places == sorted(places)

    def test_unknown_arguments_stand_last(self) -> None:
        assert list(ordered(("b", "a"), {"x": 1, "a": 2, "b": 3})) == ["b", "a", "x"]


class TestWorld:
    def test_is_what_the_agent_had(self) -> None:
        world, environment = shop(), small_shop()
        assert list(world.tools) == environment.schemas
        assert environment.policy.strip() in world.system
        assert world.key == f"{environment.name}/{environment.version}"


def test_content_hash_of_is_the_models_own() -> None:
    for model in (talk("R1"), task_of("R1")):
        assert content_hash_of(model.model_dump(mode="json")) == model.content_hash


class TestCompact:
    def test_writes_other_scripts_as_they_are_on_one_line(self) -> None:
        line = compact({"text": "Zoë\nmöchte 日本"})
        assert "Zoë\\nmöchte 日本" in line
        assert "\n" not in line

    def test_refuses_numbers_that_json_does_not_have(self) -> None:
        with pytest.raises(ValueError, match="Out of range"):
            compact({"x": float("nan")})

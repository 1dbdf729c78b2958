import math

import pytest

from tests.engine.reports.made import call, said, world
from writ_app.engine.reports.tools import (
    NAMES,
    OTHER,
    Tools,
    edit_distance,
    moving_types,
)


def tools_of(*sequences: list[str]) -> dict[str, object]:
    tools = Tools({world().key: world()})
    for number, names in enumerate(sequences):
        tools.add(said(*(call(name) for name in names), key=str(number)))
    return tools.result()


def plain(*names: str) -> tuple[tuple[str, bool], ...]:
    return tuple((name, name.isupper()) for name in names)


class TestTools:
    def test_say_which_are_never_called(self) -> None:
        found = tools_of(["get_user_details", "get_order_details"])

        (own,) = found["worlds"]  # type: ignore[misc]
        assert own["called"] == 2
        assert own["offered"] == len(world().tools)
        assert "cancel_pending_order" in own["never"]
        assert "get_user_details" not in own["never"]

    def test_name_one_that_the_world_does_not_have(self) -> None:
        (own,) = tools_of(["invent_something"])["worlds"]  # type: ignore[misc]

        assert own["unknown"] == ["invent_something"]

    def test_entropy_of_the_next_call_is_none_where_it_is_always_the_same(self) -> None:
        found = tools_of(["a", "b"], ["a", "b"])

        assert found["entropy"] == 1.0
        assert found["bigram_entropy"] == 0.0
        assert (found["sequences"], found["sequence_share"]) == (1, 0.5)

    def test_entropy_of_the_next_call_is_a_bit_where_two_are_as_likely(self) -> None:
        """After the start comes a or b; each then ends."""
        found = tools_of(["a"], ["b"])

        assert math.isclose(found["bigram_entropy"], 0.5)  # type: ignore[arg-type]

    def test_count_values_of_arguments_against_what_schemas_allow(self) -> None:
        tools = Tools({world().key: world()})
        tools.add(said(call("return", item_ids=["1", "2"], order_id="#W1"), key="one"))
        tools.add(said(call("return", item_ids=["2"], order_id="#W1"), key="two"))

        found = {one["argument"]: one for one in tools.result()["arguments"]}

        assert (found["item_ids"]["times"], found["item_ids"]["distinct"]) == (3, 2)
        assert found["item_ids"]["most"][0] == ["2", 2]
        assert found["order_id"]["distinct"] == 1

    def test_are_told_apart_up_to_a_bound(self) -> None:
        """An imported set may hold anything, and must not fill the memory with it."""
        found = tools_of([f"tool-{n}" for n in range(NAMES + 50)], ["x" * 500])

        names = dict(found["calls"])  # type: ignore[call-overload]
        assert names[OTHER] == 51
        assert all(len(name) <= 80 for name in names)


class TestTheDistanceOfSequences:
    @pytest.mark.parametrize(
        ("one", "other", "distance"),
        [
            (("a", "b"), ("a", "b"), 0.0),
            (("a", "b"), ("c", "d"), 1.0),
            (("a", "b", "c"), ("a", "c"), 1 / 3),
            # a write weighs twice: 2 of 1 + 2
            (("a", "W"), ("a",), 2 / 3),
            ((), (), 0.0),
            ((), ("a",), 1.0),
        ],
    )
    def test_is_the_share_of_what_has_to_change(
        self, one: tuple[str, ...], other: tuple[str, ...], distance: float
    ) -> None:
        assert math.isclose(edit_distance(plain(*one), plain(*other)), distance)
        assert math.isclose(edit_distance(plain(*other), plain(*one)), distance)


class TestMovingTypes:
    def test_are_those_of_the_mean_window(self) -> None:
        words = ["a", "b", "a", "a", "c"]
        windows = [words[n : n + 3] for n in range(3)]

        expected = sum(len(set(window)) / 3 for window in windows) / 3
        assert moving_types(words, 3) == round(expected, 4)

    def test_of_too_few_words_are_none(self) -> None:
        assert moving_types(["a"], 3) is None

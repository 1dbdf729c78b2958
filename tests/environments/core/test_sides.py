import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from environments.core.environment import Environment, EnvironmentSession
from environments.core.errors import NotOffered
from environments.core.sides import Assertion, FunctionCall, Initialization, Side
from environments.core.tools import Mode, ToolCall, ToolKind, Toolkit, tool
from tests.environments.core.recompute import recomputed_hash
from tests.environments.core.todo_world import BRIEF, POLICY, PhoneTools, build


def call(name: str, **arguments: Any) -> ToolCall:
    return ToolCall(name=name, arguments=arguments)


def screen(session: EnvironmentSession) -> Any:
    return json.loads(session.call(call("look_at_screen"), Side.USER).content)


class TestCall:
    def test_reaches_the_toolkit_of_who_calls(self) -> None:
        session = build().session()

        assert session.call(call("switch", on=False), "user").content == "Done"
        assert "'switch' not found" in session.call(call("switch", on=True)).content
        assert session.call(call("get_todo", todo_id="t1"), "user").content == (
            "Error: Tool 'get_todo' not found."
        )

    def test_reaches_no_function_that_is_not_a_tool(self) -> None:
        result = build().session().call(call("drop"), "user")

        assert result.content == "Error: Tool 'drop' not found."

    @pytest.mark.parametrize("requestor", ["user", "somebody"])
    def test_says_so_where_the_user_has_no_tools(self, requestor: str) -> None:
        session = build(user_toolkit=None, user_state=None, sync=None).session()

        result = session.call(call("today"), requestor)

        assert result.content == "Error: User tools not available"

    def test_carries_over_to_the_other_side(self) -> None:
        session = build().session()

        session.call(call("close_todo", todo_id="t1", note="ok"))
        session.call(call("switch", on=False), "user")

        assert screen(session)["badge"] == 1
        assert session.holds(
            Assertion(side=Side.ASSISTANT, name="owner_is_reachable", expected=False)
        )

    def test_that_fails_is_taken_back_in_corrected_mode_only(self) -> None:
        half = call("close_todo", todo_id="t1", note="")
        corrected, strict = build().session(), build(mode=Mode.STRICT).session()

        assert corrected.call(half).content == "Error: A note is needed"
        strict.call(half)

        assert corrected.diffs() == {Side.ASSISTANT: [], Side.USER: []}
        assert screen(strict)["badge"] == 1

    def test_gives_a_bare_number_as_a_text(self) -> None:
        assert build().session().call(call("count_open")).content == '"2"'

    def test_shows_what_a_failing_hook_says(self) -> None:
        def broken(office: Toolkit, phone: Toolkit) -> None:
            raise RuntimeError("no line")

        result = build(sync=broken).session().call(call("today"))

        assert (result.content, result.error) == ("Error: no line", True)

    def test_works_on_one_state_if_the_user_has_none_of_their_own(self) -> None:
        class OwnerTools(Toolkit):
            @tool(ToolKind.WRITE)
            def strike_out(self, todo_id: str) -> str:
                """
                Strike out.

                Args:
                    todo_id: Which.
                """
                self.session.edit("todos", todo_id)["status"] = "closed"
                return "Done"

        session = build(user_toolkit=OwnerTools, user_state=None, sync=None).session()

        session.call(call("strike_out", todo_id="t2"), "user")

        assert session.call(call("count_open")).content == '"1"'
        assert list(session.content_hashes()) == [Side.ASSISTANT]


class TestInitialize:
    def test_merges_data_then_calls_functions_then_carries_over(self) -> None:
        session = build().start(
            Initialization(
                data={
                    Side.ASSISTANT: {
                        "todos": {
                            "t1": {"note": "by can"},
                            "t3": {"text": "Buy soil", "status": "open", "note": None},
                        }
                    },
                    Side.USER: {"phone": {"screen": {"cracked": True}}},
                },
                actions=(
                    FunctionCall(
                        side=Side.ASSISTANT,
                        name="set_time",
                        arguments={"now": "2026-03-03T10:00:00"},
                    ),
                    FunctionCall(side=Side.USER, name="drop"),
                ),
            )
        )

        assert screen(session) == {"on": False, "badge": 3, "cracked": True}
        assert session.state.get("todos", "t1") == {
            "text": "Water the plants",
            "status": "open",
            "note": "by can",
        }
        assert session.now() == datetime.fromisoformat("2026-03-03T10:00:00")
        assert not session._toolkit.owner_is_reachable()  # type: ignore[attr-defined]

    def test_leaves_the_bases_alone(self) -> None:
        environment = build()
        environment.start(
            Initialization(actions=(FunctionCall(side=Side.USER, name="drop"),))
        )

        assert (
            environment.session().content_hashes() == build().session().content_hashes()
        )

    @pytest.mark.parametrize(
        "name", ["fly", "_private", "session", "tools", "function"]
    )
    def test_refuses_a_function_that_is_not_there(self, name: str) -> None:
        action = FunctionCall(side=Side.USER, name=name)

        with pytest.raises(NotOffered, match=name):
            build().start(Initialization(actions=(action,)))

    def test_refuses_a_collection_that_is_not_there(self) -> None:
        with pytest.raises(NotOffered, match="places"):
            build().start(Initialization(data={Side.USER: {"places": {"a": {}}}}))

    @pytest.mark.parametrize("part", ["data", "actions"])
    def test_refuses_a_side_that_is_not_there(self, part: str) -> None:
        alone = build(user_toolkit=None, user_state=None, sync=None)
        asked = {
            "data": {"data": {Side.USER: {"phone": {"screen": {}}}}},
            "actions": {"actions": (FunctionCall(side=Side.USER, name="drop"),)},
        }

        with pytest.raises(NotOffered, match="no side"):
            alone.start(Initialization.model_validate(asked[part]))


class TestHolds:
    def test_compares_the_answer_with_what_is_expected(self) -> None:
        session = build().session()
        two = Assertion(side=Side.USER, name="shows", arguments={"badge": 2})

        assert session.holds(two)
        assert not session.holds(two.model_copy(update={"expected": False}))

    def test_changes_nothing(self) -> None:
        session = build().session()

        assert session.holds(
            Assertion(
                side=Side.ASSISTANT, name="close_and_tell", arguments={"todo_id": "t1"}
            )
        )
        assert session.diffs() == {Side.ASSISTANT: [], Side.USER: []}

    def test_refuses_what_answers_neither_yes_nor_no(self) -> None:
        with pytest.raises(NotOffered, match="neither"):
            build().session().holds(Assertion(side=Side.USER, name="look_at_screen"))


class TestBothSides:
    def changed(self) -> EnvironmentSession:
        session = build().session()
        session.call(call("close_todo", todo_id="t1", note="ok"))
        session.call(call("switch", on=False), "user")
        return session

    def test_have_hashes_that_equal_the_recomputed(self) -> None:
        session = self.changed()

        assert session.content_hashes() == {
            side: recomputed_hash(state) for side, state in session.states().items()
        }
        assert list(session.content_hashes()) == [Side.ASSISTANT, Side.USER]

    def test_are_equal_by_effect_when_they_are_equal(self) -> None:
        assert self.changed().effects() == self.changed().effects()
        assert self.changed().effects() != build().session().effects()

    def test_fork_restore_and_reset_together(self) -> None:
        session = self.changed()
        earlier, before = session.fork(), session.content_hashes()

        session.call(call("switch", on=True), "user")
        assert earlier.content_hashes() == before
        session.restore(earlier)
        assert session.content_hashes() == before
        session.reset()
        assert session.content_hashes() == build().session().content_hashes()

    def test_start_from_given_states(self) -> None:
        session = self.changed()
        again = session.environment.session(*session.states().values())

        assert again.effects() == session.effects()

    @settings(deadline=None)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(
                    [
                        call("close_todo", todo_id="t1", note="ok"),
                        call("close_todo", todo_id="t2", note=""),
                        call("get_todo", todo_id=["t1"]),
                        call("switch", on=False),
                        call("switch", on=True),
                        call("switch"),
                    ]
                ),
                st.sampled_from(["assistant", "user", ""]),
            )
        ),
        st.sampled_from(Mode),
    )
    def test_keep_their_hashes_and_their_bases_whatever_is_called(
        self, calls: list[tuple[ToolCall, str]], mode: Mode
    ) -> None:
        session = build(mode=mode).session()
        first = session.content_hashes()

        for one, requestor in calls:
            session.call(one, requestor)
            for side, state in session.states().items():
                assert session.content_hashes()[side] == recomputed_hash(state)
        session.reset()

        assert session.content_hashes() == first == build().session().content_hashes()


class TestEnvironment:
    def test_offers_tools_of_both_sides_with_inherited_ones_first(self) -> None:
        environment = build()

        assert list(environment.tools) == [
            "today",
            "get_todo",
            "count_open",
            "close_todo",
        ]
        assert [schema["function"]["name"] for schema in environment.user_schemas] == [
            "look_at_screen",
            "switch",
        ]

    def test_offers_its_policy_and_variants_of_it(self) -> None:
        assert build().policy_variant() == POLICY
        assert build().policy_variant("brief") == BRIEF
        with pytest.raises(KeyError, match="brief"):
            build().policy_variant("long")

    @pytest.mark.parametrize(
        "changes",
        [
            {"policies": {}},
            {"user_toolkit": None},
            {"user_state": None},
            {"user_toolkit": type("MorePhoneTools", (PhoneTools,), {"switch": None})},
        ],
    )
    def test_has_a_hash_that_tells_what_either_side_can_meet(
        self, changes: dict[str, Any]
    ) -> None:
        assert build(**changes).content_hash != build().content_hash

    def test_has_no_time_unless_it_has_a_clock(self, shop: Environment) -> None:
        assert shop.session().now() is None
        assert build().session().now() == datetime.fromisoformat("2026-03-02T09:00:00")

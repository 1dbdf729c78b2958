import pytest

from environments.core.environment import ANSWERS_KEPT
from environments.core.tools import ToolCall
from environments.registry import names, world


class TestAnswer:
    @pytest.mark.parametrize("name", names())
    def test_is_what_a_fresh_session_answers_errors_included(self, name: str) -> None:
        environment = world(name).generated(seed=1)
        reads = [tool for tool in environment.tools.values() if not tool.mutates]
        for tool in reads:
            for arguments in ({}, {"user_id": 5}, {"order_id": "#W0"}):
                call = ToolCall(name=tool.name, arguments=arguments)
                fresh = environment.session().call(call)
                assert environment.answer(call) == environment.answer(call) == fresh

    def test_of_a_session_that_wrote_is_not_asked_for_here(self) -> None:
        environment = world("retail").generated(seed=1)
        user = environment.people[0]
        read = ToolCall(name="get_user_details", arguments={"user_id": user})
        before, session = environment.answer(read), environment.session()

        session.state.edit("users", user)["email"] = "other@example.net"

        assert session.call(read) != before
        assert environment.answer(read) == before

    def test_keeps_no_more_than_it_says(self) -> None:
        environment = world("retail").generated(seed=1)
        for n in range(ANSWERS_KEPT + 5):
            environment.answer(
                ToolCall(name="get_user_details", arguments={"user_id": n})
            )

        assert len(environment._answers) <= ANSWERS_KEPT

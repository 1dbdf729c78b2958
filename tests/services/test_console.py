"""The console's session: what each call changed, and what all of them did."""

from dataclasses import replace
from typing import Any

import pytest

from environments import registry
from environments.core.environment import Environment
from environments.core.errors import ToolError
from environments.core.tools import Mode, ToolCall, ToolKind, Toolkit, tool
from writ_app.services.catalog import console
from writ_app.services.catalog.console import BadCall, Difference, replay_console


class Clumsy(Toolkit):
    @tool(ToolKind.WRITE)
    def rename(self, user_id: str) -> str:
        """
        Rename a user, and fail.

        Args:
            user_id: Whom.
        """
        self.session.edit("users", user_id)["name"] = "Nobody"
        raise ToolError("Too clumsy")


@pytest.fixture(scope="module")
def shop() -> Environment:
    return registry.world("retail").generated(seed=3, users=8)


@pytest.fixture
def user(shop: Environment) -> dict[str, Any]:
    return next(iter(shop.state.collections["users"].values()))


def move(user: dict[str, Any], **there: str) -> ToolCall:
    address = {**user["address"], **there}
    return ToolCall(
        name="modify_user_address", arguments={"user_id": user["user_id"], **address}
    )


def told(difference: Difference) -> list[tuple[str, str, str]]:
    return [
        (one.path.rpartition("/")[2], one.before, one.after)
        for one in difference.changes
    ]


class TestReplayConsole:
    def test_tells_each_calls_change_from_all_since_the_base(
        self, shop: Environment, user: dict[str, Any]
    ) -> None:
        home = f'"{user["address"]["city"]}"'
        calls = [
            move(user, city="One"),
            ToolCall(name="get_user_details", arguments={"user_id": user["user_id"]}),
            move(user, city="Two", zip="00000"),
            move(user),
        ]

        first, read, second, back = replay_console(shop, calls).steps

        assert told(first.by_call) == [("city", home, '"One"')]
        assert told(first.since_base) == told(first.by_call)
        assert told(read.by_call) == []
        assert told(read.since_base) == told(first.by_call)
        assert read.hash == first.hash
        assert told(second.by_call)[0] == ("city", '"One"', '"Two"')
        assert told(second.since_base)[0] == ("city", home, '"Two"')
        assert second.since_base.count == 2
        assert back.by_call.count == 2
        assert told(back.since_base) == []
        assert back.hash == shop.state.content_hash

    def test_of_a_failed_call_shows_no_change(
        self, shop: Environment, user: dict[str, Any]
    ) -> None:
        nobody = move({**user, "user_id": "nobody"})

        write, failed = replay_console(shop, [move(user, city="One"), nobody]).steps

        assert failed.kind == "error"
        assert failed.by_call.count == 0
        assert failed.since_base == write.since_base
        assert failed.hash == write.hash

    @pytest.mark.parametrize("mode", Mode)
    def test_shows_what_a_failed_call_leaves_half_done(self, mode: Mode) -> None:
        shop = registry.world("retail").generated(seed=3, users=2)
        shop = replace(shop, mode=mode, toolkit=Clumsy)
        key = next(iter(shop.state.collections["users"]))
        call = ToolCall(name="rename", arguments={"user_id": key})

        (failed,) = replay_console(shop, [call]).steps

        kept = mode == Mode.STRICT
        assert failed.result.error
        assert bool(failed.by_call.count) == kept
        assert (failed.hash != shop.state.content_hash) == kept

    def test_cuts_what_is_too_much_for_a_page(
        self,
        shop: Environment,
        user: dict[str, Any],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(console, "SHOWN_CHANGES", 1)

        (step,) = replay_console(shop, [move(user, city="One", zip="0")]).steps

        assert len(step.by_call.changes) == 1
        assert step.by_call.hidden == 1
        assert step.by_call.count == 2


class TestReadArguments:
    @pytest.mark.parametrize(
        ("text", "says"),
        [("[1]", "one JSON object"), ("{", "line 1"), ("x" * 10_001, "10,000")],
    )
    def test_says_what_is_wrong(self, text: str, says: str) -> None:
        with pytest.raises(BadCall, match=says):
            console.read_arguments(text)

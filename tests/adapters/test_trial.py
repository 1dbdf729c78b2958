"""Trying an endpoint, over real HTTP."""

import json

import pytest

from tests.fakes import (
    ChatServer,
    Reply,
    call_reply,
    chat_server,
    error_reply,
    text_reply,
)
from writ_app.adapters.trial import ORDER, Profile, Trial, try_profile

CALLED = call_reply("get_order_details", json.dumps({"order_id": ORDER}))


def tried(*replies: Reply, **profile: object) -> tuple[Trial, ChatServer]:
    with chat_server(replies) as server:
        wanted = {"name": "mine", "model": "openai/test", "base_url": server.url}
        return try_profile(Profile.model_validate({**wanted, **profile})), server


class TestTrial:
    def test_asks_for_a_text_and_a_tool_call(self) -> None:
        trial, server = tried(
            text_reply("Yes, I am."), CALLED, prompt_price=2.0, completion_price=10.0
        )

        assert trial.passed
        text, tool = trial.calls
        assert text.text == "Yes, I am."
        assert (text.prompt_tokens, text.completion_tokens) == (11, 3)
        assert text.cost == pytest.approx((11 * 2 + 3 * 10) / 1e6)
        assert 0 < text.seconds < 30
        assert tool.calls[0].arguments == {"order_id": ORDER}
        plain, with_tool = server.requests
        assert "tools" not in plain
        assert [tool["function"]["name"] for tool in with_tool["tools"]] == [
            "get_order_details"
        ]

    def test_says_that_tools_are_not_known_and_what_to_do(self) -> None:
        in_words, _ = tried(text_reply("Yes."), text_reply("I looked it up."))
        refused, _ = tried(
            text_reply("Yes."),
            error_reply(400, "tool choice requires --enable-auto-tool-choice"),
        )

        for trial in (in_words, refused):
            assert not trial.passed
            text, tool = trial.calls
            assert not text.problem
            assert "--enable-auto-tool-choice" in tool.advice
        assert "answered in words" in in_words.calls[1].problem

    @pytest.mark.parametrize(
        ("reply", "says"),
        [
            (call_reply("other_tool", "{}"), "something else"),
            (call_reply("get_order_details", '{"order_id": "1"}'), "other arguments"),
            (call_reply("get_order_details", "{broken"), "not a JSON object"),
        ],
    )
    def test_says_what_is_wrong_with_a_call(self, reply: Reply, says: str) -> None:
        trial, _ = tried(text_reply("Yes."), reply)

        assert says in trial.calls[1].problem

    @pytest.mark.parametrize(
        ("reply", "says"),
        [
            (error_reply(401, "bad key"), "refused the key"),
            (error_reply(404, "no such model"), "check the endpoint's model"),
            (error_reply(429, "insufficient_quota"), "top up"),
            (error_reply(500, "boom"), "failed on its side"),
            (Reply(pause=2.5, body="{}"), "did not answer in time"),
        ],
    )
    def test_stops_at_a_provider_that_refuses_and_says_what_to_do(
        self, reply: Reply, says: str
    ) -> None:
        trial, server = tried(reply, parameters={"timeout": 1})

        assert len(server.requests) == 1
        (call,) = trial.calls
        assert not call.answered
        assert says in call.problem

    def test_says_that_an_answer_is_no_completion(self) -> None:
        page = Reply(body="<html>Welcome</html>")

        trial, _ = tried(page, page)

        assert "not a completion" in trial.calls[0].problem
        assert "/v1" in trial.calls[0].advice

    def test_says_that_nobody_is_there(self) -> None:
        trial = try_profile(
            Profile(name="x", model="openai/x", base_url="http://127.0.0.1:9/v1")
        )

        assert "could not be reached" in trial.calls[0].problem

    def test_says_which_variable_is_not_set(self, monkeypatch) -> None:
        monkeypatch.delenv("NOT_THERE_API_KEY", raising=False)

        trial, server = tried(key_variable="NOT_THERE_API_KEY")

        assert "set NOT_THERE_API_KEY" in trial.problem
        assert not server.requests

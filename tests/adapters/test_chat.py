"""The chat adapter over real HTTP, against a small server of the tests' own. litellm takes seconds to import, once."""

import subprocess
import sys
from collections.abc import Sequence

import pytest

from tests.engine.talks import judged, ledger_of, small_shop, talk, task_of
from tests.fakes import (
    Reply,
    call_reply,
    chat_server,
    completion_reply,
    error_reply,
    over_http,
    text_reply,
)
from writ_app.adapters.chat import LiteLLMChat, from_endpoint
from writ_app.engine.errors import MalformedCompletion, ModelUnavailable
from writ_app.engine.llm import Completion
from writ_app.engine.scripted import ScriptedAgent, ScriptedUser
from writ_app.engine.simulation import simulate
from writ_app.engine.types import Ending, Message, MessageCall, Owner, Trajectory, Usage

HI = Message(role="user", content="Hi")
TOOL = {
    "type": "function",
    "function": {
        "name": "look",
        "description": "Look.",
        "parameters": {"type": "object", "properties": {}},
    },
}


def ask(
    *replies: Reply,
    messages: Sequence[Message] = (HI,),
    tools: Sequence[dict[str, object]] = (TOOL,),
    timeout: float = 5.0,
) -> Completion:
    """The last answer of a server that gives these replies in turn."""
    with chat_server(replies) as server:
        model = LiteLLMChat(
            "m", "openai/test", server.url, "sk-secret", {"timeout": timeout}
        )
        for _ in replies:
            answer = model.complete(
                system="Be kind.", messages=messages, tools=tools, seed=7
            )
    return answer


def failure(reply: Reply, timeout: float = 5.0) -> ModelUnavailable:
    with pytest.raises(ModelUnavailable) as refused:
        ask(reply, timeout=timeout)
    return refused.value


class TestComplete:
    def test_gives_text_with_usage(self) -> None:
        answer = ask(text_reply("Hello"))
        assert answer.content == "Hello"
        assert answer.usage == Usage(prompt_tokens=11, completion_tokens=3)

    def test_gives_a_tool_call_with_its_arguments_read(self) -> None:
        answer = ask(call_reply("look", '{"at": "Zoë"}'))
        [made] = answer.tool_calls
        assert (made.name, made.arguments) == ("look", {"at": "Zoë"})

    def test_keeps_reasoning_apart(self) -> None:
        message = {"role": "assistant", "content": "Hi", "reasoning_content": "Hm"}
        answer = ask(completion_reply(message))
        assert (answer.content, answer.reasoning) == ("Hi", "Hm")

    def test_takes_no_arguments_for_an_empty_object(self) -> None:
        assert ask(call_reply("look", "")).tool_calls[0].arguments == {}

    def test_sends_everything_in_the_form_that_servers_expect(self) -> None:
        made = MessageCall(id="c1", name="look", arguments={"at": "Zoë"})
        messages = [
            HI,
            Message(role="assistant", tool_calls=(made,)),
            Message(role="tool", content="seen", tool_call_id="c1"),
        ]
        with chat_server([text_reply("ok")]) as server:
            model = LiteLLMChat(
                "m",
                "openai/test",
                server.url,
                "k",
                {"temperature": 0.5, "max_tokens": 9},
            )
            model.complete(system="Be kind.", messages=messages, tools=[TOOL], seed=7)
        [request] = server.requests
        assert server.keys == ["Bearer k"]
        assert request["messages"][0] == {"role": "system", "content": "Be kind."}
        call = request["messages"][2]["tool_calls"][0]
        assert call["function"] == {"name": "look", "arguments": '{"at": "Zoë"}'}
        assert request["messages"][3]["tool_call_id"] == "c1"
        assert request["tools"] == [TOOL]
        assert (request["seed"], request["temperature"], request["max_tokens"]) == (
            7,
            0.5,
            9,
        )

    def test_sends_no_tools_for_a_user(self) -> None:
        with chat_server([text_reply("ok")]) as server:
            LiteLLMChat("m", "openai/test", server.url).complete(
                system="", messages=[HI], tools=[], seed=1
            )
        assert "tools" not in server.requests[0]
        assert "tool_choice" not in server.requests[0]

    @pytest.mark.parametrize(
        "reply",
        [
            Reply(body="<html>garbage</html>"),
            Reply(body=""),
            Reply(body="[]"),
            Reply(body="{}"),
            Reply(body='{"choices": []}'),
            call_reply("look", '{"at": '),
            call_reply("look", "[1]"),
            call_reply("look", "null"),
            completion_reply({"role": "assistant", "content": None}),
            completion_reply({"role": "assistant", "content": "cut"}, "length"),
        ],
        ids=[
            "html",
            "nothing",
            "a list",
            "no choices",
            "empty choices",
            "broken arguments",
            "a list of arguments",
            "null arguments",
            "neither text nor call",
            "cut off",
        ],
    )
    def test_calls_garbage_malformed(self, reply: Reply) -> None:
        with pytest.raises(MalformedCompletion):
            ask(reply)

    @pytest.mark.parametrize(
        ("reply", "wait"),
        [
            (error_reply(429, "slow down"), None),
            (error_reply(429, "slow down", Retry_After="7"), 7.0),
            (error_reply(503, "busy", Retry_After="3"), 3.0),
            (error_reply(500, "oops"), None),
            (Reply(status=502, body="<html>bad gateway</html>"), None),
        ],
    )
    def test_says_what_may_pass_and_when(
        self, reply: Reply, wait: float | None
    ) -> None:
        error = failure(reply)
        assert error.retryable
        assert error.retry_after == wait

    @pytest.mark.parametrize(
        ("reply", "advice"),
        [
            (error_reply(401, "bad key"), "check the variable"),
            (error_reply(403, "no"), "check the variable"),
            (error_reply(404, "no such model"), "model and base URL"),
            (error_reply(400, "bad parameter"), "model and parameters"),
            (
                error_reply(400, "This model's maximum context length is 9 tokens."),
                "larger context",
            ),
            (error_reply(429, "insufficient_quota"), "top up"),
        ],
    )
    def test_says_what_will_not_pass_and_what_to_do(
        self, reply: Reply, advice: str
    ) -> None:
        error = failure(reply)
        assert not error.retryable
        assert advice in str(error)

    def test_gives_up_on_an_answer_that_takes_too_long(self) -> None:
        error = failure(Reply(pause=2.0), timeout=0.3)
        assert error.retryable
        assert "in time" in str(error)

    def test_says_when_nobody_listens(self) -> None:
        with chat_server([]) as server:
            url = server.url
        with pytest.raises(ModelUnavailable, match="could not be reached") as refused:
            LiteLLMChat("m", "openai/test", url).complete(
                system="", messages=[HI], tools=[], seed=1
            )
        assert refused.value.retryable

    def test_never_repeats_the_key(self) -> None:
        assert "sk-secret" not in str(failure(error_reply(401, "bad key sk-secret")))
        assert "sk-secret" not in repr(LiteLLMChat("m", "x", api_key="sk-secret"))

    def test_asks_once_only(self) -> None:
        with (
            chat_server(lambda request: error_reply(500, "oops")) as server,
            pytest.raises(ModelUnavailable),
        ):
            LiteLLMChat("m", "openai/test", server.url).complete(
                system="", messages=[HI], tools=[], seed=1
            )
        assert len(server.requests) == 1


class TestFromEndpoint:
    def test_takes_the_key_from_the_variable_that_is_named(self) -> None:
        model = from_endpoint(
            name="a", model="openai/x", key_variable="MY_KEY", environ={"MY_KEY": "k"}
        )
        assert (model.name, model.api_key) == ("a", "k")

    def test_says_which_variable_to_set(self) -> None:
        with pytest.raises(ModelUnavailable, match="set MY_KEY") as refused:
            from_endpoint(name="a", model="openai/x", key_variable="MY_KEY", environ={})
        assert not refused.value.retryable

    def test_needs_no_key_where_none_is_named(self) -> None:
        assert from_endpoint(name="a", model="openai/x", environ={}).api_key == ""


class TestLoadLitellm:
    def test_is_not_imported_with_the_adapter(self) -> None:
        program = (
            "import sys, writ_app.adapters.chat, writ_app.engine.simulation\n"
            "assert 'litellm' not in sys.modules and 'django' not in sys.modules"
        )
        subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


class TestSimulateOverHttp:
    def hold(self, agent_url: str, user_url: str) -> Trajectory:
        return simulate(
            environment=small_shop(),
            task=task_of("W1"),
            ledger=ledger_of("W1", "corrected"),
            agent=LiteLLMChat("agent-model", "openai/a", agent_url),
            user=LiteLLMChat("user-model", "openai/u", user_url),
            seed=0,
            sleep=lambda pause: None,
        )

    def test_with_both_roles_gives_the_same_conversation_as_without(self) -> None:
        task, ledger = task_of("W1"), ledger_of("W1", "corrected")
        agent = over_http(ScriptedAgent(small_shop(), task, ledger))
        user = over_http(ScriptedUser(task, ledger))
        with chat_server(agent) as agents, chat_server(user) as users:
            trajectory = self.hold(agents.url, users.url)
        assert trajectory.messages == talk("W1", "corrected").messages
        assert judged(trajectory, "W1", "corrected").accepted
        assert (trajectory.agent, trajectory.user) == ("agent-model", "user-model")
        turns = len(agents.requests) + len(users.requests)
        assert trajectory.usage.prompt_tokens == 11 * turns
        assert "<scenario>" in users.requests[0]["messages"][0]["content"]
        assert all("tools" not in request for request in users.requests)

    def test_goes_on_after_a_429(self) -> None:
        task, ledger = task_of("W1"), ledger_of("W1", "corrected")
        agent = over_http(ScriptedAgent(small_shop(), task, ledger))
        user = over_http(ScriptedUser(task, ledger))
        left = [
            error_reply(429, "slow down", Retry_After="1"),
            error_reply(503, "busy"),
        ]
        with (
            chat_server(lambda r: left.pop() if left else agent(r)) as agents,
            chat_server(user) as users,
        ):
            trajectory = self.hold(agents.url, users.url)
        assert not left
        assert trajectory.messages == talk("W1", "corrected").messages

    def test_blames_the_provider_for_a_refused_key(self) -> None:
        with chat_server(lambda request: error_reply(401, "bad key")) as server:
            trajectory = self.hold(server.url, server.url)
        assert trajectory.ended_by is Ending.PROVIDER_ERROR
        assert trajectory.owner is Owner.PROVIDER
        assert "check the variable" in trajectory.note

    def test_blames_the_agent_for_broken_arguments(self) -> None:
        task, ledger = task_of("W1"), ledger_of("W1", "corrected")
        user = over_http(ScriptedUser(task, ledger))
        with (
            chat_server(lambda request: call_reply("look", "{bad")) as agents,
            chat_server(user) as users,
        ):
            trajectory = self.hold(agents.url, users.url)
        assert trajectory.ended_by is Ending.AGENT_ERROR
        assert trajectory.owner is Owner.AGENT

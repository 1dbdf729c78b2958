"""The chat adapter over real HTTP, against a small server of the tests' own. litellm takes seconds to import, once."""

import asyncio
import subprocess
import sys
import threading
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
from writ_app.adapters.chat import LiteLLMChat, from_endpoint, storable
from writ_app.engine.errors import MalformedCompletion, ModelUnavailable
from writ_app.engine.llm import Completion
from writ_app.engine.scripted import ScriptedAgent, ScriptedUser
from writ_app.engine.simulation import simulate
from writ_app.engine.types import Ending, Message, MessageCall, Owner, Trajectory, Usage

HI = Message(role="user", content="Hi")
PATIENT = {"timeout": 60.0}
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
        assert refused.value.unreached
        assert not failure(error_reply(503, "starting")).unreached

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


class TestCompleteAsync:
    def test_answers_as_the_other_door_does(self) -> None:
        reply = call_reply("look", '{"at": "Zoë"}')
        with chat_server([reply, reply]) as server:
            model = LiteLLMChat("m", "openai/test", server.url, "sk", PATIENT)
            request = {"system": "Be kind.", "messages": [HI], "tools": [TOOL]}
            answer = asyncio.run(model.complete_async(**request, seed=7))
            assert answer == model.complete(**request, seed=7)
        assert server.requests[0] == server.requests[1]
        assert answer.raw is not None
        assert answer.raw["choices"][0]["finish_reason"] == "tool_calls"

    def test_has_as_many_calls_in_flight_as_are_made(self) -> None:
        calls = 200
        together = threading.Barrier(calls)  # nobody is answered before all have asked

        def answer(request: object) -> Reply:
            together.wait(60)
            return text_reply("Hello")

        async def all_at_once() -> list[Completion]:
            model = LiteLLMChat("m", "openai/test", server.url, "sk", PATIENT)
            return await asyncio.gather(
                *(
                    model.complete_async(system="", messages=[HI], tools=[], seed=n)
                    for n in range(calls)
                )
            )

        with chat_server(answer) as server:
            answers = asyncio.run(all_at_once())
        assert {one.content for one in answers} == {"Hello"}

    def test_says_what_went_wrong_as_the_other_door_does(self) -> None:
        with chat_server([error_reply(429, "slow down", Retry_After="7")]) as server:
            model = LiteLLMChat("m", "openai/test", server.url, "sk", PATIENT)
            with pytest.raises(ModelUnavailable) as refused:
                asyncio.run(
                    model.complete_async(system="", messages=[HI], tools=[], seed=1)
                )
        error = refused.value
        assert (error.retryable, error.busy, error.down) == (True, True, False)
        assert error.retry_after == 7


class TestFaults:
    @pytest.mark.parametrize(
        ("reply", "busy", "down"),
        [
            (error_reply(429, "slow down"), True, False),
            (error_reply(503, "busy"), False, False),
            (error_reply(401, "bad key"), False, True),
            (error_reply(402, "pay first"), False, True),
            (error_reply(404, "no such model"), False, True),
            (error_reply(429, "insufficient_quota"), False, True),
            (error_reply(400, "bad parameter"), False, False),
        ],
    )
    def test_tell_who_needs_rest_from_who_needs_mending(
        self, reply: Reply, busy: bool, down: bool
    ) -> None:
        error = failure(reply)
        assert (error.busy, error.down) == (busy, down)


class TestPrices:
    def test_are_the_endpoints_own_where_it_has_them(self) -> None:
        with chat_server([text_reply("Hello")]) as server:
            model = LiteLLMChat(
                "m",
                "openai/test",
                server.url,
                prompt_price=2.0,
                completion_price=10.0,
            )
            answer = model.complete(system="", messages=[HI], tools=[], seed=1)
        assert answer.usage.cost == pytest.approx((11 * 2 + 3 * 10) / 1e6)
        assert answer.priced

    def test_are_litellms_for_models_that_it_knows(self) -> None:
        with chat_server([text_reply("Hello")] * 2) as server:
            known, unknown = (
                LiteLLMChat("m", model, server.url).complete(
                    system="", messages=[HI], tools=[], seed=1
                )
                for model in ("openai/gpt-4o", "openai/nobody-knows-me")
            )
        assert known.usage.cost > 0
        assert (unknown.usage.cost, unknown.priced) == (0.0, False)

    def test_of_one_endpoint_are_nothing_to_another_with_the_same_model(self) -> None:
        with chat_server([text_reply("Hello")] * 2) as server:
            priced, unpriced = (
                LiteLLMChat(
                    "m",
                    "openai/served-twice",
                    server.url,
                    prompt_price=price,
                    completion_price=price,
                ).complete(system="", messages=[HI], tools=[], seed=1)
                for price in (5.0, None)
            )
        assert priced.usage.cost == pytest.approx(14 * 5 / 1e6)
        assert (unpriced.usage.cost, unpriced.priced) == (0.0, False)

    def test_are_paid_for_useless_answers_too(self) -> None:
        with chat_server([call_reply("look", "[1]")]) as server:
            model = LiteLLMChat(
                "m", "openai/x", server.url, prompt_price=1e6, completion_price=0
            )
            with pytest.raises(MalformedCompletion) as refused:
                model.complete(system="", messages=[HI], tools=[TOOL], seed=1)
        answer = refused.value.answer
        assert isinstance(answer, Completion)
        assert answer.usage.cost == pytest.approx(11)


class TestStorable:
    @pytest.mark.parametrize(
        ("value", "stored"),
        [
            ("a\x00b", "a\ufffdb"),
            ("half \ud800 of it", "half \ufffd of it"),
            (
                {"k\x00": ["\x00", 1, None, True]},
                {"k\ufffd": ["\ufffd", 1, None, True]},
            ),
            ("Zoë 🙂 \u202e", "Zoë 🙂 \u202e"),
        ],
    )
    def test_replaces_what_neither_postgres_nor_utf_8_can_hold(
        self, value: object, stored: object
    ) -> None:
        assert storable(value) == stored

    def test_refuses_what_is_nested_without_end(self) -> None:
        deep: list[object] = []
        for _ in range(200):
            deep = [deep]
        with pytest.raises(ValueError, match="deep"):
            storable(deep)


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

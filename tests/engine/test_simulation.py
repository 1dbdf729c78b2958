from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.talks import ledger_of, small_shop, talk, task_of
from tests.fakes import ListedChat
from writ_app.engine.errors import MalformedCompletion, ModelUnavailable
from writ_app.engine.llm import Completion
from writ_app.engine.scripted import ScriptedAgent, ScriptedUser
from writ_app.engine.simulation import (
    GREETING,
    PROMPT_VERSION,
    Limits,
    agent_prompt,
    simulate,
    user_prompt,
    user_view,
)
from writ_app.engine.types import Ending, Message, MessageCall, Owner, Trajectory, Usage

STOP = Completion(content="Thanks ###STOP###")
HELLO = Completion(content="Hello")
SPENT = Completion(
    content="Hm", usage=Usage(prompt_tokens=10, completion_tokens=2, cost=0.5)
)


def calls(*names: str, content: str = "") -> Completion:
    made = tuple(MessageCall(id="c", name=name, arguments={}) for name in names)
    return Completion(content=content, tool_calls=made)


def hold(
    agent: list[Completion | Exception],
    user: list[Completion | Exception],
    **options: Any,
) -> Trajectory:
    return simulate(
        environment=small_shop(),
        task=task_of("R1"),
        ledger=ledger_of("R1"),
        agent=ListedChat(agent, "agent"),
        user=ListedChat(user, "user"),
        seed=3,
        **options,
    )


def ticking(step: float) -> Callable[[], float]:
    now = [0.0]

    def clock() -> float:
        now[0] += step
        return now[0]

    return clock


class TestSimulate:
    def test_opens_with_the_greeting_and_ends_with_the_stop(self) -> None:
        trajectory = hold([HELLO], [HELLO, STOP])
        assert [m.content for m in trajectory.messages] == [
            GREETING,
            "Hello",
            "Hello",
            STOP.content,
        ]
        assert trajectory.ended_by is Ending.USER_STOP
        assert trajectory.owner is None
        assert trajectory.prompt_version == PROMPT_VERSION

    @pytest.mark.parametrize(
        "token", ["###STOP###", "###TRANSFER###", "###OUT-OF-SCOPE###"]
    )
    def test_ends_at_any_stop_token_of_the_user(self, token: str) -> None:
        trajectory = hold([], [Completion(content=f"well {token} then")])
        assert trajectory.ended_by is Ending.USER_STOP

    def test_ignores_a_stop_token_of_the_agent(self) -> None:
        trajectory = hold([STOP, HELLO], [HELLO, HELLO, STOP])
        assert len(trajectory.messages) == 6

    def test_makes_calls_and_lets_the_agent_go_on(self) -> None:
        trajectory = hold([calls("list_all_product_types"), HELLO], [HELLO, STOP])
        roles = [m.role for m in trajectory.messages]
        assert roles == ["assistant", "user", "assistant", "tool", "assistant", "user"]
        assert "Area Rug" in trajectory.messages[3].content

    def test_makes_every_call_of_a_turn_in_order_with_ids_of_their_own(self) -> None:
        trajectory = hold(
            [calls("nope", "list_all_product_types"), HELLO], [HELLO, STOP]
        )
        made = trajectory.messages[2].tool_calls
        results = trajectory.messages[3:5]
        assert len({call.id for call in made}) == 2
        assert [m.tool_call_id for m in results] == [call.id for call in made]
        assert [m.error for m in results] == [True, False]

    def test_hides_calls_results_and_texts_beside_calls_from_the_user(self) -> None:
        user = ListedChat([HELLO, STOP])
        simulate(
            environment=small_shop(),
            task=task_of("R1"),
            ledger=ledger_of("R1"),
            agent=ListedChat(
                [calls("list_all_product_types", content="secret"), HELLO]
            ),
            user=user,
            seed=1,
        )
        seen = user.asked[1]["messages"]
        assert [(m.role, m.content) for m in seen] == [
            ("user", GREETING),
            ("assistant", "Hello"),
            ("user", "Hello"),
        ]
        assert user.asked[1]["tools"] == []

    def test_gives_the_agent_policy_tools_and_everything_said(self) -> None:
        agent = ListedChat([HELLO])
        simulate(
            environment=small_shop(),
            task=task_of("R1"),
            ledger=ledger_of("R1"),
            agent=agent,
            user=ListedChat([HELLO, STOP]),
            seed=9,
        )
        [asked] = agent.asked
        assert asked["system"] == agent_prompt(small_shop().policy)
        assert asked["tools"] == small_shop().schemas
        assert asked["seed"] == 9
        assert [m.role for m in asked["messages"]] == ["assistant", "user"]

    def test_leaves_the_base_state_alone(self) -> None:
        before = small_shop().session().state.effect()
        talk("W1")
        assert small_shop().session().state.effect() == before

    def test_adds_up_usage(self) -> None:
        trajectory = hold([SPENT, SPENT], [SPENT, SPENT, STOP])
        assert trajectory.usage == Usage(
            prompt_tokens=40, completion_tokens=8, cost=2.0
        )

    def test_tells_of_every_message_as_it_comes(self) -> None:
        heard: list[Message] = []
        trajectory = hold([HELLO], [HELLO, STOP], on_message=heard.append)
        assert tuple(heard) == trajectory.messages

    # --- limits ---

    def test_ends_after_the_last_step_and_blames_the_budget(self) -> None:
        trajectory = hold([HELLO] * 9, [HELLO] * 9, limits=Limits(max_steps=5))
        assert trajectory.ended_by is Ending.MAX_STEPS
        assert trajectory.owner is Owner.BUDGET
        assert len(trajectory.messages) == 6

    def test_counts_a_call_with_its_result_as_two_steps(self) -> None:
        looking = calls("list_all_product_types")
        trajectory = hold([looking] * 9, [HELLO], limits=Limits(max_steps=4))
        assert len(trajectory.messages) == 1 + 5  # the result was pending at four

    def test_ends_after_too_many_errors_even_at_the_last_step(self) -> None:
        trajectory = hold(
            [calls("nope")] * 5, [HELLO], limits=Limits(max_errors=2, max_steps=5)
        )
        assert trajectory.ended_by is Ending.TOO_MANY_ERRORS
        assert trajectory.owner is Owner.AGENT

    def test_ends_when_time_is_up(self) -> None:
        trajectory = hold(
            [HELLO] * 99, [HELLO] * 99, limits=Limits(timeout=10), clock=ticking(3)
        )
        assert trajectory.ended_by is Ending.TIMEOUT
        assert len(trajectory.messages) < 8

    def test_lets_a_stop_at_the_last_step_stand(self) -> None:
        trajectory = hold([HELLO], [HELLO, STOP], limits=Limits(max_steps=3))
        assert trajectory.ended_by is Ending.USER_STOP

    # --- failures ---

    @pytest.mark.parametrize(
        "bad", [MalformedCompletion("arguments"), Completion(), Completion(content=" ")]
    )
    def test_blames_the_agent_for_what_cannot_be_used(self, bad: Any) -> None:
        trajectory = hold([bad], [HELLO])
        assert trajectory.ended_by is Ending.AGENT_ERROR
        assert trajectory.owner is Owner.AGENT
        assert trajectory.note

    @pytest.mark.parametrize(
        "bad", [MalformedCompletion("garbage"), Completion(), calls("calculate")]
    )
    def test_blames_the_user_for_what_cannot_be_used(self, bad: Any) -> None:
        trajectory = hold([], [bad])
        assert trajectory.ended_by is Ending.USER_ERROR
        assert trajectory.owner is Owner.USER

    def test_asks_again_with_growing_pauses_while_the_provider_is_busy(self) -> None:
        pauses: list[float] = []
        busy = ModelUnavailable("busy", retryable=True)
        trajectory = hold([busy, busy, HELLO], [HELLO, STOP], sleep=pauses.append)
        assert trajectory.ended_by is Ending.USER_STOP
        assert len(pauses) == 2
        assert all(
            0 <= pause <= bound for pause, bound in zip(pauses, (2, 4), strict=True)
        )

    def test_waits_as_long_as_the_provider_asks(self) -> None:
        pauses: list[float] = []
        busy = ModelUnavailable("busy", retryable=True, retry_after=7)
        hold([busy, HELLO], [HELLO, STOP], sleep=pauses.append)
        [pause] = pauses
        assert 7 <= pause <= 9

    def test_gives_a_provider_up_that_stays_busy_and_keeps_what_there_is(self) -> None:
        busy = ModelUnavailable("busy", retryable=True)
        trajectory = hold([busy] * 9, [HELLO], sleep=lambda pause: None)
        assert trajectory.ended_by is Ending.PROVIDER_ERROR
        assert trajectory.owner is Owner.PROVIDER
        assert trajectory.note == "agent: busy (attempt 6)"
        assert len(trajectory.messages) == 2

    @pytest.mark.parametrize(
        "error",
        [
            ModelUnavailable("no key", retryable=False),
            ModelUnavailable("busy", retryable=True, retry_after=3600),
        ],
    )
    def test_does_not_wait_for_what_will_not_pass(
        self, error: ModelUnavailable
    ) -> None:
        def never(pause: float) -> None:
            raise AssertionError("waited")

        trajectory = hold([], [error], sleep=never)
        assert trajectory.ended_by is Ending.PROVIDER_ERROR

    def test_lets_bugs_of_a_model_through(self) -> None:
        with pytest.raises(ZeroDivisionError):
            hold([ZeroDivisionError()], [HELLO])

    def test_names_both_models_and_notes_the_fault(self) -> None:
        trajectory = hold([HELLO], [HELLO, STOP], fault="early_stop")
        assert (trajectory.agent, trajectory.user) == ("agent", "user")
        assert trajectory.fault == "early_stop"
        assert trajectory.task_hash == task_of("R1").content_hash


class TestUserView:
    def test_flips_roles_and_leaves_out_calls(self) -> None:
        messages = talk("R1").messages
        view = user_view(messages)
        assert {m.role for m in view} == {"assistant", "user"}
        assert not any(m.tool_calls for m in view)
        assert len(view) == sum(m.role != "tool" and not m.tool_calls for m in messages)


class TestUserPrompt:
    def test_holds_the_scenario_between_tags_and_the_stop_tokens(self) -> None:
        prompt = user_prompt(task_of("R1"), ledger_of("R1"))
        assert prompt.endswith("</scenario>")
        assert "###STOP###" in prompt
        assert "Domain: retail" in prompt


class TestAgentPrompt:
    def test_holds_the_policy_in_a_section_of_its_own(self) -> None:
        prompt = agent_prompt("# Be kind\n")
        assert prompt.startswith("<instructions>\n")
        assert prompt.endswith("<policy>\n# Be kind\n</policy>")


class TestScriptedModelsTogether:
    def test_take_milliseconds(self) -> None:
        import time

        task, ledger = task_of("W1"), ledger_of("W1")
        started = time.perf_counter()
        for seed in range(20):
            simulate(
                environment=small_shop(),
                task=task,
                ledger=ledger,
                agent=ScriptedAgent(small_shop(), task, ledger),
                user=ScriptedUser(task, ledger),
                seed=seed,
            )
        assert time.perf_counter() - started < 2.0

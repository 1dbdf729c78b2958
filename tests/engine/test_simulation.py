from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.talks import ledger_of, small_shop, talk, task_of
from tests.fakes import ListedChat
from writ_app.engine.behaviour import UserFinding
from writ_app.engine.errors import MalformedCompletion, ModelUnavailable
from writ_app.engine.llm import AtOnce, Completion
from writ_app.engine.scripted import ScriptedAgent, ScriptedUser
from writ_app.engine.simulation import (
    GREETING,
    PROMPT_VERSION,
    Conversation,
    Limits,
    Turn,
    agent_prompt,
    hold_async,
    scene_of,
    simulate,
    user_prompt,
    user_view,
)
from writ_app.engine.simulation import hold as hold_on
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


def conversation(**options: Any) -> Conversation:
    return Conversation(
        environment=small_shop(),
        scene=scene_of(task_of("W1"), ledger_of("W1")),
        seed=3,
        **options,
    )


def scripted() -> dict[str, Any]:
    task, ledger = task_of("W1"), ledger_of("W1")
    return {
        "agent": ScriptedAgent(small_shop(), task, ledger),
        "user": ScriptedUser(task, ledger),
    }


def recorded() -> tuple[list[Turn], Trajectory]:
    turns: list[Turn] = []
    return turns, hold_on(conversation(), **scripted(), on_turn=turns.append)


NEVER = ListedChat([], "never")


class TestResume:
    @pytest.mark.parametrize("known", [0, 1, 4, 99])
    def test_leads_to_the_same_end_without_asking_for_what_is_known(
        self, known: int
    ) -> None:
        turns, trajectory = recorded()
        talk = conversation()
        assert talk.resume(turns[:known]) == min(known, len(turns))
        asked: list[Turn] = []
        again = hold_on(talk, **scripted(), on_turn=asked.append)
        assert again == trajectory
        assert [turn.position for turn in asked] == list(range(known, len(turns)))

    def test_reads_back_from_json(self) -> None:
        turns, trajectory = recorded()
        stored = [Turn.model_validate_json(turn.model_dump_json()) for turn in turns]
        talk = conversation()
        talk.resume(stored)
        assert hold_on(talk, agent=NEVER, user=NEVER).messages == trajectory.messages

    def test_takes_no_answer_to_something_else(self) -> None:
        turns, _ = recorded()
        other = Conversation(
            environment=small_shop(),
            scene=scene_of(task_of("W1"), ledger_of("W1", "corrected")),
            seed=3,
        )
        assert other.resume(turns) == 0
        changed = [*turns[:2], turns[2].model_copy(update={"fingerprint": "x"})]
        assert conversation().resume([*changed, *turns[3:]]) == 2

    def test_takes_no_answer_after_a_gap(self) -> None:
        turns, _ = recorded()
        assert conversation().resume([*turns[:2], *turns[3:]]) == 2


class Screen:
    """Finds as many faults as a text has exclamation marks."""

    def __init__(self) -> None:
        self.saw: list[tuple[int, str]] = []

    def __call__(self, messages: Any, text: str) -> list[UserFinding]:
        self.saw.append((len(messages), text))
        return [UserFinding(kind="leaked", text="!")] * text.count("!")


class TestScreen:
    def said(
        self, *texts: str, known: list[Turn] | None = None
    ) -> tuple[list[Turn], list[dict[str, Any]], str]:
        user = ListedChat([Completion(content=text) for text in texts])
        turns: list[Turn] = []
        talk = conversation(screen=Screen())
        talk.resume(known or [])
        hold_on(talk, agent=ListedChat([HELLO] * 9), user=user, on_turn=turns.append)
        return turns, user.asked, talk.messages[1].content

    def test_lets_a_good_turn_pass(self) -> None:
        turns, asked, first = self.said("fine", "###STOP###")
        assert first == "fine"
        assert len(asked) == 2
        assert turns[0].drafts == ()

    def test_has_a_bad_turn_said_again_with_another_seed(self) -> None:
        turns, asked, first = self.said("bad!", "fine ###STOP###")
        assert first == "fine ###STOP###"
        assert asked[0]["messages"] == asked[1]["messages"]
        assert asked[0]["seed"] != asked[1]["seed"]
        assert [turn.completion is None for turn in turns] == [True, False]
        [draft] = turns[1].drafts
        assert (draft.completion.content, len(draft.findings)) == ("bad!", 1)

    def test_takes_the_least_bad_when_none_is_good(self) -> None:
        turns, asked, first = self.said("a!!!", "b!", "c!!", "###STOP###")
        assert first == "b!"
        assert len(asked) == 4
        final = turns[2]
        assert final.completion is not None
        assert final.completion.content == "b!"
        assert [d.completion.content for d in final.drafts] == ["a!!!", "c!!"]

    def test_remembers_drafts_over_an_interruption(self) -> None:
        turns, _, _ = self.said("a!!!", "b!", "c!!", "###STOP###")
        _, asked, first = self.said("c!!", "###STOP###", known=turns[1:2])
        assert first == "b!"
        assert len(asked) == 2

    def test_leaves_the_agent_alone(self) -> None:
        screen = Screen()
        hold([Completion(content="Hello!!")], [HELLO, STOP], screen=screen)
        assert [text for _, text in screen.saw] == ["Hello", STOP.content]


class TestUsage:
    def test_counts_drafts_and_useless_answers_too(self) -> None:
        spent = Usage(prompt_tokens=1, cost=1.0)
        useless = MalformedCompletion("no", Completion(usage=spent))
        user = [
            Completion(content="bad!", usage=spent),
            Completion(content="fine", usage=spent),
        ]
        trajectory = hold([useless], list(user), screen=Screen())
        assert trajectory.ended_by is Ending.AGENT_ERROR
        assert trajectory.usage == Usage(prompt_tokens=3, cost=3.0)


class TestCallsWithoutEnd:
    def test_are_not_made(self) -> None:
        trajectory = hold([calls(*["nope"] * 300)], [HELLO])
        assert trajectory.ended_by is Ending.AGENT_ERROR
        assert "300 calls at once" in trajectory.note
        assert len(trajectory.messages) == 2


class TestHoldAsync:
    def test_holds_the_same_conversation(self) -> None:
        import asyncio

        turns, trajectory = recorded()
        heard: list[Turn] = []

        async def on_turn(turn: Turn) -> None:
            heard.append(turn)

        models = {side: AtOnce(model) for side, model in scripted().items()}
        again = asyncio.run(hold_async(conversation(), **models, on_turn=on_turn))
        assert again == trajectory
        assert heard == turns

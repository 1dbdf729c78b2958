"""Two thin drivers of a conversation: one that waits for each answer, and one for an event loop with hundreds of them."""

import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from environments.core.environment import Environment
from writ_app.engine.errors import MalformedCompletion, ModelUnavailable
from writ_app.engine.llm import AsyncChatModel, ChatModel, Completion
from writ_app.engine.pacing import Retry
from writ_app.engine.simulation.conversation import (
    Ask,
    Conversation,
    Limits,
    ScreenTurn,
    Side,
    Turn,
    scene_of,
)
from writ_app.engine.types import Ledger, Message, Task, Trajectory


def simulate(
    *,
    environment: Environment,
    task: Task,
    ledger: Ledger,
    agent: ChatModel,
    user: ChatModel,
    seed: int,
    limits: Limits | None = None,
    screen: ScreenTurn | None = None,
    retry: Retry | None = None,
    on_message: Callable[[Message], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    fault: str = "",
) -> Trajectory:
    """Hold one conversation about a task. `fault` is only noted: the scripted model that makes it was given it.

    Raises nothing of its own; what models raise besides ModelUnavailable and MalformedCompletion is a bug and passes through.
    """
    talk = Conversation(
        environment=environment,
        scene=scene_of(task, ledger),
        seed=seed,
        limits=limits,
        screen=screen,
        on_message=on_message,
        clock=clock,
    )
    return hold(talk, agent=agent, user=user, retry=retry, sleep=sleep, fault=fault)


def hold(
    talk: Conversation,
    *,
    agent: ChatModel,
    user: ChatModel,
    on_turn: Callable[[Turn], None] = lambda turn: None,
    retry: Retry | None = None,
    sleep: Callable[[float], None] = time.sleep,
    fault: str = "",
) -> Trajectory:
    """Bring a conversation to its end. `on_turn` is told of every finished answer before the next one is asked for."""
    models: Mapping[Side, ChatModel] = {"agent": agent, "user": user}
    again = retry or Retry()
    rng = random.Random(f"retry {agent.name} {user.name}")
    while not talk.over:
        ask = talk.ask()
        try:
            answer = _complete(models[ask.side], ask, again, rng, sleep)
        except ModelUnavailable as error:
            talk.fail(error)
        else:
            on_turn(talk.take(answer))
    return talk.trajectory(agent=agent.name, user=user.name, fault=fault)


async def hold_async(
    talk: Conversation,
    *,
    agent: AsyncChatModel,
    user: AsyncChatModel,
    on_turn: Callable[[Turn], Awaitable[None]],
    fault: str = "",
) -> Trajectory:
    """As `hold`, for an event loop with hundreds of them. The models ask again themselves (see pacing.PacedChat).

    What they raise besides ModelUnavailable and MalformedCompletion passes through, and so does ModelUnavailable with `down`:
    that is no outcome, and the conversation can be resumed.
    """
    models: Mapping[Side, AsyncChatModel] = {"agent": agent, "user": user}
    while not talk.over:
        ask = talk.ask()
        try:
            answer = await models[ask.side].complete_async(**_request(ask))
        except MalformedCompletion as error:
            answer = malformed(error)
        except ModelUnavailable as error:
            if error.down:
                raise
            talk.fail(error)
            break
        await on_turn(talk.take(answer))
    return talk.trajectory(agent=agent.name, user=user.name, fault=fault)


def malformed(error: MalformedCompletion) -> Completion:
    """What was answered, as far as it could be read, with the reason why it cannot be used."""
    read = error.answer if isinstance(error.answer, Completion) else Completion()
    return read.model_copy(update={"malformed": str(error)})


def _complete(
    model: ChatModel,
    ask: Ask,
    retry: Retry,
    rng: random.Random,
    sleep: Callable[[float], None],
) -> Completion:
    """The model's answer, asking again while its provider is only busy. Raises ModelUnavailable once it is given up."""
    attempt = 0
    while True:
        attempt += 1
        try:
            return model.complete(**_request(ask))
        except MalformedCompletion as error:
            return malformed(error)
        except ModelUnavailable as error:
            pause = retry.pause(attempt, error, rng)
            if pause is None:
                raise ModelUnavailable(
                    f"{error} (attempt {attempt})", retryable=error.retryable
                ) from error
        sleep(pause)


def _request(ask: Ask) -> dict[str, Any]:
    return {
        "system": ask.system,
        "messages": ask.messages,
        "tools": ask.tools,
        "seed": ask.seed,
    }

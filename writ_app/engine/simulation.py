"""The conversation: user and agent in turns, the environment in between; a trajectory comes back, whatever happened.

The protocol is that of tau2 SPEC §9, so that what is trained matches where it is used. Failures are outcomes with an owner.
Knows nothing about databases, reviews or formats. Time and sleeping are arguments.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from environments.core.environment import Environment, EnvironmentSession
from writ_app.engine.behaviour import STOP_TOKENS, instructions
from writ_app.engine.errors import MalformedCompletion, ModelUnavailable
from writ_app.engine.llm import ChatModel, Completion
from writ_app.engine.types import (
    Ending,
    Frozen,
    Ledger,
    Message,
    MessageCall,
    Owner,
    Task,
    Trajectory,
    Usage,
)

PROMPT_VERSION = "2026-11.2"
"""Changes whenever a prompt below or `behaviour.instructions` does."""
GREETING = "Hi! How can I help you today?"

type Side = Literal["agent", "user"]


class Limits(Frozen):
    """When to give up. Times in seconds; a step is one message, so that a call with its result is two."""

    max_steps: int = 200
    max_errors: int = 10
    """Failed calls, counted over the whole conversation."""
    timeout: float | None = None
    max_attempts: int = 4
    """Tries per turn while the provider fails in a way that may pass."""
    first_wait: float = 1.0
    """Doubles with every try, unless the provider says how long to wait."""
    max_wait: float = 60.0
    """A provider that asks for more is given up."""


AGENT_PROMPT = """\
<instructions>
You are a customer service agent. Help the customer, and keep to the policy below.
In each turn either write a message to the customer or make a tool call. Never do both in one turn.
Be helpful, follow the policy at all times, and make sure that every tool call is valid JSON.
</instructions>
<policy>
{policy}
</policy>"""

USER_PROMPT = """\
You play a customer who talks to a customer service agent. The scenario below says who you are and what you want.

- Write one message at a time, as a person in a chat does. Keep it natural.
- Keep strictly to the scenario. Never invent facts: what it does not tell, you do not know.
- Use your own words instead of quoting the scenario, but give names, numbers and codes exactly.
- Tell things as the scenario says: when it says only when asked, wait until you are asked.
- Answer a question for confirmation with a clear yes if it is what you want.
- Go on until everything you want is done or refused for good. Then end with {stop} in your last message.
- If you are transferred to a human agent, end with {transfer}.
- If the scenario gives you nothing to answer with, end with {out_of_scope}.

<scenario>
{scenario}
</scenario>"""


def agent_prompt(policy: str) -> str:
    """System prompt of the agent: instructions and the policy (SPEC §9.1)."""
    return AGENT_PROMPT.format(policy=policy.strip())


def user_prompt(task: Task, ledger: Ledger) -> str:
    """System prompt of a model that plays the user (SPEC §10)."""
    scenario = instructions(task, ledger)
    stop, transfer, out = STOP_TOKENS
    return USER_PROMPT.format(
        stop=stop, transfer=transfer, out_of_scope=out, scenario=scenario
    )


def simulate(
    *,
    environment: Environment,
    task: Task,
    ledger: Ledger,
    agent: ChatModel,
    user: ChatModel,
    seed: int,
    limits: Limits | None = None,
    on_message: Callable[[Message], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    fault: str = "",
) -> Trajectory:
    """Hold one conversation about a task. `fault` is only noted: the scripted model that makes it was given it.

    Raises nothing of its own; what models raise besides ModelUnavailable and MalformedCompletion is a bug and passes through.
    """
    heard = on_message or (lambda message: None)
    talk = _Conversation(
        environment.session(), limits or Limits(), seed, heard, clock, sleep
    )
    agent_side = _Side(
        "agent", agent, agent_prompt(environment.policy), environment.schemas
    )
    user_side = _Side("user", user, user_prompt(task, ledger), [])
    talk.hold(agent_side, user_side)
    return talk.trajectory(
        task_hash=task.content_hash,
        plan=ledger.plan,
        agent=agent.name,
        user=user.name,
        fault=fault,
    )


@dataclass(frozen=True)
class _Side:
    """One of the two who talk: its model, and what the model is always given."""

    name: Side
    model: ChatModel
    system: str
    tools: list[dict[str, Any]]

    def view(self, messages: Sequence[Message]) -> Sequence[Message]:
        return tuple(messages) if self.name == "agent" else user_view(messages)


def user_view(messages: Sequence[Message]) -> list[Message]:
    """What the user sees: roles flipped, calls and their results (and texts beside calls) left out (SPEC §9.8)."""
    return [
        Message(
            role="assistant" if message.role == "user" else "user",
            content=message.content,
        )
        for message in messages
        if message.role == "user"
        or (message.role == "assistant" and not message.tool_calls)
    ]


@dataclass
class _Conversation:
    """A conversation in the making. It is over once `ended_by` is set."""

    session: EnvironmentSession
    limits: Limits
    seed: int
    on_message: Callable[[Message], None]
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    messages: list[Message] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    steps: int = 0
    errors: int = 0
    started: float = 0.0
    ended_by: Ending | None = None
    owner: Owner | None = None
    note: str = ""

    def hold(self, agent: _Side, user: _Side) -> None:
        """The loop: greeting, then user and agent in turns; whoever makes calls goes on after their results."""
        self.started = self.clock()
        self._add(Message(role="assistant", content=GREETING))
        side = user
        while self.ended_by is None:
            answer = self._ask(side)
            if answer is None:
                return
            self._take(side, answer)
            if not answer.tool_calls:
                side = agent if side is user else user
            self._check_limits()

    def trajectory(self, **origin: str) -> Trajectory:
        """The conversation once it is over; `origin` says whose it is."""
        assert self.ended_by is not None
        return Trajectory(
            seed=self.seed,
            prompt_version=PROMPT_VERSION,
            messages=tuple(self.messages),
            ended_by=self.ended_by,
            owner=self.owner,
            note=self.note,
            usage=self.usage,
            **origin,
        )

    def _ask(self, side: _Side) -> Completion | None:
        """The side's next answer, asking again while the provider is only busy. None if that ended the conversation."""
        wait = self.limits.first_wait
        for attempt in range(1, self.limits.max_attempts + 1):
            try:
                answer = side.model.complete(
                    system=side.system,
                    messages=side.view(self.messages),
                    tools=side.tools,
                    seed=self.seed,
                )
                _refuse_unusable(side, answer)
            except MalformedCompletion as error:
                self._end(*_MALFORMED[side.name], str(error))
                return None
            except ModelUnavailable as error:
                pause = wait if error.retry_after is None else error.retry_after
                if not self._may_retry(error, attempt, pause):
                    note = f"{side.name}: {error} (attempt {attempt})"
                    self._end(Ending.PROVIDER_ERROR, Owner.PROVIDER, note)
                    return None
                self.sleep(pause)
                wait = min(wait * 2, self.limits.max_wait)
            else:
                return answer
        raise AssertionError("the last attempt returns")

    def _may_retry(self, error: ModelUnavailable, attempt: int, pause: float) -> bool:
        return (
            error.retryable
            and attempt < self.limits.max_attempts
            and pause <= self.limits.max_wait
            and not self._timed_out(pause)
        )

    def _take(self, side: _Side, answer: Completion) -> None:
        """Put the answer down, and make its calls."""
        self.usage += answer.usage
        self.steps += 1
        if side.name == "user":
            self._add(Message(role="user", content=answer.content))
            if any(token in answer.content for token in STOP_TOKENS):
                self.ended_by = Ending.USER_STOP
            return
        calls = self._with_own_ids(answer.tool_calls)
        self._add(Message(role="assistant", content=answer.content, tool_calls=calls))
        for made in calls:
            result = self.session.call(made.call)
            self.steps += 1
            self.errors += result.error
            self._add(
                Message(
                    role="tool",
                    content=result.content,
                    tool_call_id=made.id,
                    error=result.error,
                )
            )

    def _with_own_ids(self, calls: Sequence[MessageCall]) -> tuple[MessageCall, ...]:
        """Ids that are empty or were used before become unique: results are paired with calls by them."""
        used = {made.id for message in self.messages for made in message.tool_calls}
        unique = []
        for made in calls:
            if not made.id or made.id in used:
                made = made.model_copy(update={"id": f"call_{len(used) + 1}_{made.id}"})
            used.add(made.id)
            unique.append(made)
        return tuple(unique)

    def _check_limits(self) -> None:
        """Each later limit overrides an earlier one (SPEC §9.5); a stop stands."""
        if self.ended_by is not None:
            return
        if self.steps >= self.limits.max_steps:
            note = f"{self.steps} steps without an end"
            self._end(Ending.MAX_STEPS, Owner.BUDGET, note)
        if self.errors >= self.limits.max_errors:
            note = f"{self.errors} calls failed"
            self._end(Ending.TOO_MANY_ERRORS, Owner.AGENT, note)
        if self._timed_out():
            note = f"no end after {self.limits.timeout:g} seconds"
            self._end(Ending.TIMEOUT, Owner.BUDGET, note)

    def _timed_out(self, pause: float = 0.0) -> bool:
        """Whether time is up, or would be after a pause."""
        timeout = self.limits.timeout
        return timeout is not None and self.clock() + pause - self.started >= timeout

    def _end(self, ended_by: Ending, owner: Owner, note: str) -> None:
        self.ended_by, self.owner, self.note = ended_by, owner, note

    def _add(self, message: Message) -> None:
        self.messages.append(message)
        self.on_message(message)


_MALFORMED: dict[Side, tuple[Ending, Owner]] = {
    "agent": (Ending.AGENT_ERROR, Owner.AGENT),
    "user": (Ending.USER_ERROR, Owner.USER),
}


def _refuse_unusable(side: _Side, answer: Completion) -> None:
    """An answer needs text or calls; a user has no tools. Raises MalformedCompletion."""
    if side.name == "user" and answer.tool_calls:
        raise MalformedCompletion("The user made a tool call, but has no tools.")
    if not answer.content.strip() and not answer.tool_calls:
        raise MalformedCompletion("The answer has neither text nor a tool call.")

"""The state machine: it says whose answer it wants, is given the answer, and makes the environment's calls itself.

It waits for nothing and asks nobody, so the same machine serves one conversation at a time and hundreds, and begins again from
recorded answers: the environment is deterministic, so the same answers lead to the same place.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from environments.core.environment import Environment
from environments.core.sides import Initialization
from writ_app.engine.behaviour import STOP_TOKENS, UserFinding
from writ_app.engine.errors import ModelUnavailable
from writ_app.engine.llm import Completion
from writ_app.engine.simulation.prompts import (
    GREETING,
    PROMPT_VERSION,
    agent_prompt,
    seen_by_user,
    user_prompt,
)
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

type Side = Literal["agent", "user"]
type ScreenTurn = Callable[[Sequence[Message], str], Sequence[UserFinding]]
"""(messages so far, what the user wants to say) → what is wrong with it."""

SEED_STEP = 1_000_003
"""From one draft of a turn to the next, so that a deterministic model says something else."""


class Limits(Frozen):
    """When to give up. A step is one message, so that a call with its result is two."""

    max_steps: int = 200
    max_errors: int = 10
    """Failed calls, counted over the whole conversation."""
    timeout: float | None = None
    """Seconds; what went before an interruption does not count."""
    max_characters: int = 20_000
    """Of one answer's text: more is no turn of a chat, and would be sent along with every later one."""
    regenerations: int = 2
    """How often a user's turn that does not pass the screen is asked for again."""


@dataclass(frozen=True)
class Ask:
    """An answer that is wanted. `seed` is what the model is to be given."""

    side: Side
    position: int
    """Number of the turn in the conversation, of both sides together, from 0."""
    attempt: int
    """Number of the draft, from 0."""
    system: str
    messages: tuple[Message, ...]
    tools: Sequence[dict[str, Any]]
    seed: int
    fingerprint: str
    """Hash of everything that led here: prompts, tools, answers, and what the environment said."""


@dataclass(frozen=True)
class Scene:
    """What a conversation is about, beside the world that it is held in."""

    user_system: str
    """System prompt of a model that plays the user."""
    task_hash: str
    plan: str = ""
    begins: Initialization = field(default_factory=Initialization)
    """What is different from the world's base state."""


def scene_of(task: Task, ledger: Ledger) -> Scene:
    """Of a task of our own. Raises KeyError for a plan that there is not."""
    return Scene(user_prompt(task, ledger), task.content_hash, ledger.plan)


class Draft(Frozen):
    """A user's answer that was not said, with what was wrong with it."""

    completion: Completion
    findings: tuple[UserFinding, ...]


class Turn(Frozen):
    """A finished answer, or, while drafts are rejected, a turn without one so far. Enough to get here again without asking."""

    position: int
    side: Side
    fingerprint: str
    completion: Completion | None
    drafts: tuple[Draft, ...] = ()

    @property
    def usage(self) -> Usage:
        """Of the answer and all drafts."""
        made = [draft.completion for draft in self.drafts]
        if self.completion is not None:
            made.append(self.completion)
        return sum((one.usage for one in made), Usage())


class Conversation:
    """One conversation about a task. Until it is `over`, `ask` says what is wanted next, and `take` or `fail` answers."""

    def __init__(
        self,
        *,
        environment: Environment,
        scene: Scene,
        seed: int,
        limits: Limits | None = None,
        screen: ScreenTurn | None = None,
        on_message: Callable[[Message], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        """Raises what EnvironmentSession.initialize does, for a scene that cannot begin in this world."""
        self.messages: list[Message] = []
        self._scene = scene
        self._seed = seed
        self._limits = limits or Limits()
        self._screen = screen
        self._on_message = on_message or (lambda message: None)
        self._clock = clock
        self._started = clock()
        self._session = environment.start(scene.begins)
        self._systems = {
            "agent": agent_prompt(environment.policy),
            "user": scene.user_system,
        }
        self._tools = environment.schemas
        self._history = hashlib.sha256(
            repr((self._systems, self._tools)).encode(errors="surrogatepass")
        )
        self._seen_by_user: list[Message] = []
        self._call_ids: set[str] = set()
        self._side: Side = "user"
        self._position = 0
        self._drafts: list[Draft] = []
        self._usage = Usage()
        self._steps = 0
        self._errors = 0
        self._ended_by: Ending | None = None
        self._owner: Owner | None = None
        self._note = ""
        self._add(Message(role="assistant", content=GREETING))

    @property
    def over(self) -> bool:
        return self._ended_by is not None

    def ask(self) -> Ask:
        """What is wanted next. Only while it is not over."""
        assert not self.over
        by_agent = self._side == "agent"
        attempt = len(self._drafts)
        return Ask(
            side=self._side,
            position=self._position,
            attempt=attempt,
            system=self._systems[self._side],
            messages=tuple(self.messages if by_agent else self._seen_by_user),
            tools=self._tools if by_agent else [],
            seed=self._seed + attempt * SEED_STEP,
            fingerprint=self._fingerprint(),
        )

    def take(self, answer: Completion) -> Turn:
        """The answer to `ask`: put it down, make its calls and see whether that is the end. Returns the turn as it stands."""
        assert not self.over
        position, side, fingerprint = self._position, self._side, self._fingerprint()
        answer = _checked(side, answer, self._limits)
        findings = self._findings(answer)
        self._usage += answer.usage
        if findings:
            self._drafts.append(Draft(completion=answer, findings=findings))
            if len(self._drafts) <= self._limits.regenerations:
                return self._turn(position, side, fingerprint, None)
            best = min(self._drafts, key=lambda draft: len(draft.findings))
            self._drafts.remove(best)
            answer = best.completion
        turn = self._turn(position, side, fingerprint, answer)
        self._drafts = []
        self._position += 1
        if answer.malformed:
            self._end(*_MALFORMED[side], answer.malformed)
        else:
            self._put_down(answer)
            self._check_limits()
        return turn

    def fail(self, error: ModelUnavailable) -> None:
        """The answer to `ask` will not come: the provider was given up."""
        self._end(Ending.PROVIDER_ERROR, Owner.PROVIDER, f"{self._side}: {error}")

    def break_off(self, note: str) -> None:
        """Something went wrong that neither model nor provider is to answer for."""
        self._end(Ending.UNEXPECTED_ERROR, Owner.ENVIRONMENT, note)

    def resume(self, turns: Sequence[Turn]) -> int:
        """Take recorded turns again, as far as they fit: as long as everything that led to them is the same. Returns how many.

        Those that do not fit, and all after them, are to be asked for again.
        """
        for fitted, turn in enumerate(turns):
            if self.over or turn.fingerprint != self._fingerprint():
                return fitted
            if turn.position != self._position:
                return fitted
            for draft in turn.drafts:
                self._usage += draft.completion.usage
            if turn.completion is None:
                self._drafts = list(turn.drafts)
                return fitted + 1
            self._take_recorded(turn.completion)
        return len(turns)

    def trajectory(self, *, agent: str, user: str, fault: str = "") -> Trajectory:
        """The conversation once it is over; names of the models, and of the fault that one was asked to make."""
        assert self._ended_by is not None
        return Trajectory(
            task_hash=self._scene.task_hash,
            plan=self._scene.plan,
            seed=self._seed,
            agent=agent,
            user=user,
            prompt_version=PROMPT_VERSION,
            messages=tuple(self.messages),
            ended_by=self._ended_by,
            owner=self._owner,
            note=self._note,
            usage=self._usage,
            fault=fault,
        )

    def _take_recorded(self, answer: Completion) -> None:
        """What was said once is not screened again."""
        screen, self._screen = self._screen, None
        self.take(answer)
        self._screen = screen

    def _turn(
        self,
        position: int,
        side: Side,
        fingerprint: str,
        completion: Completion | None,
    ) -> Turn:
        return Turn(
            position=position,
            side=side,
            fingerprint=fingerprint,
            completion=completion,
            drafts=tuple(self._drafts),
        )

    def _findings(self, answer: Completion) -> tuple[UserFinding, ...]:
        if self._screen is None or self._side == "agent" or answer.malformed:
            return ()
        return tuple(self._screen(self.messages, answer.content))

    def _put_down(self, answer: Completion) -> None:
        self._steps += 1
        if self._side == "user":
            self._add(Message(role="user", content=answer.content))
            self._side = "agent"
            if any(token in answer.content for token in STOP_TOKENS):
                self._ended_by = Ending.USER_STOP
            return
        calls = tuple(map(self._with_own_id, answer.tool_calls))
        self._add(Message(role="assistant", content=answer.content, tool_calls=calls))
        if not calls:
            self._side = "user"
        for made in calls:
            result = self._session.call(made.call)
            self._steps += 1
            self._errors += result.error
            self._add(
                Message(
                    role="tool",
                    content=result.content,
                    tool_call_id=made.id,
                    error=result.error,
                )
            )

    def _with_own_id(self, made: MessageCall) -> MessageCall:
        """An id that is empty or was used before becomes unique: results are paired with calls by them."""
        if not made.id or made.id in self._call_ids:
            own = f"call_{len(self._call_ids) + 1}_{made.id}"
            made = made.model_copy(update={"id": own})
        self._call_ids.add(made.id)
        return made

    def _check_limits(self) -> None:
        """Each later limit overrides an earlier one (SPEC §9.5); a stop stands."""
        if self._ended_by is not None:
            return
        limits = self._limits
        if self._steps >= limits.max_steps:
            note = f"{self._steps} steps without an end"
            self._end(Ending.MAX_STEPS, Owner.BUDGET, note)
        if self._errors >= limits.max_errors:
            note = f"{self._errors} calls failed"
            self._end(Ending.TOO_MANY_ERRORS, Owner.AGENT, note)
        elapsed = self._clock() - self._started
        if limits.timeout is not None and elapsed >= limits.timeout:
            note = f"no end after {limits.timeout:g} seconds"
            self._end(Ending.TIMEOUT, Owner.BUDGET, note)

    def _end(self, ended_by: Ending, owner: Owner, note: str) -> None:
        self._ended_by, self._owner, self._note = ended_by, owner, note

    def _add(self, message: Message) -> None:
        self.messages.append(message)
        self._history.update(repr(message).encode(errors="surrogatepass"))
        seen = seen_by_user(message)
        if seen is not None:
            self._seen_by_user.append(seen)
        self._on_message(message)

    def _fingerprint(self) -> str:
        return self._history.hexdigest()[:32]


_MALFORMED: dict[Side, tuple[Ending, Owner]] = {
    "agent": (Ending.AGENT_ERROR, Owner.AGENT),
    "user": (Ending.USER_ERROR, Owner.USER),
}


def _checked(side: Side, answer: Completion, limits: Limits) -> Completion:
    """The answer, marked as malformed if the protocol has no use for it: it needs text or calls, and a user has no tools."""
    wrong = ""
    if side == "user" and answer.tool_calls:
        wrong = "The user made a tool call, but has no tools."
    elif not answer.content.strip() and not answer.tool_calls:
        wrong = "The answer has neither text nor a tool call."
    elif len(answer.content) > limits.max_characters:
        wrong = f"The answer has {len(answer.content):,} characters."
    elif len(answer.tool_calls) > limits.max_steps:
        wrong = f"The answer makes {len(answer.tool_calls):,} calls at once, more than a whole conversation may."
    if not wrong or answer.malformed:
        return answer
    return answer.model_copy(update={"malformed": wrong})

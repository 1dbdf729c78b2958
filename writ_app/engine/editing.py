"""Edits: a trajectory changed by hand, and what the change breaks or brings along.

Changes name places of the trajectory they were made on, never of one another's outcome: any of them can be taken back alone.
What they make of it is judged like every trajectory. Results are never taken on trust: the environment is asked again.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Annotated, Any, Literal

from jsonschema import Draft202012Validator
from pydantic import Field, TypeAdapter

from environments.core.environment import Environment
from environments.core.pointers import MISSING, at, leaves, pointer, split
from environments.core.tools import ToolCall, ToolResult
from writ_app.engine.errors import WritError
from writ_app.engine.types import (
    Check,
    Frozen,
    Ledger,
    Message,
    MessageCall,
    Owner,
    Task,
    Trajectory,
    Verification,
)
from writ_app.engine.verification import verify

MAX_CHANGES = 200


class BadEdit(WritError):
    """A change of something that is not there, or that cannot be changed so; the text says what to do instead."""


# --- changes -------------------------------------------------------------------------------------------------------------------


class SetText(Frozen):
    """Other words for a message of the user or the agent."""

    kind: Literal["text"] = "text"
    message: int
    text: str

    @property
    def target(self) -> str:
        return f"text:{self.message}"


class SetArgument(Frozen):
    """Another value for an argument of a call, or for a part of one; with `absent` the argument is left out."""

    kind: Literal["argument"] = "argument"
    message: int
    call: str
    """Its id."""
    pointer: str
    value: Any = None
    absent: bool = False

    @property
    def target(self) -> str:
        return f"argument:{self.message}:{self.call}:{self.pointer}"


class SetResult(Frozen):
    """Another answer of the environment. Only its true one stands up to the replay."""

    kind: Literal["result"] = "result"
    message: int
    """Of the tool's message."""
    content: str
    error: bool = False

    @property
    def target(self) -> str:
        return f"result:{self.message}"


class Remove(Frozen):
    """A message, or one of its calls, is gone, and the answers with it."""

    kind: Literal["remove"] = "remove"
    message: int
    call: str = ""

    @property
    def target(self) -> str:
        return f"remove:{self.message}:{self.call}"


class AddCall(Frozen):
    """A call with its answer, in a message of its own."""

    kind: Literal["add_call"] = "add_call"
    id: str
    after: int
    """Index of the message that it follows; -1: it is the first. Between a call and its answers there is no place."""
    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    content: str = ""
    error: bool = False

    @property
    def target(self) -> str:
        return f"add:{self.id}"


class AddMessage(Frozen):
    """Something more that the user or the agent says."""

    kind: Literal["add_message"] = "add_message"
    id: str
    after: int
    role: Literal["assistant", "user"]
    text: str

    @property
    def target(self) -> str:
        return f"add:{self.id}"


type Change = Annotated[
    SetText | SetArgument | SetResult | Remove | AddCall | AddMessage,
    Field(discriminator="kind"),
]
type Changes = tuple[Change, ...]

_CHANGES: TypeAdapter[Changes] = TypeAdapter(tuple[Change, ...])


def read_changes(value: Any) -> Changes:
    """Changes from their JSON. Raises pydantic's ValidationError."""
    return _CHANGES.validate_python(value)


def dump_changes(changes: Changes) -> list[dict[str, Any]]:
    """The inverse."""
    return [change.model_dump(mode="json") for change in changes]


def put(trajectory: Trajectory, changes: Changes, change: Change) -> Changes:
    """With one more change, which takes the place of one of the same target. What changes nothing is left out.

    Raises BadEdit if it cannot be made.
    """
    inside = f"{change.target}/"  # parts of an argument that is replaced as a whole
    kept = [
        one
        for one in changes
        if one.target != change.target
        and not (isinstance(change, SetArgument) and one.target.startswith(inside))
    ]
    if isinstance(change, Remove):
        kept = [one for one in kept if not _inside(one, change)]
    place = next(
        (n for n, one in enumerate(changes) if one.target == change.target), len(kept)
    )
    found = (*kept[:place], change, *kept[place:])
    if lay_out(trajectory, found) == lay_out(trajectory, tuple(kept)):
        return tuple(kept)
    if len(found) > MAX_CHANGES:
        raise BadEdit(
            f"An edit may have {MAX_CHANGES} changes at most: save this one as a version and go on from there."
        )
    return found


def drop(changes: Changes, target: str) -> Changes:
    """Without the change of that target: the field is as it was."""
    return tuple(change for change in changes if change.target != target)


def _inside(one: Change, removed: Remove) -> bool:
    """Whether a change is of something that goes with what is removed."""
    if isinstance(one, SetText):
        return one.message == removed.message and not removed.call
    if isinstance(one, SetArgument):
        return one.message == removed.message and removed.call in ("", one.call)
    return False


# --- what they make of it ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Placed:
    """One message of an edited trajectory: where it was before, or by which change it came."""

    message: Message
    origin: int | None = None
    added: str = ""


def apply(trajectory: Trajectory, changes: Changes) -> Trajectory:
    """The trajectory as changed. Raises BadEdit."""
    placed = lay_out(trajectory, changes)
    return trajectory.model_copy(update={"messages": tuple(p.message for p in placed)})


def lay_out(trajectory: Trajectory, changes: Changes) -> tuple[Placed, ...]:
    """Message by message what the changes make of a trajectory. Raises BadEdit."""
    work = _Work(trajectory.messages)
    for change in changes:
        work.make(change)
    return tuple(work.laid_out())


class _Work:
    """Messages while they are changed, under the indexes that they had."""

    def __init__(self, messages: Sequence[Message]):
        self.messages = messages
        self.edited: dict[int, Message | None] = dict(enumerate(messages))
        self.added: dict[int, list[Placed]] = {}
        self.ids = {made.id for message in messages for made in message.tool_calls}

    def make(self, change: Change) -> None:
        match change:
            case SetText():
                self._set_text(change)
            case SetArgument():
                self._set_argument(change)
            case SetResult():
                self._set_result(change)
            case Remove():
                self._remove(change)
            case AddCall() | AddMessage():
                self._add(change)

    def laid_out(self) -> Iterator[Placed]:
        yield from self.added.get(-1, ())
        for n in range(len(self.messages)):
            message = self.edited[n]
            if message is not None:
                yield Placed(message, origin=n)
            yield from self.added.get(n, ())

    def _message(self, n: int) -> Message:
        message = self.edited.get(n)
        if message is None:
            known = 0 <= n < len(self.messages)
            raise BadEdit(
                f"Message {n} was removed: bring it back before you change it."
                if known
                else f"There is no message {n}: open the edit again."
            )
        return message

    def _set_text(self, change: SetText) -> None:
        message = self._message(change.message)
        if message.role == "tool":
            raise BadEdit("A result is no sentence: change the call and replay it.")
        if not change.text.strip() and not message.tool_calls:
            raise BadEdit("A message says something: remove it instead.")
        self._put(change.message, message, content=change.text)

    def _set_argument(self, change: SetArgument) -> None:
        message = self._message(change.message)
        calls = [
            made.model_copy(
                update={"arguments": changed_arguments(made.arguments, change)}
            )
            if made.id == change.call
            else made
            for made in message.tool_calls
        ]
        if all(made.id != change.call for made in calls):
            raise BadEdit(f"Message {change.message} makes no call {change.call}.")
        self._put(change.message, message, tool_calls=tuple(calls))

    def _set_result(self, change: SetResult) -> None:
        message = self._message(change.message)
        if message.role != "tool":
            raise BadEdit(f"Message {change.message} is no result.")
        self._put(change.message, message, content=change.content, error=change.error)

    def _put(self, n: int, message: Message, **update: Any) -> None:
        self.edited[n] = message.model_copy(update=update)

    def _remove(self, change: Remove) -> None:
        message = self._message(change.message)
        if message.role == "tool":
            raise BadEdit("A result goes with its call: remove the call.")
        gone = [made for made in message.tool_calls if change.call in ("", made.id)]
        if change.call and not gone:
            raise BadEdit(f"Message {change.message} makes no call {change.call}.")
        ids = {made.id for made in gone}
        for n, other in self.edited.items():
            if other is not None and other.role == "tool" and other.tool_call_id in ids:
                self.edited[n] = None
        left = tuple(made for made in message.tool_calls if made.id not in ids)
        whole = not change.call or not (left or message.content.strip())
        self.edited[change.message] = (
            None if whole else message.model_copy(update={"tool_calls": left})
        )

    def _add(self, change: AddCall | AddMessage) -> None:
        if not -1 <= change.after < len(self.messages):
            raise BadEdit(f"There is no message {change.after} to add something after.")
        there = self.added.setdefault(self._turn_end(change.after), [])
        if isinstance(change, AddMessage):
            if not change.text.strip():
                raise BadEdit("A message says something: write what.")
            said = Message(role=change.role, content=change.text)
            there.append(Placed(said, added=change.id))
            return
        if change.id in self.ids:
            raise BadEdit(f"There is a call {change.id} already.")
        self.ids.add(change.id)
        made = MessageCall(id=change.id, name=change.name, arguments=change.arguments)
        answer = Message(
            role="tool",
            content=change.content,
            tool_call_id=change.id,
            error=change.error,
        )
        call = Message(role="assistant", tool_calls=(made,))
        there += [Placed(call, added=change.id), Placed(answer, added=change.id)]

    def _turn_end(self, n: int) -> int:
        """The last of the answers that follow a call."""
        while n + 1 < len(self.messages) and self.messages[n + 1].role == "tool":
            n += 1
        return n


def changed_arguments(
    arguments: Mapping[str, Any], change: SetArgument
) -> dict[str, Any]:
    """Arguments of a call with one of them changed, whatever call it is. Raises BadEdit."""
    parts = split(change.pointer)
    if not parts:
        raise BadEdit("Arguments are changed one by one: say which.")
    if change.absent:
        if len(parts) > 1:
            raise BadEdit("Only a whole argument can be left out.")
        return {name: one for name, one in arguments.items() if name != parts[0]}
    found: dict[str, Any] = _with(dict(arguments), parts, change)
    return found


def _with(value: Any, parts: Sequence[str], change: SetArgument) -> Any:
    """A copy with another value at a place. A new name may be added to an object; a list is as long as it is."""
    if not parts:
        return change.value
    first, *rest = parts
    if isinstance(value, dict) and (first in value or not rest):
        return {**value, first: _with(value.get(first), rest, change)}
    if isinstance(value, list) and first.isdecimal() and int(first) < len(value):
        n = int(first)
        return [*value[:n], _with(value[n], rest, change), *value[n + 1 :]]
    raise BadEdit(
        f"There is nothing at {change.pointer}: change the whole argument instead."
    )


# --- judged ----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Problem:
    """Something wrong, and where: index of the edited trajectory's message, and the place in a call's arguments if it is one."""

    check: str
    text: str
    message: int | None = None
    pointer: str = ""


class Hunk(Frozen):
    """A change that follows from those that were made, for a person to accept. `message` is an index of the edited trajectory."""

    kind: Literal["result", "words"]
    change: Change
    message: int
    why: str
    before: str
    after: str


@dataclass(frozen=True)
class Validity:
    """What the changes come to."""

    placed: tuple[Placed, ...]
    trajectory: Trajectory
    verification: Verification
    """As of every trajectory, with the check of the tools' schemas before the others."""
    problems: tuple[Problem, ...]
    hunks: tuple[Hunk, ...]

    @property
    def valid(self) -> bool:
        return self.verification.accepted

    @cached_property
    def advice(self) -> Mapping[str, str]:
        """Name of a failed check → what to do about it."""
        return {
            check.name: ADVICE.get(check.name, "Change what it points at, or reset it.")
            for check in self.verification.checks
            if not check.passed
        }


ADVICE = {
    "schema": "Give each argument a value of the type that the tool asks for.",
    "replay": "Accept the results that the environment gives now, or set the call back.",
    "user": "Let the user say what the plan has them say, in its place, and nothing else.",
    "ended": "The user's last message ends the conversation: leave it as it was.",
    "calls": "Call a tool that there is, with the arguments that it takes.",
    "one_call": "Move the text or the second call into a message of its own.",
    "refusal": "Remove the write, and let the agent say no and why.",
    "transfer": "Hand over what the policy leaves to a person, and only that.",
    "told": "Let the agent tell the user what was asked for.",
    "phases": "Move the write behind the message in which the user settles for the last wish.",
    "writes": "Make the writes those of the gold: the write cards show what differs.",
    "final_state": "Make the writes those of the gold: the database then stands where it should.",
    "evidence": "Add the read that is missing before the write that needs it.",
    "confirmation": "Let the agent list the write's details and the user say yes before it.",
    "provenance": "Use a value that the user said or a result shows, or add the read that shows it.",
    "lookups": "Look up only what the user said or a result shows.",
    "claims": "Let the agent say only what a result bears out.",
    "policy": "Change the write or the words so that the clause is kept.",
}


def revalidate(
    environment: Environment,
    task: Task,
    ledger: Ledger,
    trajectory: Trajectory,
    changes: Changes = (),
) -> Validity:
    """Judge a trajectory as changed: schemas, replay, provenance, coverage, policy, the user's side. Raises BadEdit."""
    placed = lay_out(trajectory, changes)
    edited = trajectory.model_copy(
        update={"messages": tuple(one.message for one in placed)}
    )
    found = verify(environment=environment, task=task, trajectory=edited, ledger=ledger)
    misfits = tuple(_misfits(environment, edited.messages))
    checks = (_schema_check(misfits, edited), *found.checks)
    verification = found.model_copy(update={"checks": checks})
    results = tuple(_false_results(environment, placed, changes))
    return Validity(
        placed=placed,
        trajectory=edited,
        verification=verification,
        problems=(*misfits, *_problems(found, results)),
        hunks=(*results, *_stale_words(environment, trajectory, placed, changes)),
    )


def replay_results(
    environment: Environment, trajectory: Trajectory, changes: Changes
) -> Changes:
    """The changes, and with them the true result of every call that now gets another one. Raises BadEdit."""
    for hunk in _false_results(environment, lay_out(trajectory, changes), changes):
        changes = put(trajectory, changes, hunk.change)
    return changes


def _problems(found: Verification, results: Iterable[Hunk]) -> Iterator[Problem]:
    for hunk in results:
        yield Problem("replay", hunk.why, hunk.message)
    pointed = {"replay"}
    for part in found.provenance:
        if part.kind in UNGROUNDED:
            pointed.add("provenance")
            yield Problem(
                "provenance", UNGROUNDED[part.kind], part.message, part.pointer
            )
    for check in found.checks:
        if not check.passed and check.name not in pointed:
            yield from _where_it_failed(check)


def _where_it_failed(check: Check) -> Iterator[Problem]:
    """The finding where it applies first, and a mark at the other places."""
    where = () if check.name in _TELLS_THE_REST else check.where
    yield Problem(check.name, check.finding, where[0] if where else None)
    for n in where[1:]:
        yield Problem(check.name, "Also here.", n)


_TELLS_THE_REST = {"evidence"}
"""Checks that, when they fail, point at what is right: what is missing is nowhere."""


UNGROUNDED = {
    "not_found": "Nobody told or showed this before the write.",
    "conflict": "Two results disagree about this.",
    "stale": "This was read before an earlier write changed it.",
}
"""Kinds of provenance that ground nothing → in words."""


# --- schemas -------------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _validator(environment: Environment, tool: str) -> Draft202012Validator:
    parameters = environment.tools[tool].schema["function"]["parameters"]
    return Draft202012Validator({**parameters, "additionalProperties": False})


def _misfits(
    environment: Environment, messages: Sequence[Message]
) -> Iterator[Problem]:
    for n, message in enumerate(messages):
        for made in message.tool_calls:
            for place, text in misfits(environment, made.call):
                yield Problem("schema", text, n, place)


def misfits(environment: Environment, call: ToolCall) -> Iterator[tuple[str, str]]:
    """(pointer into the arguments, what is wrong) for everything that the tool's schema does not allow."""
    if call.name not in environment.tools:
        yield "", f"There is no tool {call.name[:80]}."
        return
    for error in _validator(environment, call.name).iter_errors(call.arguments):
        yield pointer(*error.absolute_path), f"{call.name}: {_short(error.message)}."


def _short(text: str) -> str:
    return text if len(text) <= 160 else f"{text[:159]}…"


def _schema_check(misfits: Sequence[Problem], edited: Trajectory) -> Check:
    if misfits:
        return Check(
            name="schema",
            passed=False,
            finding=" ".join(dict.fromkeys(one.text for one in misfits)),
            owner=Owner.AGENT,
            where=tuple(dict.fromkeys(one.message or 0 for one in misfits)),
        )
    calls = sum(len(message.tool_calls) for message in edited.messages)
    return Check(
        name="schema", passed=True, finding=f"All {calls} calls fit their schemas."
    )


# --- what follows --------------------------------------------------------------------------------------------------------------


def _false_results(
    environment: Environment, placed: Sequence[Placed], changes: Changes
) -> Iterator[Hunk]:
    """For each result that the environment does not give, the one it gives."""
    answers = {
        one.message.tool_call_id: n
        for n, one in enumerate(placed)
        if one.message.role == "tool"
    }
    session = environment.session()
    for one in placed:
        for made in one.message.tool_calls:
            true, n = session.call(made.call), answers.get(made.id)
            if n is None:
                continue
            recorded = placed[n].message
            if (recorded.content, recorded.error) != (true.content, true.error):
                yield Hunk(
                    kind="result",
                    change=_result(placed[n], true, changes),
                    message=n,
                    why=f"The environment answers {made.name} otherwise now.",
                    before=recorded.content,
                    after=true.content,
                )


def _result(answer: Placed, true: ToolResult, changes: Changes) -> Change:
    if answer.origin is not None:
        return SetResult(message=answer.origin, content=true.content, error=true.error)
    added = next(
        one for one in changes if isinstance(one, AddCall) and one.id == answer.added
    )
    return added.model_copy(update={"content": true.content, "error": true.error})


def _stale_words(
    environment: Environment,
    trajectory: Trajectory,
    placed: Sequence[Placed],
    changes: Changes,
) -> Iterator[Hunk]:
    """Words that still name a value that was changed, in the agent's and the user's messages."""
    used = _written(environment, placed)
    swaps = [
        (before, after)
        for old, new in _replaced(trajectory, changes)
        if _telling(old) and old not in used
        for before, after in zip(_spellings(old), _spellings(new), strict=False)
    ]
    for n, one in enumerate(placed):
        text = one.message.content
        if not swaps or one.message.role == "tool" or not text:
            continue
        named = [swap for swap in swaps if _naming(swap[0]).search(text)]
        for old, new in named:
            text = new.join(_naming(old).split(text))
        if named:
            listed = ", ".join(dict.fromkeys(old for old, _ in named))
            who = "agent" if one.message.role == "assistant" else "user"
            yield Hunk(
                kind="words",
                change=_said(one, text, changes),
                message=n,
                why=f"The {who} still speaks of {listed}.",
                before=one.message.content,
                after=text,
            )


def _said(one: Placed, text: str, changes: Changes) -> Change:
    if one.origin is not None:
        return SetText(message=one.origin, text=text)
    added = next(
        change
        for change in changes
        if isinstance(change, AddMessage) and change.id == one.added
    )
    return added.model_copy(update={"text": text})


def _replaced(trajectory: Trajectory, changes: Changes) -> Iterator[tuple[Any, Any]]:
    """(old, new) of every leaf of an argument that has another value now."""
    for change in changes:
        if not isinstance(change, SetArgument) or change.absent:
            continue
        calls = trajectory.messages[change.message].tool_calls
        arguments = next((c.arguments for c in calls if c.id == change.call), {})
        before = at(arguments, change.pointer)
        now = dict(leaves(change.value))
        for place, old in () if before is MISSING else leaves(before):
            new = now.get(place, old)
            if new != old:
                yield old, new


def _written(environment: Environment, placed: Sequence[Placed]) -> list[Any]:
    """Every value that a write still has."""
    return [
        value
        for one in placed
        for made in one.message.tool_calls
        if environment.is_write(made.name)
        for _, value in leaves(made.arguments)
    ]


def _spellings(value: Any) -> tuple[str, ...]:
    """How a value stands in a text."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (f"{value:,.2f}", f"{value:.2f}", str(value))
    return (str(value),)


def _telling(value: Any) -> bool:
    """Whether a text that has the value means it: short words and small numbers stand for much else."""
    if isinstance(value, int | float):
        return value >= 10
    return isinstance(value, str) and len(value) > 3


@lru_cache(maxsize=256)
def _naming(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.]){re.escape(text)}(?![\w])(?!\.\d)")

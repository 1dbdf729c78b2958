"""An accepted trajectory, and copies of it with something changed that stay consistent in themselves."""

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from environments.core.environment import Environment, EnvironmentSession
from environments.core.pointers import leaves
from environments.core.tools import ToolCall
from writ_app.engine.types import Message, MessageCall, Task, Trajectory


@dataclass(frozen=True)
class Canary:
    trajectory: Trajectory
    changed: str
    """A sentence for a person: what was planted."""
    message: int
    """Index of the message, in the copy, at which it shows."""
    pointer: str = ""
    """Into that message's arguments, or its result."""


@dataclass(frozen=True)
class Made:
    """A call that succeeded: index of its message, its place among the message's calls, index of its result."""

    index: int
    place: int
    answer: int
    made: MessageCall

    @property
    def call(self) -> ToolCall:
        return self.made.call


@dataclass(frozen=True)
class Original:
    """What is copied. `rng` belongs to one class of errors."""

    task: Task
    environment: Environment
    trajectory: Trajectory
    rng: random.Random

    @property
    def messages(self) -> Sequence[Message]:
        return self.trajectory.messages

    @cached_property
    def calls(self) -> list[Made]:
        """Calls that succeeded, in order."""
        answers = {
            m.tool_call_id: n for n, m in enumerate(self.messages) if m.role == "tool"
        }
        return [
            Made(n, place, answers[made.id], made)
            for n, message in enumerate(self.messages)
            for place, made in enumerate(message.tool_calls)
            if made.id in answers and not self.messages[answers[made.id]].error
        ]

    @cached_property
    def writes(self) -> list[Made]:
        return [m for m in self.calls if self.environment.is_write(m.call.name)]

    @cached_property
    def reads(self) -> list[Made]:
        return [m for m in self.calls if self.environment.is_read(m.call.name)]

    def shown_before(self, index: int) -> list[str]:
        """Results of reads that stand before a message."""
        return [self.messages[m.answer].content for m in self.reads if m.answer < index]

    def agent_texts(self, since: int = 0) -> Iterator[tuple[int, str]]:
        """(index, text) of what the agent said from a message on."""
        for n, message in enumerate(self.messages):
            if n >= since and message.role == "assistant" and message.content:
                yield n, message.content

    def shuffled[T](self, values: Iterable[T]) -> list[T]:
        found = list(values)
        return self.rng.sample(found, len(found))

    def state_before(self, index: int) -> EnvironmentSession:
        """The world as it stood before a message."""
        session = self.environment.session()
        session.replay(m.call for m in self.calls if m.index < index)
        return session

    # --- what comes of a change ---

    def canary(
        self,
        messages: Iterable[Message],
        changed: str,
        message: int,
        pointer: str = "",
    ) -> Canary:
        copy = self.trajectory.model_copy(
            update={"messages": tuple(_renumbered(messages))}
        )
        return Canary(copy, changed, message, pointer)

    def replayed(self, messages: Sequence[Message]) -> list[Message] | None:
        """The messages with the results that their calls have now; None if a call fails that went well before, or is new."""
        failed = {m.tool_call_id for m in self.messages if m.error}
        session = self.environment.session()
        results = {
            made.id: session.call(made.call)
            for message in messages
            for made in message.tool_calls
        }
        if any(result.error and own not in failed for own, result in results.items()):
            return None
        return [
            message.model_copy(
                update={
                    "content": results[message.tool_call_id].content,
                    "error": results[message.tool_call_id].error,
                }
            )
            if message.role == "tool"
            else message
            for message in messages
        ]

    def with_write(self, write: Made, new: ToolCall) -> list[Message] | None:
        """The write changed, and everything that the agent said of it; None if the environment refuses it then."""
        messages = list(self.messages)
        messages[write.index] = with_call(messages[write.index], write.place, new)
        earlier = (made.index for made in self.writes if made.index < write.index)
        swaps = self._spoken_swaps(write, new)
        for n, text in self.agent_texts(since=max(earlier, default=0) + 1):
            messages[n] = saying(messages[n], swapped(text, swaps))
        return self.replayed(messages)

    def _spoken_swaps(self, write: Made, new: ToolCall) -> list[tuple[str, str]]:
        """(what was said of the write, what is to be said now): whole phrases of the world's first, then values."""
        words, before = self.environment.domain.words, self.state_before(write.index)
        after, other = before.fork(), before.fork()
        after.call(write.call)
        changed = list(differences(write.call, new))
        swaps = [
            (
                words.describe_write(write.call, before.state),
                words.describe_write(new, before.state),
            )
        ]
        if not other.call(new).error:
            swaps.append(
                (
                    words.describe_outcome(write.call, after.state),
                    words.describe_outcome(new, other.state),
                )
            )
        swaps += [(self._label(one), self._label(two)) for _, one, two in changed]
        swaps += [(str(one), str(two)) for _, one, two in changed]
        return [(one, two) for one, two in swaps if one and two and one != two]

    def _label(self, value: Any) -> str:
        """A candidate as agents call it: "5700864906 (fine, steel)"."""
        for table in self.task.tables:
            for line in table.lines:
                name, _, rest = line.label.partition(" · ")
                if name == value and rest:
                    return f"{name} ({rest})"
        return str(value)

    def new_call(self, call: ToolCall) -> tuple[Message, Message]:
        """A call and its result, which is empty until it is replayed."""
        example = self.calls[-1].made.id if self.calls else "call_0"
        taken = {made.id for m in self.messages for made in m.tool_calls}
        own = example
        while own in taken:  # of the same form, so that it is not given away by it
            own = re.sub(r"\d", lambda _: str(self.rng.randrange(10)), example)
            example += "0"
        made = MessageCall(id=own, name=call.name, arguments=call.arguments)
        return (
            Message(role="assistant", tool_calls=(made,)),
            Message(role="tool", tool_call_id=own),
        )


# --- messages ------------------------------------------------------------------------------------------------------------------


def saying(message: Message, text: str) -> Message:
    return message.model_copy(update={"content": text})


def with_call(message: Message, place: int, call: ToolCall) -> Message:
    calls = list(message.tool_calls)
    calls[place] = calls[place].model_copy(
        update={"name": call.name, "arguments": call.arguments}
    )
    return message.model_copy(update={"tool_calls": tuple(calls)})


def without_call(messages: Sequence[Message], made: Made) -> list[Message]:
    """Without a call and its result; its message goes with it if nothing else is in it."""
    kept = []
    for n, message in enumerate(messages):
        if n == made.answer:
            continue
        if n == made.index:
            calls = tuple(one for one in message.tool_calls if one.id != made.made.id)
            if not calls and not message.content:
                continue
            message = message.model_copy(update={"tool_calls": calls})
        kept.append(message)
    return kept


def _renumbered(messages: Iterable[Message]) -> Iterator[Message]:
    """Ids that count the calls go on counting them."""
    known = list(messages)
    own = [made.id for message in known for made in message.tool_calls]
    if not all(re.fullmatch(r"call_\d+", one) for one in own):
        yield from known
        return
    new = {one: f"call_{n}" for n, one in enumerate(own, 1)}
    for message in known:
        calls = tuple(
            made.model_copy(update={"id": new[made.id]}) for made in message.tool_calls
        )
        answers = new.get(message.tool_call_id, message.tool_call_id)
        yield message.model_copy(update={"tool_calls": calls, "tool_call_id": answers})


# --- values --------------------------------------------------------------------------------------------------------------------


def differences(one: ToolCall, other: ToolCall) -> Iterator[tuple[str, Any, Any]]:
    """(pointer, value, other value) of the leaves that both have and that differ."""
    mine, theirs = dict(leaves(one.arguments)), dict(leaves(other.arguments))
    for place, value in mine.items():
        if place in theirs and theirs[place] != value:
            yield place, value, theirs[place]


def swapped(text: str, swaps: Iterable[tuple[str, str]]) -> str:
    """A text with words changed, each place once: the first swap that fits takes it."""
    table = dict(reversed(list(swaps)))
    if not table:
        return text
    longest = sorted(table, key=len, reverse=True)
    pattern = "|".join(rf"(?<!\w){re.escape(one)}(?!\w)" for one in longest)
    return re.sub(pattern, lambda found: table[found.group()], text)

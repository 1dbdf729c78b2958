"""One trajectory laid out for checks: calls with results, replayed results, writes, coverage of the certificate."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any

from environments.core.environment import Environment
from environments.core.policy import Event, PolicyTrace
from environments.core.tools import ToolCall, ToolKind, ToolResult
from writ_app.engine.behaviour import UserAudit, audit_user, with_rejoined
from writ_app.engine.behaviour.listing import ids_in
from writ_app.engine.types import Ledger, Message, Provenance, Task, Trajectory
from writ_app.engine.verification.courses import Course, base_of
from writ_app.engine.verification.provenance import (
    Traced,
    trace_arguments,
    trace_lookups,
)
from writ_app.engine.verification.results import Shown, content_of
from writ_app.engine.verification.sources import Sources
from writ_app.engine.verification.texts import Text


@dataclass(frozen=True)
class Made:
    """One call of the trajectory. `index` is its message's place; `result` is what the environment answers when it is made again."""

    index: int
    call: ToolCall
    kind: ToolKind | None
    result: ToolResult
    answer: int | None
    """Place of the recorded result; None if there is none."""
    recorded: Message | None
    after: Course | None = None
    """Of a write that succeeded: the world as it left it."""

    @cached_property
    def ids(self) -> list[str]:
        """Values of the arguments that name one thing."""
        return ids_in(self.call)

    @property
    def error(self) -> bool:
        return self.result.error

    @property
    def wrote(self) -> bool:
        return self.tried_to_write and not self.error

    @property
    def tried_to_write(self) -> bool:
        return self.kind is ToolKind.WRITE


class Trace:
    """What the checks look at; each part is worked out once, when first asked for."""

    def __init__(
        self,
        environment: Environment,
        task: Task,
        trajectory: Trajectory,
        ledger: Ledger,
    ):
        self.environment = environment
        self.task = task
        self.trajectory = trajectory
        self.ledger = ledger
        self.messages: Sequence[Message] = trajectory.messages
        self._canonical: dict[str, str] = {}
        self.course = base_of(environment)
        """Where the conversation ended, once the calls were made again."""
        self.calls = self._replay()

    def _replay(self) -> list[Made]:
        answers = {
            message.tool_call_id: n
            for n, message in enumerate(self.messages)
            if message.role == "tool"
        }
        tools, found = self.environment.tools, list[Made]()
        calls = (
            (n, made) for n, m in enumerate(self.messages) for made in m.tool_calls
        )
        for n, made in calls:
            call, tool = made.call, tools.get(made.name)
            if tool is None:
                result = self.course.session.fork().call(call)
            elif tool.mutates:
                result, self.course = self.course.after(call)
            else:
                result = self.course.answer(call)
            place = answers.get(made.id)
            wrote = tool is not None and tool.mutates and not result.error
            found.append(
                Made(
                    index=n,
                    call=call,
                    kind=tool.kind if tool else None,
                    result=result,
                    answer=place,
                    recorded=None if place is None else self.messages[place],
                    after=self.course if wrote else None,
                )
            )
        return found

    @cached_property
    def writes(self) -> list[Made]:
        """Writes that succeeded."""
        return [made for made in self.calls if made.wrote]

    @cached_property
    def attempts(self) -> list[Made]:
        """Writes that the tools refused."""
        return [m for m in self.calls if m.tried_to_write and not m.wrote]

    @cached_property
    def agent_texts(self) -> list[tuple[int, str]]:
        return [
            (n, message.content)
            for n, message in enumerate(self.messages)
            if message.role == "assistant" and not message.tool_calls
        ]

    @cached_property
    def user_texts(self) -> list[tuple[int, str]]:
        return [(n, m.content) for n, m in enumerate(self.messages) if m.role == "user"]

    @cached_property
    def audit(self) -> UserAudit:
        """The user's side."""
        return audit_user(self.ledger, self.messages)

    # --- evidence ---

    def canonical(self, call: ToolCall) -> str:
        """Key of the call in the world's one spelling."""
        if call.key not in self._canonical:
            same = self.environment.domain.canonical_write(call)
            self._canonical[call.key] = same.key
        return self._canonical[call.key]

    @cached_property
    def gold_places(self) -> list[int | None]:
        """For each gold write: index of the message that made it; None if it was not made."""
        left = list(self.writes)
        places: list[int | None] = []
        for gold in self.task.gold:
            key = self.canonical(gold.call)
            made = next((m for m in left if self.canonical(m.call) == key), None)
            if made is not None:
                left.remove(made)
            places.append(None if made is None else made.index)
        return places

    @cached_property
    def refusal_place(self) -> int | None:
        """Index of the agent's last message that says no, once it had found anything: before, it was sorry for something else."""
        found = next((m.index for m in self.calls if not m.error), len(self.messages))
        return next(
            (n for n, t in reversed(self.agent_texts) if n > found and says_no(t)), None
        )

    @cached_property
    def told_places(self) -> list[int | None]:
        """For each thing to be told: index of the agent's first message that tells it."""
        return [
            next((n for n, text in self.agent_texts if tells(text, one.value)), None)
            for one in self.task.told
        ]

    @cached_property
    def deadlines(self) -> list[int]:
        """For each read of the certificate: index of the message before which it had to be made."""
        end = len(self.messages)
        if self.task.transferred:
            tool = self.environment.domain.words.transfer_tool
            handed = (made.index for made in self.calls if made.call.name == tool)
            return [next(handed, end)] * len(self.task.certificate)
        if self.task.declined:
            refused = end if self.refusal_place is None else self.refusal_place
            return [refused] * len(self.task.certificate)
        made = [place for place in self.gold_places if place is not None]
        first = min(made, default=end)
        deadlines = []
        for n in range(len(self.task.certificate)):
            needing = [
                end if place is None else place
                for gold, place in zip(self.task.gold, self.gold_places, strict=True)
                if n in gold.needs
            ]
            needing += [
                end if place is None else place
                for told, place in zip(self.task.told, self.told_places, strict=True)
                if n in told.needs
            ]
            deadlines.append(min(needing, default=first))
        return deadlines

    @cached_property
    def coverage(self) -> tuple[int | None, ...]:
        """For each read of the certificate: index of the message that made it, or an equivalent, in time."""
        reads: dict[str, list[Made]] = {}
        for made in self.calls:
            if not made.error and not made.tried_to_write:
                reads.setdefault(made.call.name, []).append(made)
        covered: list[int | None] = []
        for read, deadline in zip(self.task.certificate, self.deadlines, strict=True):
            first = deadline
            for call in (read.call, *read.equivalents):
                for made in reads.get(call.name, ()):
                    if made.index >= first:
                        break
                    if (  # to compare arguments first is quicker
                        made.call.arguments == call.arguments
                        and made.call.key == call.key
                    ):
                        first = made.index
            covered.append(first if first < deadline else None)
        return tuple(covered)

    @cached_property
    def superfluous(self) -> tuple[int, ...]:
        """Indexes of messages whose reads were repeated, failed or not needed."""
        needed = {place for place in self.coverage if place is not None}
        return tuple(
            dict.fromkeys(
                made.index
                for made in self.calls
                if made.kind is ToolKind.READ and made.index not in needed
            )
        )

    # --- grounds ---

    @cached_property
    def shown(self) -> list[Shown]:
        """Results that tell something: those of calls that did not fail."""
        return [
            Shown(
                made.answer,
                made.call,
                content_of(made.recorded.content),
                made.tried_to_write,
            )
            for made in self.calls
            if made.answer is not None and made.recorded and not made.error
        ]

    @cached_property
    def texts(self) -> list[Text]:
        """What the agent was told and shown, and its calls, in order."""
        told = [
            Text(n, message.content)
            for n, message in enumerate(self.messages)
            if message.role != "assistant"
        ]
        called = [Text(made.index, made.call.key) for made in self.calls]
        return sorted([*told, *called], key=attrgetter("index"))

    @cached_property
    def provenance(self) -> tuple[Provenance, ...]:
        """Of every leaf of every write, refused ones included, and of the gold; of the reads what is ungrounded."""
        tried = [made for made in self.calls if made.tried_to_write]
        writes = [Traced(made.index, made.call) for made in tried]
        paired = [
            Traced(place, gold.call)
            for place, gold in zip(self._paired(tried), self.task.gold, strict=True)
        ]
        sources = Sources(
            environment=self.environment,
            shown=self.shown,
            user=self.user_texts,
            agent=self.agent_texts,
            values=[v for one in (*writes, *paired) for _, v in one.leaves],
            read_again=self._read_again,
        )
        reads = (m for m in self.calls if m.kind is ToolKind.READ)
        return (
            *trace_arguments(
                sources, writes, self.task.gold, paired, len(self.messages)
            ),
            *trace_lookups(sources, (Traced(made.index, made.call) for made in reads)),
        )

    def _paired(self, tried: Sequence[Made]) -> list[int | None]:
        """For each gold write: index of the write made in its place, an equal one or else the first left of the same tool."""
        paired = list(self.gold_places)
        left = [made for made in tried if made.index not in paired]
        for n, gold in enumerate(self.task.gold):
            if paired[n] is None:
                same = (made for made in left if made.call.name == gold.call.name)
                if made := next(same, None):
                    left.remove(made)
                    paired[n] = made.index
        return paired

    def _read_again(self, call: ToolCall, before: int) -> str:
        """What a read would have answered just before a message that writes."""
        earlier = [made for made in self.writes if made.index < before]
        course = earlier[-1].after if earlier else None
        session = course.session if course else None
        return self.environment.answer(call, session).content

    def policy_trace(self) -> PolicyTrace:
        events = [
            *(Event(n, "agent", text) for n, text in self.agent_texts),
            *(Event(n, "user", with_rejoined(text)) for n, text in self.user_texts),
            *(
                Event(
                    made.index,
                    "agent",
                    call=made.call,
                    result=made.result,
                    kind=made.kind,
                )
                for made in self.calls
            ),
        ]
        return PolicyTrace(
            events=tuple(sorted(events, key=attrgetter("index"))),
            start=self.environment.session().state,
            lexicon=self.environment.domain.lexicon,
        )


_SAYS_NO = re.compile(
    r"\b(?:can't|can\s?not|could not|couldn't|unable|not able|won't be (?:able|possible)|impossible|not possible|isn't possible|"
    r"not allowed|isn't allowed|not permitted|not eligible|does not allow|doesn't allow|decline|unfortunately|sorry,? (?:but|no)\b|"
    r"afraid (?:that|not|i|we|this|it)\b|against (?:our|the) policy)\b",
    re.IGNORECASE,
)


def says_no(text: str) -> bool:
    """Whether an agent's message refuses something."""
    return bool(_SAYS_NO.search(text.replace("’", "'")))


_NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?")


def tells(text: str, value: Any) -> bool:
    """Whether a message tells a value: a number however it is written, a text in any case."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        numbers = (float(m.replace(",", "")) for m in _NUMBER.findall(text))
        return any(abs(number - value) < 0.005 for number in numbers)
    return str(value).lower() in text.lower()

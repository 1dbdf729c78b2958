"""A conversation as steps: a message is one, a call together with its result is one."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

from environments.core.environment import Environment
from environments.core.tools import ToolCall, ordered
from writ_app.engine.types import Message, MessageCall

Kind = Literal["user", "say", "read", "write", "call", "error"]


@dataclass(frozen=True)
class Step:
    """`number` counts from 1; `message` is the index of its (first) message, `name` the tool's."""

    number: int
    kind: Kind
    message: int
    text: str = ""
    name: str = ""
    arguments: Mapping[str, Any] | None = None
    answer: int | None = None
    """Index of the message that holds the result; None if there is none."""
    marks: tuple[str, ...] = ()
    """Names of the failed checks that point here."""
    superfluous: bool = False

    @property
    def id(self) -> str:
        return f"s{self.number}"

    @cached_property
    def result(self) -> Any:
        """The tool's answer: parsed if it is JSON, text otherwise."""
        return None if self.answer is None else parse_result(self.text)

    @property
    def call(self) -> ToolCall:
        return ToolCall(name=self.name, arguments=dict(self.arguments or {}))

    @property
    def failed(self) -> bool:
        return self.kind == "error" or bool(self.marks)

    @cached_property
    def size(self) -> int:
        return len(self.text) + self.call_size

    @cached_property
    def call_size(self) -> int:
        """Characters of the arguments."""
        return len(json.dumps(self.arguments)) if self.arguments else 0

    @property
    def short(self) -> bool:
        """Whether the arguments fit beside the tool's name."""
        return self.call_size <= SHORT_ARGUMENTS

    @property
    def told(self) -> str:
        """A short answer in words, which needs no opening."""
        plain = self.answer is not None and len(self.text) <= SHORT_ANSWER
        return self.text if plain and self.text[:1] not in ("{", "[") else ""

    @property
    def folds(self) -> bool:
        """Whether the text is shown in part until it is asked for."""
        return len(self.text) > FOLDED

    @property
    def cut(self) -> bool:
        """Whether a page holds only its beginning, and the rest is fetched."""
        return max(len(self.text), self.call_size) > FETCHED

    @property
    def title(self) -> str:
        """For a tooltip."""
        words = {"user": "user", "say": "agent", "error": f"{self.name}: error"}
        return f"{self.number} · {words.get(self.kind, self.name)}"


SHORT_ARGUMENTS = 64
SHORT_ANSWER = 160
FOLDED, FETCHED = 900, 6_000
"""Characters of a text above which it is folded, and above which the rest is not on the page."""
RIBBON_HEIGHT = 26
HEIGHT, HEIGHTS = 18, {"user": 12, "say": 12, "write": 26}
"""Of a glyph, and of the kinds that are lower or higher; writ.css draws sparklines as high."""
GAP = 2
MARKS: Mapping[str, Kind] = {"u": "user", "s": "say", "e": "error"}
"""Kinds of step as outlines have them; the rest are calls."""


class Glyph(NamedTuple):
    """One step in the ribbon: where it stands and how wide it is, in units of the picture."""

    kind: Kind
    x: int
    width: int
    title: str = ""
    target: str = ""
    failed: bool = False

    @property
    def height(self) -> int:
        return HEIGHTS.get(self.kind, HEIGHT)

    @property
    def y(self) -> int:
        return RIBBON_HEIGHT - self.height


@dataclass(frozen=True)
class Ribbon:
    glyphs: tuple[Glyph, ...]
    width: int
    height: int = RIBBON_HEIGHT


def make_ribbon(steps: Iterable[Step]) -> Ribbon:
    listed = list(steps)
    places, width = _laid_out(step.size for step in listed)
    glyphs = (
        Glyph(step.kind, *place, step.title, step.id, step.failed)
        for step, place in zip(listed, places, strict=True)
    )
    return Ribbon(tuple(glyphs), width)


def outlined_ribbon(
    outline: Sequence[Sequence[Any]], environment: Environment
) -> Ribbon:
    """The ribbon from what the database keeps of the steps (`ReviewItem.outline`): a list reads no conversation.

    A picture: its glyphs have no titles and lead nowhere.
    """
    places, width = _laid_out(size for _, size, *_ in outline)
    glyphs = (
        Glyph(MARKS.get(mark) or _tool_kind("".join(name), environment), *place)
        for (mark, _, *name), place in zip(outline, places, strict=True)
    )
    return Ribbon(tuple(glyphs), width)


def _laid_out(sizes: Iterable[int]) -> tuple[list[tuple[int, int]], int]:
    """(x, width) of every glyph, and the width of all.

    Wider steps hold more text; the square root keeps one long result from dwarfing the rest.
    """
    places, x = [], 0
    for size in sizes:
        width = min(46, 6 + round(size**0.5))
        places.append((x, width))
        x += width + GAP
    return places, max(x - GAP, 1)


def parse_result(text: str) -> Any:
    """The value a tool answered with. Only objects and lists are shown as JSON: "8371029" is an id, not a number."""
    if text[:1] in ("{", "["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return text


def make_steps(
    messages: Iterable[Message],
    environment: Environment,
    *,
    failed: Mapping[int, tuple[str, ...]] | None = None,
    superfluous: Iterable[int] = (),
) -> tuple[Step, ...]:
    """Steps in order. `failed` tells which checks failed at which message."""
    listed = list(messages)
    answers = {m.tool_call_id: (n, m) for n, m in enumerate(listed) if m.role == "tool"}
    repeated, failed, steps = set(superfluous), failed or {}, list[Step]()
    for index, message in enumerate(listed):
        if message.role == "tool":
            continue
        marks = failed.get(index, ())
        if message.content or not message.tool_calls:
            kind: Kind = "user" if message.role == "user" else "say"
            steps.append(
                Step(len(steps) + 1, kind, index, text=message.content, marks=marks)
            )
        for call in message.tool_calls:
            place, answer = answers.get(call.id, (None, None))
            steps.append(
                Step(
                    len(steps) + 1,
                    kind=_kind(call, answer, environment),
                    message=index,
                    text=answer.content if answer else "",
                    name=call.name,
                    arguments=in_order(environment, call.name, call.arguments),
                    answer=place,
                    marks=marks,
                    superfluous=index in repeated,
                )
            )
    return tuple(steps)


def _kind(call: MessageCall, answer: Message | None, environment: Environment) -> Kind:
    if answer is not None and answer.error:
        return "error"
    return _tool_kind(call.name, environment)


def _tool_kind(name: str, environment: Environment) -> Kind:
    if environment.is_read(name):
        return "read"
    return "write" if environment.is_write(name) else "call"


def in_order(
    environment: Environment, name: str, arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """Arguments in the order of the tool's signature: the database keeps values, not the order of their keys."""
    if name not in environment.tools:
        return dict(arguments)
    parameters = environment.tools[name].schema["function"]["parameters"]
    return ordered(parameters["properties"], arguments)


def brief_arguments(environment: Environment, call: ToolCall) -> str:
    """Arguments in a few words: the values alone."""
    return " · ".join(
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for value in in_order(environment, call.name, call.arguments).values()
    )

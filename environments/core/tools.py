"""Tools: methods of a toolkit over a session, with schemas made from their signatures and docstrings."""

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, ClassVar, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from environments.core.errors import NotOffered
from environments.core.state import Session


class ToolKind(StrEnum):
    READ = "read"
    WRITE = "write"
    GENERIC = "generic"


class Mode(StrEnum):
    """How a world treats the reference's known bugs (tau2 SPEC §14.1)."""

    STRICT = "strict"
    """They are kept, so that imported data gives the recorded results."""
    CORRECTED = "corrected"
    """They are mended, and a call that fails leaves nothing behind: for data of our own."""


@dataclass(frozen=True)
class Correction:
    """One thing that corrected mode does otherwise, in words for a person."""

    where: str
    strict: str
    corrected: str


TAKEN_BACK = Correction(
    "any write", "what an error leaves half done stays", "it is taken back"
)
"""What every world's corrected mode mends (see EnvironmentSession.call)."""


_text_of = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode


class ToolCall(BaseModel):
    """One call as an agent makes it. Hashable by its canonical text `key`."""

    model_config = ConfigDict(frozen=True)

    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)

    @cached_property
    def key(self) -> str:
        """Canonical text: equal calls have equal keys."""
        return f"{self.name}({_text_of(self.arguments)})"

    def __hash__(self) -> int:
        return hash(self.key)


@dataclass(frozen=True)
class ToolResult:
    """What the agent sees. `exception` is the class behind an error, for tests and logs only."""

    content: str
    error: bool = False
    exception: str = ""


@dataclass(frozen=True)
class Tool:
    name: str
    kind: ToolKind
    mutates: bool
    method: Callable[..., Any]

    @cached_property
    def schema(self) -> dict[str, Any]:
        """OpenAI form: {type: function, function: {name, description, parameters}}. Made when first asked for."""
        return _schema(self.method)


def ordered(names: Iterable[str], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments in the order of a tool's parameters, others after them: a database keeps values, not the order of their keys."""
    known = {name: arguments[name] for name in names if name in arguments}
    return known | {n: value for n, value in arguments.items() if n not in known}


def tool[F: Callable[..., Any]](
    kind: ToolKind, *, mutates: bool | None = None
) -> Callable[[F], F]:
    """Mark a toolkit method as a tool. `mutates` defaults to True for writes (SPEC §1)."""

    def mark(method: F) -> F:
        method.__tool__ = (kind, kind is ToolKind.WRITE if mutates is None else mutates)  # type: ignore[attr-defined]
        return method

    return mark


class Toolkit:
    """A domain's tools over one session: one method per tool, in the order in which the agent gets them."""

    tools: ClassVar[Mapping[str, Tool]] = {}

    def __init__(self, session: Session, mode: Mode = Mode.STRICT):
        self.session = session
        self.corrected = mode == Mode.CORRECTED

    def __init_subclass__(cls) -> None:
        """Tools of what it inherits from stand first, so that toolkits can be composed."""
        super().__init_subclass__()
        names = dict.fromkeys(
            name for one in reversed(cls.__mro__) for name in vars(one)
        )
        cls.tools = {
            name: Tool(name, method.__tool__[0], method.__tool__[1], method)
            for name in names
            if hasattr(method := getattr(cls, name), "__tool__")
        }

    def function(self, name: str) -> Callable[..., Any]:
        """A method that a task may call, tool or not. Raises NotOffered for private ones and those that are not there."""
        known = not name.startswith("_") and not hasattr(Toolkit, name)
        method = getattr(self, name, None) if known else None
        if name in ("session", "corrected") or not callable(method):
            raise NotOffered(f"{type(self).__name__} has no function {name!r}.")
        function: Callable[..., Any] = method
        return function


def _schema(method: Callable[..., Any]) -> dict[str, Any]:
    summary, rest, about = _docstring(inspect.getdoc(method) or "")
    hints = get_type_hints(method, include_extras=True)
    fields: dict[str, Any] = {
        name: (hints[name], Field(description=about.get(name)))
        for name in inspect.signature(method).parameters
        if name != "self"
    }
    parameters = create_model("parameters", **fields).model_json_schema()
    description = f"{summary}\n\n{rest}" if rest else summary
    return {
        "type": "function",
        "function": {
            "name": method.__name__,
            "description": description,
            "parameters": parameters,
        },
    }


def _docstring(text: str) -> tuple[str, str, dict[str, str]]:
    """Split a docstring into its first line, the rest, and the texts of its `Args:` section (which stands last)."""
    body, _, args = text.partition("\nArgs:\n")
    summary, _, rest = body.strip().partition("\n")
    about: dict[str, str] = {}
    name = ""
    for line in args.splitlines():
        if line.startswith("    ") and not line.startswith("     "):
            name, _, first = line.strip().partition(": ")
            about[name] = first
        elif line.strip():
            about[name] += "\n" + line.strip()
    return summary, rest.strip(), about

"""The messages of a row, however its author spells them, as stored messages of the engine.

Known spellings: `role`/`content` and `from`/`value`; user, human; assistant, gpt, model; system, developer; tool, observation,
function, tool_response; calls in `tool_calls` (arguments an object or its JSON text), in `function_call`, as messages of their own
(`function_call`, `tool_call`: the JSON text of one call or several), or in the text between <tool_call> tags.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from writ_app.engine.export.formats.chat import ERROR
from writ_app.engine.export.records import Json
from writ_app.engine.importing import limits, strict_json
from writ_app.engine.importing.errors import BadRow

ROLES = {
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "observation": "tool",
    "function": "tool",
    "function_response": "tool",
    "tool_response": "tool",
    "ipython": "tool",
    "function_call": "call",
    "tool_call": "call",
}
OWN_KEYS = frozenset(
    ("role", "content", "from", "value", "tool_calls", "tool_call_id", "function_call", "error")
)  # fmt: skip
IN_TEXT = re.compile(r"<tool_call>\s*(.*?)\s*</tool_call>", re.DOTALL)


@dataclass
class Talk:
    """What a row's messages say. `extras`: index of a message → its keys that have no place in ours."""

    system: str = ""
    messages: list[Json] = field(default_factory=list)
    extras: dict[str, Json] = field(default_factory=dict)


def read_talk(listed: Any, pointer: str, *, errors_by_text: bool = True) -> Talk:
    """`errors_by_text`: whether an answer that begins with “Error: ” is that of a call that failed. Raises BadRow."""
    if not isinstance(listed, list):
        raise BadRow(pointer, "must be a list of messages.")
    if len(listed) > limits.MESSAGES:
        raise BadRow(
            pointer, f"holds {len(listed):,} messages; {limits.MESSAGES:,} are allowed."
        )
    talk = _Reading(errors_by_text).read(listed, pointer)
    if not talk.messages:
        raise BadRow(pointer, "holds no message of user or assistant.")
    return talk


@dataclass
class _Reading:
    errors_by_text: bool
    talk: Talk = field(default_factory=Talk)
    used: set[str] = field(default_factory=set)
    """Ids of calls so far."""
    waiting: dict[str, list[str]] = field(default_factory=dict)
    """Id as given → own ids of calls that have no answer yet, the oldest first."""
    order: list[str] = field(default_factory=list)
    """Own ids of all that wait, the oldest first."""

    def read(self, listed: Sequence[Any], pointer: str) -> Talk:
        for n, one in enumerate(listed):
            there = f"{pointer}/{n}"
            if not isinstance(one, dict):
                raise BadRow(there, "must be an object.")
            self._message(one, _role(one, there), there, first=n == 0)
        return self.talk

    def _message(
        self, one: Mapping[str, Any], role: str, there: str, *, first: bool
    ) -> None:
        said = _said(one, there)
        if role == "system":
            if not first:
                raise BadRow(
                    there,
                    "a system message stands within the conversation: put what it says into the first one.",
                )
            self.talk.system = said
            return
        if role == "tool":
            self._answer(one, said, there)
        elif role == "call":
            self._spoken(
                "assistant", "", _calls_of_text(said, there), there, joined=True
            )
        else:
            said, calls = _calls_of(one, role, said, there)
            self._spoken(role, said, calls, there)
        more = {k: v for k, v in one.items() if k not in OWN_KEYS and v is not None}
        if more:
            self.talk.extras.setdefault(str(len(self.talk.messages) - 1), {}).update(
                more
            )

    def _spoken(
        self,
        role: str,
        said: str,
        calls: Sequence[Json],
        there: str,
        *,
        joined: bool = False,
    ) -> None:
        """`joined`: a call that is a message of its own belongs to the words of the assistant right before it."""
        if len(calls) > limits.CALLS:
            raise BadRow(there, f"makes more than {limits.CALLS} calls.")
        own = [self._own(made) for made in calls]
        last = self.talk.messages[-1] if self.talk.messages else None
        if joined and last and last["role"] == "assistant" and not last["tool_calls"]:
            last["tool_calls"] = own
            return
        self.talk.messages.append(stored(role, said, own))

    def _own(self, made: Json) -> Json:
        """The call under an id that no other has: files use ids again, or have none."""
        given = made["id"]
        free, n = given or f"call_{len(self.used) + 1}", 1
        while free in self.used:
            n += 1
            free = f"{given or 'call'}~{n}"
        self.used.add(free)
        self.waiting.setdefault(given, []).append(free)
        self.order.append(free)
        return {**made, "id": free}

    def _answer(self, one: Mapping[str, Any], said: str, there: str) -> None:
        given = one.get("tool_call_id") or ""
        if not isinstance(given, str):
            raise BadRow(f"{there}/tool_call_id", "must be a text.")
        own = self._answered(given)
        if own is None:
            raise BadRow(
                f"{there}/tool_call_id" if given else there,
                f"{given!r} answers no call before it."
                if given
                else "is a tool's answer, but no call waits for one.",
            )
        failed = one.get("error") is True
        failed = failed or (self.errors_by_text and said.startswith(ERROR))
        self.talk.messages.append(
            {
                "role": "tool",
                "content": said,
                "tool_calls": [],
                "tool_call_id": own,
                "error": failed,
            }
        )

    def _answered(self, given: str) -> str | None:
        """The call that an answer with this id is for; one without an id is for the call that waits longest."""
        if not given and self.order:
            own = self.order[0]
        elif self.waiting.get(given):
            own = self.waiting[given][0]
        else:
            return None
        self.order.remove(own)
        for names in self.waiting.values():
            if own in names:
                names.remove(own)
        return own


def stored(role: str, said: str, calls: Sequence[Json] = ()) -> Json:
    """A message as `Message.model_dump` has it."""
    return {
        "role": role,
        "content": said,
        "tool_calls": list(calls),
        "tool_call_id": "",
        "error": False,
    }


def _role(one: Mapping[str, Any], there: str) -> str:
    key = "role" if one.get("role") is not None else "from"
    given = one.get(key)
    if not isinstance(given, str) or given not in ROLES:
        known = ", ".join(ROLES)
        raise BadRow(
            f"{there}/{'role' if given is None else key}",
            f"is {str(given)[:60]!r}; known are {known}."
            if given is not None
            else "is missing.",
        )
    return ROLES[given]


def _said(one: Mapping[str, Any], there: str) -> str:
    """Text, or text in parts."""
    key = "content" if one.get("content") is not None else "value"
    given = one.get(key)
    if given is None:
        return ""
    if isinstance(given, str):
        return given
    if not isinstance(given, list):
        raise BadRow(f"{there}/{key}", "must be a text, or a list of texts in parts.")
    return "".join(_part(part, f"{there}/{key}/{n}") for n, part in enumerate(given))


def _part(part: Any, there: str) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, Mapping) and isinstance(part.get("text"), str):
        return str(part["text"])
    raise BadRow(there, "is no text: conversations with images or sound have no place.")


# --- calls ---------------------------------------------------------------------------------------------------------------------


def _calls_of(
    one: Mapping[str, Any], role: str, said: str, there: str
) -> tuple[str, list[Json]]:
    """(what is said beside them, the calls) of a message of user or assistant."""
    given = one.get("tool_calls")
    if given is not None and not isinstance(given, list):
        raise BadRow(f"{there}/tool_calls", "must be a list or null.")
    if given:
        calls = [
            read_call(made, f"{there}/tool_calls/{n}") for n, made in enumerate(given)
        ]
        return said, calls
    if one.get("function_call") is not None:
        return said, [read_call(one["function_call"], f"{there}/function_call")]
    if role == "assistant" and "<tool_call>" in said:
        return _split_text(said)
    return said, []


def _split_text(said: str) -> tuple[str, list[Json]]:
    """Calls between tags, if every one of them can be read; else it is all text."""
    try:
        calls = [
            call
            for found in IN_TEXT.findall(said)
            for call in _calls_of_text(found, "")
        ]
    except BadRow:
        return said, []
    return (IN_TEXT.sub("", said).strip(), calls) if calls else (said, [])


def _calls_of_text(said: str, there: str) -> list[Json]:
    value = parsed(said, there)
    several = value if isinstance(value, list) else [value]
    return [read_call(made, there) for made in several]


def read_call(made: Any, there: str) -> Json:
    """{id, name, arguments} of a call, with or without a `function` around name and arguments."""
    function, inner = made, there
    if isinstance(made, dict) and made.get("function") is not None:
        function, inner = made["function"], f"{there}/function"
    if not isinstance(made, dict) or not isinstance(function, dict):
        raise BadRow(inner, "must be an object with name and arguments.")
    name = function.get("name")
    if not isinstance(name, str) or not name:
        raise BadRow(f"{inner}/name", "must be the name of a tool.")
    given = made.get("id")
    if given is not None and not isinstance(given, str):
        raise BadRow(f"{there}/id", "must be a text.")
    arguments = _arguments(function, inner)
    return {"id": given or "", "name": name, "arguments": arguments}


def _arguments(function: Mapping[str, Any], there: str) -> Json:
    key = "arguments" if "arguments" in function else "parameters"
    value = function.get(key)
    there = f"{there}/{key if value is not None else 'arguments'}"
    if value is None or value == "":
        return {}
    if isinstance(value, str):
        value = parsed(value, there)
        if isinstance(value, str):
            raise BadRow(
                there, "is the JSON text of a text: it was encoded twice. Encode once."
            )
    if not isinstance(value, dict):
        raise BadRow(there, "must be an object, or the JSON text of one.")
    return value


def parsed(text: str, there: str) -> Any:
    """The value of a JSON text within a row. Raises BadRow."""
    try:
        return strict_json.loads(text)
    except strict_json.BadJson as error:
        where = f" at character {error.at + 1}" if error.at is not None else ""
        raise BadRow(there, f"{error}{where}.") from error


# --- tools ---------------------------------------------------------------------------------------------------------------------


def read_tools(value: Any, there: str) -> list[Json]:
    """Tool schemas in OpenAI's shape, from a list or its JSON text; a schema, and its parameters, may be text, too."""
    if isinstance(value, str):
        value = parsed(value, there) if value.strip() else []
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadRow(there, "must be a list of tools, or the JSON text of one.")
    if len(value) > limits.TOOLS:
        raise BadRow(there, f"holds more than {limits.TOOLS:,} tools.")
    return list(_tools(value, there))


def _tools(value: Sequence[Any], pointer: str) -> Iterator[Json]:
    for n, one in enumerate(value):
        there = f"{pointer}/{n}"
        tool = parsed(one, there) if isinstance(one, str) else one
        if isinstance(tool, Mapping) and "function" not in tool and "name" in tool:
            tool = {"type": "function", "function": dict(tool)}
        function = tool.get("function") if isinstance(tool, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(
            function.get("name"), str
        ):
            raise BadRow(there, "must be a tool's schema, with function and name.")
        if isinstance(function.get("parameters"), str):
            parameters = parsed(function["parameters"], f"{there}/function/parameters")
            tool = {**tool, "function": {**function, "parameters": parameters}}
        yield dict(tool)

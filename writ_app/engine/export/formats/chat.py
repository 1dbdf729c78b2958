"""Messages as chat templates take them: role, content, tool_calls with a function each. Several formats spell them so."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from writ_app.engine.export.fixed import (
    FixedList,
    FixedObject,
    fixed_list,
    fixed_object,
)
from writ_app.engine.export.formats.base import Conversation
from writ_app.engine.export.records import Json, World, compact, spoken, tool_message
from writ_app.engine.export.unfit import UnfitRow

ERROR = "Error: "
"""How the answer to a call that failed begins."""
ERRORS_BY_TEXT = (
    f"Whether a call failed is told by its answer alone, which begins with “{ERROR}”."
)
NO_NULLS = "Arguments that are null are left out, as templates would print them."
NO_STOP = (
    "The user's last message is left out if it only ends the simulation (a stop token)."
)
USER_TOOLS = "The user calls tools, for which there is no place here."
NO_FACTS = "Facts beside the conversation are left out; the rows stand in the order of the canonical file."

LOST = (ERRORS_BY_TEXT, NO_NULLS, NO_STOP, NO_FACTS)
"""What nearly every format loses."""


def system_message(world: World) -> FixedObject:
    return world.once(_system_message)


def _system_message(world: World) -> FixedObject:
    return fixed_object({"role": "system", "content": world.system})


def tools(world: World) -> FixedList:
    return world.once(_tools)


def _tools(world: World) -> FixedList:
    return fixed_list(list(world.tools))


def chat_message(
    message: Json, arguments: Callable[[Json], Any], *, content: bool
) -> Json:
    """A canonical message as a template takes it. `content`: every message has that key, empty beside calls."""
    if message["role"] == "tool":
        return {
            "role": "tool",
            "tool_call_id": message["tool_call_id"],
            "content": message["content"],
        }
    if "tool_calls" not in message:
        return {"role": message["role"], "content": message.get("content", "")}
    calls = [
        {
            "id": made["id"],
            "type": "function",
            "function": {
                "name": made["name"],
                "arguments": arguments(made["arguments"]),
            },
        }
        for made in message["tool_calls"]
    ]
    if content or message.get("content"):
        return {
            "role": "assistant",
            "content": message.get("content", ""),
            "tool_calls": calls,
        }
    return {"role": "assistant", "tool_calls": calls}


def as_text(arguments: Json) -> str:
    return compact(arguments)


def without_nulls(arguments: Json) -> Json:
    if None in arguments.values():
        return {name: value for name, value in arguments.items() if value is not None}
    return arguments


def text_without_nulls(arguments: Json) -> str:
    return compact(without_nulls(arguments))


def call_text(made: Json) -> str:
    """A call as one JSON object, for formats whose messages are all text. Its id is lost."""
    return compact(
        {"name": made["name"], "arguments": without_nulls(made["arguments"])}
    )


# --- back ----------------------------------------------------------------------------------------------------------------------


def parse_chat(row: Mapping[str, Any]) -> Conversation:
    """The conversation of a row with `messages` and `tools`; keys that are null count as absent. Raises UnfitRow."""
    system, messages = split_system(listed(row, "messages"))
    return Conversation(
        system, [parse_message(one) for one in messages], parse_tools(row.get("tools"))
    )


def listed(row: Mapping[str, Any], key: str) -> list[Any]:
    value = row.get(key)
    if not isinstance(value, list):
        raise UnfitRow("bad_row", f"There is no list of {key}.")
    return value


def listed_if_any(row: Mapping[str, Any], key: str) -> list[Any]:
    return listed(row, key) if row.get(key) is not None else []


def split_system(messages: Sequence[Any]) -> tuple[str, Sequence[Any]]:
    """(system prompt, the other messages); none: ""."""
    if messages and part(messages[0], "role") == "system":
        return text(messages[0], "content"), messages[1:]
    return "", messages


def parse_message(one: Any) -> Json:
    role = part(one, "role")
    if role == "tool":
        return answer(text(one, "tool_call_id"), text(one, "content"))
    if role not in ("user", "assistant"):
        raise UnfitRow("bad_message", f"A message has the role {role!r}.")
    calls = [parse_call(made) for made in listed_if_any(one, "tool_calls")]
    if calls and role == "user":
        raise UnfitRow("user_tools", USER_TOOLS)
    return spoken(role, text(one, "content"), calls)


def answer(tool_call_id: str, content: str) -> Json:
    """A tool's message; whether its call failed is told by its text."""
    made = tool_message(tool_call_id, content)
    if content.startswith(ERROR):
        made["error"] = True
    return made


def parse_call(made: Any) -> Json:
    function = part(made, "function")
    return {"id": text(made, "id"), **parse_function(function)}


def parse_function(function: Any) -> Json:
    """{name, arguments} of a call; arguments may be an object or its JSON text, but not the text of a text."""
    name = part(function, "name")
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        arguments = parse_json(arguments, f"The arguments of {name}")
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise UnfitRow(
            "double_encoded",
            f"The arguments of {name} are not an object, or were encoded twice.",
        )
    return {"name": name, "arguments": arguments}


def parse_tools(value: Any) -> list[Json]:
    """Schemas as a list or its JSON text; a schema may be text, and so may the parameters of one."""
    if isinstance(value, str):
        value = parse_json(value or "[]", "The tools")
    if not isinstance(value or [], list):
        raise UnfitRow("bad_row", "The tools are not a list.")
    return [_parse_tool(one) for one in value or ()]


def _parse_tool(one: Any) -> Json:
    tool = parse_json(one, "A tool") if isinstance(one, str) else one
    function = part(tool, "function")
    part(function, "name")
    if isinstance(function.get("parameters"), str):
        parameters = parse_json(function["parameters"], "The parameters of a tool")
        return {**tool, "function": {**function, "parameters": parameters}}
    return dict(tool)


def parse_json(value: str, what: str) -> Any:
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise UnfitRow("bad_row", f"{what} cannot be read: {error}.") from error


def part(value: Any, key: str) -> Any:
    if not isinstance(value, Mapping) or value.get(key) is None:
        raise UnfitRow("bad_row", f"A message or call has no {key}.")
    return value[key]


def text(message: Any, key: str) -> str:
    value = message.get(key)
    if value is not None and not isinstance(value, str):
        raise UnfitRow("null_content", f"A message's {key} is not a text.")
    return value or ""

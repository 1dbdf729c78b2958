"""Random records that any target may hold, with everything that a conversation can have in it."""

from typing import Any

from hypothesis import strategies as st

from tests.engine.export.made import TIMES
from writ_app.engine.behaviour import STOP_TOKENS
from writ_app.engine.export.lint import TEMPLATE_TOKENS
from writ_app.engine.export.records import (
    Json,
    Record,
    World,
    content_hash_of,
    digest,
    spoken,
    tool_message,
    trajectory_json,
)

TOOLS = ("find", "book", "café")


def _tool(name: str) -> Json:
    parameters = {
        "$defs": {"Leg": {"type": "object", "properties": {"to": {"type": "string"}}}},
        "type": "object",
        "properties": {
            "a": {"type": "string", "default": None},
            "legs": {"type": "array", "items": {"$ref": "#/$defs/Leg"}},
        },
        "required": [],
    }
    function = {"name": name, "description": f"{name} — 查", "parameters": parameters}
    return {"type": "function", "function": function}


WORLD = World(
    name="small",
    version="1",
    content_hash=digest("content"),
    state_hash=digest("state"),
    policy="Be kind. — Règle 1",
    system="Help.\n<policy>\nBe kind. — Règle 1\n</policy>",
    tools=tuple(map(_tool, TOOLS)),
)


def _plain(text: str) -> bool:
    return (
        not TEMPLATE_TOKENS.search(text)
        and "think>" not in text
        and not any(token in text for token in STOP_TOKENS)
    )


any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40).filter(_plain)
said = any_text.filter(lambda text: bool(text.strip()))
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | any_text
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3)
    ),
    max_leaves=6,
)
arguments = st.dictionaries(any_text, values, max_size=4)
results = any_text | st.builds("Error: {}".format, any_text) | st.just("x" * 20_000)


@st.composite
def records(draw: st.DrawFn, reasoning: bool = True) -> Record:
    """A greeting or none; rounds of the user's words, calls with their results, the assistant's words; a stop or none."""
    messages: list[Json] = []
    if draw(st.booleans()):
        messages.append(spoken("assistant", draw(said)))
    for _ in range(draw(st.integers(1, 3))):
        messages.append(spoken("user", draw(said)))
        for _ in range(draw(st.integers(0, 2))):
            messages += draw(_called(len(messages), reasoning))
        messages.append(spoken("assistant", draw(_thought(reasoning)) + draw(said)))
    if draw(st.booleans()):
        stop = draw(any_text) + draw(st.sampled_from(STOP_TOKENS))
        messages.append(spoken("user", stop))
    return recorded(messages)


@st.composite
def _called(draw: st.DrawFn, at: int, reasoning: bool) -> list[Json]:
    call = {
        "id": f"{draw(any_text)}{at}",
        "name": draw(st.sampled_from(TOOLS)),
        "arguments": draw(arguments),
    }
    answer = tool_message(call["id"], draw(results))
    if draw(st.booleans()):
        answer["error"] = True
    return [spoken("assistant", draw(_thought(reasoning)), [call]), answer]


def _thought(reasoning: bool) -> st.SearchStrategy[str]:
    """Without words after it, it may stand beside a call."""
    nothing = st.just("")
    if not reasoning:
        return nothing
    return nothing | st.builds("<think>{}</think>\n\n".format, any_text)


def recorded(messages: list[Json], **facts: Any) -> Record:
    """A record of these messages with all that a simulation tells, under its own id."""
    told = {
        "plan": "upfront",
        "seed": 3,
        "agent": "some/model",
        "user": "scripted",
        "prompt_version": "1",
        "ended_by": "user_stop",
        **TIMES,
        **facts,
    }
    record = Record("", digest("task"), "train", WORLD, messages, told)
    own = content_hash_of(trajectory_json(record))
    return Record(own, record.task, "train", WORLD, messages, told)

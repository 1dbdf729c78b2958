"""Rows of releases of the first manifest: their bytes stay what they were, letter by letter."""

from writ_app.engine.export.first_rows import Source, to_openai_row, to_pair, to_trl_row
from writ_app.engine.export.records import compact
from writ_app.engine.types import Ending, Message, MessageCall, Trajectory

TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {}}}]
SYSTEM = (
    '{"role":"system","content":"<instructions>\\nYou are a customer service agent. Help the customer, and keep to the policy below.\\n'
    "In each turn either write a message to the customer or make a tool call. Never do both in one turn.\\n"
    "Be helpful, follow the policy at all times, and make sure that every tool call is valid JSON.\\n</instructions>\\n"
    '<policy>\\nBe kind.\\n</policy>"}'
)
END = '"tools":[{"type":"function","function":{"name":"look","parameters":{}}}]'


def source(answer: str = "Größe M.") -> Source:
    call = MessageCall(id="c1", name="look", arguments={"b": 1, "a": None})
    messages = (
        Message(role="assistant", content="Hi!"),
        Message(role="user", content="What size?"),
        Message(role="assistant", tool_calls=(call,)),
        Message(role="tool", tool_call_id="c1", content='{"size": "M"}'),
        Message(role="assistant", content=answer),
        Message(role="user", content="Thanks. ###STOP###"),
    )
    trajectory = Trajectory(
        task_hash="t",
        plan="upfront",
        seed=1,
        agent="a",
        user="u",
        prompt_version="1",
        messages=messages,
        ended_by=Ending.USER_STOP,
    )
    return Source("Be kind.", TOOLS, trajectory)


def test_of_openai_chat() -> None:
    assert compact(to_openai_row(source())) == (
        f'{{"messages":[{SYSTEM},{{"role":"assistant","content":"Hi!"}},{{"role":"user","content":"What size?"}},'
        '{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"look","arguments":"{\\"b\\": 1, \\"a\\": null}"}}]},'
        '{"role":"tool","tool_call_id":"c1","content":"{\\"size\\": \\"M\\"}"},{"role":"assistant","content":"Größe M."}],'
        f'{END},"parallel_tool_calls":false}}'
    )


def test_of_trl() -> None:
    assert compact(to_trl_row(source())) == (
        f'{{"messages":[{SYSTEM},{{"content":"Hi!","role":"assistant"}},{{"content":"What size?","role":"user"}},'
        '{"content":"","role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"look","arguments":{"b":1}}}]},'
        '{"content":"{\\"size\\": \\"M\\"}","role":"tool","tool_call_id":"c1"},{"content":"Größe M.","role":"assistant"}],'
        f"{END}}}"
    )


def test_of_pairs() -> None:
    row = to_pair(source("Size M."), source("Size L."))

    assert [message["role"] for message in row["prompt"]][-1] == "tool"
    assert row["chosen"] == [{"role": "assistant", "content": "Size M."}]
    assert row["rejected"] == [{"role": "assistant", "content": "Size L."}]
    assert row["tools"] == TOOLS

"""What each side is told and sees: the system prompts, and the user's view of what was said (tau2 SPEC §9.8, §9.1, §10)."""

from collections.abc import Sequence

from writ_app.engine.behaviour import STOP_TOKENS, instructions
from writ_app.engine.types import Ledger, Message, Task

PROMPT_VERSION = "2026-11.2"
"""Changes whenever a prompt below or `behaviour.instructions` does."""
GREETING = "Hi! How can I help you today?"


AGENT_PROMPT = """\
<instructions>
You are a customer service agent. Help the customer, and keep to the policy below.
In each turn either write a message to the customer or make a tool call. Never do both in one turn.
Be helpful, follow the policy at all times, and make sure that every tool call is valid JSON.
</instructions>
<policy>
{policy}
</policy>"""

USER_PROMPT = """\
You play a customer who talks to a customer service agent. The scenario below says who you are and what you want.

- Write one message at a time, as a person in a chat does. Keep it natural.
- Keep strictly to the scenario. Never invent facts: what it does not tell, you do not know.
- Use your own words instead of quoting the scenario, but give names, numbers and codes exactly.
- Tell things as the scenario says: when it says only when asked, wait until you are asked.
- Answer a question for confirmation with a clear yes if it is what you want.
- Go on until everything you want is done or refused for good. Then end with {stop} in your last message.
- If you are transferred to a human agent, end with {transfer}.
- If the scenario gives you nothing to answer with, end with {out_of_scope}.

<scenario>
{scenario}
</scenario>"""


def agent_prompt(policy: str) -> str:
    """System prompt of the agent: instructions and the policy (SPEC §9.1)."""
    return AGENT_PROMPT.format(policy=policy.strip())


def user_prompt(task: Task, ledger: Ledger) -> str:
    """System prompt of a model that plays the user (SPEC §10)."""
    return user_prompt_of(instructions(task, ledger))


def user_prompt_of(scenario: str) -> str:
    """The same around any scenario."""
    stop, transfer, out = STOP_TOKENS
    return USER_PROMPT.format(
        stop=stop, transfer=transfer, out_of_scope=out, scenario=scenario
    )


def user_view(messages: Sequence[Message]) -> list[Message]:
    """What the user sees: roles flipped, calls and their results (and texts beside calls) left out (SPEC §9.8)."""
    return [seen for seen in map(seen_by_user, messages) if seen is not None]


def seen_by_user(message: Message) -> Message | None:
    """One message as the user sees it; None if it is not for the user."""
    if message.role == "tool" or message.tool_calls:
        return None
    return Message(
        role="assistant" if message.role == "user" else "user",
        content=message.content,
    )

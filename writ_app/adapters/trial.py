"""Asking an endpoint twice, once for a text and once for a tool call, to see whether it can be used.

`python -m writ_app.adapters.trial` reads an endpoint's profile from standard input and prints the Trial as JSON: litellm takes
seconds and 170 MB to import, so a web server tries endpoints in a process that ends.
"""

import sys
import time
from contextlib import redirect_stdout
from typing import Any, Literal

from writ_app.adapters import chat
from writ_app.adapters.litellm_setup import load_litellm
from writ_app.engine.errors import MalformedCompletion, ModelUnavailable
from writ_app.engine.llm import Completion
from writ_app.engine.types import Frozen, Message, MessageCall

TEXT_PROMPT = "Answer with one short sentence: are you ready to help a customer?"
ORDER = "#W0000042"
TOOL_PROMPT = f"Look up order {ORDER} with the tool that you are given."
SYSTEM = "You are a customer service agent. Use a tool if one is given."
TOOL = {
    "type": "function",
    "function": {
        "name": "get_order_details",
        "description": "Get the status and details of an order.",
        "parameters": {
            "type": "object",
            "properties": {
                "order_id": {
                    "type": "string",
                    "description": "The order's id, such as '#W0000000'.",
                }
            },
            "required": ["order_id"],
        },
    },
}
MOST_SECONDS = 60.0
"""For one answer, whatever the endpoint's own time-out is: somebody is waiting."""
NO_COMPLETION = (
    "Check the base URL: of an OpenAI-compatible server it usually ends in /v1."
)
NO_TOOLS = (
    "Without tool calls it can play the user and reword requests, but not the agent. Choose a model that knows tools, or switch "
    "them on where it is served (vLLM: --enable-auto-tool-choice with --tool-call-parser)."
)


class Profile(Frozen):
    """What is to be tried. Prices in US dollars per million tokens; None: as litellm's table has them."""

    name: str
    model: str
    base_url: str = ""
    key_variable: str = ""
    parameters: dict[str, Any] = {}
    prompt_price: float | None = None
    completion_price: float | None = None


class TriedCall(Frozen):
    """One answer, or why there is none. `problem` says what is wrong, `advice` what to do about it."""

    kind: Literal["text", "tool"]
    answered: bool = True
    """Whether the provider gave anything, usable or not."""
    problem: str = ""
    advice: str = ""
    text: str = ""
    reasoning: str = ""
    calls: tuple[MessageCall, ...] = ()
    seconds: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = 0.0
    """US dollars; None: no price is known."""
    raw: Any = None
    """What the provider sent, as JSON; None if nothing usable came."""


class Trial(Frozen):
    calls: tuple[TriedCall, ...] = ()
    problem: str = ""
    """Why nothing was asked at all."""

    @property
    def passed(self) -> bool:
        return not self.problem and not any(call.problem for call in self.calls)


def try_profile(profile: Profile) -> Trial:
    """Two answers; one if the first shows that the provider cannot be used. Whatever happens is an outcome."""
    limit = profile.parameters.get("timeout", chat.TIMEOUT)
    try:
        model = chat.from_endpoint(
            name=profile.name,
            model=profile.model,
            base_url=profile.base_url,
            key_variable=profile.key_variable,
            parameters={**profile.parameters, "timeout": min(limit, MOST_SECONDS)},
            prompt_price=profile.prompt_price,
            completion_price=profile.completion_price,
        )
    except ModelUnavailable as error:
        return Trial(problem=str(error))
    load_litellm()  # not counted as the model's time
    text = _ask(model, "text")
    if not text.answered:
        return Trial(calls=(text,))
    return Trial(calls=(text, _ask(model, "tool")))


def _ask(model: chat.LiteLLMChat, kind: Literal["text", "tool"]) -> TriedCall:
    prompt = TOOL_PROMPT if kind == "tool" else TEXT_PROMPT
    began = time.monotonic()
    answer = Completion()
    problem, advice, answered = "", "", True
    try:
        answer = model.complete(
            system=SYSTEM,
            messages=[Message(role="user", content=prompt)],
            tools=[TOOL] if kind == "tool" else [],
            seed=1,
        )
    except ModelUnavailable as error:
        problem, answered = str(error), False
    except MalformedCompletion as error:
        problem, advice = str(error), NO_COMPLETION
        if isinstance(error.answer, Completion):  # what could be read of it
            answer, advice = error.answer, ""
    else:
        problem = _wrong_call(answer) if kind == "tool" else ""
    return TriedCall(
        kind=kind,
        answered=answered,
        problem=problem,
        advice=NO_TOOLS if problem and kind == "tool" else advice,
        text=answer.content,
        reasoning=answer.reasoning,
        calls=answer.tool_calls,
        seconds=time.monotonic() - began,
        prompt_tokens=answer.usage.prompt_tokens,
        completion_tokens=answer.usage.completion_tokens,
        cost=answer.usage.cost if answer.priced else None,
        raw=answer.raw,
    )


def _wrong_call(answer: Completion) -> str:
    """What is wrong with an answer that should be one call, "" if nothing is."""
    if not answer.tool_calls:
        return "It was asked to call a tool and answered in words."
    call, *more = answer.tool_calls
    if more or call.name != "get_order_details":
        return "It called something else than the one tool that it was asked to call."
    if call.arguments != {"order_id": ORDER}:
        return "It called the tool with other arguments than it was given."
    return ""


def main() -> None:
    profile = Profile.model_validate_json(sys.stdin.read())
    with redirect_stdout(sys.stderr):  # whatever a library prints is not the result
        trial = try_profile(profile)
    sys.stdout.write(trial.model_dump_json())


if __name__ == "__main__":
    main()

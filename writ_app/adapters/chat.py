"""Chat models behind any provider or OpenAI-compatible address, through litellm, which is imported inside the call (it takes seconds).

Errors come out as two kinds: ModelUnavailable (the provider; `retryable` says whether asking again may help) and
MalformedCompletion (the model). litellm's own retries are off: who asks again, and when, is the simulation's business.
"""

import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from writ_app.engine.errors import MalformedCompletion, ModelUnavailable
from writ_app.engine.llm import Completion
from writ_app.engine.types import Message, MessageCall, Usage

TIMEOUT = 120.0
"""Seconds for one answer, unless the parameters say otherwise."""
NO_KEY = "none"
"""Sent to addresses that ask for no key: the client insists on one."""


@dataclass(frozen=True)
class LiteLLMChat:
    """A ChatModel. `parameters` go to the provider as they are: temperature, max_tokens, timeout (seconds), …"""

    name: str
    model: str
    """As litellm names it, e.g. `openai/some-model`."""
    base_url: str = ""
    api_key: str = field(default="", repr=False)
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def complete(
        self,
        *,
        system: str,
        messages: Sequence[Message],
        tools: Sequence[dict[str, Any]],
        seed: int,
    ) -> Completion:
        """One answer. Raises ModelUnavailable and MalformedCompletion."""
        litellm = load_litellm()
        try:
            response = litellm.completion(
                **self._request(system, messages, tools, seed)
            )
        except (
            Exception
        ) as error:  # every provider has its own; litellm's classes tell them apart
            raise self._translated(litellm, error) from error
        return to_completion(response)

    def _request(
        self,
        system: str,
        messages: Sequence[Message],
        tools: Sequence[dict[str, Any]],
        seed: int,
    ) -> dict[str, Any]:
        request: dict[str, Any] = {
            "temperature": 0.0,
            "timeout": TIMEOUT,
            "seed": seed,
            **self.parameters,
            "model": self.model,
            "messages": [
                {"role": "system", "content": system},
                *map(to_openai, messages),
            ],
            "num_retries": 0,
            "max_retries": 0,
            "drop_params": True,
            # With tools, litellm 1.106 otherwise imports its MCP proxy, whose requirements it does not bring.
            "_skip_mcp_handler": True,
        }
        if tools:
            request |= {"tools": list(tools), "tool_choice": "auto"}
        if self.base_url:
            request |= {"base_url": self.base_url, "api_key": self.api_key or NO_KEY}
        elif self.api_key:
            request["api_key"] = self.api_key
        return request

    def _translated(
        self, litellm: Any, error: Exception
    ) -> ModelUnavailable | MalformedCompletion:
        """Ours for litellm's. What is not known is taken for a provider's fault that may pass."""
        where = f"{self.model} at {self.base_url}" if self.base_url else self.model
        if _is_garbage(litellm, error):
            return MalformedCompletion(
                f"{where} sent an answer that is not a completion."
            )
        retryable, text = _judged(litellm, error)
        if _no_credit(error):
            retryable, text = False, "has no credit left; top up the provider's account"
        return ModelUnavailable(
            f"{where} {text} ({self._without_key(_short(error))})",
            retryable=retryable,
            retry_after=retry_after(error),
        )

    def _without_key(self, text: str) -> str:
        """Providers like to quote the key that they refuse."""
        return text.replace(self.api_key, "…") if self.api_key else text


def from_endpoint(
    *,
    name: str,
    model: str,
    base_url: str = "",
    key_variable: str = "",
    parameters: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> LiteLLMChat:
    """The model of a stored endpoint, which names the variable that holds its key. Raises ModelUnavailable if that is not set."""
    keys = os.environ if environ is None else environ
    key = keys.get(key_variable, "") if key_variable else ""
    if key_variable and not key:
        raise ModelUnavailable(
            f"The endpoint {name} needs a key: set {key_variable} in the environment of the workers.",
            retryable=False,
        )
    return LiteLLMChat(name, model, base_url, key, dict(parameters or {}))


@cache
def load_litellm() -> Any:
    """litellm with everything off that would go to the network by itself or print."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ.setdefault("LITELLM_TELEMETRY", "False")
    import litellm

    litellm.telemetry = False
    litellm.suppress_debug_info = True
    logging.getLogger("LiteLLM").setLevel(logging.ERROR)
    return litellm


# --- messages ------------------------------------------------------------------------------------------------------------------


def to_openai(message: Message) -> dict[str, Any]:
    """One message in the form of OpenAI's chat API; arguments are JSON text there."""
    if message.role == "tool":
        return {
            "role": "tool",
            "tool_call_id": message.tool_call_id,
            "content": message.content,
        }
    if not message.tool_calls:
        return {"role": message.role, "content": message.content}
    return {
        "role": message.role,
        "content": message.content or None,
        "tool_calls": [
            {
                "id": made.id,
                "type": "function",
                "function": {
                    "name": made.name,
                    "arguments": json.dumps(made.arguments, ensure_ascii=False),
                },
            }
            for made in message.tool_calls
        ],
    }


def to_completion(response: Any) -> Completion:
    """Ours for a provider's answer. Raises MalformedCompletion for one without text and calls, or with broken calls."""
    choices = getattr(response, "choices", None)
    choice = choices[0] if choices else None
    message = getattr(choice, "message", None)
    if choice is None or message is None:
        raise MalformedCompletion("The answer has no choices.")
    calls = tuple(map(_to_call, message.tool_calls or ()))
    content = message.content or ""
    if not isinstance(content, str):
        raise MalformedCompletion("The answer's content is not a text.")
    if not calls and not content.strip():
        raise MalformedCompletion("The answer has neither text nor a tool call.")
    if not calls and choice.finish_reason == "length":
        raise MalformedCompletion("The answer was cut off: it reached max_tokens.")
    return Completion(
        content=content,
        tool_calls=calls,
        usage=_usage(response),
        reasoning=getattr(message, "reasoning_content", None) or "",
    )


def _to_call(made: Any) -> MessageCall:
    """Raises MalformedCompletion for arguments that are not a JSON object."""
    name, text = made.function.name, made.function.arguments
    try:
        arguments = json.loads(text) if isinstance(text, str) and text.strip() else text
    except ValueError:
        arguments = None
    if not name or not isinstance(arguments or {}, dict) or arguments is None:
        raise MalformedCompletion(
            f"The call of {name or 'no tool'} has arguments that are not a JSON object: {str(text)[:200]}"
        )
    return MessageCall(id=made.id or "", name=name, arguments=arguments or {})


def _usage(response: Any) -> Usage:
    usage = getattr(response, "usage", None)
    hidden = getattr(response, "_hidden_params", None) or {}
    return Usage(
        prompt_tokens=getattr(usage, "prompt_tokens", None) or 0,
        completion_tokens=getattr(usage, "completion_tokens", None) or 0,
        cost=hidden.get("response_cost") or 0.0,
    )


# --- errors --------------------------------------------------------------------------------------------------------------------

_BUSY = (408, 409, 425, 429)
"""Statuses below 500 that may pass."""
_KEY = "refused the key; check the variable that the endpoint names for it"
_REFUSALS = {
    401: _KEY,
    403: _KEY,
    404: "is not there; check the endpoint's model and base URL",
    429: "asks to slow down",
}


def _judged(litellm: Any, error: Exception) -> tuple[bool, str]:
    """Whether asking again may help, and what happened with what to do about it."""
    if isinstance(error, litellm.ContextWindowExceededError):
        text = "cannot take a conversation of this length; choose a model with a larger context"
        return False, text
    if isinstance(error, litellm.Timeout):
        return True, "did not answer in time"
    if "Connection error" in str(error):
        return True, "could not be reached; check the endpoint's base URL"
    status = getattr(error, "status_code", None) or 500
    if status >= 500:
        return True, "failed on its side"
    text = "refused the request; check the endpoint's model and parameters"
    return status in _BUSY, _REFUSALS.get(status, text)


def _is_garbage(litellm: Any, error: Exception) -> bool:
    """Whether something was answered, and with success, that is not a completion: not JSON, or JSON of another shape.

    litellm reports that as a server's error; only the text, and the lack of a real one in the chain, tell it apart.
    """
    if isinstance(error, litellm.APIResponseValidationError):
        return True
    if any(_is_http_error(cause) for cause in _chain(error)):
        return False
    text = str(error)
    return any(mark in text for mark in _GARBAGE)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        cause = left.pop()
        if cause is not None and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            left += [cause.__cause__, cause.__context__]


def _is_http_error(error: BaseException) -> bool:
    """Whether the HTTP client itself saw a status of 400 or more."""
    own = type(error).__module__.split(".")[0] in ("openai", "httpx")
    return own and getattr(getattr(error, "response", None), "status_code", 0) >= 400


_GARBAGE = (
    "Expecting value",
    "provider returned 'choices'",
    "Empty or invalid response",
    "Invalid response object",
    "JSONDecodeError",
    "object has no attribute",
    "Unable to get json response",
)


def _no_credit(error: Exception) -> bool:
    return "insufficient_quota" in str(error) or "credit balance" in str(error)


def retry_after(error: Exception) -> float | None:
    """Seconds that the provider asked to wait, from its headers; None if it did not say."""
    sources: list[Callable[[], Any]] = [
        lambda: error.response.headers,  # type: ignore[attr-defined]
        lambda: error.litellm_response_headers,  # type: ignore[attr-defined]
    ]
    for source in sources:
        try:
            text = (source() or {}).get("retry-after")
            if text is not None:
                return max(0.0, float(text))
        except (AttributeError, ValueError, TypeError):
            continue
    return None


def _short(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 300 else text[:299] + "…"

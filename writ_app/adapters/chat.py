"""Chat models behind any provider or OpenAI-compatible address, through litellm, which is imported inside the call (it takes seconds).

Errors come out as two kinds: ModelUnavailable (the provider; `retryable` says whether asking again may help) and
MalformedCompletion (the model). litellm's own retries are off: who asks again, and when, is the simulation's business.
What comes in is made storable: nothing that a database or a page would choke on gets past this door.
"""

import json
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from writ_app.adapters.litellm_setup import (
    MILLION,
    NO_KEY,
    introduce,
    is_introduced,
    let_reckon,
    load_litellm,
    skip_success_log,
)
from writ_app.engine.errors import MalformedCompletion, ModelUnavailable
from writ_app.engine.llm import Completion
from writ_app.engine.types import Message, MessageCall, Usage

TIMEOUT = 120.0
"""Seconds for one answer, unless the parameters say otherwise."""
MAX_CHARACTERS = 1_000_000
"""Of one answer's text. Models that are stuck go on for long."""
MAX_DEPTH = 50
"""Of a call's arguments."""


@dataclass(frozen=True)
class LiteLLMChat:
    """A ChatModel. `parameters` go to the provider as they are: temperature, max_tokens, timeout (seconds), …"""

    name: str
    model: str
    """As litellm names it, e.g. `openai/some-model`."""
    base_url: str = ""
    api_key: str = field(default="", repr=False)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    prompt_price: float | None = None
    """US dollars per million tokens, as `completion_price`. None: as litellm's table has it."""
    completion_price: float | None = None

    def complete(
        self,
        *,
        system: str,
        messages: Sequence[Message],
        tools: Sequence[dict[str, Any]],
        seed: int,
    ) -> Completion:
        """One answer. Raises ModelUnavailable and MalformedCompletion."""
        litellm = self._litellm()
        request = self._request(system, messages, tools, seed)
        try:
            response = litellm.completion(**request)
        except (
            Exception
        ) as error:  # every provider has its own; litellm's classes tell them apart
            raise self._translated(litellm, error) from error
        return self._read(response)

    async def complete_async(
        self,
        *,
        system: str,
        messages: Sequence[Message],
        tools: Sequence[dict[str, Any]],
        seed: int,
    ) -> Completion:
        """As `complete`. litellm keeps one client per address, process and event loop, and its connections stay open."""
        litellm = self._litellm()
        skip_success_log()
        request = self._request(system, messages, tools, seed)
        try:
            response = await litellm.acompletion(**request)
        except Exception as error:  # as above; being cancelled is no Exception
            raise self._translated(litellm, error) from error
        return self._read(response)

    def _litellm(self) -> Any:
        """litellm, which knows this model, and need not reckon what it costs, if the owner gave its prices."""
        let_reckon(self.prompt_price is None or self.completion_price is None)
        if self.prompt_price is not None and self.completion_price is not None:
            introduce(self.model, self.prompt_price, self.completion_price)
        return load_litellm()

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
        fault = _judged(litellm, error)
        return ModelUnavailable(
            f"{where} {fault.text} ({self._without_key(_short(error))})",
            retryable=fault.retryable,
            retry_after=retry_after(error),
            busy=fault.busy,
            down=fault.down,
            unreached=fault.unreached,
        )

    def _read(self, response: Any) -> Completion:
        # litellm goes by what the server calls the model, too.
        called = str(getattr(response, "model", ""))
        return to_completion(
            response,
            self.prompt_price,
            self.completion_price,
            listed=not is_introduced(self.model, called),
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
    prompt_price: float | None = None,
    completion_price: float | None = None,
    environ: Mapping[str, str] | None = None,
) -> LiteLLMChat:
    """The model of a stored endpoint, which names the variable that holds its key. Raises ModelUnavailable if that is not set."""
    keys = os.environ if environ is None else environ
    key = keys.get(key_variable, "") if key_variable else ""
    if key_variable and not key:
        raise ModelUnavailable(
            f"The endpoint {name} needs a key: set {key_variable} in the environment of the workers.",
            retryable=False,
            down=True,
        )
    return LiteLLMChat(
        name,
        model,
        base_url,
        key,
        dict(parameters or {}),
        prompt_price,
        completion_price,
    )


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


def to_completion(
    response: Any,
    prompt_price: float | None = None,
    completion_price: float | None = None,
    listed: bool = True,
) -> Completion:
    """Ours for a provider's answer. Raises MalformedCompletion, with what could be read, for one that cannot be used.

    Prices in US dollars per million tokens; None: as litellm reckons, if the model is `listed` in its own table.
    """
    usage, priced = _usage(response, prompt_price, completion_price, listed)
    choices = getattr(response, "choices", None)
    choice = choices[0] if choices else None
    message = getattr(choice, "message", None)
    if choice is None or message is None:
        raise MalformedCompletion(
            "The answer has no choices.", Completion(usage=usage, priced=priced)
        )
    content, reasoning = message.content, getattr(message, "reasoning_content", None)
    read = Completion(
        content=storable(content)[:MAX_CHARACTERS] if isinstance(content, str) else "",
        usage=usage,
        priced=priced,
        reasoning=storable(reasoning) if isinstance(reasoning, str) else "",
        raw=_payload(response),
    )
    try:
        calls = tuple(map(_to_call, message.tool_calls or ()))
        _check_usable(content, calls, choice.finish_reason)
    except MalformedCompletion as error:
        raise MalformedCompletion(str(error), read) from error
    return read.model_copy(update={"tool_calls": calls})


def _check_usable(content: Any, calls: Sequence[MessageCall], finish: Any) -> None:
    if not isinstance(content, str | None):
        raise MalformedCompletion("The answer's content is not a text.")
    if not calls and not (content or "").strip():
        raise MalformedCompletion("The answer has neither text nor a tool call.")
    if not calls and finish == "length":
        raise MalformedCompletion("The answer was cut off: it reached max_tokens.")
    if len(content or "") > MAX_CHARACTERS:
        raise MalformedCompletion(
            f"The answer has more than {MAX_CHARACTERS:,} characters."
        )


def _to_call(made: Any) -> MessageCall:
    """Raises MalformedCompletion for arguments that are not a JSON object, or cannot be written as one."""
    name, text = made.function.name, made.function.arguments
    try:
        arguments = _read_json(text) if isinstance(text, str) and text.strip() else text
        arguments = storable({} if arguments == "" else arguments)
    except (ValueError, RecursionError):
        arguments = None
    if not name or not isinstance(arguments, dict):
        raise MalformedCompletion(
            f"The call of {storable(name) or 'no tool'} has arguments that are not a JSON object: {storable(str(text)[:200])}"
        )
    return MessageCall(
        id=storable(made.id or ""), name=storable(name), arguments=arguments
    )


def _read_json(text: str) -> Any:
    """As the standard has it: without NaN, infinities, and numbers that only infinity can stand for. Raises ValueError."""
    return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large")
    return number


_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable[T](value: T, depth: int = 0) -> T:
    """JSON without what Postgres and UTF-8 cannot hold: NUL and half characters become U+FFFD. Raises ValueError if too deep."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)  # type: ignore[return-value]
    if depth > MAX_DEPTH:
        raise ValueError("nested too deep")
    if isinstance(value, dict):
        return {storable(key): storable(one, depth + 1) for key, one in value.items()}  # type: ignore[return-value]
    if isinstance(value, list):
        return [storable(one, depth + 1) for one in value]  # type: ignore[return-value]
    return value


def _payload(response: Any) -> dict[str, Any] | None:
    """What the provider sent, as litellm passes it on; None if it cannot be stored."""
    try:
        payload: dict[str, Any] = storable(json.loads(response.model_dump_json()))
    except (ValueError, RecursionError, AttributeError):
        return None
    return payload


def _usage(
    response: Any,
    prompt_price: float | None,
    completion_price: float | None,
    listed: bool,
) -> tuple[Usage, bool]:
    """What an answer took, and whether its price is known."""
    usage = getattr(response, "usage", None)
    prompt = _count(getattr(usage, "prompt_tokens", None))
    completion = _count(getattr(usage, "completion_tokens", None))
    if prompt_price is not None and completion_price is not None:
        cost = (prompt * prompt_price + completion * completion_price) / MILLION
        priced = True
    else:
        hidden = getattr(response, "_hidden_params", None) or {}
        reckoned = hidden.get("response_cost") if listed else None
        cost, priced = reckoned or 0.0, reckoned is not None
    return Usage(prompt_tokens=prompt, completion_tokens=completion, cost=cost), priced


def _count(tokens: Any) -> int:
    return tokens if isinstance(tokens, int) and tokens > 0 else 0


# --- errors --------------------------------------------------------------------------------------------------------------------

_MAY_PASS = (408, 409, 425, 429)
"""Statuses below 500 that may pass."""
_KEY = "refused the key; check the variable that the endpoint names for it"
_REFUSALS = {
    401: _KEY,
    402: "has no credit left; top up the provider's account",
    403: _KEY,
    404: "is not there; check the endpoint's model and base URL",
    429: "asks to slow down",
}


class _Fault(NamedTuple):
    """What went wrong, with what to do about it. The rest as in ModelUnavailable."""

    text: str
    retryable: bool = False
    busy: bool = False
    down: bool = False
    unreached: bool = False


def _judged(litellm: Any, error: Exception) -> _Fault:
    if isinstance(error, litellm.ContextWindowExceededError):
        return _Fault(
            "cannot take a conversation of this length; choose a model with a larger context"
        )
    if _no_credit(error):
        return _Fault(_REFUSALS[402], down=True)
    if isinstance(error, litellm.Timeout):
        return _Fault("did not answer in time", retryable=True, busy=True)
    if _never_reached(error):
        return _Fault(
            "could not be reached; check the endpoint's base URL",
            retryable=True,
            unreached=True,
        )
    status = getattr(error, "status_code", None) or 500
    if status >= 500:
        return _Fault("failed on its side", retryable=True)
    text = "refused the request; check the endpoint's model and parameters"
    return _Fault(
        _REFUSALS.get(status, text),
        retryable=status in _MAY_PASS,
        busy=status == 429,
        down=status in (401, 402, 403, 404),
    )


def _never_reached(error: Exception) -> bool:
    """Whether there was nobody to take the request."""
    chain = _chain(error)
    return "Connection error" in str(error) or any(
        isinstance(cause, ConnectionError) or type(cause).__name__ == "ConnectError"
        for cause in chain
    )


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
    "provider returned a response with no 'choices'",
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


_NOISE = re.compile(
    r"\blitellm\.(\w+): (?:\1: )?(?:\w+Exception - )?| ssl:<[^>]*>(?= \[)"
)
"""Names of classes and objects in the text of an error, which tell a user nothing."""


def _short(error: Exception) -> str:
    text = _NOISE.sub("", " ".join(str(error).split()))
    return text if len(text) <= 300 else text[:299] + "…"

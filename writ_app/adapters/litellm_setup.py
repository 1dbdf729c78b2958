"""litellm, imported when it is first needed (it takes seconds), and set up: it goes nowhere by itself and wastes no time."""

import logging
import os
from contextvars import ContextVar
from functools import cache
from typing import Any

NO_KEY = "none"
"""Sent to addresses that ask for no key: the client insists on one."""
MAX_CONNECTIONS = 4096
"""Of one process, to one host or to all: above any number of calls that endpoints are given at a time."""
MILLION = 1_000_000

_introduced: set[str] = set()
_reckons: ContextVar[bool] = ContextVar("litellm_reckons", default=True)


@cache
def load_litellm() -> Any:
    """litellm with everything off that would go to the network by itself, print, or cost time with every call."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ.setdefault("LITELLM_TELEMETRY", "False")
    # Its pool would hold calls back that the limiter has let through.
    for name in ("AIOHTTP_CONNECTOR_LIMIT", "AIOHTTP_CONNECTOR_LIMIT_PER_HOST"):
        os.environ.setdefault(name, str(MAX_CONNECTIONS))
    # For OpenAI-compatible servers, too, litellm's own client: OpenAI's walks through every field of every tool's schema
    # with every call, which is half of all the time that a call takes (3.5 ms instead of 7 with retail's tools).
    os.environ.setdefault("EXPERIMENTAL_OPENAI_BASE_LLM_HTTP_HANDLER", "True")
    import litellm

    litellm.telemetry = False
    litellm.suppress_debug_info = True
    logging.getLogger("LiteLLM").setLevel(logging.ERROR)
    reckon = litellm.response_cost_calculator

    def reckon_if_wanted(**answered: Any) -> Any:
        return reckon(**answered) if _reckons.get() else None

    litellm.response_cost_calculator = reckon_if_wanted
    return litellm


@cache
def introduce(model: str, prompt_price: float, completion_price: float) -> None:
    """Tell litellm of an OpenAI-compatible model that it does not know: else it looks everywhere, after every answer (0.6 ms).

    Prices in US dollars per million tokens.
    """
    litellm = load_litellm()
    if not model.startswith("openai/"):
        return  # of other providers' models it draws further conclusions from what it is told
    try:
        litellm.get_model_info(model)
    except litellm.exceptions.ModelNotMappedError:
        _introduced.add(model)
        litellm.register_model(
            {
                model: {
                    "litellm_provider": "openai",
                    "mode": "chat",
                    "input_cost_per_token": prompt_price / MILLION,
                    "output_cost_per_token": completion_price / MILLION,
                }
            }
        )


def is_introduced(*names: str) -> bool:
    """Whether litellm knows a model of one of these names, with or without `openai/`, from us only: its reckoning says nothing."""
    return any(
        f"openai/{name.removeprefix('openai/')}" in _introduced for name in names
    )


def warm_up() -> None:
    """Have everything loaded that a call needs: litellm puts off much of it until the first."""
    litellm = load_litellm()
    _ = (
        litellm.encoding
    )  # a tokenizer of 35 MB, which it hands to every provider's code
    litellm.completion(
        model="openai/none",
        api_key=NO_KEY,
        messages=[{"role": "user", "content": "Hello"}],
        mock_response="Hello",
        _skip_mcp_handler=True,
    )


def let_reckon(wanted: bool) -> None:
    """For this event loop task, or thread: whether litellm is to work out what answers cost (0.6 ms each)."""
    _reckons.set(wanted)


def skip_success_log() -> None:
    """For this event loop task: spare litellm a report of every answer, which nobody here listens to (0.6 ms each)."""
    from litellm._internal_context import is_internal_call

    is_internal_call.set(True)

"""What an endpoint's fields may hold. A field never holds a secret: one that looks like one is refused with what to do instead."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError

PARAMETERS = (
    "allowed_openai_params",
    "extra_body",
    "frequency_penalty",
    "logit_bias",
    "max_completion_tokens",
    "max_tokens",
    "min_p",
    "parallel_tool_calls",
    "presence_penalty",
    "reasoning_effort",
    "repetition_penalty",
    "service_tier",
    "stop",
    "temperature",
    "thinking",
    "timeout",
    "top_k",
    "top_p",
    "verbosity",
)
"""What may be said to a provider about an answer. Anything else that a server understands goes into `extra_body`."""
OURS = ("messages", "model", "n", "seed", "stream", "tool_choice", "tools")
"""Fields of a request that the simulation fills in."""
RANGES = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "max_tokens": (1, 1_000_000),
    "max_completion_tokens": (1, 1_000_000),
    "timeout": (1, 3600),
}
MOST_TEXT = 4_000
"""Characters of the parameters as JSON."""

_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*_API_KEY")
_RESERVED = ("WRIT_", "DJANGO_", "CELERY_", "DATABASE_", "POSTGRES_")
"""Prefixes of the app's own settings, which are no business of a provider's."""
_KEY_SHAPES = re.compile(
    r"\b(?:(?:sk|pk|rk|xai|nvapi|pplx|csk)-|(?:gsk|hf|ghp|r8|fw)_|AIza|AKIA)[A-Za-z0-9_-]{12,}"
    r"|\bBearer\s+\S{8,}|\b[A-Za-z0-9]{32,}\b"
)
_ODD_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
_LINK_LOCAL_NAMES = ("metadata.google.internal", "metadata", "instance-data")


def looks_like_key(text: str) -> bool:
    """Whether a secret, rather than a name, stands somewhere in a text."""
    word = text.strip()
    mixed = re.fullmatch(r"\w{16,}", word) and re.search(r"[a-z]", word)
    return bool(_KEY_SHAPES.search(text) or (mixed and re.search(r"\d", word)))


def holds_key(value: Any) -> bool:
    """The same of a JSON value, at any depth."""
    return any(looks_like_key(text) for text in _texts(value))


def check_name(name: str) -> None:
    if looks_like_key(name):
        raise ValidationError("That looks like a key, not a name; it was not kept.")


def check_key_variable(name: str) -> None:
    if _VARIABLE.fullmatch(name):
        if name.startswith(_RESERVED):
            raise ValidationError(
                f"{name} belongs to the app itself and is never sent to a provider."
            )
        return
    if looks_like_key(name):
        raise ValidationError(
            "That looks like a key itself, so it was not kept. Set the key as an environment variable where the workers and "
            "the web server run (for example OPENAI_API_KEY), and give the name of the variable here."
        )
    raise ValidationError(
        "Give the name of an environment variable that ends in _API_KEY, in capitals, for example OPENAI_API_KEY."
    )


def check_model(name: str) -> None:
    if looks_like_key(name):
        raise ValidationError("That looks like a key, not a model; it was not kept.")
    if not re.fullmatch(r"[\w.-]+/[\w./:@ -]+", name):
        raise ValidationError(
            "Give provider and model as litellm names them, for example openai/gpt-4.1-mini, anthropic/claude-sonnet-4-5, "
            "or openai/ and the served name for a server of your own."
        )


def check_base_url(text: str) -> None:
    """http or https with a host, nothing that holds a secret, and no address at which clouds hand out credentials."""
    if not text:
        return
    try:
        address = urlsplit(text)
        _ = address.port
    except ValueError as error:
        raise ValidationError("That is not an address: check its port.") from error
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ValidationError(
            "Give an address that begins with http:// or https:// and names a host, for example http://127.0.0.1:8000/v1."
        )
    if re.search(r"[\s\x00-\x1f\x7f\\]", text):
        raise ValidationError("The address holds a character that none may hold.")
    if address.username or address.password or address.query or address.fragment:
        raise ValidationError(
            "The address may hold no user, password, ? or #: a key goes into an environment variable."
        )
    if _is_forbidden(address):
        raise ValidationError(
            "Link-local and unspecified addresses are not allowed: clouds hand out credentials there."
        )
    allowed: list[str] = settings.MODEL_HOSTS
    if allowed and address.hostname not in allowed:
        raise ValidationError(f"WRIT_MODEL_HOSTS allows {', '.join(allowed)} only.")


def _is_forbidden(address: SplitResult) -> bool:
    host = (address.hostname or "").rstrip(".")
    if host in _LINK_LOCAL_NAMES:
        return True
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        # To a resolver 2852039166, 0xa9fea9fe and 0251.0376.0251.0376 are addresses, too.
        return all(_ODD_NUMBER.fullmatch(part) for part in host.split("."))
    number = getattr(number, "ipv4_mapped", None) or number
    return number.is_link_local or number.is_unspecified or number.is_multicast


def check_parameters(given: Any) -> None:
    """Known names with sensible values, and no secrets."""
    if not isinstance(given, Mapping):
        raise ValidationError("Parameters are a JSON object.")
    if len(str(given)) > MOST_TEXT:
        raise ValidationError(f"Parameters hold at most {MOST_TEXT:,} characters.")
    if holds_key(given):
        raise ValidationError(
            "A value looks like a key. Keys go into an environment variable whose name the endpoint holds."
        )
    if unknown := sorted(set(given) - set(PARAMETERS)):
        raise ValidationError(
            f"{', '.join(unknown)[:200]} cannot be set. Allowed are {', '.join(PARAMETERS)}; "
            "what else your server understands goes into extra_body."
        )
    body = given.get("extra_body", {})
    if not isinstance(body, Mapping):
        raise ValidationError("extra_body is a JSON object.")
    if ours := sorted(set(body) & set(OURS)):
        raise ValidationError(f"The simulation itself sets {', '.join(ours)}.")
    for name, (low, high) in RANGES.items():
        value = given.get(name, low)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValidationError(f"{name} is a number.")
        if not low <= value <= high:
            raise ValidationError(f"{name} lies between {low} and {high:,}.")


def _texts(value: Any) -> Iterator[str]:
    """Every text in a value, names included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _texts(name)
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)

"""JSON as its standard has it: no key twice, no NaN, no number without end, nothing nested without end."""

import json
from math import isinf
from typing import Any

from writ_app.engine.importing import limits


class BadJson(ValueError):
    """`at` is the index of the character, or None where only the whole text can be named."""

    def __init__(self, text: str, at: int | None = None):
        super().__init__(text)
        self.at = at


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadJson(f"an object has the key {twice!r} twice")
    return value


def _no_constant(name: str) -> Any:
    raise BadJson(f"{name} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise BadJson(f"{text} is larger than a number may be")
    return number


DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_constant=_no_constant, parse_float=_finite
)


def loads(text: str) -> Any:
    """The value of the text. Raises BadJson."""
    try:
        value = DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise BadJson(f"is not JSON: {error.msg}", error.pos) from error
    except BadJson:
        raise
    except ValueError as error:  # a number with too many digits
        raise BadJson(str(error)) from error
    except RecursionError as error:
        raise BadJson("is nested too deep") from error
    check_depth(text, value)
    return value


def check_depth(text: str, value: Any) -> None:
    """Raises BadJson for a value nested deeper than the limit; `text` is what it was read from."""
    if text.count("{") + text.count("[") > limits.DEPTH and _may_be_deep(text):
        measure(value)


def _may_be_deep(text: str) -> bool:
    """Whether brackets alone, those within strings too, nest deeper than the limit: cheap, and never wrong when it says no."""
    left = text.encode(errors="replace").translate(None, _NO_BRACKETS)
    for _ in range(limits.DEPTH):
        shorter = left.replace(b"{}", b"").replace(b"[]", b"")
        if len(shorter) == len(left):
            break
        left = shorter
    return bool(left)


_NO_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))


def measure(value: Any) -> None:
    """Raises BadJson for a value nested deeper than the limit."""
    level = [value]
    for _ in range(limits.DEPTH + 1):
        level = [one for one in level if isinstance(one, (dict, list))]
        if not level:
            return
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
    raise BadJson(f"is nested deeper than {limits.DEPTH} levels")


# --- text that a database takes ------------------------------------------------------------------------------------------------


def storable(value: Any) -> tuple[str, bool]:
    """Compact JSON text that any column and any reader takes, and whether characters had to be replaced for it.

    NUL and halves of surrogate pairs are no characters that a text can hold: each becomes U+FFFD.
    """
    text = _ENCODER.encode(value)
    try:
        text.encode()
        odd = "\\u0000" in text
    except UnicodeEncodeError:
        odd = True
    if not odd:
        return text, False
    mended = _ENCODER.encode(_mended(value))
    return mended, mended != text


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def mended_text(text: str) -> str:
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        # A pair of halves is one character; only a half without its other one is replaced.
        whole = text.encode("utf-16", "surrogatepass")
        text = whole.decode("utf-16", "replace")
    return text


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return mended_text(value)
    if isinstance(value, dict):
        return {mended_text(name): _mended(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_mended(one) for one in value]
    return value

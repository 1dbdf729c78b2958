"""What a model was asked to give as JSON, read strictly: bounded, of one form, and nothing else. It is data, never followed."""

import json
import re
from typing import Any

from pydantic import BaseModel, ValidationError

from writ_app.engine.errors import WritError

MAX_ANSWER = 20_000
"""Characters."""

_FENCE = re.compile(r"\A```(?:json)?\n(.*)\n```\Z", re.DOTALL)


class BadAnswer(WritError):
    """An answer that is not what was asked for; the text says how, in one line."""


def read_answer[T: BaseModel](text: str, wanted: type[T]) -> T:
    """A JSON object of that form, bare or in one code fence. Raises BadAnswer for all else: other text, keys twice, NaN, too much."""
    if len(text) > MAX_ANSWER:
        raise BadAnswer(f"The answer has {len(text):,} characters.")
    fenced = _FENCE.match(text.strip())
    try:
        value = json.loads(
            fenced[1] if fenced else text,
            object_pairs_hook=_object,
            parse_constant=_no_constant,
        )
        return wanted.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = "/".join(map(str, first["loc"])) or "the answer"
        raise BadAnswer(
            f"The answer has another form: {one_line(where)}: {first['msg']}."
        ) from error
    except (ValueError, RecursionError) as error:
        raise BadAnswer(f"The answer is not JSON: {one_line(str(error))}") from error


def storable(text: str) -> str:
    """Fit to be stored and shown: what cannot be seen becomes �."""
    return "".join(char if char.isprintable() or char == "\n" else "�" for char in text)


def one_line(text: str) -> str:
    """For findings: one line, and not long."""
    plain = storable(text).replace("\n", " ")
    return plain if len(plain) <= 300 else plain[:299] + "…"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key stands there twice")
    return dict(pairs)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")

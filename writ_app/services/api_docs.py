"""The API's documentation as values: chapters, operations, shapes; read off the schema, so that they cannot say anything else."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.utils.text import slugify

from writ_app.services.problem_kinds import KINDS

type Json = Mapping[str, Any]

SHORT = 8
"""Choices that are listed whole."""


@dataclass(frozen=True)
class Field:
    name: str
    words: str
    """Its type, in words."""
    shape: str
    """Name of the shape that it is, or is made of; "" if it has none."""
    required: bool
    text: str
    where: str = ""
    """Of a parameter: path, query or header."""


@dataclass(frozen=True)
class Answer:
    status: str
    text: str
    media: str
    shape: str


@dataclass(frozen=True)
class OperationPage:
    name: str
    method: str
    path: str
    summary: str
    text: str
    role: str
    parameters: tuple[Field, ...]
    media: str
    """Of the body; "" without one."""
    body: tuple[Field, ...]
    answers: tuple[Answer, ...]
    problems: tuple[str, ...]
    """Statuses."""
    example: str
    """For a shell."""


@dataclass(frozen=True)
class Shape:
    name: str
    text: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Chapter:
    title: str
    slug: str
    operations: tuple[OperationPage, ...]
    shapes: tuple[Shape, ...]
    """What is named by its operations, and by each other."""


@dataclass(frozen=True)
class ProblemLine:
    status: int
    kind: str
    title: str


def problems() -> list[ProblemLine]:
    return [ProblemLine(status, *of) for status, of in sorted(KINDS.items())]


@cache
def chapters() -> tuple[Chapter, ...]:
    """In the order of the alphabet. Made once per process."""
    from writ_app.adapters.openapi import api_schema  # half a second and 8 MB, once

    schema = api_schema().content
    found: dict[str, list[OperationPage]] = {}
    for path, methods in schema["paths"].items():
        for method, raw in methods.items():
            page = _operation(schema, path, method.upper(), raw)
            found.setdefault(raw["tags"][0], []).append(page)
    return tuple(
        Chapter(title, slugify(title), tuple(pages), tuple(_shapes(schema, pages)))
        for title, pages in sorted(found.items())
    )


def _operation(schema: Json, path: str, method: str, raw: Json) -> OperationPage:
    content = raw.get("requestBody", {}).get("content", {})
    media = next(iter(content), "")
    body = _resolved(schema, content[media]["schema"]) if media else {}
    text, _, _ = raw.get("description", "").rpartition("Least role:")
    answers = raw["responses"].items()
    return OperationPage(
        name=raw["operationId"],
        method=method,
        path=path,
        summary=_plain(raw["summary"]),
        text=_plain(text.strip()),
        role=raw["x-role"],
        parameters=tuple(
            Field(
                one["name"],
                _words(one["schema"]),
                "",
                one.get("required", False),
                _plain(one.get("description", "")),
                one["in"],
            )
            for one in raw.get("parameters", ())
        ),
        media=media,
        body=tuple(_fields(body)),
        answers=tuple(_answer(s, one) for s, one in answers if "$ref" not in one),
        problems=tuple(status for status, one in answers if "$ref" in one),
        example=_example(schema, path, method, media, body),
    )


def _answer(status: str, raw: Json) -> Answer:
    content = raw.get("content", {})
    media = next(iter(content), "")
    shape = _shape_of(content[media]["schema"]) if media else ""
    return Answer(status, raw.get("description", ""), media, shape)


def _fields(shape: Json) -> Iterator[Field]:
    needed = shape.get("required", ())
    for name, one in shape.get("properties", {}).items():
        yield Field(
            name,
            _words(one),
            _shape_of(one),
            name in needed,
            _plain(one.get("description", "")),
        )


def _shapes(schema: Json, pages: list[OperationPage]) -> Iterator[Shape]:
    waiting = [answer.shape for page in pages for answer in page.answers]
    waiting += [one.shape for page in pages for one in page.body]
    seen: set[str] = {""}
    for name in waiting:  # grows while it is walked
        if name in seen:
            continue
        seen.add(name)
        raw = schema["components"]["schemas"][name]
        fields = tuple(_fields(raw))
        waiting += [one.shape for one in fields]
        yield Shape(name, _plain(raw.get("description", "")), fields)


def _plain(text: str) -> str:
    """Without the marks that texts of a schema may have."""
    return text.replace("`", "")


def _resolved(schema: Json, raw: Json) -> Json:
    name = _shape_of(raw)
    found: Json = schema["components"]["schemas"][name] if name else raw
    return found


def _shape_of(raw: Json) -> str:
    """The name that a schema refers to, or its elements do."""
    for inner in _inner(raw):
        if "$ref" in inner:
            return str(inner["$ref"]).rsplit("/", 1)[1]
    return ""


def _inner(raw: Json) -> Iterator[Json]:
    yield raw
    for key in ("items", "additionalProperties"):
        if isinstance(raw.get(key), Mapping):
            yield from _inner(raw[key])
    for key in ("oneOf", "allOf", "anyOf"):
        for one in raw.get(key, ()):
            yield from _inner(one)


def _words(raw: Json) -> str:
    """A schema in a few words."""
    if "$ref" in raw:
        return str(raw["$ref"]).rsplit("/", 1)[1]
    several = raw.get("allOf") or raw.get("oneOf") or raw.get("anyOf")
    if several:
        return " or ".join(_words(one) for one in several)
    if "enum" in raw:
        names = [str(one) for one in raw["enum"] if one is not None]
        more = " …" if len(names) > SHORT else ""
        return ", ".join(names[:SHORT]) + more
    kinds = raw.get("type", "anything")
    kind = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if kind.startswith("array"):
        return f"list of {_words(raw.get('items', {}))}"
    if kind.startswith("object"):
        held = raw.get("additionalProperties")
        if isinstance(held, Mapping) and held:
            return f"object of {_words(held)}"
        return kind
    if raw.get("format") in ("date-time", "binary", "uri"):
        return {"date-time": "moment", "binary": "file", "uri": "address"}[
            raw["format"]
        ]
    return f"{kind}{_bounds(raw)}"


def _bounds(raw: Json) -> str:
    low, high = raw.get("minimum"), raw.get("maximum")
    if "maxLength" in raw:
        return f", at most {raw['maxLength']:,} characters"
    if low is not None and high is not None and high < 2**53:
        return f", {low:,} to {high:,}"
    return f", from {low:,}" if low is not None and low > -(2**53) else ""


def _example(schema: Json, path: str, method: str, media: str, body: Json) -> str:
    lines = ['curl -H "Authorization: Bearer $WRIT_TOKEN"']
    if method != "GET":
        lines.append(f"-X {method}")
    if media == "application/json":
        sent = _value(schema, body)
        lines.append("-H 'Content-Type: application/json'")
        lines.append(f"-d '{json.dumps(sent)}'")
    elif media:
        lines.append("-F file=@rows.jsonl")
    return " \\\n  ".join([*lines, f'"$WRIT_URL{path}"'])


def _value(schema: Json, raw: Json) -> Any:
    """Something that fits, with what is required and nothing else."""
    raw = _resolved(schema, raw) if "$ref" in raw else raw
    if several := raw.get("allOf") or raw.get("oneOf") or raw.get("anyOf"):
        return _value(schema, several[0])
    if "enum" in raw:
        return raw["enum"][0]
    kind = raw.get("type", "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        needed = raw.get("required", ())
        return {name: _value(schema, raw["properties"][name]) for name in needed}
    if kind == "array":
        return [_value(schema, raw.get("items", {}))]
    if kind in ("integer", "number"):
        return max(1, raw.get("minimum", 1))
    return {"boolean": True}.get(kind, "…")

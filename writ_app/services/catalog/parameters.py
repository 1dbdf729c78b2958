"""A tool's parameters as a form needs them: what kind of value each takes, and the way between a value and what is typed.

Typing is never guessed at: what a field shows reads back as the very value, or the field refuses to show it (NotShown).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from environments.core.pointers import split
from writ_app.engine.errors import WritError

MAX_DEPTH = 50
SKETCH_DEPTH = 5
"""A schema may contain itself."""

type Schema = Mapping[str, Any]


class BadValue(WritError):
    """What was typed is no such value; the text says what is wanted."""


class NotShown(WritError):
    """A value that the field of its parameter cannot show; the text says why."""


class Kind(StrEnum):
    TEXT = "string"
    INTEGER = "integer"
    NUMBER = "number"
    LIST = "array"
    OBJECT = "object"
    CHOICE = "choice"
    ANY = "any"


@dataclass(frozen=True)
class Parameter:
    name: str
    kind: Kind
    words: str
    """Its type for a person: "list of string"."""
    required: bool
    description: str = ""
    choices: tuple[Any, ...] = ()
    shape: str = ""
    """What a list or object looks like, as JSON."""

    @property
    def is_json(self) -> bool:
        return self.kind in (Kind.LIST, Kind.OBJECT, Kind.ANY)

    @property
    def options(self) -> tuple[str, ...]:
        """The choices as they are typed."""
        return tuple(_option(choice) for choice in self.choices)

    def read(self, text: str) -> Any:
        """The value that was typed. Raises BadValue."""
        if self.kind == Kind.TEXT:
            return text
        if not text.strip():
            raise BadValue("This is needed.")
        if self.kind == Kind.CHOICE:
            if text not in self.options:
                raise BadValue("Choose one.")
            return self.choices[self.options.index(text)]
        value = self._parsed(text)
        if not _fits(self.kind, value):
            raise BadValue(_WANTED[self.kind])
        return value

    def guess(self, text: str) -> Any:
        """The value that was typed, or the text itself if it is none."""
        try:
            return self.read(text)
        except BadValue:
            return text

    def show(self, value: Any) -> str:
        """What to type to get the value. Raises NotShown."""
        plain = isinstance(value, str) and self.kind != Kind.ANY
        text = str(value) if plain else print_json(value)
        if (plain or not self.is_json) and not _stays_whole(text):
            raise NotShown(f"{self.name} has characters that a line cannot hold")
        if not text and not (self.required and self.kind == Kind.TEXT):
            raise NotShown(f"{self.name} is empty, which its field takes for left out")
        # A text where a number belongs is a slip that was typed here: it may stand, and be found wrong when it is called.
        if json.dumps(self.guess(text)) != json.dumps(value):
            raise NotShown(f"{self.name} is no {self.words}")
        if self.choices and text not in self.options:
            raise NotShown(f"{self.name} is none of its choices")
        return text

    def _parsed(self, text: str) -> Any:
        try:
            return parse_json(text)
        except BadValue as error:
            if self.is_json:
                raise
            raise BadValue(_WANTED[self.kind]) from error


_WANTED = {
    Kind.INTEGER: "This must be a whole number, such as 3.",
    Kind.NUMBER: "This must be a number, such as 3 or 3.5.",
    Kind.LIST: "This must be a JSON list: […].",
    Kind.OBJECT: "This must be a JSON object: {…}.",
}


def read_parameters(tool: Schema) -> list[Parameter]:
    """The parameters in a tool's schema (OpenAI form), in its order."""
    whole = tool["function"]["parameters"]
    required = whole.get("required", [])
    return [
        _parameter(name, given, whole.get("$defs", {}), name in required)
        for name, given in whole.get("properties", {}).items()
    ]


def parameter_at(tool: Schema, place: str) -> Parameter:
    """What stands at a JSON pointer into a call's arguments, as a parameter of its own; where the schema says nothing, anything."""
    whole = tool["function"]["parameters"]
    defs, one = whole.get("$defs", {}), whole
    for part in split(place):
        one = _resolved(one, defs)
        if several := _alternatives(one):
            one = _resolved(several[0], defs)
        inside = one.get("items") if _kind(one) == Kind.LIST else None
        one = inside or one.get("properties", {}).get(part, {})
    name, *rest = split(place)
    required = bool(rest) or name in whole.get("required", [])
    return _parameter([name, *rest][-1], one, defs, required)


def parse_json(text: str) -> Any:
    """A JSON value, strictly. Raises BadValue."""
    try:
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadValue(f"This is not JSON: {error.msg} at {where}.") from error
    except (ValueError, RecursionError) as error:
        raise BadValue(f"This is not JSON that can be used: {error}.") from error
    if _deeper(value, MAX_DEPTH):
        raise BadValue(f"This may be nested {MAX_DEPTH} deep at most.")
    return value


def print_json(value: Any) -> str:
    """Indented JSON that a page can hold: halves of a character, which JSON allows, stay escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return json.dumps(value, indent=2) if _HALVES.search(text) else text


def _parameter(name: str, given: Schema, defs: Schema, required: bool) -> Parameter:
    one = _resolved(given, defs)
    choices = _choices(one)
    kind = Kind.CHOICE if choices else _kind(one)
    sketch = _sketch(one, defs, SKETCH_DEPTH)
    return Parameter(
        name=name,
        kind=kind,
        words=_words(given),
        required=required,
        description=given.get("description", ""),
        choices=choices,
        shape=json.dumps(sketch, indent=2, ensure_ascii=False),
    )


def _kind(schema: Schema) -> Kind:
    given = schema.get("type")
    return Kind(given) if given in list(Kind) else Kind.ANY


def _choices(schema: Schema) -> tuple[Any, ...]:
    if schema.get("type") == "boolean":
        return (True, False)
    if "const" in schema:
        return (schema["const"],)
    return tuple(schema.get("enum", ()))


def _resolved(schema: Schema, defs: Schema) -> Schema:
    """The schema behind a reference, and of "this or null" the former: an optional argument is left out instead."""
    for _ in range(SKETCH_DEPTH):
        if "$ref" in schema:
            schema = defs.get(schema["$ref"].rpartition("/")[2], {})
        elif len(others := _alternatives(schema)) == 1:
            schema = others[0]
        else:
            break
    return schema


def _alternatives(schema: Schema) -> list[Schema]:
    several = schema.get("anyOf") or schema.get("oneOf") or []
    return [one for one in several if one.get("type") != "null"]


def _words(schema: Schema) -> str:
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    if "const" in schema:
        return json.dumps(schema["const"])
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(_words(one) for one in schema[several])
    if schema.get("type") == "array":
        return f"list of {_words(schema.get('items', {}))}"
    return str(schema.get("type", "anything"))


def _sketch(schema: Schema, defs: Schema, deep: int) -> Any:
    """A value of that shape: types stand where values will."""
    one = _resolved(schema, defs)
    if several := _alternatives(one):
        one = _resolved(several[0], defs)
    if choices := _choices(one):
        return choices[0]
    kind = _kind(one)
    if kind == Kind.LIST and deep:
        return [_sketch(one.get("items", {}), defs, deep - 1)]
    if kind == Kind.OBJECT and deep:
        inner = one.get("properties", {})
        return {name: _sketch(of, defs, deep - 1) for name, of in inner.items()}
    return _BLANKS.get(kind, "…")


_BLANKS = {Kind.INTEGER: 0, Kind.NUMBER: 0, Kind.LIST: [], Kind.OBJECT: {}}


def _stays_whole(text: str) -> bool:
    """Whether a page can hold it, and a field of one line gives it back: browsers drop line breaks and replace NUL."""
    return not (_HALVES.search(text) or set(text) & {"\r", "\n", "\0"})


_HALVES = re.compile("[\ud800-\udfff]")


def _option(choice: Any) -> str:
    return choice if isinstance(choice, str) else json.dumps(choice)


def _fits(kind: Kind, value: Any) -> bool:
    if isinstance(value, bool):
        return kind == Kind.ANY
    return isinstance(value, _TYPES.get(kind, object))


_TYPES: Mapping[Kind, Any] = {
    Kind.INTEGER: int,
    Kind.NUMBER: int | float,
    Kind.LIST: list,
    Kind.OBJECT: dict,
}


def _deeper(value: Any, most: int) -> bool:
    """Whether containers stand deeper in each other than that: what keeps the calls would fail on them."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(most):
        level = [
            child
            for inner in level
            for child in (inner.values() if isinstance(inner, dict) else inner)
            if isinstance(child, dict | list)
        ]
    return bool(level)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{text[:40]} is too large")
    return number

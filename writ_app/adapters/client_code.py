"""Python for the API's schema: a type for each of its shapes, a method for each of its operations.

What it gives is kept as writ_app/client/operations.py; a test fails when the two are not the same any more.
"""

import json
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

type Schema = Mapping[str, Any]

HEAD = '''\
"""Types and operations of WRIT's API. Made from its schema by `python manage.py write_client`: not edited by hand."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict, cast

from .transport import Transport

'''
CLASS = '''

class Operations(Transport):
    """A method for each operation, by its name in the schema; `iter_…` goes through all pages of a `list_…`."""
'''
PLAIN = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "null": "None",
    "object": "dict[str, Any]",
    "array": "list[Any]",
}
PREFIX = "/api/v1"


def client_code(schema: Schema) -> str:
    """The module, formatted by nobody yet."""
    shapes = schema["components"]["schemas"]
    parts = [HEAD, *(_shape(name, shapes[name]) for name in sorted(shapes))]
    parts.append(CLASS)
    parts += [
        method
        for path, methods in schema["paths"].items()
        for verb, told in methods.items()
        # The client has a token, and what tokens are refused is no use to it.
        if {"token": []} in told["security"]
        for method in _methods(Call(schema, path, verb, told))
    ]
    return "\n".join(parts)


def type_of(schema: Schema) -> str:
    """The Python type of a JSON value that the schema describes, as precisely as types can."""
    if "$ref" in schema:
        return f'"{_name(schema["$ref"])}"'
    for word in ("oneOf", "anyOf"):
        if word in schema:
            return _union([type_of(one) for one in schema[word]])
    if "allOf" in schema:
        return type_of(schema["allOf"][0]) if len(schema["allOf"]) == 1 else "Any"
    if "enum" in schema:
        return f"Literal[{', '.join(map(repr, schema['enum']))}]"
    if "const" in schema:
        return f"Literal[{schema['const']!r}]"
    kinds = schema.get("type")
    if kinds is None:
        return "Any"
    return _union(
        [
            _plain(kind, schema)
            for kind in ([kinds] if isinstance(kinds, str) else kinds)
        ]
    )


def _plain(kind: str, schema: Schema) -> str:
    if kind == "array" and "items" in schema:
        return f"list[{type_of(schema['items'])}]"
    more = schema.get("additionalProperties")
    if kind == "object" and isinstance(more, dict) and more:
        return f"dict[str, {type_of(more)}]"
    return PLAIN[kind]


def _union(types: list[str]) -> str:
    found = list(dict.fromkeys(types))
    if "Any" in found:
        return "Any"
    if len(found) == 1:
        return found[0]
    # The names of types may come later in the file, and a text has no `|`.
    return '"' + " | ".join(one.replace('"', "") for one in found) + '"'


def _name(reference: str) -> str:
    return reference.rsplit("/", 1)[-1]


def _shape(name: str, schema: Schema) -> str:
    fields = schema.get("properties")
    if fields is None:
        return f"\n{name} = {type_of(schema)}\n"
    needed = set(schema.get("required", ()))
    lines = []
    for field, inner in fields.items():
        kind = type_of(inner)
        kind = kind if field in needed else f"NotRequired[{kind}]"
        lines.append((field, kind))
    if not all(field.isidentifier() for field, _ in lines):
        return f"\n{name} = TypedDict({name!r}, {{{', '.join(f'{field!r}: {kind}' for field, kind in lines)}}})\n"
    body = "\n".join(f"    {field}: {kind}" for field, kind in lines) or "    pass"
    return f"\nclass {name}(TypedDict):\n{body}\n"


@dataclass(frozen=True)
class Call:
    """An operation, as a method needs to know it."""

    schema: Schema
    path: str
    verb: str
    told: Schema

    @property
    def name(self) -> str:
        return str(self.told["operationId"])

    @property
    def doc(self) -> str:
        said = f"{self.told['summary']} {self.told.get('description', '')}".split()
        text = " ".join(said).replace("\\", "\\\\").replace('"""', "'''")
        return textwrap.indent(f'"""{text}"""', "        ")

    def parameters(self, where: str) -> list[Schema]:
        """In the order of the address; what is not in it, as the schema has it."""
        found = [one for one in self.told.get("parameters", ()) if one["in"] == where]
        return sorted(found, key=lambda one: self.path.find(f"{{{one['name']}}}"))

    @property
    def keyed(self) -> bool:
        return any(
            one["name"] == "Idempotency-Key" for one in self.parameters("header")
        )

    @property
    def sent(self) -> tuple[str, Schema] | None:
        """Media type and schema of the body."""
        content = self.told.get("requestBody", {}).get("content")
        if not content:
            return None
        [(media, one)] = content.items()
        return media, one["schema"]

    @property
    def answer(self) -> tuple[str, Schema] | None:
        """Media type and schema of the success; None without a body."""
        for status, response in self.told["responses"].items():
            if status.startswith("2"):
                for media, one in response.get("content", {}).items():
                    return media, one.get("schema", {})
        return None

    @property
    def is_file(self) -> bool:
        """Its answer goes to a file: what is no JSON, and what is called a download."""
        found = self.answer
        binary = found is not None and found[1].get("format") == "binary"
        return binary or self.name.startswith("download_")

    @property
    def row(self) -> str | None:
        """The type of a list's rows, if it comes in pages that a cursor leads through."""
        if self.answer is None or "$ref" not in self.answer[1]:
            return None
        shape = self.schema["components"]["schemas"][_name(self.answer[1]["$ref"])]
        fields = shape.get("properties", {})
        if not {"items", "cursor"} <= fields.keys():
            return None
        return type_of(fields["items"]["items"])


def _methods(call: Call) -> Iterator[str]:
    yield _method(call)
    if call.row and any(one["name"] == "after" for one in call.parameters("query")):
        yield _iterator(call)


def _method(call: Call) -> str:
    given, asked = [], [f"{call.verb.upper()!r}"] if not call.is_file else []
    asked.append(repr(call.path.removeprefix(PREFIX)))
    for one in call.parameters("path"):
        given.append(f"{one['name']}: {type_of(one['schema'])}")
    asked += _values(call)
    named = _query(call)
    form = _body(call, given, named, asked)
    if call.parameters("query"):
        asked.append(f"query={_pairs(call.parameters('query'))}")
    if call.is_file:
        named.append("to: str | os.PathLike[str]")
        asked.append("to=to")
    elif call.keyed:
        named.append("key: str | None = None")
        asked.append("key=key, keyed=True")
    signature = ", ".join(["self", *given, *(["*", *named] if named else [])])
    if call.is_file:
        result, line = "int", f"return self.download({', '.join(asked)})"
    elif call.answer is None:
        result, line = "None", f"self.ask({', '.join(asked)})"
    else:
        result = type_of(call.answer[1])
        line = f"return cast({result}, self.ask({', '.join(asked)}))"
    return f"\n    def {call.name}({signature}) -> {result}:\n{call.doc}\n{form}        {line}\n"


def _iterator(call: Call) -> str:
    given = [
        f"{one['name']}: {type_of(one['schema'])}" for one in call.parameters("path")
    ]
    kept = [one for one in call.parameters("query") if one["name"] != "after"]
    named = _query(call, kept)
    asked = [repr(call.path.removeprefix(PREFIX)), *_values(call)]
    if kept:
        asked.append(f"query={_pairs(kept)}")
    signature = ", ".join(["self", *given, *(["*", *named] if named else [])])
    name = "iter_" + call.name.removeprefix("list_")
    return (
        f"\n    def {name}({signature}) -> Iterator[{call.row}]:\n{call.doc}\n"
        f"        return self.pages({', '.join(asked)})\n"
    )


def _values(call: Call) -> list[str]:
    found = call.parameters("path")
    return [f"values={_pairs(found)}"] if found else []


def _pairs(parameters: list[Schema]) -> str:
    return (
        "{" + ", ".join(f"{one['name']!r}: {one['name']}" for one in parameters) + "}"
    )


def _query(call: Call, parameters: list[Schema] | None = None) -> list[str]:
    found = call.parameters("query") if parameters is None else parameters
    ordered = sorted(found, key=lambda one: not one.get("required"))
    return [
        f"{one['name']}: {type_of(one['schema'])}"
        if one.get("required")
        else f"{one['name']}: {_union([type_of(one['schema']), 'None'])} = None"
        for one in ordered
    ]


def _body(call: Call, given: list[str], named: list[str], asked: list[str]) -> str:
    """Adds what is sent to a method's arguments; lines before its last, for a form."""
    if call.sent is None:
        return ""
    media, schema = call.sent
    if media == "application/json":
        needed = call.told["requestBody"].get("required")
        kind = type_of(schema)
        given.append(
            f"body: {kind}" if needed else f"body: {_union([kind, 'None'])} = None"
        )
        asked.append("body=body")
        return ""
    if "$ref" in schema:
        schema = call.schema["components"]["schemas"][_name(schema["$ref"])]
    pairs = []
    for name, inner in schema["properties"].items():
        file = inner.get("format") == "binary" or "contentMediaType" in inner
        kind = "str | os.PathLike[str]" if file else type_of(inner)
        needed = name in schema.get("required", ())
        named.append(
            f"{name}: {kind}" if needed else f"{name}: {_union([kind, 'None'])} = None"
        )
        pairs.append(f"{json.dumps(name)}: {f'Path({name})' if file else name}")
    asked.append("form=form")
    return f"        form = {{{', '.join(pairs)}}}\n"

"""The API's schema, as OpenAPI 3.1: what its operations declare, put into words by drf-spectacular.

That is imported when the schema is first asked for, and the schema made once per process: web processes that nobody asks for it
pay nothing. Knows the API by its addresses alone, so that pages can print what programs read.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any

from django.urls import get_resolver
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema as Base
from drf_spectacular.plumbing import is_list_serializer
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

JSON = "application/json"
PROBLEM = "application/problem+json"
ALWAYS = (400, 401, 403, 405, 406, 429, 500, 503)
"""Statuses of problems that any operation may answer with."""
FREE: dict[str, Any] = {"type": "object", "additionalProperties": {}}
BIGGEST = 2**63 - 1
KEY = OpenApiParameter(
    name="Idempotency-Key",
    location=OpenApiParameter.HEADER,
    type={"type": "string", "maxLength": 200, "pattern": r"^[!-~]([ -~]*[!-~])?$"},
    description="Any text of your own. The same request with the same key within 24 hours is done once, and answered alike.",
)


class AutoSchema(Base):
    """An operation, from what `writ_app.api.endpoint.operation` keeps of it."""

    view: Any  # an Endpoint, whose module stands above this one

    @property
    def about(self) -> Any:
        return getattr(self.view, self.method.lower()).operation

    def get_operation_id(self) -> str:
        return str(self.about.name)

    def get_summary(self) -> str:
        return str(self.about.summary)

    def get_description(self) -> str:  # type: ignore[override]
        needed = self.view.access.needed(self.method).label
        person = (
            " Only with a session: tokens are refused." if self.about.person else ""
        )
        return f"{self.about.description}\n\nLeast role: {needed}.{person}".strip()

    def get_tags(self) -> list[str]:
        return [self.view.tag]

    def get_auth(self) -> list[Any]:
        session: dict[str, list[str]] = {"session": []}
        return [session] if self.about.person else [{"token": []}, session]

    def get_extensions(self) -> dict[str, Any]:
        return {"x-role": self.view.access.needed(self.method).value.lower()}

    def get_override_parameters(self) -> list[Any]:
        about = self.about
        asked = [about.query()] if about.query else []
        return [*asked, *([KEY] if about.command else [])]

    def get_request_serializer(self) -> Any:
        return self.about.body

    def get_response_serializers(self) -> Any:
        about = self.about
        if about.file:
            kind: Any = FREE if about.media == JSON else OpenApiTypes.BINARY
            return {(str(about.status), about.media): kind}
        answer = about.answer
        if getattr(answer, "free", False):
            answer = FREE
        said = "Done." if answer is None else "What was asked for."
        return {str(about.status): OpenApiResponse(answer, description=said)}

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        operation: Any = super().get_operation(*args, **kwargs)
        refused = {*ALWAYS, *self.about.refuses}
        if "{" in self.path:
            refused.add(404)
        if self.about.body or self.about.command:
            refused |= {409, 413, 415, 422}
        if self.about.query:
            refused.add(422)
        for status in sorted(refused):
            operation["responses"][str(status)] = {
                "$ref": f"#/components/responses/Problem{status}"
            }
        if self.about.body:
            fields = self.about.body().fields.values()
            operation["requestBody"]["required"] = any(one.required for one in fields)
        return operation

    def map_parsers(self) -> list[str]:
        return [parser.media_type for parser in self.view.parser_classes]

    def map_renderers(self, attribute: str) -> list[str]:
        return [JSON]

    def _is_list_view(self, serializer: Any = None) -> bool:
        return bool(is_list_serializer(serializer))

    def _resolve_path_parameters(self, variables: Any) -> Any:
        found = super()._resolve_path_parameters(variables)  # type: ignore[no-untyped-call]
        for parameter in found:
            schema = parameter["schema"]
            if schema.get("type") == "integer":
                schema.update(minimum=0, maximum=BIGGEST)
        return found

    def _map_serializer_field(
        self, field: Any, direction: Any, bypass_extensions: bool = False
    ) -> Any:
        schema = super()._map_serializer_field(  # type: ignore[no-untyped-call]
            field, direction, bypass_extensions
        )
        more = getattr(field, "schema_more", None)
        return {**schema, **more} if more and direction == "request" else schema

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Any:
        schema = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if getattr(serializer, "strict", False):
            schema["additionalProperties"] = False
        return schema


PROBLEM_SCHEMA = {
    "type": "object",
    "description": "RFC 9457.",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence, or nothing."},
        "errors": {
            "type": "object",
            "description": "Field, with dots → what is wrong with it.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
        "request_id": {"type": "string", "description": "Under it the log knows more."},
    },
    "required": ["type", "title", "status", "detail", "errors", "request_id"],
}
SCHEMES = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of a member, made on the page of API tokens.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "sessionid",
        "description": "Of somebody who is signed in; what changes something needs the CSRF token in X-CSRFToken too.",
    },
}


def finish(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """What all operations share."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    components["securitySchemes"] = SCHEMES
    used = {
        reference["$ref"].rsplit("/", 1)[1]
        for path in result["paths"].values()
        for operation in path.values()
        for reference in operation["responses"].values()
        if "$ref" in reference
    }
    components["responses"] = {name: _problem(name) for name in sorted(used)}
    tags = {o["tags"][0] for path in result["paths"].values() for o in path.values()}
    result["tags"] = [{"name": name} for name in sorted(tags)]
    return result


def _problem(name: str) -> dict[str, Any]:
    status = HTTPStatus(int(name.removeprefix("Problem")))
    schema = {"$ref": "#/components/schemas/Problem"}
    found: dict[str, Any] = {
        "description": f"{status.phrase}.",
        "content": {PROBLEM: {"schema": schema}},
    }
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        found["headers"] = {
            "Retry-After": {
                "description": "Seconds.",
                "schema": {"type": "integer", "minimum": 1},
            }
        }
    return found


@dataclass(frozen=True)
class Schema:
    content: Mapping[str, Any]
    json: str
    digest: str
    """Of the JSON, for caches."""
    warnings: tuple[str, ...]
    """What could not be described; a test holds that there are none."""


@cache
def api_schema() -> Schema:
    """Of all operations, whoever asks: what is there is no secret, and what one may do depends on the team."""
    get_resolver()
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    content = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    said = (*GENERATOR_STATS._warn_cache, *GENERATOR_STATS._error_cache)
    text = json.dumps(content, ensure_ascii=False)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Schema(json.loads(text), text, digest, tuple(map(str, said)))


def as_yaml(schema: Schema) -> str:
    import yaml

    return str(yaml.safe_dump(schema.content, allow_unicode=True, sort_keys=False))

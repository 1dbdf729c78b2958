"""What was sent: JSON bodies as strictly as files are read, and queries in which nothing is unknown or said twice."""

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.http import QueryDict
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.serializers import ListField, MultipleChoiceField

from writ_app.api.fields import Body, Query
from writ_app.api.problems import TooLarge
from writ_app.engine.importing.strict_json import BadJson, loads, storable

FORM_BYTES = 100_000
"""What stands around a file."""


class StrictJson(BaseParser):
    """No key twice, no NaN, no characters that a database cannot hold, and not more than pages may send."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        sent = stream.read(most + 1)
        if len(sent) > most:
            raise TooLarge(f"A body has at most {most:,} bytes.")
        try:
            value = loads(sent.decode())
            odd = storable(value)[1]
        except UnicodeDecodeError as error:
            raise ParseError("The body is not UTF-8.") from error
        except BadJson as error:
            raise ParseError(f"The body {error}.") from error
        if odd:
            raise ParseError("The body has characters that no text can hold.")
        return value


def read_query(request: Request, kind: type[Query] | None) -> dict[str, Any]:
    """The values of an address's query. Raises ValidationError."""
    sent: QueryDict = request.query_params
    query = (kind or Query)(data=_single(sent, kind or Query))
    query.is_valid(raise_exception=True)
    values: dict[str, Any] = query.validated_data
    return values


def _single(sent: QueryDict, kind: type[Query] | type[Body]) -> dict[str, Any]:
    fields = kind().fields
    values: dict[str, Any] = {}
    for name in sent:
        given = sent.getlist(name)
        if isinstance(fields.get(name), (ListField, MultipleChoiceField)):
            values[name] = given
        elif len(given) > 1:
            raise ValidationError({name: ["It is there more than once."]})
        else:
            values[name] = given[0]
    return values


def read_body(request: Request, kind: type[Body]) -> dict[str, Any]:
    """The values of a body. Raises ValidationError, ParseError for what is no JSON, TooLarge before a file is read."""
    most = settings.UPLOAD_BYTES + FORM_BYTES
    if int(request.META.get("CONTENT_LENGTH") or 0) > most:
        raise TooLarge(f"A file has at most {settings.UPLOAD_BYTES:,} bytes.")
    sent = request.data
    body = kind(data=_single(sent, kind) if isinstance(sent, QueryDict) else sent)
    body.is_valid(raise_exception=True)
    values: dict[str, Any] = body.validated_data
    return values


class OneAnswer(BaseContentNegotiation):
    """Each operation answers in one media type; whoever accepts neither that nor problems is told so (406)."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        kind = (request.content_type or "").split(";")[0].strip().lower()
        return next((one for one in parsers if one.media_type == kind), None)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


def accepts(header: str, media: str) -> bool:
    """Whether an Accept header leaves room for a media type; without one everything does."""
    family = media.split("/")[0]
    wanted = []
    for part in header.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if name and "q=0" not in [p.replace(" ", "").rstrip("0.") for p in parameters]:
            wanted.append(name)
    return not header.strip() or bool({"*/*", f"{family}/*", media} & set(wanted))

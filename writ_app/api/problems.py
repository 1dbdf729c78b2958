"""Problems: every answer that is not what was asked for, as RFC 9457 has it (`application/problem+json`)."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    ValidationError,
)
from django.db import IntegrityError, InterfaceError, OperationalError
from django.forms import BaseForm
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from writ_app.adapters.logs import about_now
from writ_app.engine.errors import WritError
from writ_app.services.problem_kinds import KINDS

logger = logging.getLogger(__name__)

MEDIA = "application/problem+json"
_refused: set[type[WritError]] = set()
RETRY_SECONDS = 5


class Refused(exceptions.APIException):
    """422: what only rules of the app can tell. `detail` is a sentence, or field → sentences."""

    status_code = 422


class Conflict(exceptions.APIException):
    status_code = 409


class TooLarge(exceptions.APIException):
    status_code = 413


class NoTeam(exceptions.PermissionDenied):
    default_detail = "You are in no team yet. An owner of one can take you in."


def refused_content(*kinds: type[WritError]) -> None:
    """Errors that say what is wrong with what was sent (422). Any other WritError says that things are not as they would have to be (409)."""
    _refused.update(kinds)


def check(form: BaseForm, names: Mapping[str, str] | None = None) -> None:
    """Raises what a form of the web says against its data. `names`: the form's names of fields → the API's, where they differ."""
    if not form.is_valid():
        raise Refused(
            {
                (names or {}).get(name, "" if name == "__all__" else name): [
                    str(text) for text in texts
                ]
                for name, texts in form.errors.items()
            }
        )


def problem(
    status: int,
    *,
    detail: str = "",
    errors: Mapping[str, list[str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    kind, title = KINDS.get(status, ("other", HTTPStatus(status).phrase))
    content = {
        "type": f"/api/v1/docs/#problem-{kind}",
        "title": title,
        "status": status,
        "detail": detail,
        "errors": dict(errors or {}),
        "request_id": str(about_now().get("request_id", "")),
    }
    return Response(content, status=status, headers=headers, content_type=MEDIA)


def handle(error: Exception, context: Mapping[str, Any]) -> Response:
    """For DRF: what an error of a view is answered with. A fault of ours is logged, and nothing of it is told."""
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    if isinstance(error, Http404):
        return problem(404)
    if isinstance(error, PermissionDenied):
        return problem(403, detail=str(error))
    if isinstance(error, RequestDataTooBig):
        return problem(413)
    if isinstance(error, SuspiciousOperation):
        return problem(400)
    if isinstance(error, ValidationError):
        return problem(422, detail=" ".join(error.messages))
    if isinstance(error, tuple(_refused)):
        return problem(422, detail=str(error))
    if isinstance(error, WritError):
        return problem(409, detail=str(error))
    if isinstance(error, IntegrityError):
        # What forms and services check first, somebody else did in between.
        logger.warning("The database refused a change", exc_info=error)
        return problem(409, detail="Something like it came in at the same time.")
    logger.error("An operation of the API failed", exc_info=error)
    if isinstance(error, (OperationalError, InterfaceError)):
        retry = {"Retry-After": str(RETRY_SECONDS)}
        return problem(503, detail="The database does not answer.", headers=retry)
    return problem(500, detail="It is logged under the id of this request.")


def _of_framework(error: exceptions.APIException) -> Response:
    headers = {}
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(max(1, int(wait + 0.999)))
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    detail, errors = "", {}
    if isinstance(error.detail, dict):
        errors = _flat(error.detail)
        detail = " ".join(errors.pop("", []))
    elif isinstance(error.detail, list):
        detail = " ".join(str(text) for text in error.detail)
    else:
        detail = str(error.detail)
    return problem(error.status_code, detail=detail, errors=errors, headers=headers)


def _flat(detail: Any, path: str = "") -> dict[str, list[str]]:
    """Path of the field, with dots → messages."""
    if isinstance(detail, dict):
        parts = [(str(name), inner) for name, inner in detail.items()]
    elif any(isinstance(one, (dict, list)) for one in detail):
        parts = [(str(number), inner) for number, inner in enumerate(detail)]
    else:
        return {path: [str(text) for text in detail]}
    found: dict[str, list[str]] = {}
    for name, inner in parts:
        name = "" if name == "non_field_errors" else name
        where = ".".join(filter(None, (path, name)))
        for key, texts in _flat(inner, where).items():
            found.setdefault(key, []).extend(texts)
    return found

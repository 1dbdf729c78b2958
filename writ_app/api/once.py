"""Commands that are sent twice and done once: the Idempotency-Key.

The answer is kept in the transaction that does the command. So either both are there, or neither; and a command that was cut
off can be sent again. What was refused changed nothing, and is not kept.
"""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Now
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from writ_app.api.problems import Conflict, Refused
from writ_app.models.tokens import IdempotentAnswer

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEPT = timedelta(hours=24)
WELL_FORMED = re.compile(r"(?=.{1,200}$)[!-~]([ -~]*[!-~])?")
FORGOTTEN = 100


def key_of(request: Request) -> str:
    """The key that was sent, or nothing. Raises ParseError for one that nobody could mean."""
    key = request.headers.get(HEADER)
    if key is None:
        return ""
    if not WELL_FORMED.fullmatch(key):
        raise ParseError(f"{HEADER}: 1 to 200 printable ASCII characters.")
    return key


def do_once(request: Request, key: str, produce: Callable[[], Response]) -> Response:
    """Do it, or say what was answered when it was done. Raises Conflict while it is being done, Refused for another request."""
    token = request.auth.pk if request.auth else None
    fingerprint = _fingerprint(request)
    kept = IdempotentAnswer.objects.filter(
        user=request.user.pk, token=token, key=key, created_at__gt=Now() - KEPT
    )
    with transaction.atomic():
        if not _locked(f"{request.user.pk} {token} {key}"):
            raise Conflict("A request with this Idempotency-Key is being answered.")
        answer = kept.first()
        if answer is None:
            response = produce()
            _keep(request, key, fingerprint, response)
            return response
    if answer.fingerprint != fingerprint:
        raise Refused("The Idempotency-Key was used for another request.")
    body = json.loads(answer.body) if answer.body else None
    return Response(body, status=answer.status, headers={REPLAYED: "true"})


def _keep(request: Request, key: str, fingerprint: str, response: Response) -> None:
    whose = {
        "user_id": request.user.pk,
        "token_id": request.auth.pk if request.auth else None,
        "key": key,
    }
    IdempotentAnswer.objects.filter(**whose).delete()  # what was there is too old
    _forget_some()
    IdempotentAnswer.objects.create(
        **whose,
        fingerprint=fingerprint,
        status=response.status_code,
        body="" if response.data is None else _json(response.data),
    )


def _forget_some() -> None:
    """Of what is too old; those that another command is just taking away are left to it."""
    old = IdempotentAnswer.objects.filter(created_at__lte=Now() - KEPT)
    some = old.select_for_update(skip_locked=True).order_by("created_at")[:FORGOTTEN]
    keys = list(some.values_list("pk", flat=True))
    IdempotentAnswer.objects.filter(pk__in=keys).delete()


def _json(value: Any) -> str:
    # The renderer's own encoder, so that what is kept is what was sent.
    from rest_framework.renderers import JSONRenderer

    return JSONRenderer().render(value).decode()


def _fingerprint(request: Request) -> str:
    body = json.dumps(request.data, sort_keys=True, default=str)
    said = [str(request.team.pk), request.method, request.get_full_path(), body]  # type: ignore[attr-defined]
    return hashlib.sha256("\n".join(map(str, said)).encode()).hexdigest()


def _locked(name: str) -> bool:
    """Until the transaction ends; False if another has it."""
    digest = hashlib.sha256(f"idempotency {name}".encode()).digest()
    number = int.from_bytes(digest[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        return bool(cursor.fetchone()[0])

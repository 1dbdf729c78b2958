"""An address of the API, and the operations on it. What an operation declares here is all that the schema knows of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404, HttpResponseBase
from django.urls import reverse
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from writ_app.adapters.logs import note
from writ_app.api.authentication import BearerToken, Session
from writ_app.api.fields import Body, Query
from writ_app.api.limits import PerMinute
from writ_app.api.once import HEADER, do_once, key_of
from writ_app.api.problems import NoTeam, handle
from writ_app.api.reading import (
    OneAnswer,
    StrictJson,
    accepts,
    read_body,
    read_query,
)
from writ_app.models.accounts import Membership, Role, Team, User
from writ_app.services.access import TEAM, Access, enter, require
from writ_app.services.sessions import SECOND_FACTOR, is_fresh

JSON = "application/json"


class MemberRequest(Request):
    """A request by a member, as itself or by a token."""

    user: User
    membership: Membership
    team: Team


@dataclass(frozen=True)
class Operation:
    """What the schema says of a method; writ_app/adapters/openapi.py reads it."""

    name: str
    summary: str
    description: str
    query: type[Query] | None
    body: type[Body] | None
    answer: type[serializers.BaseSerializer[Any]] | None
    """None: 204, or a file."""
    status: int
    media: str
    """Of the answer."""
    file: bool
    """The method gives a response of its own, whose content the schema does not describe."""
    command: bool
    """It may be sent with an Idempotency-Key."""
    person: bool
    """Tokens are refused: only somebody who is signed in may."""
    refuses: tuple[int, ...]
    """Statuses of problems besides those that every operation has."""


def operation(
    name: str,
    *,
    query: type[Query] | None = None,
    body: type[Body] | None = None,
    answer: type[serializers.BaseSerializer[Any]] | None = None,
    status: int = 0,
    media: str = JSON,
    file: bool = False,
    atomic: bool = True,
    once: bool = True,
    person: bool = False,
    refuses: tuple[int, ...] = (),
) -> Callable[[Callable[..., Any]], Callable[..., HttpResponseBase]]:
    """Make a method of an Endpoint an operation of that name.

    `atomic=False` for what takes long or commits in pieces; that, and `once=False`, takes no Idempotency-Key. `status` is 200, or 204
    without an answer, unless it is said. `person` is for what admits people or makes secrets: a token in wrong hands must not
    outlive its revocation by it. `refuses` names problems of its own, such as 409 or 422.
    """

    def decorate(method: Callable[..., Any]) -> Callable[..., HttpResponseBase]:
        changes = method.__name__ not in ("get", "head")
        summary, _, rest = (method.__doc__ or "").strip().partition("\n")
        about = Operation(
            name=name,
            summary=summary,
            description=" ".join(rest.split()),
            query=query,
            body=body,
            answer=answer,
            status=status or (200 if answer or file else 204),
            media=media,
            file=file,
            command=changes and atomic and once,
            person=person,
            refuses=refuses,
        )

        @wraps(method)
        def run(self: Endpoint, request: Any, **path: Any) -> HttpResponseBase:
            if not accepts(request.headers.get("Accept", ""), media):
                raise exceptions.NotAcceptable(f"The answer is {media}.")
            if person and request.auth:
                raise exceptions.PermissionDenied(
                    "A token cannot do that: sign in, and send it with your session."
                )
            given: dict[str, Any] = {}
            asked = read_query(request, query)
            if query is not None:
                given["query"] = asked
            if changes:
                told = read_body(request, body or Body)
                if body is not None:
                    given["body"] = told

            def produce() -> Any:
                return _answered(about, method(self, request, **path, **given))

            if not changes:
                return produce()
            key = key_of(request)
            if key and not about.command:
                raise exceptions.ParseError(f"This operation takes no {HEADER}.")
            if key:
                return do_once(request, key, produce)
            if not atomic:
                return produce()
            with transaction.atomic():
                return produce()

        run.operation = about  # type: ignore[attr-defined]
        return run

    return decorate


def _answered(about: Operation, found: Any) -> HttpResponseBase:
    if isinstance(found, HttpResponseBase):
        return found
    if about.answer is None:
        return Response(status=about.status)
    return Response(about.answer(found).data, status=about.status)


class _Address(APIView):
    authentication_classes = [BearerToken, Session]
    permission_classes = []
    throttle_classes = [PerMinute]
    parser_classes = [StrictJson]
    content_negotiation_class = OneAnswer
    metadata_class = None

    def get_exception_handler(self) -> Any:
        return handle

    def finalize_response(self, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(*args, **kwargs)
        # Answers depend on who asks, and are kept by nobody on the way.
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response


class Endpoint(_Address):
    """One address. `access` is on the function that Django calls as well, as on every view of the site."""

    access: ClassVar[Access] = Access(Role.VIEWER, Role.OWNER)
    tag: ClassVar[str] = ""
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        view = super().as_view(**initkwargs)
        view.access = cls.access  # type: ignore[attr-defined]
        return view

    def check_permissions(self, request: Any) -> None:
        """After who asks is known: in which team, and whether with the role."""
        method = (request.method or "").lower()
        if method not in self.http_method_names or not hasattr(self, method):
            raise exceptions.MethodNotAllowed(request.method)
        if not request.user or not request.user.is_authenticated:
            raise exceptions.NotAuthenticated
        request.membership = self._membership(request)
        request.team = request.membership.team
        require(request.membership, self.access, request.method)
        if request.auth is None:
            self._check_session(request)

    def _check_session(self, request: Any) -> None:
        """What pages ask of a session too. Who sends a token has proved more than that when it was made."""
        second = request.session.get(SECOND_FACTOR)
        if request.team.needs_second_factor and not second:
            raise exceptions.PermissionDenied(
                f"{request.team} asks its members for a second factor when they sign in."
            )
        if self.access.wants_fresh(request.method) and not is_fresh(request.session):
            raise exceptions.PermissionDenied(
                f"Confirm that it is you at {reverse('confirm')}, then send this again."
            )

    def _membership(self, request: Any) -> Membership:
        token = request.auth
        # So that log lines and audit entries tell the API from pages; 0: with a session.
        note(token=token.pk if token else 0)
        if token:
            note(token_id=token.pk)
        if token is None:
            found = enter(request.user, team_id=request.session.get(TEAM))
        else:
            found = enter(request.user, team_id=token.membership.team_id)
        if found is None or (token and found.pk != token.membership_id):
            raise NoTeam
        if token is not None and not Role(token.scope).includes(Role(found.role)):
            # In memory alone, for this request: nothing saves a membership that it did not lock.
            found.role = token.scope
        return found


class Nothing(_Address):
    """What is asked for at addresses that there are not. No operation, so the schema does not know it."""

    schema = None
    authentication_classes = []
    throttle_classes = []

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        raise exceptions.NotFound("The API has no such address.")


def found[Row: Model](rows: QuerySet[Row], **keys: Any) -> Row:
    """The one visible row, or 404."""
    row = rows.filter(**keys).first()
    if row is None:
        raise Http404
    return row


def located(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Values under the names that a form has for them."""
    return {names.get(name, name): value for name, value in values.items()}

"""A program that speaks with the API."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from writ_app.models.accounts import Role, Team, User
from writ_app.services.tokens import make_token


def token_of(user: User, *, team: Team | None = None, scope: Role | None = None) -> str:
    """The text of a new token, as wide as its member."""
    places = user.memberships.select_related("team")
    membership = places.get(team=team) if team else places.get()
    now = timezone.now()
    _, text = make_token(
        membership=membership,
        name="test",
        scope=scope or Role(membership.role),
        expires_at=now + timedelta(days=1),
        now=now,
    )
    return text


class Program(Client):
    """With a token; `path` is below `/api/v1/`."""

    def __init__(self, user: User | None = None, *, token: str = "", **more: Any):
        super().__init__()
        self.user = user
        text = token or (token_of(user, **more) if user else "")
        self.sent = {"Authorization": f"Bearer {text}"} if text else {}

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str = "",
        query: Any = None,
        multipart: bool = False,
    ) -> HttpResponse:
        headers = {**self.sent, **({"Idempotency-Key": key} if key else {})}
        more: dict[str, Any] = {}
        if multipart:
            more = {"data": body}
        elif method.lower() not in ("get", "head"):
            data = "" if body is None else body
            more = {"data": data, "content_type": "application/json"}
        return self.generic_json(method, f"/api/v1/{path}", headers, query, more)

    def generic_json(
        self, method: str, address: str, headers: Any, query: Any, more: Any
    ) -> HttpResponse:
        send = getattr(super(), method.lower())
        return send(address, headers=headers, query_params=query, **more)


class Person(Program):
    """Somebody who has just signed in on the pages, and asks with that session."""

    def __init__(self, user: User):
        super().__init__()
        self.user = user
        self.force_login(user)

    @property
    def cookies_sent(self) -> dict[str, str]:
        """Headers as the pages of the site send them, its CSRF token included."""
        secret = "a" * 32
        held = self.cookies[settings.SESSION_COOKIE_NAME].value
        cookies = f"{settings.SESSION_COOKIE_NAME}={held}; {settings.CSRF_COOKIE_NAME}={secret}"
        return {"Cookie": cookies, "X-CSRFToken": secret}

"""Who asks: a token of a member, or the session of somebody who is signed in on the pages."""

from typing import Any

from django.utils import timezone
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from writ_app.models.accounts import User
from writ_app.models.tokens import ApiToken
from writ_app.services.tokens import TokenDenied, find_token, note_use

LONGEST = 200


class BearerToken(authentication.BaseAuthentication):
    """`Authorization: Bearer writ_…`. A header that is no such thing is refused: it never means "use the session"."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        header = request.headers.get("Authorization", "")
        if not header:
            return None
        kind, _, text = header.partition(" ")
        if kind.lower() != "bearer" or not text or len(text) > LONGEST:
            raise exceptions.AuthenticationFailed("Send: Authorization: Bearer TOKEN.")
        now = timezone.now()
        try:
            token = find_token(text.strip(), now=now)
        except TokenDenied as error:
            raise exceptions.AuthenticationFailed(str(error)) from error
        note_use(token, now=now)
        return token.membership.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="WRIT"'


class Session(authentication.SessionAuthentication):
    """With the CSRF token that pages send. Its name in the schema is the cookie's."""

    def authenticate(self, request: Request) -> Any:
        return super().authenticate(request)

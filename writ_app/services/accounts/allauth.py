"""What django-allauth asks of us: nobody signs up by themselves, and secrets of second factors are kept encrypted."""

import base64
import hashlib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes

from writ_app.adapters.logs import about
from writ_app.models.accounts import Invitation, Role, Team, User
from writ_app.services.accounts import add_member
from writ_app.services.accounts.addresses import address_of
from writ_app.services.accounts.invitations import accept
from writ_app.services.audit import record

INVITED = "invitation"
"""Key of the session: which invitation somebody followed the link of, until they are back from the provider."""


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return address_of(request) or "unknown"

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        messages.error(request, "That account is closed.")
        return redirect("login")

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Our pages say what happened in their own words."""


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """With the site's key, which no backup holds: who has a copy of the database has no codes."""

    def encrypt(self, text: str) -> str:
        sealed: bytes = _sealing(settings.SECRET_KEY).encrypt(text.encode())
        return sealed.decode()

    def decrypt(self, encrypted_text: str) -> str:
        from cryptography.fernet import MultiFernet

        keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
        any_of = MultiFernet([_sealing(key) for key in keys])
        return any_of.decrypt(encrypted_text.encode()).decode()


def _sealing(key: str | bytes) -> Any:
    # Here, because few requests need it and it takes its time to load.
    from cryptography.fernet import Fernet

    digest = hashlib.sha256(b"writ second factor " + force_bytes(key)).digest()
    return Fernet(base64.urlsafe_b64encode(digest))


class ProviderAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Who comes from the provider has an account with us, or an invitation, or the site lets the provider's people in."""

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        if sociallogin.is_existing or sociallogin.state.get("process") == "connect":
            return
        address = _verified(sociallogin)
        if not address:
            raise _sent_back(request, "The provider does not vouch for your address.")
        if User.objects.filter(email__iexact=address).exists():
            raise _sent_back(
                request,
                "You have an account with that address. Sign in with your password, then connect the provider on your profile.",
            )
        if self._invitation(request, address) is None and self._team() is None:
            raise _sent_back(
                request, "You have no account here: ask an owner for an invitation."
            )

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return True  # `pre_social_login` has decided

    @transaction.atomic
    def save_user(
        self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None
    ) -> User:
        address = _verified(sociallogin)
        sociallogin.user.email = address
        user: User = super().save_user(request, sociallogin, form)
        with about(user=user.pk):
            record("person.create", team=None, row=user, after={"by": "provider"})
            if invitation := self._invitation(request, address):
                accept(invitation=invitation, user=user, at=timezone.now())
                request.session.pop(INVITED, None)
            elif team := self._team():
                add_member(team=team, user=user, role=Role.VIEWER)
        return user

    def get_connect_redirect_url(self, request: HttpRequest, socialaccount: Any) -> str:
        return reverse("profile")

    def _invitation(self, request: HttpRequest, address: str) -> Invitation | None:
        held = Invitation.objects.pending(timezone.now()).select_related("team")
        found = held.filter(pk=request.session.get(INVITED, 0)).first()
        fits = found and found.email.lower() in ("", address.lower())
        return found if fits else None

    def _team(self) -> Team | None:
        name = settings.OIDC_AUTO_TEAM
        return Team.objects.filter(name=name).first() if name else None


def _verified(sociallogin: SocialLogin) -> str:
    """The address that the provider says it has verified, or "". Only `true` counts."""
    known = (one.email for one in sociallogin.email_addresses if one.verified is True)
    return next(known, "")


def _sent_back(request: HttpRequest, why: str) -> ImmediateHttpResponse:
    messages.error(request, why)
    return ImmediateHttpResponse(redirect("login"))

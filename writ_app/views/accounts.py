"""Signing in, proving it again, and what people set for themselves."""

import hashlib
import logging
from typing import Any

from allauth.account.internal.decorators import login_stage_required
from allauth.account.utils import perform_login
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.views import (
    LoginView,
    PasswordResetConfirmView,
    PasswordResetView,
)
from django.core import signing
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from writ_app.forms.accounts import (
    CodeAgainForm,
    CodeForm,
    ConfirmForm,
    FirstPasswordForm,
    NewPasswordForm,
    ProfileForm,
    SignInForm,
)
from writ_app.models.accounts import User
from writ_app.services.accounts.addresses import address_of
from writ_app.services.accounts.factors import (
    factors_of,
    has_second_factor,
    picture_of,
    renew_codes,
    turn_off,
    turn_on,
)
from writ_app.services.audit import record
from writ_app.services.sessions import end_sessions, is_fresh, refresh, sessions_of
from writ_app.views.access import (
    MemberRequest,
    ask_again,
    came_from,
    fresh_required,
    person_required,
)

logger = logging.getLogger(__name__)

YEAR = 365 * 24 * 3600
THEMES = ("light", "dark")
PROVIDER = "oidc"
CONNECTING = "writ.connect"
"""Salt of the key that lets a person connect a provider."""


def safe(target: str, request: HttpRequest) -> str:
    """The address, if it is one of this site; otherwise the start."""
    ours = url_has_allowed_host_and_scheme(
        target, {request.get_host()}, require_https=request.is_secure()
    )
    return target if ours else reverse("home")


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keep the chosen theme in a cookie; anything else means the system's."""
    response = redirect(safe(request.POST.get("next", ""), request))
    chosen = request.POST.get("theme", "")
    if chosen in THEMES:
        response.set_cookie("theme", chosen, max_age=YEAR, samesite="Lax")
    else:
        response.delete_cookie("theme")
    return response


# --- signing in -----------------------------------------------------------------------------------------------------------------


class SignIn(LoginView):
    """The password, and then the second factor of those who have one."""

    template_name = "accounts/login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        more = {"mail": bool(settings.EMAIL_URL), "provider": provider_name()}
        return super().get_context_data(**kwargs, **more)

    def form_valid(self, form: Any) -> HttpResponse:
        return sign_in(self.request, form.get_user(), self.get_success_url())


def sign_in(request: HttpRequest, user: Any, after: str) -> HttpResponse:
    """Through what is left to prove, to the address `after`."""
    response: HttpResponse = perform_login(
        request, user, email_verification="none", redirect_url=after
    )
    return response


def provider_name() -> str:
    """What the site calls its OpenID Connect provider, or "" without one."""
    apps = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
    return str(apps[0]["name"]) if apps else ""


@login_stage_required(stage="mfa_authenticate", redirect_urlname="login")
def second_step(request: Any) -> HttpResponseBase:
    """The code of the app, or a recovery code, of somebody whose password was right."""
    stage = request._login_stage
    data = {"code": request.POST.get("code", "")} if request.method == "POST" else None
    form = CodeForm(data, user=stage.login.user)
    if form.is_valid():
        form.save()
        response: HttpResponse = stage.exit()
        return response
    status = 422 if form.is_bound else 200
    return render(request, "accounts/second_step.html", {"form": form}, status=status)


@require_GET
def provider_login(request: HttpRequest) -> HttpResponseBase:
    """To the provider. Connecting it takes a key of the profile page, so that no other site can have its own account connected."""
    if not provider_name():
        raise Http404("There is no provider.")
    process = request.GET.get("process", "login")
    if process != "login" and not _may_connect(request):
        return redirect("profile")
    # Here and below, because few sites need it, and it loads a client of HTTP.
    from allauth.socialaccount.providers.openid_connect import views
    from requests import RequestException

    try:
        response: HttpResponseBase = views.login(request, PROVIDER)
    except RequestException:
        logger.exception("The OpenID Connect provider does not answer")
        messages.error(request, f"{provider_name()} does not answer. Try it later.")
        return redirect("login")
    return response


def _may_connect(request: HttpRequest) -> bool:
    if request.GET.get("process") != "connect" or not request.user.is_authenticated:
        return False
    try:
        whose = signing.loads(
            request.GET.get("key", ""), salt=CONNECTING, max_age=settings.REAUTH_SECONDS
        )
    except signing.BadSignature:
        return False
    return bool(whose == request.user.pk)


def provider_callback(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    if not provider_name():
        raise Http404("There is no provider.")
    from allauth.socialaccount.providers.openid_connect import views

    response: HttpResponseBase = views.callback(request, provider_id)
    return response


class ResetPassword(PasswordResetView):
    """A link by e-mail. Whether there is such an account is told to nobody."""

    template_name = "accounts/reset.html"
    email_template_name = "accounts/reset_mail.txt"
    subject_template_name = "accounts/reset_subject.txt"
    success_url = reverse_lazy("login")

    def dispatch(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not settings.EMAIL_URL:
            raise Http404("No mail server is configured.")
        return super().dispatch(*args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        messages.info(
            self.request,
            "If there is an account with that address, a link is on its way to it.",
        )
        return super().form_valid(form)


class SetPassword(PasswordResetConfirmView):
    """Where the link leads. All sessions end with the old password."""

    template_name = "accounts/set_password.html"
    form_class = FirstPasswordForm
    success_url = reverse_lazy("login")

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            response = super().form_valid(form)
            user: Any = self.user
            end_sessions(user)
            record("person.password", team=None, row=user, after={"by": "reset link"})
        messages.success(self.request, "The new password holds. Sign in with it.")
        return response


# --- proving it again -----------------------------------------------------------------------------------------------------------


@never_cache
@person_required
def confirm(request: MemberRequest) -> HttpResponse:
    """A password, or a code: then on to what asked for it."""
    user = request.user
    after = safe(request.GET.get("next", ""), request)
    by_code = has_second_factor(user)
    forms: dict[str, Any] = {}
    for name in ("password", "code"):
        sent = request.POST if name in request.POST else None
        if name == "code" and by_code:
            forms[name] = CodeAgainForm(sent, user=user)
        elif name == "password" and user.has_usable_password():
            forms[name] = ConfirmForm(sent, user=user, address=address_of(request))
    for name, form in forms.items():
        if form.is_valid():
            if name == "code":
                form.save()
            refresh(request.session)
            return redirect(after)
    wrong = any(form.is_bound for form in forms.values())
    context = {
        "forms": forms,
        "back": came_from(request),
        "after": after,
        "provider": provider_name(),
    }
    status = 422 if wrong else 200
    return render(request, "accounts/confirm.html", context, status=status)


# --- one's own account ----------------------------------------------------------------------------------------------------------


@person_required
@fresh_required("write")
def profile(request: MemberRequest) -> HttpResponse:
    """Name and address. The address is where links to reset a password go, so changing it takes a fresh proof."""
    user = User.objects.get(pk=request.user.pk)
    form = ProfileForm(request.POST or None, instance=user)
    if form.is_valid():
        with transaction.atomic():
            form.save()
            changed = {"fields": form.changed_data}
            record("person.profile", team=None, row=user, after=changed)
        messages.success(request, "Kept.")
        return redirect("profile")
    context = {
        "form": form,
        "person": request.user,
        "factors": factors_of(request.user),
        "provider": provider_name(),
        "connected": SocialAccount.objects.filter(user=request.user).exists(),
        "connect_key": signing.dumps(request.user.pk, salt=CONNECTING),
    }
    status = 422 if form.is_bound else 200
    return render(request, "accounts/profile.html", context, status=status)


@person_required
def password(request: MemberRequest) -> HttpResponseBase:
    """Another password. It ends every other session; who never had one proves otherwise that they are there."""
    known = request.user.has_usable_password()
    if not known and request.method == "POST" and not is_fresh(request.session):
        return ask_again(request)
    kind: Any = NewPasswordForm if known else FirstPasswordForm
    form = kind(request.user, request.POST or None)
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        return render(request, "accounts/password.html", {"form": form}, status=status)
    with transaction.atomic():
        form.save()
        record("person.password", team=None, row=request.user, after={"by": "self"})
    update_session_auth_hash(request, request.user)
    refresh(request.session)
    end_sessions(request.user, but=request.session.session_key)
    messages.success(request, "The new password holds. Other sessions have ended.")
    return redirect("profile")


def _sign(key: str | None) -> str:
    """A name for a session: its key would open it to whoever reads it off a page."""
    return hashlib.sha256(f"session {key}".encode()).hexdigest()[:20]


@person_required
def sessions(request: MemberRequest) -> HttpResponse:
    own = request.session.session_key
    lines = [(row, _sign(row.pk), row.pk == own) for row in sessions_of(request.user)]
    return render(request, "accounts/sessions.html", {"lines": lines})


@require_POST
@person_required
def session_end(request: MemberRequest) -> HttpResponse:
    """End the one that is named, or all but this one."""
    own, named = request.session.session_key, request.POST.get("session", "")
    if named == "others":
        ended = end_sessions(request.user, but=own)
    else:
        keys = [row.pk for row in sessions_of(request.user)]
        key = next((one for one in keys if _sign(one) == named), None)
        ended = end_sessions(request.user, only=key, but=own) if key else 0
    if ended:
        record("person.sessions", team=None, row=request.user, after={"ended": ended})
    messages.info(request, f"{ended} session{'s' * (ended != 1)} ended.")
    return redirect("sessions")


# --- second factor --------------------------------------------------------------------------------------------------------------


@person_required
def second_factor(request: MemberRequest) -> HttpResponse:
    context = {"factors": factors_of(request.user)}
    return render(request, "accounts/second_factor.html", context)


@never_cache
@person_required
@fresh_required()
def second_factor_new(request: MemberRequest) -> HttpResponse:
    """A picture for the app, and the code that shows that it was read."""
    if has_second_factor(request.user):
        return redirect("second_factor")
    data = {"code": request.POST.get("code", "")} if request.method == "POST" else None
    form = ActivateTOTPForm(data, user=request.user)
    if form.is_valid():
        codes = turn_on(request, request.user, form.secret)
        return _show_codes(request, codes)
    picture, text = picture_of(request.user, form.secret)
    context = {"form": form, "picture": picture, "text": text, "secret": form.secret}
    status = 422 if form.is_bound else 200
    template = "accounts/second_factor_new.html"
    return render(request, template, context, status=status)


@require_POST
@person_required
@fresh_required()
def second_factor_off(request: MemberRequest) -> HttpResponse:
    turn_off(request, request.user)
    messages.info(request, "Your password alone signs you in.")
    return redirect("second_factor")


@never_cache
@require_POST
@person_required
@fresh_required()
def recovery_codes(request: MemberRequest) -> HttpResponse:
    """New ones; the old ones open nothing any more."""
    if not has_second_factor(request.user):
        return redirect("second_factor")
    return _show_codes(request, renew_codes(request.user))


def _show_codes(request: MemberRequest, codes: list[str]) -> HttpResponse:
    return render(request, "accounts/recovery_codes.html", {"codes": codes})

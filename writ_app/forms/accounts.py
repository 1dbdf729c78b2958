"""Signing in, profiles, members and invitations."""

from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib.auth.forms import (
    AuthenticationForm,
    BaseUserCreationForm,
    PasswordChangeForm,
    SetPasswordForm,
)
from django.core.exceptions import ValidationError

from writ_app.engine.errors import WritError
from writ_app.models.accounts import Role, Team, User
from writ_app.services.accounts.addresses import address_of
from writ_app.services.accounts.attempts import begin_try, forgive, note_failure
from writ_app.services.accounts.factors import spend_code


class SignInForm(AuthenticationForm):
    """Django's, with a bound on attempts; after a wrong password the focus is where one types the next one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_bound and self.data.get("username"):
            self.fields["username"].widget.attrs.pop("autofocus", None)
            self.fields["password"].widget.attrs["autofocus"] = True

    def clean(self) -> dict[str, Any]:
        name = self.cleaned_data.get("username") or ""
        address = address_of(self.request) if self.request else ""
        _count_try(name, address)
        try:
            found = super().clean()
        except ValidationError:
            note_failure(name=name)
            raise
        forgive(name=name, address=address)
        return found


def _count_try(name: str, address: str) -> None:
    try:
        begin_try(name=name, address=address)
    except WritError as error:
        raise ValidationError(str(error), code="too_many") from error


class SpentOnce:
    """With a form of django-allauth's: a code of the app opens once, whether or not the cache remembers it."""

    authenticator: Authenticator

    def clean_code(self) -> str:
        code: str = super().clean_code()  # type: ignore[misc]
        if not spend_code(self.authenticator, code):
            raise get_adapter().validation_error("incorrect_code")
        return code


class CodeForm(SpentOnce, AuthenticateForm):
    """At the second step of signing in."""


class CodeAgainForm(SpentOnce, ReauthenticateForm):
    """Of somebody who is signed in."""


class ConfirmForm(forms.Form):
    """The password of whoever is signed in, again."""

    password = forms.CharField(
        strip=False,
        widget=forms.PasswordInput(
            attrs={"autocomplete": "current-password", "autofocus": True}
        ),
    )

    def __init__(self, *args: Any, user: User, address: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.address = user, address

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        name = self.user.get_username()
        _count_try(name, self.address)
        if not self.user.check_password(password):
            note_failure(name=name)
            raise ValidationError("That is not your password.")
        forgive(name=name, address=self.address)
        return password


class ProfileForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["first_name", "last_name", "email"]
        help_texts = {"email": "Links to reset a password go there."}


PASSWORD_HINT = (
    "12 characters or more; none of the common ones, and not like your name or address."
)


class FirstPasswordForm(SetPasswordForm):
    """A password for somebody who has proved who they are otherwise."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_password1"].help_text = PASSWORD_HINT


class NewPasswordForm(FirstPasswordForm, PasswordChangeForm):
    """Another password, for who knows the one they have."""


class JoinForm(BaseUserCreationForm):
    """A new account, for somebody with an invitation."""

    email = forms.EmailField(
        required=False, help_text="Optional, for a forgotten password."
    )

    class Meta:
        model = User
        fields = ["username", "email"]

    def __init__(self, *args: Any, email: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].help_text = PASSWORD_HINT
        if email:
            self.fields["email"].initial = email
            self.fields["email"].disabled = True
            self.fields["email"].help_text = "The invitation is for this address."

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"]
        if User.objects.filter(username__iexact=name).exists():
            raise ValidationError("That name is taken.")
        return name


class TeamForm(forms.ModelForm):
    class Meta:
        model = Team
        fields = ["name"]
        help_texts = {"name": "Whoever is in it shares batches, reviews and releases."}

    def validate_unique(self) -> None:
        """The service says it, with the words that commands say too."""


class TeamSettingsForm(TeamForm):
    class Meta(TeamForm.Meta):
        fields = ["name", "needs_second_factor"]
        labels = {"needs_second_factor": "Members sign in with a second factor"}
        help_texts = {
            "needs_second_factor": "Who has none sees nothing of the team before they set one up.",
        }


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role)


class InvitationForm(forms.Form):
    role = forms.ChoiceField(choices=Role, initial=Role.REVIEWER)
    email = forms.EmailField(
        required=False,
        label="E-mail address",
        help_text="Optional. Only an account with this address can use the link.",
    )

"""What may be sent to change a draft, and to say something of an item."""

from typing import Any, get_args

from django import forms

from writ_app.services.review.edits import Act, EditStep

MOST = 20_000
"""Characters of one field."""


class EditStepForm(forms.Form):
    """One step of an edit. What it means for the trajectory is judged where it is applied."""

    act = forms.ChoiceField(choices=[(act, act) for act in get_args(Act.__value__)])
    message = forms.IntegerField(min_value=-1, max_value=2**31 - 1, required=False)
    call = forms.CharField(max_length=300, required=False)
    pointer = forms.CharField(max_length=400, required=False, strip=False)
    value = forms.CharField(max_length=MOST, required=False, strip=False)
    as_json = forms.BooleanField(required=False)
    role = forms.ChoiceField(
        choices=[("assistant", "agent"), ("user", "user")], required=False
    )
    tool = forms.CharField(max_length=200, required=False)
    target = forms.CharField(max_length=800, required=False, strip=False)

    def step(self) -> EditStep:
        given = self.cleaned_data
        return EditStep(
            act=given["act"],
            message=-1 if given["message"] is None else given["message"],
            call=given["call"],
            pointer=given["pointer"],
            # Browsers send line ends of their own.
            value=given["value"].replace("\r\n", "\n"),
            as_json=given["as_json"],
            role=given["role"] or "assistant",
            tool=given["tool"],
            target=given["target"],
        )

    @property
    def complaint(self) -> str:
        """What is wrong, in one line."""
        return " ".join(
            str(error) for errors in self.errors.values() for error in errors
        )


class EditReasonForm(forms.Form):
    reason = forms.CharField(max_length=2000, required=False, strip=True)


class CommentForm(forms.Form):
    """Something said of an item, of one message, or of one place in a call."""

    body = forms.CharField(
        max_length=4000,
        label="Comment",
        error_messages={"required": "Write something first."},
    )
    parent = forms.IntegerField(min_value=1, max_value=2**62, required=False)
    message = forms.IntegerField(min_value=0, max_value=2**31 - 1, required=False)
    pointer = forms.CharField(max_length=400, required=False, strip=False)

    def clean_body(self) -> str:
        return str(self.cleaned_data["body"]).replace("\r\n", "\n")


class MentionsForm(forms.Form):
    before = forms.IntegerField(min_value=1, max_value=2**62, required=False)

    def key(self) -> Any:
        """The key to go on from, None for the beginning or for what is no key."""
        return self.cleaned_data.get("before") if self.is_valid() else None

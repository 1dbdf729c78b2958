"""What the audit log may be narrowed to."""

from datetime import UTC, datetime, time, timedelta

from django import forms
from django.http import QueryDict

from writ_app.models.accounts import Team
from writ_app.services.audit.reading import NOBODY, Wanted, actions_of, people_of

ANY = ("", "any")
KINDS = {
    "reviewevent": "verdict",
    "reviewitem": "trajectory",
    "bulkaction": "bulk action",
    "samplingplan": "sampling plan",
    "reviewpolicy": "review policy",
    "savedview": "saved view",
    "findrule": "rule",
    "comment": "comment",
    "batch": "batch",
    "persona": "persona",
    "behaviourplan": "plan",
    "modelendpoint": "model",
    "reverification": "verification run",
    "referenceset": "reference set",
    "referenceimport": "upload",
    "release": "release",
    "report": "report",
    "membership": "member",
    "invitation": "invitation",
    "apitoken": "token",
    "webhook": "webhook",
    "team": "team",
}
"""Kinds of rows that people look for, and their words."""
LAST = 2**62


class AuditFilter(forms.Form):
    """Anything that there is not narrows nothing."""

    actor = forms.ChoiceField(required=False, label="Who")
    action = forms.ChoiceField(required=False)
    kind = forms.ChoiceField(
        required=False, choices=[ANY, *KINDS.items()], label="About a"
    )
    key = forms.CharField(required=False, max_length=80, label="Number")
    since = forms.DateField(
        required=False, widget=forms.DateInput(attrs={"type": "date"}), label="From"
    )
    until = forms.DateField(
        required=False, widget=forms.DateInput(attrs={"type": "date"}), label="To"
    )
    before = forms.IntegerField(
        required=False, min_value=1, max_value=LAST, widget=forms.HiddenInput
    )

    def __init__(self, data: QueryDict, *, team: Team):
        super().__init__(data)
        people = [(str(one.pk), one.get_username()) for one in people_of(team)]
        choices = {
            "actor": [ANY, *people, (NOBODY, "nobody (a command or the clock)")],
            "action": [ANY, *((one, one) for one in actions_of(team))],
        }
        for name, known in choices.items():
            self.fields[name].choices = known  # type: ignore[attr-defined]
        self.full_clean()

    @property
    def wanted(self) -> Wanted:
        """Days are of UTC; the last one counts whole."""
        given = self.cleaned_data
        since, until = given.get("since"), given.get("until")
        return Wanted(
            actor=given.get("actor") or "",
            action=given.get("action") or "",
            kind=given.get("kind") or "",
            key=(given.get("key") or "").lstrip("#"),
            since=datetime.combine(since, time(), UTC) if since else None,
            until=datetime.combine(until, time(), UTC) + timedelta(days=1)
            if until
            else None,
        )

    @property
    def start(self) -> int | None:
        found: int | None = self.cleaned_data.get("before")
        return found

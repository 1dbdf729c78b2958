"""The administration: people and teams may be changed; what the pipeline made may only be looked at."""

from typing import Any, ClassVar

from allauth.account.decorators import secure_admin_login
from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db import transaction
from django.http import HttpRequest

from writ_app.adapters.logs import note
from writ_app.models.accounts import Role, Team, User
from writ_app.models.behaviour import BehaviourPlan, Persona
from writ_app.models.catalog import Environment, ReferenceSet, Task
from writ_app.models.release import Release
from writ_app.models.review import ReviewEvent, ReviewSlot
from writ_app.models.synthesis import (
    Batch,
    ModelEndpoint,
    Paraphrase,
    Simulation,
    Trajectory,
)
from writ_app.models.verification import Judgement, JudgeNote, Reverification
from writ_app.services import accounts

admin.site.site_header = admin.site.site_title = "WRIT"
# By the same page as everybody, with its bound on attempts and its second factor.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.register(User, UserAdmin)


class TeamForm(forms.ModelForm):
    owner = forms.ModelChoiceField(
        User.objects.filter(is_active=True),
        required=False,
        help_text="Made an owner of the team. A new team needs one.",
    )

    class Meta:
        model = Team
        fields: ClassVar = ["name", "needs_second_factor"]

    def clean_owner(self) -> User | None:
        owner: User | None = self.cleaned_data["owner"]
        if owner is None and self.instance.pk is None:
            raise forms.ValidationError("Choose who is to own the team.")
        return owner


@admin.register(Team)
class TeamAdmin(admin.ModelAdmin):
    """The way to a first team, and back into one whose owners are gone: by the same services as everybody's changes."""

    form = TeamForm
    readonly_fields: ClassVar = ["members"]

    def members(self, team: Team) -> str:
        """To be looked at: owners change their teams on the site, where every change is held to the rules and written down."""
        rows = team.memberships.select_related("user").order_by("pk")
        return ", ".join(f"{row.user} ({row.get_role_display()})" for row in rows)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @transaction.atomic
    def save_model(
        self, request: HttpRequest, obj: Team, form: TeamForm, change: bool
    ) -> None:
        owner = form.cleaned_data["owner"]
        note(user=str(request.user.pk))  # who it was, for the audit log
        if change:
            accounts.change_team(
                team=obj, name=obj.name, needs_second_factor=obj.needs_second_factor
            )
            if owner:
                accounts.add_member(team=obj, user=owner, role=Role.OWNER)
            return
        team = accounts.create_team(name=obj.name, owner=owner)
        accounts.change_team(
            team=team, name=team.name, needs_second_factor=obj.needs_second_factor
        )
        obj.pk = team.pk


@admin.register(ModelEndpoint)
class ModelEndpointAdmin(admin.ModelAdmin):
    list_display = ["name", "model", "base_url", "key_variable"]


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that services alone may write."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Environment)
class EnvironmentAdmin(ReadOnlyAdmin):
    list_display = ["name", "version", "origin", "created_at"]
    exclude = ["state"]


@admin.register(ReferenceSet)
class ReferenceSetAdmin(ReadOnlyAdmin):
    list_display = ["name", "domain", "agent", "user", "created_at"]
    list_filter = ["domain"]
    exclude = ["content"]


@admin.register(Task)
class TaskAdmin(ReadOnlyAdmin):
    list_display = ["slug", "archetype", "task_class", "burden", "writes"]
    list_filter = ["archetype", "task_class"]


@admin.register(Paraphrase)
class ParaphraseAdmin(ReadOnlyAdmin):
    list_display = ["id", "task", "accepted", "reason", "paraphraser", "reader"]
    list_filter = ["accepted", "reason"]


@admin.register(Persona, BehaviourPlan)
class ConductAdmin(ReadOnlyAdmin):
    list_display = ["slug", "title", "team"]
    list_filter = ["team"]


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin):
    list_display = ["name", "team", "status", "ordered", "created_at"]
    list_filter = ["status", "team"]


@admin.register(Simulation)
class SimulationAdmin(ReadOnlyAdmin):
    list_display = ["id", "batch", "plan", "fault", "status", "attempt"]
    list_filter = ["status", "plan"]


@admin.register(Trajectory)
class TrajectoryAdmin(ReadOnlyAdmin):
    list_display = ["id", "accepted", "reason", "owner", "scripted", "steps"]
    list_filter = ["accepted", "reason", "scripted"]


@admin.register(ReviewSlot)
class ReviewSlotAdmin(ReadOnlyAdmin):
    list_display = ["id", "item_id", "status", "leased_by", "token"]
    list_filter = ["status"]


@admin.register(ReviewEvent)
class ReviewEventAdmin(ReadOnlyAdmin):
    list_display = ["id", "slot", "reviewer", "verdict", "reason", "seconds"]
    list_filter = ["verdict", "reason"]


@admin.register(Release)
class ReleaseAdmin(ReadOnlyAdmin):
    list_display = ["name", "number", "team", "content_hash", "frozen_at"]


@admin.register(Judgement)
class JudgementAdmin(ReadOnlyAdmin):
    list_display = ["id", "trajectory", "version", "accepted", "reason", "owner"]
    list_filter = ["version", "accepted", "reason"]


@admin.register(Reverification)
class ReverificationAdmin(ReadOnlyAdmin):
    list_display = [
        "id",
        "team",
        "batch",
        "version",
        "verified",
        "total",
        "finished_at",
    ]
    list_filter = ["version", "team"]


@admin.register(JudgeNote)
class JudgeNoteAdmin(ReadOnlyAdmin):
    list_display = ["id", "trajectory", "judge", "outcome", "cost"]
    list_filter = ["judge", "outcome"]

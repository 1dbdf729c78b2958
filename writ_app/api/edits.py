"""Edits of trajectories: drafts that are judged at each step, saved as versions which somebody else is to judge."""

from typing import Any, get_args

from django.urls import path
from rest_framework import serializers

from writ_app.api.endpoint import Endpoint, MemberRequest, found, operation
from writ_app.api.fields import Body, Choice, Flag, Whole, Words
from writ_app.api.problems import check, refused_content
from writ_app.engine.editing import BadEdit
from writ_app.forms.edits import MOST, EditReasonForm, EditStepForm
from writ_app.models import clock
from writ_app.models.accounts import Role
from writ_app.models.editing import EditDraft
from writ_app.models.review import ReviewItem
from writ_app.services.access import Access
from writ_app.services.catalog.parameters import BadValue
from writ_app.services.review.edit_page import build_edit_page
from writ_app.services.review.edits import (
    EDITED,
    Act,
    discard_edit,
    open_edit,
    read_base,
    revise_draft,
    save_edit,
    take_step,
    withdraw_edit,
)

TAG = "Edits"
refused_content(BadEdit, BadValue)


class HunkLine(serializers.Serializer[Any]):
    """A change that follows from those that were made: `accept` takes it over, by its target."""

    target = serializers.CharField(source="change.target")
    kind = serializers.CharField()
    why = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()


class EditAnswer(serializers.Serializer[Any]):
    """What you have changed so far. Nobody else sees it."""

    trajectory = serializers.IntegerField()
    changes = serializers.ListField(child=serializers.DictField())
    valid = serializers.BooleanField(help_text="Whether every check passes.")
    advice = serializers.DictField(
        child=serializers.CharField(), help_text="Check that fails → what to do."
    )
    proposals = HunkLine(many=True)
    verification = serializers.DictField()
    content = serializers.DictField(help_text="The conversation as it would be.")


class VersionAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    parent = serializers.IntegerField(source="parent_id")  # type: ignore[assignment]


class EditStepBody(Body):
    """One step of an edit. What an act does not need is left out."""

    act = Choice(choices=[(act, act) for act in get_args(Act.__value__)])
    message = Whole(
        required=False,
        min_value=-1,
        max_value=2**31 - 1,
        help_text="Index in the trajectory before the edit; of what is added, of the message that it follows.",
    )
    call = Words(
        required=False,
        allow_blank=True,
        max_length=300,
        help_text="Id of a call, or of what was added.",
    )
    pointer = Words(
        required=False,
        allow_blank=True,
        max_length=400,
        help_text="JSON pointer into the arguments.",
    )
    value = Words(required=False, allow_blank=True, max_length=MOST)
    as_json = Flag(required=False, help_text="The value is written as JSON.")
    role = Choice(required=False, choices=["assistant", "user"])
    tool = Words(required=False, allow_blank=True, max_length=200)
    target = Words(
        required=False,
        allow_blank=True,
        max_length=800,
        help_text="Of the change that is reset, or of the proposal that is accepted.",
    )


class SaveBody(Body):
    reason = Words(max_length=2000)


class Edit(Endpoint):
    tag = TAG
    access = Access(Role.REVIEWER, Role.REVIEWER)

    @operation("get_edit", answer=EditAnswer, refuses=(422,))
    def get(self, request: MemberRequest, pk: int) -> Any:
        """Your draft of an edit, and what the checks say of it."""
        item = _item(request, pk)
        return _judged(item, open_edit(item=item, user=request.user))

    @operation("revise_edit", body=EditStepBody, answer=EditAnswer)
    def post(self, request: MemberRequest, pk: int, body: dict[str, Any]) -> Any:
        """Change one thing. It is kept in your draft at once, and judged."""
        item = _item(request, pk)
        form = EditStepForm(body)
        check(form)
        base, step = read_base(item), form.step()
        draft = revise_draft(
            item=item,
            user=request.user,
            revise=lambda changes: take_step(base, changes, step),
        )
        return _judged(item, draft)

    @operation("discard_edit")
    def delete(self, request: MemberRequest, pk: int) -> None:
        """Throw your draft away; nothing else changes."""
        discard_edit(item=_item(request, pk), user=request.user)


class SaveEdit(Endpoint):
    tag = TAG
    access = Access(Role.REVIEWER, Role.REVIEWER)

    @operation("save_edit", body=SaveBody, answer=VersionAnswer, status=201)
    def post(self, request: MemberRequest, pk: int, body: dict[str, Any]) -> ReviewItem:
        """Save your draft as a version, which somebody else is to judge. If you hold a lease on what it is made from, that needs a fix."""
        form = EditReasonForm(body)
        check(form)
        return save_edit(
            item=_item(request, pk),
            user=request.user,
            reason=form.cleaned_data["reason"],
            at=clock.now(),
        )


class WithdrawEdit(Endpoint):
    tag = TAG
    access = Access(Role.REVIEWER, Role.REVIEWER)

    @operation("withdraw_version")
    def post(self, request: MemberRequest, pk: int) -> None:
        """Take a version of your own back that nobody has judged."""
        withdraw_edit(version=_item(request, pk), user=request.user)


def _item(request: MemberRequest, pk: int) -> ReviewItem:
    return found(EDITED.all().visible_to(request.user), pk=pk)


def _judged(item: ReviewItem, draft: EditDraft) -> dict[str, Any]:
    # As the page judges it, which tells nothing of a planted error before something is changed.
    draft.item = item
    seen = build_edit_page(draft).validity
    return {
        "trajectory": item.pk,
        "changes": draft.changes,
        "valid": seen.valid,
        "advice": dict(seen.advice),
        "proposals": seen.hunks,
        "verification": seen.verification.model_dump(mode="json"),
        "content": seen.trajectory.model_dump(mode="json"),
    }


urlpatterns = [
    path("trajectories/<int:pk>/edit", Edit.as_view(), name="edit"),
    path("trajectories/<int:pk>/edit/save", SaveEdit.as_view(), name="edit_save"),
    path("trajectories/<int:pk>/withdraw", WithdrawEdit.as_view(), name="withdraw"),
]

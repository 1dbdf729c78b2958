"""Edits of a reviewer: kept as a draft while they are made, judged at each change, saved as a version of their own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.db import transaction
from django.db.models import Max
from pydantic import ValidationError

from environments.core.environment import Environment
from environments.core.pointers import split
from writ_app.engine import editing
from writ_app.engine.editing import (
    AddCall,
    AddMessage,
    BadEdit,
    Change,
    Changes,
    Remove,
    SetArgument,
    SetText,
    Validity,
)
from writ_app.engine.errors import WritError
from writ_app.engine.types import Ledger, Task, Trajectory, Verification
from writ_app.models.accounts import User
from writ_app.models.editing import EditDraft, VersionAct, VersionEvent
from writ_app.models.review import ReviewEvent, ReviewItem, ReviewSlot, Verdict
from writ_app.services.audit import digest_of_text, record
from writ_app.services.catalog import load_environment
from writ_app.services.catalog.parameters import (
    parameter_at,
    parse_json,
    read_parameters,
)
from writ_app.services.review.queue import take
from writ_app.services.review.verdicts import submit_verdict
from writ_app.services.synthesis import ledger_of


class CannotSave(WritError):
    """The edit does not make a version; the text says what is missing."""


class CannotWithdraw(WritError):
    """The version stays."""


@dataclass(frozen=True)
class Base:
    """What an edit starts from: an item with everything that it is judged by."""

    item: ReviewItem
    environment: Environment
    task: Task
    ledger: Ledger
    trajectory: Trajectory
    verification: Verification


def read_base(item: ReviewItem) -> Base:
    task = Task.model_validate(item.task.content)
    return Base(
        item=item,
        environment=load_environment(item.task.environment),
        task=task,
        ledger=ledger_of(item.trajectory.simulation, task),
        trajectory=Trajectory.model_validate(item.stored_content),
        verification=Verification.model_validate(item.stored_verification),
    )


EDITED = (
    ReviewItem.objects.select_related(
        "trajectory__simulation", "task__environment", "batch"
    )
    .defer("task__environment__state", "words", "search")
    .order_by()
)
"""Items with what an edit needs of them; to be narrowed down."""


# --- drafts --------------------------------------------------------------------------------------------------------------------


def open_edit(*, item: ReviewItem, user: User) -> EditDraft:
    """What the user has changed so far; nothing is stored before the first change."""
    draft = EditDraft.objects.filter(item=item, user=user).first()
    return draft or EditDraft(item=item, user=user, reason="")


def changes_of(draft: EditDraft) -> Changes:
    """Raises BadEdit for a draft that this version of the code cannot read."""
    try:
        return editing.read_changes(tuple(draft.changes))
    except ValidationError as error:
        raise BadEdit(
            "This draft was made with another version of WRIT: discard it and start again."
        ) from error


def check_edit(base: Base, changes: Changes) -> Validity:
    """Judge changes, stored or not. Raises BadEdit."""
    return editing.revalidate(
        base.environment, base.task, base.ledger, base.trajectory, changes
    )


@transaction.atomic
def revise_draft(
    *, item: ReviewItem, user: User, revise: Callable[[Changes], Changes]
) -> EditDraft:
    """Change what is stored. Two tabs take turns. Raises what `revise` does, and then nothing is stored."""
    EditDraft.objects.get_or_create(item=item, user=user)
    draft = EditDraft.objects.select_for_update().get(item=item, user=user)
    draft.changes = editing.dump_changes(revise(changes_of(draft)))
    draft.save(update_fields=["changes", "updated_at"])
    return draft


def keep_reason(*, item: ReviewItem, user: User, reason: str) -> None:
    """The reason as it is typed."""
    EditDraft.objects.update_or_create(
        item=item, user=user, defaults={"reason": reason}
    )


def discard_edit(*, item: ReviewItem, user: User) -> None:
    EditDraft.objects.filter(item=item, user=user).delete()


# --- one step of an edit -------------------------------------------------------------------------------------------------------


type Act = Literal[
    "text", "argument", "remove", "reset", "add_call", "add_message", "accept", "replay"
]


@dataclass(frozen=True)
class EditStep:
    """One thing that somebody does to a draft, as a form gives it. What an act does not need is left at its default."""

    act: Act
    message: int = -1
    """Index in the trajectory as it was before the edit; of what is added, of the message that it follows."""
    call: str = ""
    """Id of a call, or of what was added."""
    pointer: str = ""
    value: str = ""
    as_json: bool = False
    role: Literal["assistant", "user"] = "assistant"
    tool: str = ""
    target: str = ""
    """Of the change that is reset, or of the proposed one that is accepted."""


def take_step(base: Base, changes: Changes, step: EditStep) -> Changes:
    """The changes after a step. Raises BadEdit, or BadValue for what is typed as JSON and is none."""
    talk = base.trajectory
    match step.act:
        case "reset":
            return editing.drop(changes, step.target)
        case "replay":
            return editing.replay_results(base.environment, talk, changes)
        case "accept":
            return editing.put(talk, changes, _proposed(base, changes, step.target))
        case "text" | "argument":
            found = editing.put(talk, changes, _typed(base, changes, step))
        case "remove":
            found = editing.put(
                talk, changes, Remove(message=step.message, call=step.call)
            )
        case "add_message":
            added = AddMessage(
                id=_new_id(base, changes),
                after=step.message,
                role=step.role,
                text=step.value,
            )
            found = editing.put(talk, changes, added)
        case "add_call":
            found = editing.put(talk, changes, _new_call(base, changes, step))
    return _with_answers(base, found)


def _with_answers(base: Base, changes: Changes) -> Changes:
    """Calls that are new have no result to keep: they get the true one at once."""
    if not any(isinstance(one, AddCall) for one in changes):
        return changes
    settled = editing.replay_results(base.environment, base.trajectory, changes)
    true = {one.target: one for one in settled if isinstance(one, AddCall)}
    return tuple(true.get(one.target, one) for one in changes)


def _proposed(base: Base, changes: Changes, target: str) -> Change:
    for hunk in check_edit(base, changes).hunks:
        if hunk.change.target == target:
            return hunk.change
    raise BadEdit("That proposal no longer applies: look at the new ones.")


def _typed(base: Base, changes: Changes, step: EditStep) -> Change:
    added = next(
        (
            one
            for one in changes
            if isinstance(one, AddCall | AddMessage) and one.id == step.call
        ),
        None,
    )
    if step.act == "text":
        if isinstance(added, AddMessage):
            return added.model_copy(update={"text": step.value})
        return SetText(message=step.message, text=step.value)
    if isinstance(added, AddCall):
        change = _argument(base, step, added.name)
        arguments = editing.changed_arguments(added.arguments, change)
        return added.model_copy(update={"arguments": arguments})
    return _argument(base, step, _tool(base, step))


def _tool(base: Base, step: EditStep) -> str:
    messages = base.trajectory.messages
    known = (
        messages[step.message].tool_calls
        if step.message in range(len(messages))
        else ()
    )
    for made in known:
        if made.id == step.call:
            return made.name
    raise BadEdit("That call is not there: open the edit again.")


def _argument(base: Base, step: EditStep, tool: str) -> SetArgument:
    """What was typed, as the tool's schema wants it; what does not fit is kept as it was typed, and found wrong."""
    if not split(step.pointer):
        raise BadEdit("Arguments are changed one by one: say which.")
    change = SetArgument(message=step.message, call=step.call, pointer=step.pointer)
    if step.as_json or tool not in base.environment.tools:
        return change.model_copy(update={"value": parse_json(step.value)})
    parameter = parameter_at(base.environment.tools[tool].schema, step.pointer)
    if not step.value and not parameter.required:
        return change.model_copy(update={"absent": True})
    return change.model_copy(update={"value": parameter.guess(step.value)})


def _new_call(base: Base, changes: Changes, step: EditStep) -> AddCall:
    if step.tool not in base.environment.tools:
        raise BadEdit("Choose a tool.")
    schema = base.environment.tools[step.tool].schema
    return AddCall(
        id=_new_id(base, changes),
        after=step.message,
        name=step.tool,
        arguments={
            one.name: _BLANKS.get(one.kind, "")
            for one in read_parameters(schema)
            if one.required
        },
    )


_BLANKS: Mapping[str, Any] = {"array": [], "object": {}}
"""What a new call's arguments start with, by kind; the rest with an empty text, which the check of the schema points at."""


def _new_id(base: Base, changes: Changes) -> str:
    taken = {made.id for m in base.trajectory.messages for made in m.tool_calls}
    taken |= {one.id for one in changes if isinstance(one, AddCall | AddMessage)}
    return next(name for n in range(1, 10_000) if (name := f"edit_{n}") not in taken)


@transaction.atomic
def keep_in_hand(*, item: ReviewItem, user: User, at: datetime) -> ReviewSlot | None:
    """The item's slot if the user holds it, held on under a new token: the desk they come from gives its lease back."""
    held = ReviewSlot.objects.leased_to(user, at).filter(item=item)
    slot = held.select_for_update().order_by("number").first()
    if slot is not None:
        take(slot=slot, user=user, at=at)
    return slot


# --- versions ------------------------------------------------------------------------------------------------------------------


@transaction.atomic
def save_edit(*, item: ReviewItem, user: User, reason: str, at: datetime) -> ReviewItem:
    """The draft as a version of its own, which somebody else is to judge.

    If the user holds the item's lease, it gets their verdict "needs a fix" at the same time. Raises CannotSave, BadEdit.
    """
    draft = EditDraft.objects.select_for_update().filter(item=item, user=user).first()
    changes = changes_of(draft) if draft else ()
    if draft is None or not changes:
        raise CannotSave("Nothing was changed: there is no version to save.")
    if not reason.strip():
        raise CannotSave("Say why: whoever looks at the version wants to know.")
    base = read_base(item)
    found = check_edit(base, changes)
    if not found.valid:
        failed = ", ".join(found.advice).replace("_", " ")
        raise CannotSave(f"Not a version yet: {failed}. Your draft is kept.")
    version = ReviewItem.objects.create(
        trajectory=item.trajectory,
        number=_next_number(item),
        parent=item,
        content=found.trajectory.model_dump(mode="json"),
        verification=found.verification.model_dump(mode="json"),
        edited_by=user,
        edit_reason=reason.strip(),
        changes=draft.changes,
    )  # the database fills in what it is found by, and opens its slot
    verdict = _needs_a_fix(item, user, reason.strip(), at)
    VersionEvent.objects.create(
        item=version, act=VersionAct.SAVED, by=user, verdict=verdict
    )
    if item.canary:  # what is made from one is nobody's work
        ReviewItem.objects.filter(pk=version.pk).update(wanted=0, status="")
    draft.delete()
    version.refresh_from_db()
    record(
        "version.save",
        team=version.team_id,
        row=version,
        by=user,
        before={"version": item.pk},
        after={
            "trajectory": version.trajectory_id,
            "number": version.number,
            "reason": version.edit_reason[:200],
            "changes": len(version.changes or ()),
            "content_sha256": digest_of_text(found.trajectory.model_dump_json()),
        },
    )
    return version


def _next_number(item: ReviewItem) -> int:
    """Two who save at once take turns at the version as simulated."""
    family = ReviewItem.objects.filter(trajectory=item.trajectory_id)
    family.select_for_update(no_key=True).get(number=1, canary="")
    last = family.aggregate(last=Max("number"))["last"]
    return int(last) + 1


def _needs_a_fix(
    item: ReviewItem, user: User, note: str, at: datetime
) -> ReviewEvent | None:
    held = ReviewSlot.objects.leased_to(user, at).filter(item=item)
    slot = held.order_by("number").first()
    if slot is None:
        return None
    return submit_verdict(
        slot=slot,
        token=slot.token,
        reviewer=user,
        verdict=Verdict.FIX,
        note=note,
        at=at,
    )


def may_withdraw(*, version: ReviewItem, user: User) -> bool:
    """Whether it is the user's own edit, and nobody has judged it."""
    if version.edited_by_id != user.pk:
        return False
    judged = version.slots.exclude(status="OPEN").exists()
    gone = version.version_events.filter(act=VersionAct.WITHDRAWN).exists()
    return not (judged or gone)


@transaction.atomic
def withdraw_edit(*, version: ReviewItem, user: User) -> None:
    """Take a version back before anybody has judged it; a verdict that came with it is undone. Raises CannotWithdraw."""
    if version.edited_by_id != user.pk:
        raise CannotWithdraw("Only who made a version withdraws it.")
    if not may_withdraw(version=version, user=user):
        raise CannotWithdraw("It was withdrawn already, or somebody has judged it.")
    record(
        "version.withdraw",
        team=version.team_id,
        row=version,
        by=user,
        before={"trajectory": version.trajectory_id, "number": version.number},
    )
    saved = VersionEvent.objects.filter(item=version, act=VersionAct.SAVED).first()
    verdict = saved.verdict if saved else None
    if verdict and not ReviewEvent.objects.filter(withdraws=verdict).exists():
        ReviewSlot.objects.select_for_update().get(pk=verdict.slot_id)
        ReviewEvent.objects.create(
            slot=verdict.slot,
            reviewer=user,
            verdict=Verdict.WITHDRAW,
            withdraws=verdict,
        )  # and the database withdraws the version with it
        ReviewSlot.objects.filter(pk=verdict.slot_id).update(status="OPEN")
        return
    VersionEvent.objects.create(item=version, act=VersionAct.WITHDRAWN, by=user)

"""`edits.jsonl`: what people changed in edited members, each with both conversations as a preference pair."""

from collections.abc import Iterator

from environments.core import environment as core
from writ_app.engine.export.first_rows import Source, to_pair
from writ_app.engine.export.records import compact
from writ_app.engine.types import Message, Trajectory
from writ_app.models.release import Release
from writ_app.models.review import ReviewItem
from writ_app.services.catalog import load_environment
from writ_app.services.review.lineage import changes_made, history_of
from writ_app.services.review.steps import in_order

EDITS = "edits"
EDITS_FILE = "edits.jsonl"
AT_ONCE = 50


def edited_members(release: Release) -> Iterator[ReviewItem]:
    """Members that are edited versions, in order, with their tasks."""
    members = (
        release.members.filter(item__parent__isnull=False)
        .select_related("item__trajectory", "item__task__environment")
        .defer("item__task__environment__state", "item__words", "item__search")
        .order_by("position")
    )
    for member in members.iterator(chunk_size=AT_ONCE):
        yield member.item


def edit_line(item: ReviewItem) -> str:
    """One line: the pair (the original is the rejected one), who changed what, and why."""
    history = list(history_of(item))
    original = history[-1][1]
    edits = [
        {
            "item": version.pk,
            "by": version.edited_by.get_username() if version.edited_by else "",
            "reason": version.edit_reason,
            "distance": sum(line.distance for line in changes_made(version, parent)),
            "changes": version.changes,
        }
        for version, parent in history
    ]
    told = {
        "item": item.pk,
        "reason": item.edit_reason,
        "original": {"item": original.pk, "failed": original.failed},
        "edits": edits[::-1],
    }
    return compact({**told, **to_pair(source_of(item), source_of(original))}) + "\n"


def edit_lines(release: Release) -> Iterator[str]:
    for item in edited_members(release):
        yield edit_line(item)


def source_of(item: ReviewItem) -> Source:
    environment = load_environment(item.task.environment)
    trajectory = Trajectory.model_validate(item.stored_content)
    messages = tuple(_ordered(message, environment) for message in trajectory.messages)
    return Source(
        environment.policy,
        environment.schemas,
        trajectory.model_copy(update={"messages": messages}),
    )


def _ordered(message: Message, environment: core.Environment) -> Message:
    """Calls with their arguments in the order of the signature, as an agent writes them."""
    calls = tuple(
        made.model_copy(
            update={"arguments": in_order(environment, made.name, made.arguments)}
        )
        for made in message.tool_calls
    )
    return message.model_copy(update={"tool_calls": calls})

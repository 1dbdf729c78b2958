"""Imported trajectories as a page shows them: the same steps and ribbon as our own, without a verdict."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Avg, Count, QuerySet

from environments.core import environment as core
from environments.core.domain import no_requests
from environments.core.state import State
from environments.core.tools import Toolkit
from writ_app.engine.types import Message
from writ_app.models.accounts import User
from writ_app.models.catalog import ReferenceSet, ReferenceTrajectory
from writ_app.services.catalog import load_environment
from writ_app.services.review.steps import Ribbon, Step, make_ribbon, make_steps

type Json = dict[str, Any]

PAGE_SIZE = 40


@dataclass(frozen=True)
class ListedReference:
    row: ReferenceTrajectory
    ribbon: Ribbon


@dataclass(frozen=True)
class ReferencePage:
    rows: tuple[ListedReference, ...]
    total: int
    first: bool
    after: int | None
    """Position to go on after; None at the end."""


@dataclass(frozen=True)
class ReferenceView:
    row: ReferenceTrajectory
    steps: tuple[Step, ...]
    ribbon: Ribbon
    system: str
    """What the agent was told; "" if the file does not say."""
    tools: list[Json]
    """The functions that it had, as schemas."""

    @property
    def title(self) -> str:
        """A row that tells no task goes by its number."""
        told = self.row.task_id
        return told.capitalize() if told.startswith("row ") else f"Task {told}"

    @property
    def scored(self) -> bool:
        """Whether its format knows trials and rewards."""
        return self.row.reference_set.format == "tau2_results"

    @property
    def tool_names(self) -> tuple[str, ...]:
        return tuple(tool["function"]["name"] for tool in self.tools)

    @property
    def kept(self) -> Json:
        """What else the row says."""
        shown = ("system", "tools", "environment", "reward_info")
        return {k: v for k, v in self.row.content.items() if k not in shown}


def reference_sets(user: User) -> QuerySet[ReferenceSet]:
    """Those that the person may see, newest first, each with how many trajectories it has and their mean reward."""
    counted = ReferenceSet.objects.visible_to(user).annotate(
        count=Count("trajectories"), mean=Avg("trajectories__reward")
    )
    known = counted.select_related("environment", "team").defer(
        "content", "worlds", "environment__state", "environment__policy"
    )
    return known.order_by("-pk")


def list_references(
    reference_set: ReferenceSet, *, after: int | None = None
) -> ReferencePage:
    found = reference_set.trajectories.order_by("position")
    begun = found.filter(position__gt=after) if after is not None else found
    rows = list(begun.defer("content")[: PAGE_SIZE + 1])
    more = len(rows) > PAGE_SIZE
    rows = rows[:PAGE_SIZE]
    environment = _environment(reference_set)
    return ReferencePage(
        rows=tuple(
            ListedReference(row, make_ribbon(_steps(row.messages, environment)))
            for row in rows
        ),
        total=found.count(),
        first=after is None,
        after=rows[-1].position if more else None,
    )


def view_reference(row: ReferenceTrajectory) -> ReferenceView:
    steps = _steps(row.messages, _environment(row.reference_set))
    world = _world(row)
    return ReferenceView(
        row,
        steps,
        make_ribbon(steps),
        system=world.get("system", ""),
        tools=list(world.get("tools", ())),
    )


def _world(row: ReferenceTrajectory) -> Json:
    """What the row shares with others, or keeps itself."""
    if row.world is not None:
        return dict(row.reference_set.worlds[row.world])
    if row.reference_set.format != "tau2_results" and "tools" in row.content:
        return dict(row.content)
    return {}


def _steps(
    messages: Iterable[object], environment: core.Environment
) -> tuple[Step, ...]:
    return make_steps([Message.model_validate(m) for m in messages], environment)


def _environment(reference_set: ReferenceSet) -> core.Environment:
    """The environment it was made in; without one, a world whose tools nobody knows: every call is just a call."""
    if reference_set.environment:
        return load_environment(reference_set.environment)
    return core.Environment(
        name=reference_set.domain,
        version="",
        policy="",
        toolkit=Toolkit,
        state=State({}),
        domain=no_requests(),
    )

"""Rows for tests, made the short way. Keyword-only; whatever is not named is made up."""

import json
import zlib
from datetime import UTC, datetime
from functools import cache
from itertools import count
from typing import Any

from tests import samples
from writ_app.engine import types
from writ_app.models.accounts import Role, Team, User
from writ_app.models.catalog import Environment
from writ_app.models.review import (
    RejectReason,
    ReviewEvent,
    ReviewItem,
    ReviewSlot,
    Verdict,
)
from writ_app.models.synthesis import (
    Batch,
    BatchStatus,
    Simulation,
    SimulationStatus,
    Trajectory,
)
from writ_app.services.accounts import add_member
from writ_app.services.catalog import store_task
from writ_app.services.review import submit_verdict
from writ_app.services.review.queue import take

PASSWORD = "correct horse battery"
numbers = count(1)


def make_user(*, name: str = "") -> User:
    return User.objects.create_user(name or f"user{next(numbers)}", password=PASSWORD)


def make_team(*, name: str = "") -> Team:
    return Team.objects.create(name=name or f"Team {next(numbers)}")


def make_owner(*, team: Team | None = None, name: str = "") -> User:
    user = make_user(name=name)
    add_member(team=team or make_team(), user=user, role=Role.OWNER)
    return user


def make_member(*, team: Team, role: Role, name: str = "") -> User:
    user = make_user(name=name)
    add_member(team=team, user=user, role=role)
    return user


def make_reviewer(*, team: Team, name: str = "") -> User:
    return make_member(team=team, role=Role.REVIEWER, name=name)


def make_curator(*, team: Team, name: str = "") -> User:
    return make_member(team=team, role=Role.CURATOR, name=name)


def team_of(user: User) -> Team:
    return user.memberships.get().team


@cache
def _packed_state() -> bytes:
    state = samples.sample_environment().state
    return zlib.compress(json.dumps(state.collections).encode())


def make_environment() -> Environment:
    sample = samples.sample_environment()
    row, _ = Environment.objects.get_or_create(
        name=sample.name,
        version=sample.version,
        defaults={
            "policy": sample.policy,
            "state": _packed_state(),
            "state_hash": sample.state.content_hash,
            "content_hash": sample.content_hash,
            "origin": f"generated, seed 7, {samples.USERS} users",
        },
    )
    return row


def make_batch(*, team: Team, by: User | None = None, **fields: Any) -> Batch:
    return Batch.objects.create(
        **{
            "team": team,
            "created_by": by or make_owner(team=team),
            "name": f"batch {next(numbers)}",
            "environment": make_environment(),
            "seed": 1,
            "ordered": 1,
            "mix": {"R1": 1},
            "plans": ["upfront"],
            "status": BatchStatus.DONE,
            **fields,
        }
    )


@cache
def sample_task(number: int) -> types.Task:
    return samples.make_task(number)


def make_trajectory(
    *,
    batch: Batch | None = None,
    team: Team | None = None,
    number: int = 0,
    fault: str = "",
    hostile: str = "",
) -> Trajectory:
    """A simulated and verified trajectory; with a fault it was rejected."""
    batch = batch or make_batch(team=team or make_team())
    task = sample_task(number)
    trajectory, verification = samples.simulate(task, fault=fault, hostile=hostile)
    row = store_task(environment=batch.environment, task=task)
    simulation = Simulation.objects.create(
        batch=batch,
        task=row,
        plan=trajectory.plan,
        seed=next(numbers),
        fault=fault,
        status=SimulationStatus.DONE,
        attempt=1,
    )
    failed = next((check for check in verification.checks if not check.passed), None)
    return Trajectory.objects.create(
        simulation=simulation,
        content=trajectory.model_dump(mode="json"),
        content_hash=trajectory.content_hash,
        ended_by=trajectory.ended_by.value,
        scripted=True,
        steps=len(trajectory.messages),
        verification=verification.model_dump(mode="json"),
        accepted=verification.accepted,
        reason=verification.reason,
        owner=failed.owner.value if failed and failed.owner else "",
    )


def make_slot(*, trajectory: Trajectory) -> ReviewSlot:
    return ReviewSlot.objects.get(item=trajectory.pk, number=1)


def make_dispute(*, team: Team) -> ReviewItem:
    """An item that two reviewers, made for it, judged differently without knowing of each other."""
    item = ReviewItem.objects.get(pk=make_trajectory(team=team).pk)
    ReviewItem.objects.filter(pk=item.pk).update(wanted=2)
    for slot, verdict, reason in zip(
        ReviewSlot.objects.filter(item=item).order_by("number"),
        (Verdict.APPROVE, Verdict.REJECT),
        ("", RejectReason.POLICY),
        strict=True,
    ):
        reviewer = make_reviewer(team=team)
        at = datetime.now(UTC)
        take(slot=slot, user=reviewer, at=at)
        submit_verdict(
            slot=slot,
            token=slot.token,
            reviewer=reviewer,
            verdict=verdict,
            reason=reason,
            note="See the card." if reason else "",
            focus="w1-a2" if reason else "",
            at=at,
        )
    item.refresh_from_db()
    return item


def make_version(
    *, of: Trajectory, canary: str = "", by: User | None = None, reason: str = ""
) -> ReviewItem:
    """Another version of a trajectory: edited by somebody, or a canary."""
    return ReviewItem.objects.create(
        trajectory=of,
        number=2 + ReviewItem.objects.filter(trajectory=of, number__gt=1).count(),
        parent_id=of.pk,
        canary=canary,
        content=of.content,
        verification=of.verification,
        edited_by=by,
        edit_reason=reason,
        changes=[] if by else None,
    )


def judge(
    trajectory: Trajectory, verdict: Verdict, by: User, **fields: Any
) -> ReviewEvent:
    """A verdict on the first slot, as a reviewer gives it."""
    slot = make_slot(trajectory=trajectory)
    at = datetime.now(UTC)
    take(slot=slot, user=by, at=at)
    return submit_verdict(
        slot=slot, token=slot.token, reviewer=by, verdict=verdict, at=at, **fields
    )

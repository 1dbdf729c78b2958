"""Canaries: silently corrupted copies of accepted trajectories, to measure who finds planted errors, and of which class.

A copy is consistent in itself: results of later calls are those that the environment gives after the change, and words that spoke of
what was changed speak of what stands there now. It is judged by the ordinary verification, and has to come out as its class promises
(`comes_out_right`): a *mechanical* class fails a check, so that a page can show it; a *judgement* class fails none, and only somebody
who reads can find it. A copy that anything else gives away is none.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from environments.core.environment import Environment
from writ_app.engine.canaries import reads, words, writes
from writ_app.engine.canaries.copying import Canary, Original
from writ_app.engine.types import Task, Trajectory, Verification


@dataclass(frozen=True)
class Kind:
    """One class of errors. `shown_by`: checks of which at least one has to fail; `beside`: those that may fail with it."""

    name: str
    title: str
    make: Callable[[Original], Canary | None]
    shown_by: frozenset[str] = frozenset()
    beside: frozenset[str] = frozenset()

    @property
    def mechanical(self) -> bool:
        return bool(self.shown_by)


def _kind(
    name: str,
    title: str,
    make: Callable[[Original], Canary | None],
    shown_by: str = "",
    beside: str = "",
) -> Kind:
    return Kind(
        name, title, make, frozenset(shown_by.split()), frozenset(beside.split())
    )


_ALL = (
    _kind("sibling_id", "An id swapped for a sibling's", writes.sibling_id, "writes", "final_state evidence policy confirmation provenance"),
    _kind("rival_chosen", "Another candidate chosen than the winner", writes.rival_chosen, "writes", "final_state evidence policy provenance"),
    _kind("dropped_write", "A write reported, and never made", writes.dropped_write, "writes", "final_state claims evidence policy"),
    _kind("repeated_write", "A write made twice, or dependent writes in the wrong order", writes.repeated_write, "writes", "final_state evidence policy confirmation provenance"),
    _kind("policy_breach", "A write that the policy forbids", writes.policy_breach, "policy refusal confirmation writes", "final_state evidence provenance claims"),
    _kind("dropped_read", "A needed read left out", reads.dropped_read, "evidence", "provenance lookups claims policy"),
    _kind("tampered_result", "A result changed so that another choice would win", reads.tampered_result, "replay", "provenance claims lookups"),
    _kind("weak_yes", "The user's yes made an evasion", words.weak_yes, "confirmation", "policy"),
    _kind("wrong_value", "A wrong value told to the user", words.wrong_value, "told claims"),
    _kind("stale_amount", "Another candidate's amount told to the user", words.stale_amount),
    _kind("contrary_request", "A request that the write contradicts", words.contrary_request),
)  # fmt: skip

KINDS: dict[str, Kind] = {kind.name: kind for kind in _ALL}


def mutate(
    task: Task, environment: Environment, trajectory: Trajectory, kind: str, seed: int
) -> Canary | None:
    """A copy with one planted error; None if the trajectory leaves no room for it. The same seed gives the same copy.

    Raises KeyError for a class that there is not.
    """
    rng = random.Random(f"canary {kind} {seed} {trajectory.content_hash}")
    return KINDS[kind].make(Original(task, environment, trajectory, rng))


def comes_out_right(kind: str, verification: Verification) -> bool:
    """Whether a copy shows what its class promises, and nothing beside it."""
    planted = KINDS[kind]
    failed = {check.name for check in verification.checks if not check.passed}
    if not planted.mechanical:
        return not failed
    return bool(failed & planted.shown_by) and (
        failed <= planted.shown_by | planted.beside
    )


__all__ = ["KINDS", "Canary", "Kind", "comes_out_right", "mutate"]

"""Verification: is a trajectory correct, complete and grounded? Named checks, each with a finding that a person can read.

Pure, and quick enough to be asked again after every edit. The order of the checks decides which reason a rejection gets:
what ended the conversation and what the user did wrong come first, so that the agent is not blamed for it.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from pydantic import ConfigDict, Field

from environments.core.environment import Environment
from environments.core.tools import ToolCall
from writ_app.engine.types import (
    CandidateLine,
    CandidateTable,
    CertificateRead,
    Ledger,
    Task,
    Trajectory,
    Verification,
    Witness,
)
from writ_app.engine.verification.checks import CHECKS
from writ_app.engine.verification.trace import Trace

VERSION = "4"
"""Changes whenever a judgement may come out differently."""


class _UnprovedRead(CertificateRead):
    """A read of the certificate whose witness, more than half of a task's text, is passed over."""

    model_config = ConfigDict(extra="ignore")

    witness: Witness | None = Field(default=None, validation_alias="passed over")


class _BareLine(CandidateLine):
    """A candidate, of which only the objective is read: amounts that may be told."""

    model_config = ConfigDict(extra="ignore")

    label: str = Field(default="", validation_alias="passed over")
    why_not: str = Field(default="", validation_alias="passed over")
    read: str = Field(default="", validation_alias="passed over")
    pointer: str = Field(default="", validation_alias="passed over")


class _BareTable(CandidateTable):
    lines: tuple[_BareLine, ...]


class _UnprovedTask(Task):
    """A task without what proves or makes it; the query, with its many kinds of steps, takes longest to read."""

    model_config = ConfigDict(extra="ignore")

    certificate: tuple[_UnprovedRead, ...]
    query: Any = Field(default=None, validation_alias="passed over")
    spoken_of: tuple[ToolCall, ...] = Field(default=(), validation_alias="passed over")
    tables: tuple[_BareTable, ...] = ()


@lru_cache(maxsize=64)
def read_task(text: str) -> Task:
    """A stored task (JSON) for verification: all but the query, the witnesses and the words for candidates, which judge nobody.

    Twice as quick as the whole; and read once for its trajectories, which mostly come in a row. Raises pydantic's ValidationError. Its
    content hash is not the task's.
    """
    return _UnprovedTask.model_validate_json(text)


@contextmanager
def undisturbed() -> Iterator[None]:
    """For verifying a lot in a row: the garbage collector, which finds next to nothing here, waits until the end."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


def verify(
    *, environment: Environment, task: Task, trajectory: Trajectory, ledger: Ledger
) -> Verification:
    """Judge one trajectory. Replays its calls on a fresh session of `environment`, which has to be the task's own."""
    trace = Trace(environment, task, trajectory, ledger)
    return Verification(
        checks=tuple(check(trace) for check in CHECKS),
        provenance=trace.provenance,
        coverage=trace.coverage,
        superfluous=trace.superfluous,
        behaviour=trace.audit.dimensions,
        version=VERSION,
    )


__all__ = ["CHECKS", "VERSION", "read_task", "undisturbed", "verify"]

"""Stopping a run and going on with it; trying again what a provider's fault cost."""

from decimal import Decimal

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from writ_app.engine.errors import WritError
from writ_app.engine.evaluation.summary import LEFT_OUT
from writ_app.engine.pacing import Budget
from writ_app.models.evaluation import (
    EvaluationRun,
    EvaluationTrial,
    JudgeStatus,
    RunStatus,
    TrialStatus,
)
from writ_app.services import audit
from writ_app.services.webhooks import Event, announce


class CannotChange(WritError):
    """The run is not in a state in which that can be done; the text says which it is in."""


def stop_run(*, run_id: int, reason: str) -> bool:
    """Pause a run in progress; False if it is not. The reason is for its owner."""
    runs = EvaluationRun.objects.in_progress().filter(pk=run_id)
    return runs.update(status=RunStatus.PAUSED, stopped_by=reason) == 1


@transaction.atomic
def pause_run(*, run: EvaluationRun, reason: str = "Paused by hand.") -> None:
    """Raises CannotChange for a run that is not in progress."""
    if not stop_run(run_id=run.pk, reason=reason):
        raise _other_state(run, "Only a run in progress can be paused")
    audit.record("evaluation.pause", team=run.team_id, row=run)


@transaction.atomic
def resume_run(
    *, run: EvaluationRun, max_cost: Decimal | None, max_tokens: int | None
) -> None:
    """Go on under these caps (None: none); the caller wakes workers. Raises CannotChange."""
    reached = Budget(
        max_cost=None if max_cost is None else float(max_cost), max_tokens=max_tokens
    ).spent(run.spent, run.tokens)
    if reached:
        raise CannotChange(f"{reached} Give a higher one, or none.")
    paused = EvaluationRun.objects.filter(pk=run.pk, status=RunStatus.PAUSED)
    if not paused.update(
        status=RunStatus.RUNNING,
        stopped_by="",
        max_cost=max_cost,
        max_tokens=max_tokens,
    ):
        raise _other_state(run, "Only a paused run can be resumed")
    audit.record("evaluation.resume", team=run.team_id, row=run)
    finish_run_if_done(run_id=run.pk)


@transaction.atomic
def cancel_run(*, run: EvaluationRun) -> None:
    """Stop for good: what is done stays, what waits or runs is given up. Nothing for a run that is over."""
    _lock_trials(run.pk)
    live = EvaluationRun.objects.filter(
        pk=run.pk, status__in=[RunStatus.RUNNING, RunStatus.PAUSED]
    )
    if not live.update(status=RunStatus.CANCELLED, finished_at=Now(), stopped_by=""):
        return
    EvaluationTrial.objects.unfinished().filter(run=run).update(
        status=TrialStatus.CANCELLED, finished_at=Now(), lease_until=None
    )
    EvaluationTrial.objects.filter(
        run=run, judge_status__in=[JudgeStatus.WAITING, JudgeStatus.ASKED]
    ).update(judge_status=JudgeStatus.OPEN, judge_lease_until=None)
    audit.record("evaluation.cancel", team=run.team_id, row=run)


def _lock_trials(run_id: int) -> None:
    """Before the run's own row, and by their keys: the order of whoever writes an outcome or a verdict down. The other way round
    two of them would wait for each other.

    All of them, for what is left to be done may change until the run's row is held as well.
    """
    trials = EvaluationTrial.objects.filter(run=run_id).order_by("pk")
    list(trials.select_for_update(no_key=True).values_list("pk", flat=True))


@transaction.atomic
def retry_failed(*, run: EvaluationRun) -> int:
    """Try again what no metric counts, and ask the judge again who gave no usable answer; returns how many.

    The row of a trial is used again: there is never a second result. Its recorded answers are gone on from. Raises CannotChange.
    """
    _lock_trials(run.pk)
    run = EvaluationRun.objects.select_for_update(no_key=True).get(pk=run.pk)
    if run.status == RunStatus.CANCELLED or run.imported:
        raise _other_state(run, "It cannot be gone on with")
    again = EvaluationTrial.objects.filter(
        run=run, status=TrialStatus.DONE, ended_by__in=LEFT_OUT
    ).update(
        status=TrialStatus.PENDING,
        **dict.fromkeys(
            ("messages", "reward_info", "reward", "reward_without", "verification"),
        ),
        **dict.fromkeys(("grounded", "finished_at", "lease_until")),
        **dict.fromkeys(("failure", "owner", "finding", "ended_by", "note"), ""),
        setbacks=0,
        judge_status=JudgeStatus.NONE,
    )
    judged = EvaluationTrial.objects.filter(
        run=run, judge_status=JudgeStatus.FAILED
    ).update(judge_status=JudgeStatus.WAITING, judge_attempt=0, judge_finding="")
    if again or judged:
        EvaluationRun.objects.filter(pk=run.pk, status=RunStatus.DONE).update(
            status=RunStatus.RUNNING, finished_at=None
        )
        audit.record(
            "evaluation.retry",
            team=run.team_id,
            row=run,
            after={"trials": again, "judgements": judged},
        )
    return again + judged


def finish_run_if_done(*, run_id: int) -> None:
    """Close a run that has nothing left to try or to judge."""
    left = EvaluationTrial.objects.filter(
        Q(status__in=[TrialStatus.PENDING, TrialStatus.RUNNING])
        | Q(judge_status__in=[JudgeStatus.WAITING, JudgeStatus.ASKED]),
        run=run_id,
    )
    if not left.exists():
        _finish(run_id)


@transaction.atomic
def _finish(run_id: int) -> None:
    live = EvaluationRun.objects.filter(pk=run_id, status=RunStatus.RUNNING)
    if live.update(status=RunStatus.DONE, finished_at=Now()):
        row = EvaluationRun.objects.only("team", "name").get(pk=run_id)
        announce(Event.EVALUATION_FINISHED, team=row.team_id, run=run_id, name=row.name)


def _other_state(run: EvaluationRun, cannot: str) -> CannotChange:
    run.refresh_from_db(fields=["status"])
    return CannotChange(f"{cannot}; this one is {run.get_status_display()}.")

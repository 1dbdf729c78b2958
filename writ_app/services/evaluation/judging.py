"""Asking the judge: apart from the conversations, again when no usable answer comes, and on an account of its own.

Whatever the judge does, the conversation and the rest of its reward stay.
"""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from writ_app.engine.answers import BadAnswer, one_line
from writ_app.engine.benchmark_scoring import Verdict, judged_assertions
from writ_app.engine.errors import MalformedCompletion, ModelUnavailable
from writ_app.engine.evaluation.judging import question_for, read_verdicts
from writ_app.engine.llm import AsyncChatModel, Completion
from writ_app.engine.pacing import Limiter, PacedChat, Retry
from writ_app.engine.types import Message, Usage
from writ_app.models.evaluation import (
    EvaluationRun,
    EvaluationTrial,
    JudgeStatus,
)
from writ_app.services.evaluation.control import finish_run_if_done, stop_run
from writ_app.services.evaluation.desk import budget_of
from writ_app.services.evaluation.scoring import judged_columns
from writ_app.services.synthesis.endpoints import model_of

LEASE = timedelta(minutes=10)
"""How long one lot of questions may take before others take it over."""
AT_ONCE = 16
MOST_TRIES = 4
"""Answers that cannot be read until a trial is left without a verdict."""

NOTHING = Usage()


@dataclass(frozen=True)
class _Heard:
    """What a judge answered. `down`: the endpoint answers nobody."""

    trial: EvaluationTrial
    verdicts: list[Verdict] | None
    finding: str = ""
    usage: Usage = NOTHING
    down: bool = False
    priced: bool = True


def waiting_to_be_judged() -> list[int]:
    """Keys of runs."""
    rows = EvaluationTrial.objects.to_be_judged().order_by().values_list("run", flat=True)  # fmt: skip
    return sorted(set(rows))


def judge_run(
    *,
    run_id: int,
    seconds: float = 600,
    retry: Retry | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Ask about what waits, in lots; returns whether something is left. Pauses the run when a cap is reached or nobody answers."""
    until = time.monotonic() + seconds
    with asyncio.Runner() as loop:
        while not stop() and time.monotonic() < until:
            runs = EvaluationRun.objects.in_progress().select_related("judge")
            run = runs.filter(pk=run_id).first()
            if run is None or run.judge is None or _capped(run):
                return False
            most = run.judge.max_in_flight
            lot = _claim(run)
            if not lot:
                finish_run_if_done(run_id=run_id)
                return False
            try:
                model = model_of(run.played_by["judge"])
            except ModelUnavailable as error:
                _give_back(lot)
                stop_run(run_id=run_id, reason=f"The judge cannot be used: {error}")
                return False
            for heard in loop.run(_ask_all(model, lot, most, retry or Retry())):
                _write(run, heard)
            finish_run_if_done(run_id=run_id)
    return True


def _capped(run: EvaluationRun) -> bool:
    budget = budget_of(run.max_cost, run.max_tokens)
    reason = budget.spent(run.spent, run.tokens)
    return bool(reason) and stop_run(run_id=run.pk, reason=reason)


@transaction.atomic
def _claim(run: EvaluationRun) -> list[EvaluationTrial]:
    waiting = (
        EvaluationTrial.objects.to_be_judged()
        .filter(run=run)
        .order_by("pk")
        .select_for_update(skip_locked=True, of=("self",))
    )
    capped = run.max_cost is not None or run.max_tokens is not None
    # With a cap one after the other: it is passed by no more than one answer.
    keys = list(waiting.values_list("pk", flat=True)[: 1 if capped else AT_ONCE])
    EvaluationTrial.objects.filter(pk__in=keys).update(
        judge_status=JudgeStatus.ASKED,
        judge_attempt=F("judge_attempt") + 1,
        judge_lease_until=Now() + LEASE,
    )
    rows = EvaluationTrial.objects.filter(pk__in=keys).order_by("pk")
    return list(rows.select_related("task__environment").defer("verification"))


def _give_back(lot: list[EvaluationTrial]) -> None:
    keys = [one.pk for one in lot]
    EvaluationTrial.objects.filter(pk__in=keys, judge_status=JudgeStatus.ASKED).update(
        judge_status=JudgeStatus.WAITING,
        judge_attempt=F("judge_attempt") - 1,
        judge_lease_until=None,
    )


async def _ask_all(
    model: AsyncChatModel, lot: list[EvaluationTrial], most: int, retry: Retry
) -> list[_Heard]:
    limiter = Limiter(most)
    return list(
        await asyncio.gather(*(_ask(model, limiter, retry, one) for one in lot))
    )


async def _ask(
    model: AsyncChatModel, limiter: Limiter, retry: Retry, trial: EvaluationTrial
) -> _Heard:
    asked = judged_assertions(trial.task.content)
    messages = [Message.model_validate(one) for one in trial.messages]
    seed = trial.seed + trial.judge_attempt  # a deterministic model says something else
    question = question_for(messages, asked, seed)
    paced = PacedChat(model, limiter, retry, random.Random())
    try:
        answer = await paced.complete_async(
            system=question.system, messages=question.messages, tools=[], seed=seed
        )
    except MalformedCompletion as error:
        answer = error.answer if isinstance(error.answer, Completion) else Completion()
        return _Heard(trial, None, one_line(str(error)), answer.usage)
    except ModelUnavailable as error:
        return _Heard(trial, None, one_line(str(error)), down=error.down)
    try:
        verdicts = read_verdicts(answer, asked)
    except BadAnswer as error:
        return _Heard(trial, None, str(error), answer.usage, priced=answer.priced)
    return _Heard(trial, verdicts, "", answer.usage, priced=answer.priced)


@transaction.atomic
def _write(run: EvaluationRun, heard: _Heard) -> None:
    """Under the attempt it was asked in; what it cost counts in any case."""
    trial, usage = heard.trial, heard.usage
    mine = EvaluationTrial.objects.filter(
        pk=trial.pk,
        judge_status=JudgeStatus.ASKED,
        judge_attempt=trial.judge_attempt,
    )
    if heard.verdicts is not None:
        columns = judged_columns(trial, heard.verdicts)
    elif heard.down:
        columns = {
            "judge_status": JudgeStatus.WAITING,
            "judge_lease_until": None,
            "judge_attempt": F("judge_attempt") - 1,
        }
    else:
        spent = trial.judge_attempt >= MOST_TRIES
        status = JudgeStatus.FAILED if spent else JudgeStatus.WAITING
        columns = {
            "judge_status": status,
            "judge_lease_until": None,
            "judge_finding": heard.finding,
        }
    mine.update(**columns)
    tokens = usage.prompt_tokens + usage.completion_tokens
    cost = round(Decimal(usage.cost), 9)
    EvaluationTrial.objects.filter(pk=trial.pk).update(
        judge_cost=F("judge_cost") + cost, judge_tokens=F("judge_tokens") + tokens
    )
    EvaluationRun.objects.filter(pk=run.pk).update(
        judge_cost=F("judge_cost") + cost, judge_tokens=F("judge_tokens") + tokens
    )
    if heard.down:
        stop_run(run_id=run.pk, reason=f"The judge cannot be used: {heard.finding}")
    elif run.max_cost is not None and not heard.priced:
        stop_run(
            run_id=run.pk,
            reason="There is a cap on the cost, but nobody knows what the judge costs. Give its endpoint prices, 0 if it is "
            "free, and order the run again, or take the cap away.",
        )

"""Trials as runners hold them: claimed, loaded, written down. The runner is the one of simulations (synthesis/running)."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Now

from environments.core import environment as core
from writ_app.engine import behaviour, types
from writ_app.engine.evaluation.players import (
    BriefUser,
    GoldAgent,
    IdleAgent,
    Script,
    scenario_prompt,
)
from writ_app.engine.llm import ChatModel
from writ_app.engine.pacing import Budget
from writ_app.engine.scripted import ScriptedAgent, ScriptedUser
from writ_app.engine.simulation import (
    Conversation,
    Limits,
    Scene,
    ScreenTurn,
    Side,
    scene_of,
)
from writ_app.engine.simulation import Turn as EngineTurn
from writ_app.models.evaluation import (
    EvaluationRun,
    EvaluationTrial,
    EvaluationTurn,
    RunStatus,
    TrialStatus,
)
from writ_app.models.synthesis import ModelEndpoint
from writ_app.services import catalog
from writ_app.services.evaluation.control import finish_run_if_done, stop_run
from writ_app.services.evaluation.scoring import Columns, score_trajectory
from writ_app.services.evaluation.sets import situation_of
from writ_app.services.synthesis.running.claims import Waiting, lease, share_out
from writ_app.services.synthesis.running.desk import Unusable
from writ_app.services.synthesis.running.record import (
    Answered,
    Claim,
    GivenBack,
    Standing,
)


@dataclass(frozen=True)
class TrialWork:
    """A claimed trial, ready to be gone on with."""

    claim: Claim
    run: EvaluationRun
    row: EvaluationTrial
    scene: Scene
    environment: core.Environment
    screen: ScreenTurn | None
    talk: Conversation
    fault: str = ""

    @property
    def status(self) -> str:
        return self.run.status

    @property
    def setbacks(self) -> int:
        return self.row.setbacks

    @property
    def endpoints(self) -> dict[Side, ModelEndpoint]:
        sides: dict[Side, ModelEndpoint | None] = {
            "agent": self.run.agent,
            "user": self.run.user_simulator,
        }
        return {side: endpoint for side, endpoint in sides.items() if endpoint}

    def pinned(self, side: Side) -> Mapping[str, Any]:
        pinned: Mapping[str, Any] = self.run.played_by[side]
        return pinned

    def scripted(self, side: Side) -> ChatModel:
        return _script(self, side)

    def begin(self) -> Conversation:
        return _conversation(
            self.row, self.run, self.environment, self.scene, self.screen
        )


class Scored(NamedTuple):
    """A conversation that has ended, as columns of its row."""

    claim: Claim
    columns: Columns


class TrialDesk:
    """Trials of evaluation runs."""

    def tidy(self) -> int:
        freed = _requeue_expired()
        for pk in EvaluationRun.objects.in_progress().values_list("pk", flat=True):
            finish_run_if_done(run_id=pk)
        return freed

    def claim(
        self, runner: str, free: int, room: Callable[[Waiting], int]
    ) -> tuple[list[int], bool]:
        return share_out(waiting_runs(), free, room, partial(_take, runner))

    def load(self, ids: Iterable[int]) -> Iterator[TrialWork | Unusable]:
        return load(ids)

    def renew(self, held: Collection[Claim]) -> Standing:
        with transaction.atomic():
            standing = _locked(held)
            EvaluationTrial.objects.filter(
                pk__in=[
                    claim.simulation
                    for claim, status in standing.items()
                    if status == TrialStatus.RUNNING
                ]
            ).update(lease_until=Now() + lease())
        return Standing(standing, _states({claim.batch for claim in held}))

    def record(self, entries: Sequence[Any], *, repeated: bool) -> Standing:
        return record(entries)

    def is_work_left(self) -> bool:
        return bool(waiting_runs())

    def outcome(self, work: Any, trajectory: types.Trajectory) -> Scored:
        columns = score_trajectory(
            work.row.task, trajectory, has_judge=work.run.judge_id is not None
        )
        return Scored(work.claim, columns)


# --- claims --------------------------------------------------------------------------------------------------------------------


def waiting_runs() -> list[Waiting]:
    """Runs in progress that have trials to be claimed, oldest first."""
    pending = EvaluationTrial.objects.pending().filter(run=OuterRef("pk"))
    rows = (
        EvaluationRun.objects.in_progress()
        .filter(Exists(pending))
        .select_related("agent", "user_simulator")
        .order_by("pk")
    )
    return [
        Waiting(
            row.pk,
            {
                one.pk: one.max_in_flight
                for one in (row.agent, row.user_simulator)
                if one
            },
            capped=row.max_cost is not None or row.max_tokens is not None,
        )
        for row in rows
    ]


def _take(runner: str, run: Waiting, wanted: int) -> list[int]:
    with transaction.atomic():
        waiting = (
            EvaluationTrial.objects.pending()
            .filter(run=run.batch, run__status=RunStatus.RUNNING)
            # Every task once, then every task again: what is there early is of all tasks.
            .order_by("trial", "pk")
            .select_for_update(skip_locked=True, of=("self",))
        )
        ids = list(waiting.values_list("pk", flat=True)[:wanted])
        EvaluationTrial.objects.filter(pk__in=ids).hold(runner=runner, lease=lease())
    return ids


@transaction.atomic
def _requeue_expired() -> int:
    """Those that nobody holds right now: who does either writes them down or ends them."""
    expired = EvaluationTrial.objects.expired().select_for_update(
        skip_locked=True, no_key=True, of=("self",)
    )
    keys = list(expired.order_by("pk").values_list("pk", flat=True))
    return EvaluationTrial.objects.filter(pk__in=keys).requeue()


def _locked(claims: Collection[Claim]) -> dict[Claim, str]:
    """Of these claims those that still hold, with the trial's status; nobody else can take them over meanwhile."""
    rows = (
        EvaluationTrial.objects.filter(pk__in=[claim.simulation for claim in claims])
        .select_for_update(no_key=True)
        .order_by("pk")
        .values_list("pk", "attempt", "run_id", "status")
    )
    found = {Claim(pk, attempt, run): status for pk, attempt, run, status in rows}
    return {claim: found[claim] for claim in claims if claim in found}


def _states(ids: Collection[int]) -> dict[int, str]:
    return dict(EvaluationRun.objects.filter(pk__in=ids).values_list("pk", "status"))


# --- loading -------------------------------------------------------------------------------------------------------------------


def load(ids: Iterable[int]) -> Iterator[TrialWork | Unusable]:
    """The inputs of trials that were just claimed."""
    rows = list(
        EvaluationTrial.objects.filter(pk__in=list(ids))
        .select_related(
            "task__environment", "task__own", "run__agent", "run__user_simulator"
        )
        .defer("task__environment__state", "task__environment__policy")
        .order_by("pk")
    )
    turns: dict[int, list[EvaluationTurn]] = {row.pk: [] for row in rows}
    for turn in EvaluationTurn.objects.filter(trial__in=rows).order_by("position"):
        turns[turn.trial_id].append(turn)
    for row in rows:
        claim = Claim(row.pk, row.attempt, row.run_id)
        try:
            yield _prepare(row, claim, turns[row.pk])
        except Exception as error:  # whatever it is, it must not take the others down
            yield Unusable(claim, f"{row} cannot be begun: {error}")


def _prepare(
    row: EvaluationTrial, claim: Claim, turns: Sequence[EvaluationTurn]
) -> TrialWork:
    environment = catalog.load_environment(row.task.environment)
    screen: ScreenTurn | None = None
    if row.task.own is not None:
        task = types.Task.model_validate(row.task.own.content)
        ledger = types.Ledger.model_validate(row.task.ledger)
        scene = scene_of(task, ledger)
        if row.run.user_simulator_id is not None:
            screen = partial(behaviour.screen_turn, ledger)
    else:
        content = row.task.content
        scene = Scene(
            user_system=scenario_prompt(content),
            task_hash=row.task.content_hash,
            begins=situation_of(content).initialization,
        )
    talk = _conversation(row, row.run, environment, scene, screen)
    fitted = talk.resume([_read_turn(turn) for turn in turns])
    if fitted < len(turns):
        keys = [turn.pk for turn in turns[fitted:]]
        EvaluationTurn.objects.filter(pk__in=keys).delete()
    return TrialWork(claim, row.run, row, scene, environment, screen, talk)


def _conversation(
    row: EvaluationTrial,
    run: EvaluationRun,
    environment: core.Environment,
    scene: Scene,
    screen: ScreenTurn | None,
) -> Conversation:
    return Conversation(
        environment=environment,
        scene=scene,
        seed=row.seed,
        limits=Limits.model_validate(run.limits),
        screen=screen,
    )


def _script(work: TrialWork, side: Side) -> ChatModel:
    task = work.row.task
    if side == "agent" and work.run.script == Script.IDLE:
        return IdleAgent()
    if task.own is None:
        return GoldAgent(task.content) if side == "agent" else BriefUser()
    own = types.Task.model_validate(task.own.content)
    ledger = types.Ledger.model_validate(task.ledger)
    if side == "agent":
        return ScriptedAgent(work.environment, own, ledger)
    return ScriptedUser(own, ledger)


def _read_turn(row: EvaluationTurn) -> EngineTurn:
    return EngineTurn.model_validate(
        {
            "position": row.position,
            "side": row.side,
            "fingerprint": row.fingerprint,
            "completion": row.completion,
            "drafts": row.drafts,
        }
    )


# --- writing down --------------------------------------------------------------------------------------------------------------


@dataclass
class _Spent:
    cost: Decimal = Decimal(0)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    turns: int = 0


def record(entries: Sequence[Any]) -> Standing:
    """Write all entries or none; what was written before, or is under a claim that somebody took over, changes nothing."""
    claims = {entry.claim for entry in entries}
    with transaction.atomic():
        held = _locked(claims)
        mine = [entry for entry in entries if entry.claim in held]
        spent = _write_turns([e for e in mine if isinstance(e, Answered)])
        for entry in mine:
            if isinstance(entry, Scored) and held[entry.claim] == TrialStatus.RUNNING:
                _write_outcome(entry)
            elif isinstance(entry, GivenBack):
                _give_back(entry)
        runs = sorted({claim.batch for claim in claims})
        states = {pk: _spend(pk, spent.get(pk, _Spent())) for pk in runs}
        for run_id, reason in _reasons_to_stop(mine):
            if stop_run(run_id=run_id, reason=reason):
                states[run_id] = RunStatus.PAUSED.value
    for run_id in {e.claim.batch for e in mine if isinstance(e, Scored)}:
        finish_run_if_done(run_id=run_id)
    return Standing(held, states)


def _write_turns(entries: Sequence[Answered]) -> dict[int, _Spent]:
    """Insert or complete turns; returns what each run spent on what had not been written before."""
    spent: defaultdict[int, _Spent] = defaultdict(_Spent)
    if not entries:
        return spent
    there = {
        (row.trial_id, row.position): row
        for row in EvaluationTurn.objects.filter(
            trial__in={entry.claim.simulation for entry in entries}
        ).defer("completion", "drafts")
    }
    rows = []
    for entry in entries:
        row = _turn_row(entry)
        rows.append(row)
        before = there.get((row.trial_id, row.position))
        if before is not None and before.fingerprint != row.fingerprint:
            before = None  # an answer to something else: paid for as well
        total = spent[entry.claim.batch]
        total.turns += before is None
        total.cost += row.cost - (before.cost if before else 0)
        total.prompt_tokens += row.prompt_tokens - (
            before.prompt_tokens if before else 0
        )
        total.completion_tokens += row.completion_tokens - (
            before.completion_tokens if before else 0
        )
        there[row.trial_id, row.position] = row
    latest = {(row.trial_id, row.position): row for row in rows}
    EvaluationTurn.objects.bulk_create(
        latest.values(),
        update_conflicts=True,
        unique_fields=["trial", "position"],
        update_fields=[
            *("side", "fingerprint", "completion", "drafts", "attempt"),
            *("cost", "prompt_tokens", "completion_tokens", "seconds"),
        ],
    )
    return spent


def _turn_row(entry: Answered) -> EvaluationTurn:
    turn = entry.turn
    answer = turn.completion
    return EvaluationTurn(
        trial_id=entry.claim.simulation,
        position=turn.position,
        side=turn.side,
        fingerprint=turn.fingerprint,
        completion=answer and answer.model_dump(mode="json"),
        drafts=[draft.model_dump(mode="json") for draft in turn.drafts],
        attempt=entry.claim.attempt,
        cost=round(Decimal(turn.usage.cost), 9),
        prompt_tokens=turn.usage.prompt_tokens,
        completion_tokens=turn.usage.completion_tokens,
        seconds=entry.seconds,
    )


def _write_outcome(entry: Scored) -> None:
    """The tokens of each side are those of its turns; a script's are nobody's."""
    turns = EvaluationTurn.objects.filter(trial=entry.claim.simulation)
    tokens: dict[str, int] = {}
    cost = Decimal(0)
    for side, written, paid in turns.values_list("side", "completion_tokens", "cost"):
        tokens[side] = tokens.get(side, 0) + written
        cost += paid
    EvaluationTrial.objects.filter(pk=entry.claim.simulation).update(
        **entry.columns,
        agent_tokens=tokens.get("agent") or None,
        user_tokens=tokens.get("user") or None,
        cost=cost,
        status=TrialStatus.DONE,
        finished_at=Now(),
        lease_until=None,
    )


def _give_back(entry: GivenBack) -> None:
    rows = EvaluationTrial.objects.filter(
        pk=entry.claim.simulation, status=TrialStatus.RUNNING
    )
    if entry.setback:
        rows.update(setbacks=F("setbacks") + 1)
    rows.requeue()


def _spend(run_id: int, spent: _Spent) -> str:
    """Add to what a run has spent, and pause it if that reaches a cap. Returns its status."""
    with connection.cursor() as cursor:  # the ORM would need two queries
        cursor.execute(
            _SPEND,
            [
                spent.cost,
                spent.prompt_tokens,
                spent.completion_tokens,
                spent.turns,
                run_id,
            ],
        )
        status, cost, tokens, max_cost, max_tokens = cursor.fetchone()
    reason = budget_of(max_cost, max_tokens).spent(float(cost), tokens)
    if reason and stop_run(run_id=run_id, reason=reason):
        return RunStatus.PAUSED.value
    return str(status)


def budget_of(max_cost: Decimal | None, max_tokens: int | None) -> Budget:
    return Budget(
        max_cost=None if max_cost is None else float(max_cost), max_tokens=max_tokens
    )


_SPEND = """\
UPDATE writ_app_evaluationrun
SET cost = cost + %s, prompt_tokens = prompt_tokens + %s, completion_tokens = completion_tokens + %s, turns = turns + %s
WHERE id = %s
RETURNING status, cost + judge_cost, prompt_tokens + completion_tokens + judge_tokens, max_cost, max_tokens"""


def _reasons_to_stop(entries: Iterable[Any]) -> Iterator[tuple[int, str]]:
    for entry in entries:
        if isinstance(entry, GivenBack) and entry.reason:
            yield entry.claim.batch, entry.reason
        if isinstance(entry, Answered):
            answer = entry.turn.completion
            if answer is None or answer.priced:
                continue
            run = EvaluationRun.objects.filter(pk=entry.claim.batch)
            if run.filter(max_cost=None).exists():
                continue
            yield (
                entry.claim.batch,
                f"There is a cap on the cost, but nobody knows what the endpoint of the {entry.turn.side} costs. "
                "Give it its prices, 0 if it is free, and order the run again, or take the cap away.",
            )

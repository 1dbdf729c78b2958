"""The runner: claims simulations and holds hundreds of their conversations at a time, in one event loop, as long as there is work.

It may be killed at any moment: every answer is recorded before the next is asked for, and what it holds goes to somebody else
once its lease is over. Told to stop, it lets calls in flight come back for a moment and gives everything back.
"""

import asyncio
import gc
import logging
import os
import random
import socket
import sys
import time
import traceback
import uuid
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from django.conf import settings
from django.db import Error, connection

from writ_app.adapters.chat import storable
from writ_app.adapters.litellm_setup import warm_up
from writ_app.engine.errors import ModelUnavailable
from writ_app.engine.llm import AsyncChatModel, AtOnce
from writ_app.engine.pacing import Limiter, PacedChat, Retry, Stopped
from writ_app.engine.simulation import Conversation, Side, Turn, hold_async
from writ_app.engine.types import Trajectory
from writ_app.models.synthesis import BatchStatus, ModelEndpoint, SimulationStatus
from writ_app.services.synthesis.endpoints import model_of
from writ_app.services.synthesis.health import (
    Tally,
    Watched,
    forget_old_health,
    learnt_limits,
    record_health,
)
from writ_app.services.synthesis.running import claims
from writ_app.services.synthesis.running.claims import Waiting
from writ_app.services.synthesis.running.database import Database, DatabaseAway
from writ_app.services.synthesis.running.desk import (
    Desk,
    Entry,
    SimulationDesk,
    Unusable,
    Work,
)
from writ_app.services.synthesis.running.record import (
    Answered,
    Claim,
    GivenBack,
    Standing,
)

logger = logging.getLogger(__name__)

TICK = 0.5
"""Seconds between two looks at what else is to be done."""
SOONEST = 0.1
"""Seconds from a place's becoming free until it is filled."""
TOLD_EVERY = 3.0
"""Seconds between two notes of how the endpoints do."""
SCRIPTED_AT_A_TIME = 8
"""Simulations without an endpoint that a runner holds: they wait for nothing, so other runners should have the rest."""
COLLECTED = (50_000, 10, 5)
"""Thresholds of the garbage collector. Calls leave few cycles behind; looking for them took a tenth of all time by default."""
MOST_SETBACKS = 3
"""A simulation that was put back so often by something that may be its own fault ends with that."""


@dataclass
class _Held:
    """A simulation under way."""

    work: Work
    task: asyncio.Task[None]
    models: list[PacedChat] = field(default_factory=list)

    @property
    def in_call(self) -> bool:
        return any(model.in_call for model in self.models)


class Runner:
    """One run, within one event loop. `stop` is asked all the time; `wake` is called once if there is work for another."""

    def __init__(
        self,
        *,
        slots: int,
        seconds: float,
        grace: float = 2.0,
        stop: Callable[[], bool] = lambda: False,
        wake: Callable[[], object] = lambda: None,
        retry: Retry | None = None,
        desk: Desk | None = None,
    ):
        """`desk`: whose conversations; those of batches by default."""
        self._desk: Desk = desk or SimulationDesk()
        self.name = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._slots = slots
        self._seconds = seconds
        self._grace = grace
        self._stop = stop
        self._wake: Callable[[], object] | None = wake
        self._retry = retry or Retry()
        self._database = Database(self._desk.record)
        self._held: dict[Claim, _Held] = {}
        self._batches: dict[int, str] = {}
        self._limiters: dict[int, Limiter] = {}
        self._learnt: dict[int, float] = {}
        """Endpoint's primary key → what runners before this one found it to bear."""
        self._tallies: defaultdict[int, Tally] = defaultdict(Tally)
        self._changed = asyncio.Event()
        self._stopping = False

    async def run(self) -> bool:
        """Until there is nothing left to do, time is up, or it is told to stop. Returns whether work is left."""
        until = time.monotonic() + self._seconds
        renewed = told = time.monotonic()
        heartbeat = claims.lease().total_seconds() / 4
        watch = asyncio.create_task(self._watch())
        try:
            await self._database.call(self._desk.tidy)
            await self._database.call(forget_old_health)
            self._learnt = await self._database.call(learnt_limits)
            while not self._stop() and time.monotonic() < until:
                if time.monotonic() - renewed >= heartbeat:
                    renewed = time.monotonic()
                    await self._renew()
                    await self._database.call(self._desk.tidy)
                if time.monotonic() - told >= TOLD_EVERY:
                    told = time.monotonic()
                    await self._database.call(self._tell_health)
                if not await self._fill() and not self._held:
                    left = await self._database.call(self._desk.is_work_left)
                    if not left:
                        return False
                await self._pause()
            return bool(self._held) or await self._database.call(
                self._desk.is_work_left
            )
        except DatabaseAway:
            return True
        finally:
            watch.cancel()
            await self._drain()

    async def _watch(self) -> None:
        """Once told to stop, wait for a database that is away for a moment only: leases say what this runner then cannot."""
        while not self._stop():
            await asyncio.sleep(TICK)
        await asyncio.sleep(2 * self._grace)
        self._database.give_up()

    # --- what is held ---

    async def _fill(self) -> int:
        """Claim as much as there are places for; returns how many."""
        free = self._slots - len(self._held)
        if free <= 0:
            return 0
        ids, more = await self._database.call(
            self._desk.claim, self.name, free, self._room
        )
        if not ids:
            return 0
        if more and self._wake:
            # The broker may take its time, or be away.
            asyncio.get_running_loop().run_in_executor(None, _heard, self._wake)
            self._wake = None
        for found in await self._database.call(lambda: list(self._desk.load(ids))):
            if isinstance(found, Unusable):
                await self._database.write(GivenBack(found.claim, reason=found.reason))
            else:
                self._begin(found)
        return len(ids)

    def _room(self, batch: Waiting) -> int:
        """How many more of a batch's simulations can be held now. Called in the database's thread."""
        held = list(self._held.values())
        if not batch.endpoints:
            own = sum(one.work.claim.batch == batch.batch for one in held)
            return SCRIPTED_AT_A_TIME - own
        using = sum(
            any(one.pk in batch.endpoints for one in each.work.endpoints.values())
            for each in held
        )
        return batch.places - using

    def _begin(self, work: Work) -> None:
        self._batches[work.claim.batch] = work.status
        task = asyncio.create_task(self._finish(work), name=f"simulation {work.claim}")
        self._held[work.claim] = _Held(work, task)
        task.add_done_callback(lambda done: self._let_go(work.claim, done))

    def _let_go(self, claim: Claim, task: asyncio.Task[None]) -> None:
        del self._held[claim]
        self._changed.set()
        if not task.cancelled() and (error := task.exception()):
            logger.error("Simulation %s was lost", claim.simulation, exc_info=error)

    async def _pause(self) -> None:
        """Until a place becomes free, or for a tick."""
        self._changed.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), TICK)
        if self._held:
            await asyncio.sleep(SOONEST)  # what else becomes free is filled together

    async def _renew(self) -> None:
        held = list(self._held)
        standing = await self._database.call(self._desk.renew, held)
        for claim in held:
            if standing.held.get(claim) != SimulationStatus.RUNNING:
                self._cancel(claim)
        self._batches |= standing.batches
        self._cancel_stopped()

    def _heed(self, standing: Standing) -> None:
        if not standing.batches.items() <= self._batches.items():
            self._batches |= standing.batches
            self._cancel_stopped()

    def _cancel_stopped(self) -> None:
        """Simulations of a batch that was stopped wait for nothing but calls in flight."""
        for claim, held in list(self._held.items()):
            if not self._goes_on(claim.batch) and not held.in_call:
                self._cancel(claim)

    def _cancel(self, claim: Claim) -> None:
        if claim in self._held:
            self._held[claim].task.cancel()

    def _goes_on(self, batch_id: int) -> bool:
        going = (BatchStatus.DESIGNING, BatchStatus.RUNNING)
        return not self._stopping and self._batches.get(batch_id) in going

    async def _drain(self) -> None:
        """Give everything back. Calls in flight have a moment to come back, and are recorded if they do."""
        self._stopping = True
        self._cancel_stopped()
        tasks = [held.task for held in self._held.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=self._grace)
        for task in tasks:
            task.cancel()
        asyncio.get_running_loop().call_later(self._grace, self._database.give_up)
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(DatabaseAway):
            await self._database.call(self._tell_health)
        await self._database.close()

    # --- one simulation ---

    async def _finish(self, work: Work) -> None:
        """To its outcome, or back to where others can go on with it."""
        entry: Entry
        try:
            entry = await self._hold(work)
        except (Stopped, asyncio.CancelledError, DatabaseAway):
            entry = GivenBack(work.claim)
        except ModelUnavailable as error:
            entry = self._unanswered(work, error)
        except Exception:
            logger.exception("Simulation %s broke", work.claim.simulation)
            entry = self._broken(work, traceback.format_exc(limit=-3))
        try:
            self._heed(await self._database.write(entry))
        except DatabaseAway:
            logger.warning("Simulation %s is left to its lease", work.claim.simulation)

    async def _hold(self, work: Work) -> Entry:
        recorded = bool(work.endpoints)
        asked = time.monotonic()

        async def on_turn(turn: Turn) -> None:
            nonlocal asked
            if not recorded:  # scripted on both sides: free to do again
                await asyncio.sleep(0)
                return
            entry = Answered(work.claim, turn, time.monotonic() - asked)
            standing = await self._database.write(entry)
            self._heed(standing)
            if standing.held.get(work.claim) != SimulationStatus.RUNNING:
                raise Stopped
            asked = time.monotonic()

        trajectory = await hold_async(
            work.talk,
            agent=self._model(work, "agent"),
            user=self._model(work, "user"),
            on_turn=on_turn,
            fault=work.fault,
        )
        return self._desk.outcome(work, trajectory)

    def _model(self, work: Work, side: Side) -> AsyncChatModel:
        endpoint = work.endpoints.get(side)
        if endpoint is None:
            return AtOnce(work.scripted(side))
        model = PacedChat(
            Watched(model_of(work.pinned(side)), self._tallies[endpoint.pk]),
            self._limiter(endpoint),
            self._retry,
            random.Random(),
            gate=lambda: self._check(work.claim.batch),
        )
        self._held[work.claim].models.append(model)
        return model

    def _limiter(self, endpoint: ModelEndpoint) -> Limiter:
        limiter = self._limiters.get(endpoint.pk)
        if limiter is None:
            limiter = self._limiters[endpoint.pk] = Limiter(
                endpoint.max_in_flight, learnt=self._learnt.get(endpoint.pk)
            )
        limiter.allow(endpoint.max_in_flight)
        return limiter

    def _tell_health(self) -> None:
        """How the endpoints do, for the pages that show it. Called in the database's thread."""
        for pk, limiter in list(self._limiters.items()):
            record_health(
                endpoint_id=pk,
                process=self.name,
                in_flight=limiter.in_flight,
                limit=limiter.limit,
                tally=self._tallies[pk],
            )

    def _check(self, batch_id: int) -> None:
        if not self._goes_on(batch_id):
            raise Stopped

    def _unanswered(self, work: Work, error: ModelUnavailable) -> Entry:
        """The endpoint answers nobody: everybody waits for its owner. Unless it is this simulation, again and again."""
        if work.setbacks + 1 < MOST_SETBACKS:
            reason = f"An endpoint cannot be used: {error}"
            return GivenBack(work.claim, setback=True, reason=storable(reason))
        work.talk.fail(error)
        return self._desk.outcome(work, _trajectory(work, work.talk))

    def _broken(self, work: Work, trace: str) -> Entry:
        """Something that should not have been. It may pass; if not, it is an outcome with the traceback in it."""
        if work.setbacks + 1 < MOST_SETBACKS:
            return GivenBack(work.claim, setback=True)
        talk = work.begin()  # what had been said may be what broke it
        talk.break_off(storable(trace))
        return self._desk.outcome(work, _trajectory(work, talk))


def _heard(wake: Callable[[], object]) -> None:
    try:
        wake()
    except Exception as error:  # somebody looks every few seconds anyway
        logger.warning("No other worker could be woken: %s", error)


def _trajectory(work: Work, talk: Conversation) -> Trajectory:
    def name(side: Side) -> str:
        return str(work.pinned(side)["name"]) if side in work.endpoints else "scripted"

    return talk.trajectory(agent=name("agent"), user=name("user"), fault=work.fault)


def preload() -> None:
    """Import, once for all processes that will be forked from this one, what calls to endpoints need: 150 MB and seconds each.

    Nothing if there are no endpoints, or no database to say so.
    """
    try:
        wanted = ModelEndpoint.objects.exists()
    except Error:
        return
    finally:
        connection.close()  # forks must not share it
    if wanted:
        warm_up()
        gc.collect()
        gc.freeze()  # a collection would write to, and so copy, what is shared


_runner: asyncio.Runner | None = None


def run_pending(
    *,
    seconds: float,
    slots: int | None = None,
    stop: Callable[[], bool] = lambda: False,
    wake: Callable[[], object] = lambda: None,
    desk: Desk | None = None,
) -> bool:
    """Simulate whatever waits, in this process, for up to so many seconds; returns whether work is left.

    Any number of processes may do so at the same time.
    """
    global _runner
    # One event loop for the life of the process: clients, and the connections they keep open, belong to a loop.
    if _runner is None:
        _runner = asyncio.Runner()
    # The database's thread comes back from every query to a loop that is busy: by default it waits 5 ms each time.
    sys.setswitchinterval(0.0005)
    gc.set_threshold(*COLLECTED)
    runner = Runner(
        slots=slots or settings.SIMULATIONS_IN_FLIGHT,
        seconds=seconds,
        grace=settings.STOP_SECONDS,
        stop=stop,
        wake=wake,
        desk=desk,
    )
    return _runner.run(runner.run())

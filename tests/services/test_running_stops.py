"""What stops a batch: faults of its endpoints, its owner, its caps; and how it goes on."""

import threading
import time
from collections import Counter
from typing import Any

import pytest
from django.db import connections

from tests.fakes import Reply, error_reply
from tests.played import Key
from tests.services.runs import (
    order,
    ordered,
    run,
    states,
    wait_for,
)
from writ_app.models.synthesis import (
    Batch,
    BatchStatus,
    Simulation,
    SimulationStatus,
    Trajectory,
    Turn,
)
from writ_app.services import synthesis

pytestmark = pytest.mark.django_db(transaction=True)


class TestProviderFaults:
    @pytest.mark.parametrize(
        ("reply", "says"),
        [
            (error_reply(401, "bad key"), "refused the key"),
            (error_reply(429, "insufficient_quota"), "no credit"),
            (error_reply(404, "no such model"), "model and base URL"),
            (error_reply(500, "oops"), "failed on its side"),
            (error_reply(429, "slow down", Retry_After="3600"), "slow down"),
        ],
    )
    def test_of_everybody_pause_the_batch_and_cost_no_simulation(
        self, reply: Reply, says: str
    ) -> None:
        broken = [True]

        def refuse(key: Key) -> Reply | None:
            return reply if broken[0] else None

        with ordered(before=refuse) as (batch, _):
            assert run() is False
            batch.refresh_from_db()
            assert batch.status == BatchStatus.PAUSED
            assert says in batch.stopped_by
            assert states(batch) == {SimulationStatus.PENDING: 4}
            broken[0] = False
            synthesis.resume_batch(batch=batch)
            run()
        batch.refresh_from_db()
        assert (batch.status, batch.stopped_by) == (BatchStatus.DONE, "")
        assert Trajectory.objects.accepted().count() == 4

    def test_without_a_key_pause_the_batch_and_name_the_variable(self) -> None:
        batch = order("http://127.0.0.1:9/v1")
        batch.played_by["agent"]["key_variable"] = "NO_SUCH_VARIABLE"
        batch.save()
        run()
        batch.refresh_from_db()
        assert batch.status == BatchStatus.PAUSED
        assert "NO_SUCH_VARIABLE" in batch.stopped_by

    def test_that_pass_are_waited_for(self) -> None:
        failed: set[Key] = set()

        def now_and_then(key: Key) -> Reply | None:
            if key[2] % 3 or key in failed:
                return None
            failed.add(key)
            return error_reply(503, "busy")

        with ordered(before=now_and_then):
            run()
        assert failed
        assert Trajectory.objects.accepted().count() == 4

    def test_of_one_conversation_alone_are_its_outcome(self) -> None:
        with ordered(pause=0.01) as (batch, players):
            cursed = min(seed for seed, _, _ in players.answers)

            def curse(key: Key) -> Reply | None:
                return error_reply(500, "oops") if key[0] == cursed else None

            players.before = curse
            for _ in range(4):
                run()
                batch.refresh_from_db()
                if batch.status == BatchStatus.PAUSED:
                    synthesis.resume_batch(batch=batch)
        assert states(batch) == {SimulationStatus.DONE: 4}
        row = Trajectory.objects.get(simulation__seed=cursed)
        assert (row.ended_by, row.owner) == ("infrastructure_error", "provider")


class TestStopping:
    def test_paused_sends_nothing_more_and_goes_on_where_it_was(self) -> None:
        with ordered(pause=0.05) as (batch, players):
            runner = threading.Thread(target=run)
            runner.start()
            wait_for(lambda: len(players.asked) >= 8)
            synthesis.pause_batch(batch=batch)
            runner.join(20)
            assert not runner.is_alive()
            asked = len(players.asked)
            assert Turn.objects.count() == asked  # those in flight were recorded
            assert states(batch) == {SimulationStatus.PENDING: 4}
            run()
            assert len(players.asked) == asked
            synthesis.resume_batch(batch=batch)
            run()
        assert states(batch) == {SimulationStatus.DONE: 4}
        assert max(Counter(players.asked).values()) == 1

    def test_cancelled_stops_for_good_and_records_what_was_in_flight(self) -> None:
        with ordered(pause=0.05) as (batch, players):
            runner = threading.Thread(target=run)
            runner.start()
            wait_for(lambda: len(players.asked) >= 8)
            synthesis.cancel_batch(batch=batch)
            runner.join(20)
            assert not runner.is_alive()
        batch.refresh_from_db()
        assert batch.status == BatchStatus.CANCELLED
        assert states(batch) == {SimulationStatus.CANCELLED: 4}
        assert Turn.objects.count() == batch.turns == len(players.asked)
        assert not Trajectory.objects.exists()

    def test_told_to_stop_is_gone_within_seconds_whatever_is_in_flight(self) -> None:
        with ordered(pause=30.0) as (batch, players):
            began = time.monotonic()
            run(stop=lambda: len(players.asked) >= 4, grace=0.3)
            assert time.monotonic() - began < 15
        assert states(batch) == {SimulationStatus.PENDING: 4}

    def test_does_not_wait_for_a_database_that_is_away(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        order()
        monkeypatch.setitem(connections.settings["default"], "HOST", "/nowhere")
        began = time.monotonic()
        assert run(stop=lambda: time.monotonic() - began > 0.5, grace=0.2) is True
        assert time.monotonic() - began < 10


class TestCaps:
    @pytest.mark.parametrize(
        ("cap", "says"), [({"max_cost": 0.5}, r"\$0.50"), ({"max_tokens": 500}, "500")]
    )
    def test_are_passed_by_no_more_than_what_was_in_flight(
        self, cap: dict[str, Any], says: str
    ) -> None:
        with ordered(ordered=24, pause=0.02, **cap) as (batch, _):
            threads = [
                threading.Thread(target=run, kwargs={"slots": 4}) for _ in range(3)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        batch.refresh_from_db()
        assert batch.status == BatchStatus.PAUSED
        assert says.replace("\\", "") in batch.stopped_by
        spent = float(batch.cost) if "max_cost" in cap else batch.tokens
        each = 0.014 if "max_cost" in cap else 14
        bound = next(iter(cap.values()))
        assert bound <= spent < bound + 12 * each
        # What is recorded is what was spent.
        assert Turn.objects.count() == batch.turns
        assert batch.tokens == 14 * batch.turns

    def test_raised_let_the_batch_go_on(self) -> None:
        with ordered(ordered=2, max_tokens=50) as (batch, _):
            run()
            batch.refresh_from_db()
            assert batch.status == BatchStatus.PAUSED
            Batch.objects.filter(pk=batch.pk).update(max_tokens=10**6)
            synthesis.resume_batch(batch=batch)
            run()
        assert states(batch) == {SimulationStatus.DONE: 2}

    def test_on_the_cost_need_a_price(self) -> None:
        with ordered(ordered=1, max_cost=5) as (batch, _):
            for side in ("agent", "user"):
                batch.played_by[side] |= {"prompt_price": None}
            batch.save()
            run()
        batch.refresh_from_db()
        assert batch.status == BatchStatus.PAUSED
        assert "prices" in batch.stopped_by


class TestRetryFailed:
    def test_gives_a_new_simulation_that_begins_with_what_was_paid_for(self) -> None:
        with ordered(ordered=2) as (batch, players):
            cursed = min(seed for seed, _, _ in players.answers)
            Simulation.objects.filter(seed=cursed).update(setbacks=2)

            def curse(key: Key) -> Reply | None:
                bad = key[0] == cursed and key[2] > 5
                return error_reply(401, "no") if bad else None

            players.before = curse
            run()
            batch.refresh_from_db()
            assert batch.status == BatchStatus.DONE
            players.before = lambda key: None
            assert synthesis.retry_failed(batch=batch) == 1
            assert synthesis.retry_failed(batch=batch) == 0
            run()
        batch.refresh_from_db()
        assert batch.status == BatchStatus.DONE
        assert max(Counter(players.asked).values()) == 1
        progress = synthesis.batch_progress(batch)
        assert (progress.done, progress.accepted, progress.rejected) == (2, 2, 0)
        assert Trajectory.objects.count() == 3
        assert batch.turns == len(players.asked)

    def test_leaves_alone_what_a_model_did_wrong(self) -> None:
        batch = order(fault_share=1.0)
        run()
        assert synthesis.retry_failed(batch=batch) == 0

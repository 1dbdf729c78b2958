"""Runners on the real database, with models over real HTTP where it matters what they are asked."""

import threading
import time
from collections import Counter
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tests.played import Key, claim_of
from tests.services.runs import (
    batch_cost,
    order,
    ordered,
    run,
    scripted_messages,
    states,
    wait_for,
)
from writ_app.models.synthesis import (
    Batch,
    BatchStatus,
    ModelEndpoint,
    Simulation,
    SimulationStatus,
    Trajectory,
    Turn,
)
from writ_app.services import synthesis
from writ_app.services.synthesis.running import claims
from writ_app.services.synthesis.running.record import GivenBack, record

pytestmark = pytest.mark.django_db(transaction=True)


class TestRunPending:
    def test_gives_every_simulation_one_outcome_and_closes_the_batch(self) -> None:
        batch = order(ordered=20)
        assert synthesis.run_pending(seconds=60, slots=16) is False
        batch.refresh_from_db()
        assert batch.status == BatchStatus.DONE
        assert Trajectory.objects.accepted().count() == 20
        assert not Turn.objects.exists()  # nothing was paid for

    def test_over_http_holds_the_same_conversations_as_the_scripted_models(
        self,
    ) -> None:
        with ordered() as (batch, players):
            run()
        batch.refresh_from_db()
        assert batch.status == BatchStatus.DONE
        plain = order()
        run()
        assert scripted_messages(batch) == scripted_messages(plain)
        assert Counter(players.asked).most_common(1)[0][1] == 1
        assert not Trajectory.objects.filter(
            simulation__batch=batch, scripted=True
        ).exists()

    def test_records_every_answer_with_what_it_took(self) -> None:
        with ordered(ordered=1) as (batch, players):
            run()
        batch.refresh_from_db()
        turns = list(Turn.objects.order_by("position"))
        assert [turn.position for turn in turns] == list(range(len(players.asked)))
        assert turns[0].side == "user"
        assert turns[0].raw["choices"][0]["message"]["content"]
        assert turns[0].completion["usage"]["prompt_tokens"] == 11
        assert batch.turns == len(turns)
        assert batch.prompt_tokens == 11 * len(turns)
        assert batch.tokens == 14 * len(turns)
        assert float(batch.cost) == pytest.approx(0.014 * len(turns))
        content = Trajectory.objects.get().content
        assert content["usage"]["cost"] == pytest.approx(float(batch.cost))
        assert content["agent"] == "both"

    def test_wakes_another_if_there_is_more_than_it_can_hold(self) -> None:
        order(ordered=10)
        woken: list[int] = []
        run(slots=2, wake=lambda: woken.append(1))
        assert woken == [1]

    @pytest.mark.parametrize(("changes", "held"), [({"max_tokens": 10**6}, 6), ({}, 8)])
    def test_holds_as_many_as_both_endpoints_bear_together_and_without_a_cap_some_more(
        self, changes: dict[str, Any], held: int
    ) -> None:
        with ordered(ordered=12, pause=0.3, **changes) as (batch, players):
            other = ModelEndpoint.objects.create(
                name="other", model="openai/test", base_url="http://127.0.0.1:9/v1"
            )
            ModelEndpoint.objects.update(max_in_flight=3)
            Batch.objects.filter(pk=batch.pk).update(user_simulator=other)
            run(stop=lambda: len(players.asked) >= 12)
        assert batch.simulations.filter(attempt=1).count() == held

    def test_keeps_to_what_an_endpoint_bears(self) -> None:
        lock, at_once, most = threading.Lock(), [0], [0]

        def count(key: Key) -> None:
            with lock:
                at_once[0] += 1
                most[0] = max(most[0], at_once[0])
            time.sleep(0.02)
            with lock:
                at_once[0] -= 1

        with ordered(before=count, ordered=8) as (batch, _):  # type: ignore[arg-type]
            ModelEndpoint.objects.update(max_in_flight=3)
            run()
        assert most[0] <= 3
        assert states(batch) == {SimulationStatus.DONE: 8}


class TestResuming:
    def test_after_a_stop_asks_for_nothing_twice(self) -> None:
        with ordered(pause=0.2) as (batch, players):
            left = run(stop=lambda: len(players.asked) >= 12)
            assert left
            assert states(batch)[SimulationStatus.PENDING] == 4
            assert Turn.objects.count() >= 12
            run()
        assert states(batch) == {SimulationStatus.DONE: 4}
        assert max(Counter(players.asked).values()) == 1
        plain = order()
        run()
        assert scripted_messages(batch) == scripted_messages(plain)

    def test_drops_answers_to_something_else_and_says_so(self) -> None:
        with ordered(ordered=1, pause=0.2) as (batch, players):
            run(stop=lambda: len(players.asked) >= 5)
            Turn.objects.filter(position=3).update(fingerprint="of another prompt")
            recorded, before = Turn.objects.count(), batch_cost(batch)
            run()
        simulation = batch.simulations.get()
        assert f"{recorded - 3} of {recorded} recorded answers" in simulation.note
        again = Counter(players.asked)
        assert sum(count == 2 for count in again.values()) == recorded - 3
        assert Turn.objects.count() == len(again)
        # What was asked twice was paid for twice.
        assert batch_cost(batch) - before == pytest.approx(
            0.014 * (len(players.asked) - recorded)
        )

    def test_takes_over_what_a_silent_runner_held(self, settings: Any) -> None:
        batch = order()
        first = batch.simulations.order_by("pk")[0]
        Simulation.objects.claim(first.pk, runner="dead", lease=-timezone.timedelta(1))
        run()
        assert states(batch) == {SimulationStatus.DONE: 4}
        first.refresh_from_db()
        assert first.attempt == 2

    def test_does_not_depend_on_the_clock_of_the_machine(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        batch = order(ordered=8)
        real, calls = time.time, [0]

        def jumping() -> float:
            calls[0] += 1
            return real() + (10**6 if calls[0] % 2 else -(10**6))

        monkeypatch.setattr(time, "time", jumping)
        run()
        monkeypatch.undo()
        assert states(batch) == {SimulationStatus.DONE: 8}
        assert set(batch.simulations.values_list("attempt", flat=True)) == {1}


class TestFencing:
    def test_drops_what_a_runner_thought_dead_still_writes(self) -> None:
        batch = order(ordered=1)
        simulation = batch.simulations.get()
        Simulation.objects.claim(simulation.pk)
        simulation.refresh_from_db()
        slow = claim_of(simulation)
        batch.simulations.requeue()
        run()
        standing = record([GivenBack(slow, setback=True)])
        assert standing.held == {}
        simulation.refresh_from_db()
        assert (simulation.status, simulation.setbacks) == (SimulationStatus.DONE, 0)

    def test_stops_a_conversation_that_somebody_else_took_over(self) -> None:
        def take_away(key: Key) -> None:
            if key[2] == 4:
                Simulation.objects.filter(seed=key[0], attempt=1).update(attempt=7)
                connection.close()

        with ordered(before=take_away, ordered=1) as (batch, players):  # type: ignore[arg-type]
            run(seconds=2)
            asked = len(players.asked)
        assert not Trajectory.objects.exists()
        assert Turn.objects.count() == asked - 1
        assert batch.simulations.get().attempt == 7

    def test_lets_eight_runners_share_without_doing_anything_twice(self) -> None:
        batch = order(ordered=24)
        threads = [threading.Thread(target=run) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert states(batch) == {SimulationStatus.DONE: 24}
        assert Trajectory.objects.count() == 24
        assert set(batch.simulations.values_list("attempt", flat=True)) == {1}


class TestDatabase:
    def test_breaking_off_loses_and_doubles_nothing(self) -> None:
        with ordered(pause=0.02) as (batch, players):
            runner = threading.Thread(target=run)
            runner.start()
            for asked in (5, 15, 25):
                wait_for(lambda: len(players.asked) >= asked or not runner.is_alive())  # noqa: B023
                with connection.cursor() as cursor:
                    cursor.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
            runner.join(60)
        batch.refresh_from_db()
        assert states(batch) == {SimulationStatus.DONE: 4}
        assert max(Counter(players.asked).values()) == 1
        assert batch.turns == Turn.objects.count() == len(players.asked)


class TestClaim:
    def test_is_shared_fairly_between_batches(self) -> None:
        one, other = order(ordered=6), order(ordered=6)
        ids, left = claims.claim("me", 6, lambda batch: 6)
        taken = Simulation.objects.filter(pk__in=ids)
        assert Counter(taken.values_list("batch", flat=True)) == {
            one.pk: 3,
            other.pk: 3,
        }
        assert left

    def test_leaves_paused_batches_alone(self) -> None:
        batch = order()
        synthesis.pause_batch(batch=batch)
        assert claims.claim("me", 6, lambda batch: 6) == ([], False)

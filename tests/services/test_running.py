"""Runners on the real database, with models over real HTTP where it matters what they are asked."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tests import factories
from tests.fakes import Reply, chat_server, completion_reply, error_reply
from tests.played import Key, Players, claim_of, played
from writ_app.engine import types
from writ_app.engine.pacing import Retry
from writ_app.models.synthesis import (
    Batch,
    BatchStatus,
    ModelEndpoint,
    Simulation,
    SimulationStatus,
    Trajectory,
    Turn,
)
from writ_app.services import catalog, synthesis
from writ_app.services.synthesis.running import claims
from writ_app.services.synthesis.running.record import GivenBack, record
from writ_app.services.synthesis.running.runner import Runner

pytestmark = pytest.mark.django_db(transaction=True)

QUICK = Retry(max_attempts=3, first_wait=0.01, max_wait=5)


def order(url: str = "", **changes: Any) -> Batch:
    """A designed batch of a small shop; with a URL both sides are played over HTTP there."""
    owner = factories.make_owner(team=factories.make_team())
    wanted = {
        "team": factories.team_of(owner),
        "by": owner,
        "name": "Batch",
        "environment": catalog.register_generated(name="retail", seed=7, users=60),
        "seed": 1,
        "ordered": 4,
        "mix": {"R1": 1, "R5": 1},
        **changes,
    }
    caps = {name: wanted.pop(name, None) for name in ("max_cost", "max_tokens")}
    if url:
        both = endpoint(url)
        wanted |= {"agent": both, "user_simulator": both}
    batch = synthesis.start_batch(**wanted)
    Batch.objects.filter(pk=batch.pk).update(**caps)
    for _ in synthesis.design_batch(batch_id=batch.pk):
        pass
    batch.refresh_from_db()
    return batch


def endpoint(url: str, **fields: Any) -> ModelEndpoint:
    prices = {"prompt_price": 1000.0, "completion_price": 1000.0}
    return ModelEndpoint.objects.create(
        **{"name": "both", "model": "openai/test", "base_url": url, **prices, **fields}
    )


@contextmanager
def ordered(
    before: Callable[[Key], Reply | None] = lambda key: None,
    pause: float = 0.0,
    **changes: Any,
) -> Iterator[tuple[Batch, Players]]:
    """A batch over HTTP, with the models that play it."""
    players = Players({}, pause, before)
    with chat_server(players) as server:
        batch = order(server.url, **changes)
        players.answers = played(batch)
        yield batch, players


def run(**options: Any) -> bool:
    """One run of a runner of its own, with an event loop of its own."""

    async def once() -> bool:
        return await Runner(
            **{"slots": 16, "seconds": 60, "retry": QUICK, **options}
        ).run()

    return asyncio.run(once())


def scripted_messages(batch: Batch) -> dict[int, Any]:
    """Seed → messages of the scripted conversations of a batch like this one."""
    return {
        row.simulation.seed: row.content["messages"]
        for row in Trajectory.objects.filter(simulation__batch=batch).select_related(
            "simulation"
        )
    }


def states(batch: Batch) -> Counter[str]:
    return Counter(batch.simulations.values_list("status", flat=True))


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


def batch_cost(batch: Batch) -> float:
    batch.refresh_from_db()
    return float(batch.cost)


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


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


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


GARBAGE = {
    "empty text": {"content": ""},
    "white space": {"content": " \n "},
    "nothing": {"content": None},
    "a stop token at once": {"content": "###STOP###"},
    "long text": {"content": "x" * 200_000},
    "control characters": {"content": "\x00\x01\x1b[2J\ud800 hello \udfff\u202e"},
    "broken arguments": [("get_user_details", '{"user_id": ')],
    "a list of arguments": [("get_user_details", "[1]")],
    "NaN": [("get_user_details", '{"user_id": NaN}')],
    "infinity": [("get_user_details", '{"user_id": 1e999}')],
    "deep": [("get_user_details", '{"user_id": ' + "[" * 3000 + "]" * 3000 + "}")],
    "wrong types": [("get_user_details", '{"user_id": {"a": [1]}}')],
    "an unknown tool": [("launch_missiles\x00", '{"at\x00": "\ud800"}')],
    "no name": [("", "{}")],
    "several calls": [("get_user_details", '{"user_id": "x"}')] * 3,
    "very many calls": [("get_user_details", "{}")] * 5000,
}


class TestGarbage:
    @pytest.mark.parametrize("side", ["agent", "user"])
    def test_is_an_outcome_with_an_owner(self, side: str) -> None:
        with ordered(ordered=len(GARBAGE)) as (batch, players):
            seeds = sorted(batch.simulations.values_list("seed", flat=True))
            said = dict(zip(seeds, map(as_message, GARBAGE.values()), strict=True))

            def answer(key: Key) -> Reply | None:
                # Once: what is as long as that would be sent along two hundred times.
                again = len(said[key[0]]["content"] or "") > 1000 and key[2] > 3
                if key[1] != side or again:
                    return None
                return completion_reply(said[key[0]])

            players.before = answer
            players_say_something_to_everything(players)
            run()
        batch.refresh_from_db()
        assert batch.status == BatchStatus.DONE, batch.stopped_by
        rows = {
            row.simulation.seed: row
            for row in Trajectory.objects.select_related("simulation")
        }
        for seed, what in zip(seeds, GARBAGE, strict=True):
            row = rows[seed]
            assert row.reason, what
            assert row.owner in {"agent", "user", "budget"}, what
            types.Trajectory.model_validate(row.content)

    def test_beside_calls_is_kept_and_never_shown_to_the_user(self) -> None:
        calls = as_message([("list_all_product_types", "{}")])
        both = {**calls, "content": "secret"}

        def answer(key: Key) -> Reply | None:
            return completion_reply(both) if key[1:] == ("agent", 3) else None

        with ordered(before=answer, ordered=1) as (_, players):
            players_say_something_to_everything(players)
            run()
        [message] = [
            one
            for one in Trajectory.objects.get().content["messages"]
            if one["content"] == "secret"
        ]
        assert message["tool_calls"]


def as_message(said: Any) -> dict[str, Any]:
    if isinstance(said, dict):
        return {"role": "assistant", **said}
    calls = [
        {
            "id": "same",
            "type": "function",
            "function": {"name": name, "arguments": arguments},
        }
        for name, arguments in said
    ]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def players_say_something_to_everything(players: Players) -> None:
    """Off the script, the other side has something to say too."""

    class Anything(dict[Key, dict[str, Any]]):
        def __missing__(self, key: Key) -> dict[str, Any]:
            return {"role": "assistant", "content": "I see."}

    players.answers = Anything(players.answers)

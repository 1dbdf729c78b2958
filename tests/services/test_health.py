"""How endpoints do, as the processes that ask them write it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.factories import make_owner, team_of
from tests.fakes import ChatServer, Reply, chat_server, error_reply, text_reply
from writ_app.adapters.chat import from_endpoint
from writ_app.engine.errors import ModelUnavailable
from writ_app.engine.types import Message
from writ_app.models.synthesis import EndpointHealth, ModelEndpoint
from writ_app.services import synthesis
from writ_app.services.catalog import register_generated
from writ_app.services.synthesis.health import (
    Tally,
    Watched,
    forget_limits,
    forget_old_health,
    health_of,
    learnt_limits,
    record_health,
)

HI = Message(role="user", content="Hi")


class TestTally:
    def ask(self, server: ChatServer, tally: Tally) -> str:
        model = from_endpoint(
            name="mine",
            model="openai/test",
            base_url=server.url,
            parameters={"timeout": 1},
        )
        watched = Watched(model, tally)

        async def ask() -> str:
            answer = await watched.complete_async(
                system="Be kind.", messages=[HI], tools=[], seed=1
            )
            return answer.content

        return asyncio.run(ask())

    def test_counts_each_kind_of_failure_and_keeps_the_last(self) -> None:
        tally = Tally()
        slow = text_reply("too late")
        slow.pause = 2
        replies = [
            text_reply("Hello."),
            error_reply(429, "slow down"),
            slow,
            error_reply(500, "out of order"),
        ]
        with chat_server(replies) as server:
            assert self.ask(server, tally) == "Hello."
            for _ in range(3):
                with pytest.raises(ModelUnavailable):
                    self.ask(server, tally)

        assert (tally.busy, tally.timeouts, tally.failures) == (1, 1, 1)
        assert "failed on its side" in tally.last_error
        assert tally.last_error_at is not None


@pytest.mark.django_db
class TestHealth:
    def test_is_what_all_processes_see_together(self) -> None:
        endpoint = ModelEndpoint.objects.create(name="mine", model="openai/mine")
        idle = ModelEndpoint.objects.create(name="idle", model="openai/idle")
        now = timezone.now()
        calm = Tally(busy=2, timeouts=1)
        upset = Tally(busy=1, failures=3, last_error="out\0", last_error_at=now)
        seen = [("a", 1, 2.0, Tally()), ("a", 3, 4.5, calm), ("b", 5, 9.9, upset)]
        for process, flying, limit, tally in [*seen, ("gone", 7, 7, calm)]:
            record_health(
                endpoint_id=endpoint.pk,
                process=process,
                in_flight=flying,
                limit=limit,
                tally=tally,
            )
        gone = EndpointHealth.objects.filter(process="gone")
        gone.update(seen_at=now - timedelta(minutes=1))

        mine, other = health_of([endpoint, idle])

        assert (mine.processes, mine.in_flight, mine.limit) == (2, 8, 13)
        assert (mine.busy, mine.timeouts, mine.failures) == (5, 2, 3)
        assert mine.last_error.startswith("out")
        assert (other.processes, other.last_error_at) == (0, None)

    def test_of_long_ago_is_forgotten(self) -> None:
        endpoint = ModelEndpoint.objects.create(name="mine", model="openai/mine")
        for process in ("old", "new"):
            record_health(
                endpoint_id=endpoint.pk,
                process=process,
                in_flight=0,
                limit=1,
                tally=Tally(),
            )
        old = EndpointHealth.objects.filter(process="old")
        old.update(seen_at=timezone.now() - timedelta(days=2))

        assert forget_old_health() == 1
        assert EndpointHealth.objects.get().process == "new"

    def test_is_where_the_next_runner_begins_unless_its_owner_knows_better(
        self,
    ) -> None:
        endpoint = ModelEndpoint.objects.create(name="mine", model="openai/mine")
        for process, limit in (("first", 40.0), ("last", 7.5)):
            record_health(
                endpoint_id=endpoint.pk,
                process=process,
                in_flight=0,
                limit=limit,
                tally=Tally(),
            )
        assert learnt_limits() == {endpoint.pk: 7.5}
        forget_limits(endpoint)
        assert learnt_limits() == {endpoint.pk: endpoint.max_in_flight}
        EndpointHealth.objects.update(seen_at=timezone.now() - timedelta(hours=2))
        assert learnt_limits() == {}


@pytest.mark.django_db(transaction=True)
def test_runners_tell_what_they_met_with() -> None:
    owner = make_owner()
    once = [error_reply(429, "slow down", retry_after="0")]

    def answer(request: dict[str, Any]) -> Reply:
        return once.pop() if once else text_reply("I can't help. ###STOP###")

    with chat_server(answer) as server:
        endpoint = ModelEndpoint.objects.create(
            name="mine", model="openai/test", base_url=server.url, max_in_flight=5
        )
        batch = synthesis.start_batch(
            team=team_of(owner),
            by=owner,
            name="Batch",
            environment=register_generated(name="retail", seed=7, users=60),
            seed=1,
            ordered=1,
            mix={"R1": 1},
            user_simulator=endpoint,
        )
        list(synthesis.design_batch(batch_id=batch.pk))
        synthesis.run_pending(seconds=30, slots=2)

    (health,) = health_of([endpoint])
    assert (health.busy, health.failures, health.processes) == (1, 0, 1)
    assert health.limit < 5
    assert "asks to slow down" in health.last_error

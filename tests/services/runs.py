"""Batches to be run, with models over HTTP, and runners to run them."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests import factories
from tests.fakes import Reply, chat_server
from tests.played import Key, Players, played
from writ_app.engine.pacing import Retry
from writ_app.models.synthesis import (
    Batch,
    ModelEndpoint,
    Trajectory,
)
from writ_app.services import catalog, synthesis
from writ_app.services.synthesis.running.runner import Runner

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


def batch_cost(batch: Batch) -> float:
    batch.refresh_from_db()
    return float(batch.cost)


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)

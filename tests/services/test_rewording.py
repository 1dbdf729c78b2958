"""Batches whose requests are reworded while they are designed, by a model behind real HTTP."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.factories import make_owner, team_of
from tests.fakes import ChatServer, Reply, chat_server, error_reply, rewording
from writ_app.engine import types
from writ_app.models.catalog import Task
from writ_app.models.synthesis import Batch, BatchStatus, ModelEndpoint, Paraphrase
from writ_app.services import synthesis
from writ_app.services.catalog import register_generated

pytestmark = pytest.mark.django_db(transaction=True)


def order(server: ChatServer, **changes: Any) -> Batch:
    owner = make_owner()
    writer = ModelEndpoint.objects.create(
        **{
            "name": "writer",
            "model": "openai/test",
            "base_url": server.url,
            "prompt_price": 1000.0,
            "completion_price": 1000.0,
            **changes.pop("writer", {}),
        }
    )
    return synthesis.start_batch(
        **{
            "team": team_of(owner),
            "by": owner,
            "name": "Batch",
            "environment": register_generated(name="retail", seed=7, users=60),
            "seed": 1,
            "ordered": 3,
            "mix": {"R5": 2, "R6": 1},
            "paraphraser": writer,
            **changes,
        }
    )


def design(batch: Batch) -> list[int]:
    ids = list(synthesis.design_batch(batch_id=batch.pk))
    batch.refresh_from_db()
    return ids


def said(batch: Batch) -> list[str]:
    return list(batch.simulations.order_by("seed").values_list("task__text", flat=True))


class TestRewording:
    def test_lets_the_user_say_what_was_read_back_as_the_same_request(self) -> None:
        with chat_server(rewording) as server:
            batch = order(server)
            design(batch)

        assert batch.status == BatchStatus.RUNNING
        assert [text.startswith("Well, ") for text in said(batch)].count(True) == 2
        for simulation in batch.simulations.select_related("task"):
            task = types.Task.model_validate(simulation.task.content)
            assert task.content_hash == simulation.task.content_hash
            ledger = synthesis.ledger_of(simulation, task)
            clauses = {clause.text for clause in task.clauses}
            assert {line.text for line in ledger.lines} & clauses
        refused = Paraphrase.objects.get(accepted=False)
        assert refused.reason == "other_query"
        assert refused.task.text in said(batch)
        # Two answers per task, each of 11 and 3 tokens at a tenth of a cent.
        assert batch.tokens == 3 * 2 * 14
        assert float(batch.cost) == pytest.approx(3 * 2 * 0.014)

    def test_is_simulated_and_accepted(self) -> None:
        with chat_server(rewording) as server:
            batch = order(server)
            for pk in design(batch):
                synthesis.run_simulation(simulation_id=pk)

        progress = synthesis.batch_progress(batch)
        assert (progress.done, progress.accepted) == (3, 3)

    def test_interrupted_goes_on_and_asks_nothing_twice(self) -> None:
        with chat_server(rewording) as server:
            batch = order(server)
            cut_off = synthesis.design_batch(batch_id=batch.pk)
            first = next(cut_off)
            cut_off.close()
            asked = len(server.requests)

            again = design(batch)

        assert again[0] == first
        assert len(again) == batch.simulations.count() == 3
        assert len(server.requests) == asked == 6

    @pytest.mark.parametrize(
        ("answer", "changes", "says"),
        [
            (lambda request: error_reply(401, "bad key"), {}, "refused the key"),
            (rewording, {"max_tokens": 100}, "cap of 100 tokens is reached"),
            (rewording, {"writer": {"key_variable": "UNSET_API_KEY"}}, "UNSET_API_KEY"),
        ],
    )
    def test_pauses_the_batch_if_it_cannot_go_on(
        self,
        answer: Callable[[dict[str, Any]], Reply],
        changes: dict[str, Any],
        says: str,
    ) -> None:
        with chat_server(answer) as server:
            batch = order(server, ordered=12, **changes)
            design(batch)

            assert batch.status == BatchStatus.PAUSED
            assert says in batch.stopped_by
            assert batch.simulations.count() < 12
            assert batch.design_report == {}
            server.answer = rewording
            Batch.objects.update(max_tokens=None)
            batch.played_by["paraphraser"]["key_variable"] = ""
            batch.save(update_fields=["played_by"])
            synthesis.resume_batch(batch=batch)
            design(batch)

        assert batch.status == BatchStatus.RUNNING
        assert batch.simulations.count() == 12

    def test_leaves_a_batch_without_a_paraphraser_alone(self) -> None:
        with chat_server(rewording) as server:
            batch = order(server, paraphraser=None)
            design(batch)

        assert not server.requests
        assert Task.objects.count() == 3
        assert not any(text.startswith("Well, ") for text in said(batch))

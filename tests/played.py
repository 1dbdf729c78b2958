"""Scripted models behind HTTP: what they would say in every simulation of a batch, worked out before anybody asks.

A request is known by its seed, which every simulation of a batch has of its own, by its side, and by how much was said before.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes import Reply, completion_reply
from tests.model_server import SEEDS
from writ_app.engine.llm import ChatModel, Completion
from writ_app.engine.simulation import hold
from writ_app.engine.simulation.conversation import SEED_STEP
from writ_app.models.synthesis import Batch, BatchStatus, ModelEndpoint, Simulation
from writ_app.services.synthesis.endpoints import pin_models
from writ_app.services.synthesis.running.inputs import Work, load
from writ_app.services.synthesis.running.record import Claim

type Key = tuple[int, str, int]
"""Seed, side, number of messages before the answer, the system prompt included."""


@dataclass
class _Noting:
    model: ChatModel
    side: str
    said: dict[Key, Completion]

    @property
    def name(self) -> str:
        return self.model.name

    def complete(self, **request: Any) -> Completion:
        answer = self.model.complete(**request)
        self.said[request["seed"], self.side, 1 + len(request["messages"])] = answer
        return answer


def played(batch: Batch) -> dict[Key, dict[str, Any]]:
    """Every answer that the scripted models give in the batch, in OpenAI's form."""
    said: dict[Key, Completion] = {}
    for work in load(batch.simulations.values_list("pk", flat=True)):
        assert isinstance(work, Work), work
        hold(
            work.begin(),
            agent=_Noting(work.scripted("agent"), "agent", said),
            user=_Noting(work.scripted("user"), "user", said),
        )
    return {key: to_wire(answer) for key, answer in said.items()}


def to_wire(answer: Completion) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.content or None}
    if answer.tool_calls:
        message["tool_calls"] = [
            {
                "id": made.id,
                "type": "function",
                "function": {
                    "name": made.name,
                    "arguments": json.dumps(made.arguments),
                },
            }
            for made in answer.tool_calls
        ]
    return message


def key_of(request: dict[str, Any]) -> Key:
    side = "agent" if "tools" in request else "user"
    return request["seed"], side, len(request["messages"])


@dataclass
class Players:
    """The server's side: answers by heart, after a pause in seconds, and keeps what it was asked."""

    answers: dict[Key, dict[str, Any]]
    pause: float = 0.0
    before: Callable[[Key], Reply | None] = lambda key: None
    """Asked first: something else to answer, or None."""
    asked: list[Key] = field(default_factory=list)

    def __call__(self, request: dict[str, Any]) -> Reply:
        key = self._of_first_draft(key_of(request))
        reply = self.before(key)
        if reply is None:
            self.asked.append(key)
            reply = completion_reply(self.answers[key])
            reply.pause = self.pause
        return reply

    def _of_first_draft(self, key: Key) -> Key:
        """A user's turn that is asked for again has another seed, and is answered alike."""
        seed, side, said = key
        known = {of for of, _, _ in self.answers}
        while seed > SEED_STEP and seed not in known:
            seed -= SEED_STEP
        return seed, side, said


def copies(template: Batch, url: str, times: int, in_flight: int = 2000) -> Batch:
    """A batch of that many copies of a designed one's simulations, played by models at `url` that bear so many calls of a process."""
    endpoint = ModelEndpoint.objects.create(
        name=f"models-{ModelEndpoint.objects.count()}",
        model="openai/scripted",
        base_url=url,
        max_in_flight=in_flight,
        prompt_price=1,
        completion_price=1,
    )
    batch = Batch.objects.get(pk=template.pk)
    batch.pk, batch.status = None, BatchStatus.RUNNING
    batch.agent = batch.user_simulator = endpoint
    batch.played_by = pin_models(batch)
    batch.ordered = times * template.simulations.count()
    batch.save()
    Simulation.objects.bulk_create(
        Simulation(
            batch=batch,
            task=row.task,
            persona=row.persona,
            plan=row.plan,
            behaviour=row.behaviour,
            ledger=row.ledger,
            seed=row.seed + number * SEEDS,
        )
        for number in range(times)
        for row in template.simulations.all()
    )
    return batch


def claim_of(simulation: Simulation) -> Claim:
    return Claim(simulation.pk, simulation.attempt, simulation.batch_id)

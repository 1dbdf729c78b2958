"""Who holds which simulation: claims with a lease, by the database's clock. Rows are the truth, messages only wake."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from writ_app.models.synthesis import Batch, BatchStatus, Simulation, SimulationStatus
from writ_app.services.synthesis.control import finish_batch_if_done
from writ_app.services.synthesis.running.record import Claim, Standing, batch_states

SPARE = 4
"""One conversation more for so many calls in flight."""


def lease() -> timedelta:
    """How long a claim holds without a sign of life."""
    return timedelta(seconds=settings.SIMULATION_LEASE_SECONDS)


@dataclass(frozen=True)
class Waiting:
    """A batch in progress that has simulations to be claimed."""

    batch: int
    endpoints: Mapping[int, int]
    """Primary key → calls at the same time."""
    capped: bool
    """Whether there is a bound on what it may spend."""

    @property
    def places(self) -> int:
        """Conversations that one runner may hold: what the endpoints bear, and some that take a place while an answer is stored.

        With a cap there are no such: it may be passed by no more than the calls in flight. A conversation is at one endpoint
        at a time, so two of them bear as many as both together.
        """
        calls = sum(self.endpoints.values())
        return calls if self.capped else calls + -(-calls // SPARE)


def waiting_batches() -> list[Waiting]:
    """Oldest first."""
    pending = Simulation.objects.pending().filter(batch=OuterRef("pk"))
    rows = (
        Batch.objects.in_progress()
        .filter(Exists(pending))
        .select_related("agent", "user_simulator")
        .only(
            *("agent__max_in_flight", "user_simulator__max_in_flight"),
            *("max_cost", "max_tokens"),
        )
        .order_by("pk")
    )
    return [
        Waiting(
            row.pk,
            {
                endpoint.pk: endpoint.max_in_flight
                for endpoint in (row.agent, row.user_simulator)
                if endpoint
            },
            capped=row.max_cost is not None or row.max_tokens is not None,
        )
        for row in rows
    ]


def claim(
    runner: str, free: int, room: Callable[[Waiting], int]
) -> tuple[list[int], bool]:
    """Take up to `free` waiting simulations, fairly from all batches; returns their ids, and whether more are left.

    `room` says how many of a batch can be held now.
    """
    return share_out(
        waiting_batches(),
        free,
        room,
        lambda batch, wanted: _take(runner, batch.batch, wanted),
    )


def share_out(
    batches: Sequence[Waiting],
    free: int,
    room: Callable[[Waiting], int],
    take: Callable[[Waiting, int], list[int]],
) -> tuple[list[int], bool]:
    """Fill up to `free` places fairly from all; returns what was taken, and whether more is left."""
    taken: list[int] = []
    left = False
    for number, batch in enumerate(batches):
        share = -(-(free - len(taken)) // (len(batches) - number))
        wanted = min(share, room(batch))
        found = take(batch, wanted) if wanted > 0 else []
        left = left or len(found) == wanted
        taken += found
    return taken, left


def _take(runner: str, batch_id: int, wanted: int) -> list[int]:
    with transaction.atomic():
        waiting = (
            Simulation.objects.pending()
            .filter(batch=batch_id, batch__status__in=IN_PROGRESS)
            .order_by("pk")
            .select_for_update(skip_locked=True, of=("self",))
        )
        ids = list(waiting.values_list("pk", flat=True)[:wanted])
        Simulation.objects.filter(pk__in=ids).hold(runner=runner, lease=lease())
    return ids


IN_PROGRESS = (BatchStatus.DESIGNING, BatchStatus.RUNNING)


def renew(claims: Collection[Claim]) -> Standing:
    """A sign of life for all of them. What it does not name as held was taken over, or is over."""
    rows = Simulation.objects.filter(pk__in=[claim.simulation for claim in claims])
    with transaction.atomic():
        found = {
            Claim(pk, attempt, batch_id): status
            for pk, attempt, batch_id, status in rows.select_for_update(no_key=True)
            .order_by("pk")
            .values_list("pk", "attempt", "batch_id", "status")
        }
        held = {claim: found[claim] for claim in claims if claim in found}
        running = [
            claim.simulation
            for claim, status in held.items()
            if status == SimulationStatus.RUNNING
        ]
        Simulation.objects.filter(pk__in=running).update(lease_until=Now() + lease())
    return Standing(held, batch_states({claim.batch for claim in claims}))


def tidy() -> int:
    """What dead runners left: simulations go back, batches that nobody closed are closed. Returns how many simulations."""
    freed = Simulation.objects.expired().requeue()
    unfinished = Simulation.objects.unfinished().filter(batch=OuterRef("pk"))
    forgotten = Batch.objects.filter(~Exists(unfinished), status=BatchStatus.RUNNING)
    for batch_id in forgotten.values_list("pk", flat=True):
        finish_batch_if_done(batch_id=batch_id)
    return freed


def take_back() -> int:
    """Give everything that runs back at once. Only for who knows that nobody simulates. Returns how many."""
    return Simulation.objects.filter(status=SimulationStatus.RUNNING).requeue()


def is_work_left() -> bool:
    """Whether anything can be claimed, or may be soon because it is being designed."""
    designing = Batch.objects.filter(status=BatchStatus.DESIGNING)
    return designing.exists() or bool(waiting_batches())

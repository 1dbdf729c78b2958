"""What a runner needs of those whose conversations it holds: simulations of batches, or trials of evaluations.

Claims, leases, pacing, pauses and records are the same for all of them; whose rows they are, and what becomes of a conversation
that has ended, is not.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from writ_app.engine.llm import ChatModel
from writ_app.engine.simulation import Conversation, Side
from writ_app.engine.types import Trajectory
from writ_app.models.synthesis import ModelEndpoint
from writ_app.services.synthesis.running import claims
from writ_app.services.synthesis.running.claims import Waiting
from writ_app.services.synthesis.running.inputs import Unusable, load
from writ_app.services.synthesis.running.outcomes import outcome_of
from writ_app.services.synthesis.running.record import Claim, Standing, record


class Entry(Protocol):
    """Something to be written down, under the claim under which it was made."""

    @property
    def claim(self) -> Claim: ...


class Work(Protocol):
    """A claimed conversation, ready to be gone on with."""

    @property
    def claim(self) -> Claim: ...
    @property
    def status(self) -> str:
        """Of what it was ordered with."""
        ...

    @property
    def setbacks(self) -> int: ...
    @property
    def fault(self) -> str: ...
    @property
    def talk(self) -> Conversation: ...
    @property
    def endpoints(self) -> Mapping[Side, ModelEndpoint]:
        """Of the sides that are not scripted."""
        ...

    def pinned(self, side: Side) -> Mapping[str, Any]: ...
    def scripted(self, side: Side) -> ChatModel: ...
    def begin(self) -> Conversation:
        """The conversation from its beginning."""
        ...


class Desk(Protocol):
    """Where work comes from, and where it goes. Everything but `outcome` is called in the database's thread."""

    def tidy(self) -> int: ...
    def claim(
        self, runner: str, free: int, room: Callable[[Waiting], int]
    ) -> tuple[list[int], bool]: ...
    def load(self, ids: Iterable[int]) -> Iterator[Any]:
        """Each is a Work or an Unusable."""
        ...

    def renew(self, held: Collection[Claim]) -> Standing: ...
    def record(self, entries: Sequence[Any], *, repeated: bool) -> Standing: ...
    def is_work_left(self) -> bool: ...
    def outcome(self, work: Any, trajectory: Trajectory) -> Entry:
        """What is to be written down of a conversation that has ended."""
        ...


class SimulationDesk:
    """Simulations of batches."""

    def tidy(self) -> int:
        return claims.tidy()

    def claim(
        self, runner: str, free: int, room: Callable[[Waiting], int]
    ) -> tuple[list[int], bool]:
        return claims.claim(runner, free, room)

    def load(self, ids: Iterable[int]) -> Iterator[Any]:
        return load(ids)

    def renew(self, held: Collection[Claim]) -> Standing:
        return claims.renew(held)

    def record(self, entries: Sequence[Any], *, repeated: bool) -> Standing:
        return record(entries, repeated=repeated)

    def is_work_left(self) -> bool:
        return claims.is_work_left()

    def outcome(self, work: Any, trajectory: Trajectory) -> Entry:
        return outcome_of(work, trajectory)


__all__ = ["Desk", "Entry", "SimulationDesk", "Unusable", "Work"]

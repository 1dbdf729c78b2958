"""A reference set as a dataset: what writes formats, reports and differences reads it like our own, and nothing mixes the two."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from writ_app.engine.export.records import (
    Json,
    Record,
    World,
    compact,
    digest,
    messages_of,
)
from writ_app.engine.types import Task
from writ_app.models.catalog import ReferenceSet, ReferenceTrajectory
from writ_app.services.catalog.environments import ChangedEnvironment, load_environment

AT_ONCE = 100
SPLIT = "reference"
"""Of rows whose file names none."""


@dataclass(frozen=True)
class ReferenceDataset:
    """A `Dataset` (engine/export/records.py). A record's id is the file's own if that is a hash, else that of its messages."""

    row: ReferenceSet

    @cached_property
    def worlds(self) -> Mapping[str, World]:
        """Of what the rows share, or of the environment. A row that keeps its own has a world beside these."""
        return dict(sorted((world.key, world) for world in self._worlds))

    @cached_property
    def _worlds(self) -> tuple[World, ...]:
        if not self.row.worlds:
            return (self._plain,)
        keys = [one["environment"] for one in self.row.worlds]
        return tuple(
            self._world(one, n if keys.count(one["environment"]) > 1 else None)
            for n, one in enumerate(self.row.worlds)
        )

    @cached_property
    def _plain(self) -> World:
        """Of rows without system prompt and tools: the environment's, if it is here as it was."""
        kept = self.row.environment
        tools: tuple[Json, ...] = ()
        if kept is not None:
            with suppress(ChangedEnvironment):
                tools = tuple(load_environment(kept).schemas)
        return World(
            name=kept.name if kept else self.row.domain or self.row.name,
            version=kept.version if kept else "",
            content_hash=kept.content_hash if kept else "",
            state_hash=kept.state_hash if kept else "",
            policy=kept.policy if kept else "",
            system="",
            tools=tools,
        )

    def _world(self, shared: Json, number: int | None = None) -> World:
        """`number`: told apart by it, where several go by the same name."""
        name, _, version = shared["environment"].partition("/")
        if number is not None:
            version = f"{version}#{number + 1}".lstrip("#")
        return World(
            name=name or self.row.domain or self.row.name,
            version=version,
            content_hash="",
            state_hash="",
            policy="",
            system=shared["system"],
            tools=tuple(shared["tools"]),
        )

    @cached_property
    def splits(self) -> tuple[str, ...]:
        seen: dict[str, None] = {}
        for record in self.records():
            seen.setdefault(record.split)
        return tuple(seen)

    def records(self, split: str | None = None) -> Iterator[Record]:
        last = -1
        rows = self.row.trajectories.order_by("position")
        while found := list(rows.filter(position__gt=last)[:AT_ONCE]):
            for one in found:
                record = self._record(one)
                if split in (None, record.split):
                    yield record
            last = found[-1].position

    def _record(self, one: ReferenceTrajectory) -> Record:
        world = self._world_of(one)
        messages = messages_of(world, one.messages)
        told = one.simulation_id
        return Record(
            id=told if _is_hash(told) else digest(compact(messages)),
            task=one.task_id,
            split=_split(one.content),
            world=world,
            messages=messages,
            facts=self._facts(one),
        )

    def _world_of(self, one: ReferenceTrajectory) -> World:
        if one.world is not None:
            return self._worlds[one.world]
        if self.row.worlds and {"system", "tools", "environment"} <= one.content.keys():
            return self._world(one.content)
        return self._plain

    def _facts(self, one: ReferenceTrajectory) -> Json:
        """What a τ²-bench file tells beside the simulation is the benchmark's business, and no fact."""
        if self.row.format == "tau2_results":
            facts: Json = {"agent": self.row.agent, "user": self.row.user}
            facts |= {"ended_by": one.ended_by, "trial": one.trial}
        else:
            kept = ("split", "system", "tools", "environment", "message_keys")
            facts = {k: v for k, v in one.content.items() if k not in kept}
        return facts if one.reward is None else facts | {"reward": one.reward}

    def tasks(self, world: str | None = None) -> Iterator[tuple[str, Task]]:
        """None of ours."""
        return iter(())


def _split(content: Json) -> str:
    split = content.get("split")
    return split if isinstance(split, str) and split else SPLIT


def _is_hash(text: str) -> bool:
    return len(text) == 64 and all(sign in "0123456789abcdef" for sign in text)

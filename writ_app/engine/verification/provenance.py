"""Where the arguments of calls come from: a result, what it was asked for, the user, the policy, or arithmetic over what was seen.

Only what stands before the call counts. A value that the agent brought up first is not grounded by the user's repeating it.

`conflict` and `stale` are no failures by themselves: a value that was read and has changed since may still be the right one (an
address that is put back), and where it is wrong, writes and final state say so. They are there to be seen and searched for.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from environments.core.pointers import leaves
from environments.core.tools import ToolCall
from writ_app.engine.types import ArgumentOrigin, GoldWrite, Provenance
from writ_app.engine.verification.sources import Source, Sources


@dataclass(frozen=True)
class Traced:
    """A call whose arguments are traced. `index` is its message's place, None if it was not made."""

    index: int | None
    call: ToolCall

    @cached_property
    def leaves(self) -> Sequence[tuple[str, Any]]:
        """(pointer, value) of each argument."""
        return list(leaves(self.call.arguments))


def trace_arguments(
    sources: Sources,
    writes: Sequence[Traced],
    gold: Sequence[GoldWrite] = (),
    paired: Sequence[Traced] = (),
    end: int = 0,
) -> Iterator[Provenance]:
    """One row per leaf of the arguments of the writes made, then of the gold's.

    `paired` has each gold write with the place of the write that was made instead of it: what came before that counts, and the whole
    conversation, of `end` messages, if there is none.
    """
    found: dict[int | None, tuple[ToolCall, dict[str, Source]]] = {}
    for number, write in enumerate(writes):
        hints = _hints(next((x for x in gold if _same(x.call, write.call)), None))
        rows: dict[str, Source] = {}
        for place, value in write.leaves:
            source = sources.find(value, write.index or 0, hints.get(place))
            rows[place] = source
            yield _row("actual", write.index, number, place, value, source)
        found[write.index] = write.call, rows
    for number, (one, write) in enumerate(zip(gold, paired, strict=True)):
        made, rows = found.get(write.index, (None, {}))
        same = made is not None and _same(made, write.call)
        hints = {} if same else _hints(one)
        before = end if write.index is None else write.index
        for place, value in write.leaves:
            source = (
                rows[place] if same else sources.find(value, before, hints.get(place))
            )
            # What else is known of a value that was written stands in the row of the write.
            others = () if same else source.alternatives
            yield _row("gold", write.index, number, place, value, source, others)


def trace_lookups(sources: Sources, reads: Iterable[Traced]) -> Iterator[Provenance]:
    """One row per leaf of the arguments of reads that nothing before shows or tells."""
    for number, read in enumerate(reads):
        before = read.index or 0
        if all(sources.grounds(v, before) for v in read.call.arguments.values()):
            continue
        for place, value in read.leaves:
            if not sources.grounds(value, before):
                yield _row("read", before, number, place, value, _UNGROUNDED)


def _same(one: ToolCall, other: ToolCall) -> bool:
    return one.name == other.name and one.arguments == other.arguments


_UNGROUNDED = Source("ungrounded")


def _row(
    side: Literal["actual", "gold", "read"],
    index: int | None,
    number: int,
    place: str,
    value: Any,
    source: Source,
    alternatives: tuple[tuple[int, str], ...] | None = None,
) -> Provenance:
    return Provenance(
        side=side,
        message=index,
        write=number,
        pointer=place,
        value=value,
        kind=source.kind,
        source=source.index,
        source_pointer=source.pointer,
        detail=source.detail,
        alternatives=source.alternatives if alternatives is None else alternatives,
    )


def _hints(gold: GoldWrite | None) -> Mapping[str, ArgumentOrigin]:
    """Pointer → where the proof took it from."""
    return {origin.pointer: origin for origin in gold.origins} if gold else {}

"""The airline world: an airline's service desk, exact to tau2-bench's (SPEC §3), with its own generator, policy and archetypes."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from environments.airline import archetypes, relations
from environments.airline.canonical import canonical_write
from environments.airline.clauses import CLAUSES
from environments.airline.corrections import CORRECTIONS
from environments.airline.display import DISPLAY
from environments.airline.generator import generate
from environments.airline.mutations import mutations, swaps
from environments.airline.open_reads import open_reads
from environments.airline.oracle import StateRows
from environments.airline.policy_checks import POLICY_CHECKS
from environments.airline.preconditions import preconditions
from environments.airline.solver import ToolRows
from environments.airline.state import SHAPES, read_state
from environments.airline.tools import AirlineTools
from environments.airline.words import WORDS
from environments.core.domain import Domain
from environments.core.environment import Environment
from environments.core.state import State
from environments.core.tools import Mode

POLICY = Path(__file__).with_name("policy.md").read_text(encoding="utf-8")


def _domain(mode: Mode) -> Domain:
    """The modes differ in how searches connect flights and in what writes do."""
    return Domain(
        relations=relations.RELATIONS,
        from_state=partial(StateRows, mode=mode),
        from_tools=ToolRows,
        derivable_reads=relations.derivable_reads,
        first_reads=relations.first_reads,
        equivalents=relations.equivalents,
        mutations=partial(mutations, mode=mode),
        swaps=swaps,
        archetypes=archetypes.ARCHETYPES,
        lexicon=archetypes.LEXICON,
        named=archetypes.named,
        open_reads=partial(open_reads, mode=mode),
        is_open=relations.is_open,
        made_from=relations.MADE_FROM,
        people="users",
        shapes=SHAPES,
        people_in=archetypes.people_in,
        words=WORDS,
        policy_checks=POLICY_CHECKS,
        preconditions=preconditions,
        display=DISPLAY,
        canonical_write=partial(canonical_write, mode=mode),
    )


_DOMAINS: Mapping[Mode, Domain] = {mode: _domain(mode) for mode in Mode}


def build(
    *, state: State, version: str, policy: str = POLICY, mode: Mode = Mode.STRICT
) -> Environment:
    """The world over `state`. Clauses can be cited only of our own policy."""
    clauses = CLAUSES if policy == POLICY else {}
    return Environment(
        "airline",
        version,
        policy,
        AirlineTools,
        state,
        _DOMAINS[mode],
        clauses,
        mode,
        CORRECTIONS,
    )


def generated(*, seed: int, users: int = 200, flights: int = 300) -> Environment:
    """Our own airline, made from a seed, with the reference's bugs mended."""
    return build(
        state=read_state(generate(seed=seed, users=users, flights=flights)),
        version=f"generated-{seed}-{users}-{flights}",
        mode=Mode.CORRECTED,
    )


__all__ = ["build", "generated", "read_state"]

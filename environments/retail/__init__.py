"""The retail world: an online shop, exact to tau2-bench's (SPEC §4), with its own generator, policy and archetypes."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from environments.core.domain import Domain
from environments.core.environment import Environment
from environments.core.errors import BadDatabase
from environments.core.state import State
from environments.core.tools import Mode
from environments.retail import archetypes, relations
from environments.retail.canonical import canonical_write
from environments.retail.clauses import CLAUSES
from environments.retail.corrections import CORRECTIONS
from environments.retail.display import DISPLAY
from environments.retail.generator import generate
from environments.retail.mutations import mutations, swaps
from environments.retail.oracle import StateRows
from environments.retail.policy_checks import POLICY_CHECKS
from environments.retail.preconditions import preconditions
from environments.retail.solver import ToolRows
from environments.retail.state import SHAPES, is_timed, read_state
from environments.retail.tools import RetailTools
from environments.retail.words import WORDS

POLICY = Path(__file__).with_name("policy.md").read_text(encoding="utf-8")


def _domain(mode: Mode) -> Domain:
    """Only what says beforehand what a write will do knows the mode; all else meets it through the tools."""
    return Domain(
        relations=relations.RELATIONS,
        from_state=partial(StateRows, mode=mode),
        from_tools=ToolRows,
        derivable_reads=relations.derivable_reads,
        first_reads=relations.first_reads,
        equivalents=relations.equivalents,
        mutations=mutations,
        swaps=swaps,
        archetypes=archetypes.ARCHETYPES,
        lexicon=archetypes.LEXICON,
        named=archetypes.named,
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
    """The world over `state`. Clauses can be cited only of our own policy. Raises BadDatabase for times in strict mode."""
    if mode == Mode.STRICT and is_timed(state):
        raise BadDatabase("Orders have times only in corrected mode.")
    clauses = CLAUSES if policy == POLICY else {}
    return Environment(
        "retail",
        version,
        policy,
        RetailTools,
        state,
        _DOMAINS[mode],
        clauses,
        mode,
        CORRECTIONS,
    )


def generated(*, seed: int, users: int = 200, timed: bool = False) -> Environment:
    """Our own shop, made from a seed, with the reference's bugs mended; `timed` orders say when they were placed and delivered."""
    return build(
        state=read_state(generate(seed=seed, users=users, timed=timed)),
        version=f"generated-{seed}-{users}" + ("-timed" if timed else ""),
        mode=Mode.CORRECTED,
    )


__all__ = ["build", "generated", "read_state"]

"""The rental world: equipment from several depots, priced by the day of pickup. The tutorial for authors walks through it."""

from pathlib import Path

from environments.core.domain import Domain
from environments.core.environment import Environment
from environments.core.state import State
from environments.core.tools import Mode
from environments.rental import archetypes, relations
from environments.rental.canonical import canonical_write
from environments.rental.clauses import CLAUSES
from environments.rental.display import DISPLAY
from environments.rental.generator import generate
from environments.rental.mutations import mutations, swaps
from environments.rental.oracle import StateRows
from environments.rental.policy_checks import POLICY_CHECKS, READER_JUDGED
from environments.rental.preconditions import preconditions
from environments.rental.solver import ToolRows
from environments.rental.state import SHAPES, read_state
from environments.rental.tools import RentalTools
from environments.rental.words import WORDS

POLICY = Path(__file__).with_name("policy.md").read_text(encoding="utf-8")

DOMAIN = Domain(
    relations=relations.RELATIONS,
    from_state=StateRows,
    from_tools=ToolRows,
    derivable_reads=relations.derivable_reads,
    first_reads=relations.first_reads,
    equivalents=relations.equivalents,
    mutations=mutations,
    swaps=swaps,
    archetypes=archetypes.ARCHETYPES,
    lexicon=archetypes.LEXICON,
    named=archetypes.named,
    people="customers",
    shapes=SHAPES,
    words=WORDS,
    policy_checks=POLICY_CHECKS,
    preconditions=preconditions,
    display=DISPLAY,
    reader_judged=READER_JUDGED,
    canonical_write=canonical_write,
)


def build(
    *, state: State, version: str, policy: str = POLICY, mode: Mode = Mode.CORRECTED
) -> Environment:
    """The world over `state`. In the usual mode a call that fails leaves nothing behind."""
    clauses = CLAUSES if policy == POLICY else {}
    return Environment(
        "rental",
        version,
        policy,
        RentalTools,
        state,
        DOMAIN,
        clauses,
        mode=mode,
    )


def generated(*, seed: int, users: int = 200) -> Environment:
    """Our own shop, made from a seed."""
    return build(
        state=read_state(generate(seed=seed, users=users)),
        version=f"generated-{seed}-{users}",
    )


__all__ = ["build", "generated", "read_state"]

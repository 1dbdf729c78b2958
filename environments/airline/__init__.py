"""The airline world: an airline's service desk, exact to tau2-bench's (SPEC §3), with its own generator and policy.

Its domain asks nothing yet (`no_requests`): it can be played, imported and compared, but no task can be designed in it.
"""

from pathlib import Path

from environments.airline.clauses import CLAUSES
from environments.airline.generator import generate
from environments.airline.state import read_state
from environments.airline.tools import AirlineTools
from environments.core.domain import no_requests
from environments.core.environment import Environment
from environments.core.state import State
from environments.core.tools import Mode

POLICY = Path(__file__).with_name("policy.md").read_text(encoding="utf-8")
DOMAIN = no_requests()


def build(
    *, state: State, version: str, policy: str = POLICY, mode: Mode = Mode.STRICT
) -> Environment:
    """The world over `state`. Clauses can be cited only of our own policy."""
    clauses = CLAUSES if policy == POLICY else {}
    return Environment(
        "airline", version, policy, AirlineTools, state, DOMAIN, clauses, mode
    )


def generated(*, seed: int, users: int = 200, flights: int = 300) -> Environment:
    """Our own airline, made from a seed, with the reference's bugs mended."""
    return build(
        state=read_state(generate(seed=seed, users=users, flights=flights)),
        version=f"generated-{seed}-{users}-{flights}",
        mode=Mode.CORRECTED,
    )


__all__ = ["build", "generated", "read_state"]

"""Running simulations: claims, conversations, records. Any number of processes share the work through the database."""

from writ_app.services.synthesis.running.claims import is_work_left, take_back, tidy
from writ_app.services.synthesis.running.inputs import ledger_of
from writ_app.services.synthesis.running.runner import preload, run_pending
from writ_app.services.synthesis.running.single import run_simulation

__all__ = [
    "is_work_left",
    "ledger_of",
    "preload",
    "run_pending",
    "run_simulation",
    "take_back",
    "tidy",
]

"""The catalog room: environments and tasks, how they come in, how they are looked into and tried."""

from writ_app.adapters.worlds import BadWorld
from writ_app.services.catalog.benchmarks import benchmark_indexes, conversation_index
from writ_app.services.catalog.environments import (
    ChangedEnvironment,
    avoided_people,
    benchmark_index,
    import_tau2,
    load_environment,
    register_generated,
    store_task,
)
from writ_app.services.catalog.results import import_results

__all__ = [
    "BadWorld",
    "ChangedEnvironment",
    "avoided_people",
    "benchmark_index",
    "benchmark_indexes",
    "conversation_index",
    "import_results",
    "import_tau2",
    "load_environment",
    "register_generated",
    "store_task",
]

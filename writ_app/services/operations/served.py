"""What this web server tells Prometheus: what its processes counted, what they hold, and how the site stands."""

import os
from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from writ_app.adapters.memory import held_by_family
from writ_app.adapters.metrics import exposition, is_shared
from writ_app.services.operations.standing import Everything


class Memory(Collector):
    """Of the web server that is asked: the process that started the others, and all of those."""

    def collect(self) -> Iterator[Metric]:
        held, processes = held_by_family(os.getppid() if is_shared() else os.getpid())
        yield GaugeMetricFamily(
            "writ_web_memory_bytes",
            "Memory of this web server's processes; what they share is counted once.",
            value=held,
        )
        yield GaugeMetricFamily(
            "writ_web_processes", "Processes of this web server.", value=processes
        )


def everything() -> bytes:
    """In Prometheus' text format."""
    return exposition([Memory(), Everything()])

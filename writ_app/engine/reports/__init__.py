"""Reports: everything that can be measured of a set of trajectories, in one pass and bounded memory.

The same code reports a batch, a list, a release, a folder of canonical files and an imported reference set, so that their numbers
can be laid beside each other. Knows nothing of databases or pages. Source of what is measured: knowledge of reports, §7.
"""

from writ_app.engine.reports.build import VERSION, Options, measure
from writ_app.engine.reports.distances import calibrate
from writ_app.engine.reports.notes import (
    TaskNote,
    note_of_benchmark,
    note_of_task,
)
from writ_app.engine.reports.source import (
    DatasetSource,
    Observed,
    Source,
    tool_kinds,
)

__all__ = [
    "VERSION",
    "DatasetSource",
    "Observed",
    "Options",
    "Source",
    "TaskNote",
    "calibrate",
    "measure",
    "note_of_benchmark",
    "note_of_task",
    "tool_kinds",
]

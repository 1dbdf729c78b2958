"""The tasks room: designed tasks across batches, one task with its proof, and trying a witness.

It stands above review because it prints evidence as review does and leads to trajectories.
"""

from writ_app.services.tasks.listing import (
    TaskFacets,
    TaskList,
    find_tasks,
    list_tasks,
    task_facets,
    visible_tasks,
)
from writ_app.services.tasks.page import TaskPage, build_task_page
from writ_app.services.tasks.trying import CannotTry, Tried, try_witness

__all__ = [
    "CannotTry",
    "TaskFacets",
    "TaskList",
    "TaskPage",
    "Tried",
    "build_task_page",
    "find_tasks",
    "list_tasks",
    "task_facets",
    "try_witness",
    "visible_tasks",
]

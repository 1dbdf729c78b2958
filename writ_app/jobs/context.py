"""Jobs know which request sent for them, and whose it was: log lines say so, and the audit log says who did it."""

from contextlib import AbstractContextManager
from typing import Any

from celery.signals import before_task_publish, task_postrun, task_prerun

from writ_app.adapters.logs import about, about_now, request_id_from

HEADER = "writ_request_id"
PEOPLE = {"writ_user": "user", "writ_team": "team"}
"""Headers with keys of rows, and what lines call them. A job that sends another one hands them on."""
NAMED = {"batch_id": "batch", "simulation_id": "simulation"}
"""Arguments of jobs, and what lines call them."""
_entered: dict[str, AbstractContextManager[None]] = {}


@before_task_publish.connect
def send_along(headers: dict[str, Any] | None = None, **kwargs: Any) -> None:
    if headers is None:
        return
    sent = about_now()
    for header, name in {HEADER: "request_id", **PEOPLE}.items():
        if value := sent.get(name):
            headers[header] = value


@task_prerun.connect
def begin(task_id: str, task: Any, kwargs: dict[str, Any] | None, **more: Any) -> None:
    facts: dict[str, str | int] = {"task_id": task_id, "task": task.name}
    if sent := _header(task, HEADER):
        facts["request_id"] = request_id_from(str(sent))
    for header, name in PEOPLE.items():
        if isinstance(key := _header(task, header), int):
            facts[name] = key
    for argument, name in NAMED.items():
        if isinstance(value := (kwargs or {}).get(argument), int):
            facts[name] = value
    _entered[task_id] = about(**facts)
    _entered[task_id].__enter__()


def _header(task: Any, name: str) -> Any:
    """Where it is differs between a message and a call in the same process."""
    return getattr(task.request, name, None) or (task.request.headers or {}).get(name)


@task_postrun.connect
def end(task_id: str, **kwargs: Any) -> None:
    if block := _entered.pop(task_id, None):
        block.__exit__(None, None, None)

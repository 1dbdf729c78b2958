"""Jobs know which request sent for them, and their log lines say so."""

from contextlib import AbstractContextManager
from typing import Any

from celery.signals import before_task_publish, task_postrun, task_prerun

from writ_app.adapters.logs import about, about_now, request_id_from

HEADER = "writ_request_id"
NAMED = {"batch_id": "batch", "simulation_id": "simulation"}
"""Arguments of jobs, and what lines call them."""
_entered: dict[str, AbstractContextManager[None]] = {}


@before_task_publish.connect
def send_along(headers: dict[str, Any] | None = None, **kwargs: Any) -> None:
    request_id = about_now().get("request_id")
    if request_id and headers is not None:
        headers[HEADER] = request_id


@task_prerun.connect
def begin(task_id: str, task: Any, kwargs: dict[str, Any] | None, **more: Any) -> None:
    facts: dict[str, str | int] = {"task_id": task_id, "task": task.name}
    # Where it is differs between a message and a call in the same process.
    sent = getattr(task.request, HEADER, None) or (task.request.headers or {}).get(
        HEADER
    )
    if sent is not None:
        facts["request_id"] = request_id_from(str(sent))
    for argument, name in NAMED.items():
        if isinstance(value := (kwargs or {}).get(argument), int):
            facts[name] = value
    _entered[task_id] = about(**facts)
    _entered[task_id].__enter__()


@task_postrun.connect
def end(task_id: str, **kwargs: Any) -> None:
    if block := _entered.pop(task_id, None):
        block.__exit__(None, None, None)

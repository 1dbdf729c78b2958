"""Endpoints: what a batch pins of them, what there is to know about each, and trying one."""

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Func, OuterRef, Q, Subquery

from writ_app.adapters import chat
from writ_app.adapters.trial import MOST_SECONDS, Profile, Trial
from writ_app.models.synthesis import Batch, ModelEndpoint

ROLES = {
    "agent": "agent",
    "user": "user_simulator",
    "paraphraser": "paraphraser",
    "judge": "judge",
}
"""Role → the batch's field that says who plays it."""
PINNED = (
    "name",
    "model",
    "base_url",
    "key_variable",
    "parameters",
    "prompt_price",
    "completion_price",
)
"""What decides what an endpoint answers and costs. Limits are not among it: they may change while a batch runs."""

TRIAL_SECONDS = 2 * MOST_SECONDS + 60
"""Two answers and the time that a process takes to start."""
_one_trial = threading.Lock()


@dataclass(frozen=True)
class EndpointLine:
    """An endpoint in a list. `key_set`: whether its key is set for this process; None if it needs none."""

    row: ModelEndpoint
    where: str
    """Host, or the provider by its name."""
    key_set: bool | None
    batches: int


def list_endpoints() -> list[EndpointLine]:
    """All there are, by name, in one query."""
    mine = [Q(**{field: OuterRef("pk")}) for field in ROLES.values()]
    used = Batch.objects.filter(reduce(or_, mine)).order_by()
    count = Subquery(used.annotate(n=Func("pk", function="COUNT")).values("n"))
    rows = ModelEndpoint.objects.annotate(used=count).order_by("name")
    return [EndpointLine(row, where_of(row), key_is_set(row), row.used) for row in rows]


def where_of(endpoint: ModelEndpoint) -> str:
    """Host and port, or the provider's name."""
    return urlsplit(endpoint.base_url).netloc or endpoint.model.partition("/")[0]


def key_is_set(endpoint: ModelEndpoint) -> bool | None:
    """For this process; None if the endpoint names no variable."""
    name = endpoint.key_variable
    return bool(os.environ.get(name)) if name else None


def try_endpoint(endpoint: ModelEndpoint) -> Trial:
    """Ask it for a text and for a tool call, in a process of its own; one at a time, for each takes 170 MB."""
    if not _one_trial.acquire(blocking=False):
        return Trial(problem="Somebody is trying an endpoint now: try again shortly.")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "writ_app.adapters.trial"],
            input=Profile(**pin(endpoint)).model_dump_json(),
            capture_output=True,
            text=True,
            timeout=TRIAL_SECONDS,
            cwd=settings.BASE_DIR,
            check=True,
        )
    except subprocess.TimeoutExpired:
        return Trial(problem=f"Nothing came within {TRIAL_SECONDS:.0f} seconds.")
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no reason given"])[-1]
        return Trial(problem=f"The trial broke off: {last[:300]}")
    finally:
        _one_trial.release()
    return Trial.model_validate_json(done.stdout)


def pin_models(batch: Batch) -> dict[str, dict[str, Any]]:
    """Role → its endpoint as it is now, for `Batch.played_by`. Roles that nobody or a script plays are left out."""
    played = {role: getattr(batch, field) for role, field in ROLES.items()}
    return {role: pin(endpoint) for role, endpoint in played.items() if endpoint}


def pin(endpoint: ModelEndpoint) -> dict[str, Any]:
    return {name: getattr(endpoint, name) for name in PINNED}


def model_of(pinned: Mapping[str, Any]) -> chat.LiteLLMChat:
    """The chat model of what was pinned. Raises ModelUnavailable if its key is not set."""
    return chat.from_endpoint(
        name=pinned["name"],
        model=pinned["model"],
        base_url=pinned["base_url"],
        key_variable=pinned["key_variable"],
        parameters=pinned["parameters"],
        prompt_price=pinned["prompt_price"],
        completion_price=pinned["completion_price"],
    )

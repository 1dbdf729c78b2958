"""Endpoints: what a batch pins of them, what there is to know about each, and trying one."""

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import Func, OuterRef, Q, Subquery

from writ_app.adapters import chat
from writ_app.adapters.trial import MOST_SECONDS, Profile, Trial
from writ_app.models.accounts import User
from writ_app.models.synthesis import Batch, ModelEndpoint
from writ_app.services.audit import record

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


def list_endpoints(user: User) -> list[EndpointLine]:
    """All that the user may order with, by name, in one query."""
    mine = [Q(**{field: OuterRef("pk")}) for field in ROLES.values()]
    used = Batch.objects.visible_to(user).filter(reduce(or_, mine)).order_by()
    count = Subquery(used.annotate(n=Func("pk", function="COUNT")).values("n"))
    rows = ModelEndpoint.objects.visible_to(user).annotate(used=count).order_by("name")
    return [EndpointLine(row, where_of(row), key_is_set(row), row.used) for row in rows]


def where_of(endpoint: ModelEndpoint) -> str:
    """Host and port, or the provider's name."""
    return urlsplit(endpoint.base_url).netloc or endpoint.model.partition("/")[0]


def key_is_set(endpoint: ModelEndpoint) -> bool | None:
    """For this process; None if the endpoint names no variable."""
    name = endpoint.key_variable
    return bool(os.environ.get(name)) if name else None


@transaction.atomic
def save_endpoint(row: ModelEndpoint, *, before: Mapping[str, Any] | None) -> None:
    """Store a team's endpoint, which was `before` (`endpoint_facts`; None: it is new)."""
    row.save()
    after = endpoint_facts(row)
    record("endpoint.save", team=row.team_id, row=row, before=before, after=after)


@transaction.atomic
def offer_endpoint(row: ModelEndpoint, *, enabled: bool) -> None:
    """Whether new batches may choose it."""
    row.enabled = enabled
    row.save(update_fields=["enabled"])
    after = {"name": row.name, "enabled": enabled}
    record("endpoint.enable", team=row.team_id, row=row, after=after)


def endpoint_facts(row: ModelEndpoint) -> dict[str, Any]:
    """What the log keeps of it: all that people set. A key is named, never told."""
    fields = [one for one in ModelEndpoint._meta.concrete_fields if one.editable]
    values = {one.name: getattr(row, one.attname) for one in fields if one.name != "id"}
    return {
        name: str(value) if isinstance(value, Decimal | datetime) else value
        for name, value in values.items()
    }


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

"""Endpoints: what a batch pins of them."""

from collections.abc import Mapping
from typing import Any

from writ_app.adapters import chat
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

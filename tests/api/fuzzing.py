"""Requests that nobody would write, made from the schema, sent by a member, and held against the schema."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from schemathesis.config import (
    ChecksConfig,
    CoveragePhaseConfig,
    GenerationConfig,
    PhasesConfig,
    PositiveDataAcceptanceConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection

from tests.api.matrix import EXAMPLES
from tests.api.matrix.world import World
from tests.api.test_matrix import is_personal, undone
from writ_app.models.accounts import Role

PLAIN = {"Accept-Encoding": "identity"}
"""The client of WSGI applications unpacks nothing."""
# What only the rules of the app can tell is 422; so 400 for what the schema allows would be a gap of the schema.
ACCEPTED = ["2xx", "401", "403", "404", "409", "422", "429"]


def load(*, thorough: bool) -> Any:
    """The schema as schemathesis has it. Thorough: with every border of every field, one after the other."""
    from django.core.wsgi import get_wsgi_application

    project = ProjectConfig(
        checks=ChecksConfig(
            positive_data_acceptance=PositiveDataAcceptanceConfig(
                expected_statuses=ACCEPTED
            ),
        ),
        phases=PhasesConfig(coverage=CoveragePhaseConfig(enabled=thorough)),
        # NUL is refused everywhere, and JSON Schema has no short word for that.
        generation=GenerationConfig(allow_x00=False, with_security_parameters=False),
    )
    config = SchemathesisConfig(projects=ProjectsConfig(default=project))
    return schemathesis.openapi.from_wsgi(
        "/api/v1/schema", get_wsgi_application(), config=config
    )


def send(case: Any, role: Role, world: World, *, real: bool) -> None:
    """Send it, check the answer, and take back what it changed. Real: to rows that there are, as far as keys are drawn.

    By a token of that role, or with a session where tokens are refused.
    """
    name = case.operation.definition.raw["operationId"]
    if real and _may_be_replaced(case):
        case.path_parameters = {
            **case.path_parameters,
            **_plain(EXAMPLES[name].path(world.own), case.path_parameters),
        }
    if EXAMPLES[name].multipart and _is_empty(case.body):
        return  # the client of WSGI applications leaves such a file out; tests/api/test_uploads.py sends one
    # A form has no null and no empty list: what was drawn as one is not sent at all, so that nothing is wrong with it.
    excluded = [negative_data_rejection] if EXAMPLES[name].multipart else []
    if is_personal(name):
        sent = world.people[role].cookies_sent
    else:
        sent = world.programs[role].sent
    with undone(), connections_kept():
        case.call_and_validate(headers={**sent, **PLAIN}, excluded_checks=excluded)


@contextmanager
def connections_kept() -> Iterator[None]:
    """A request that ends closes no connection: the transaction of the world is on it. Django's own test client does the same."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


def _is_empty(body: Any) -> bool:
    return isinstance(body, Mapping) and "file" in body and not body["file"]


def _may_be_replaced(case: Any) -> bool:
    """Its address was drawn to be right; a wrong one has to stay wrong."""
    drawn = case.meta.components.get(ParameterLocation.PATH) if case.meta else None
    return bool(case.path_parameters) and (
        drawn is None or drawn.mode == GenerationMode.POSITIVE
    )


def _plain(real: Mapping[str, Any], drawn: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in real.items() if name in drawn}

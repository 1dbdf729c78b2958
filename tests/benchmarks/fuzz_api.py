"""The API against its own schema, for longer than a suite can: every border of every field, as a member of every role.

    WRIT_FUZZ_EXAMPLES=50 python -m pytest tests/benchmarks/fuzz_api.py -q [-k "REVIEWER and batches"] [--numprocesses=auto]

All checks of schemathesis. Requests go to rows that there are as often as to drawn keys; what they change is taken back. With 50 examples
it takes about half an hour on two cores.
"""

import os
from collections.abc import Iterator

import pytest
from django.test import override_settings
from hypothesis import HealthCheck, settings

from tests.api import fuzzing
from tests.api.conftest import world
from writ_app.adapters.trial import Trial
from writ_app.models.accounts import Role

__all__ = ["world"]
pytestmark = [pytest.mark.django_db, pytest.mark.timeout(1200)]
EXAMPLES = int(os.environ.get("WRIT_FUZZ_EXAMPLES", "50"))
schema = fuzzing.load(thorough=True)


@pytest.fixture(scope="module", autouse=True)
def unbounded() -> Iterator[None]:
    """No limit of requests, and no provider to ask."""
    with pytest.MonkeyPatch.context() as patch, override_settings(API_PER_MINUTE=10**9):
        patch.setattr("writ_app.api.endpoints.try_endpoint", lambda row: Trial())
        yield


@pytest.mark.parametrize("real", [True, False], ids=["real", "drawn"])
@pytest.mark.parametrize("role", list(Role))
@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_a_member_gets_what_the_schema_says(case, world, role, real):
    fuzzing.send(case, role, world, real=real)

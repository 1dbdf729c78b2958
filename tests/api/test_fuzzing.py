"""The API against its own schema: whatever is sent, what comes back is what the schema says, and never a fault."""

from collections.abc import Iterator

import pytest
from django.test import override_settings
from hypothesis import HealthCheck, Phase, settings

from tests.api import fuzzing
from writ_app.adapters.trial import Trial
from writ_app.models.accounts import Role

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.timeout(300)]
schema = fuzzing.load(thorough=False)


@pytest.fixture(scope="module", autouse=True)
def unbounded() -> Iterator[None]:
    """No limit of requests, and no provider to ask."""
    with pytest.MonkeyPatch.context() as patch, override_settings(API_PER_MINUTE=10**9):
        patch.setattr("writ_app.api.endpoints.try_endpoint", lambda row: Trial())
        yield


FEW = settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)


@schema.parametrize()
@FEW
def test_an_owner_gets_what_the_schema_says(case, world):
    fuzzing.send(case, Role.OWNER, world, real=True)


@schema.include(method="GET").parametrize()
@FEW
def test_a_viewer_gets_what_the_schema_says(case, world):
    fuzzing.send(case, Role.VIEWER, world, real=False)

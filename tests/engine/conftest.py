"""A small shop that the tests of the pure core share."""

import pytest

from environments.core.environment import Environment
from environments.registry import world


@pytest.fixture(scope="session")
def shop() -> Environment:
    return world("retail").generated(seed=1, users=200)

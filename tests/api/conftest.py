"""A world that all tests of a module share, and that none of them changes for the others."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.api.matrix.world import World


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator["World"]:
    from django.db import transaction

    from tests.api.matrix.world import make_world
    from writ_app.adapters.logs import begin

    begin()  # a client that does not close its answers leaves its user behind
    with (
        pytest.MonkeyPatch.context() as patch,
        django_db_blocker.unblock(),
        transaction.atomic(),
    ):
        # A site without one refuses pushes. Nothing is sent with it: what is ordered here is taken back before a worker hears of it.
        patch.setenv("HF_TOKEN", "hf_ofNobody")
        yield make_world()
        transaction.set_rollback(True)

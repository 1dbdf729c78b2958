"""A team with approved trajectories, and a release of them. Django is not set up yet when this is read."""

from typing import Any

import pytest

from tests.releases import NOW


@pytest.fixture
def owner() -> Any:
    from tests.factories import make_owner

    return make_owner(name="ada")


@pytest.fixture
def team(owner: Any) -> Any:
    from tests.factories import team_of

    return team_of(owner)


@pytest.fixture
def batch(team: Any, owner: Any) -> Any:
    from tests.factories import make_batch

    return make_batch(team=team, by=owner)


@pytest.fixture
def approved(batch: Any, owner: Any) -> list[Any]:
    from tests.factories import judge, make_trajectory
    from writ_app.models.review import Verdict

    rows = [make_trajectory(batch=batch, number=number) for number in range(3)]
    for row in rows:
        judge(row, Verdict.APPROVE, owner)
    return rows


@pytest.fixture
def release(approved: list[Any], team: Any, owner: Any) -> Any:
    from writ_app.services.release import freeze_release

    return freeze_release(team=team, name="first", by=owner, at=NOW)

"""A key for one host is warned of where the database is for several."""

import pytest
from django.core.checks import run_checks
from django.test import override_settings


def warned() -> bool:
    return "writ.W001" in [found.id for found in run_checks(tags=["deployment"])]


@pytest.mark.parametrize(
    ("made", "embedded", "expected"),
    [
        (True, [], True),
        (True, ["postgres", "valkey"], False),
        (False, [], False),
    ],
)
def test_a_made_key_and_a_shared_database(
    made: bool, embedded: list[str], expected: bool
) -> None:
    with override_settings(SECRET_KEY_MADE=made, EMBEDDED_SERVICES=embedded):
        assert warned() is expected

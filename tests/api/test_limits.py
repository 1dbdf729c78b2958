"""How often anybody may ask."""

import pytest
from django.core.cache import cache
from django.test import override_settings

from tests.api.client import Program
from tests.factories import make_owner, make_reviewer, team_of
from writ_app.adapters.caches import SharedCache, shared_cache

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh(settings, embedded_services):
    settings.API_PER_MINUTE = 3
    SharedCache.asked_again = 0
    cache.clear()
    yield
    SharedCache.asked_again = 0
    cache.clear()


def statuses(program, times):
    return [program.ask("get", "me").status_code for _ in range(times)]


class TestAToken:
    def test_is_told_to_wait_when_it_asks_too_often(self):
        program = Program(make_owner())

        assert statuses(program, 4) == [200, 200, 200, 429]
        told = program.ask("get", "me")
        assert 1 <= int(told.headers["Retry-After"]) <= 60
        assert told.json()["status"] == 429

    def test_takes_nothing_from_another(self):
        owner = make_owner()
        busy, other = Program(owner), Program(make_reviewer(team=team_of(owner)))
        statuses(busy, 4)

        assert statuses(other, 1) == [200]


class TestAStoreThatIsGone:
    def test_stops_nobody(self, settings):
        gone = {
            **settings.CACHES,
            "default": shared_cache("redis://127.0.0.1:1/0"),
        }
        with override_settings(CACHES=gone):
            assert statuses(Program(make_owner()), 5) == [200] * 5

"""Lists in pages."""

import pytest

from tests.api.client import Program
from tests.factories import make_batch, make_owner, make_trajectory, team_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_owner()


class TestAList:
    def test_is_walked_by_its_links_without_repeating_or_skipping(self, owner):
        made = [make_batch(team=team_of(owner), by=owner).pk for _ in range(5)]
        program = Program(owner)
        seen, following = [], "/api/v1/batches?limit=2"

        while following:
            told = program.ask("get", following.removeprefix("/api/v1/")).json()
            seen += [line["id"] for line in told["items"]]
            if len(seen) == 2:  # a list that grows meanwhile
                make_batch(team=team_of(owner), by=owner)
            following = told["next"]

        assert seen == made[::-1]

    def test_keeps_its_filters_from_page_to_page(self, owner):
        for status in ("DONE", "PAUSED", "DONE", "DONE"):
            make_batch(team=team_of(owner), by=owner, status=status)
        program = Program(owner)

        first = program.ask("get", "batches?status=done&limit=2").json()
        second = program.ask("get", first["next"].removeprefix("/api/v1/")).json()

        kinds = [line["status"] for line in first["items"] + second["items"]]
        assert kinds == ["done"] * 3
        assert second["next"] is None

    @pytest.mark.parametrize("cursor", ["WzFd", "W10", "bm8", "WyIxIiwyXQ", "[1]", "é"])
    def test_takes_no_cursor_but_its_own(self, owner, cursor):
        make_batch(team=team_of(owner), by=owner)

        answer = Program(owner).ask("get", "batches", query={"after": cursor})

        # [1] is a key that might have been: nothing is older than the first.
        assert answer.status_code == (200 if cursor == "WzFd" else 422)

    def test_of_tasks_goes_on_behind_a_number(self, owner):
        batch = make_batch(team=team_of(owner), by=owner)
        for number in range(3):
            make_trajectory(batch=batch, number=number)
        program = Program(owner)

        first = program.ask("get", "tasks?limit=2").json()
        second = program.ask("get", first["next"].removeprefix("/api/v1/")).json()

        assert [len(first["items"]), len(second["items"])] == [2, 1]
        assert second["next"] is None

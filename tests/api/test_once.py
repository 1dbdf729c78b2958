"""Commands that are sent twice: done once, answered alike."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.utils import timezone

from tests.api.client import Program
from tests.factories import make_batch, make_environment, make_owner, team_of
from writ_app.models.synthesis import Batch
from writ_app.models.tokens import IdempotentAnswer


@pytest.fixture
def owner(db):
    return make_owner()


@pytest.fixture
def order(owner):
    return {
        "name": "nightly",
        "environment": make_environment().pk,
        "ordered": 2,
        "seed": 1,
    }


class TestACommandWithAKey:
    def test_is_done_once_and_answered_alike(self, owner, order):
        program = Program(owner)

        first = program.ask("post", "batches", order, key="one")
        again = program.ask("post", "batches", order, key="one")

        assert first.status_code == again.status_code == 201
        assert first.json() == again.json()
        assert again.headers["Idempotency-Replayed"] == "true"
        assert Batch.objects.count() == 1

    def test_is_done_twice_with_two_keys(self, owner, order):
        program = Program(owner)

        for key in ("one", "two"):
            program.ask("post", "batches", order, key=key)

        assert Batch.objects.count() == 2

    def test_is_refused_with_the_key_of_another_request(self, owner, order):
        program = Program(owner)
        program.ask("post", "batches", order, key="one")

        other = program.ask("post", "batches", {**order, "seed": 2}, key="one")

        assert other.status_code == 422
        assert Batch.objects.count() == 1

    def test_of_another_member_is_another(self, owner, order):
        colleague = make_owner(team=team_of(owner))

        for user in (owner, colleague):
            Program(user).ask("post", "batches", order, key="one")

        assert Batch.objects.count() == 2

    def test_that_was_refused_may_be_sent_again_when_it_is_right(self, owner, order):
        program = Program(owner)

        refused = program.ask("post", "batches", {**order, "mix": {"X": 1}}, key="one")
        done = program.ask("post", "batches", order, key="one")

        assert (refused.status_code, done.status_code) == (422, 201)

    def test_is_forgotten_after_a_day(self, owner, order):
        program = Program(owner)
        program.ask("post", "batches", order, key="one")
        long_ago = timezone.now() - timedelta(hours=25)
        IdempotentAnswer.objects.update(created_at=long_ago)

        program.ask("post", "batches", order, key="one")

        assert Batch.objects.count() == 2
        assert IdempotentAnswer.objects.count() == 1

    def test_needs_a_key_that_can_be_written(self, owner, order):
        answer = Program(owner).ask("post", "batches", order, key="k" * 201)

        assert answer.status_code == 400
        assert not Batch.objects.exists()

    def test_is_not_for_what_cannot_be_answered_again(self, owner):
        row = make_batch(team=team_of(owner), by=owner)
        calls = {"calls": [{"name": "x"}]}
        where = f"environments/{row.environment.name}/{row.environment.version}/calls"

        answer = Program(owner).ask("post", where, calls, key="one")

        assert answer.status_code == 400


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    def test_one_is_done_and_the_other_told_to_wait(self, owner, order, monkeypatch):
        """The second comes while the first is at work."""
        program = Program(owner)
        inside, go = threading.Event(), threading.Event()
        started = []

        def slow(**given):
            inside.set()
            assert go.wait(20)
            return start(**given)

        from writ_app.services.synthesis import start_batch as start

        monkeypatch.setattr("writ_app.api.synthesis.start_batch", slow)

        def send():
            try:
                started.append(program.ask("post", "batches", order, key="one"))
            finally:
                connections.close_all()

        first = threading.Thread(target=send)
        first.start()
        assert inside.wait(20)
        second = program.ask("post", "batches", order, key="one")
        go.set()
        first.join(20)

        assert second.status_code == 409
        assert started[0].status_code == 201
        assert Batch.objects.count() == 1
        assert connection.in_atomic_block is False

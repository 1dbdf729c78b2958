"""The Celery app as Django processes and workers see it."""

import time

import pytest

from tests.services.operations.hanging import hanging_server
from writ_app.adapters.processes import Child
from writ_app.adapters.troubles import message_unsent
from writ_app.celery import app
from writ_app.jobs.synthesis import send_unfinished
from writ_app.services.operations.heard import last_heard


class TestWorker:
    @pytest.mark.django_db(transaction=True)
    def test_a_real_worker_answers_over_the_real_broker(
        self, celery_worker_process: Child
    ) -> None:
        answers = app.control.ping(timeout=5, limit=1)

        assert [list(answer.values()) for answer in answers] == [[{"ok": "pong"}]]
        assert celery_worker_process.process
        assert celery_worker_process.process.poll() is None

    @pytest.mark.django_db(transaction=True)
    def test_a_real_worker_is_heard_of(self, celery_worker_process: Child) -> None:
        deadline = time.monotonic() + 20
        while (heard := last_heard()) is None and time.monotonic() < deadline:
            time.sleep(0.5)

        assert heard is not None
        assert heard < 30


class TestABrokerThatDoesNotAnswer:
    """An order is an order: its row is there, and the clock sends for it again."""

    def order(self, url: str) -> tuple[list[str], float]:
        """The jobs that were said to be unsent, and the seconds that it took to find out."""
        unsent: list[str] = []

        def note(sender: object, job: str, **kwargs: object) -> None:
            unsent.append(job)

        message_unsent.connect(note)
        began = time.monotonic()
        try:
            with app.connection_for_write(url) as link:
                send_unfinished.apply_async(connection=link)
        finally:
            message_unsent.disconnect(note)
        return unsent, time.monotonic() - began

    def test_refuses_nobody_who_orders(self) -> None:
        unsent, took = self.order("redis://127.0.0.1:1/0")

        assert unsent == ["writ_app.jobs.synthesis.send_unfinished"]
        assert took < 5

    def test_holds_nobody_for_long_by_saying_nothing(self) -> None:
        with hanging_server() as (port, _):
            unsent, took = self.order(f"redis://127.0.0.1:{port}/0")

        assert unsent == ["writ_app.jobs.synthesis.send_unfinished"]
        assert took < 25


class TestSettings:
    def test_messages_are_json_alone(self) -> None:
        assert app.conf.accept_content == ["json"]
        assert app.conf.task_serializer == "json"

    def test_a_message_outlasts_the_longest_job(self) -> None:
        assert (
            app.conf.broker_transport_options["visibility_timeout"]
            > app.conf.task_time_limit
        )
        assert app.conf.task_time_limit > app.conf.task_soft_time_limit

    def test_django_made_it_the_default_app(self) -> None:
        from celery import current_app

        assert current_app.main == "writ"

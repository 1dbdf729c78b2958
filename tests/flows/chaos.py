"""Two hundred simulations while everything they rest on is killed, flushed or restarted. A process of its own: see test_chaos.

    python -m tests.flows.chaos VAR_DIR --copies N --seconds S

Prints, as JSON, what was done and what came of it.
"""

import argparse
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil

TASKS = 20
DELAY = 0.1
"""Seconds that the models take for an answer."""
LEASE = 2
PAUSE = 1.0
"""Seconds between two strokes."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("var", type=Path)
    parser.add_argument("--copies", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    wanted = parser.parse_args()
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "writ_app.settings",
        "WRIT_VAR_DIR": str(wanted.var),
        "WRIT_ENV": "test",
        "WRIT_LEASE_SECONDS": str(LEASE),
        "WRIT_IN_FLIGHT": "24",
    }
    for external in ("DATABASE_URL", "CELERY_BROKER_URL"):
        os.environ.pop(external, None)
    import django

    django.setup()
    json.dump(hold(wanted), sys.stdout)


def hold(wanted: argparse.Namespace) -> dict[str, Any]:
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    from tests.model_server import started, write_answers
    from tests.played import copies, played
    from writ_app.adapters.embedded.services import services_running
    from writ_app.jobs.synthesis import send_unfinished
    from writ_app.management.site import start_jobs, supervised

    layout = settings.EMBEDDED
    answers = wanted.var / "answers.json"
    with (
        # Durable: a database that forgets what it has confirmed is another matter.
        services_running(layout, settings.EMBEDDED_SERVICES) as services,
        supervised() as supervisor,
    ):
        call_command("migrate", verbosity=0)
        template = order()
        said = played(template)
        write_answers(answers, said)
        with started(answers, DELAY) as server:
            batch = copies(template, server.url, wanted.copies)
            connection.close()
            runner = start_jobs(supervisor, workers=2, beat=False)
            strokes = Strokes(services, runner, random.Random(7))
            until = time.monotonic() + wanted.seconds
            last = time.monotonic()
            while time.monotonic() < until:
                supervisor.check()
                services.keep_up()
                patiently(send_unfinished)  # what beat does, more often
                if patiently(lambda: is_over(batch)):
                    break
                asked_for = len(server.asked())
                if asked_for > strokes.seen + 50 and time.monotonic() - last > PAUSE:
                    strokes.next()
                    strokes.seen = asked_for
                    last = time.monotonic()
                time.sleep(0.5)
            asked = Counter(one[1:] for one in server.asked())
        return {
            **strokes.done,
            **came_of(batch),
            "shut_down_seconds": strokes.shut_down_seconds,
            "asked": dict(Counter(asked.values())),
        }


def order() -> Any:
    """A designed batch of scripted models, which nobody simulates."""
    from writ_app.models.accounts import User
    from writ_app.models.synthesis import Batch, BatchStatus
    from writ_app.services import accounts, catalog, synthesis

    owner = User.objects.create_user("owner")
    batch = synthesis.start_batch(
        team=accounts.create_team(name="Team", owner=owner),
        by=owner,
        name="Chaos",
        environment=catalog.register_generated(name="retail", seed=7, users=60),
        seed=1,
        ordered=TASKS,
        mix={"R1": 1, "R5": 1, "R6": 1},
    )
    for _ in synthesis.design_batch(batch_id=batch.pk):
        pass
    Batch.objects.filter(pk=batch.pk).update(status=BatchStatus.CANCELLED)
    return batch


class Strokes:
    """What befalls the runners, in turns: a process killed, the broker emptied, everything killed, the database restarted."""

    def __init__(self, services: Any, runner: Any, rng: random.Random):
        self.done = {"killed": 0, "all_killed": 0, "flushed": 0, "restarted": 0}
        self.shut_down_seconds = 0.0
        self._services = {service.name: service for service in services.started}
        self._runner = runner
        self._rng = rng
        self._turn = 0
        self.seen = 0
        """Requests to the models before the last stroke: between two, work goes on."""

    def next(self) -> None:
        one = self.kill_one
        strokes = [one, self.flush, self.restart, self.shut_down, one, self.kill_all]
        strokes += [one]
        if self._turn < len(strokes):
            strokes[self._turn]()
        self._turn += 1

    def kill_one(self) -> None:
        children = self._children()
        if children:
            self._rng.choice(children).send_signal(signal.SIGKILL)
            self.done["killed"] += 1

    def kill_all(self) -> None:
        """The worker and its pool, as when a machine dies; the supervisor starts another."""
        children = self._children()
        for process in [*children, *{child.parent() for child in children}]:
            process.send_signal(signal.SIGKILL)
        self.done["all_killed"] += 1

    def shut_down(self) -> None:
        """As the supervisor or a container's host does it, with conversations under way."""
        began = time.monotonic()
        self._runner.process.send_signal(signal.SIGTERM)
        self._runner.process.wait(60)
        self.shut_down_seconds = time.monotonic() - began

    def flush(self) -> None:
        import redis
        from django.conf import settings

        path = settings.EMBEDDED.valkey_socket
        with redis.Redis(unix_socket_path=str(path)) as broker:
            broker.flushall()
        self.done["flushed"] += 1

    def restart(self) -> None:
        postgres = self._services["postgres"]
        os.kill(postgres.pid(), signal.SIGQUIT)  # at once, as if it had crashed
        while postgres.pid() is not None:
            time.sleep(0.02)
        postgres.start()
        self.done["restarted"] += 1

    def _children(self) -> list[psutil.Process]:
        if self._runner.process is None or self._runner.process.poll() is not None:
            return []
        return psutil.Process(self._runner.process.pid).children()


def patiently(ask: Any) -> Any:
    """The answer, None while database or broker are away."""
    from django.db import Error, connection
    from kombu.exceptions import OperationalError

    try:
        return ask()
    except Error:
        connection.close()
    except OperationalError:
        pass
    return None


def is_over(batch: Any) -> bool:
    from writ_app.models.synthesis import BatchStatus

    batch.refresh_from_db()
    return batch.status in (BatchStatus.DONE, BatchStatus.PAUSED)


def came_of(batch: Any) -> dict[str, Any]:
    from django.db.models import Count, Sum

    from writ_app.models.synthesis import Trajectory, Turn

    batch.refresh_from_db()
    rows = Trajectory.objects.filter(simulation__batch=batch)
    turns = Turn.objects.filter(simulation__batch=batch)
    sums = turns.aggregate(turns=Count("pk"), tokens=Sum("prompt_tokens"))
    return {
        "status": batch.status,
        "stopped_by": batch.stopped_by,
        "ordered": batch.ordered,
        "statuses": dict(batch.simulations.values_list("status").annotate(Count("pk"))),
        "attempts": sum(batch.simulations.values_list("attempt", flat=True)),
        "outcomes": rows.count(),
        "simulations_with_outcome": rows.values("simulation").distinct().count(),
        "turns": sums["turns"],
        "tokens": sums["tokens"],
        "batch_turns": batch.turns,
        "batch_tokens": batch.prompt_tokens,
    }


if __name__ == "__main__":
    main()

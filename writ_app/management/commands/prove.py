"""`manage.py prove FILE`: every claim of a task file, worked out again. Needs no services."""

import os
from argparse import ArgumentParser
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from writ_app.adapters import batches
from writ_app.adapters.processes import stop_on_signals
from writ_app.adapters.spread import WorkLost
from writ_app.adapters.tau2 import find_domains
from writ_app.engine.errors import WritError
from writ_app.engine.proving import FalseClaim, repeated
from writ_app.engine.task_file import BadTaskFile, FileTask, read_line, text_lines
from writ_app.management.progress import Progress

BAD_INPUT = 2
INTERRUPTED = 130


class Command(BaseCommand):
    help = (
        "Check a task file from the file alone: the database is made or read again, and every claim worked out again. "
        "Exit 1 at the first false claim, 2 if the file or a database cannot be had."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="a task file")
        parser.add_argument(
            "--tau2-root",
            type=Path,
            metavar="DIR",
            help="the tau2-bench checkout of imported databases",
        )
        parser.add_argument(
            "--workers",
            type=int,
            default=os.cpu_count() or 1,
            help="processes (default: one for each core)",
        )
        parser.add_argument(
            "--all", action="store_true", help="go on after a false claim, list all"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with stop_on_signals():
                self.prove(options)
        except KeyboardInterrupt:
            raise CommandError("Interrupted.", returncode=INTERRUPTED) from None
        except (WritError, WorkLost) as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from error

    def prove(self, options: dict[str, Any]) -> None:
        if options["workers"] < 1:
            raise BadInput("--workers must be at least 1.")
        if options["tau2_root"] is not None:
            find_domains(options["tau2_root"])
        tasks, bad = _read(options["file"])
        if not tasks and not bad:
            raise BadInput(f"{options['file']} holds no task.")
        checked, false = 0, 0
        with Progress(self.stderr, len(tasks), "tasks checked") as progress:
            for line, name, found in _findings(tasks, bad, options, progress):
                checked += 1
                if found is None:
                    continue
                false += 1
                self.stdout.write(f"line {line}, {name}: {found.claim}: {found.text}")
                if not options["all"]:
                    break
        self.summarise([task for _, task in tasks], checked, false)
        if false:
            raise SystemExit(1)

    def summarise(self, tasks: list[FileTask], checked: int, false: int) -> None:
        if false:
            self.stdout.write(
                f"{checked:,} lines checked: {false:,} of them do not hold."
            )
            return
        worlds = sorted({f"{task.environment} {task.version}" for task in tasks})
        witnesses = sum(
            read.witness is not None for task in tasks for read in task.certificate
        )
        writes = sum(len(task.gold) for task in tasks)
        self.stdout.write(
            f"{checked:,} tasks over {', '.join(worlds)} hold: {writes:,} gold writes, {witnesses:,} witnesses."
        )


class BadInput(WritError):
    """A file that cannot be checked."""


def _findings(
    tasks: list[tuple[int, FileTask]],
    bad: list[tuple[int, str]],
    options: dict[str, Any],
    progress: Progress,
) -> Iterator[tuple[int, str, FalseClaim | None]]:
    """(number of the line, name, first false claim or None). What needs no proof comes first."""
    again = dict(repeated(tasks))
    names = {number: task.id for number, task in tasks}
    for number, text in sorted(chain(bad, again.items())):
        claim = "id" if number in again else "line"
        yield number, names.get(number, "no task"), FalseClaim(claim, text)
    rest = [(number, task) for number, task in tasks if number not in again]
    for number, task, found in batches.refute(
        rest, options["tau2_root"], options["workers"]
    ):
        progress.step()
        yield number, task.id, found


def _read(path: Path) -> tuple[list[tuple[int, FileTask]], list[tuple[int, str]]]:
    """The tasks, and what is wrong with lines that are none, by number of the line."""
    tasks, bad = [], []
    try:
        for number, line in text_lines(path):
            try:
                tasks.append((number, read_line(line)))
            except BadTaskFile as error:
                bad.append((number, str(error)))
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from error
    return tasks, bad

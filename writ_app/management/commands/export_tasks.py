"""`manage.py export_tasks FILE --out tasks.json`: designed tasks as a tasks file of τ²-bench."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from environments import registry
from environments.core.state import State
from environments.core.tools import Mode
from environments.core.words import Words
from writ_app.adapters.files import written_whole
from writ_app.engine.benchmark_tasks import UnfitTasks, benchmark_tasks, splits_of
from writ_app.engine.task_file import BadTaskFile, FileTask, read_tasks, to_task


class Command(BaseCommand):
    help = "Write designed tasks as a tasks.json that tau2-bench loads and scores. They belong to the database they were designed in."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "tasks", type=Path, metavar="FILE", help="a task file (docs/tasks.md)"
        )
        parser.add_argument(
            "--out", type=Path, required=True, metavar="FILE", help="the tasks file"
        )
        parser.add_argument(
            "--split-file",
            type=Path,
            metavar="FILE",
            help="also write a splits file whose base split holds all of them",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        lines = read_lines(options["tasks"])
        tasks = [to_task(line) for line in lines]
        try:
            words = {name: words_of(name) for name in {t.environment for t in tasks}}
            exported = benchmark_tasks(tasks, words)
        except KeyError as error:
            raise CommandError(str(error.args[0])) from error
        except UnfitTasks as error:
            raise CommandError(str(error)) from error
        for line, task in zip(lines, exported, strict=True):
            task["id"] = line.id
        write_json(options["out"], exported)
        if options["split_file"]:
            write_json(options["split_file"], splits_of(exported))
        self.stdout.write(f"{len(exported)} tasks written to {options['out']}.")


def read_lines(path: Path) -> list[FileTask]:
    """Raises CommandError naming the line that is no task."""
    try:
        return [line for _, line in read_tasks(path)]
    except (OSError, BadTaskFile) as error:
        raise CommandError(f"{path} cannot be read: {error}") from error


def words_of(name: str) -> Words:
    """A world's words do not depend on its database. Raises KeyError with the names there are."""
    world = registry.world(name)
    empty = world.build(state=State({}), version="empty", mode=Mode.CORRECTED)
    return empty.domain.words


def write_json(path: Path, value: Any) -> None:
    try:
        text = json.dumps(value, indent=2, ensure_ascii=False)
        with written_whole(path) as file:
            file.write(text + "\n")
    except OSError as error:
        raise CommandError(
            f"{path} cannot be written: {error.strerror or error}"
        ) from error

"""`manage.py design`: a file of proved tasks. Needs no services."""

import errno
import json
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from environments.core.environment import Environment
from environments.core.tools import Mode
from writ_app.adapters import batches
from writ_app.adapters.batches import Batch, Order, World
from writ_app.adapters.files import written_whole
from writ_app.adapters.processes import stop_on_signals
from writ_app.adapters.spread import WorkLost
from writ_app.adapters.worlds import checkout_world, generated_world, people_in_tasks
from writ_app.engine.errors import WritError
from writ_app.engine.grid import read_grid
from writ_app.management.fill_report import lines, summary
from writ_app.management.progress import Progress

WORLD_SEED = 1
PEOPLE = 200
BAD_INPUT = 2
INTERRUPTED = 130


class Command(BaseCommand):
    help = (
        "Design proved tasks over a generated world, or over a database of a tau2-bench checkout, and write them to a file, one per line. "
        "The same words give the same bytes, whatever --workers. Exit 1 if there are fewer tasks than asked for, 2 for bad input."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--environment",
            required=True,
            help="a name in environments/registry.py, such as rental",
        )
        parser.add_argument(
            "--tau2-root",
            type=Path,
            metavar="DIR",
            help="take the database of this tau2-bench checkout; nobody whom its tasks name is used",
        )
        parser.add_argument(
            "--size", type=int, help=f"people of a generated world (default: {PEOPLE})"
        )
        parser.add_argument(
            "--world-seed",
            type=int,
            help=f"seed of a generated world (default: {WORLD_SEED})",
        )
        parser.add_argument(
            "--mode",
            choices=[mode.value for mode in Mode],
            help="how a generated world behaves (default: as it is made)",
        )
        parser.add_argument("--count", type=int, required=True, help="tasks to design")
        parser.add_argument(
            "--grid", type=Path, help="what to design, as JSON (docs/tasks.md)"
        )
        parser.add_argument("--seed", type=int, default=1, help="default: 1")
        parser.add_argument(
            "--workers",
            type=int,
            default=os.cpu_count() or 1,
            help="processes (default: one for each core)",
        )
        parser.add_argument("--report", type=Path, help="also write the report as JSON")
        parser.add_argument("--out", type=Path, required=True, help="the task file")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with stop_on_signals():
                found = self.design(options)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise CommandError(
                f"{error.filename} cannot be written: {error.strerror}."
            ) from error
        except KeyboardInterrupt:
            raise CommandError(
                "Interrupted: nothing was written.", returncode=INTERRUPTED
            ) from None
        except WritError as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from error
        except WorkLost as error:
            raise CommandError(f"Nothing was written. {error}") from error
        for line in lines(found):
            self.stdout.write(line)
        if found["tasks"] < options["count"]:
            raise SystemExit(1)

    def design(self, options: dict[str, Any]) -> dict[str, Any]:
        for name in ("count", "workers"):
            if options[name] < 1:
                raise BadInput(f"--{name} must be at least 1.")
        for path in (options["out"], options["report"]):
            if path is not None and path.is_dir():
                raise BadInput(f"{path} is a folder; name a file.")
            if path is not None and not path.parent.is_dir():
                raise BadInput(f"There is no folder {path.parent}.")
        environment, avoid = self.world(options)
        grid = _read_grid(options["grid"])
        read_grid(grid, environment)  # complains before anything is begun
        people = len(set(environment.people) - avoid)
        order = Order(
            World(environment.name, environment.version, options["tau2_root"]),
            json.dumps(grid),
            options["count"],
            options["seed"],
            people,
            avoid,
        )
        batch = Batch()
        with Progress(self.stderr, order.count, "tasks designed") as progress:
            for result in batches.design(order, options["workers"]):
                if isinstance(result, Batch):
                    batch = result
                else:
                    progress.step()
        found = summary(batch, environment, people, progress.seconds)
        with written_whole(options["out"]) as out:
            out.writelines(f"{task.line}\n" for task in batch.tasks)
        if options["report"] is not None:
            with written_whole(options["report"]) as out:
                out.write(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
        return found

    def world(self, options: dict[str, Any]) -> tuple[Environment, frozenset[str]]:
        """The environment, and the people to keep away from."""
        name, root = options["environment"], options["tau2_root"]
        if root is None:
            made = generated_world(
                name,
                seed=WORLD_SEED
                if options["world_seed"] is None
                else options["world_seed"],
                users=PEOPLE if options["size"] is None else options["size"],
                mode=Mode(options["mode"]) if options["mode"] else None,
            )
            return made, frozenset()
        if options["size"] is not None or options["world_seed"] is not None:
            raise BadInput("--size and --world-seed are for generated worlds.")
        if options["mode"] not in (None, Mode.STRICT.value):
            raise BadInput("A checkout's database is used in strict mode.")
        made, domain = checkout_world(root, name)
        return made, people_in_tasks(made, domain.tasks)


class BadInput(WritError):
    """Words that do not go together."""


def _read_grid(path: Path | None) -> Any:
    if path is None:
        return {}
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read as JSON: {error}") from error

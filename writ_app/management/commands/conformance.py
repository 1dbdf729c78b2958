"""`manage.py conformance`: replay recorded vectors of the reference, one line per file."""

import gzip
import json
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from environments import conformance, registry
from environments.conformance import Outcome
from environments.core.environment import Environment
from environments.core.errors import BadDatabase
from writ_app.adapters.tau2 import BadCheckout, find_domains, read_domain

FILES = ("gold_replay", "random_calls", "random_episodes", "quirk_episodes")


class Command(BaseCommand):
    help = "Compare our environments with recorded vectors of tau2-bench; exit 1 on any difference."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--tau2-root", type=Path, required=True, help="a tau2-bench checkout"
        )
        parser.add_argument(
            "--vectors", type=Path, required=True, help="folder with recorded vectors"
        )
        parser.add_argument(
            "--environment", action="append", help="only this one (may be repeated)"
        )
        parser.add_argument(
            "--show",
            type=int,
            default=0,
            metavar="N",
            help="print the differences of N failures per file",
        )
        parser.add_argument(
            "--json", action="store_true", help="print one JSON object instead of lines"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            names = options["environment"] or [
                n for n in find_domains(options["tau2_root"]) if n in registry.names()
            ]
            outcomes = [
                o
                for n in names
                for o in self.compare(n, options["tau2_root"], options["vectors"])
            ]
        except (BadCheckout, BadDatabase, KeyError) as error:
            raise CommandError(str(error).strip("'\"")) from error
        if options["json"]:
            self.stdout.write(
                json.dumps(
                    [_as_json(outcome, options["show"]) for outcome in outcomes],
                    indent=1,
                )
            )
        else:
            self.print_lines(outcomes, options["show"])
        if any(outcome.failures for outcome in outcomes):
            raise SystemExit(1)

    def compare(self, name: str, root: Path, vectors: Path) -> Iterator[Outcome]:
        domain, world = read_domain(root, name), registry.world(name)
        state = world.read_state(domain.database)
        environment = world.build(
            state=state, version="conformance", policy=domain.policy
        )
        present = [
            file for file in FILES if (vectors / name / f"{file}.jsonl.gz").exists()
        ]
        if not present:
            raise CommandError(
                f"There are no vectors of {name} in {vectors}: expected {name}/{FILES[0]}.jsonl.gz and others."
            )
        for file in present:
            yield conformance.check_file(
                environment,
                f"{name}/{file}",
                _lines(vectors / name / f"{file}.jsonl.gz"),
            )
        table = vectors / "calculate_table.jsonl"
        if table.exists():
            outcome = conformance.check_calculate(environment, _lines(table))
            outcome.name = f"{name}/calculate_table"
            yield outcome
        yield from self.compare_schemas(environment, vectors / "schemas")

    def compare_schemas(
        self, environment: Environment, folder: Path
    ) -> Iterator[Outcome]:
        schemas, meta = (
            folder / f"{environment.name}.{kind}.json"
            for kind in ("tool_schemas", "meta")
        )
        if schemas.exists() and meta.exists():
            read = [
                json.loads(path.read_text(encoding="utf-8")) for path in (schemas, meta)
            ]
            yield conformance.check_schemas(environment, read[0], read[1])

    def print_lines(self, outcomes: list[Outcome], show: int) -> None:
        for outcome in outcomes:
            self.stdout.write(str(outcome))
            for case, differences in outcome.failures[:show]:
                self.stdout.write(f"  {case}")
                for difference in differences:
                    self.stdout.write(f"    {difference}")


def _as_json(outcome: Outcome, show: int) -> dict[str, Any]:
    shown = [
        {"case": case, "differences": found} for case, found in outcome.failures[:show]
    ]
    return {
        "file": outcome.name,
        "passed": outcome.passed,
        "failed": len(outcome.failures),
        "shown": shown,
    }


def _lines(path: Path) -> Iterator[Any]:
    """Values of a JSON Lines file, gzipped or not. Raises CommandError naming the broken line."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                raise CommandError(
                    f"{path}, line {number} is not JSON: {error}"
                ) from error

"""`manage.py check_environment NAME`: what is missing or inconsistent in a world, for its author."""

from argparse import ArgumentParser
from itertools import chain
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from environments import checkup, registry
from environments.core.environment import Environment
from writ_app.engine.errors import InvalidTask
from writ_app.engine.task_design import Designer


class Command(BaseCommand):
    help = "Check a world: tools, policy, oracle, words, proofs. Exit 1 if anything is wrong; warnings do not count."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="a world in environments/registry.py")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--users", type=int, default=200)
        parser.add_argument(
            "--tries", type=int, default=3, help="tasks proved per archetype"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"]
        try:
            world = registry.world(name)
        except KeyError as error:
            raise CommandError(str(error.args[0])) from error
        environment = world.generated(seed=options["seed"], users=options["users"])
        findings: list[checkup.Finding] = []
        for finding in chain(
            [checkup.check_name(environment, name), checkup.check_generator(name)],
            checkup.check_world(
                environment,
                tests=_tests_of(name),
                prove=_prover(environment),
                tries=options["tries"],
            ),
        ):
            findings.append(finding)
            self.stdout.write(str(finding))
        self.stdout.write(checkup.summary(findings))
        if any(finding.level == "wrong" for finding in findings):
            raise SystemExit(1)


def _prover(environment: Environment) -> checkup.Prove:
    """Proves a task, and says which of its reads have no witness; a failure tells why the draws were refused."""
    designer = Designer(environment)

    def prove(slug: str, seed: int) -> set[str]:
        before = designer.report.refused.copy()
        try:
            task = designer.design(slug, seed)
        except InvalidTask as error:
            refused = (designer.report.refused - before).most_common()
            told = ", ".join(f"{count} {reason}" for reason, count in refused)
            raise InvalidTask(error.reason, f"{error} Refused: {told}.") from error
        return {read.call.name for read in task.certificate if read.witness is None}

    return prove


def _tests_of(name: str) -> str:
    folder = Path(settings.BASE_DIR) / "tests" / "environments" / name
    return "\n".join(p.read_text(encoding="utf-8") for p in sorted(folder.glob("*.py")))

"""`manage.py check_environment NAME`: what is missing or inconsistent in a world, for its author."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from environments import checkup, registry
from writ_app.engine.task_design import Designer


class Command(BaseCommand):
    help = "Check a world: tools, policy, oracle, words, proofs. Exit 1 if anything is wrong; warnings do not count."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="a world in environments/registry.py")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--users", type=int, default=60)
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
        findings = [checkup.check_generator(name)]
        self.stdout.write(str(findings[0]))
        for finding in checkup.check_world(
            environment,
            tests=_tests_of(name),
            prove=Designer(environment).design,
            tries=options["tries"],
        ):
            findings.append(finding)
            self.stdout.write(str(finding))
        self.stdout.write(checkup.summary(findings))
        if any(finding.level == "wrong" for finding in findings):
            raise SystemExit(1)


def _tests_of(name: str) -> str:
    folder = Path(settings.BASE_DIR) / "tests" / "environments" / name
    return "\n".join(p.read_text(encoding="utf-8") for p in sorted(folder.glob("*.py")))

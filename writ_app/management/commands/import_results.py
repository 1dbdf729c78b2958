"""`manage.py import_results FILE|DIR`: τ²-bench result files as reference trajectories, for viewing."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError, call_command

from writ_app.adapters.embedded.services import services_running
from writ_app.adapters.tau2_results import BadResults
from writ_app.management.site import clear_errors
from writ_app.management.versions import VersionCommand
from writ_app.models.catalog import Environment
from writ_app.services import catalog


class Command(VersionCommand):
    help = "Import tau2-bench result files, monolithic or in directory form: everything named, or nothing."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "root", type=Path, metavar="FILE|DIR", help="a result file, or a folder"
        )
        parser.add_argument(
            "--environment",
            default="",
            help="the environment they were made in (default: by domain and policy)",
        )
        parser.add_argument(
            "--version",
            dest="of_version",
            default="",
            help="its version (default: the newest)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with (
            clear_errors(),
            services_running(settings.EMBEDDED, settings.EMBEDDED_SERVICES, reuse=True),
        ):
            call_command("migrate", verbosity=0, interactive=False)
            environment = self.find(options["environment"], options["of_version"])
            try:
                found = catalog.import_results(
                    root=options["root"], environment=environment
                )
            except BadResults as error:
                raise CommandError(f"Nothing was imported. {error}") from error
            for row in found:
                count = row.trajectories.count()
                where = row.environment or f"{row.domain}, which is not here"
                self.stdout.write(f"{row}: {count} trajectories in {where}")

    def find(self, name: str, version: str) -> Environment | None:
        if not name and not version:
            return None
        if not name:
            raise CommandError("--version needs --environment.")
        known = Environment.objects.filter(name=name).defer("state").order_by("-pk")
        row = (known.filter(version=version) if version else known).first()
        if row is None:
            there = ", ".join(known.values_list("version", flat=True)) or "none"
            raise CommandError(
                f"There is no {name} {version}".rstrip() + f"; there is {there}."
            )
        return row

"""`manage.py import_tau2 DIR`: a τ²-bench checkout's domains as environment versions."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError, call_command

from environments import registry
from writ_app.adapters.embedded.services import services_running
from writ_app.adapters.tau2 import BadCheckout, find_domains
from writ_app.management.site import clear_errors
from writ_app.management.versions import VersionCommand
from writ_app.services import catalog


class Command(VersionCommand):
    help = "Import database, policy, tasks and splits of a tau2-bench checkout as environment versions."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("root", type=Path, metavar="DIR", help="the checkout")
        parser.add_argument(
            "--environment", action="append", help="only this domain (may be repeated)"
        )
        parser.add_argument(
            "--version",
            dest="as_version",
            default="",
            help="name of the version (default: from the hash)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with (
            clear_errors(),
            services_running(settings.EMBEDDED, settings.EMBEDDED_SERVICES, reuse=True),
        ):
            call_command("migrate", verbosity=0, interactive=False)
            self.bring_in(options["root"], options)

    def bring_in(self, root: Path, options: dict[str, Any]) -> None:
        try:
            present = find_domains(root)
            names = options["environment"] or [
                name for name in present if name in registry.names()
            ]
            for name in names:
                row = catalog.import_tau2(
                    root=root, name=name, version=options["as_version"]
                )
                count = row.reference_tasks.count()
                self.stdout.write(
                    f"{row}: state {row.state_hash[:12]}, {count} reference tasks"
                )
        except (BadCheckout, catalog.BadWorld) as error:
            raise CommandError(str(error)) from error
        skipped = sorted(set(present) - set(names))
        if skipped:
            self.stdout.write(f"Not imported: {', '.join(skipped)}.")

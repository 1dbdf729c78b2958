"""`manage.py add_environment NAME`: a world made from a seed, stored under its name, ready for batches."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command

from environments.core.tools import Mode
from writ_app.adapters.embedded.services import services_running
from writ_app.management.site import clear_errors
from writ_app.services import catalog


class Command(BaseCommand):
    help = "Make a world from a seed and store it as an environment; the one there is if it was made before."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="the world, such as retail")
        parser.add_argument(
            "--size", type=int, default=200, help="people in it (default: 200)"
        )
        parser.add_argument(
            "--seed", type=int, default=1, help="another seed, another world"
        )
        parser.add_argument(
            "--mode",
            choices=[mode.value for mode in Mode],
            help="keep the reference's known bugs (strict) or mend them (default: as the world is made)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        mode = Mode(options["mode"]) if options["mode"] else None
        with (
            clear_errors(),
            services_running(settings.EMBEDDED, settings.EMBEDDED_SERVICES, reuse=True),
        ):
            call_command("migrate", verbosity=0, interactive=False)
            try:
                row = catalog.register_generated(
                    name=options["name"],
                    seed=options["seed"],
                    users=options["size"],
                    mode=mode,
                )
            except catalog.BadWorld as error:
                raise CommandError(str(error)) from error
        self.stdout.write(f"{row}: {row.mode}, state {row.state_hash[:12]}")

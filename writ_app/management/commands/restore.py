"""`manage.py restore FILE`: fill an empty database from a backup."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from writ_app.adapters.embedded.services import services_running
from writ_app.management.commands.backup import embedded
from writ_app.management.site import clear_errors
from writ_app.services.operations.backup import BackupError, restore_backup


class Command(BaseCommand):
    help = "Fill an empty database from a file that `backup` wrote: whole and proved, or not at all."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        with (
            clear_errors(),
            services_running(settings.EMBEDDED, ["postgres"] * embedded(), reuse=True),
        ):
            try:
                manifest = restore_backup(options["file"])
            except BackupError as error:
                raise CommandError(str(error)) from error
        self.stdout.write(
            f"Restored and proved {manifest.rows:,} rows of {len(manifest.tables)} tables, as of {manifest.made_at}. "
            "Next: `manage.py migrate` if this release is newer, then start the site."
        )

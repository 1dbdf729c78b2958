"""`manage.py backup FILE`: the whole database as one file, while people work."""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from writ_app.adapters.embedded.services import services_running
from writ_app.adapters.files import written_whole_bytes
from writ_app.management.site import clear_errors
from writ_app.services.audit import record
from writ_app.services.operations.backup import BackupError, back_up


class Command(BaseCommand):
    help = "Write the whole database, as it is at one moment, into a file that `restore` reads."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", metavar="FILE", help="must not exist yet; - writes to a pipe"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with (
            clear_errors(),
            services_running(settings.EMBEDDED, ["postgres"] * embedded(), reuse=True),
            opened(options["file"]) as file,
        ):
            try:
                manifest = back_up(file)
            except BackupError as error:
                raise CommandError(str(error)) from error
            record(
                "backup.make",
                team=None,
                after={
                    "rows": manifest.rows,
                    "bytes": manifest.bytes,
                    "sha256": manifest.sha256,
                },
            )
        self.stderr.write(
            f"Saved {manifest.rows:,} rows of {len(manifest.tables)} tables, "
            f"{manifest.bytes / 1e6:,.1f} MB, SHA-256 {manifest.sha256}."
        )


def embedded() -> bool:
    """Whether the database is one that commands start themselves."""
    return "postgres" in settings.EMBEDDED_SERVICES


@contextmanager
def opened(name: str) -> Iterator[IO[bytes]]:
    """A new file of that name, which is there only if everything was written; `-`: the standard output."""
    if name == "-":
        if sys.stdout.isatty():
            raise CommandError("A backup is no text: send it to a file or a program.")
        with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as pipe:
            yield pipe
        return
    path = Path(name)
    if path.exists():
        raise CommandError(f"{path} exists already. Name a file that does not.")
    if not path.parent.is_dir():
        raise CommandError(f"There is no directory {path.parent}.")
    with written_whole_bytes(path, private=True) as file:
        yield file

"""`manage.py up`: everything the app needs, in one terminal, until Ctrl-C."""

import os
from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand

from writ_app.jobs.synthesis import send_unfinished
from writ_app.management.site import (
    add_site_arguments,
    address,
    clear_errors,
    site_up,
)


class Command(BaseCommand):
    help = "Start services, worker and web server; stop them all on Ctrl-C."
    # The checks that look at the database come with `migrate`, when it is there.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_site_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with clear_errors():
                self.serve(options["host"], options["port"], options["workers"])
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")

    def serve(self, host: str, port: int, workers: int) -> None:
        with site_up(workers=workers, listen=(host, port), serving=True) as site:
            send_unfinished()
            self.stdout.write(f"WRIT is up at {address(host, port)}")
            log = site.services.layout.log
            self.stdout.write(f"Process {os.getpid()}, logs in {log}. Ctrl-C stops it.")
            self.stdout.flush()
            try:
                site.watch()
            finally:
                self.stdout.write("Stopping …")

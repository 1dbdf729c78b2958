"""`manage.py export_results --batch N --out results.json`: a batch as a result file of τ²-bench, for an outside judge."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from tqdm import tqdm

from writ_app.adapters.embedded.services import services_running
from writ_app.adapters.files import written_whole
from writ_app.management.site import clear_errors
from writ_app.models.synthesis import Batch
from writ_app.services.catalog import ChangedEnvironment
from writ_app.services.synthesis.results import count_results, export_results


class Command(BaseCommand):
    help = "Write a batch's simulations as a results.json that tau2-bench loads and scores. It belongs to the database they ran on."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--batch", type=int, required=True, metavar="N")
        parser.add_argument(
            "--out", type=Path, required=True, metavar="FILE", help="results.json"
        )
        parser.add_argument(
            "--accepted", action="store_true", help="only what was accepted"
        )
        parser.add_argument(
            "--with-rewards",
            action="store_true",
            help="also score by the reference's rules, as far as no judge is needed (default: left to the outside judge)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with (
            clear_errors(),
            services_running(settings.EMBEDDED, settings.EMBEDDED_SERVICES, reuse=True),
        ):
            call_command("migrate", verbosity=0, interactive=False)
            self.export(options)

    def export(self, options: dict[str, Any]) -> None:
        related = ("environment", "agent", "user_simulator")
        batches = Batch.objects.select_related(*related).defer("environment__state")
        batch = batches.filter(pk=options["batch"]).first()
        if batch is None:
            raise CommandError(f"There is no batch {options['batch']}.")
        count = count_results(batch, accepted_only=options["accepted"])
        if not count:
            raise CommandError(
                f"Batch {batch.pk} has no {'accepted ' * options['accepted']}simulations to write."
            )
        parts = export_results(
            batch,
            accepted_only=options["accepted"],
            with_rewards=options["with_rewards"],
        )
        path: Path = options["out"]
        try:
            with written_whole(path) as file:
                for part in tqdm(parts, unit=" parts", disable=None):
                    file.write(part)
        except ChangedEnvironment as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(
                f"{path} cannot be written: {error.strerror or error}"
            ) from error
        self.stdout.write(f"{count} simulations written to {path}.")

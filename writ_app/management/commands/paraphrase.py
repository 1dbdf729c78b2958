"""`manage.py paraphrase --batch N --model NAME`: a batch's requests in a model's words, each read back and checked."""

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from tqdm import tqdm

from writ_app.adapters.embedded.services import services_running
from writ_app.engine.errors import ModelUnavailable
from writ_app.management.site import clear_errors
from writ_app.models.synthesis import Batch
from writ_app.services import synthesis


class Command(BaseCommand):
    help = "Have the requests of a batch said in other words by a model, and keep what another model reads as the same request."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--batch", type=int, required=True, metavar="N")
        parser.add_argument(
            "--model",
            required=True,
            metavar="NAME",
            help="who rewords: an endpoint's name, or provider/model",
        )
        parser.add_argument(
            "--reader", metavar="NAME", help="who reads it back (default: the same)"
        )
        parser.add_argument(
            "--limit", type=int, metavar="N", help="attempts (default: all tasks)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["limit"] is not None and options["limit"] < 1:
            raise CommandError("--limit is at least 1.")
        with (
            clear_errors(),
            services_running(settings.EMBEDDED, settings.EMBEDDED_SERVICES, reuse=True),
        ):
            call_command("migrate", verbosity=0, interactive=False)
            self.reword(options)

    def reword(self, options: dict[str, Any]) -> None:
        batch = Batch.objects.filter(pk=options["batch"]).first()
        if batch is None:
            raise CommandError(f"There is no batch {options['batch']}.")
        try:
            model = synthesis.chat_model(options["model"])
            reader = synthesis.chat_model(options["reader"] or options["model"])
        except ModelUnavailable as error:
            raise CommandError(str(error)) from error
        attempts = synthesis.paraphrase_batch(
            batch=batch, paraphraser=model, reader=reader, limit=options["limit"]
        )
        outcomes: Counter[str] = Counter()
        finding = ""
        for row in tqdm(attempts, unit=" tasks", disable=None):
            outcomes[row.reason or "accepted"] += 1
            finding = row.content["finding"] or finding
        told = ", ".join(f"{count} {name}" for name, count in outcomes.most_common())
        self.stdout.write(f"{outcomes.total()} paraphrases: {told or 'none to make'}.")
        if outcomes.total() and outcomes.total() == outcomes["model_error"]:
            raise CommandError(f"No model gave anything. The last one: {finding}")

"""`manage.py judge_batch --batch N [--endpoint NAME]`: a judge model's notes on a batch's trajectories. They decide nothing."""

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from tqdm import tqdm

from writ_app.adapters.embedded.services import services_running
from writ_app.engine.errors import ModelUnavailable
from writ_app.engine.llm import ChatModel
from writ_app.management.site import clear_errors
from writ_app.models.synthesis import Batch
from writ_app.models.verification import NoteOutcome
from writ_app.services import synthesis
from writ_app.services.synthesis import judging
from writ_app.services.synthesis.endpoints import model_of


class Command(BaseCommand):
    help = "Have a judge model note how a batch's accepted trajectories read. Goes on where it stopped; decides nothing."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--batch", type=int, required=True, metavar="N")
        parser.add_argument(
            "--endpoint",
            metavar="NAME",
            help="who judges: an endpoint's name, or provider/model (default: the judge that the batch was ordered with)",
        )
        parser.add_argument(
            "--limit", type=int, metavar="N", help="trajectories (default: all)"
        )
        parser.add_argument(
            "--max-cost",
            type=float,
            metavar="DOLLARS",
            help="stop once this judge's notes on the batch have cost so much, earlier runs included",
        )
        parser.add_argument(
            "--max-tokens", type=int, metavar="N", help="the same in tokens"
        )
        parser.add_argument(
            "--seed", type=int, default=0, metavar="N", help="another one asks again"
        )
        parser.add_argument(
            "--all", action="store_true", help="rejected trajectories, too"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for name in ("limit", "max_cost", "max_tokens"):
            if options[name] is not None and options[name] <= 0:
                raise CommandError(f"--{name.replace('_', '-')} is above 0.")
        with (
            clear_errors(),
            services_running(settings.EMBEDDED, settings.EMBEDDED_SERVICES, reuse=True),
        ):
            call_command("migrate", verbosity=0, interactive=False)
            self.judge(options)

    def judge(self, options: dict[str, Any]) -> None:
        batch = Batch.objects.filter(pk=options["batch"]).first()
        if batch is None:
            raise CommandError(f"There is no batch {options['batch']}.")
        try:
            model = _judge(batch, options["endpoint"])
        except ModelUnavailable as error:
            raise CommandError(str(error)) from error
        caps = judging.Caps(cost=options["max_cost"], tokens=options["max_tokens"])
        notes = judging.judge_batch(
            batch=batch,
            judge=model,
            seed=options["seed"],
            limit=options["limit"],
            caps=caps,
            rejected_too=options["all"],
        )
        outcomes: Counter[str] = Counter()
        last = ""
        for note in tqdm(notes, unit=" notes", disable=None):
            outcomes[NoteOutcome(note.outcome).label] += 1
            last = note.raw if note.outcome == NoteOutcome.UNAVAILABLE else last
        spent = judging.spent_on(batch, model.name)
        told = ", ".join(f"{count} {name}" for name, count in outcomes.most_common())
        self.stdout.write(
            f"{outcomes.total()} notes: {told or 'none to make'}. "
            f"{spent.tokens:,} tokens, ${spent.cost:.4f} on this batch so far."
        )
        if reached := spent.reached(caps):
            self.stdout.write(f"Stopped: {reached}.")
        if outcomes.total() and outcomes.total() == outcomes["model unavailable"]:
            raise CommandError(f"The judge gave nothing. The last one: {last}")


def _judge(batch: Batch, name: str | None) -> ChatModel:
    """Whoever is named, else the judge of the order as it was then. Raises ModelUnavailable, and CommandError if there is none."""
    if name is not None:
        return synthesis.chat_model(name)
    if "judge" not in batch.played_by:
        raise CommandError(
            f"Batch {batch.pk} was ordered without a judge: say who judges with --endpoint NAME."
        )
    return model_of(batch.played_by["judge"])

"""`plant_canaries TEAM [--count N] [--seed N]`: plant corrupted copies among what a team has to review."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from writ_app.engine.canaries import KINDS
from writ_app.management.site import database_up
from writ_app.models.accounts import Team
from writ_app.services.review.quality.canaries import plant_canaries


class Command(BaseCommand):
    help = "Plant canaries: silently corrupted copies of accepted trajectories, which measure who finds planted errors."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("team", help="name of the team")
        parser.add_argument(
            "--count",
            type=int,
            help="so many; without it, what the team's share asks for",
        )
        parser.add_argument(
            "--seed", type=int, default=0, help="the same seed plants the same"
        )

    @database_up()
    def handle(self, *args: Any, **options: Any) -> None:
        team = Team.objects.filter(name=options["team"]).first()
        if team is None:
            raise CommandError(f"There is no team {options['team']!r}.")
        planted = plant_canaries(
            team=team, seed=options["seed"], count=options["count"]
        )
        for kind, count in sorted(planted.kinds.items()):
            self.stdout.write(f"{count:5d}  {KINDS[kind].title}")
        self.stdout.write(f"{planted.total} of {planted.wanted} planted.")
        if planted.total < planted.wanted:
            self.stdout.write("No more accepted trajectories have room for one.")

"""Commands in which `--version` names a version of an environment."""

from typing import Any

from django.core.management import BaseCommand
from django.core.management.base import CommandParser


class VersionCommand(BaseCommand):
    """Django has a --version of its own, which must give way: argparse refuses two of a name."""

    def create_parser(
        self, prog_name: str, subcommand: str, **kwargs: Any
    ) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, conflict_handler="resolve", **kwargs
        )

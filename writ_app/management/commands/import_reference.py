"""`manage.py import_reference FILE…`: other people's conversations as reference sets, never mixed with our own."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command

from writ_app.adapters.embedded.services import services_running
from writ_app.engine.importing import KINDS, BadFile
from writ_app.engine.importing.rows import NAMES
from writ_app.management.progress import Progress
from writ_app.management.site import clear_errors
from writ_app.models.accounts import Team
from writ_app.services.catalog.reference_rows import Written
from writ_app.services.catalog.references import Brought, import_reference


class Command(BaseCommand):
    help = (
        "Import files of conversations as reference sets: our own export formats, tau2-bench results, chat and "
        "ShareGPT data as JSONL, JSON list or Parquet. Each file comes in whole, or not at all."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
        parser.add_argument(
            "--format",
            choices=sorted({*KINDS, *NAMES}),
            default="",
            dest="kind",
            metavar="FORMAT",
            help=f"what the rows are (default: told by the first): {', '.join(sorted({*KINDS, *NAMES}))}",
        )
        parser.add_argument(
            "--name", default="", help="of the set (default: the file's)"
        )
        parser.add_argument(
            "--team", default="", help="whose it is to be (default: everybody's)"
        )
        parser.add_argument(
            "--json", action="store_true", dest="as_json", help="print JSON"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit codes: 0 all files are in, 1 at least one was refused."""
        if options["name"] and len(options["files"]) > 1:
            raise CommandError("--name is for one file.")
        with (
            clear_errors(),
            services_running(settings.EMBEDDED, settings.EMBEDDED_SERVICES, reuse=True),
        ):
            call_command("migrate", verbosity=0, interactive=False)
            team = self._team(options["team"])
            refused: list[str] = []
            told = [
                self._bring(path, team, options, refused) for path in options["files"]
            ]
        if options["as_json"]:
            self.stdout.write(json.dumps(told, indent=1, ensure_ascii=False))
        if refused:
            raise CommandError("\n".join(refused))

    def _team(self, name: str) -> Team | None:
        if not name:
            return None
        team = Team.objects.filter(name=name).first()
        if team is None:
            raise CommandError(f"There is no team {name!r}.")
        return team

    def _bring(
        self, path: Path, team: Team | None, options: Any, refused: list[str]
    ) -> dict[str, Any]:
        try:
            with Progress(self.stderr, 100, f"% of {path.name}") as progress:
                brought = import_reference(
                    path=path,
                    name=options["name"],
                    kind=options["kind"],
                    team=team,
                    tell=lambda done, whole, written: _tell(progress, done, whole),
                )
        except BadFile as error:
            refused.append(f"Nothing of {path.name} was imported. {error}")
            return {"file": str(path), "refused": str(error)}
        told = as_json(path, brought)
        if not options["as_json"]:
            self.stdout.write(in_words(brought))
        return told


def _tell(progress: Progress, done: int, whole: int) -> None:
    progress.at(100 * done // max(whole, 1))


def as_json(path: Path, brought: Brought) -> dict[str, Any]:
    written = brought.written or Written()
    return {
        "file": str(path),
        "set": brought.row.pk,
        "name": brought.row.name,
        "format": brought.row.format,
        "team": str(brought.row.team) if brought.row.team else None,
        "new": brought.written is not None,
        "rows": written.rows,
        "replaced": written.replaced,
        "content_hash": brought.row.content_hash,
    }


def in_words(brought: Brought) -> str:
    row, title = brought.row, KINDS[brought.row.format].title
    if brought.written is None:
        return f"{row} is here already."
    text = f"{row}: {brought.written.rows:,} conversations ({title})."
    if brought.written.replaced:
        text += f" In {brought.written.replaced:,} of them characters that no text can hold became U+FFFD."
    return text

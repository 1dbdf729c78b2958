"""`manage.py report --batch 3 --out report.html`: everything that can be measured of a set of trajectories, as a file."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.db.models import QuerySet

from writ_app.adapters.embedded.services import services_running
from writ_app.adapters.files import written_whole
from writ_app.engine.errors import WritError
from writ_app.management.accounts import first_owner
from writ_app.management.progress import Progress
from writ_app.management.site import clear_errors
from writ_app.models.catalog import ReferenceSet
from writ_app.models.curation import SavedView
from writ_app.models.release import Release
from writ_app.models.report import Report, ReportStatus
from writ_app.models.synthesis import Batch
from writ_app.services.reports.files import html_file, json_file
from writ_app.services.reports.making import make_report, order_report

KINDS = (".html", ".json")


class Command(BaseCommand):
    help = "Measure a batch, a release, a saved view or a reference set, and write the report as a file that stands alone."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        of = parser.add_mutually_exclusive_group(required=True)
        of.add_argument("--batch", type=int, metavar="N", help="key of a batch")
        of.add_argument(
            "--release",
            metavar="NAME",
            help="name of a release, as in `first` or `first:2`",
        )
        of.add_argument("--view", metavar="NAME", help="name of a saved view")
        of.add_argument(
            "--reference", type=int, metavar="N", help="key of a reference set"
        )
        parser.add_argument(
            "--against",
            type=int,
            metavar="N",
            help="key of a reference set to lay it beside",
        )
        parser.add_argument(
            "--team", default="", help="name of the team, if several fit"
        )
        parser.add_argument(
            "--out",
            type=Path,
            required=True,
            metavar="FILE",
            help="the file: .html or .json",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        out: Path = options["out"]
        if out.suffix not in KINDS:
            raise CommandError(f"--out {out}: end it with {' or '.join(KINDS)}.")
        with (
            clear_errors(),
            services_running(settings.EMBEDDED, settings.EMBEDDED_SERVICES, reuse=True),
        ):
            call_command("migrate", verbosity=0, interactive=False)
            report = self._make(options)
            text = html_file(report) if out.suffix == ".html" else json_file(report)
        try:
            with written_whole(out) as file:
                file.write(text)
        except OSError as error:
            raise CommandError(
                f"{out} cannot be written: {error.strerror or error}"
            ) from error
        told = {
            "report": report.pk,
            "trajectories": report.total,
            "file": str(out),
            "sha256_of_json": report.content_hash,
        }
        self.stdout.write(json.dumps(told))

    def _make(self, options: dict[str, Any]) -> Report:
        """Here and now, by this process; the report is kept as any other."""
        order = self._order(options)
        if options["against"] is not None:
            order["against"] = _only(
                ReferenceSet.objects.filter(pk=options["against"]),
                f"reference set {options['against']}",
            )
        try:
            report = order_report(**order)
        except WritError as error:
            raise CommandError(str(error)) from error
        with Progress(self.stderr, report.total, "trajectories") as progress:
            make_report(report_id=report.pk, on_step=progress.step)
        report.refresh_from_db()
        if report.status != ReportStatus.DONE:
            raise CommandError(report.trouble or "Somebody else makes this report.")
        return report

    def _order(self, options: dict[str, Any]) -> dict[str, Any]:
        team = options["team"]
        if options["reference"] is not None:
            key = options["reference"]
            row = _only(ReferenceSet.objects.filter(pk=key), f"reference set {key}")
            owner = first_owner(team)
            if owner is None:
                raise CommandError("There is no team to keep the report. Name one with --team.")  # fmt: skip
            return {"team": owner.team, "by": owner.user, "reference": row}
        found: Any
        if options["batch"] is not None:
            found = Batch.objects.filter(pk=options["batch"])
            what, name = "batch", f"batch {options['batch']}"
        elif options["release"] is not None:
            called, _, number = options["release"].partition(":")
            found = Release.objects.frozen().filter(name=called).order_by("-number")
            if number:
                found = found.filter(number=int(number) if number.isdigit() else -1)
            what, name = "release", f"frozen release {options['release']}"
        else:
            found = SavedView.objects.filter(name=options["view"])
            what, name = "view", f"saved view {options['view']!r}"
        if team:
            found = found.filter(team__name=team)
        row = _only(found, name, newest=what == "release")
        by = row.owner if what == "view" else row.created_by
        return {"team": row.team, "by": by, what: row}


def _only(found: QuerySet[Any], name: str, *, newest: bool = False) -> Any:
    """Raises CommandError where there is none, or several teams have one."""
    rows = list(found[:2])
    if not rows:
        raise CommandError(f"There is no {name}.")
    if len(rows) > 1 and not (newest and rows[0].team_id == rows[1].team_id):
        raise CommandError(f"There are several: which {name} is meant? --team says.")
    return rows[0]

"""`manage.py release_push NAME --repo owner/name`: a frozen release into a Hugging Face dataset repository."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command

from writ_app.adapters.embedded.services import services_running
from writ_app.adapters.huggingface import DatasetRepository
from writ_app.engine.errors import WritError
from writ_app.engine.export.formats import FORMATS
from writ_app.management.progress import Progress
from writ_app.management.release_arguments import add_team, release_named
from writ_app.management.site import clear_errors
from writ_app.models.release import Release
from writ_app.services.release.files import files_of
from writ_app.services.release.push import (
    TOKEN,
    Done,
    Pushed,
    has_token,
    plan_push,
    push_release,
    repository_at,
)


class Command(BaseCommand):
    help = (
        "Push a frozen release's files and card to a Hugging Face dataset repository, in one commit. NAME is name-vN, or a "
        f"name for its latest. The token is read from {TOKEN} and kept nowhere; HF_ENDPOINT names another server. What is "
        "there already is not sent again: a push that was broken off goes on when it is repeated."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--repo", required=True, metavar="OWNER/NAME")
        parser.add_argument(
            "--formats",
            default="",
            metavar="A,B",
            help=f"only these (default: all): {', '.join(FORMATS)}",
        )
        parser.add_argument(
            "--private",
            action="store_true",
            help="create the repository so; refuse one that is there and public",
        )
        parser.add_argument("--revision", default="main", metavar="BRANCH")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be sent"
        )
        parser.add_argument("--json", action="store_true", help="print JSON")
        add_team(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        slugs = [one for one in options["formats"].split(",") if one] or None
        if unknown := sorted(set(slugs or ()) - FORMATS.keys()):
            raise CommandError(
                f"There is no format {unknown[0]!r}. There are: {', '.join(FORMATS)}."
            )
        if not has_token() and not options["dry_run"]:
            raise CommandError(f"Set {TOKEN} to a token that may write.")
        repository = repository_at(options["repo"], options["revision"])
        with (
            clear_errors(),
            services_running(settings.EMBEDDED, settings.EMBEDDED_SERVICES, reuse=True),
        ):
            call_command("migrate", verbosity=0, interactive=False)
            release = release_named(options["name"], options["team"])
            try:
                if options["dry_run"]:
                    self._plan(release, repository, slugs, options["json"])
                else:
                    self._push(release, repository, slugs, options)
            except WritError as error:
                raise CommandError(str(error)) from error

    def _plan(
        self,
        release: Release,
        repository: DatasetRepository,
        slugs: list[str] | None,
        as_json: bool,
    ) -> None:
        """Without a token a repository that nobody may see looks as if it were not there."""
        planned = list(plan_push(release, slugs, repository.files()))
        if as_json:
            self._print({"dry_run": True, "files": [vars(one) for one in planned]})
            return
        for one in planned:
            self.stdout.write(line(one))
        left = sum(one.state != "same" for one in planned)
        self.stdout.write(f"{left} of {len(planned)} files would be sent.")

    def _push(
        self,
        release: Release,
        repository: DatasetRepository,
        slugs: list[str] | None,
        options: Any,
    ) -> None:
        found: list[Pushed] = []
        done = Done("", ())
        whole = len(files_of(release, slugs)) + 1 if release.frozen_at else 0
        with Progress(self.stderr, whole, "files") as progress:
            for one in push_release(
                release, repository, slugs, private=options["private"]
            ):
                if isinstance(one, Done):
                    done = one
                    continue
                found.append(one)
                progress.step()
                if not options["json"]:
                    self.stdout.write(line(one))
        if options["json"]:
            files = [vars(one) for one in found]
            self._print({"commit": done.address, "files": files, "others": done.others})
            return
        sent = sum(one.state != "same" for one in found)
        self.stdout.write(
            f"{sent} of {len(found)} files were sent: {done.address}"
            if sent
            else "Everything was there already."
        )
        if done.others:
            self.stdout.write(
                f"Not of this release, and left alone: {', '.join(done.others[:20])}"
            )

    def _print(self, value: Any) -> None:
        self.stdout.write(json.dumps(value, indent=1))


def line(one: Pushed) -> str:
    size = f"{one.bytes:,} bytes" if one.bytes is not None else "not made yet"
    return f"{one.state:8} {one.path}  {size}"

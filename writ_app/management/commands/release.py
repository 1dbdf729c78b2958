"""`manage.py release …`: draft, freeze, write, compare, rebuild and check releases."""

import json
from argparse import ArgumentParser
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from tqdm import tqdm

from writ_app.adapters.embedded.services import services_running
from writ_app.engine.errors import WritError
from writ_app.engine.export.formats import FORMATS
from writ_app.management.release_arguments import (
    add_recipe,
    add_team,
    curator_named,
    recipe_told,
    release_named,
    team_named,
)
from writ_app.management.site import clear_errors
from writ_app.models import clock
from writ_app.models.release import DraftStage, Release
from writ_app.services.release import (
    Recipe,
    change_draft,
    choose_members,
    draft_release,
    freeze_draft,
    order_choice,
    read_recipe,
)
from writ_app.services.release.diff import compare
from writ_app.services.release.first import is_first, verify_first
from writ_app.services.release.overview import describe, describe_lines
from writ_app.services.release.rebuild import (
    Made,
    export_release,
    rebuild_folder,
    verify_folder,
)


class Command(BaseCommand):
    help = "Draft, freeze, write, compare, rebuild and check releases. NAME is name-vN, or a name for its latest."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parts = parser.add_subparsers(dest="part", required=True, metavar="PART")

        def part(name: str, help: str, *, named: bool = True) -> ArgumentParser:
            own: ArgumentParser = parts.add_parser(name, help=help, description=help)
            if named:
                own.add_argument("name", metavar="NAME")
            own.add_argument("--json", action="store_true", help="print JSON")
            add_team(own)
            return own

        part("list", "all releases and drafts", named=False)
        draft = part(
            "draft", "begin a draft, or give one another recipe, and choose its members"
        )
        draft.add_argument(
            "--by", metavar="USER", help="a curator or owner of the team"
        )
        draft.add_argument("--licence", metavar="SPDX", help="such as CC-BY-4.0")
        draft.add_argument("--description", metavar="TEXT")
        draft.add_argument(
            "--new",
            action="store_true",
            help="the next number, even if the latest is still a draft",
        )
        add_recipe(draft)
        part("preview", "what a draft would be")
        freeze = part("freeze", "freeze a draft for good")
        freeze.add_argument(
            "--by", metavar="USER", help="a curator or owner of the team"
        )
        part("show", "figures of a release or draft")
        for name in ("files", "export"):
            files = part(name, "write the files of a release, and SHA256SUMS")
            files.add_argument(
                "--format",
                action="append",
                metavar="FORMAT",
                choices=[*FORMATS],
                help=f"only this one; may be given several times: {', '.join(FORMATS)}",
            )
            files.add_argument("--out", type=Path, required=True, metavar="DIR")
            files.add_argument(
                "--resume",
                action="store_true",
                help="leave files as they are that are there and have the right hash",
            )
        diff = part("diff", "what differs between two releases")
        diff.add_argument("other", metavar="OTHER")
        rebuild = part(
            "rebuild", "make every file again and compare its hash", named=False
        )
        rebuild.add_argument("name", metavar="NAME", nargs="?")
        rebuild.add_argument(
            "--from",
            dest="source",
            type=Path,
            metavar="DIR",
            help="from the canonical files in a folder; needs no database",
        )
        rebuild.add_argument(
            "--out",
            type=Path,
            metavar="DIR",
            help="keep the files (default: only compare)",
        )
        verify = part("verify", "check that nothing has changed", named=False)
        verify.add_argument("name", metavar="NAME", nargs="?")
        verify.add_argument(
            "--from",
            dest="source",
            type=Path,
            metavar="DIR",
            help="the files in a folder, against its SHA256SUMS",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        part = options["part"]
        if part in ("rebuild", "verify") and bool(options["name"]) == bool(
            options["source"]
        ):
            raise CommandError(f"Say what to {part}: NAME, or --from DIR.")
        running = (
            nullcontext()
            if options.get("source")
            else services_running(
                settings.EMBEDDED, settings.EMBEDDED_SERVICES, reuse=True
            )
        )
        with clear_errors(), running:
            if not options.get("source"):
                call_command("migrate", verbosity=0, interactive=False)
            try:
                getattr(self, f"do_{part}")(options)
            except WritError as error:
                raise CommandError(str(error)) from error

    # looking

    def do_list(self, options: dict[str, Any]) -> None:
        rows = Release.objects.select_related("team").order_by("team", "name", "number")
        if options["team"]:
            rows = rows.filter(team=team_named(options["team"]))
        told = [describe(row, brief=True) for row in rows]
        lines = (
            f"{one['release']:<30} {one['stage']:<14} {one['trajectories']:>8,}  {one['content_hash'][:16]}"
            for one in told
        )
        self.tell(options, told, lines if told else ["There is no release yet."])

    def do_show(self, options: dict[str, Any]) -> None:
        release = release_named(options["name"], options["team"])
        told = describe(release)
        self.tell(options, told, describe_lines(told))

    do_preview = do_show

    def do_diff(self, options: dict[str, Any]) -> None:
        found = compare(
            release_named(options["name"], options["team"]),
            release_named(options["other"], options["team"]),
        )
        told = found.as_json
        lines = [
            f"{found.before} → {found.after}: {len(found.added):,} added, {len(found.removed):,} removed, "
            f"{len(found.changed):,} in another version, {len(found.moved):,} in another split, {found.same:,} the same.",
            *(
                f"  split {name}: {before:,} → {after:,}"
                for name, before, after in found.splits
            ),
            *(
                f"  writes {one.writes}, burden {one.burden}: {one.before:,} → {one.after:,}"
                for one in found.cells
                if one.difference
            ),
            *(f"  {sentence}" for sentence in found.made_with),
        ]
        self.tell(options, told, lines)

    # making

    def do_draft(self, options: dict[str, Any]) -> None:
        team = team_named(options["team"])
        by = curator_named(options["by"], team)
        rows = Release.objects.filter(team=team, name=options["name"])
        latest = rows.order_by("-number").first()
        if latest and latest.frozen_at is None and not options["new"]:
            base = read_recipe(latest.recipe)
            draft = change_draft(
                release=latest,
                recipe=recipe_told(options, base, team),
                licence=_given(options["licence"], latest.licence),
                description=_given(options["description"], latest.description),
            )
        else:
            draft = draft_release(
                team=team,
                name=options["name"],
                by=by,
                recipe=recipe_told(options, Recipe(), team),
                licence=options["licence"] or "",
                description=options["description"] or "",
            )
        self.choose(draft)
        told = describe(draft)
        self.tell(options, told, describe_lines(told))

    def choose(self, draft: Release) -> None:
        revision = order_choice(draft)
        with tqdm(unit=" trajectories", disable=None) as bar:

            def step(done: int, whole: int) -> None:
                bar.total = whole
                bar.update(done - bar.n)

            choose_members(release_id=draft.pk, revision=revision, step=step)
        draft.refresh_from_db()
        if draft.stage != DraftStage.READY:
            raise CommandError(draft.trouble or f"{draft} was changed meanwhile.")

    def do_freeze(self, options: dict[str, Any]) -> None:
        release = release_named(options["name"], options["team"])
        by = curator_named(options["by"], release.team)
        frozen = freeze_draft(release=release, by=by, at=clock.now())
        told = describe(frozen)
        self.tell(options, told, describe_lines(told))

    def do_files(self, options: dict[str, Any]) -> None:
        release = self.frozen(options)
        out: Path = options["out"]
        out.mkdir(parents=True, exist_ok=True)
        made = export_release(release, out, options["format"], resume=options["resume"])
        self.report(options, made, f"{release} in {out}")

    do_export = do_files

    def do_rebuild(self, options: dict[str, Any]) -> None:
        if options["source"]:
            made = rebuild_folder(options["source"], options["out"])
            self.report(options, made, f"rebuilt from {options['source']}")
            return
        release = self.frozen(options)
        made = export_release(release, options["out"])
        self.report(options, made, f"{release} rebuilt")

    def do_verify(self, options: dict[str, Any]) -> None:
        if options["source"]:
            made = verify_folder(options["source"])
            self.report(options, made, f"checked in {options['source']}")
            return
        release = release_named(options["name"], options["team"])
        if is_first(release):
            wrong = verify_first(release)
            self.tell(options, {"wrong": wrong}, [f"{release}: {len(wrong)} wrong."])
            if wrong:
                raise CommandError("\n".join(wrong))
            return
        # every row against its hash, and the canonical files against the manifest
        made = export_release(self.frozen(options), None, slugs=())
        self.report(options, made, f"{release} checked")

    # telling

    def frozen(self, options: dict[str, Any]) -> Release:
        release = release_named(options["name"], options["team"])
        if release.frozen_at is None:
            raise CommandError(
                f"{release} is a draft. Freeze it first: manage.py release freeze {release.name}-v{release.number}"
            )
        if is_first(release):
            raise CommandError(
                f"{release} was frozen before releases had canonical files: its files can be downloaded from its page, "
                "and `release verify` checks them."
            )
        return release

    def report(self, options: dict[str, Any], made: Iterable[Made], what: str) -> None:
        """Say what came of each file. Raises CommandError, with a list, if one is not what it should be."""
        files: list[Made] = []
        with tqdm(unit=" files", disable=None) as bar:
            for one in made:
                files.append(one)
                bar.set_postfix_str(one.path, refresh=False)
                bar.update()
        wrong = [one for one in files if one.wrong]
        told = {"files": [one.as_json for one in files], "wrong": len(wrong)}
        lines = [f"{one.state:<8} {one.sha256:<64} {one.path}" for one in files]
        lines.append(f"{len(files)} files, {what}.")
        self.tell(options, told, lines)
        if wrong:
            listed = "\n".join(
                f"  {one.path}: {one.note or one.state}" for one in wrong
            )
            raise CommandError(
                f"{len(wrong)} of {len(files)} files are not what they should be:\n{listed}"
            )

    def tell(self, options: dict[str, Any], told: Any, lines: Iterable[str]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(told, indent=1, ensure_ascii=False))
        else:
            self.stdout.write("\n".join(lines))


def _given(told: str | None, before: str) -> str:
    return before if told is None else told

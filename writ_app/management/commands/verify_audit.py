"""manage.py verify_audit"""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from writ_app.management.site import database_up
from writ_app.models.accounts import Team
from writ_app.models.audit import SITE
from writ_app.services.audit.chain import (
    Head,
    Verified,
    chains,
    name_of,
    seal,
    verify_chain,
)
from writ_app.services.audit.checking import known_heads
from writ_app.services.review.audited import verdicts_not_as_kept


class Command(BaseCommand):
    help = (
        "Verify the audit log: every hash computed anew, every chain walked from its beginning. Ends with 1 if one does not hold, "
        "and says where it breaks first. Verdicts are held against their entries, too. Entries that wait for their place in a chain get it before."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--team", help="name of a team; without it every chain")
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.add_argument(
            "--against",
            type=Path,
            metavar="FILE",
            help="what an earlier run printed with --json and was kept where this database's administrators cannot write: "
            "a chain that is shorter or another by now is broken",
        )

    @database_up()
    def handle(self, *args: Any, **options: Any) -> None:
        kept = read_heads(options["against"]) if options["against"] else []
        wanted = chains_of(options["team"], kept)
        seal()
        found = [verify_chain(one, known_heads(one, kept)) for one in wanted]
        wrong = verdicts_not_as_kept()
        if options["json"]:
            self.stdout.write(as_json(found, wrong))
        else:
            for one in found:
                self.stdout.write(in_words(one))
            for words in wrong:
                self.stdout.write(f"BROKEN  {words}")
        if wrong or any(one.broken for one in found):
            # Said already, and JSON on stdout stays JSON.
            raise CommandError("The audit log does not hold.", returncode=1)


def chains_of(team: str | None, kept: list[Head]) -> list[int]:
    """Keys of the chains to verify. Raises CommandError for an unknown team."""
    if team is None:
        return sorted({*chains(), *(head.chain for head in kept), SITE})
    row = Team.objects.filter(name=team).first()
    if row is None:
        raise CommandError(f"There is no team {team!r}.")
    return [row.pk]


def read_heads(path: Path) -> list[Head]:
    """What `as_json` wrote. Raises CommandError."""
    try:
        listed = json.loads(path.read_text())["chains"]
        return [
            Head(int(one["chain"]), int(one["number"]), bytes.fromhex(one["hash"]))
            for one in listed
            if one["number"]
        ]
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise CommandError(f"{path} is not what verify_audit --json prints.") from error


def as_json(found: list[Verified], wrong: list[str]) -> str:
    chains_ = [
        {
            "chain": one.head.chain,
            "number": one.head.number,
            "hash": one.head.hash.hex(),
            "broken": None
            if one.broken is None
            else {
                "number": one.broken.number,
                "entry": one.broken.entry,
                "why": one.broken.why,
            },
        }
        for one in found
    ]
    holds = not wrong and not any(one.broken for one in found)
    return json.dumps({"holds": holds, "chains": chains_, "verdicts": wrong}, indent=1)


def in_words(one: Verified) -> str:
    if one.broken:
        return f"BROKEN  {one.broken}"
    return f"holds   {name_of(one.head.chain)}: {one.head.number:,} entries, up to {one.head.hash.hex()}"

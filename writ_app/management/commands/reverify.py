"""`manage.py reverify --batch N`: judge a batch, or everything, by the verification that the code has now, and say what changed."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from tqdm import tqdm

from writ_app.adapters.embedded.services import services_running
from writ_app.management.site import clear_errors
from writ_app.models.accounts import Team
from writ_app.models.review import ReviewItem
from writ_app.models.synthesis import Batch
from writ_app.models.verification import Reverification
from writ_app.services.release import released_but_rejected
from writ_app.services.review.reverifying import (
    Lot,
    outdated_versions,
    reverify_versions,
)
from writ_app.services.synthesis import verifying

EXAMPLES = 20


class Command(BaseCommand):
    help = "Judge trajectories and edited versions again by the verification that the code has now. Earlier judgements are kept; can be cut off and run again."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        scope = parser.add_mutually_exclusive_group(required=True)
        scope.add_argument("--batch", type=int, metavar="N", help="one batch")
        scope.add_argument(
            "--all", action="store_true", help="every batch of every team"
        )
        parser.add_argument(
            "--json", action="store_true", help="print what changed as JSON"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with (
            clear_errors(),
            services_running(settings.EMBEDDED, settings.EMBEDDED_SERVICES, reuse=True),
        ):
            call_command("migrate", verbosity=0, interactive=False)
            reports = [self.judge(*scope) for scope in scopes(options["batch"])]
        if options["json"]:
            self.stdout.write(json.dumps(reports, indent=1, ensure_ascii=False))
        else:
            for report in reports:
                self.stdout.write("\n".join(lines_of(report)))

    def judge(self, team: Team, batch: Batch | None) -> dict[str, Any]:
        order = verifying.order_reverification(team=team, batch=batch)
        versions = Lot()
        with tqdm(
            total=order.total + outdated_versions(team, batch).count(),
            initial=order.dealt_with,
            unit=" trajectories",
            disable=None,
        ) as bar:
            for lot in reverify_versions(order_id=order.pk):
                versions.add(lot)
                bar.update(len(lot.verified) + len(lot.skipped))
            for done in verifying.reverify(order_id=order.pk):
                bar.update(done)
        order.refresh_from_db()
        return report_of(order) | {"versions": report_of_versions(versions)}


def scopes(batch_id: int | None) -> Iterator[tuple[Team, Batch | None]]:
    """Raises CommandError if there is no such batch."""
    if batch_id is None:
        for team in Team.objects.order_by("pk"):
            yield team, None
        return
    batch = Batch.objects.select_related("team").filter(pk=batch_id).first()
    if batch is None:
        raise CommandError(f"There is no batch {batch_id}.")
    yield batch.team, batch


def report_of(order: Reverification) -> dict[str, Any]:
    """What came of it, against the version that judged before, as plain JSON."""
    team, batch = order.team, order.batch
    versions = verifying.versions_of(team, batch)
    before = next(
        (line.version for line in versions if line.version != order.version), ""
    )
    compared = verifying.compare_versions(
        before=before, after=order.version, team=team, batch=batch
    )
    trajectories = verifying.trajectories_of(team, batch)
    doubtful = ReviewItem.objects.approved_but_rejected().filter(
        trajectory__in=trajectories
    )
    return {
        "team": team.name,
        "batch": batch.pk if batch else None,
        "version": order.version,
        "verified": order.verified,
        "skipped": order.skipped,
        "compared_with": before or None,
        "same": compared.same,
        "changed": compared.changed,
        "newly_rejected": compared.newly_rejected,
        "newly_accepted": compared.newly_accepted,
        "changes": [asdict(change) for change in compared.changes],
        "approved_now_rejected": {
            "count": doubtful.count(),
            "examples": list(
                doubtful.order_by("id").values_list("id", flat=True)[:EXAMPLES]
            ),
        },
        "released_now_rejected": {
            str(release): count
            for release, count in released_but_rejected(trajectories)
        },
    }


def report_of_versions(lot: Lot) -> dict[str, Any]:
    """What came of those that have content of their own, as plain JSON."""
    skipped: dict[str, dict[str, int]] = {}
    for pk, why in lot.skipped:
        skipped.setdefault(why, {"count": 0, "example": pk})["count"] += 1
    turned = {
        "newly_rejected": lot.newly_rejected,
        "newly_accepted": lot.newly_accepted,
    }
    return {
        "verified": len(lot.verified),
        "skipped": skipped,
        **{
            name: {"count": len(keys), "examples": keys[:EXAMPLES]}
            for name, keys in turned.items()
        },
    }


def lines_of(report: dict[str, Any]) -> Iterator[str]:
    """The same for people."""
    where = f"Batch {report['batch']}" if report["batch"] else report["team"]
    if report["verified"]:
        yield f"{where}: {report['verified']} verified by version {report['version']}."
    else:
        yield f"{where}: nothing to do, version {report['version']} has judged all that it can."
    for why, line in report["skipped"].items():
        yield f"  {line['count']} skipped (like trajectory {line['example']}): {why}"
    yield from version_lines(report["versions"])
    if not report["compared_with"]:
        yield "  No other version has judged them, so there is nothing to compare."
        return
    yield (
        f"  Against version {report['compared_with']}: {report['same']} the same, {report['newly_rejected']} newly rejected, "
        f"{report['newly_accepted']} newly accepted, {report['changed']} changed in all."
    )
    for change in report["changes"]:
        was, now = (change[end]["reason"] or "accepted" for end in ("was", "now"))
        examples = ", ".join(map(str, change["examples"]))
        yield f"  {change['count']:6}  {was} → {now}   trajectories {examples}"
    if report["approved_now_rejected"]["count"]:
        count = report["approved_now_rejected"]["count"]
        yield f"  {count} approved by people are rejected now: no new release takes them."
    for name, count in report["released_now_rejected"].items():
        yield f"  {name} holds {count} that would be rejected now; it stays as it is."


def version_lines(report: dict[str, Any]) -> Iterator[str]:
    if report["verified"]:
        turned = (
            f"{report[name]['count']} {name.replace('_', ' ')}{examples_of(report[name])}"
            for name in ("newly_rejected", "newly_accepted")
        )
        yield f"  With content of their own: {report['verified']} verified, {', '.join(turned)}."
    for why, line in report["skipped"].items():
        yield f"  {line['count']} skipped (like version {line['example']}): {why}"


def examples_of(line: dict[str, Any]) -> str:
    return f" ({', '.join(map(str, line['examples']))})" if line["examples"] else ""

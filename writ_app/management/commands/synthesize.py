"""`manage.py synthesize`: order a batch as the form does, and with --wait see it through to its last outcome."""

import json
import math
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from writ_app.adapters.tau2 import BadCheckout
from writ_app.celery import app
from writ_app.engine.errors import WritError
from writ_app.jobs import synthesis as jobs
from writ_app.management.batch_watch import BatchBars, summary, summary_lines
from writ_app.management.ordering import (
    BadWords,
    dollars,
    endpoint_named,
    team_and_owner,
    working_site,
)
from writ_app.management.site import Site, clear_errors
from writ_app.models.catalog import Environment
from writ_app.models.synthesis import Batch, BatchStatus
from writ_app.services import catalog, synthesis

WORLD_SEED, PEOPLE = 1, 200
"""Of a generated world, if none of that name is stored."""
LOOK_SECONDS = 0.5
ORDER_WORDS = (
    *("environment", "tau2_root", "count", "seed", "name", "mix", "grid", "plans"),
    *("faults", *synthesis.ROLES, "max_cost", "max_tokens"),
)
"""Options that say what to make, who plays, and for how much."""
INCOMPLETE, BAD_ORDER, INTERRUPTED = 1, 2, 130


class Command(BaseCommand):
    help = (
        "Order a batch: tasks are designed, simulated and verified. With --wait, show the progress and end with a summary. Exit 0 "
        "if every outcome is there, 1 if not (stopped, cancelled, or fewer tasks than ordered), 2 for a bad order, 130 on Ctrl-C."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_argument_group("what to make")
        what.add_argument(
            "--environment", metavar="NAME[/VERSION]", help="such as retail"
        )
        what.add_argument(
            "--tau2-root",
            type=Path,
            metavar="DIR",
            help="import the environment from this tau2-bench checkout",
        )
        what.add_argument("--count", type=int, help="simulations")
        what.add_argument("--seed", type=int, help="default: 1")
        what.add_argument("--name", help="of the batch (default: made up)")
        what.add_argument(
            "--mix",
            type=Path,
            metavar="FILE",
            help='weights by archetype, as JSON: {"R1": 2}',
        )
        what.add_argument(
            "--grid",
            type=Path,
            metavar="FILE",
            help="what to fill, as JSON (docs/tasks.md)",
        )
        what.add_argument(
            "--plans", metavar="A,B", help="behaviour plans (default: all)"
        )
        what.add_argument(
            "--faults",
            type=float,
            help="share with a planted mistake, of scripted models",
        )
        who = parser.add_argument_group("who plays (default: scripted)")
        for role in synthesis.ROLES:
            who.add_argument(f"--{role}", metavar="ENDPOINT")
        who.add_argument("--max-cost", metavar="DOLLARS", help="stop at this spend")
        who.add_argument("--max-tokens", type=int, metavar="N", help="stop at so many")
        there_is = parser.add_argument_group("a batch that there is")
        batch = there_is.add_mutually_exclusive_group()
        batch.add_argument(
            "--clone", type=int, metavar="ID", help="order it again, with changes"
        )
        batch.add_argument("--watch", type=int, metavar="ID", help="wait for this one")
        batch.add_argument("--cancel", type=int, metavar="ID", help="cancel this one")
        how = parser.add_argument_group("how")
        how.add_argument("--team", metavar="NAME", help="if there are several")
        how.add_argument("--wait", action="store_true", help="until it has ended")
        how.add_argument("--json", action="store_true", help="the result as JSON")
        how.add_argument(
            "--workers", type=int, default=2, help="jobs done at the same time"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.batch: Batch | None = None
        waits = options["wait"] or options["watch"] is not None
        try:
            with clear_errors(), working_site(options["workers"], works=waits) as site:
                self.batch = self.found_or_ordered(options)
                if waits:
                    self.wait(site, self.batch)
                complete = self.report(self.batch, options["json"], waited=waits)
        except WritError as error:
            raise CommandError(str(error), returncode=BAD_ORDER) from error
        except KeyboardInterrupt:
            raise CommandError(self.goes_on(), returncode=INTERRUPTED) from None
        if waits and not complete:
            raise SystemExit(INCOMPLETE)

    # --- ordering ---------------------------------------------------------------------------------------------------------------

    def found_or_ordered(self, options: dict[str, Any]) -> Batch:
        pk = options["cancel"] if options["watch"] is None else options["watch"]
        if pk is None:
            return self.order(options)
        if words := [word for word in ORDER_WORDS if options[word] is not None]:
            told = ", ".join(f"--{word.replace('_', '-')}" for word in words)
            raise BadWords(
                f"Batch {pk} is ordered already: {told} cannot change it. Order it again with --clone {pk}."
            )
        batch = _batch(pk)
        if options["cancel"] is not None:
            synthesis.cancel_batch(batch=batch)
            batch.refresh_from_db()
        return batch

    def order(self, options: dict[str, Any]) -> Batch:
        by = team_and_owner(options["team"])
        order = self.cloned(options)
        root, name = options["tau2_root"], options["environment"]
        if name:
            order["environment"] = _environment(name, root)
        if "environment" not in order:
            raise BadWords("Say in which world: --environment NAME.")
        given = {
            "name": options["name"],
            "ordered": options["count"],
            "seed": options["seed"],
            "fault_share": options["faults"],
            "max_cost": dollars(options["max_cost"]) if options["max_cost"] else None,
            "max_tokens": options["max_tokens"],
            "mix": _weights(options["mix"]) if options["mix"] else None,
            "grid": _json(options["grid"]) if options["grid"] else None,
            "plans": options["plans"].split(",") if options["plans"] else None,
            **{
                keyword: endpoint_named(options[role], by["team"])
                if options[role]
                else None
                for role, keyword in synthesis.ROLES.items()
            },
        }
        order |= {name: value for name, value in given.items() if value is not None}
        if "ordered" not in order:
            raise BadWords("Say how many simulations: --count N.")
        order.setdefault("seed", 1)
        order.setdefault(
            "name", f"{order['environment'].name}, {order['ordered']} simulations"
        )
        # Known before anybody works on it: whoever interrupts the sending is told which one goes on.
        self.batch = synthesis.start_batch(**by, **order)
        jobs.design_batch.delay(batch_id=self.batch.pk)
        return self.batch

    def cloned(self, options: dict[str, Any]) -> dict[str, Any]:
        """The order to begin with: that of a batch, or nothing."""
        if options["clone"] is None:
            return {}
        return synthesis.order_of(_batch(options["clone"]))

    # --- waiting ----------------------------------------------------------------------------------------------------------------

    def wait(self, site: Site | None, batch: Batch) -> None:
        """Until it has ended or was stopped; what ends meanwhile of the site's own processes is started again."""
        if site is not None:
            jobs.send_unfinished()
        elif not app.control.ping(timeout=2):
            self.stderr.write("No worker answers. Start `manage.py up`, or one.")
        with BatchBars(self.stderr, batch) as bars:
            while True:
                batch.refresh_from_db()
                bars.show(batch, synthesis.batch_progress(batch))
                if _has_ended(batch):
                    return
                if site is not None:
                    site.check()
                time.sleep(LOOK_SECONDS)

    def report(self, batch: Batch, as_json: bool, *, waited: bool) -> bool:
        """Print what came of it so far; returns whether every ordered outcome is there."""
        found = summary(batch, synthesis.batch_progress(batch))
        if as_json:
            self.stdout.write(json.dumps(found, indent=1, ensure_ascii=False))
        else:
            for line in summary_lines(found) if waited else [_ordered(batch)]:
                self.stdout.write(line)
        done = batch.status == BatchStatus.DONE
        return done and found["simulated"] == batch.ordered

    def goes_on(self) -> str:
        if self.batch is None:
            return "Interrupted: nothing was ordered."
        pk = self.batch.pk
        return (
            f"Interrupted. Batch {pk} goes on as long as workers run (`manage.py up`): watch it with "
            f"`manage.py synthesize --watch {pk}`, end it with `manage.py synthesize --cancel {pk}`."
        )


def _ordered(batch: Batch) -> str:
    if _has_ended(batch):
        return f"Batch {batch.pk}, {batch.name!r}, is {batch.get_status_display()}."
    return (
        f"Batch {batch.pk}, {batch.name!r}, is {batch.get_status_display()}. "
        f"See it through with `manage.py synthesize --watch {batch.pk}`."
    )


def _has_ended(batch: Batch) -> bool:
    ended = batch.status in (BatchStatus.DONE, BatchStatus.CANCELLED)
    return ended or bool(batch.stopped_by)


# --- words ---------------------------------------------------------------------------------------------------------------------


def _batch(pk: int) -> Batch:
    found = Batch.objects.filter(pk=pk).select_related("environment").first()
    if found is None:
        raise BadWords(f"There is no batch {pk}.")
    return found


def _environment(text: str, root: Path | None) -> Environment:
    """The stored one of that name, newest first; one that is not stored is imported or generated."""
    name, _, version = text.partition("/")
    if root is not None:
        try:
            return catalog.import_tau2(root=root, name=name, version=version)
        except BadCheckout as error:
            raise BadWords(str(error)) from error
    stored = Environment.objects.filter(name=name).order_by("-id")
    found = (stored.filter(version=version) if version else stored).first()
    if found is None and not version:
        return catalog.register_generated(name=name, seed=WORLD_SEED, users=PEOPLE)
    if found is None:
        known = ", ".join(stored.values_list("version", flat=True)) or "none"
        raise BadWords(f"{name} has no version {version}; it has {known}.")
    return found


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadWords(f"{path} cannot be read as JSON: {error}") from error


def _weights(path: Path) -> dict[str, float]:
    found = _json(path)
    numbers = found.values() if isinstance(found, dict) else [None]
    for weight in numbers:
        if isinstance(weight, bool) or not isinstance(weight, int | float):
            raise BadWords(f'{path} holds weights by archetype, like {{"R1": 2}}.')
        if not (math.isfinite(weight) and weight >= 0):
            raise BadWords(f"{path}: a weight is 0 or more.")
    return dict(found)

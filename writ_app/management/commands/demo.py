"""`manage.py demo`: from nothing to a queue of verified trajectories, through real workers, in one command."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db.models import Count, Q
from tqdm import tqdm

from writ_app.adapters.tau2 import BadCheckout
from writ_app.jobs import synthesis as jobs
from writ_app.management.accounts import FirstAccounts, first_accounts
from writ_app.management.site import Site, add_site_arguments, clear_errors, site_up
from writ_app.models.catalog import Environment
from writ_app.models.synthesis import Batch, BatchStatus, Trajectory
from writ_app.services import catalog, synthesis

READ_HEAVY = 5
"""Burden from which the summary calls a trajectory read-heavy."""


class Command(BaseCommand):
    help = "Synthesize a small set with the scripted models, then serve the app. Started again, it goes on where it was."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_site_arguments(parser)
        parser.add_argument(
            "--no-serve",
            action="store_true",
            help="print the counts per stage and stop",
        )
        parser.add_argument(
            "--tau2-root",
            type=Path,
            help="use the retail data of this tau2-bench checkout",
        )
        parser.add_argument(
            "--count", type=int, default=48, help="simulations to order"
        )
        parser.add_argument(
            "--users", type=int, default=200, help="customers of the generated shop"
        )
        parser.add_argument(
            "--seed", type=int, default=1, help="seed of shop and batch"
        )
        parser.add_argument(
            "--faults",
            type=float,
            default=0.15,
            help="share of simulations with a planted mistake",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        listen = None if options["no_serve"] else (options["host"], options["port"])
        try:
            with (
                clear_errors(),
                site_up(workers=options["workers"], listen=listen) as site,
            ):
                self.demonstrate(site, options)
                if listen:
                    self.serve(site, *listen)
        except KeyboardInterrupt:
            self.stdout.write("Stopped. Nothing is lost: start it again to go on.")

    def demonstrate(self, site: Site, options: dict[str, Any]) -> None:
        accounts = first_accounts(settings.VAR_DIR / "first_accounts.json")
        try:
            environment = self.environment(options)
        except (BadCheckout, KeyError) as error:
            raise CommandError(str(error)) from error
        batch = self.batch(environment, accounts, options)
        jobs.send_unfinished()
        self.wait(site, batch)
        self.summarize(batch)
        self.passwords = accounts.passwords

    def environment(self, options: dict[str, Any]) -> Environment:
        if options["tau2_root"]:
            return catalog.import_tau2(root=options["tau2_root"], name="retail")
        return catalog.register_generated(
            name="retail", seed=options["seed"], users=options["users"]
        )

    def batch(
        self, environment: Environment, accounts: FirstAccounts, options: dict[str, Any]
    ) -> Batch:
        """The demonstration's batch in this environment: the one there is, or a new one."""
        name = f"Demo, {environment}"
        found = Batch.objects.filter(
            team=accounts.team, environment=environment, name=name
        ).first()
        return found or synthesis.start_batch(
            team=accounts.team,
            by=accounts.owner,
            name=name,
            environment=environment,
            seed=options["seed"],
            ordered=options["count"],
            fault_share=options["faults"],
        )

    def wait(self, site: Site, batch: Batch) -> None:
        """Show the workers' progress until the batch is done; what ends meanwhile is started again."""
        with tqdm(
            total=batch.ordered, desc="Simulating", unit="", leave=False, disable=None
        ) as bar:
            while True:
                batch.refresh_from_db()
                bar.n = synthesis.batch_progress(batch).finished
                bar.refresh()
                if batch.status in (BatchStatus.DONE, BatchStatus.CANCELLED):
                    return
                site.check()
                time.sleep(0.3)

    def summarize(self, batch: Batch) -> None:
        progress = synthesis.batch_progress(batch)
        accepted = Trajectory.objects.accepted().filter(simulation__batch=batch)
        heavy = Q(simulation__task__burden__gte=READ_HEAVY)
        counts = accepted.aggregate(all=Count("id"), heavy=Count("id", filter=heavy))
        draws = batch.design_report.get("draws", 0)
        self.stdout.write(f"{batch.environment}: {batch.environment.origin}")
        self.stdout.write(
            f"designed    {progress.designed} tasks with proof, of {draws} draws"
        )
        self.stdout.write(f"simulated   {progress.done} by the scripted models")
        self.stdout.write(
            f"verified    {counts['all']} accepted, {counts['heavy']} of them with burden {READ_HEAVY} or more"
        )
        for reason in progress.reasons:
            self.stdout.write(
                f"rejected    {reason.count} by {reason.reason} (answerable: {reason.owner or 'nobody'})"
            )
        self.stdout.write(f"to review   {counts['all']} trajectories")

    def serve(self, site: Site, host: str, port: int) -> None:
        self.stdout.write(f"\nWRIT is up at {site.serve(host, port)}")
        for name, password in self.passwords.items():
            self.stdout.write(f"  sign in as  {name}  with  {password}")
        self.stdout.write("Ctrl-C stops it; nothing is lost.")
        self.stdout.flush()
        try:
            site.watch()
        finally:
            self.stdout.write("Stopping …")

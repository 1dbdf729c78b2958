"""`manage.py evaluate`: order a run, see it through, compare two, bring results in and out."""

import json
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from writ_app.adapters.embedded.layout import ServiceError
from writ_app.adapters.tau2 import BadCheckout, find_domains
from writ_app.celery import app
from writ_app.engine.errors import WritError
from writ_app.engine.evaluation.players import Script
from writ_app.engine.evaluation.repeats import SEED
from writ_app.engine.types import BURDEN_BANDS, WRITE_BANDS
from writ_app.jobs import evaluation as jobs
from writ_app.management.evaluation_watch import (
    RunBar,
    comparison_lines,
    summary_lines,
)
from writ_app.management.ordering import (
    BadWords,
    dollars,
    endpoint_named,
    team_and_owner,
    working_site,
)
from writ_app.management.site import Site, clear_errors
from writ_app.models.accounts import Team
from writ_app.models.catalog import Environment
from writ_app.models.curation import SavedView
from writ_app.models.evaluation import EvaluationRun, RunStatus
from writ_app.models.release import Release
from writ_app.models.synthesis import Batch
from writ_app.services import catalog, evaluation
from writ_app.services.evaluation.sets import BASE, TaskSet

LOOK_SECONDS = 0.5
TRIALS = 4
INCOMPLETE, BAD_ORDER, INTERRUPTED = 1, 2, 130
ACTS = ("watch", "cancel", "retry", "show", "compare", "export", "import_file")


class Command(BaseCommand):
    help = (
        "Evaluate an agent on tasks of an imported benchmark or of our own, and tell pass^1 to pass^k. Exit 0 if every trial is there, "
        "1 if not (stopped, cancelled), 2 for a bad order, 130 on Ctrl-C."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_argument_group("on what")
        what.add_argument(
            "--environment",
            action="append",
            metavar="NAME[/VERSION]",
            help="an imported benchmark (may be repeated; default: all)",
        )
        what.add_argument(
            "--tau2-root",
            type=Path,
            metavar="DIR",
            help="import it from this tau2-bench checkout first",
        )
        what.add_argument(
            "--split", default=BASE, help="of the benchmark (default: base)"
        )
        what.add_argument("--tasks", metavar="ID,ID", help="only these")
        what.add_argument(
            "--batch", type=int, metavar="ID", help="instead: tasks of a batch"
        )
        what.add_argument(
            "--release", type=int, metavar="ID", help="instead: tasks of a release"
        )
        what.add_argument(
            "--release-split", default="", metavar="NAME", help="such as test"
        )
        what.add_argument(
            "--view", type=int, metavar="ID", help="instead: tasks of a saved view"
        )
        what.add_argument(
            "--cells",
            metavar="W/B,W/B",
            help="only these cells of the grid, such as 1/7-9,4+/15+",
        )
        what.add_argument(
            "--trials",
            type=int,
            default=TRIALS,
            help=f"of each task (default: {TRIALS})",
        )
        what.add_argument("--seed", type=int, default=SEED, help=f"default: {SEED}")
        what.add_argument(
            "--hard",
            default=",".join(map(str, evaluation.HARD)),
            metavar="N,N",
            help="least burdens of hard subsets, fixed now (default: %(default)s)",
        )
        what.add_argument("--name", help="of the run (default: made up)")
        who = parser.add_argument_group("who plays")
        who.add_argument(
            "--agent", metavar="ENDPOINT", help=f"or a script: {', '.join(Script)}"
        )
        who.add_argument(
            "--user", metavar="ENDPOINT", help="default: scripted, where that can be"
        )
        who.add_argument(
            "--judge", metavar="ENDPOINT", help="for assertions in words that count"
        )
        who.add_argument("--max-cost", metavar="DOLLARS", help="stop at this spend")
        who.add_argument("--max-tokens", type=int, metavar="N", help="stop at so many")
        there_is = parser.add_argument_group("instead of an order")
        act = there_is.add_mutually_exclusive_group()
        act.add_argument("--watch", type=int, metavar="RUN", help="wait for this one")
        act.add_argument("--cancel", type=int, metavar="RUN", help="end this one")
        act.add_argument(
            "--retry",
            type=int,
            metavar="RUN",
            help="try again what a provider's fault cost",
        )
        act.add_argument(
            "--show", type=int, metavar="RUN", help="what came of it so far"
        )
        act.add_argument(
            "--compare",
            type=int,
            nargs=2,
            metavar=("LEFT", "RIGHT"),
            help="two runs, task by task",
        )
        act.add_argument(
            "--export", type=int, metavar="RUN", help="as a results file of tau2-bench"
        )
        act.add_argument(
            "--import",
            dest="import_file",
            type=Path,
            metavar="FILE",
            help="a results file of tau2-bench as a run",
        )
        there_is.add_argument(
            "--output",
            type=Path,
            metavar="FILE",
            help="of --export (default: standard output)",
        )
        there_is.add_argument(
            "--domain", default="", help="of --export, if the run has several"
        )
        how = parser.add_argument_group("how")
        how.add_argument("--team", metavar="NAME", help="if there are several")
        how.add_argument("--detach", action="store_true", help="only order")
        how.add_argument("--json", action="store_true", help="the result as JSON")
        how.add_argument(
            "--workers", type=int, default=2, help="jobs done at the same time"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.run: EvaluationRun | None = None
        acts = [name for name in ACTS if options[name] is not None]
        works = acts in (["watch"], ["retry"]) or not acts
        works = works and not options["detach"]
        try:
            with clear_errors(), working_site(options["workers"], works=works) as site:
                if not self.act(options, site, waits=works):
                    raise SystemExit(INCOMPLETE)
        except (WritError, BadCheckout) as error:
            if isinstance(error, ServiceError):
                raise
            raise CommandError(str(error), returncode=BAD_ORDER) from error
        except KeyboardInterrupt:
            raise CommandError(self.goes_on(), returncode=INTERRUPTED) from None

    def act(self, options: dict[str, Any], site: Site | None, *, waits: bool) -> bool:
        """Whether it is complete."""
        if options["compare"] is not None:
            return self.compare(options)
        if options["export"] is not None:
            return self.export(options)
        run = self.run = self.found_or_ordered(options)
        if waits and run.is_live:
            self.wait(site, run)
        run.refresh_from_db()
        found = {**evaluation.summary_of(run), "tokens_spent": run.tokens}
        if options["json"]:
            self.print_json(found)
        elif options["detach"]:
            self.stdout.write(
                f"Run {run.pk}, {run.name!r}, is ordered. See it through with `manage.py evaluate --watch {run.pk}`."
            )
        else:
            for line in summary_lines(found):
                self.stdout.write(line)
            if run.stopped_by:
                self.stdout.write(f"stopped           {run.stopped_by}")
        return not waits or run.status == RunStatus.DONE

    # --- ordering ---------------------------------------------------------------------------------------------------------------

    def found_or_ordered(self, options: dict[str, Any]) -> EvaluationRun:
        if options["import_file"] is not None:
            by = team_and_owner(options["team"])
            environment = _one_environment(options["environment"])
            return evaluation.import_run(
                path=options["import_file"],
                name=options["name"] or "",
                environment=environment,
                hard=_numbers(options["hard"]),
                **by,
            )
        for name in ("watch", "show", "cancel", "retry"):
            if options[name] is not None:
                run = _run(options[name])
                if name == "cancel":
                    evaluation.cancel_run(run=run)
                if name == "retry":
                    evaluation.retry_failed(run=run)
                run.refresh_from_db()
                return run
        return self.order(options)

    def order(self, options: dict[str, Any]) -> EvaluationRun:
        by = team_and_owner(options["team"])
        team = by["team"]
        agent = options["agent"]
        if not agent:
            raise BadWords(
                f"Say who is evaluated: --agent ENDPOINT, or a script: {', '.join(Script)}."
            )
        script = agent if agent in list(Script) else ""
        played = {
            "agent": None if script else agent,
            "user_simulator": options["user"],
            "judge": options["judge"],
        }
        players: dict[str, Any] = {
            role: endpoint_named(name, team) if name else None
            for role, name in played.items()
        }
        tasks = self.task_set(options, by)
        run = evaluation.order_run(
            **by,
            name=options["name"] or f"{agent}, {len(tasks.tasks)} tasks",
            tasks=tasks,
            trials=options["trials"],
            seed=options["seed"],
            script=script,
            hard=_numbers(options["hard"]),
            max_cost=dollars(options["max_cost"]) if options["max_cost"] else None,
            max_tokens=options["max_tokens"],
            **players,
        )
        jobs.run_trials.delay()
        return run

    def task_set(self, options: dict[str, Any], by: Any) -> TaskSet:
        cells = _cells(options["cells"])
        team: Team = by["team"]
        if options["batch"] is not None:
            batch = _of(Batch.objects.filter(team=team), options["batch"], "batch")
            return evaluation.batch_set(batch, cells=cells)
        if options["release"] is not None:
            release = _of(
                Release.objects.filter(team=team), options["release"], "release"
            )
            return evaluation.release_set(
                release, split=options["release_split"], cells=cells
            )
        if options["view"] is not None:
            view = _of(SavedView.objects.filter(team=team), options["view"], "view")
            return evaluation.view_set(view, by=by["by"], team=team, cells=cells)
        if cells:
            raise BadWords("--cells goes with --batch, --release or --view.")
        ids = [one for one in (options["tasks"] or "").split(",") if one]
        rows = _benchmarks(options["environment"], options["tau2_root"])
        return evaluation.benchmark_set(rows, split=options["split"], ids=ids)

    # --- waiting and telling ----------------------------------------------------------------------------------------------------

    def wait(self, site: Site | None, run: EvaluationRun) -> None:
        """Until it has ended or was stopped; what ends meanwhile of the site's own processes is started again."""
        if site is not None:
            jobs.send_unfinished_runs()
        elif not app.control.ping(timeout=2):
            self.stderr.write("No worker answers. Start `manage.py up`, or one.")
        with RunBar(self.stderr, run) as bar:
            while True:
                run.refresh_from_db()
                bar.show(run, evaluation.run_progress(run))
                if not run.is_live:
                    return
                if site is not None:
                    site.check()
                time.sleep(LOOK_SECONDS)

    def compare(self, options: dict[str, Any]) -> bool:
        left, right = map(_run, options["compare"])
        found = evaluation.comparison_of(left, right)
        if options["json"]:
            self.print_json(found)
        else:
            for line in comparison_lines(found):
                self.stdout.write(line)
        return True

    def export(self, options: dict[str, Any]) -> bool:
        run = _run(options["export"])
        parts = evaluation.export_run(run, domain=options["domain"])
        if options["output"] is None:
            for part in parts:
                self.stdout.write(part, ending="")
            return True
        try:
            with options["output"].open("w", encoding="utf-8") as file:
                file.writelines(parts)
        except OSError as error:
            raise BadWords(f"{options['output']} cannot be written: {error}") from error
        self.stderr.write(f"Written: {options['output']}")
        return True

    def print_json(self, found: Any) -> None:
        self.stdout.write(json.dumps(found, indent=1, ensure_ascii=False))

    def goes_on(self) -> str:
        if self.run is None:
            return "Interrupted: nothing was ordered."
        pk = self.run.pk
        return (
            f"Interrupted. Run {pk} goes on as long as workers run (`manage.py up`): watch it with "
            f"`manage.py evaluate --watch {pk}`, end it with `manage.py evaluate --cancel {pk}`."
        )


# --- words ---------------------------------------------------------------------------------------------------------------------


def _run(pk: int) -> EvaluationRun:
    return _of(EvaluationRun.objects.all(), pk, "run")


def _of(rows: Any, pk: int, what: str) -> Any:
    found = rows.filter(pk=pk).first()
    if found is None:
        raise BadWords(f"There is no {what} {pk}.")
    return found


def _benchmarks(names: list[str] | None, root: Path | None) -> list[Environment]:
    """Those that are named, the newest version of each; all that tasks were imported with by default."""
    if root is not None:
        wanted = [name.partition("/") for name in names or find_domains(root)]
        return [
            catalog.import_tau2(root=root, name=name, version=version)
            for name, _, version in wanted
        ]
    held = evaluation.benchmark_environments()
    if not held:
        raise BadWords("No benchmark was imported: give its checkout with --tau2-root, or a set of our own (--batch).")  # fmt: skip
    if not names:
        newest: dict[str, Environment] = {}
        for row in held:
            newest.setdefault(row.name, row)
        return list(newest.values())
    return [_among(held, text) for text in names]


def _among(held: list[Environment], text: str) -> Environment:
    name, _, version = text.partition("/")
    fits = (row for row in held if row.name == name and version in ("", row.version))
    found = next(fits, None)
    if found is None:
        known = ", ".join(f"{row.name}/{row.version}" for row in held)
        raise BadWords(f"No tasks were imported with {text}; there is {known}.")
    return found


def _one_environment(names: list[str] | None) -> Environment | None:
    if not names:
        return None
    name, _, version = names[0].partition("/")
    known = Environment.objects.filter(name=name).order_by("-pk")
    found = (known.filter(version=version) if version else known).first()
    if found is None:
        raise BadWords(f"There is no environment {names[0]}.")
    return found


def _numbers(text: str) -> list[int]:
    parts = [one for one in text.split(",") if one]
    if not all(one.isascii() and one.isdigit() and 0 < int(one) < 1000 for one in parts):  # fmt: skip
        raise BadWords(f"--hard {text} is no list of burdens, such as 7,10.")
    return [int(one) for one in parts]


def _cells(text: str | None) -> set[tuple[str, str]]:
    cells = set()
    for one in (text or "").split(","):
        writes, _, burden = one.partition("/")
        if one and (writes not in WRITE_BANDS or burden not in BURDEN_BANDS):
            raise BadWords(
                f"{one!r} is no cell: bands of writes are {', '.join(WRITE_BANDS)}, of burden {', '.join(BURDEN_BANDS)}."
            )
        if one:
            cells.add((writes, burden))
    return cells

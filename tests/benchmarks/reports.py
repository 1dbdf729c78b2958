"""How fast a report is made, and how much memory that takes, with many trajectories stored.

    python -m tests.benchmarks.reports [--trajectories 10000] [--tau2-root DIR] [--keep DIR]

An embedded Postgres is filled as tests/benchmarks/lists.py does it. One report is made of all of it by this process, first of a fourth,
then of everything; with `--tau2-root`, against that checkout's tasks. Memory is what the process holds at most (ru_maxrss).
"""

import argparse
import os
import resource
import time
from pathlib import Path

from tests.benchmarks.figures import note, show
from tests.benchmarks.lists import directory, fill


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trajectories", type=int, default=10_000)
    parser.add_argument("--tau2-root", type=Path)
    parser.add_argument("--keep", type=Path, help="directory for the database")
    wanted = parser.parse_args()
    with directory(wanted.keep) as var:
        os.environ["WRIT_VAR_DIR"] = str(var)
        os.environ["WRIT_ENV"] = "test"
        os.environ["DJANGO_SETTINGS_MODULE"] = "writ_app.settings"
        import django

        django.setup()
        from django.conf import settings
        from django.core.management import call_command

        from writ_app.adapters.embedded.services import services_running

        with services_running(settings.EMBEDDED, ["postgres"]):
            call_command("migrate", verbosity=0)
            fill(wanted.trajectories)
            if wanted.tau2_root:
                from writ_app.services.catalog import import_tau2

                import_tau2(root=wanted.tau2_root, name="retail")
            measure(wanted.trajectories)


def measure(trajectories: int) -> None:
    from django.db.models import Avg, TextField
    from django.db.models.functions import Cast, Length

    from writ_app.models.report import Report
    from writ_app.models.review import ReviewItem
    from writ_app.models.synthesis import Batch, Trajectory
    from writ_app.services.reports.files import html_file, json_file
    from writ_app.services.reports.making import make_report, order_report

    size = Trajectory.objects.order_by("pk")[:1000].aggregate(
        size=Avg(Length(Cast("content", TextField())))
    )["size"]
    batch = Batch.objects.order_by("pk").first()
    assert batch is not None
    show(f"{ReviewItem.objects.count():,} items of {size:,.0f} characters")
    show(f"idle: {held():.0f} MB")
    plans = {"a fourth": {"plan": ["upfront"]}, "all": {}}
    for name, filters in plans.items():
        report = order_report(team=batch.team, by=batch.created_by, filters=filters)
        start = time.perf_counter()
        assert make_report(report_id=report.pk), report.trouble
        seconds = time.perf_counter() - start
        report = Report.objects.get(pk=report.pk)
        note(
            f"report of {report.total:,}", report.total / seconds, "trajectories per s"
        )
        purity = (report.content or {})["report"]["purity"]
        show(
            f"{name}: {report.total:,} trajectories in {seconds:.1f} s, {report.total / seconds:,.0f} per second, "
            f"at most {held():.0f} MB; held against {len(purity or ())} benchmarks; "
            f"JSON {len(json_file(report)) / 1000:.0f} kB, HTML {len(html_file(report)) / 1000:.0f} kB"
        )


def held() -> float:
    """Megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()

"""The evaluation room: runs are ordered, tried, judged, summed up and compared; results come in and go out as files."""

from writ_app.services.evaluation.control import (
    CannotChange,
    cancel_run,
    pause_run,
    resume_run,
    retry_failed,
)
from writ_app.services.evaluation.desk import TrialDesk, waiting_runs
from writ_app.services.evaluation.files import export_run, import_run
from writ_app.services.evaluation.judging import judge_run, waiting_to_be_judged
from writ_app.services.evaluation.ordering import HARD, order_run
from writ_app.services.evaluation.results import (
    NothingInCommon,
    comparison_of,
    run_progress,
    runs_of,
    side_by_side,
    summary_of,
)
from writ_app.services.evaluation.sets import (
    BadRun,
    batch_set,
    benchmark_environments,
    benchmark_set,
    release_set,
    splits_of,
    view_set,
)

__all__ = [
    "HARD",
    "BadRun",
    "CannotChange",
    "NothingInCommon",
    "TrialDesk",
    "batch_set",
    "benchmark_environments",
    "benchmark_set",
    "cancel_run",
    "comparison_of",
    "export_run",
    "import_run",
    "judge_run",
    "order_run",
    "pause_run",
    "release_set",
    "resume_run",
    "retry_failed",
    "run_progress",
    "runs_of",
    "side_by_side",
    "splits_of",
    "summary_of",
    "view_set",
    "waiting_runs",
    "waiting_to_be_judged",
]

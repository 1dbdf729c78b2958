"""An evaluation run on a terminal: a bar while it goes on, lines in a log, and what came of it at the end."""

import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm

from writ_app.engine.evaluation.taxonomy import TITLES, Kind
from writ_app.management.progress import LOG_SECONDS
from writ_app.models.evaluation import EvaluationRun
from writ_app.services.evaluation.results import RunProgress

type Json = dict[str, Any]


class RunBar:
    """with RunBar(self.stderr, run) as bar: bar.show(run, progress)"""

    def __init__(self, out: Any, run: EvaluationRun):
        self._out = out
        live = bool(getattr(out, "isatty", lambda: False)())
        total = run.trial_rows.count()
        self._bar = tqdm(total=total, desc="trials", unit="") if live else None
        self._logged = float("-inf")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, run: EvaluationRun, progress: RunProgress) -> None:
        told = f"{progress.solved:,} solved"
        if progress.to_judge:
            told += f", {progress.to_judge:,} to be judged"
        if run.spent:
            told += f", ${run.spent:,.4f}"
        if self._bar is not None:
            self._bar.n = progress.done
            self._bar.set_postfix_str(told)
        elif time.monotonic() - self._logged >= LOG_SECONDS:
            self._logged = time.monotonic()
            self._out.write(f"{progress.done:,} of {progress.total:,} trials, {told}")


def summary_lines(found: Json) -> Iterator[str]:
    yield f"run {found['run']}, {found['name']}: {found['agent']} with {found['user']} as the user"
    left_out = f", {found['left_out']:,} left out" if found["left_out"] else ""
    yield f"{found['tasks']:,} tasks, {found['counted']:,} trials{left_out}"
    for name, title in (("with", "with the judge"), ("without", "without the judge")):
        yield f"{title:18}{_reading(found['readings'][name])}"
    for subset in found["hard"]:
        inside = subset["inside"]["without"]
        yield f"{subset['name']:18}{_reading(inside)} (fixed before the run: {subset['hash'][:12]})"
    tokens = (found["tokens"] or {}).get("solved")
    if tokens:
        yield f"output tokens     {tokens['mean']:,.0f} in the mean of {tokens['trials']:,} solved trials"
    for one in found["failures"]:
        yield f"failed            {one['count']:,} × {TITLES[Kind(one['kind'])]} (answerable: {one['owner']})"
    spent = found["cost"] + found["judge_cost"]
    yield f"spent             ${spent:,.4f}, {found['tokens_spent']:,} tokens"


def _reading(one: Json) -> str:
    """pass^1 to pass^k of the tasks that are decided."""
    if not one["pass"]:
        return "nothing is decided yet"
    rates = "  ".join(
        f"pass^{k} {100 * rate:.1f} %" for k, rate in enumerate(one["pass"], start=1)
    )
    return f"{rates}  on {one['tasks']:,} tasks"


def comparison_lines(found: Json) -> Iterator[str]:
    left, right = found["left"], found["right"]
    yield f"left   run {left['run']}, {left['name']}: {left['agent']}"
    yield f"right  run {right['run']}, {right['name']}: {right['agent']}"
    beside = found["left_only"] + found["right_only"]
    yield f"{found['common']:,} tasks in common, {beside:,} in one alone, {found['changed']:,} asked otherwise"
    for name, title in (("with", "with the judge"), ("without", "without the judge")):
        reading = found["readings"][name]
        yield f"{title}, {reading['tasks']:,} tasks: right better on {reading['right_better']:,}, left on {reading['left_better']:,}"
        for line in reading["pass"]:
            d = line["difference"]
            interval = (
                f"[{100 * d['low']:+.1f}, {100 * d['high']:+.1f}], p {d['p']:.3f}"
                if d["resamples"]
                else "too few tasks for an interval"
            )
            yield f"  pass^{line['k']}  {100 * line['left']:.1f} %  {100 * line['right']:.1f} %  {100 * d['mean']:+.1f} {interval}"
    if tokens := found["tokens"]:
        d = tokens["difference"]
        yield f"output tokens on {tokens['tasks']:,} tasks solved by both: {tokens['left']:,.0f} and {tokens['right']:,.0f} ({d['mean']:+,.0f})"

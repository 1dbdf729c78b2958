"""What runs and comparisons look like: sections of figures as reports have them, and tables of tasks with their trials."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from environments.core.environment import Environment
from writ_app.engine.evaluation.axes import UNKNOWN
from writ_app.engine.evaluation.repeats import is_success
from writ_app.engine.evaluation.taxonomy import TITLES, Kind
from writ_app.engine.types import BURDEN_BANDS, WRITE_BANDS
from writ_app.models.evaluation import (
    EvaluationRun,
    EvaluationTask,
    EvaluationTrial,
    TrialStatus,
)
from writ_app.services import catalog
from writ_app.services.evaluation.results import messages_of
from writ_app.services.reports.figures import (
    WIDTH,
    Bar,
    Bars,
    Section,
    Tile,
    Tiles,
    Words,
    dollars,
    make_bars,
    number,
    percent,
)
from writ_app.services.review.steps import Ribbon, Step, make_ribbon, make_steps

type Json = Mapping[str, Any]

PAGE_SIZE = 100
OWNERS = {"agent": "bad", "user": "user", "environment": "warn", "provider": "edge", "budget": "edge"}  # fmt: skip
SHADES = 5


@dataclass(frozen=True)
class RateCell:
    rate: str
    note: str
    shade: int


@dataclass(frozen=True)
class RateGrid:
    """pass^1 over writes × burden; None where there is no task."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[RateCell | None, ...]], ...]
    caption: str = ""
    kind: str = "rates"


@dataclass(frozen=True)
class Span:
    """A difference with its interval, in units of the picture; `zero` is where nothing differs."""

    label: str
    shown: str
    low: float
    middle: float
    high: float
    note: str
    tone: str

    @property
    def width(self) -> float:
        return max(1.0, round(self.high - self.low, 1))


@dataclass(frozen=True)
class Spans:
    title: str
    rows: tuple[Span, ...]
    zero: float
    scale: str
    caption: str = ""
    kind: str = "spans"


# --- one run -------------------------------------------------------------------------------------------------------------------


def run_sections(found: Json) -> tuple[Section, ...]:
    """Of a summary (results.summary_of)."""
    if not found["counted"]:
        return ()
    figures = (
        _overview(found),
        _axes(found),
        _hard(found),
        _failures(found),
    )
    return tuple(one for one in figures if one is not None)


def _overview(found: Json) -> Section:
    with_, without = found["readings"]["with"], found["readings"]["without"]
    tiles = [
        Tile(percent(_first(without)), "pass^1 without the judge", _interval(without)),
        Tile(
            percent(_first(with_)),
            "pass^1 with the judge",
            _interval(with_)
            if not found["undecided"]
            else f"on {with_['tasks']} tasks; {found['undecided']} trials are open",
        ),
        Tile(
            number(found["counted"]),
            "trials counted",
            f"of {found['tasks']} tasks"
            + (f"; {found['left_out']} left out" if found["left_out"] else ""),
        ),
    ]
    if tokens := (found["tokens"] or {}).get("solved"):
        tiles.append(
            Tile(
                number(tokens["mean"], 0),
                "output tokens",
                f"mean of {tokens['trials']} solved trials, median {number(tokens['median'], 0)}",
            )
        )
    if grounded := found["grounded"]:
        share = grounded["accepted"] / grounded["solved"] if grounded["solved"] else None  # fmt: skip
        tiles.append(
            Tile(
                percent(share),
                "of the solved are grounded",
                "accepted by every check of the verification",
            )
        )
    reads, writes = found["actions"]["reads"], found["actions"]["writes"]
    if writes["total"]:
        tiles.append(
            Tile(
                percent(writes["matched"] / writes["total"]),
                "of gold writes made",
                f"{percent(reads['matched'] / reads['total'])} of listed reads"
                if reads["total"]
                else "",
            )
        )
    tiles.append(
        Tile(
            dollars(found["cost"] + found["judge_cost"]),
            "spent",
            f"{dollars(found['judge_cost'])} on the judge" if found["judge"] else "",
        )
    )
    bars = [
        Bar(
            label=f"pass^{k}",
            shown=percent(rate),
            width=round(WIDTH * rate, 1),
            ghost=round(WIDTH * with_["pass"][k - 1], 1)
            if len(with_["pass"]) >= k
            else None,
        )
        for k, rate in enumerate(without["pass"], start=1)
    ]
    caption = "Chance that k trials of a task are all solved, in the mean over tasks, without the judge's part; the outline: with it."
    return Section(
        "overview",
        "At a glance",
        "",
        (Tiles(tuple(tiles)), Bars("pass^k", tuple(bars), caption, wide=False)),
    )


def _first(reading: Json) -> float | None:
    return reading["pass"][0] if reading["pass"] else None


def _interval(reading: Json) -> str:
    if reading["low"] is None:
        return "nothing is decided yet"
    return f"{percent(reading['low'])} to {percent(reading['high'])} (95 %, over tasks)"


def _axes(found: Json) -> Section:
    held = {(one["writes"], one["burden"]): one for one in found["cells"]}
    columns = [b for b in (*BURDEN_BANDS, UNKNOWN) if any(b == x for _, x in held)]
    grid = RateGrid(
        "pass^1 by writes and evidence burden",
        tuple(columns),
        tuple(
            (writes, tuple(_rate_cell(held.get((writes, b))) for b in columns))
            for writes in WRITE_BANDS
            if any(writes == w for w, _ in held)
        ),
        "Without the judge's part; the darker, the more is solved. The burden of a benchmark's task is how many different reads its "
        "gold lists: what its author looked up, not proved to be needed. Of tasks of our own it is proved.",
    )
    bands = found["bands"]
    figures: list[Any] = [grid]
    for name, title in (("burden", "By evidence burden"), ("writes", "By writes")):
        figures.append(
            Bars(
                title,
                tuple(
                    Bar(
                        label="not known"
                        if one["band"] == UNKNOWN
                        else one["band"].replace("-", "–"),
                        shown=percent(one["without"]),
                        width=round(WIDTH * (one["without"] or 0), 1),
                        note=f"{one['tasks']} tasks, {one['trials']} trials",
                    )
                    for one in bands[name]
                ),
            )
        )
    return Section(
        "axes",
        "The two axes",
        "Where it gets hard: more writes, or more to read before one write.",
        tuple(figures),
    )


def _rate_cell(cell: Json | None) -> RateCell | None:
    if cell is None:
        return None
    rate = cell["without"]
    shade = 0 if not rate else min(SHADES, -(-int(rate * 1000) * SHADES // 1000) or 1)
    tasks = cell["tasks"]
    return RateCell(percent(rate), f"{tasks} task{'' if tasks == 1 else 's'}", shade)


def _hard(found: Json) -> Section | None:
    subsets = [one for one in found["hard"] if one["tasks"]]
    if not subsets:
        return None
    bars = []
    for one in subsets:
        for part, label in (("inside", one["name"]), ("rest", "the other tasks")):
            reading = one[part]["without"]
            bars.append(
                Bar(
                    label=label,
                    shown=percent(_first(reading)),
                    width=round(WIDTH * (_first(reading) or 0), 1),
                    note=f"{reading['tasks']} tasks; {_interval(reading)}",
                    tone="warn" if part == "inside" else "edge",
                )
            )
    hashes = tuple(
        f"{one['name']}: {one['tasks']} tasks, SHA-256 {one['hash']}" for one in subsets
    )
    return Section(
        "hard",
        "Hard subsets",
        "Fixed from the burden when the run was ordered, not from what came of it.",
        (Bars("pass^1", tuple(bars)), Words(hashes)),
    )


def _failures(found: Json) -> Section | None:
    if not found["failures"]:
        return None
    failed = sum(one["count"] for one in found["failures"])
    bars = make_bars(
        "Why trials failed",
        [
            (
                TITLES[Kind(one["kind"])],
                one["count"],
                f"{one['owner']}, in {one['tasks']} tasks",
                OWNERS.get(one["owner"], ""),
            )
            for one in found["failures"]
        ],
    )
    endings = make_bars(
        "How they ended",
        [(name.replace("_", " "), count) for name, count in found["endings"].items()],
    )
    return Section(
        "failures",
        "Failures",
        "One kind for each failed trial, the first that applies, with who is to answer for it.",
        (bars, endings),
        badge=f"{failed:,} failed",
    )


# --- tasks with their trials ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TrialMark:
    """One trial of a line. `state`: solved, failed, open (the judge has not spoken), left, live, cancelled."""

    pk: int
    trial: int
    state: str
    words: str


@dataclass(frozen=True)
class TaskLine:
    row: EvaluationTask
    marks: tuple[TrialMark, ...]

    @property
    def solved(self) -> int:
        return sum(one.state in ("solved", "open") for one in self.marks)

    @property
    def failures(self) -> str:
        return "; ".join(dict.fromkeys(m.words for m in self.marks if m.state == "failed"))  # fmt: skip


@dataclass(frozen=True)
class TaskLines:
    lines: tuple[TaskLine, ...]
    total: int
    first: bool
    after: int | None
    """Position to go on after; None at the end."""


def task_lines(run: EvaluationRun, *, after: int | None = None) -> TaskLines:
    found = run.tasks.order_by("position").defer("content", "ledger")
    begun = found.filter(position__gt=after) if after is not None else found
    rows = list(begun.select_related(None)[: PAGE_SIZE + 1])
    more = len(rows) > PAGE_SIZE
    rows = rows[:PAGE_SIZE]
    return TaskLines(
        lines_of(rows),
        found.count(),
        after is None,
        rows[-1].position if more else None,
    )


def lines_of(rows: Sequence[EvaluationTask]) -> tuple[TaskLine, ...]:
    """Each task with its trials: one query."""
    marks: dict[int, list[TrialMark]] = {row.pk: [] for row in rows}
    trials = EvaluationTrial.objects.filter(task__in=rows).narrow()
    for trial in trials.order_by("task", "trial"):
        marks[trial.task_id].append(_mark(trial))
    return tuple(TaskLine(row, tuple(marks[row.pk])) for row in rows)


def _mark(trial: EvaluationTrial) -> TrialMark:
    if trial.status == TrialStatus.CANCELLED:
        return TrialMark(trial.pk, trial.trial, "cancelled", "cancelled")
    if trial.status != TrialStatus.DONE:
        return TrialMark(trial.pk, trial.trial, "live", trial.get_status_display())
    if trial.failure == Kind.PROVIDER:
        return TrialMark(trial.pk, trial.trial, "left", TITLES[Kind.PROVIDER])
    if trial.reward is None:
        words = "all but the judge's part is solved"
        return TrialMark(trial.pk, trial.trial, "open", words)
    if is_success(trial.reward):
        return TrialMark(trial.pk, trial.trial, "solved", "solved")
    words = TITLES[Kind(trial.failure)] if trial.failure else "not solved"
    return TrialMark(trial.pk, trial.trial, "failed", words)


# --- one trial -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TrialView:
    row: EvaluationTrial
    steps: tuple[Step, ...]
    ribbon: Ribbon
    gold: tuple[tuple[str, Any, bool | None], ...]
    """(tool, arguments, whether it was made; None: it was not evaluated) of each gold action."""

    @property
    def failure(self) -> str:
        return TITLES[Kind(self.row.failure)] if self.row.failure else ""

    @property
    def scenario(self) -> Any:
        return (self.row.task.content.get("user_scenario") or {}).get("instructions")


def view_trial(row: EvaluationTrial) -> TrialView:
    environment = catalog.load_environment(row.task.environment)
    steps = steps_of(row, environment)
    return TrialView(row, steps, make_ribbon(steps), tuple(_gold(row)))


def steps_of(row: EvaluationTrial, environment: Environment) -> tuple[Step, ...]:
    return make_steps(messages_of(row), environment)


def _gold(row: EvaluationTrial) -> Iterable[tuple[str, Any, bool | None]]:
    criteria = row.task.content.get("evaluation_criteria") or {}
    checks: Sequence[Json] = (row.reward_info or {}).get("action_checks") or ()
    for place, action in enumerate(criteria.get("actions") or ()):
        met = checks[place]["action_match"] if place < len(checks) else None
        yield action["name"], action["arguments"], met


# --- two runs ------------------------------------------------------------------------------------------------------------------


def comparison_sections(found: Json) -> tuple[Section, ...]:
    """Of a comparison (results.comparison_of)."""
    without = found["readings"]["without"]
    first = without["pass"][0] if without["pass"] else None
    tiles = [
        Tile(number(found["common"]), "tasks in common", _beside(found)),
    ]
    if first is not None:
        gain = first["difference"]
        tiles.append(
            Tile(
                points(gain["mean"]),
                "pass^1, right − left",
                _sure(gain),
                _tone(gain),
            )
        )
    tiles.append(
        Tile(
            f"{without['right_better']} : {without['left_better']}",
            "tasks on which right, left is better",
            f"{without['even']} even",
        )
    )
    if tokens := found["tokens"]:
        gain = tokens["difference"]
        tiles.append(
            Tile(
                f"{gain['mean']:+,.0f}",
                "output tokens, right − left",
                f"{number(tokens['left'], 0)} and {number(tokens['right'], 0)} on {tokens['tasks']} tasks that both solved",
            )
        )
    figures: list[Any] = [Tiles(tuple(tiles))]
    for name, title in (
        ("without", "Without the judge"),
        ("with", "With the judge"),
    ):
        reading = found["readings"][name]
        again = name == "with" and reading == without
        if reading["pass"] and not again:
            figures += [_pairs(title, reading), _spans(title, reading)]
    return (Section("overview", "In pairs", "", tuple(figures)),)


def _beside(found: Json) -> str:
    alone = found["left_only"] + found["right_only"]
    parts = [f"{alone} in one run alone"] if alone else []
    parts += [f"{found['changed']} asked otherwise"] if found["changed"] else []
    return ", ".join(parts)


def points(value: float) -> str:
    """A difference of shares in percentage points."""
    return f"{100 * value:+.1f}"


def _sure(gain: Json) -> str:
    if not gain["resamples"]:
        return "too few tasks to say how sure"
    return f"points; {points(gain['low'])} to {points(gain['high'])} (95 %), p {chance(gain['p'])}"


def chance(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def _tone(gain: Json) -> str:
    if not gain["resamples"] or gain["low"] <= 0 <= gain["high"]:
        return ""
    return "ok" if gain["mean"] > 0 else "bad"


def _pairs(title: str, reading: Json) -> Bars:
    return Bars(
        f"{title}: pass^k on {reading['tasks']} tasks",
        tuple(
            Bar(
                label=f"pass^{one['k']}",
                shown=percent(one["right"]),
                width=round(WIDTH * one["right"], 1),
                ghost=round(WIDTH * one["left"], 1),
                note=f"left {percent(one['left'])}",
            )
            for one in reading["pass"]
        ),
        "Filled: the right run; outline: the left one.",
    )


def _spans(title: str, reading: Json) -> Spans:
    gains = [one["difference"] for one in reading["pass"]]
    reach = max(
        0.05, *(max(abs(gain["low"]), abs(gain["high"]), abs(gain["mean"])) for gain in gains)
    )  # fmt: skip

    def place(value: float) -> float:
        return float(round(WIDTH / 2 + (WIDTH / 2 - 4) * value / reach, 1))

    rows = tuple(
        Span(
            f"pass^{one['k']}",
            points(gain["mean"]),
            place(gain["low"]),
            place(gain["mean"]),
            place(gain["high"]),
            _sure(gain),
            _tone(gain),
        )
        for one, gain in zip(reading["pass"], gains, strict=True)
    )
    return Spans(
        f"{title}: difference in points",
        rows,
        WIDTH / 2,
        f"−{100 * reach:.0f} to +{100 * reach:.0f}",
        "Right − left with its 95 % interval, tasks drawn with putting back; the mark in the middle of the picture is no difference.",
    )

"""All figures in one table: `make bench`, or `python -m tests.benchmarks [--only review release] [--tau2-root DIR] [--beside COMMAND] [--into docs]`.

Runs the benchmarks of this folder one after the other, each in a process of its own and as large as fits into a quarter of an hour on
two cores; each runs alone, too, and larger. With `--only` the others keep what was measured before. Writes `benchmarks.json` (everything) and `benchmarks.md` (the table), with the date and
what the machine is. Ends with 1 if a benchmark failed; a figure that misses its aim is marked, and fails nothing.
"""

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks.figures import NOTES, show

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ("environments", "design", "verification")
"""These take `--tau2-root`, too."""


@dataclass
class Part:
    """One benchmark, as it runs here; its figures and how it went."""

    name: str
    title: str
    words: str
    figures: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    load: float = 0.0
    measured: str = ""
    """Date and commit."""
    trouble: str = ""


PARTS = (
    Part("startup", "Start-up and memory", "--rounds 2"),
    Part("environments", "Environments", "--seconds 0.2"),
    Part("design", "Task design and proof", "--tasks 60"),
    Part("verification", "Verification", "--trajectories 100"),
    Part("simulation", "Simulation over HTTP", "--concurrency 64 256 --seconds 15"),
    Part("review", "Review", "--items 10000 --verdicts 1000 --presses 20"),
    Part("release", "Export and import of files", "--parts export,import"),
    Part("release_database", "Releases", "--items 4000"),
    Part("reports", "Reports", "--trajectories 4000"),
    Part("growth", "Growth", "--rounds 12"),
)


def main() -> int:
    wanted = arguments()
    facts, file = machine(), wanted.into / "benchmarks.json"
    wanted.into.mkdir(parents=True, exist_ok=True)
    before = earlier(file, facts)
    parts = [one if one.name in wanted.only else before.get(one.name) for one in PARTS]
    others = [measured_by(wanted.beside)] if wanted.beside else []
    for part in parts:
        if part and part.name in wanted.only:
            run(part, wanted.tau2_root)
    if wanted.beside:
        others.append(measured_by(wanted.beside))
        set_beside([part for part in parts if part], *others)
    there = [part for part in parts if part]
    whole = {"machine": facts, "parts": [vars(part) for part in there]}
    file.write_text(f"{json.dumps(whole, indent=1)}\n")
    (wanted.into / "benchmarks.md").write_text(page(facts, there))
    took = sum(part.seconds for part in there if part.name in wanted.only)
    show(f"\nWritten to {wanted.into}/benchmarks.md in {took:.0f} s.")
    return int(any(part.trouble for part in there))


def earlier(file: Path, facts: dict[str, Any]) -> dict[str, Part]:
    """What was measured before, on this machine: it stays where it is not measured again."""
    held = json.loads(file.read_text()) if file.exists() else {}
    if held.get("machine") != facts:
        return {}
    return {one["name"]: Part(**one) for one in held["parts"]}


def arguments() -> argparse.Namespace:
    names = [part.name for part in PARTS]
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument(
        "--tau2-root",
        default=os.environ.get("WRIT_TAU2_ROOT"),
        help="folder that holds the reference's checkout/: its databases are measured, too",
    )
    parser.add_argument(
        "--beside",
        metavar="COMMAND",
        help='another tool\'s script, run before and after: prints a line of JSON, {"what": …, "value": …}, for each of our figures that it has too',
    )
    parser.add_argument("--into", type=Path, default=ROOT / "docs")
    return parser.parse_args()


def run(part: Part, tau2_root: str | None) -> None:
    command = [sys.executable, "-m", f"tests.benchmarks.{part.name}"]
    command += part.words.split()
    if tau2_root and part.name in REFERENCE:
        command += ["--tau2-root", tau2_root]
    show(f"\n=== {part.title}: {part.name} {part.words}")
    commit = said("git", "rev-parse", "--short=12", "HEAD")
    part.measured = f"{datetime.now(UTC).date().isoformat()}, commit {commit}"
    part.load, began = os.getloadavg()[0], time.perf_counter()
    with tempfile.NamedTemporaryFile("r", suffix=".jsonl") as notes:
        env = {**os.environ, NOTES: notes.name}
        ended = subprocess.run(command, cwd=ROOT, env=env, check=False)
        part.figures = [json.loads(line) for line in notes]
    part.seconds = round(time.perf_counter() - began, 1)
    if ended.returncode:
        part.trouble = f"It ended with {ended.returncode}."
    elif not part.figures:
        part.trouble = "It noted no figure."


def measured_by(command: str) -> dict[str, float]:
    """What another tool's script found: name of a figure → its value."""
    show(f"\n=== Beside: {command}")
    told = subprocess.run(
        shlex.split(command), cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    found = map(json.loads, filter(None, told.stdout.splitlines()))
    return {one["what"]: float(one["value"]) for one in found}


def set_beside(
    parts: Iterable[Part], before: dict[str, float], after: dict[str, float]
) -> None:
    """A pair: what the other found before us and after us, on this machine and today, instead of what it once found elsewhere."""
    for figure in (figure for part in parts for figure in part.figures):
        if figure["what"] in before.keys() & after.keys():
            pair = amount(before[figure["what"]]), amount(after[figure["what"]])
            figure["beside"] = f"here {pair[0]} before, {pair[1]} after"


def machine() -> dict[str, Any]:
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "postgres": "18, embedded, with its defaults",
    }


def processor() -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if "model name" in line)
    return next(names, platform.processor() or "unknown")


def said(*command: str) -> str:
    answer = subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, text=True
    )
    return answer.stdout.strip() or "unknown"


# --- the page -------------------------------------------------------------------------------------------------------------------


def page(facts: dict[str, Any], parts: list[Part]) -> str:
    return "\n".join(
        [
            "# Benchmarks",
            "",
            "Made by `make bench`, which runs everything below on one machine, one thing after the other. Wall time unless a line says CPU.",
            "An aim that was missed is marked with ✗. Beside: what other tools needed for the same on such a machine, measured once each.",
            "",
            f"{facts['processor']}, {facts['cores']} cores, {facts['memory_gb']} GB; {facts['system']}; Python {facts['python']}; "
            f"Postgres {facts['postgres']}. All of it took {sum(part.seconds for part in parts):.0f} seconds.",
            "",
            *(line for part in parts for line in chapter(part)),
        ]
    )


def chapter(part: Part) -> Iterable[str]:
    yield f"## {part.title}"
    yield ""
    yield (
        f"`python -m tests.benchmarks.{part.name} {part.words}`: {part.measured}; {part.seconds:.0f} seconds; "
        f"load of the machine at the beginning {part.load:.1f}."
    )
    yield ""
    if part.trouble:
        yield f"**{part.trouble}**"
        yield ""
    grown = [figure for figure in part.figures if "size" in figure]
    yield from by_size(grown) if grown else plain(part.figures)
    yield ""


def plain(figures: list[dict[str, Any]]) -> Iterable[str]:
    beside = any(figure["beside"] for figure in figures)
    yield "| what | measured | aim |" + " beside |" * beside
    yield "| --- | ---: | ---: |" + " --- |" * beside
    for figure in figures:
        line = f"| {figure['what']} | {amount(figure['value'])} {figure['unit']} | {aim(figure)} |"
        yield line + f" {figure['beside']} |" * beside


def by_size(figures: list[dict[str, Any]]) -> Iterable[str]:
    """A column for each size, and by how much the last is more than the one before."""
    sizes = sorted({figure["size"] for figure in figures})
    unit = figures[0]["unit"]
    yield f"| {unit} | {' | '.join(f'{size:,}' for size in sizes)} | last to the one before | aim |"
    yield "| --- |" + " ---: |" * (len(sizes) + 2)
    for what in dict.fromkeys(figure["what"] for figure in figures):
        row = {one["size"]: one for one in figures if one["what"] == what}
        cells = [amount(row[size]["value"]) if size in row else "" for size in sizes]
        times = mark = ""
        if len(row) > 1:
            before, last = (row[size] for size in sorted(row)[-2:])
            times = f"{last['value'] / before['value']:.2f}"
            limit = last["at_most"] / before["value"]
            mark = f"≤ {limit:.2f}" + " ✗" * (last["value"] > last["at_most"])
        yield f"| {what} | {' | '.join(cells)} | {times} | {mark} |"


def aim(figure: dict[str, Any]) -> str:
    if "at_most" in figure:
        missed = figure["value"] > figure["at_most"]
        return f"≤ {amount(figure['at_most'])}" + " ✗" * missed
    if "at_least" in figure:
        missed = figure["value"] < figure["at_least"]
        return f"≥ {amount(figure['at_least'])}" + " ✗" * missed
    return ""


def amount(value: float) -> str:
    """Three digits that say something."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 1:
        return f"{value:.3g}"
    return f"{value:.2g}"


if __name__ == "__main__":
    raise SystemExit(main())

"""Every command that README and the pages tell people to type is run: here, on a small site, or by the test that its row names.

A command that is new on a page has no row yet, and fails. Rows run in their order, in this process (`call_command` takes the same parser
as a terminal does; starting Python 40 times would prove nothing more), on committed rows of the test database, in a folder of their own.
"""

import ast
import builtins
import io
import json
import os
import re
import shlex
import subprocess
import traceback
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import BaseCommand, call_command, get_commands

from tests.adapters.test_tau2_results import minimal, written
from tests.benchmarks.__main__ import PARTS
from tests.docs.commands import told_commands
from tests.docs.pages import ROOT, pages
from tests.factories import judge, make_owner
from tests.fakes import chat_server, rewording, text_reply
from tests.hub_server import TOKEN, hub_running
from tests.services.runs import run as run_runner
from tests.stored_batches import play_batch
from writ_app.engine import types
from writ_app.engine.benchmark_tasks import benchmark_task
from writ_app.engine.judge import QUESTIONS
from writ_app.management.reference import (
    command_names,
    commands_page,
    options_of,
    parser_of,
)
from writ_app.models.catalog import ReferenceSet, ReferenceTask
from writ_app.models.curation import SavedView
from writ_app.models.evaluation import EvaluationRun
from writ_app.models.release import Release
from writ_app.models.review import Verdict
from writ_app.models.synthesis import Batch, ModelEndpoint, Trajectory
from writ_app.services import evaluation
from writ_app.services.catalog import load_environment


@dataclass(frozen=True)
class Run:
    """Run here. `swap`: what stands on the page → what is run in its place ({name}: of the site). `but`: a part that is run elsewhere,
    and the test that does it; `also`: words more, to keep it small."""

    swap: Mapping[str, str] = field(default_factory=dict)
    also: str = ""
    but: Mapping[str, str] = field(default_factory=dict)
    keep: str = ""
    """File that gets what it prints."""


@dataclass(frozen=True)
class Elsewhere:
    """Run by these tests."""

    tests: tuple[str, ...]


@dataclass(frozen=True)
class Make:
    """What make would do is compared, without doing it; these tests do it, or people and machines by hand for this reason."""

    does: str
    tests: tuple[str, ...] = ()
    by_hand: str = ""


@dataclass(frozen=True)
class Measures:
    """A benchmark: with these words it takes minutes, so that it is looked at whether it has them; test_benchmarks.py runs it with smaller ones."""


MANAGEMENT = "tests/management/test_"
DEMO = (
    "tests/flows/test_demo.py::TestDemo::test_serves_the_app_and_prints_a_sign_in_that_works",
)
COUNTED = (
    "tests/flows/test_demo.py::TestDemo::test_killed_in_the_middle_and_started_again_loses_nothing",
)
UP = (
    "tests/test_up.py::TestUp::test_serves_until_told_to_stop_and_leaves_nothing_behind",
)
CHECKED = Elsewhere(
    (
        f"{MANAGEMENT}check_environment.py::TestCheckEnvironment::test_prints_one_line_per_check_and_a_sum",
    )
)
COPIED = Elsewhere(
    (
        "tests/services/operations/test_backup.py::TestRoundTrip::test_commands_do_it_in_processes_of_their_own",
    )
)
PLAYED = Elsewhere(
    (
        f"{MANAGEMENT}serve_environment.py::TestOverStdio::test_offers_our_tools_with_our_very_schemas",
        f"{MANAGEMENT}serve_environment.py::TestOverHttp::test_gives_every_client_a_session_of_its_own",
    )
)
WAITED = "tests/flows/test_synthesize.py::test_sees_a_batch_through_and_takes_up_one_that_was_interrupted"
TRIED = f"{MANAGEMENT}evaluate.py::TestOrder::test_is_seen_through_by_the_workers"
REFERENCE = f"{MANAGEMENT}import_tau2.py::TestImportTau2::test_brings_in_what_the_checkout_holds_and_says_so"
SUITE = "it is the suite itself, and every other target of its kind: run before each change goes in"
LONG = "it takes a quarter of an hour; tests/test_benchmarks_page.py holds its table"
NETWORK = "it installs from the package index"

ROWS: dict[str, Run | Elsewhere | Make | Measures] = {
    # --- make
    "make demo": Make("manage.py demo", DEMO),
    'make demo ARGS="--no-serve"': Make("manage.py demo --no-serve", COUNTED),
    'make demo ARGS="--port 8400"': Make("manage.py demo --port 8400", DEMO),
    'make demo ARGS="--tau2-root DIR"': Make(
        "manage.py demo --tau2-root DIR", (REFERENCE,)
    ),
    "make up": Make("manage.py up", UP),
    "make install": Make("requirements/dev.txt", by_hand=NETWORK),
    "make trainers": Make("requirements/trainers.txt", by_hand=NETWORK),
    "make training": Make("requirements/training.txt", by_hand=NETWORK),
    "make audit": Make("pip-audit", by_hand=NETWORK),
    "make sbom": Make("cyclonedx-py", by_hand=NETWORK),
    "make test": Make("-m pytest", by_hand=SUITE),
    'make test ARGS="--tau2-root DIR"': Make("--tau2-root DIR", by_hand=SUITE),
    'make test ARGS="tests/engine/test_worlds.py tests/environments -k rental"': Make(
        "tests/engine/test_worlds.py tests/environments -k rental",
        by_hand=SUITE,
    ),
    "make test ARGS=\"tests/engine -k 'brevity or verification'\"": Make(
        "tests/engine -k 'brevity or verification'", by_hand=SUITE
    ),
    'make test ARGS="tests/engine/export -k transcript"': Make(
        "tests/engine/export -k transcript", by_hand=SUITE
    ),
    "make bench": Make("-m tests.benchmarks", by_hand=LONG),
    "make check": Make("makemigrations --check --dry-run", by_hand=SUITE),
    "make contracts": Make("lint-imports", by_hand=SUITE),
    # --- task files: neither needs a server
    "manage.py design --environment rental --count 200 --workers 4 --out tasks.jsonl": Run(
        {"200": "3", "--workers 4": "--workers 1"}, also="--size 40"
    ),
    "manage.py prove tasks.jsonl --workers 4": Run({"4": "1"}),
    "manage.py design --environment rental --count 200 --out tasks.jsonl": Run(
        {"200": "2"}, also="--size 40 --workers 1"
    ),
    "manage.py prove tasks.jsonl": Run(also="--workers 1"),
    "manage.py export_tasks FILE --out tasks.json": Run({"FILE": "tasks.jsonl"}),
    "manage.py prove FILE [--tau2-root DIR] [--workers N] [--all]": Run(
        {"FILE": "tasks.jsonl", "--workers N": "--workers 1"},
        but={
            "[--tau2-root DIR]": f"{MANAGEMENT}prove.py::TestProve::test_exits_with_2_if_it_needs_a_checkout"
        },
    ),
    # --- worlds
    "manage.py check_environment rental": CHECKED,
    "manage.py check_environment NAME": CHECKED,
    "manage.py add_environment rental --size 200 --seed 1": Run({"200": "20"}),
    "manage.py add_environment NAME [--size PEOPLE] [--seed SEED] [--mode strict|corrected]": Run(
        {
            "NAME": "rental",
            "PEOPLE": "20",
            "SEED": "2",
            "--mode strict|corrected": "--mode strict",
        }
    ),
    "manage.py serve_environment retail --seed 7": PLAYED,
    "manage.py serve_environment retail --version NAME --transport http --port 8800": PLAYED,
    # --- the reference: its data is in nobody's repository but its own, so that these skip where it is not
    "manage.py import_tau2 DIR": Elsewhere((REFERENCE,)),
    "manage.py conformance --tau2-root CHECKOUT --vectors VECTORS [--environment retail] [--show N] [--json]": Elsewhere(
        (
            f"{MANAGEMENT}conformance.py::TestConformance::test_prints_json_on_request",
            f"{MANAGEMENT}conformance.py::TestConformance::test_exits_with_1_and_shows_what_differs",
        )
    ),
    "manage.py import_results FILE|DIR": Run({"FILE|DIR": "{results}"}),
    "manage.py import_reference FILE…": Run({"FILE…": "rows.jsonl"}),
    "manage.py import_reference FILE… [--format F] [--name N] [--team T] [--json]": Run(
        {
            "FILE…": "rows.jsonl",
            "--format F": "--format openai_chat",
            "--name N": "--name again",
            "--team T": "--team '{team}'",
        }
    ),
    # --- orders: workers see them through elsewhere
    "manage.py synthesize --environment retail --count 500 --agent NAME --user NAME --max-cost 20 --wait": Run(
        {"500": "3", "NAME": "mine"}, but={"--wait": WAITED}
    ),
    "manage.py synthesize --environment retail --count 10 --agent mine --user mine --max-cost 2 --max-tokens 2000000 --wait": Run(
        but={"--wait": WAITED}
    ),
    'manage.py synthesize --environment retail --count 24 --faults 0 --name "From a terminal" --wait': Run(
        but={"--wait": WAITED}
    ),
    "manage.py paraphrase --batch N --model NAME [--reader NAME] [--limit N]": Run(
        {"--batch N": "--batch {batch}", "NAME": "words", "--limit N": "--limit 1"}
    ),
    "manage.py judge_batch --batch N --endpoint NAME [--limit N] [--max-cost DOLLARS] [--max-tokens N]": Run(
        {
            "--batch N": "--batch {batch}",
            "NAME": "judge",
            "--limit N": "--limit 1",
            "DOLLARS": "1",
            "--max-tokens N": "--max-tokens 1000",
        }
    ),
    "manage.py export_results --batch N --out results.json [--accepted] [--with-rewards]": Run(
        {"--batch N": "--batch {batch}"}
    ),
    "manage.py reverify --batch N": Run({"N": "{batch}"}),
    "manage.py reverify --all": Run(),
    "manage.py plant_canaries TEAM [--count N] [--seed N]": Run(
        {"TEAM": "'{team}'", "--count N": "--count 1", "--seed N": "--seed 2"}
    ),
    # --- releases
    "manage.py release draft first --shares train=0.8,test=0.2": Run(),
    "manage.py release freeze first": Run(),
    "manage.py release files first --out data --format trl": Run(),
    "manage.py release verify --from data": Run(),
    "sha256sum --check SHA256SUMS": Run(),
    "manage.py release draft NAME [--view VIEW | --filter environment=retail ...] [--cap 50] [--cell-cap 1/4-6=80] "
    "[--shares train=0.8,validation=0.1,test=0.1] [--tokenizer cl100k_base --max-tokens 16000] [--gate retail/VERSION] "
    "[--gate set:HASH] [--licence CC-BY-4.0] [--description TEXT] [--seed 1] [--recipe FILE]": Run(
        {
            "NAME": "second",
            "--view VIEW |": "--view 'retail, approved'",
            "...": "",
            "retail/VERSION": "{benchmark}",
            "TEXT": "Tried",
            "FILE": "recipe.json",
        },
        but={
            "[--gate set:HASH]": "tests/services/release/test_gates.py::TestAReferenceSet::test_keeps_out_what_its_users_said"
        },
    ),
    "manage.py release freeze NAME": Run({"NAME": "second"}),
    "manage.py release files NAME --out DIR [--format trl ...] [--resume]": Run(
        {"NAME": "second", "DIR": "second", "...": ""}
    ),
    "manage.py release files NAME --out DIR --format trl": Run(
        {"NAME": "second", "DIR": "third"}
    ),
    "manage.py release rebuild NAME": Run({"NAME": "second"}),
    "manage.py release rebuild --from DIR": Run({"DIR": "second"}),
    "manage.py release verify NAME": Run({"NAME": "second"}),
    "manage.py release verify --from DIR": Run({"DIR": "second"}),
    "manage.py release diff ONE OTHER": Run({"ONE": "first", "OTHER": "second"}),
    "HF_TOKEN=… manage.py release_push NAME[-vN] --repo owner/name [--formats a,b] [--private] [--revision BRANCH] "
    "[--dry-run] [--json]": Run(
        {
            "HF_TOKEN=… ": "",
            "NAME[-vN]": "first-v1",
            "a,b": "trl,turns",
            "BRANCH": "main",
        },
        but={
            "[--private]": f"{MANAGEMENT}release_push.py::TestReleasePush::test_tells_in_json"
        },
    ),
    # --- reports
    "manage.py report --batch 3 --out report.html": Run({"3": "{batch}"}),
    "manage.py report --release first:2 --against 1 --out report.json": Run(
        {"first:2": "first:1", "--against 1": "--against {reference}"}
    ),
    'manage.py report --view "retail, approved" --out report.html': Run(),
    "manage.py report --reference 1 --out report.json": Run({"1": "{reference}"}),
    "manage.py report --release first --out report.html": Run(),
    # --- evaluation: the order is real, its trials are tried elsewhere
    "manage.py evaluate --agent mine --user other --judge third": Run(
        also="--detach", but={}
    ),
    "manage.py evaluate --agent mine --user other --environment airline --tasks 3,7 --trials 1 --max-cost 2": Run(
        {"airline": "{benchmark}", "3,7": "0,1"}, also="--detach"
    ),
    "manage.py evaluate --release 5 --release-split test --cells 1/7-9,4+/15+ --agent mine": Run(
        {"--release 5": "--release {release}", "1/7-9,4+/15+": "{cells}"},
        also="--detach",
    ),
    "manage.py evaluate --batch 1 --agent mine --trials 4 --max-cost 5": Run(
        {"--batch 1": "--batch {batch}"}, also="--detach"
    ),
    "manage.py evaluate --compare 1 2": Run({"1 2": "{runs}"}),
    "manage.py evaluate --export RUN --output results.json": Run({"RUN": "{run}"}),
    "manage.py evaluate --import FILE": Run({"FILE": "results.json"}),
    # --- running it
    "manage.py up": Elsewhere(UP),
    "manage.py migrate": Run(also="--verbosity 0"),
    "manage.py clearsessions": Run(),
    "manage.py reset_password_link NAME --site https://HOST": Run(
        {"NAME": "ada", "HOST": "writ.example"}
    ),
    "manage.py verify_audit": Run(),
    "manage.py verify_audit --team Name --json": Run(
        {"Name": "'{team}'"}, keep="heads.json"
    ),
    "manage.py verify_audit --against heads.json": Run(),
    "DATABASE_URL=OWNER_URL manage.py migrate": Run(
        {"DATABASE_URL=OWNER_URL ": ""}, also="--verbosity 0"
    ),
    "DATABASE_URL=OWNER_URL manage.py audit_role writ_web | psql OWNER_URL": Run(
        {"DATABASE_URL=OWNER_URL ": ""},
        but={
            "| psql OWNER_URL": f"{MANAGEMENT}verify_audit.py::TestRole::test_can_do_what_the_app_does"
        },
    ),
    "psql OWNER_URL -c \"CREATE ROLE writ_web LOGIN PASSWORD '…'\"": Elsewhere(
        (f"{MANAGEMENT}verify_audit.py::TestRole::test_can_do_what_the_app_does",)
    ),
    "manage.py backup /backups/writ-2026-11-22.writ": COPIED,
    "manage.py backup - | age -r RECIPIENT > /backups/writ-2026-11-22.writ.age": COPIED,
    "DATABASE_URL=postgresql://…/empty manage.py restore /backups/writ-2026-11-22.writ": COPIED,
    "docker compose up --scale runner=4": Elsewhere(
        ("tests/test_compose.py::TestComposeFile::test_is_valid_by_the_specification",)
    ),
    "git describe": Make("", by_hand="git's own, in a clone"),
    # --- benchmarks
    **{
        command: Measures()
        for command in (
            "-m tests.benchmarks.audit",
            "-m tests.benchmarks.release",
            "-m tests.benchmarks.release --parts import",
            "-m tests.benchmarks.release_database",
            "-m tests.benchmarks.acceptance",
            "-m tests.benchmarks.reports",
            "-m tests.benchmarks.lists --trajectories 100000",
            "-m tests.benchmarks.canaries",
            "-m tests.benchmarks.review --items 10000 100000",
            "-m tests.benchmarks.simulation",
            "tests/benchmarks/verification.py",
            "tests/benchmarks/users.py --trajectories 100000 --keep DIR",
            *(f"-m tests.benchmarks.{part.name} {part.words}" for part in PARTS),
        )
    },
}
SHELL = "manage.py shell -c"
"""docs/environments.md has some lines of Python for it."""
PYTHON = {
    "docs/api.md": "tests/client/test_examples.py::test_the_examples_do_what_they_say",
    "docs/queries.md": "tests/environments/test_queries_page.py::TestExamples::test_print_and_answer_as_the_page_says",
    "docs/tasks.md": "tests/engine/test_tasks_page.py::TestExample::test_can_be_checked_by_hand_as_the_page_says",
    "docs/environments.md": "tests/docs/test_commands.py::test_excerpts_of_a_world_name_what_there_is",
    "docs/tutorial.md": "tests/docs/test_commands.py::test_what_is_to_be_run_runs",
    "docs/how-to-check.md": "tests/docs/test_how_tos.py::TestACheck::test_does_what_the_pages_own_test_says",
    "docs/how-to-format.md": "tests/docs/test_how_tos.py::TestAFormat::test_gives_back_what_it_does_not_lose",
    "docs/how-to-model.md": "tests/docs/test_how_tos.py::test_a_model_is_added_and_tried_as_the_page_says",
}
"""Page with blocks of Python → the test that runs them."""
SCRIPTS = {
    "docs/api.md": "tests/api/test_examples.py::test_its_commands_run_one_after_the_other",
    # Its commands take a GPU and days: each is held to its own parser, and each step to the one before.
    "docs/recipe.md": "tests/trainers/test_recipe.py::TestThePage::test_gives_commands_that_there_are_with_options_that_they_have",
}
"""Page with blocks of sh → the test that runs them."""
FOREIGN = {
    "docs/releases.md": {"--loss_scale"},
    "docs/review.md": {"--writers"},
    "docs/operations.md": {"--queues", "--scale"},
}
"""Options of other programs, by page."""


# --- is there a row for everything? --------------------------------------------------------------------------------------------


def shell_commands() -> list[str]:
    return [command for command in told_commands() if command.startswith(SHELL)]


def test_every_command_has_a_row_and_every_row_a_command() -> None:
    told = {one for one in told_commands() if not one.startswith(SHELL)}

    assert len(told) > 80
    assert sorted(told - set(ROWS)) == []
    assert sorted(set(ROWS) - told) == []


def named_tests() -> set[str]:
    rows = [row for row in ROWS.values() if isinstance(row, Elsewhere | Make)]
    runs = [row for row in ROWS.values() if isinstance(row, Run)]
    return {
        *(test for row in rows for test in row.tests),
        *(test for row in runs for test in row.but.values()),
        *PYTHON.values(),
        *SCRIPTS.values(),
    }


@cache
def names_in(path: str) -> frozenset[str]:
    """`Class::test` and `test` of a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    found = set()
    for node in tree.body:
        inner = node.body if isinstance(node, ast.ClassDef) else []
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        for one in [node, *inner]:
            if isinstance(one, ast.FunctionDef) and one.name.startswith("test_"):
                found.add(f"{prefix}{one.name}")
    return frozenset(found)


def test_every_test_that_is_named_exists() -> None:
    missing = []
    for name in sorted(named_tests()):
        path, _, test = name.partition("::")
        if test not in names_in(path):
            missing.append(name)

    assert missing == []


def test_every_block_of_code_is_run_by_a_test() -> None:
    kinds = {
        (page.path, block.kind)
        for page in pages()
        for block in page.blocks
        if block.kind not in ("", "indented", "text", "json", "svg")
    }

    assert kinds == {
        *((page, "python") for page in PYTHON),
        *((page, "sh") for page in SCRIPTS),
    }


def test_options_that_are_named_alone_are_those_of_a_command() -> None:
    """Of any command of ours: a sentence often speaks of one that was named before."""
    known = {
        option for name in command_names() for option in options_of(parser_of(name))
    }
    wrong = [
        f"{page.path}: {option}"
        for page in pages()
        for code in page.inline
        if code.startswith("--")
        for option in re.findall(r"(?<![\w-])--[a-z][\w-]*", code)
        if option not in known | FOREIGN.get(page.path, set())
    ]

    assert wrong == []


def test_commands_that_are_named_exist() -> None:
    known = {*get_commands(), "COMMAND"}
    wrong = [
        command
        for command in told_commands()
        for name in re.findall(r"manage\.py (\w+)", command)
        if name not in known
    ]

    assert wrong == []


class TestTheReference:
    def test_is_what_the_parsers_say(self) -> None:
        page = (ROOT / "docs/commands.md").read_text(encoding="utf-8")

        assert page == commands_page()  # else: manage.py write_commands

    def test_has_every_option_of_every_command(self) -> None:
        page = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
        common = options_of(BaseCommand().create_parser("manage.py", "plain"))

        for name in command_names():
            assert f"\n## {name}\n" in page
            if name != "migrate":
                for option in options_of(parser_of(name)) - common:
                    assert f"`{option}" in page, (name, option)


# --- run ----------------------------------------------------------------------------------------------------------------------


@dataclass
class Site:
    """What the rows speak of, by name."""

    values: dict[str, Any]

    def fill(self, text: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda match: str(self.values[match[1]]), text)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """One team with a played batch, approved, models over HTTP, a benchmark, two evaluation runs, and a hub."""
    monkeypatch.chdir(tmp_path)
    owner = make_owner(name="ada")
    batch = play_batch(by=owner, ordered=8, mix={"R1": 1, "R5": 1})
    for row in Trajectory.objects.filter(simulation__batch=batch, accepted=True):
        judge(row, Verdict.APPROVE, owner)
    other = play_batch(
        by=owner, ordered=2, mix={"E1": 1, "E13": 1}, environment="rental"
    )
    as_a_benchmark(other)
    SavedView.objects.create(
        team=batch.team, owner=owner, name="retail, approved", filters={}
    )
    row = {"messages": [{"role": "user", "content": "Hello"}]}
    row["messages"].append({"role": "assistant", "content": "Good day"})
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    (tmp_path / "recipe.json").write_text("{}")
    runs = [tried(other, script) for script in ("gold", "idle")]
    scores = {one.name: {"score": 5, "why": "Fine."} for one in QUESTIONS}
    says = text_reply(json.dumps({"scores": scores}))
    with (
        chat_server(rewording) as words,
        chat_server(lambda request: says) as judging,
        hub_running() as hub,
    ):
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        for name in ("mine", "other", "third", "words"):
            endpoint(name, words.url)
        endpoint("judge", judging.url)
        yield Site(
            {
                "team": batch.team.name,
                "batch": batch.pk,
                "benchmark": f"{other.environment.name}/{other.environment.version}",
                "results": written(tmp_path, minimal()),
                "runs": " ".join(str(run.pk) for run in runs),
                "run": runs[0].pk,
            }
        )


def endpoint(name: str, url: str) -> ModelEndpoint:
    return ModelEndpoint.objects.create(
        name=name,
        model="openai/test",
        base_url=url,
        prompt_price=0,
        completion_price=0,
    )


def as_a_benchmark(batch: Batch) -> None:
    """The batch's tasks stand in its environment as those of a benchmark."""
    words = load_environment(batch.environment).domain.words
    rows = batch.simulations.order_by("pk").select_related("task")
    for place, simulation in enumerate(rows):
        task = types.Task.model_validate(simulation.task.content)
        ReferenceTask.objects.create(
            environment=batch.environment,
            task_id=str(place),
            position=place,
            splits=["base"],
            content=benchmark_task(task, words, task_id=str(place)),
        )


def tried(batch: Batch, script: str) -> EvaluationRun:
    run = evaluation.order_run(
        team=batch.team,
        by=batch.created_by,
        name=script,
        tasks=evaluation.benchmark_set([batch.environment]),
        trials=1,
        script=script,
    )
    run_runner(desk=evaluation.TrialDesk())
    return run


def words_of(command: str, row: Run, site: Site) -> list[str]:
    """What is typed for a command of a page. A word of the row that is not on the page is an error of the row."""
    text = command
    for part in row.but:
        assert part in text, f"{part} is no part of it any more"
        text = text.replace(part, "")
    for told, typed in row.swap.items():
        assert told in text, f"{told} is no part of it any more"
        text = text.replace(told, typed)
    plain = re.sub(r"[\[\]]", "", text)
    return shlex.split(site.fill(f"{plain} {row.also}"))


def run_row(command: str, row: Run, site: Site) -> str:
    """What it prints. Raises whatever it ends with other than well."""
    first, *words = words_of(command, row, site)
    if first == "sha256sum":
        done = subprocess.run(
            [first, *words], cwd="data", capture_output=True, text=True, check=True
        )
        return done.stdout
    assert first == "manage.py"
    out = io.StringIO()
    try:
        with redirect_stdout(out):
            call_command(*words, stdout=out, stderr=io.StringIO())
    except SystemExit as end:
        if end.code:
            raise AssertionError(f"it ended with {end.code}: {out.getvalue()}") from end
    return out.getvalue()


def remember(command: str, site: Site) -> None:
    """What later rows speak of, once it is there."""
    if command.startswith("manage.py import_reference FILE…"):
        site.values["reference"] = ReferenceSet.objects.latest("pk").pk
    if command == "manage.py release freeze first":
        release = Release.objects.get(name="first")
        held_back = release.members.filter(split="test")
        (burden, *_) = held_back.values_list(
            "item__trajectory__simulation__task__burden", flat=True
        )
        cells = f"1/{types.burden_band(burden)}"
        site.values |= {"release": release.pk, "cells": cells}


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(400)
@pytest.mark.slow
def test_what_is_to_be_run_runs(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    problems = []
    for command, row in ROWS.items():
        if isinstance(row, Run):
            try:
                printed = run_row(command, row, site)
                remember(command, site)
            except BaseException:
                problems.append(f"{command}\n{traceback.format_exc(limit=-3)}")
            else:
                if row.keep:
                    Path(row.keep).write_text(printed)
    (shell,) = shell_commands()
    code = shlex.split(shell)[-1].replace("range(10)", "range(2)")
    with redirect_stdout(io.StringIO()) as told:
        call_command("shell", "-c", code)
    (loading,) = [
        block.text
        for page in pages()
        if page.path == "docs/tutorial.md"
        for block in page.blocks
        if block.kind == "python"
    ]
    capsys.readouterr()
    exec(compile(loading, "docs/tutorial.md", "exec"), {})

    assert not problems, "\n\n".join(problems)
    assert "E4" in told.getvalue() or told.getvalue().count("(") > 4
    assert capsys.readouterr().out.startswith(
        "6 conversations, 16 tools\nassistant Hi!"
    )


@pytest.mark.parametrize(
    ("command", "row"),
    [(one, row) for one, row in ROWS.items() if isinstance(row, Make) and row.does],
)
def test_make_does_what_its_row_says(command: str, row: Make) -> None:
    """`--dry-run`, on a copy without `.venv`, so that what is installed here makes no difference."""
    done = subprocess.run(
        [*shlex.split(command), "--dry-run", "--always-make"],
        cwd=ROOT,
        env={**os.environ, "BIN": "bin"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert row.does in done.stdout
    assert row.tests or row.by_hand
    assert all((ROOT / path).exists() for path in re.findall(r"tests/\S+", command))


@pytest.mark.parametrize(
    "command", [one for one, row in ROWS.items() if isinstance(row, Measures)]
)
def test_a_benchmark_is_there_with_its_options(command: str) -> None:
    first, *words = command.removeprefix("-m ").split()
    path = ROOT / first
    if not first.endswith(".py"):
        spec = find_spec(first)
        assert spec is not None
        path = Path(str(spec.origin))
    source = path.read_text(encoding="utf-8")

    assert '__name__ == "__main__"' in source
    for word in words:
        if word.startswith("--"):
            assert f'"{word}"' in source


def test_the_service_to_be_scaled_exists() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]

    for command in told_commands():
        for name in re.findall(r"--scale (\w+)=", command):
            assert name in services


def test_excerpts_of_a_world_name_what_there_is() -> None:
    """docs/environments.md abridges rental's files, so its blocks do not run; but what they name is there."""
    source = "".join(
        path.read_text(encoding="utf-8")
        for path in sorted((ROOT / "environments").rglob("*.py"))
    )
    there = {*re.findall(r"\w+", source), *dir(builtins)}
    (page,) = [page for page in pages() if page.path == "docs/environments.md"]
    code = "".join(block.text for block in page.blocks if block.kind == "python")
    named = set(re.findall(r"(?<![\w\"'])[A-Za-z_]\w{3,}", re.sub(r"#.*", "", code)))
    named -= set(re.findall(r"\w+", "".join(re.findall(r'"[^"]*"', code))))

    assert len(named) > 25
    assert sorted(named - there - {"card_number", "_propose"}) == []

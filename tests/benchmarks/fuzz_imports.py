"""Every door by which a file comes in, tried with files that are nearly right: no crash, nothing half in, no memory without end.

    python -m tests.benchmarks.fuzz_imports [--seconds 600] [--seed 1] [--door NAME]

Valid files are changed by structure (values, keys, nesting, numbers and characters that no reader should take) and by byte. A door
may take a file or refuse it with the error that it documents, and then no row may have come in. Anything else is printed with the
numbers that make it again, and ends the run with 1. Each case is rolled back, so that all of them meet the same database.
"""

import argparse
import gzip
import hashlib
import io
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

type Files = dict[str, bytes]
"""Path in the folder → content. The first is what the door is given, unless it takes folders."""

CASE_SECONDS = 20
CASE_BYTES = 300_000_000
"""By how much the process may grow while it reads one file, which has a megabyte or two; 20 bytes more for each byte of it."""
RAW = "\ue0ffRAW"
_DEEP = 5_000

RAW_VALUES = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "-1e-999",
    "9" * 5_000,
    "-" + "9" * 400,
    "1E400",
    '{"a": 1, "a": 2}',
    '{"role": "user", "role": "system"}',
    '"\\u0000"',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\ud83d"',
    '"\\u202e"',
    "[" * _DEEP + "]" * _DEEP,
    '{"a":' * _DEEP + "1" + "}" * _DEEP,
    "[" * 70 + "]" * 70,
    "[" * _DEEP,
    "'single'",
    "undefined",
    "01",
    "+1",
    "1.",
    "/* comment */ 1",
    "",
)
VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2**31,
    2**63,
    -(2**63) - 1,
    10**30,
    0.1,
    1e308,
    -0.0,
    "",
    " ",
    "null",
    "x" * 100_000,
    "=1+1",
    "../../etc/passwd",
    "a" * 121,
    "\u2028",
    "\U0001f9ea" * 50,
    [],
    {},
    [[]],
    [None],
    {"": None},
    {"$ref": "#"},
    {"__proto__": 1},
    [{}] * 200,
    ["x"] * 3_000,
)


@dataclass(frozen=True)
class Door:
    """A way in."""

    name: str
    seeds: tuple[Files, ...]
    enter: Callable[[Path], object]
    refuses: tuple[type[BaseException], ...]
    whole_folder: bool = False


@dataclass
class Found:
    """What went wrong, and how to see it again."""

    door: str
    number: int
    what: str


@dataclass
class Outcome:
    taken: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    found: list[Found] = field(default_factory=list)


class TooSlow(BaseException):
    """Not an Exception, so that nobody who catches everything takes it for an answer."""


# --- changes -------------------------------------------------------------------------------------------------------------------


def mutated(rng: random.Random, content: bytes) -> bytes:
    """A file with one to four changes, of its structure as long as it has one."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        by_structure = rng.random() < 0.7
        content = (by_structure and _by_structure(rng, content)) or _by_byte(
            rng, content
        )
    return content


def _by_structure(rng: random.Random, content: bytes) -> bytes | None:
    """JSON, or one line of JSON lines, with a node changed. None: it is neither any more."""
    lines = content.split(b"\n")
    number = rng.randrange(len(lines))
    for text, put in (
        (
            lines[number],
            lambda new: b"\n".join([*lines[:number], new, *lines[number + 1 :]]),
        ),
        (content, lambda new: new),
    ):
        if len(text) > 2_000_000:
            continue
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict | list) and value:
            return put(_changed(rng, value))
    return None


def _changed(rng: random.Random, value: Any) -> bytes:
    holder, key = rng.choice(list(_places(value)))
    act = rng.randrange(7)
    raw = ""
    if act == 0:
        holder[key] = rng.choice(VALUES)
    elif act == 1:
        raw = rng.choice(RAW_VALUES)
        holder[key] = RAW
    elif act == 2:
        del holder[key]
    elif act == 3 and isinstance(holder, dict):
        holder[rng.choice(("", "role", "id", "\ue0fe", str(key) * 200))] = holder.pop(
            key
        )
    elif act == 4:
        other, place = rng.choice(list(_places(value)))
        with suppress(KeyError, IndexError):
            holder[key] = json.loads(json.dumps(other[place]))
    elif act == 5 and isinstance(holder, list):
        holder[key:key] = [holder[key]] * rng.choice((1, 3, 2_100))
    else:
        holder[key] = [holder[key]]
    text = json.dumps(value, ensure_ascii=rng.random() < 0.5)
    text = text.replace(json.dumps(RAW), raw).replace(f'"{RAW}"', raw)
    return text.encode(errors="surrogatepass")


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """(holder, key) of everything in a value."""
    waiting = [value]
    while waiting:
        holder = waiting.pop()
        for key in list(holder) if isinstance(holder, dict) else range(len(holder)):
            yield holder, key
            if isinstance(holder[key], dict | list):
                waiting.append(holder[key])


def _by_byte(rng: random.Random, content: bytes) -> bytes:
    if not content:
        return rng.randbytes(rng.choice((0, 1, 100)))
    first, last = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    last = min(last, first + 4_000)
    act = rng.randrange(10)
    if act == 0:
        return content[:first]
    if act == 1:
        return content[:first] + content[last:]
    if act == 2:
        return (
            content[:last]
            + content[first:last] * rng.choice((1, 2, 50))
            + content[last:]
        )
    if act == 3:
        return content[:first] + rng.randbytes(rng.randrange(1, 40)) + content[first:]
    if act == 4:
        odd = (
            b"\x00",
            b"\xff\xfe",
            b"\xed\xa0\x80",
            b"\xc0\x80",
            b"\r",
            b"\xef\xbb\xbf",
        )
        return content[:first] + rng.choice(odd) + content[first:]
    if act == 5:
        return b"\xef\xbb\xbf" + content
    if act == 6:
        return gzip.compress(content)
    if act == 7:
        return content.decode("utf-8", "replace").encode(
            rng.choice(("utf-16", "utf-32", "latin-1")), "replace"
        )
    if act == 8:
        return content + b"\n" + content
    changed = bytearray(content)
    for _ in range(rng.choice((1, 8))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


# --- cases ---------------------------------------------------------------------------------------------------------------------


def try_door(door: Door, number: int, folder: Path, outcome: Outcome) -> None:
    """One case; `number` alone says what it is."""
    rng = random.Random(f"{door.name} {number}")
    shutil.rmtree(folder, ignore_errors=True)
    files = dict(rng.choice(door.seeds))
    name = rng.choice(list(files))
    files[name] = mutated(rng, files[name])
    for path, content in files.items():
        there = folder / path
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_bytes(content)
    entered = folder if door.whole_folder else folder / next(iter(files))
    try:
        with _rolled_back() as count, _limited(CASE_SECONDS):
            before, held = count(), _memory()
            try:
                door.enter(entered)
                outcome.taken[door.name] += 1
            except door.refuses as error:
                outcome.refused[door.name] += 1
                if count() != before:
                    raise AssertionError(
                        "Something came in of what was refused."
                    ) from error
                # A form repeats what was sent, to whoever sent it.
                most = 10_000 + len(files[name])
                if not 0 < len(str(error).strip()) <= most:
                    raise AssertionError(
                        f"It says {len(str(error))} characters."
                    ) from error
            grown = _memory(most=True) - held
            if grown > CASE_BYTES + 20 * sum(map(len, files.values())):
                raise AssertionError(f"It took {grown:,} bytes of memory.")
    except (Exception, TooSlow) as error:
        told = "".join(traceback.format_exception(error, limit=-4))
        outcome.found.append(Found(door.name, number, told[-2_500:]))


def _memory(*, most: bool = False) -> int:
    """Bytes that the process holds, from where a new most begins to be noted; or the most since then. Linux tells."""
    if not most:
        Path("/proc/self/clear_refs").write_text("5")
    name = "VmHWM" if most else "VmRSS"
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in status if line.startswith(name))


@contextmanager
def _limited(seconds: int) -> Iterator[None]:
    def late(*_: object) -> None:
        raise TooSlow(f"It took more than {seconds} seconds.")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _rolled_back() -> Iterator[Callable[[], int]]:
    """Whatever the case writes is gone afterwards. Gives what counts the rows of everything that files become."""
    from django.db import transaction

    from writ_app.models import catalog, evaluation

    models = (
        catalog.Environment,
        catalog.ReferenceTask,
        catalog.Task,
        catalog.ReferenceSet,
        catalog.ReferenceTrajectory,
        evaluation.EvaluationRun,
        evaluation.EvaluationTask,
        evaluation.EvaluationTrial,
    )
    with transaction.atomic():
        yield lambda: sum(model._base_manager.count() for model in models)
        transaction.set_rollback(True)


# --- doors ---------------------------------------------------------------------------------------------------------------------


def doors(folder: Path) -> list[Door]:
    """Every door with files that it takes. `folder` is for making them."""
    return [
        *_reference_doors(folder),
        _evaluation_door(),
        _checkout_door(),
        _task_file_door(),
        _backup_door(),
        _edit_door(),
    ]


def _reference_doors(folder: Path) -> Iterator[Door]:
    from tests.adapters.test_tau2_results import as_directory, minimal
    from tests.engine.export.made import dataset
    from writ_app.adapters.tau2_results import BadResults
    from writ_app.engine.export.folder import FolderDataset, write_canonical
    from writ_app.engine.export.formats import FORMATS
    from writ_app.engine.export.options import Options
    from writ_app.engine.export.writing import files
    from writ_app.engine.importing import BadFile
    from writ_app.services.catalog.references import import_reference
    from writ_app.services.catalog.results import import_results

    folder.mkdir(parents=True, exist_ok=True)
    for file in write_canonical(dataset()):
        (folder / file.path).write_bytes(b"".join(file.chunks))
    canonical = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    worlds = canonical["environments.jsonl"]
    yield Door(
        "canonical rows with their environments",
        tuple(
            {name: rows, "environments.jsonl": worlds}
            for name, rows in canonical.items()
            if name.endswith(".jsonl") and b'"messages"' in rows
        ),
        lambda path: import_reference(path=path),
        (BadFile,),
    )
    by_format: dict[str, list[Files]] = {}
    for file in files(FolderDataset(folder), list(FORMATS), Options()):
        if not file.path.endswith(("dataset_info.json", ".md", ".yaml", ".yml")):
            content = b"".join(file.chunks)
            slug = file.path.split("/")[0]
            by_format.setdefault(slug, []).append({Path(file.path).name: content})
    for slug, made in by_format.items():
        yield Door(
            f"reference set: {slug}",
            tuple(made),
            lambda path: import_reference(path=path),
            (BadFile,),
        )
    results = json.dumps(minimal()).encode()
    inner = as_directory(folder / "split", minimal())
    split = {
        str(path.relative_to(inner)): path.read_bytes()
        for path in sorted(inner.rglob("*.json"))
    }
    yield Door(
        "tau2 results",
        ({"results.json": results},),
        lambda path: import_results(root=path),
        (BadResults,),
    )
    yield Door(
        "tau2 results in a folder",
        (split,),
        lambda path: import_results(root=path),
        (BadResults,),
        whole_folder=True,
    )


def _evaluation_door() -> Door:
    from tests.adapters.test_tau2_results import minimal
    from writ_app.engine.errors import WritError
    from writ_app.models.accounts import Team, User
    from writ_app.services.catalog import register_generated
    from writ_app.services.evaluation import import_run

    register_generated(name="retail", seed=7, users=60)
    team, _ = Team.objects.get_or_create(name="fuzz")
    user, _ = User.objects.get_or_create(username="fuzz")
    results = minimal()
    read = {"name": "get_order_details", "arguments": {"order_id": "#W1"}}
    results["tasks"][0]["evaluation_criteria"] = {
        "actions": [{"action_id": "0", "requestor": "assistant", **read}],
        "communicate_info": ["x"],
        "nl_assertions": ["The agent is polite."],
        "reward_basis": ["DB", "COMMUNICATE", "NL_ASSERTION"],
    }
    results["simulations"][0] |= {
        "seed": 626729,
        "trial": 0,
        "agent_usage": {"completion_tokens": 12},
        "reward_info": {
            "reward": 1.0,
            "nl_assertions": [
                {
                    "nl_assertion": "The agent is polite.",
                    "met": True,
                    "justification": "It is.",
                }
            ],
        },
    }
    results["simulations"][0]["messages"][2]["tool_calls"] = [{"id": "a", **read}]
    return Door(
        "evaluation results",
        ({"results.json": json.dumps(results).encode()},),
        lambda path: import_run(path=path, team=team, by=user),
        (WritError,),
    )


def _checkout_door() -> Door:
    from environments.retail.generator import generate
    from writ_app.adapters.tau2 import BadCheckout
    from writ_app.adapters.worlds import BadWorld
    from writ_app.services.catalog import import_tau2

    state = generate(seed=7, users=4)
    actions = [
        {
            "action_id": "0",
            "name": "get_order_details",
            "arguments": {"order_id": "#W1"},
        }
    ]
    instructions = {
        "domain": "retail",
        "reason_for_call": "ask",
        "task_instructions": "be kind",
    }
    task = {
        "id": "0",
        "user_scenario": {"instructions": instructions},
        "evaluation_criteria": {"actions": actions, "communicate_info": ["x"]},
    }
    place = "data/tau2/domains/retail"
    files = {
        f"{place}/tasks.json": json.dumps([task, {**task, "id": "1"}]).encode(),
        f"{place}/db.json": json.dumps(state).encode(),
        f"{place}/split_tasks.json": json.dumps({"base": ["0", "1"]}).encode(),
        f"{place}/policy.md": b"# Policy\n\nBe kind.",
    }
    return Door(
        "tau2 checkout",
        (files,),
        lambda path: import_tau2(root=path, name="retail"),
        (BadCheckout, BadWorld),
        whole_folder=True,
    )


def _task_file_door() -> Door:
    from tests.engine.talks import small_shop, task_of
    from writ_app.engine.proving import Prover
    from writ_app.engine.task_file import BadTaskFile, line_of, read_tasks, to_task

    prover = Prover(small_shop())

    def enter(path: Path) -> None:
        for _, line in read_tasks(path):
            to_task(line)
            # What it stumbles over is called unchecked (writ_app/adapters/batches.py).
            with suppress(Exception):
                prover.refute(line)

    lines = "\n".join(line_of(task_of(name)) for name in ("R1", "R2", "W1")).encode()
    return Door("task file", ({"tasks.jsonl": lines},), enter, (BadTaskFile,))


def _backup_door() -> Door:
    from writ_app.services.operations.backup import (
        DUMP,
        FORMAT,
        MANIFEST,
        BackupError,
        Manifest,
        read_manifest,
    )
    from writ_app.services.operations.fingerprints import Table

    content = b"PGDMP" + bytes(range(256)) * 20
    manifest = asdict(
        Manifest(
            format=FORMAT,
            made_at="2026-11-22T09:00:00+00:00",
            server="18.0",
            bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            migrations=[("writ_app", "0001_first")],
            tables=[Table("public", "writ_app_team", rows=1, digest="0" * 32)],
        )
    )

    def packed(
        method: int, *, text: bytes = b"", padding: int = 0, noughts: int = 0
    ) -> Files:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as archive:
            with archive.open(DUMP, "w") as member:
                member.write(content)
                for _ in range(noughts):
                    member.write(bytes(1 << 20))
            with archive.open(MANIFEST, "w") as member:
                member.write(text or json.dumps(manifest).encode())
                for _ in range(padding):
                    member.write(b" " * (1 << 20))
        return {"backup.writ": file.getvalue()}

    seeds = (
        packed(zipfile.ZIP_STORED),
        packed(zipfile.ZIP_DEFLATED),
        packed(zipfile.ZIP_BZIP2),
        packed(zipfile.ZIP_LZMA),
        packed(zipfile.ZIP_DEFLATED, padding=1_500),
        packed(zipfile.ZIP_DEFLATED, noughts=1_500),
        packed(zipfile.ZIP_STORED, text=b"[" * 100_000),
        packed(zipfile.ZIP_STORED, text=b'{"bytes": 1' + b"0" * 10_000 + b"}"),
    )
    return Door("backup", seeds, read_manifest, (BackupError,))


def _edit_door() -> Door:
    """What a form sends to change a draft."""
    from tests.factories import make_team, make_trajectory
    from writ_app.engine.errors import WritError
    from writ_app.forms.edits import EditStepForm
    from writ_app.models.review import ReviewItem
    from writ_app.services.review.edits import EDITED, check_edit, read_base, take_step

    class Complaint(Exception):
        """The form's own no."""

    row = ReviewItem.objects.filter(trajectory=make_trajectory(team=make_team()))
    base = read_base(EDITED.get(pk=row.values_list("pk", flat=True)[0]))
    talk = base.trajectory.messages
    at = next(n for n, one in enumerate(talk) if one.tool_calls)
    call = talk[at].tool_calls[0]
    step = {"act": "text", "message": "0", "value": "Hello", "role": "user"}
    argument = {
        "act": "argument",
        "message": str(at),
        "call": call.id,
        "pointer": f"/{next(iter(call.arguments))}",
        "value": '{"a": [1, "x"]}',
        "as_json": "on",
    }
    acts = [
        {**form, "act": act}
        for act in EditStepForm().fields["act"].choices  # type: ignore[attr-defined]
        for act in [act[0]]
        for form in (step, argument)
    ]

    def enter(path: Path) -> None:
        try:
            sent = json.loads(path.read_bytes())
        except (ValueError, RecursionError):
            raise Complaint("no form") from None
        if not isinstance(sent, Mapping):
            raise Complaint("no form")
        form = EditStepForm(
            {
                key: value if isinstance(value, str) else json.dumps(value)
                for key, value in sent.items()
            }
        )
        if not form.is_valid():
            raise Complaint(form.complaint or "refused")
        check_edit(base, take_step(base, (), form.step()))

    seeds = tuple(
        {"form.json": json.dumps(form).encode()} for form in [step, argument, *acts]
    )
    return Door("edit form", seeds, enter, (WritError, Complaint))


# --- runs ----------------------------------------------------------------------------------------------------------------------


def run(
    tried: list[Door], *, seconds: float, first: int, folder: Path, most: int = 10
) -> Outcome:
    """Cases of every door in turn until the time is over, or until `most` went wrong."""
    outcome, ends, number = Outcome(), time.monotonic() + seconds, first
    while time.monotonic() < ends and len(outcome.found) < most:
        for door in tried:
            try_door(door, number, folder / "case", outcome)
            if time.monotonic() >= ends:
                break
        number += 1
    return outcome


def peak() -> int:
    """Bytes of memory that this process had at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1, help="number of the first case")
    parser.add_argument("--door", default="", help="only doors whose names hold this")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="writ-fuzz-") as var:
        os.environ |= {
            "WRIT_VAR_DIR": var,
            "WRIT_ENV": "test",
            "DJANGO_SETTINGS_MODULE": "writ_app.settings",
        }
        import django

        django.setup()
        from django.conf import settings
        from django.core.management import call_command

        from writ_app.adapters.embedded.services import services_running

        with services_running(settings.EMBEDDED, ["postgres"], durable=False):
            call_command("migrate", verbosity=0)
            tried = [
                one for one in doors(Path(var) / "seeds") if wanted.door in one.name
            ]
            outcome = run(
                tried, seconds=wanted.seconds, first=wanted.seed, folder=Path(var)
            )
    lines = [
        f"{one.name:40} {outcome.taken[one.name]:8,} taken {outcome.refused[one.name]:8,} refused"
        for one in tried
    ]
    told = [f"\n{one.door}, --seed {one.number}:\n{one.what}" for one in outcome.found]
    sys.stdout.write("\n".join([*lines, f"{peak():,} bytes at most", *told, ""]))
    sys.exit(bool(outcome.found))


if __name__ == "__main__":
    main()

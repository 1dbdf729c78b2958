"""Reading a τ²-bench checkout: database, policy, tasks and splits of a domain (tau2 SPEC §2.3, §7)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from writ_app.adapters.tau2_shapes import fault_of
from writ_app.engine.errors import WritError
from writ_app.engine.importing import strict_json


class BadCheckout(WritError):
    """The directory is not a checkout, or a file in it is not what it should be; the text names the file."""


@dataclass(frozen=True)
class Tau2Domain:
    """One domain as it stands in a checkout."""

    name: str
    database: dict[str, Any]
    policy: str
    tasks: list[dict[str, Any]]
    splits: dict[str, list[str]]


def find_domains(root: Path) -> dict[str, Path]:
    """Domain → its folder. `root` is a checkout, or a folder that holds one as `checkout`. Raises BadCheckout."""
    for base in (root, root / "checkout"):
        domains = base / "data" / "tau2" / "domains"
        if domains.is_dir():
            return {
                path.parent.name: path.parent
                for path in sorted(domains.glob("*/db.json"))
            }
    raise BadCheckout(
        f"{root} is no tau2-bench checkout: it has no data/tau2/domains folder."
    )


def read_domain(root: Path, name: str) -> Tau2Domain:
    """Everything of one domain. Raises BadCheckout naming the file that is missing or wrong."""
    domains = find_domains(root)
    if name not in domains:
        raise BadCheckout(
            f"The checkout has no domain {name!r}; it has {', '.join(domains) or 'none'}."
        )
    folder = domains[name]
    database, tasks = _read_json(folder / "db.json"), _read_json(folder / "tasks.json")
    splits_path = folder / "split_tasks.json"
    splits = _read_json(splits_path) if splits_path.exists() else {}
    if not isinstance(database, dict):
        raise BadCheckout(f"{folder / 'db.json'} must hold an object.")
    return Tau2Domain(
        name=name,
        database=database,
        policy=_read_text(folder / "policy.md"),
        tasks=_checked_tasks(tasks, folder / "tasks.json"),
        splits=_checked_splits(splits, splits_path),
    )


def benchmark_tasks(domain: Tau2Domain) -> list[dict[str, Any]]:
    """The tasks that models are measured on: split `base`, or all if the checkout has no splits."""
    base = set(domain.splits.get("base", ()))
    return [task for task in domain.tasks if not base or str(task["id"]) in base]


def _checked_tasks(tasks: Any, path: Path) -> list[dict[str, Any]]:
    if not isinstance(tasks, list):
        raise BadCheckout(f"{path} must hold an array of tasks.")
    seen: set[str] = set()
    for number, task in enumerate(tasks):
        if not isinstance(task, dict) or not isinstance(task.get("id"), str):
            raise BadCheckout(f"{path}: task number {number + 1} has no id.")
        if task["id"] in seen:
            raise BadCheckout(f"{path}: two tasks have the id {task['id']!r}.")
        if fault := fault_of(task):
            raise BadCheckout(f"{path}: task {task['id']!r}, {fault.lstrip('.')}")
        seen.add(task["id"])
    return tasks


def _checked_splits(splits: Any, path: Path) -> dict[str, list[str]]:
    if not isinstance(splits, dict) or not all(
        isinstance(ids, list) for ids in splits.values()
    ):
        raise BadCheckout(f"{path} must hold an object of lists of task ids.")
    return {name: [str(task_id) for task_id in ids] for name, ids in splits.items()}


def _read_text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadCheckout(f"{path} is missing.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadCheckout(f"{path} cannot be read: {error}") from error
    if "\x00" in text:
        raise BadCheckout(f"{path} holds a NUL, which no text may.")
    return text


def _read_json(path: Path) -> Any:
    try:
        value = strict_json.loads(_read_text(path))
    except strict_json.BadJson as error:
        raise BadCheckout(f"{path} is not JSON: {str(error)[:500]}") from error
    # What is hashed and proved has to be what is stored, so nothing is mended here.
    if strict_json.storable(value)[1]:
        raise BadCheckout(f"{path} holds a NUL or half a surrogate pair in a text.")
    return value

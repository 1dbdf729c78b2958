"""What kinds of rows there are, how one is told from another, and how one is read."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from writ_app.engine.export.formats import FORMATS
from writ_app.engine.export.records import Json, compact
from writ_app.engine.importing import limits
from writ_app.engine.importing.errors import BadRow
from writ_app.engine.importing.talk import parsed, read_talk, read_tools

type Slug = Literal["jsonl", "parquet", "turns", "chat", "sharegpt", "tau2_results"]


@dataclass(frozen=True)
class Imported:
    """One conversation of a file. `messages` are as the engine stores them; what is not told is empty."""

    messages: list[Json]
    system: str = ""
    tools: tuple[Json, ...] = ()
    tools_key: str = ""
    """The tools as text: the same for the same tools."""
    id: str = ""
    task: str = ""
    ended_by: str = ""
    environment: str = ""
    """Key of the environment in which it was made, `name/version`; its canonical files hold system prompt and tools."""
    extras: Json = field(default_factory=dict)
    """Every key of the row that has no place here, as it stood."""


@dataclass(frozen=True)
class Kind:
    """A shape of rows. `read` gets a row as JSON and gives its conversation, or raises BadRow."""

    slug: Slug
    title: str
    has: Callable[[Mapping[str, Any]], bool]
    read: Callable[[Mapping[str, Any]], Imported]


def find_kind(row: Any) -> Kind | None:
    """The kind that a file's first row is of."""
    if not isinstance(row, Mapping):
        return None
    return next((kind for kind in KINDS.values() if kind.has(row)), None)


def kind_of(name: str) -> Kind:
    """By its own name, or by that of a format that we write. Raises KeyError."""
    return KINDS[name] if name in KINDS else KINDS[NAMES[name]]


def read_row(kind: Kind, row: Any) -> Imported:
    """Raises BadRow."""
    if not isinstance(row, Mapping):
        raise BadRow("", "must be an object.")
    return kind.read(row)


# --- reading -------------------------------------------------------------------------------------------------------------------


def _short(row: Mapping[str, Any], *names: str) -> str:
    """The first of these keys that holds a short text or a number: it becomes a column."""
    for name in names:
        value = row.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if isinstance(value, str) and 0 < len(value) <= limits.SHORT:
            return value
    return ""


def _imported(
    row: Mapping[str, Any],
    listed: Any,
    pointer: str,
    *,
    taken: frozenset[str],
    errors_by_text: bool = True,
    named: tuple[str, str, str] = ("", "", ""),
    environment: str = "",
) -> Imported:
    talk = read_talk(listed, pointer, errors_by_text=errors_by_text)
    key, tools = _tools(row.get("tools"))
    system = row.get("system") if "system" in taken else None
    if system is not None and not isinstance(system, str):
        raise BadRow("/system", "must be a text.")
    extras = {name: value for name, value in row.items() if name not in taken}
    if talk.extras:
        name = "message_keys"
        while name in extras:
            name += "_"
        extras[name] = talk.extras
    own, task, ended_by = named
    return Imported(
        messages=talk.messages,
        system=system or talk.system,
        tools=tools,
        tools_key=key,
        id=own,
        task=task,
        ended_by=ended_by,
        environment=environment,
        extras=extras,
    )


_KNOWN: dict[str, tuple[Json, ...]] = {}
"""Tools by their text: nearly all rows of a file have the same."""


def _tools(value: Any) -> tuple[str, tuple[Json, ...]]:
    if not value:
        return "", ()
    try:
        key = value if isinstance(value, str) else compact(value)
    except (ValueError, TypeError) as error:
        raise BadRow("/tools", f"cannot be kept: {error}.") from error
    if key not in _KNOWN:
        if len(_KNOWN) >= limits.WORLDS:
            _KNOWN.clear()
        _KNOWN[key] = tuple(read_tools(value, "/tools"))
    return key, _KNOWN[key]


IDS = ("id", "conversation_id", "uuid")
TASKS = ("task", "task_id")


def _names(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return _short(row, *IDS), _short(row, *TASKS), _short(row, "ended_by")


def _chat(row: Mapping[str, Any]) -> Imported:
    taken = frozenset(("messages", "tools"))
    if "tools" not in row and isinstance(row.get("functions"), list):
        row = {**row, "tools": row["functions"]}
        taken |= {"functions"}
    if isinstance(row.get("system"), str):
        taken |= {"system"}
    return _imported(
        row, row.get("messages"), "/messages", taken=taken, named=_names(row)
    )


def _sharegpt(row: Mapping[str, Any]) -> Imported:
    return _imported(
        row,
        row.get("conversations"),
        "/conversations",
        taken=frozenset(("conversations", "tools", "system")),
        named=_names(row),
    )


def _turns(row: Mapping[str, Any]) -> Imported:
    for name in ("prompt", "completion"):
        if not isinstance(row.get(name), list):
            raise BadRow(f"/{name}", "must be a list of messages.")
    # Both are one conversation: a place in the completion is told behind the prompt's.
    return _imported(
        row,
        [*row["prompt"], *row["completion"]],
        "/prompt+completion",
        taken=frozenset(("prompt", "completion", "tools")),
        named=_names(row),
    )


_CANONICAL = ("id", "task", "split", "environment")


def _texts(row: Mapping[str, Any]) -> None:
    for name in _CANONICAL:
        if not isinstance(row.get(name), str):
            raise BadRow(f"/{name}", "must be a text.")


def _jsonl(row: Mapping[str, Any]) -> Imported:
    _texts(row)
    return _imported(
        row,
        row.get("messages"),
        "/messages",
        taken=frozenset(("id", "task", "environment", "messages")),
        errors_by_text=False,
        named=_names(row),
        environment=row["environment"],
    )


def _parquet(row: Mapping[str, Any]) -> Imported:
    _texts(row)
    facts = row.get("facts")
    told = parsed(facts, "/facts") if isinstance(facts, str) else facts
    if not isinstance(told, dict):
        raise BadRow("/facts", "must be the JSON text of an object.")
    flat = {**told, **row}
    del flat["facts"]
    return _imported(
        flat,
        row.get("messages"),
        "/messages",
        taken=frozenset(("id", "task", "environment", "messages", "system", "tools")),
        errors_by_text=False,
        named=_names(flat),
        environment=row["environment"],
    )


def _no_row(row: Mapping[str, Any]) -> Imported:
    raise BadRow(
        "", "is no row: a result file is one JSON object with info and simulations."
    )


def _all(*names: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda row: all(row.get(name) is not None for name in names)


KINDS: dict[str, Kind] = {
    kind.slug: kind
    for kind in (
        Kind("parquet", "Records in Parquet", _all(*_CANONICAL, "facts"), _parquet),
        Kind("jsonl", "Canonical records", _all(*_CANONICAL, "messages"), _jsonl),
        Kind("turns", "A row per turn", _all("prompt", "completion"), _turns),
        Kind("sharegpt", "ShareGPT", _all("conversations"), _sharegpt),
        Kind("chat", "Chat messages", _all("messages"), _chat),
        Kind("tau2_results", "τ²-bench results", lambda row: False, _no_row),
    )
}
"""In the order in which they are tried."""
NAMES = {
    **dict.fromkeys(FORMATS, "chat"),
    "llama_factory_sharegpt": "sharegpt",
    "turns": "turns",
    "jsonl": "jsonl",
    "parquet": "parquet",
    "tau2_results": "tau2_results",
}
"""Format that we write → kind that reads it."""
del NAMES["tau2_tasks"]


# --- rows that are turns -------------------------------------------------------------------------------------------------------


def joined_turns[P](
    rows: Iterable[tuple[P, Imported]],
) -> Iterator[tuple[P, Imported]]:
    """Rows of one conversation, each going on where the last one ended, as one: the last, which holds all of it.

    A conversation that is the beginning of the next is taken for a turn of it.
    """
    held: tuple[P, Imported] | None = None
    for place, row in rows:
        if held and not _goes_on(held[1], row):
            yield held
        held = place, row
    if held:
        yield held


def _goes_on(before: Imported, row: Imported) -> bool:
    known = len(before.messages)
    return (
        len(row.messages) > known
        and row.messages[:known] == before.messages
        and (row.system, row.tools_key) == (before.system, before.tools_key)
    )


def with_world(
    row: Imported, system: str, tools: tuple[Json, ...], key: str
) -> Imported:
    """The row with system prompt and tools of the environment that it names."""
    return replace(row, system=system, tools=tools, tools_key=key)

"""Reading τ²-bench result files, monolithic or a directory, old or new (tau2 SPEC §11).

Simulations are read one at a time: a pass over a file of any size holds one of them, and what stands beside them. Optional keys may be missing, unknown ones are kept; what is wrong is said with file and JSON path.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from writ_app.adapters.json_stream import JsonStream, StreamError
from writ_app.engine.errors import WritError
from writ_app.engine.importing import limits, strict_json
from writ_app.engine.importing.errors import shortened
from writ_app.engine.types import Message, MessageCall

MAX_BYTES = limits.FILE_BYTES
MAX_SIMULATION = 256_000_000
"""Characters of one simulation, or of all tasks: voice runs hold much beside their words."""
SHORT = limits.SHORT
_REQUIRED_INFO = (
    ("git_commit", str),
    ("num_trials", int),
    ("max_steps", int),
    ("max_errors", int),
    ("user_info", dict),
    ("agent_info", dict),
    ("environment_info", dict),
)


class BadResults(WritError):
    """Not a result file, or something in it is wrong; the text names the file and the JSON path."""


@dataclass(frozen=True)
class Tau2Simulation:
    """One simulation: what is looked for, its conversation, and the rest as it stood in the file."""

    id: str
    task_id: str
    trial: int
    ended_by: str
    reward: float | None
    messages: tuple[Message, ...]
    content: dict[str, Any]


@dataclass(frozen=True)
class Tau2Results:
    """A result file whose head was found to be in order, simulation by simulation."""

    name: str
    domain: str
    policy: str
    agent: str
    user: str
    content_hash: str
    content: dict[str, Any]
    """Everything but the simulations."""
    count: int
    _sources: "_Sources"

    def __len__(self) -> int:
        return self.count

    def simulations(self) -> Iterator[Tau2Simulation]:
        """In the file's order, each read anew. Raises BadResults at the first that is wrong."""
        seen: set[str] = set()
        for place, value in self._sources:
            simulation = _simulation(value, place)
            if simulation.id in seen:
                raise (place / "id").wrong(
                    f"two simulations are called {simulation.id!r}."
                )
            seen.add(simulation.id)
            yield simulation


@dataclass(frozen=True)
class _Place:
    """Where in which file: what errors cite."""

    file: str
    path: str = "$"

    def __truediv__(self, part: str | int) -> "_Place":
        step = f"[{part}]" if isinstance(part, int) else f".{part}"
        return _Place(self.file, self.path + step)

    def wrong(self, text: str) -> BadResults:
        return BadResults(f"{self.file}, {shortened(self.path)}: {shortened(text)}")


@dataclass(frozen=True)
class _Sources:
    """Where simulations lie: in the big file, or each in one of its own. Iterating reads them."""

    place: _Place
    path: Path
    files: tuple[Path, ...] | None = None

    def __iter__(self) -> Iterator[tuple[_Place, Any]]:
        if self.files is None:
            yield from _walk(self.path, self.place, _Top())
        else:
            for path in self.files:
                place = _Place(f"simulations/{path.name}")
                yield place, _parsed(_read(path), place)


@dataclass
class _Top:
    """What a walk over a file gathers beside its simulations."""

    rest: dict[str, Any] = field(default_factory=dict)
    listed: int | None = None
    """How many simulations there were; None: no list of them."""
    hash: Any = field(default_factory=hashlib.sha256)


def find_result_files(root: Path) -> list[Path]:
    """Result files at a path: the file itself, a directory-form result, or all of either kind in a folder. Raises BadResults."""
    if root.is_file():
        return [root]
    if (root / "results.json").is_file():
        return [root / "results.json"]
    if not root.is_dir():
        raise BadResults(f"{root} is neither a file nor a folder.")
    found = [*root.glob("*.json"), *root.glob("*/results.json")]
    if not found:
        raise BadResults(f"{root} holds no result files: no *.json, no */results.json.")
    return sorted(found)


def read_results(path: Path, *, check: bool = True, file_name: str = "") -> Tau2Results:
    """The results in a file. `check`: every simulation is looked at, too, not only whether it is JSON. Raises BadResults.

    `file_name`: what errors call it, if it lies under another name.
    """
    named = path.name if path.name != "results.json" else _folder_name(path)
    place = _Place(file_name or named)
    top = _Top()
    for _ in _walk(path, place, top):
        pass
    folder = path.parent / "simulations"
    sources = _Sources(place, path)
    if top.listed is None and folder.is_dir():
        files = _from_folder(folder, top.rest.get("simulation_index"), place)
        sources = _Sources(place, path, tuple(files))
        for one in files:
            top.hash.update(_read(one).encode())
    elif top.listed is None:
        raise place.wrong("simulations is missing, and there is no folder of them.")
    # It is looked up by and stored: what no text can hold is replaced, as it is in the messages.
    rest = json.loads(strict_json.storable(top.rest)[0])
    info = _info(rest, place)
    _tasks(rest.get("tasks"), place / "tasks")
    results = Tau2Results(
        name=place.file,
        domain=_short(info["environment_info"], "domain_name", place / "info"),
        policy=_field(info["environment_info"], "policy", str, place / "info"),
        agent=_player(info["agent_info"], place / "info" / "agent_info"),
        user=_player(info["user_info"], place / "info" / "user_info"),
        content_hash=top.hash.hexdigest(),
        content=rest,
        count=top.listed or len(sources.files or ()),
        _sources=sources,
    )
    if check:
        for _ in results.simulations():
            pass
    return results


# --- files ---------------------------------------------------------------------------------------------------------------------


def _folder_name(path: Path) -> str:
    return f"{path.resolve().parent.name}/{path.name}"


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadResults(f"{path.name} is larger than {MAX_BYTES:,} bytes.")
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise BadResults(f"{path.name} is missing.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadResults(f"{path.name} cannot be read: {error}") from error


def _from_folder(folder: Path, index: Any, place: _Place) -> list[Path]:
    """Files of the directory form, in the index's order; index and files must agree."""
    index_place = place / "simulation_index"
    if not isinstance(index, list):
        raise index_place.wrong("must be an array: the simulations lie in files.")
    files = {path.stem: path for path in sorted(folder.glob("*.json"))}
    found = []
    for n, line in enumerate(index):
        there = index_place / n
        name = _short(_object(line, there), "id", there)
        path = files.pop(name, None)
        if path is None:
            raise there.wrong(f"there is no file simulations/{name}.json.")
        own = _Place(f"simulations/{path.name}")
        _agree(line, _object(_parsed(_read(path), own), own), there)
        found.append(path)
    if files:
        raise index_place.wrong(
            f"does not name simulations/{next(iter(files.values())).name}."
        )
    return found


def _agree(line: Mapping[str, Any], simulation: Mapping[str, Any], at: _Place) -> None:
    for name in ("id", "task_id", "trial", "termination_reason"):
        if name in line and name in simulation and line[name] != simulation[name]:
            raise (at / name).wrong(
                f"is {line[name]!r}, but {simulation[name]!r} in the simulation's file."
            )


# --- JSON ----------------------------------------------------------------------------------------------------------------------


def _parsed(text: str, place: _Place) -> Any:
    try:
        return strict_json.loads(text)
    except strict_json.BadJson as error:
        where = ""
        if error.at is not None:
            line = text.count("\n", 0, error.at) + 1
            column = error.at - text.rfind("\n", 0, error.at)
            where = f" at line {line}, column {column}"
        raise place.wrong(f"{error}{where}.") from error


@contextmanager
def _clear(place: _Place) -> Iterator[None]:
    """Whatever the text is refused for, as BadResults."""
    try:
        yield
    except StreamError as error:
        raise place.wrong(f"{error}.") from error


def _walk(path: Path, place: _Place, top: _Top) -> Iterator[tuple[_Place, Any]]:
    """The file's simulations with their places; at the end `top` holds all the rest. Raises BadResults."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadResults(f"{path.name} is larger than {MAX_BYTES:,} bytes.")
        with path.open("rb") as file:
            yield from _members(
                JsonStream(file, top.hash.update, MAX_SIMULATION), place, top
            )
    except FileNotFoundError:
        raise BadResults(f"{path.name} is missing.") from None
    except OSError as error:
        raise BadResults(f"{path.name} cannot be read: {error}") from error


def _members(
    stream: JsonStream, place: _Place, top: _Top
) -> Iterator[tuple[_Place, Any]]:
    seen: set[str] = set()
    with _clear(place):
        if stream.peek() != "{":
            raise place.wrong("must hold one JSON object.")
        stream.take("{")
    while _next(stream, "}", place, first=not seen):
        with _clear(place):
            name = stream.value()
            stream.take(":")
            opening = stream.peek()
        if not isinstance(name, str) or name in seen:
            raise place.wrong(f"an object has the key {name!r} twice or is broken.")
        seen.add(name)
        if name == "simulations" and opening == "[":
            yield from _elements(stream, place / name, top)
            continue
        with _clear(place / name):
            value = stream.value()
        if name == "simulations" and value is not None:
            raise (place / name).wrong("must be an array.")
        if name != "simulations":
            top.rest[name] = value
    with _clear(place):
        if stream.peek():
            raise place.wrong("there is more after the end of the object.")


def _elements(
    stream: JsonStream, place: _Place, top: _Top
) -> Iterator[tuple[_Place, Any]]:
    top.listed = 0
    with _clear(place):
        stream.take("[")
    while _next(stream, "]", place, first=not top.listed):
        there = place / top.listed
        with _clear(there):
            value = stream.value()
        top.listed += 1
        yield there, value


def _next(stream: JsonStream, closing: str, place: _Place, *, first: bool) -> bool:
    """Whether another member follows; signs between members, and the closing one, are taken."""
    with _clear(place):
        if stream.peek() == closing:
            stream.take(closing)
            return False
        if not first:
            stream.take(",")
            if stream.peek() == closing:
                raise place.wrong(
                    f"is not JSON: nothing between the comma and {closing}."
                )
    return True


# --- content -------------------------------------------------------------------------------------------------------------------


def _info(rest: Mapping[str, Any], place: _Place) -> dict[str, Any]:
    if "info" not in rest:
        raise place.wrong("info is missing: this is no result file.")
    place /= "info"
    info = _object(rest["info"], place)
    for name, kind in _REQUIRED_INFO:
        _field(info, name, kind, place)
    for name in ("agent_info", "user_info"):
        _short(info[name], "implementation", place / name)
    return info


def _tasks(tasks: Any, place: _Place) -> None:
    if tasks is None:
        return
    if not isinstance(tasks, list):
        raise place.wrong("must be an array.")
    for n, task in enumerate(tasks):
        _short(_object(task, place / n), "id", place / n)


def _player(info: Mapping[str, Any], place: _Place) -> str:
    """The model that played, or the implementation of one without."""
    if info.get("llm") is not None:
        return _short(info, "llm", place)
    return _short(info, "implementation", place)


def _simulation(value: Any, place: _Place) -> Tau2Simulation:
    value = _object(value, place)
    for name in ("start_time", "end_time"):
        _field(value, name, str, place)
    _field(value, "duration", (int, float), place)
    trial = value.get("trial") or 0
    if not isinstance(trial, int) or not 0 <= trial < 2**31:
        raise (place / "trial").wrong("must be a number of a trial, from 0.")
    return Tau2Simulation(
        id=_short(value, "id", place),
        task_id=_short(value, "task_id", place),
        trial=trial,
        ended_by=_short(value, "termination_reason", place),
        reward=_reward(value.get("reward_info"), place / "reward_info"),
        messages=_messages(value.get("messages") or [], place / "messages"),
        content={name: kept for name, kept in value.items() if name != "messages"},
    )


def _reward(value: Any, place: _Place) -> float | None:
    if value is None or _object(value, place).get("reward") is None:
        return None
    return float(_field(value, "reward", (int, float), place))


def _messages(value: Any, place: _Place) -> tuple[Message, ...]:
    """Messages as engine values. Files may use an id of a call again, or leave it empty: here each is answered under its own."""
    if not isinstance(value, list):
        raise place.wrong("must be an array.")
    waiting: dict[str, list[str]] = {}
    used: set[str] = set()
    messages: list[Message] = []
    for there, message in _flat(value, place):
        role = _field(message, "role", str, there)
        content = _text(message, there)
        if role == "tool":
            name = message.get("id")
            name = name if isinstance(name, str) else ""
            if not waiting.get(name):
                raise (there / "id").wrong(f"{name!r} answers no call before it.")
            messages.append(
                Message(
                    role="tool",
                    content=content,
                    tool_call_id=waiting[name].pop(0),
                    error=message.get("error") is True,
                )
            )
        elif role in ("assistant", "user"):
            calls = _calls(message.get("tool_calls"), there / "tool_calls")
            own = [(call, _unused(call.id, used)) for call in calls]
            for call, name in own:
                waiting.setdefault(call.id, []).append(name)
            messages.append(
                Message(
                    role="assistant" if role == "assistant" else "user",
                    content=content,
                    tool_calls=tuple(
                        call.model_copy(update={"id": name}) for call, name in own
                    ),
                )
            )
        else:
            raise (there / "role").wrong(
                f"is {role!r}; it must be assistant, user or tool."
            )
    return tuple(messages)


def _flat(
    messages: Iterable[Any], place: _Place
) -> Iterator[tuple[_Place, dict[str, Any]]]:
    """Messages with their places; answers to several calls at once, as some files keep them, one by one."""
    for n, message in enumerate(messages):
        there = place / n
        several = _object(message, there).get("tool_messages")
        if isinstance(several, list):
            inner = there / "tool_messages"
            for m, one in enumerate(several):
                yield inner / m, _object(one, inner / m)
        else:
            yield there, message


def _calls(value: Any, place: _Place) -> list[MessageCall]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise place.wrong("must be null or an array.")
    calls = []
    for n, call in enumerate(value):
        there = place / n
        name = _field(_object(call, there), "name", str, there)
        arguments = _field(call, "arguments", dict, there)
        given = call.get("id")
        calls.append(
            MessageCall(
                id=given if isinstance(given, str) else "",
                name=name,
                arguments=arguments,
            )
        )
    return calls


def _unused(name: str, used: set[str]) -> str:
    free, n = name or "call", 1
    while free in used:
        n += 1
        free = f"{name or 'call'}~{n}"
    used.add(free)
    return free


def _text(message: Mapping[str, Any], place: _Place) -> str:
    content = message.get("content")
    if content is None:
        return ""
    if not isinstance(content, str):
        raise (place / "content").wrong("must be a text or null.")
    return content


def _object(value: Any, place: _Place) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise place.wrong("must be an object.")
    return value


def _field(holder: Mapping[str, Any], name: str, kind: Any, place: _Place) -> Any:
    """A required field of that type. A truth value is no number here."""
    if name not in holder:
        raise (place / name).wrong("is missing.")
    value = holder[name]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise (place / name).wrong(f"must be {_KINDS[kind]}.")
    return value


_KINDS = {
    str: "a text",
    int: "a whole number",
    dict: "an object",
    (int, float): "a number",
}


def _short(holder: Mapping[str, Any], name: str, place: _Place) -> str:
    """A required text that becomes a column: not long, and nothing in it that a database refuses."""
    text = str(_field(holder, name, str, place))
    odd = "\x00" in text or any("\ud800" <= sign <= "\udfff" for sign in text)
    if odd or len(text) > SHORT:
        raise (place / name).wrong(
            f"must be a plain text of at most {SHORT} characters."
        )
    return text

"""What gives a person away, and what a call comes to without what tells one instance from another."""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from environments.core.environment import Environment
from environments.core.pointers import leaves, split
from environments.core.tools import ToolCall
from writ_app.engine.types import Task

NAME = ("first_name", "last_name", "zip")
"""Facts, and fields of a person's record, that identify somebody together."""
WINDOW = 4
"""A mark may be spelled out in so many words: `yusuf rossi 9620`."""
SHORTEST = 5
"""Letters and digits of a mark that is looked for in running text, and of a key that stands for a record."""

_OTHER = re.compile(r"[\W_]+")


def compact(text: str) -> str:
    """Letters and digits in lower case: `#W2378156`, `# w2378156` and `Ｗ2378156` are one and the same."""
    if text.isascii():
        return text.lower() if text.isalnum() else _OTHER.sub("", text.lower())
    return _OTHER.sub("", unicodedata.normalize("NFKC", text).lower())


def name_mark(fields: Mapping[str, Any]) -> str:
    return compact(" ".join(str(fields[name]) for name in NAME))


def people_marks(
    environment: Environment, people: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """(mark, person): keys, emails, keys of what is theirs, name with zip."""
    collections = environment.state.collections
    for person in people:
        yield compact(person), person
        record = collections[environment.domain.people][person]
        fields: dict[str, str] = {}
        for place, value in leaves(record):
            fields.setdefault(split(place)[-1], str(value))
            for text in (*split(place), value):
                if isinstance(text, str) and (
                    "@" in text or _is_key(text, collections)
                ):
                    yield compact(text), person
        if fields.keys() >= set(NAME):
            yield name_mark(fields), person


def task_marks(task: Task, text: str) -> Iterator[str]:
    """Everything in a task with this text that may give a person away."""
    reads = [read.call.arguments for read in task.certificate]
    writes = [write.call.arguments for write in task.gold]
    spoken_of = [call.arguments for call in task.spoken_of]
    for arguments in (task.facts, *reads, *spoken_of, *writes):
        for _, value in leaves(arguments):
            yield compact(str(value))
    for arguments in (task.facts, *reads):
        if arguments.keys() >= set(NAME):
            yield name_mark(arguments)
    yield from text_marks(text)


def text_marks(text: str) -> Iterator[str]:
    """Every word, and every few words in a row as if they were one."""
    words = [word for word in map(compact, text.split()) if word]
    for start in range(len(words)):
        joined = ""
        for word in words[start : start + WINDOW]:
            joined += word
            if len(joined) >= SHORTEST:
                yield joined


def names_in(
    text: str, known: Mapping[str, list[tuple[str, str, str]]]
) -> Iterator[tuple[str, str]]:
    """(mark, person) of those whose zip and both names stand in the text, wherever. `known`: zip → (first, last, person)."""
    words = {compact(word) for word in text.split()}
    for code in words & known.keys():
        for first, last, person in known[code]:
            if {first, last} <= words:
                yield f"{first} {last}, {code}", person


def _is_key(text: str, collections: Mapping[str, Mapping[str, Any]]) -> bool:
    return any(text in records for records in collections.values())


# --- calls ---------------------------------------------------------------------------------------------------------------------


def shape(calls: Iterable[ToolCall]) -> str:
    """The calls without what tells one instance from another: ids, numbers, dates; in no order."""
    return json.dumps(sorted([call.name, _blank(call.arguments)] for call in calls))


def _blank(value: Any) -> str:
    if isinstance(value, dict):
        return (
            f"{{{', '.join(f'{key}: {_blank(value[key])}' for key in sorted(value))}}}"
        )
    if isinstance(value, list | tuple):
        return f"[{', '.join(sorted(map(_blank, value)))}]"
    if isinstance(value, str) and not any(char.isdigit() for char in value):
        return value.lower()
    return "*" if not isinstance(value, bool) else str(value)


def loose(call: ToolCall) -> str:
    """The call whatever the order of its lists and the spelling of its values: 1, "1" and 1.0 are the same."""
    return json.dumps([call.name, _loose(call.arguments)])


def _loose(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _loose(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return sorted((_loose(one) for one in value), key=json.dumps)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return compact(str(value))

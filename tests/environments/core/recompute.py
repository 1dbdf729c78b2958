"""What a session keeps incrementally, made from scratch."""

import hashlib
import json
from typing import Any

from environments.core.state import Session, plain_copy

type Whole = dict[str, dict[str, Any]]


def whole(session: Session) -> Whole:
    """Every collection with every record, as the session shows them."""
    return {
        name: {key: session.get(name, key) for key in session.keys(name)}
        for name in session.base.collections
    }


def text_hash(state: Whole) -> str:
    """SHA-256 (hex) of the whole text (tau2 SPEC §2.4)."""
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()


def recomputed_hash(session: Session) -> str:
    """The hash with none of the session's shortcuts."""
    return text_hash(whole(session))


def patched(session: Session) -> Whole:
    """The base after the steps of the session's diff."""
    state: Whole = {
        name: dict(records) for name, records in session.base.collections.items()
    }
    for step in session.diff():
        collection, key, *rest = step["path"]
        records = state[collection]
        if rest:
            records[key] = _with_step(plain_copy(records[key]), rest, step)
        else:
            _apply(records, key, step)
    return state


def _with_step(record: Any, path: list[str], step: dict[str, Any]) -> Any:
    target = record
    for part in path[:-1]:
        target = target[part]
    _apply(target, path[-1], step)
    return record


def _apply(target: dict[str, Any], last: str, step: dict[str, Any]) -> None:
    """Make one step, after seeing that what was there is what it says."""
    if step["op"] == "add":
        assert last not in target
    else:
        assert json.dumps(target[last]) == json.dumps(step["before"])
    if step["op"] == "remove":
        del target[last]
    else:
        target[last] = step["after"]

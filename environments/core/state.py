"""States: an immutable base shared by everyone, and cheap copy-on-write sessions over it.

A *record* is plain JSON data in declared field order. A state is collections of records by key. A session holds only the records
it changed, so that opening one, asking for its difference and throwing it away cost nothing that grows with the database.
Serialisation and hash follow the reference's rules (tau2 SPEC §2.1, §2.4).
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from environments.core.canonical import CanonicalText, Key, canonical, effect_of
from environments.core.pointers import split

type Record = dict[str, Any]

HASHES_KEPT = 4096
"""States whose hash a base remembers (about 300 bytes each)."""


@dataclass(frozen=True)
class Index:
    """Which values lead to a record of `collection`; the first record in file order wins."""

    collection: str
    values: Callable[[Record], Iterable[Any]]


class State:
    """The base: loaded once, shared by every session, never changed.

    `collections` is {collection: {key: record}}; `indexes` are built when first asked for.
    """

    def __init__(
        self,
        collections: Mapping[str, Mapping[str, Record]],
        indexes: Mapping[str, Index] | None = None,
    ):
        self.collections = collections
        self.indexes = dict(indexes or {})
        self._texts: dict[int, str] = {}
        self._canonical: dict[Key, str] = {}
        self._hashes: dict[str, str] = {}
        self.memos: dict[Any, dict[Any, Any]] = {}
        """What each `Memo` keeps of this base; it goes when the base goes."""

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 (hex) of the canonical text of the whole state."""
        return self._whole.hash_with({})

    @cached_property
    def positions(self) -> dict[Key, int]:
        """File order of every record, counted through its collection."""
        return {
            (name, key): n
            for name, records in self.collections.items()
            for n, key in enumerate(records)
        }

    @cached_property
    def _own(self) -> set[int]:
        return {
            id(record)
            for records in self.collections.values()
            for record in records.values()
        }

    @cached_property
    def _whole(self) -> CanonicalText:
        return CanonicalText(
            self.collections, lambda key: canonical(self.collections[key[0]][key[1]])
        )

    @cached_property
    def _index_tables(self) -> dict[str, dict[Any, list[str]]]:
        tables: dict[str, dict[Any, list[str]]] = {}
        for name, index in self.indexes.items():
            table = tables.setdefault(name, {})
            for key, record in self.collections[index.collection].items():
                for value in index.values(record):
                    table.setdefault(value, []).append(key)
        return tables

    def text_of(self, record: Record) -> str:
        """Result text of a record; kept for the base's own records, which never change."""
        if id(record) not in self._own:
            return json.dumps(record)
        text = self._texts.get(id(record))
        if text is None:
            text = self._texts[id(record)] = json.dumps(record)
        return text

    def canonical_text(self, key: Key) -> str | None:
        """Canonical text of a record (None: there is none); kept for those that sessions change and compare."""
        text = self._canonical.get(key)
        if text is None:
            record = self.collections[key[0]].get(key[1])
            if record is not None:
                text = self._canonical[key] = canonical(record)
        return text

    def hash_with(self, changes: Mapping[Key, str | None]) -> str:
        """Hash of this state with other texts for some records (None: removed).

        Remembered by effect: many sessions over one base end in the same few states.
        """
        if not changes:
            return self.content_hash
        effect = effect_of(changes)
        found = self._hashes.get(effect)
        if found is None:
            if len(self._hashes) >= HASHES_KEPT:
                self._hashes.clear()
            found = self._hashes[effect] = self._whole.hash_with(changes)
        return found


class Session:
    """A private copy-on-write view of a state. Reads give records that must not be changed; `edit` gives one that may be.

    `touched`, when set, collects what reads depended on: keys of records, and ("index:NAME", value) of look-ups.
    """

    def __init__(self, base: State, changes: Mapping[Key, Record | None] | None = None):
        self.base = base
        self._changes: dict[Key, Record | None] = dict(changes or {})
        self._owned: set[Key] = set()
        self.touched: set[tuple[str, Any]] | None = None
        self._moved: frozenset[tuple[str, Any]] | None = None

    def fork(self) -> "Session":
        """A new session that starts where this one stands; neither sees the other's later changes.

        Records that `edit` gave out before must not be changed afterwards: from here on they belong to both.
        """
        self._owned.clear()  # what was ours is shared from now on: the next edit copies again
        return Session(self.base, self._changes)

    def reset(self) -> None:
        """Back to the base state."""
        self._moved = None
        self._changes.clear()
        self._owned.clear()

    def restore(self, earlier: "Session") -> None:
        """Back to where this session stood when `earlier` was forked from it."""
        self._moved = None
        self._changes = dict(earlier._changes)
        self._owned.clear()

    def get(self, collection: str, key: Any) -> Record | None:
        """The record, or None. Raises TypeError for an unhashable key, as a look-up in a dict does."""
        if self.touched is not None:
            self.touched.add((collection, key))
        if self._changes and (collection, key) in self._changes:
            return self._changes[collection, key]
        return self.base.collections[collection].get(key)

    def keys(self, collection: str) -> Iterator[str]:
        """Keys in file order, added ones last. A walk over everything depends on everything: `touched` gets a wildcard."""
        if self.touched is not None:
            self.touched.add((collection, "*"))
        if not self._changes:
            yield from self.base.collections[collection]
            return
        for key in self.base.collections[collection]:
            if self._changes.get((collection, key), True) is not None:
                yield key
        for (name, key), record in list(self._changes.items()):
            added = name == collection and key not in self.base.collections[name]
            if added and record is not None:
                yield key

    def changed_keys(self, collection: str) -> list[str]:
        """Keys of the records that were changed, added or removed here, in the order of their first change."""
        return [key for name, key in self._changes if name == collection]

    def lookup(self, index: str, value: Any) -> str | None:
        """Key of the first record whose index values contain `value`."""
        return next(iter(self.lookup_all(index, value)), None)

    def lookup_all(self, index: str, value: Any) -> Sequence[str]:
        """Keys of the records whose index values contain `value`, in file order, added ones last."""
        if self.touched is not None:
            self.touched.add((f"index:{index}", value))
        filed = self.base._index_tables[index].get(value, [])
        if not self._changes:
            return filed
        spec = self.base.indexes[index]
        if not self._moves(spec, value):
            return filed
        found = [key for key in filed if (spec.collection, key) not in self._changes]
        for (name, key), record in self._changes.items():
            if (
                name == spec.collection
                and record is not None
                and value in spec.values(record)
            ):
                found.append(key)
        last = len(self.base.positions)
        return sorted(
            found, key=lambda key: self.base.positions.get((spec.collection, key), last)
        )

    def _moves(self, spec: Index, value: Any) -> bool:
        """Whether a changed record has, or had, this index value."""
        records = self.base.collections[spec.collection]
        return any(
            record is not None and value in spec.values(record)
            for (name, key), after in self._changes.items()
            if name == spec.collection
            for record in (after, records.get(key))
        )

    def edit(self, collection: str, key: str) -> Record:
        """The record as a private copy that may be changed in place. Raises KeyError if there is none."""
        if (collection, key) in self._owned:
            owned = self._changes[collection, key]
            assert owned is not None
            self._moved = None
            return owned
        record = self.get(collection, key)
        if record is None:
            raise KeyError(key)
        return self.put(collection, key, plain_copy(record))

    def put(self, collection: str, key: str, record: Record) -> Record:
        """Store `record`, which now belongs to the session. Raises KeyError if there is no such collection."""
        if collection not in self.base.collections:
            raise KeyError(collection)
        self._moved = None
        self._changes[collection, key] = record
        self._owned.add((collection, key))
        return record

    def replace(self, collection: str, key: str, record: Record) -> None:
        """Store `record`, which shares parts with another: the next `edit` copies it before it changes anything."""
        self.put(collection, key, record)
        self._owned.discard((collection, key))

    def remove(self, collection: str, key: str) -> None:
        self._moved = None
        self._changes[collection, key] = None
        self._owned.discard((collection, key))

    def changes(self) -> dict[Key, Record | None]:
        """Records that differ from the base (None: removed); a record changed back does not count."""
        return {key: self._changes[key] for key in self._changed_texts()}

    def _changed_texts(self) -> dict[Key, str | None]:
        texts = {
            key: None if record is None else canonical(record)
            for key, record in self._changes.items()
        }
        return {
            key: text
            for key, text in texts.items()
            if text != self.base.canonical_text(key)
        }

    def content_hash(self) -> str:
        """SHA-256 (hex) of the canonical text; only changed records are serialised again."""
        return self.base.hash_with(self._changed_texts())

    def effect(self) -> str:
        """A short hash of the difference to the base: equal effects on one base are equal states.

        Costs what the changed records cost, however large the base.
        """
        return effect_of(self._changed_texts())

    def equals(self, other: "Session") -> bool:
        """Whether a session over the same base holds the same records, that is: has the same effect. The first difference decides."""
        for key in self._changes.keys() | other._changes.keys():
            there = self.base.collections[key[0]].get(key[1])
            ours = self._changes.get(key, there)
            theirs = other._changes.get(key, there)
            if ours is not theirs and (
                ours != theirs or canonical(ours) != canonical(theirs)
            ):
                return False
        return True

    def affected(self) -> frozenset[tuple[str, Any]]:
        """What reads can depend on and the changes have moved; compare with `touched`.

        Ask once the records that `edit` gave out are changed: the answer is kept until the next one is asked for.
        """
        if self._moved is None:
            self._moved = frozenset(self._find_moved())
        return self._moved

    def _find_moved(self) -> Iterator[tuple[str, Any]]:
        for (collection, key), after in self._changes.items():
            before = self.base.collections[collection].get(key)
            yield from ((collection, key), (collection, "*"))
            for name, index in self.base.indexes.items():
                if index.collection == collection:
                    for record in (before, after):
                        for value in index.values(record) if record else ():
                            yield f"index:{name}", value

    def diff(self, since: "Session | None" = None) -> list[dict[str, Any]]:
        """Steps {op: set|add|remove, path, before, after} to here from `since`, a session over the same base (None: from the base).

        Lists are compared whole.
        """
        earlier = since._changes if since else {}
        steps: list[dict[str, Any]] = []
        for collection, key in sorted({*self._changes, *earlier}):
            there = self.base.collections[collection].get(key)
            before = earlier.get((collection, key), there)
            after = self._changes.get((collection, key), there)
            if canonical(before) != canonical(after):
                steps.extend(_diff([collection, key], before, after))
        return steps

    def merge(self, data: Mapping[str, Mapping[str, Any]]) -> None:
        """Merge {collection: {key: part of a record}}: objects by name, at any depth; everything else replaces what is there.

        Raises KeyError for a collection that is not there.
        """
        for collection, records in data.items():
            for key, part in records.items():
                if self.get(collection, key) is None:
                    self.put(collection, key, plain_copy(part))
                else:
                    _merge(self.edit(collection, key), part)

    def apply_patch(self, patch: Iterable[Mapping[str, Any]]) -> None:
        """Apply an RFC 6902 patch (add, replace, remove) over {collection: {key: record}}. Raises KeyError, IndexError."""
        for step in patch:
            collection, key, *path = split(step["path"])
            if step["op"] not in ("add", "replace", "remove"):
                raise ValueError(
                    f"{step['op']!r} is no operation that changes something."
                )
            if step["op"] != "add" and self.get(collection, key) is None:
                raise KeyError(key)
            if path:
                _patch_value(self.edit(collection, key), path, step)
            elif step["op"] == "remove":
                self.remove(collection, key)
            else:
                self.put(collection, key, plain_copy(step["value"]))


def plain_copy[T](value: T) -> T:
    """A deep copy of plain JSON data (several times quicker than copy.deepcopy)."""
    if isinstance(value, dict):  # looking at leaves here saves most of the calls
        return {  # type: ignore[return-value]
            key: plain_copy(inner) if isinstance(inner, (dict, list)) else inner
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [  # type: ignore[return-value]
            plain_copy(inner) if isinstance(inner, (dict, list)) else inner
            for inner in value
        ]
    return value


def _diff(path: list[str], before: Any, after: Any) -> Iterator[dict[str, Any]]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            if key not in before:
                yield {
                    "op": "add",
                    "path": [*path, key],
                    "before": None,
                    "after": after[key],
                }
            elif key not in after:
                yield {
                    "op": "remove",
                    "path": [*path, key],
                    "before": before[key],
                    "after": None,
                }
            else:
                yield from _diff([*path, key], before[key], after[key])
    elif json.dumps(before) != json.dumps(
        after
    ):  # 0 and 0.0, 1 and true are different values here
        op = (
            "add"
            if before is None and len(path) == 2
            else "remove"
            if after is None and len(path) == 2
            else "set"
        )
        yield {"op": op, "path": path, "before": before, "after": after}


def _merge(target: Record, part: Mapping[str, Any]) -> None:
    for name, value in part.items():
        held = target.get(name)
        if isinstance(held, dict) and isinstance(value, Mapping):
            _merge(held, value)
        else:
            target[name] = plain_copy(value)


def _patch_value(target: Any, path: list[str], step: Mapping[str, Any]) -> None:
    for part in path[:-1]:
        target = target[int(part)] if isinstance(target, list) else target[part]
    last, op = path[-1], step["op"]
    if isinstance(target, list):
        if op == "remove":
            del target[int(last)]
        elif op == "replace":
            target[int(last)] = plain_copy(step["value"])
        else:
            target.insert(
                len(target) if last == "-" else int(last), plain_copy(step["value"])
            )
    elif op == "remove":
        del target[last]
    elif op == "replace" and last not in target:
        raise KeyError(last)
    else:
        target[last] = plain_copy(step["value"])

"""Whether the log is whole: every hash computed anew from what the tables hold, without asking the database to vouch for itself.

A link's hash is SHA-256 over the hash before it (32 bytes; zero bytes for the first) and the entry as text: its parts with
commas between them, each with its length in UTF-8 bytes and a colon before it, "-" for null:

    number, id, team, time (UTC, 2026-01-31T12:00:00.000000Z), actor, door, request_id, action, kind, key, before, after

`before` and `after` are the JSON text that is stored, character by character.
"""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import connection, transaction

from writ_app.models.audit import SITE

FIRST = bytes(32)
"""What the first link has for the hash before it."""
AT_ONCE = 2_000
"""Rows in memory."""


class Head(NamedTuple):
    """A link by what it is told by."""

    chain: int
    number: int
    hash: bytes


@dataclass(frozen=True)
class Break:
    """The first place at which a chain does not hold. `number`: of the link, `entry`: key, if there is one."""

    chain: int
    number: int
    entry: int | None
    why: str

    def __str__(self) -> str:
        where = f"link {self.number}"
        if self.entry is not None:
            where += f", entry {self.entry}"
        return f"{name_of(self.chain)}, {where}: {self.why}"


@dataclass(frozen=True)
class Verified:
    """What is known of one chain: `head` is the last link that holds (number 0: there is none), and `broken` what comes then."""

    head: Head
    broken: Break | None = None


def name_of(chain: int) -> str:
    return "chain of the site" if chain == SITE else f"chain of team {chain}"


class _Row(NamedTuple):
    """A link and its entry; the entry's columns are all null if it is gone."""

    number: int
    previous: bytes
    hash: bytes
    entry: int
    id: int | None
    team: int | None
    at: datetime
    actor: int | None
    door: str
    request_id: str
    action: str
    kind: str
    key: str
    before: str | None
    after: str | None


_ROWS = """
SELECT link.number, link.previous, link.hash, link.entry_id, entry.id, entry.team_id, entry.at, entry.actor_id, entry.door,
  entry.request_id, entry.action, entry.kind, entry.key, entry.before::text, entry.after::text
FROM writ_app_auditlink AS link LEFT JOIN writ_app_auditentry AS entry ON entry.id = link.entry_id
WHERE link.chain = %s ORDER BY link.number
"""
_UNLINKED = """
SELECT entry.id FROM writ_app_auditentry AS entry
LEFT JOIN writ_app_auditlink AS link ON link.entry_id = entry.id
LEFT JOIN writ_app_auditwaiting AS waiting ON waiting.entry_id = entry.id
WHERE entry.team_id IS NOT DISTINCT FROM %s AND link.entry_id IS NULL AND waiting.entry_id IS NULL ORDER BY entry.id LIMIT 1
"""
_CHAINS = """
SELECT chain FROM writ_app_auditlink UNION SELECT coalesce(team_id, 0) FROM writ_app_auditentry
UNION SELECT coalesce(team_id, 0) FROM writ_app_auditcheck ORDER BY 1
"""


def seal() -> int:
    """Give every entry that waits its place; returns how many there were. Must not run inside of a longer transaction."""
    whole = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT writ_audit_seal(%s)", [AT_ONCE])
            count = int(cursor.fetchone()[0])
            whole += count
            if count < AT_ONCE:
                return whole


def chains() -> list[int]:
    """All that have a link, an entry, or a check that says there was one."""
    with connection.cursor() as cursor:
        cursor.execute(_CHAINS)
        return [chain for (chain,) in cursor.fetchall()]


def verify_chain(chain: int, known: Collection[Head] = ()) -> Verified:
    """Walk a chain from its beginning, a few thousand rows in memory at a time. What still waits for its place is left out.

    `known` are links that were there once: that one of them is missing, or another, is a break too.
    """
    walk = _Walk(chain, {head.number: head.hash for head in known})
    # One transaction and one snapshot: what is written meanwhile is not seen by one query and missed by the other.
    with transaction.atomic(), connection.cursor() as cursor:
        if not connection.savepoint_ids:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        for row in _rows(chain):
            if broken := walk.step(row):
                return Verified(walk.head, broken)
        if broken := walk.end():
            return Verified(walk.head, broken)
        cursor.execute(_UNLINKED, [None if chain == SITE else chain])
        for (entry,) in cursor.fetchall():
            why = "the entry is in no chain and waits for none: it was put there by other ways than the app's, or its link was taken away"
            return Verified(
                walk.head, Break(chain, walk.head.number + 1, int(entry), why)
            )
    return Verified(walk.head)


def _rows(chain: int) -> Iterator[_Row]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(_ROWS, [chain])
        while found := cursor.fetchmany(AT_ONCE):
            for row in found:
                yield _Row(*row)


class _Walk:
    """How far a chain holds."""

    def __init__(self, chain: int, known: dict[int, bytes]):
        self.head = Head(chain, 0, FIRST)
        self._known = known

    def step(self, row: _Row) -> Break | None:
        """Go on by one link, or say why not."""
        if why := self._wrong(row):
            return Break(self.head.chain, row.number, row.entry, why)
        self.head = Head(self.head.chain, row.number, row.hash)
        return None

    def _wrong(self, row: _Row) -> str:
        expected = self.head.number + 1
        if row.number != expected:
            return f"link {expected} is missing before it: something was deleted"
        if row.id is None:
            return "its entry is gone"
        if (row.team or SITE) != self.head.chain:
            return f"its entry is of the {name_of(row.team or SITE)}"
        if row.previous != self.head.hash:
            return "it does not follow the link before: links were swapped, put in, or made anew"
        if hash_of(row.previous, entry_text(row.number, row[4:])) != row.hash:
            return (
                "its hash is not that of the entry: the entry or the link was changed"
            )
        if self._known.get(row.number, row.hash) != row.hash:
            return "an earlier check, or the list of heads, knew another link of this number: the chain was made anew"
        return ""

    def end(self) -> Break | None:
        """What was known beyond the end."""
        last = max(self._known, default=0)
        if last <= self.head.number:
            return None
        why = (
            f"the chain ends with link {self.head.number}, and link {last} was seen before: its end was cut off, "
            "or an older backup was restored"
        )
        return Break(self.head.chain, self.head.number + 1, None, why)


def entry_text(number: int, values: tuple[Any, ...]) -> bytes:
    """An entry as it is hashed; `values` in the order of the parts, the time as a datetime."""
    parts = (number, *values)
    return b",".join(_part(value) for value in parts)


def _part(value: Any) -> bytes:
    if value is None:
        return b"-"
    if isinstance(value, datetime):
        value = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    text = str(value).encode()
    return b"%d:%s" % (len(text), text)


def hash_of(previous: bytes, text: bytes) -> bytes:
    return hashlib.sha256(previous + text).digest()

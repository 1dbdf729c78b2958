"""The log as pages and files show it: narrowed, page by page, with what changed laid side by side."""

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast

from writ_app.models.accounts import Membership, Team, User
from writ_app.models.audit import AuditCheck, AuditEntry, AuditLink
from writ_app.services.audit.checking import last_check

PAGE = 50
MOST_CHANGES = 12
"""Lines of one entry on the page; the files have all."""
LONGEST = 300
"""Characters of a value on the page."""
HASH_SHOWN = 12
"""Characters of a hash on the page."""
EMPTY: tuple[Any, ...] = (None, "", [], {})
"""Says nothing on either side."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What spreadsheets take a cell for a formula by."""
NOBODY = "nobody"
"""Stands for acts of commands and of the clock, among actors."""


@dataclass(frozen=True)
class Wanted:
    """What the log is narrowed to; empty values narrow nothing. `actor`: a user's key, or NOBODY."""

    actor: str = ""
    action: str = ""
    kind: str = ""
    key: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def as_json(self) -> dict[str, str]:
        values = {name: str(value) for name, value in vars(self).items() if value}
        return values


@dataclass(frozen=True)
class Change:
    """One value that differs, a text as it is and anything else as JSON; "" for one that was not there."""

    path: str
    before: str
    after: str


@dataclass(frozen=True)
class Difference:
    changes: tuple[Change, ...]
    hidden: int
    """Further ones."""


@dataclass(frozen=True)
class Line:
    """An entry with its place: number 0 while it waits for one."""

    entry: AuditEntry
    number: int
    hash: str
    difference: Difference

    @property
    def trajectory(self) -> int | None:
        """Key of the item that it is about, if the entry names one."""
        for facts in (self.entry.after, self.entry.before):
            if facts and isinstance(found := facts.get("trajectory"), int):
                return found
        return None

    @property
    def is_gone(self) -> bool:
        """Whether the row was taken away by the act itself."""
        return self.entry.action.endswith((".delete", ".discard"))


@dataclass(frozen=True)
class Page:
    lines: tuple[Line, ...]
    before: int | None
    """Where the next page begins; None if this is the last."""


@dataclass(frozen=True)
class State:
    """How the team's chain stands."""

    links: int
    check: AuditCheck | None
    """The latest, perhaps under way."""


def entries_of(team: Team, wanted: Wanted) -> QuerySet[AuditEntry]:
    """The team's entries that are wanted, in no order."""
    found = AuditEntry.objects.filter(team=team).order_by()
    if wanted.actor == NOBODY:
        found = found.filter(actor=None)
    elif wanted.actor:
        found = found.filter(actor=int(wanted.actor))
    same = {name: getattr(wanted, name) for name in ("action", "kind", "key")}
    found = found.filter(**{name: value for name, value in same.items() if value})
    if wanted.since:
        found = found.filter(at__gte=wanted.since)
    if wanted.until:
        found = found.filter(at__lt=wanted.until)
    return found


def page_of(team: Team, wanted: Wanted, before: int | None = None) -> Page:
    """The latest first, from before an entry on."""
    found = entries_of(team, wanted).select_related("actor").order_by("-pk")
    if before:
        found = found.filter(pk__lt=before)
    rows = list(found[: PAGE + 1])
    links = AuditLink.objects.in_bulk([row.pk for row in rows[:PAGE]])
    lines = tuple(_line(row, links.get(row.pk)) for row in rows[:PAGE])
    return Page(lines, rows[PAGE - 1].pk if rows[PAGE:] else None)


def _line(row: AuditEntry, link: AuditLink | None) -> Line:
    return Line(
        entry=row,
        number=link.number if link else 0,
        hash=bytes(link.hash).hex() if link else "",
        difference=difference(row.before, row.after),
    )


def difference(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> Difference:
    """What differs, by name; of an act that has one side only all that this side says."""
    old, new = before or {}, after or {}
    changes = [
        Change(name, _short(old, name), _short(new, name))
        for name in {**old, **new}
        if old.get(name) not in EMPTY or new.get(name) not in EMPTY
        if name not in old or name not in new or old[name] != new[name]
    ]
    return Difference(tuple(changes[:MOST_CHANGES]), len(changes[MOST_CHANGES:]))


def _short(facts: Mapping[str, Any], name: str) -> str:
    if name not in facts:
        return ""
    value = facts[name]
    if isinstance(value, str) and name.endswith(("sha256", "_hash")):
        return f"{value[:HASH_SHOWN]}…"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


_ACTIONS = """
WITH RECURSIVE found AS (
  (SELECT action FROM writ_app_auditentry WHERE team_id = %(team)s ORDER BY action LIMIT 1)
  UNION ALL
  SELECT (SELECT action FROM writ_app_auditentry WHERE team_id = %(team)s AND action > found.action ORDER BY action LIMIT 1)
  FROM found WHERE found.action IS NOT NULL)
SELECT action FROM found WHERE action IS NOT NULL
"""


def actions_of(team: Team) -> list[str]:
    """Actions that the team's log has, from one to the next in the index: however many entries there are."""
    with connection.cursor() as cursor:
        cursor.execute(_ACTIONS, {"team": team.pk})
        return [action for (action,) in cursor.fetchall()]


def people_of(team: Team) -> list[User]:
    """Members now, and whoever was one and did something."""
    members = Membership.objects.filter(team=team, user=OuterRef("pk"))
    did = AuditEntry.objects.filter(team=team, actor=OuterRef("pk")).order_by()
    found = User.objects.filter(Q(Exists(members)) | Q(Exists(did)))
    return list(found.order_by("username"))


def state_of(team: Team) -> State:
    last = AuditLink.objects.filter(chain=team.pk).order_by("-number").first()
    return State(last.number if last else 0, last_check(team))


# --- files ---------------------------------------------------------------------------------------------------------------------

COLUMNS = (
    "number",
    "id",
    "team",
    "at",
    "actor",
    "actor_name",
    "door",
    "request_id",
    "action",
    "kind",
    "key",
    "before",
    "after",
    "before_sha256",
    "after_sha256",
    "previous",
    "hash",
)


def json_lines(entries: QuerySet[AuditEntry]) -> Iterator[str]:
    """One object for each entry, oldest first. `before` and `after` are the text that is hashed, as it is stored."""
    for row in _rows(entries):
        stored = {name: row[name] or "null" for name in ("before", "after")}
        plain = {name: row[name] for name in COLUMNS if name not in stored}
        parts = [f"{json.dumps(name)}: {json.dumps(plain[name])}" for name in plain]
        # A line break in stored JSON stands between its tokens: inside of strings it is escaped.
        parts += [f'"{name}": {_one_line(text)}' for name, text in stored.items()]
        yield "{" + ", ".join(parts) + "}\n"


def _one_line(text: str) -> str:
    return text.replace("\n", " ").replace("\r", " ")


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(entries: QuerySet[AuditEntry]) -> Iterator[str]:
    """The same as a table with a heading; no cell is a formula."""
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for row in _rows(entries):
        yield writer.writerow([_cell(row[name]) for name in COLUMNS])


def _rows(entries: QuerySet[AuditEntry]) -> Iterator[dict[str, Any]]:
    found = entries.order_by("pk").values(
        "id",
        "team",
        "at",
        "actor",
        "door",
        "request_id",
        "action",
        "kind",
        "key",
        actor_name=F("actor__username"),
        number=F("link__number"),
        previous_bytes=F("link__previous"),
        hash_bytes=F("link__hash"),
        before_text=Cast("before", TextField()),
        after_text=Cast("after", TextField()),
    )
    for stored in found.iterator(chunk_size=2_000):
        row: dict[str, Any] = {**stored}
        row["at"] = stored["at"].isoformat(timespec="microseconds")
        for name in ("before", "after"):
            text = row[name] = row.pop(f"{name}_text")
            row[f"{name}_sha256"] = text and hashlib.sha256(text.encode()).hexdigest()
        for name in ("previous", "hash"):
            raw = row.pop(f"{name}_bytes")
            row[name] = bytes(raw).hex() if raw is not None else None
        yield row


def _cell(value: Any) -> str:
    """Text that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text

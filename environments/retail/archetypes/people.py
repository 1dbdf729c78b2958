"""Whom a text speaks of."""

from collections.abc import Iterable, Iterator
from typing import Any

from environments.core.state import Session


def people_in(session: Session, text: str) -> frozenset[str]:
    """Keys of the users whom `text` names by id, email, order, or name with zip."""
    return frozenset(_named_users(session, text))


def _named_users(session: Session, text: str) -> Iterator[str]:
    lowered = text.lower()
    for key in session.keys("users"):
        user: Any = session.get("users", key)
        full_name = f"{user['name']['first_name']} {user['name']['last_name']}".lower()
        marks: Iterable[str] = (key, user["email"], *user["orders"])
        if any(mark.lower() in lowered for mark in marks) or (
            full_name in lowered and user["address"]["zip"] in text
        ):
            yield key

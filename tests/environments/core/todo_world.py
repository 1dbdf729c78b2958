"""A small world with two sides: an office assistant keeps a to-do list, its owner holds the telephone that shows it.

Invented here to use everything that a world may have: tools of the user over a state of their own, functions for a task's start and
end, a hook that carries one side's state to the other, variants of the policy, and a clock.
"""

from datetime import datetime
from typing import Any

from environments.core.domain import no_requests
from environments.core.environment import Environment
from environments.core.errors import ToolError
from environments.core.state import Index, Record, Session, State
from environments.core.tools import Mode, ToolKind, Toolkit, tool

POLICY = "1.1 Close a to-do only when its owner says that it is done."
BRIEF = "1.1 Close nothing unasked."


class Clocked(Toolkit):
    """Tools of every office, to be inherited."""

    @tool(ToolKind.READ)
    def today(self) -> str:
        """Today's date."""
        return str(now(self.session).date())


class OfficeTools(Clocked):
    @tool(ToolKind.READ)
    def get_todo(self, todo_id: str) -> Record:
        """
        Look at a to-do.

        Args:
            todo_id: Its id.
        """
        todo = self.session.get("todos", todo_id)
        if todo is None:
            raise ToolError(f"There is no to-do {todo_id}")
        return todo

    @tool(ToolKind.READ)
    def count_open(self) -> int:
        """Count what is open."""
        return len(self.session.lookup_all("by_status", "open"))

    @tool(ToolKind.WRITE)
    def close_todo(self, todo_id: str, note: str) -> Record:
        """
        Close a to-do.

        Args:
            todo_id: Its id.
            note: What to remember.
        """
        self.get_todo(todo_id)
        todo = self.session.edit("todos", todo_id)
        todo["status"] = "closed"
        if not note:
            raise ToolError("A note is needed")
        todo["note"] = note
        return todo

    def set_time(self, now: str) -> None:
        self.session.edit("office", "clock")["now"] = now

    def owner_is_reachable(self) -> bool:
        office = self.session.get("office", "owner")
        return office is not None and office["reachable"] is True

    def is_closed(self, todo_id: str) -> bool:
        return self.get_todo(todo_id)["status"] == "closed"

    def close_and_tell(self, todo_id: str) -> bool:
        """An assertion as it should not be: it changes what it looks at."""
        self.close_todo(todo_id, "asserted")
        return True


class PhoneTools(Toolkit):
    @tool(ToolKind.READ)
    def look_at_screen(self) -> Record:
        """Look at the telephone's screen."""
        screen = self.session.get("phone", "screen")
        assert screen is not None
        return screen

    @tool(ToolKind.WRITE)
    def switch(self, on: bool) -> str:
        """
        Switch the telephone on or off.

        Args:
            on: Whether it is on afterwards.
        """
        self.session.edit("phone", "screen")["on"] = on
        return "Done"

    def drop(self) -> None:
        screen = self.session.edit("phone", "screen")
        screen["on"], screen["cracked"] = False, True

    def shows(self, badge: int) -> bool:
        return bool(self.look_at_screen()["badge"] == badge)


def sync(office: OfficeTools, phone: PhoneTools) -> None:
    """The telephone shows how much is open; the office knows whether the telephone is on."""
    badge, screen = office.count_open(), phone.look_at_screen()
    if screen["badge"] != badge:
        phone.session.edit("phone", "screen")["badge"] = badge
    if office.owner_is_reachable() != screen["on"]:
        office.session.edit("office", "owner")["reachable"] = screen["on"]


def now(session: Session) -> datetime:
    clock = session.get("office", "clock")
    assert clock is not None
    return datetime.fromisoformat(clock["now"])


def build(**changes: Any) -> Environment:
    office = {
        "todos": {
            "t1": {"text": "Water the plants", "status": "open", "note": None},
            "t2": {"text": "Send the letter", "status": "open", "note": None},
        },
        "office": {
            "clock": {"now": "2026-03-02T09:00:00"},
            "owner": {"reachable": True},
        },
    }
    phone = {"phone": {"screen": {"on": True, "badge": 2, "cracked": False}}}
    parts: dict[str, Any] = {
        "name": "todo",
        "version": "1",
        "policy": POLICY,
        "toolkit": OfficeTools,
        "state": State(
            office, {"by_status": Index("todos", lambda todo: [todo["status"]])}
        ),
        "domain": no_requests(),
        "mode": Mode.CORRECTED,
        "user_toolkit": PhoneTools,
        "user_state": State(phone),
        "sync": sync,
        "policies": {"brief": BRIEF},
        "clock": now,
    }
    return Environment(**parts | changes)

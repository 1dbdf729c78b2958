"""The reference solver's view of the rental world: rows parsed from tool results, writes made through the tools, no state."""

import json
from collections.abc import Callable, Collection

from environments.core.errors import Unidentifiable
from environments.core.state import Record
from environments.core.tools import ToolCall, ToolResult
from environments.rental.relations import RentalRows


class ToolRows(RentalRows):
    """Calls tools as an agent does; with `allowed` (keys of calls) everything else stays unread."""

    def __init__(
        self, call: Callable[[ToolCall], ToolResult], allowed: Collection[str] | None
    ):
        self._call = call
        self._allowed = allowed
        self._seen: dict[str, ToolResult] = {}
        self._written: list[str] = []

    def may_read(self, call: ToolCall) -> bool:
        return self._allowed is None or call.key in self._allowed

    def customer_id(self, call: ToolCall) -> str | None:
        return self._read(call)

    def record(self, call: ToolCall) -> Record | None:
        text = self._read(call)
        found: Record | None = None if text is None else json.loads(text)
        return found

    def apply(self, call: ToolCall) -> None:
        result = self._call(call)
        if result.error:
            raise Unidentifiable("illegal", f"{call.name}: {result.content}")
        self._written.append(call.key)
        self._seen.clear()  # what was read may have changed

    def effect(self) -> str:
        """The solver does not see states; its writes stand for them."""
        return json.dumps(self._written)

    def _read(self, call: ToolCall) -> str | None:
        if not self.may_read(call):
            return None
        if call.key not in self._seen:
            self._seen[call.key] = self._call(call)
        result = self._seen[call.key]
        return None if result.error else result.content

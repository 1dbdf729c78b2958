"""What every reference solver does alike: reads made once through the tools, writes made through the tools, no state."""

import json
from collections.abc import Callable, Collection

from environments.core.errors import Unidentifiable
from environments.core.tools import ToolCall, ToolResult


class ToolSource:
    """Calls tools as an agent does; with `allowed` (keys of calls) everything else stays unread.

    A world's solver puts it before its rows: `class ToolRows(ToolSource, RetailRows)`.
    """

    def __init__(
        self, call: Callable[[ToolCall], ToolResult], allowed: Collection[str] | None
    ):
        self._call = call
        self._allowed = allowed
        self._seen: dict[str, ToolResult] = {}
        self._written: list[str] = []

    def may_read(self, call: ToolCall) -> bool:
        return self._allowed is None or call.key in self._allowed

    def read(self, call: ToolCall) -> str | None:
        """The result's text; None if it is an error, or the read may not be made."""
        if not self.may_read(call):
            return None
        if call.key not in self._seen:
            self._seen[call.key] = self._call(call)
        result = self._seen[call.key]
        return None if result.error else result.content

    def apply(self, call: ToolCall) -> None:
        """Make a write. Raises Unidentifiable("illegal") if the tool refuses."""
        result = self._call(call)
        if result.error:
            raise Unidentifiable("illegal", f"{call.name}: {result.content}")
        self._written.append(call.key)
        self._seen.clear()  # what was read may have changed

    def effect(self) -> str:
        """The solver does not see states; its writes stand for them."""
        return json.dumps(self._written)

    def has_effect_of(self, other: "ToolSource") -> bool:
        return self._written == other._written

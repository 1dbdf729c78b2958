"""The reference solver's view of the retail world: rows parsed from tool results, no state."""

import json

from environments.core.solver import ToolSource
from environments.core.state import Record
from environments.core.tools import ToolCall
from environments.retail.relations import RetailRows


class ToolRows(ToolSource, RetailRows):
    def user_id(self, call: ToolCall) -> str | None:
        return self.read(call)

    def record(self, call: ToolCall) -> Record | None:
        text = self.read(call)
        found: Record | None = None if text is None else json.loads(text)
        return found

"""The reference solver's view of the airline world: rows parsed from tool results, no state."""

import json

from environments.airline.relations import DIRECT, AirlineRows, trip_rows
from environments.core.domain import Row
from environments.core.solver import ToolSource
from environments.core.state import Record
from environments.core.tools import ToolCall


class ToolRows(ToolSource, AirlineRows):
    def record(self, call: ToolCall) -> Record | None:
        text = self.read(call)
        found: Record | None = None if text is None else json.loads(text)
        return found

    def status(self, call: ToolCall) -> str | None:
        return self.read(call)

    def trips(self, call: ToolCall) -> list[Row] | None:
        text = self.read(call)
        if text is None:
            return None
        found = json.loads(text)
        return trip_rows(
            call, [[flight] for flight in found] if call.name == DIRECT else found
        )

"""One spelling for writes that mean the same."""

from environments.core.tools import ToolCall


def canonical_write(call: ToolCall) -> ToolCall:
    """The call as it is: no rental write takes a list whose order could be free."""
    return call

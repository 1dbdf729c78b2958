"""Rows of other people's files as conversations: our own formats, and whatever else holds chats with tool calls.

Values in, values out: files are opened by `writ_app.adapters.reference_files`. Text is not trusted: it has limits in size, depth
and count, and whatever is wrong is said with the place where it stands.
"""

from writ_app.engine.importing.errors import BadFile, BadRow
from writ_app.engine.importing.rows import (
    KINDS,
    Imported,
    Kind,
    find_kind,
    joined_turns,
    kind_of,
    read_row,
)

__all__ = [
    "KINDS",
    "BadFile",
    "BadRow",
    "Imported",
    "Kind",
    "find_kind",
    "joined_turns",
    "kind_of",
    "read_row",
]

"""How much of anything a file may hold: beyond what real data sets have, and far below what would hurt."""

FILE_BYTES = 8_000_000_000
ROW_BYTES = 8_000_000
"""Of one line, or of one value of a larger file: brackets alone become fifty times as many bytes in memory."""
ROWS = 2_000_000
MESSAGES = 2_000
"""Of one conversation."""
CALLS = 128
"""Of one message."""
TOOLS = 1_024
DEPTH = 64
"""Of objects and lists in each other."""
WORLDS = 64
"""Different pairs of system prompt and tools that a set keeps once; a row with one more keeps its own."""
SHORT = 120
"""Characters of ids and other texts that become columns."""

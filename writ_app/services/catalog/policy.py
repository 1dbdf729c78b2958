"""A policy as lines for a page: headings, numbered clauses, everything else as it stands."""

import re
from dataclasses import dataclass
from typing import Literal

_HEADING = re.compile(r"(#{1,6}) +(.+)")
_CLAUSE = re.compile(r"(\d+\.\d+) +(.+)")


@dataclass(frozen=True)
class PolicyLine:
    kind: Literal["heading", "clause", "text"]
    text: str
    number: str = ""
    level: int = 0
    """Of a heading, 1 for the title."""
    position: int = 0

    @property
    def anchor(self) -> str:
        """A clause by its number, so that a link to it outlives edits elsewhere."""
        return f"c{self.number}" if self.number else f"l{self.position}"


def read_policy(policy: str) -> tuple[PolicyLine, ...]:
    """Lines in order; plain lines that follow each other stay one text, and empty ones part them."""
    lines: list[PolicyLine] = []
    open_text = False
    for position, line in enumerate(policy.splitlines()):
        if not line.strip():
            open_text = False
        elif heading := _HEADING.fullmatch(line):
            marks, text = heading.groups()
            lines.append(
                PolicyLine("heading", text, level=len(marks), position=position)
            )
            open_text = False
        elif clause := _CLAUSE.fullmatch(line):
            number, text = clause.groups()
            lines.append(PolicyLine("clause", text, number, position=position))
            open_text = False
        elif open_text:
            before = lines.pop()
            lines.append(
                PolicyLine("text", f"{before.text}\n{line}", position=before.position)
            )
        else:
            lines.append(PolicyLine("text", line, position=position))
            open_text = True
    return tuple(lines)

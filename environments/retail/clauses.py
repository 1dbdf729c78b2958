"""The clauses of the retail policy by number, so that a check can cite "policy 3.2"."""

import re
from pathlib import Path

_CLAUSE = re.compile(r"^(\d+\.\d+) (.+)$", re.MULTILINE)


def parse_clauses(policy: str) -> dict[str, str]:
    """Number → text of every paragraph that begins with a number, in the policy's order."""
    clauses: dict[str, str] = {}
    for number, text in _CLAUSE.findall(policy):
        if number in clauses:
            raise ValueError(f"The policy has two clauses {number}.")
        clauses[number] = text
    return clauses


CLAUSES: dict[str, str] = parse_clauses(
    Path(__file__).with_name("policy.md").read_text(encoding="utf-8")
)

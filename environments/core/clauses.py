"""The clauses of a policy by number, so that a check can cite "policy 3.2"."""

import re

_CLAUSE = re.compile(r"^(\d+\.\d+) (.+)$", re.MULTILINE)


def parse_clauses(policy: str) -> dict[str, str]:
    """Number → text of every paragraph that begins with a number, in the policy's order."""
    clauses: dict[str, str] = {}
    for number, text in _CLAUSE.findall(policy):
        if number in clauses:
            raise ValueError(f"The policy has two clauses {number}.")
        clauses[number] = text
    return clauses

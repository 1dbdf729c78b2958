"""The clauses of the rental policy by number."""

from pathlib import Path

from environments.core.clauses import parse_clauses

CLAUSES: dict[str, str] = parse_clauses(
    Path(__file__).with_name("policy.md").read_text(encoding="utf-8")
)

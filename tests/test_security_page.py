"""docs/security.md names a test for every line, and each of them exists."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "security.md").read_text()
WITHOUT = ("by hand: ",)
"""How a cell begins that gives a reason in place of a test."""


@cache
def names_in(path: str) -> frozenset[str]:
    """`Class::test` and `test` of a file."""
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(
        f"{prefix}{node.name}"
        for holder, prefix in [
            (tree, ""),
            *(
                (one, f"{one.name}::")
                for one in tree.body
                if isinstance(one, ast.ClassDef)
            ),
        ]
        for node in holder.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def rows() -> list[list[str]]:
    """Cells of every row of the tables, headings left out."""
    lines = [line for line in PAGE.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for row in cells if row[0] != "line"]


def test_every_line_names_a_test_or_a_reason() -> None:
    assert len(rows()) > 25
    assert [row[0] for row in rows() if len(row) != 3] == []
    assert [
        row[0]
        for row in rows()
        if "::test_" not in row[2] and not row[2].startswith(WITHOUT)
    ] == []


def test_every_test_that_is_named_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::([\w:]+)`", PAGE)

    assert len(named) > 30
    assert [
        f"{path}::{test}" for path, test in named if test not in names_in(path)
    ] == []

"""docs/tasks.md cannot rot: its example is a line that holds, its grid can be filled, and its tables have every field."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from environments.core.tools import ToolCall
from writ_app.adapters.worlds import named_world
from writ_app.engine.filling import MISSES
from writ_app.engine.grid import Grid, Target, read_grid
from writ_app.engine.proving import Prover
from writ_app.engine.task_design import Designer
from writ_app.engine.task_file import (
    FileBurden,
    FileCall,
    FileCompanions,
    FileRead,
    FileTask,
    FileTold,
    FileWitness,
    line_of,
    read_line,
)
from writ_app.engine.types import BURDEN_BANDS, WRITE_BANDS, SaidClause, WriteOrders

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "tasks.md").read_text(encoding="utf-8")
EXAMPLE, GRID = re.findall(r"^```json\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
TABLES: dict[str, type[BaseModel]] = {
    "A line": FileTask,
    "A call": FileCall,
    "A told value": FileTold,
    "A clause": SaidClause,
    "A read of the certificate": FileRead,
    "A witness": FileWitness,
    "The burden": FileBurden,
    "The companions": FileCompanions,
    "The orders": WriteOrders,
    "Grids": Grid,
    "A cell": Target,
}


def rows(heading: str) -> list[str]:
    """Names in the first column of the table under a heading."""
    (section,) = re.findall(
        rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", TEXT, re.MULTILINE | re.DOTALL
    )
    return re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


class TestTables:
    @pytest.mark.parametrize("heading", TABLES)
    def test_have_every_field_in_order_and_no_other(self, heading: str) -> None:
        fields = TABLES[heading].model_fields

        assert rows(heading) == [field.alias or name for name, field in fields.items()]

    def test_name_every_band(self) -> None:
        for bands in (WRITE_BANDS, BURDEN_BANDS):
            for band in bands:
                assert f"`{band}`" in TEXT

    def test_tell_after_how_many_tries_a_cell_is_given_up(self) -> None:
        assert f"for {MISSES} tries is given up" in TEXT

    def test_are_linked_from_the_readme(self) -> None:
        assert "(docs/tasks.md)" in (ROOT / "README.md").read_text(encoding="utf-8")


class TestExample:
    def test_holds(self) -> None:
        line = read_line(EXAMPLE)

        assert Prover(named_world(line.environment, line.version)).refute(line) is None

    def test_is_what_is_designed(self) -> None:
        line = read_line(EXAMPLE)
        designer = Designer(named_world(line.environment, line.version))

        task = designer.design(line.archetype, line.seed)

        assert json.loads(line_of(task)) == json.loads(EXAMPLE)

    def test_shows_every_field(self) -> None:
        raw: Any = json.loads(EXAMPLE)
        for shown, model in (
            (raw, FileTask),
            (raw["certificate"][0], FileRead),
            (raw["certificate"][0]["witness"], FileWitness),
            (raw["burden"], FileBurden),
            (raw["companions"], FileCompanions),
            (raw["clauses"][0], SaidClause),
            (raw["gold"][0], FileCall),
        ):
            fields = model.model_fields.items()
            assert set(shown) == {field.alias or name for name, field in fields}

    def test_can_be_checked_by_hand_as_the_page_says(self) -> None:
        """The page's own lines, and then what it says of them."""
        (code,) = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
        scope: dict[str, Any] = {"LINE": EXAMPLE}
        exec(compile(code, "tasks.md", "exec"), scope)
        line, here, there = scope["line"], scope["here"], scope["there"]

        same = []
        for read in line.certificate:
            call = ToolCall(name=read.name, arguments=read.arguments)
            same.append(here.call(call) == there.call(call))
        assert same == [True, True, False]


class TestGrid:
    def test_can_be_read(self) -> None:
        environment = named_world("rental", "generated-1-10")

        grid = read_grid(json.loads(GRID), environment)

        assert len(grid.weights) == 3
        assert grid.archetypes == {"E13": 2.5, "N2": 0}

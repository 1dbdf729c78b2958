import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from environments.conformance import check_calculate, check_file, check_schemas
from environments.core.environment import Environment
from environments.registry import world

SCHEMA_CASES = {"airline": 16, "retail": 18}
"""One for each tool, one for the tools' kinds, one for the initial hash."""


@pytest.fixture(scope="module", params=["airline", "retail"])
def reference(request: pytest.FixtureRequest, tau2_root: Path) -> Environment:
    folder = tau2_root / "checkout/data/tau2/domains" / request.param
    ours = world(request.param)
    return ours.build(
        state=ours.read_state(json.loads((folder / "db.json").read_text())),
        version="reference",
    )


def rows_of(path: Path) -> list[Any]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


class TestCheckFile:
    @pytest.mark.parametrize(
        "name", ["gold_replay", "random_calls", "random_episodes", "quirk_episodes"]
    )
    def test_finds_no_difference_to_the_reference(
        self, reference: Environment, tau2_root: Path, name: str
    ) -> None:
        rows = rows_of(tau2_root / f"vectors/{reference.name}/{name}.jsonl.gz")

        outcome = check_file(reference, name, rows)

        assert outcome.failures == []
        assert outcome.passed == len(rows) > 0

    def test_notices_one_changed_letter_and_one_changed_hash(
        self, reference: Environment, tau2_root: Path
    ) -> None:
        rows = rows_of(tau2_root / f"vectors/{reference.name}/random_calls.jsonl.gz")[
            :2
        ]
        rows[0]["result"] += "."
        rows[1]["hash_after"] = "0" * 64

        outcome = check_file(reference, "random_calls", rows)

        assert outcome.passed == 0
        assert len(outcome.failures) == 2

    @pytest.mark.parametrize("side", ["before", "after"])
    def test_notices_a_changed_side_of_a_difference(
        self, reference: Environment, tau2_root: Path, side: str
    ) -> None:
        path = tau2_root / f"vectors/{reference.name}/random_calls.jsonl.gz"
        row = next(
            row
            for row in rows_of(path)
            if any(side in step for step in row.get("diff", []))
        )
        next(step for step in row["diff"] if side in step)[side] = "something else"

        assert check_file(reference, "random_calls", [row]).passed == 0

    def test_notices_a_changed_value_of_a_touched_record(
        self, reference: Environment, tau2_root: Path
    ) -> None:
        path = tau2_root / f"vectors/{reference.name}/gold_replay.jsonl.gz"
        row = next(row for row in rows_of(path) if row["touched"])
        sides = next(iter(row["touched"].values()))
        sides["after"] = {**sides["after"], "unheard_of": 1}

        assert check_file(reference, "gold_replay", [row]).passed == 0


class TestCheckSchemas:
    def test_finds_schemas_kinds_and_initial_hash_equal(
        self, reference: Environment, tau2_root: Path
    ) -> None:
        schemas, meta = (
            json.loads((tau2_root / f"vectors/schemas/{name}.json").read_text())
            for name in (f"{reference.name}.tool_schemas", f"{reference.name}.meta")
        )

        outcome = check_schemas(reference, schemas, meta)

        assert outcome.failures == []
        assert outcome.passed == SCHEMA_CASES[reference.name]


class TestCheckCalculate:
    def test_finds_the_whole_table_equal(
        self, reference: Environment, tau2_root: Path
    ) -> None:
        rows = [
            json.loads(line)
            for line in (tau2_root / "vectors/calculate_table.jsonl")
            .read_text()
            .splitlines()
        ]

        outcome = check_calculate(reference, rows)

        assert outcome.failures == []
        assert outcome.passed == 77

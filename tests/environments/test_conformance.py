import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from environments.conformance import check_calculate, check_file, check_schemas
from environments.core.environment import Environment
from environments.registry import world


@pytest.fixture(scope="module")
def reference(tau2_root: Path) -> Environment:
    folder = tau2_root / "checkout/data/tau2/domains/retail"
    retail = world("retail")
    return retail.build(
        state=retail.read_state(json.loads((folder / "db.json").read_text())),
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
        rows = rows_of(tau2_root / f"vectors/retail/{name}.jsonl.gz")

        outcome = check_file(reference, name, rows)

        assert outcome.failures == []
        assert outcome.passed == len(rows) > 0

    def test_notices_one_changed_letter_and_one_changed_hash(
        self, reference: Environment, tau2_root: Path
    ) -> None:
        rows = rows_of(tau2_root / "vectors/retail/random_calls.jsonl.gz")[:2]
        rows[0]["result"] += "."
        rows[1]["hash_after"] = "0" * 64

        outcome = check_file(reference, "random_calls", rows)

        assert outcome.passed == 0
        assert len(outcome.failures) == 2


class TestCheckSchemas:
    def test_finds_schemas_kinds_and_initial_hash_equal(
        self, reference: Environment, tau2_root: Path
    ) -> None:
        schemas, meta = (
            json.loads((tau2_root / f"vectors/schemas/retail.{kind}.json").read_text())
            for kind in ("tool_schemas", "meta")
        )

        outcome = check_schemas(reference, schemas, meta)

        assert outcome.failures == []
        assert outcome.passed == 18


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

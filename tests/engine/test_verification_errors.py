"""A bounded run of tests/benchmarks/verification_errors.py over all worlds and classes: no clean conversation is rejected, no faulty one accepted."""

from functools import cache

import pytest

from environments.registry import names
from tests.benchmarks.verification_errors import (
    Case,
    Errors,
    Pool,
    clean_cases,
    faulty_cases,
    make_pool,
)
from writ_app.engine.scripted import FAULTS


@cache
def pools() -> tuple[Pool, ...]:
    return tuple(
        make_pool(name, per_archetype=1, every=5, composed=4) for name in names()
    )


@pytest.mark.slow
class TestVerification:
    def test_rejects_no_clean_conversation(self) -> None:
        wrong = [case for case in clean_cases(pools(), 150, 11) if shown(case)]
        assert [str(case) for case in wrong] == []

    def test_catches_every_fault_by_its_own_check_and_owner(self) -> None:
        cases = list(faulty_cases(pools(), 3 * len(FAULTS), 11))
        assert {case.fault for case in cases} == set(FAULTS)
        assert [str(case) for case in cases if case.caught != "right"] == []


def shown(case: Case) -> bool:
    return not case.verification.accepted


class TestErrors:
    def test_counts_what_came_out_wrong(self) -> None:
        errors = Errors()
        clean = next(clean_cases(pools(), 1, 0))
        errors.add(clean)
        assert errors.wrong == []
        fault = next(faulty_cases(pools(), 1, 0, ["missing_read"]))
        errors.add(fault)
        assert errors.faulty["missing_read"]["right"] == 1
        missed = Case(
            fault.task,
            fault.ledger,
            fault.seed,
            fault.fault,
            clean.trajectory,
            clean.verification,
        )
        errors.add(missed)
        assert errors.faulty["missing_read"]["accepted"] == 1
        assert errors.wrong == [missed]

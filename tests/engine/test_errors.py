"""The words for what a design refuses."""

import re
from pathlib import Path

from writ_app.engine import errors
from writ_app.engine.errors import REASONS

ROOT = Path(__file__).resolve().parents[2]
CODE = "\n".join(
    path.read_text()
    for path in (
        *(ROOT / "environments/core").glob("*.py"),
        *(ROOT / "writ_app/engine").glob("*.py"),
        *(ROOT / "writ_app/services").rglob("*.py"),
    )
    if path != Path(errors.__file__)
)


def test_every_reason_for_a_refusal_is_explained() -> None:
    raised = set(re.findall(r"(?:InvalidTask|Unidentifiable)\(\s*\"(\w+)\"", CODE))

    assert len(raised) > 15
    assert raised - REASONS.keys() == set()


def test_every_explanation_is_of_a_reason_that_is_given() -> None:
    written = set(re.findall(r"\"(\w+)\"", CODE))

    assert REASONS.keys() - written == set()

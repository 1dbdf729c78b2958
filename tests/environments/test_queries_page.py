"""docs/queries.md cannot rot: every example on it is built, evaluated and compared with what the page shows."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from environments.core import query as language
from environments.core.errors import Unidentifiable
from environments.core.evaluate import Answer, answer, check_rivals
from environments.core.query import Query
from environments.core.state import Session
from environments.rental import generated

PAGE = Path(__file__).parents[2] / "docs" / "queries.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHOP = generated(seed=1, users=60)
ACCOUNT_STEPS = 2


def outcome(query: Query, facts: dict[str, Any]) -> list[str]:
    """What the request comes to, one line each, as the page shows it."""
    domain = SHOP.domain
    try:
        found = answer(query, facts, domain.from_state(Session(SHOP.state)), domain)
        check_rivals(
            query, facts, lambda: domain.from_state(Session(SHOP.state)), domain, found
        )
    except Unidentifiable as error:
        return [f"refused as {error.reason}: {error}"]
    return list(_told(found))


def _told(found: Answer) -> list[str]:
    lines = [
        f"{call.name}({', '.join(f'{k}={json.dumps(v)}' for k, v in call.arguments.items())})"
        for call in found.gold
    ]
    lines += [f"{one.what}: {json.dumps(one.value)}" for one in found.told]
    lines += [f"declined by policy {found.declined}"] * bool(found.declined)
    lines += [f"transferred by policy {found.transferred}"] * bool(found.transferred)
    return lines


def shown(query: Query, facts: dict[str, Any]) -> str:
    """A query without the steps that find the account, and its answer."""
    printed = str(Query(steps=query.steps[ACCOUNT_STEPS:]))
    return "\n".join([printed, *(f"→ {line}" for line in outcome(query, facts))]) + "\n"


@cache
def examples() -> list[tuple[str, str, str]]:
    """(name, what running it shows, what the page shows) of each block of Python that is followed by text."""
    scope: dict[str, Any] = {}
    found = []
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    for n, (kind, text) in enumerate(blocks):
        if kind == "python":
            exec(compile(text, f"{PAGE.name}, block {n}", "exec"), scope)
        else:
            came_out = shown(scope["query"], scope["facts"])
            found.append((f"block {n}", came_out, text))
    return found


class TestExamples:
    @pytest.mark.parametrize(
        ("came_out", "on_page"),
        [(came_out, on_page) for _, came_out, on_page in examples()],
        ids=[name for name, _, _ in examples()],
    )
    def test_print_and_answer_as_the_page_says(
        self, came_out: str, on_page: str
    ) -> None:
        assert came_out == on_page

    def test_are_all_followed_by_what_they_print(self) -> None:
        kinds = [kind for kind, _ in BLOCK.findall(PAGE.read_text(encoding="utf-8"))]
        pairs = list(zip(kinds, [*kinds[1:], ""], strict=True))

        without = [kind for kind, after in pairs if kind == after == "python"]
        assert len(examples()) >= 20
        assert len(without) == 2  # the preparation, and the hashes

    def test_show_every_part_of_the_language(self) -> None:
        text = PAGE.read_text(encoding="utf-8")
        parts = [
            name
            for name, part in vars(language).items()
            if isinstance(part, type)
            and issubclass(part, language.Node)
            and part is not language.Node
            and not name.startswith("_")
        ]

        assert len(parts) >= 20
        assert [name for name in parts if name not in text] == []

    @pytest.mark.parametrize("step", ["the", "best", "each", "let", "if", "write"])
    def test_show_every_printed_step(self, step: str) -> None:
        assert any(
            on_page.startswith(f"{step} ") or f"\n{step} " in on_page
            for _, _, on_page in examples()
        )

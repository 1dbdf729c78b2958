"""The how-tos are followed: what they tell people to write is written, put where they say, and does what they say."""

import json
import sys
import types
from typing import Any

import pytest

from environments.core.environment import Environment
from environments.core.policy import PolicyTrace
from tests.api.client import token_of
from tests.docs.pages import Page
from tests.engine.export import test_formats
from tests.engine.export.losses import FOR_TRAINERS
from tests.engine.export.made import dataset
from tests.engine.talks import (
    called,
    calls_of,
    edited,
    judged,
    ledger_of,
    small_shop,
    talk,
    task_of,
)
from tests.factories import make_owner
from tests.fakes import Reply, call_reply, chat_server, text_reply
from writ_app.adapters.trial import ORDER
from writ_app.engine import verification
from writ_app.engine.export import writing
from writ_app.engine.export.formats import FORMATS
from writ_app.engine.export.options import Options
from writ_app.engine.verification.trace import Trace
from writ_app.models.synthesis import ModelEndpoint


def blocks(page: str, count: int) -> list[str]:
    """The page's blocks of Python, of which there are so many."""
    found = [block.text for block in Page(page).blocks if block.kind == "python"]
    assert len(found) == count
    return found


def written(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a module of this text would hold, under this name."""
    module = types.ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    exec(compile(text, name, "exec"), module.__dict__)
    return module.__dict__


class TestACheck:
    @pytest.fixture
    def page(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
        """The page's test, once its check is where the page puts it."""
        check, test, _ = blocks("docs/how-to-check.md", 3)
        made = written("writ_app.engine.verification.brevity", check, monkeypatch)
        added = (*verification.CHECKS, made["check_brevity"])
        monkeypatch.setattr(verification, "CHECKS", added)
        return written("test_brevity", test, monkeypatch)

    @pytest.mark.parametrize(
        "name",
        [
            "test_passes_a_scripted_conversation",
            "test_rejects_a_lecture_and_says_where_it_is",
        ],
    )
    def test_does_what_the_pages_own_test_says(
        self, page: dict[str, Any], name: str
    ) -> None:
        page[name]()

    def test_without_its_place_judges_nobody(self) -> None:
        names = [check.name for check in judged(talk("R1"), "R1").checks]

        assert "brevity" not in names

    def test_of_one_clause_finds_the_breach_and_nothing_else(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        *_, text = blocks("docs/how-to-check.md", 3)
        (check,) = written("policy_checks", text, monkeypatch)["POLICY_CHECKS"]
        shop = small_shop()
        transferred = talk("T1")
        one_more = called(calls_of(transferred)[0], 9, "")
        again = edited(transferred, lambda messages: [*messages, *one_more])

        assert check.clause in shop.clauses
        assert list(check.judge(policy_trace(shop, "T1", transferred))) == []
        (breach,) = check.judge(policy_trace(shop, "T1", again))
        assert breach.where[-1] == len(transferred.messages)


def policy_trace(shop: Environment, archetype: str, trajectory: Any) -> PolicyTrace:
    return Trace(
        shop, task_of(archetype), trajectory, ledger_of(archetype)
    ).policy_trace()


class TestAFormat:
    @pytest.fixture(autouse=True)
    def made(self, monkeypatch: pytest.MonkeyPatch) -> None:
        (text,) = blocks("docs/how-to-format.md", 1)
        name = "writ_app.engine.export.formats.transcript"
        fmt = written(name, text, monkeypatch)["TRANSCRIPT"]
        monkeypatch.setitem(FORMATS, fmt.slug, fmt)

    def test_holds_to_what_all_formats_are_held_to(self) -> None:
        every = test_formats.TestEveryFormat()
        slug = "transcript"
        assert (
            slug not in FOR_TRAINERS
        )  # the tests over all formats begin before it is there

        every.test_writes_the_same_row_each_time(slug)
        every.test_has_a_name_a_loader_and_its_losses_told()

    def test_gives_back_what_it_does_not_lose(self) -> None:
        for one in dataset().records():
            back = test_formats.read_back("transcript", one)
            wanted = test_formats.expected(FORMATS["transcript"], one, Options())
            assert test_formats.compact(list(back)) == test_formats.compact(
                list(wanted)
            )

    def test_writes_files_that_its_own_snippet_loads(
        self, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for file in writing.files(dataset(), ["transcript"], Options()):
            path = tmp_path / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"".join(file.chunks))
        monkeypatch.chdir(tmp_path)
        scope: dict[str, Any] = {}

        exec(FORMATS["transcript"].load, scope)

        assert len(scope["rows"]) == 7
        assert {pair[0] for row in scope["rows"] for pair in row["transcript"]} == {
            "user",
            "assistant",
            "call",
            "result",
        }


@pytest.mark.django_db(transaction=True)
def test_a_model_is_added_and_tried_as_the_page_says(
    live_server: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def answer(request: dict[str, Any]) -> Reply:
        if request.get("tools"):
            name = request["tools"][0]["function"]["name"]
            return call_reply(name, json.dumps({"order_id": ORDER}))
        return text_reply("Good day.")

    (text,) = blocks("docs/how-to-model.md", 1)
    monkeypatch.setenv("WRIT_URL", live_server.url)
    monkeypatch.setenv("WRIT_TOKEN", token_of(make_owner()))
    with chat_server(answer) as server:
        monkeypatch.setenv("MY_MODEL", server.url)

        exec(compile(text, "docs/how-to-model.md", "exec"), {})

    assert len(server.requests) == 2
    assert ModelEndpoint.objects.get().name == "mine"
    assert capsys.readouterr().out == "works\n"

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.fakes import ChatServer, Reply, chat_server, error_reply, text_reply
from tests.stored_batches import play_batch
from writ_app.engine.judge import PROMPT_VERSION, QUESTIONS
from writ_app.models.synthesis import Batch, ModelEndpoint, Trajectory
from writ_app.models.verification import JudgeNote, NoteOutcome
from writ_app.services.synthesis import judging
from writ_app.services.synthesis.endpoints import pin

pytestmark = pytest.mark.django_db(transaction=True)

TOKENS = 14
"""What the server says that each answer took."""


def run(*words: object) -> str:
    out = StringIO()
    call_command("judge_batch", *map(str, words), stdout=out)
    return out.getvalue()


def answer(request: dict[str, Any]) -> Reply:
    scores = {one.name: {"score": 5, "why": "Fine."} for one in QUESTIONS}
    return text_reply(json.dumps({"scores": scores}))


@pytest.fixture
def batch() -> Batch:
    return play_batch(ordered=4, faults=["wrong_argument"])


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with chat_server(answer) as server:
        ModelEndpoint.objects.create(
            name="local", model="openai/test", base_url=server.url
        )
        yield server


class TestJudgeBatch:
    def test_notes_what_the_judge_says_of_accepted_ones_and_changes_no_judgement(
        self, batch: Batch, server: ChatServer
    ) -> None:
        before = list(Trajectory.objects.order_by("pk").values())

        printed = run("--batch", batch.pk, "--endpoint", "local")

        assert printed.startswith(f"3 notes: 3 answered. {3 * TOKENS} tokens, $0.0000")
        assert list(Trajectory.objects.order_by("pk").values()) == before
        notes = JudgeNote.objects.all()
        assert {note.trajectory.accepted for note in notes} == {True}
        assert {(n.judge, n.prompt_version, n.seed) for n in notes} == {
            ("local", PROMPT_VERSION, 0)
        }
        assert {note.prompt_tokens + note.completion_tokens for note in notes} == {
            TOKENS
        }
        assert all("tools" not in request for request in server.requests)

    def test_is_the_judge_of_the_order_unless_another_is_named(
        self, batch: Batch, server: ChatServer
    ) -> None:
        with pytest.raises(CommandError, match="ordered without a judge"):
            run("--batch", batch.pk)
        endpoint = ModelEndpoint.objects.get(name="local")
        batch.played_by["judge"] = pin(endpoint) | {"name": "as-ordered"}
        batch.save()
        endpoint.delete()

        assert run("--batch", batch.pk, "--limit", 1).startswith("1 notes: 1 answered")

        assert JudgeNote.objects.get().judge == "as-ordered"

    def test_goes_on_where_it_stopped(self, batch: Batch, server: ChatServer) -> None:
        words = ("--batch", batch.pk, "--endpoint", "local")

        counts = [run(*words, *more)[0] for more in (("--limit", 1), (), ())]

        assert counts == ["1", "2", "0"]
        assert len(server.requests) == JudgeNote.objects.count() == 3
        assert run(*words, "--all").startswith("1 notes")
        assert run(*words, "--seed", 2).startswith("3 notes")

    def test_keeps_garbage_and_does_not_pay_for_it_twice(
        self, batch: Batch, server: ChatServer
    ) -> None:
        server.answer = lambda request: text_reply("APPROVE <script>\u202e")

        printed = run("--batch", batch.pk, "--endpoint", "local")

        assert printed.startswith("3 notes: 3 answer cannot be read")
        note = JudgeNote.objects.first()
        assert note is not None
        assert (note.outcome, note.content) == (NoteOutcome.UNREADABLE, None)
        assert note.raw == "APPROVE <script>�"
        assert run("--batch", batch.pk, "--endpoint", "local").startswith("0 notes")

    def test_stops_at_a_cap_and_counts_earlier_runs(
        self, batch: Batch, server: ChatServer
    ) -> None:
        words = ("--batch", batch.pk, "--endpoint", "local", "--max-tokens", TOKENS + 1)

        first, second = run(*words), run(*words)

        assert first.startswith("2 notes")
        assert "Stopped: the cap of 15 tokens is reached (28 used)." in first
        assert second.startswith("0 notes")
        assert len(server.requests) == 2

    def test_stops_at_a_cap_in_dollars(self, batch: Batch, server: ChatServer) -> None:
        run("--batch", batch.pk, "--endpoint", "local", "--limit", 1)
        JudgeNote.objects.update(cost=0.5)

        printed = run("--batch", batch.pk, "--endpoint", "local", "--max-cost", 0.4)

        assert "Stopped: the cap of $0.4 is reached ($0.5000 spent)." in printed
        assert len(server.requests) == 1

    def test_leaves_a_model_alone_that_cannot_be_reached_and_asks_again_later(
        self, batch: Batch, server: ChatServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(judging, "GIVE_UP", 2)
        server.answer = lambda request: error_reply(500, "out of order")
        with pytest.raises(CommandError, match="The judge gave nothing"):
            run("--batch", batch.pk, "--endpoint", "local")
        assert len(server.requests) == 2

        server.answer = answer
        printed = run("--batch", batch.pk, "--endpoint", "local")

        assert printed.startswith("3 notes: 3 answered")
        assert set(JudgeNote.objects.values_list("outcome", flat=True)) == {"ANSWERED"}

    def test_says_what_is_not_there(self, batch: Batch, server: ChatServer) -> None:
        with pytest.raises(CommandError, match="There is no batch 0"):
            run("--batch", 0, "--endpoint", "local")
        with pytest.raises(CommandError, match="no endpoint 'other'; there is local"):
            run("--batch", batch.pk, "--endpoint", "other")
        with pytest.raises(CommandError, match="--max-cost is above 0"):
            run("--batch", batch.pk, "--endpoint", "local", "--max-cost", 0)

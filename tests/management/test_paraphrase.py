from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.fakes import ChatServer, chat_server, error_reply, rewording
from writ_app.models.accounts import User
from writ_app.models.synthesis import Batch, ModelEndpoint, Paraphrase
from writ_app.services import accounts, catalog, synthesis

pytestmark = pytest.mark.django_db(transaction=True)


def run(*words: object) -> str:
    out = StringIO()
    call_command("paraphrase", *map(str, words), stdout=out)
    return out.getvalue()


@pytest.fixture
def batch() -> Batch:
    owner = User.objects.create_user(username="olga", password="x")
    batch = synthesis.start_batch(
        team=accounts.create_team(name="Team", owner=owner),
        by=owner,
        name="Batch",
        environment=catalog.register_generated(name="retail", seed=7, users=60),
        seed=1,
        ordered=3,
        mix={"R5": 2, "R6": 1},
    )
    assert len(list(synthesis.design_batch(batch_id=batch.pk))) == 3
    return batch


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with chat_server(rewording) as server:
        ModelEndpoint.objects.create(
            name="local", model="openai/test", base_url=server.url
        )
        yield server


class TestParaphrase:
    def test_stores_what_a_model_wrote_and_says_how_it_went(
        self, batch: Batch, server: ChatServer
    ) -> None:
        printed = run("--batch", batch.pk, "--model", "local")

        assert printed == "3 paraphrases: 2 accepted, 1 other_query.\n"
        rows = Paraphrase.objects.filter(accepted=True)
        assert all(row.text.startswith("Well, ") for row in rows)
        assert {row.paraphraser for row in rows} == {"local"}
        assert len(server.requests) == 6

    def test_goes_on_where_it_stopped(self, batch: Batch, server: ChatServer) -> None:
        first = run("--batch", batch.pk, "--model", "local", "--limit", 1)
        second = run("--batch", batch.pk, "--model", "local")
        third = run("--batch", batch.pk, "--model", "local")

        assert [text[0] for text in (first, second, third)] == ["1", "2", "0"]
        assert Paraphrase.objects.count() == 3

    def test_tries_again_where_the_provider_failed(
        self, batch: Batch, server: ChatServer
    ) -> None:
        server.answer = lambda request: error_reply(500, "out of order")
        with pytest.raises(CommandError, match="No model gave anything"):
            run("--batch", batch.pk, "--model", "local")
        assert {row.reason for row in Paraphrase.objects.all()} == {"model_error"}

        server.answer = rewording
        printed = run("--batch", batch.pk, "--model", "local")

        assert printed.startswith("3 paraphrases")
        assert Paraphrase.objects.count() == 3
        assert not Paraphrase.objects.filter(reason="model_error").exists()

    def test_says_what_is_not_there(self, batch: Batch, server: ChatServer) -> None:
        with pytest.raises(CommandError, match="There is no batch 0"):
            run("--batch", 0, "--model", "local")
        with pytest.raises(CommandError, match="no endpoint 'other'; there is local"):
            run("--batch", batch.pk, "--model", "other")
        with pytest.raises(CommandError, match="at least 1"):
            run("--batch", batch.pk, "--model", "local", "--limit", 0)

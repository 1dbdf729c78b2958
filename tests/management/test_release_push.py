import json
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.factories import judge, make_batch, make_owner, make_trajectory, team_of
from tests.hub_server import TOKEN, Hub, hub_running
from tests.releases import NOW
from writ_app.models.review import Verdict
from writ_app.services.release import freeze_release

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def release() -> None:
    owner = make_owner(name="ada")
    row = make_trajectory(batch=make_batch(team=team_of(owner), by=owner), number=0)
    judge(row, Verdict.APPROVE, owner)
    freeze_release(team=team_of(owner), name="first", by=owner, at=NOW)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with hub_running() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield hub


def run(*words: str) -> str:
    out = StringIO()
    words = ("first-v1", "--repo", "ada/first", "--formats", "trl", *words)
    call_command("release_push", *words, stdout=out, stderr=StringIO())
    return out.getvalue()


class TestReleasePush:
    def test_sends_the_files_and_says_where_they_are(self, hub: Hub) -> None:
        printed = run()

        assert f"{hub.address}/datasets/ada/first/commit/" in printed
        assert "trl/train.jsonl" in hub.files("ada/first")
        assert "Everything was there already." in run()

    def test_a_dry_run_lists_and_sends_nothing(self, hub: Hub) -> None:
        told = json.loads(run("--dry-run", "--json"))

        assert {one["state"] for one in told["files"]} == {"new"}
        assert not hub.repos

    def test_tells_in_json(self, hub: Hub) -> None:
        told = json.loads(run("--json", "--private"))

        assert told["commit"].startswith(hub.address)
        assert hub.repos["ada/first"]["private"]

    def test_needs_a_token(self, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("HF_TOKEN")

        with pytest.raises(CommandError, match="Set HF_TOKEN"):
            run()

    def test_refuses_a_wrong_token_without_telling_it(
        self, hub: Hub, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HF_TOKEN", "hf_wrongToken")

        with pytest.raises(CommandError, match="HF_TOKEN has to hold") as refused:
            run()

        assert "hf_wrongToken" not in str(refused.value)

    def test_refuses_a_format_that_there_is_not(self, hub: Hub) -> None:
        with pytest.raises(CommandError, match="no format 'nope'"):
            run("--formats", "nope")

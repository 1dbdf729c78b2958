"""`manage.py synthesize` on the real database, with a real worker where something is simulated."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.fakes import chat_server, text_reply
from writ_app.management.commands import synthesize as command
from writ_app.models.accounts import User
from writ_app.models.synthesis import Batch, BatchStatus, ModelEndpoint
from writ_app.services import accounts, catalog, synthesis

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner() -> User:
    owner = User.objects.create_user(username="olga", password="x")
    accounts.create_team(name="Team", owner=owner)
    return owner


@pytest.fixture
def shop(owner: User) -> str:
    catalog.register_generated(name="retail", seed=7, users=60)
    return "retail"


def run(*words: object) -> tuple[str, str]:
    """What is printed to standard output and to standard error."""
    out, err = StringIO(), StringIO()
    call_command("synthesize", *map(str, words), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def refused(*words: object) -> CommandError:
    with pytest.raises(CommandError) as error:
        run(*words)
    return error.value


class TestWatchAndCancel:
    @pytest.mark.parametrize("what", ["--watch", "--cancel"])
    def test_take_no_words_of_an_order(self, shop: str, what: str) -> None:
        run("--environment", shop, "--count", 3)
        batch = Batch.objects.get()

        error = refused(what, batch.pk, "--count", 50, "--max-tokens", 9)

        assert error.returncode == command.BAD_ORDER
        assert "--count, --max-tokens cannot change it" in str(error)
        batch.refresh_from_db()
        assert (batch.ordered, batch.status) == (3, BatchStatus.DESIGNING)


class TestOrder:
    def test_is_that_of_the_words_and_says_how_to_watch_it(
        self, shop: str, owner: User, tmp_path: Path
    ) -> None:
        endpoint = ModelEndpoint.objects.create(name="mine", model="openai/mine")
        mix = tmp_path / "mix.json"
        mix.write_text('{"R1": 2, "R5": 0.5}')
        words = ["--environment", shop, "--count", 9, "--mix", mix, "--seed", 4]
        words += [
            "--plans",
            "upfront,corrected",
            "--agent",
            "mine",
            "--max-cost",
            "2.5",
        ]

        printed, _ = run(*words, "--max-tokens", 1000, "--name", "Nightly")

        batch = Batch.objects.get()
        assert f"--watch {batch.pk}" in printed
        assert (batch.name, batch.ordered, batch.seed) == ("Nightly", 9, 4)
        assert batch.mix == {"R1": 2, "R5": 0.5}
        assert batch.plans == ["upfront", "corrected"]
        assert (batch.agent, batch.user_simulator) == (endpoint, None)
        assert batch.played_by["agent"]["model"] == "openai/mine"
        assert (float(batch.max_cost or 0), batch.max_tokens) == (2.5, 1000)
        assert (batch.team.name, batch.created_by) == ("Team", owner)
        assert batch.environment.version.startswith("generated-7-60")

    def test_is_made_again_with_changes(self, shop: str) -> None:
        run("--environment", shop, "--count", 3, "--seed", 4, "--name", "First")
        first = Batch.objects.get()

        run("--clone", first.pk, "--count", 5, "--max-tokens", 9)

        again = Batch.objects.exclude(pk=first.pk).get()
        assert (again.name, again.ordered, again.seed) == ("First, again", 5, 4)
        assert (again.mix, again.max_tokens) == (first.mix, 9)

    def test_makes_the_first_accounts_and_world_where_there_is_nothing(self) -> None:
        run("--environment", "rental", "--count", 1)

        batch = Batch.objects.get()
        assert (batch.team.name, batch.environment.name) == ("Demo", "rental")

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (["--count", 3], "--environment NAME"),
            (["--environment", "retail"], "--count N"),
            (["--environment", "nowhere", "--count", 3], "nowhere"),
            (["--environment", "retail/none", "--count", 3], "no version none"),
            (["--environment", "retail", "--count", 0], "between 1 and"),
            (["--environment", "retail", "--count", 3, "--plans", "x"], "no behav"),
            (["--environment", "retail", "--count", 3, "--agent", "x"], "endpoint 'x'"),
            (["--environment", "retail", "--count", 3, "--mix", "/no/file"], "as JSON"),
            (["--environment", "retail", "--count", 3, "--max-cost", "x"], "a number"),
            (["--environment", "retail", "--count", 3, "--max-cost", -1], "above 0"),
            (["--environment", "retail", "--count", 3, "--team", "x"], "there is Team"),
            (["--tau2-root", "/no", "--environment", "retail", "--count", 3], "/no"),
            (["--clone", 99], "no batch 99"),
            (["--watch", 99], "no batch 99"),
        ],
    )
    def test_that_is_bad_says_what_to_change(
        self, shop: str, words: list[Any], says: str
    ) -> None:
        error = refused(*words)

        assert says in str(error)
        assert error.returncode == 2
        assert not Batch.objects.exists()

    @pytest.mark.parametrize("text", ["[1]", '{"R1": "much"}', '{"R1": -1}', "{"])
    def test_of_a_mix_that_is_none_is_refused(
        self, shop: str, tmp_path: Path, text: str
    ) -> None:
        path = tmp_path / "mix.json"
        path.write_text(text)

        error = refused("--environment", shop, "--count", 3, "--mix", path)

        assert error.returncode == 2
        assert str(path) in str(error)


class TestWaiting:
    @pytest.mark.usefixtures("celery_worker_process")
    def test_ends_with_a_summary_when_every_outcome_is_there(self, shop: str) -> None:
        words = ["--environment", shop, "--count", 4, "--faults", 0.5, "--wait"]

        printed, told = run(*words, "--json")

        found = json.loads(printed)
        assert (found["ordered"], found["simulated"], found["status"]) == (4, 4, "DONE")
        assert found["accepted"] + found["rejected"] == 4
        assert found["accept_rate"] == found["accepted"] / 4
        assert sum(line["count"] for line in found["reasons"]) == found["rejected"]
        assert "designed" in told
        assert "designed    4 of 4" in run("--watch", found["batch"])[0]

    @pytest.mark.usefixtures("celery_worker_process")
    def test_ends_with_1_when_a_cap_stops_it(self, shop: str) -> None:
        with chat_server(lambda request: text_reply("One moment, please.")) as server:
            ModelEndpoint.objects.create(
                name="dear",
                model="openai/test",
                base_url=server.url,
                prompt_price=1e6,
                completion_price=1e6,
            )
            words = ["--environment", shop, "--count", 2, "--agent", "dear", "--wait"]
            out = StringIO()
            with pytest.raises(SystemExit) as ended:
                call_command(
                    "synthesize",
                    *map(str, [*words, "--max-cost", 20]),
                    stdout=out,
                    stderr=StringIO(),
                )

        assert ended.value.code == 1
        assert "stopped     The cap of $20.00 is reached" in out.getvalue()
        batch = Batch.objects.get()
        assert batch.status == BatchStatus.PAUSED
        # One answer costs 14 dollars, and two conversations were under way.
        assert 20 <= batch.cost <= 20 + 2 * 14

    def test_ends_with_1_for_a_cancelled_batch(
        self, shop: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Nobody works on it: a worker would be done with two conversations before they are cancelled.
        monkeypatch.setattr(command.jobs.design_batch, "delay", lambda **kwargs: None)
        run("--environment", shop, "--count", 2)
        batch = Batch.objects.get()

        printed, _ = run("--cancel", batch.pk)
        with pytest.raises(SystemExit) as ended:
            run("--watch", batch.pk)

        assert printed.rstrip().endswith("is cancelled.")
        assert ended.value.code == 1

    def test_interrupted_says_how_to_watch_and_cancel(
        self, shop: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupt(seconds: float) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(command.time, "sleep", interrupt)
        monkeypatch.setattr(command.jobs.design_batch, "delay", lambda **kwargs: None)

        error = refused("--environment", shop, "--count", 2, "--wait")

        pk = Batch.objects.get().pk
        assert error.returncode == 130
        assert f"--watch {pk}" in str(error)
        assert f"--cancel {pk}" in str(error)
        assert Batch.objects.get().status == BatchStatus.DESIGNING

    def test_says_that_no_worker_is_there(
        self, shop: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(command.app.control, "ping", lambda timeout: [])
        run("--environment", shop, "--count", 1)
        synthesis.cancel_batch(batch=Batch.objects.get())
        out, err = StringIO(), StringIO()

        with pytest.raises(SystemExit):
            call_command(
                "synthesize",
                "--watch",
                str(Batch.objects.get().pk),
                stdout=out,
                stderr=err,
            )

        assert "No worker answers" in err.getvalue()

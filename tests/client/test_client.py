"""The client: complete, alone, careful with what may not be done twice, and right against the real API."""

import http.server
import json
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.api.client import token_of
from tests.factories import make_batch, make_owner, team_of
from writ_app import client as package
from writ_app.adapters.client_code import client_code
from writ_app.adapters.openapi import api_schema
from writ_app.client import Client, Problem, Unreachable
from writ_app.client.operations import Operations
from writ_app.models.behaviour import Persona

FOLDER = Path(package.__file__).parent


class TestTheOperations:
    def test_are_those_of_the_schema_all_of_them(self):
        names = {
            operation["operationId"]
            for methods in api_schema().content["paths"].values()
            for operation in methods.values()
            if {"token": []} in operation["security"]
        }

        missing = {name for name in names if not hasattr(Operations, name)}

        assert not missing, "run: python manage.py write_client"

    def test_are_what_the_schema_gives_to_the_letter(self, tmp_path):
        made = tmp_path / "operations.py"
        made.write_text(client_code(api_schema().content))
        config = f"--config={FOLDER.parents[1] / 'pyproject.toml'}"
        for step in (["check", "--fix", "-q", "--ignore=TID252"], ["format", "-q"]):
            command = [sys.executable, "-m", "ruff", *step, config, str(made)]
            subprocess.run(command, check=True)

        kept = (FOLDER / "operations.py").read_text()
        assert kept == made.read_text(), "run: python manage.py write_client"


class TestTheFolder:
    def test_works_where_it_is_copied_to_with_the_standard_library_alone(
        self, tmp_path
    ):
        shutil.copytree(FOLDER, tmp_path / "elsewhere")
        code = (
            f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import elsewhere; "
            "elsewhere.Client('https://writ.example', 't'); "
            "print([n for n in sys.modules if n.split('.')[0] in "
            "('django', 'celery', 'writ_app', 'pydantic', 'httpx')])"
        )

        # Isolated, and without site-packages.
        run = subprocess.run(
            [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True
        )

        assert (run.stdout.strip(), run.stderr) == ("[]", "")


class Scripted:
    """Answers requests one after the other; an answer is (status, headers, body), or None to hang up."""

    def __init__(self, *answers):
        self.asked = []
        self.answers = list(answers)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def take(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                outer.asked.append((self.command, self.path, self.headers, body))
                answer = outer.answers.pop(0)
                if answer is None:
                    self.close_connection = True
                    return
                status, headers, content = answer
                self.send_response(status)
                for name, value in {
                    "Content-Length": str(len(content)),
                    **headers,
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_DELETE = take

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(
            target=self.server.serve_forever, args=(0.01,), daemon=True
        ).start()


@contextmanager
def answering(*answers):
    scripted = Scripted(*answers)
    try:
        yield scripted
    finally:
        scripted.server.shutdown()
        scripted.server.server_close()


def client_of(scripted, naps=None, **more):
    sleep = (naps if naps is not None else []).append
    return Client(scripted.address, "writ_t", sleep=sleep, **more)


def said(status, detail="", **headers):
    content = json.dumps({"title": "No", "status": status, "detail": detail})
    return status, headers, content.encode()


OK = (200, {}, b'{"id": 1}')


class TestACall:
    def test_waits_as_long_as_it_is_asked_to(self):
        naps = []
        with answering(said(429, **{"Retry-After": "7"}), OK) as scripted:
            assert client_of(scripted, naps).get_me() == {"id": 1}

        assert naps == [7.0]

    def test_gives_up_where_it_would_have_to_wait_for_too_long(self):
        naps = []
        with (
            answering(said(429, **{"Retry-After": "3600"})) as scripted,
            pytest.raises(Problem) as caught,
        ):
            client_of(scripted, naps).get_me()

        assert naps == []
        assert caught.value.retry_after == 3600

    def test_that_changes_something_is_repeated_under_one_key(self):
        with answering(None, said(503), OK) as scripted:
            client_of(scripted).pause_batch(1)

        keys = {headers["Idempotency-Key"] for _, _, headers, _ in scripted.asked}
        assert len(scripted.asked) == 3
        assert len(keys) == 1
        assert None not in keys

    def test_takes_a_key_of_ones_own(self):
        with answering(OK) as scripted:
            client_of(scripted).pause_batch(1, key="mine")

        assert scripted.asked[0][2]["Idempotency-Key"] == "mine"

    def test_waits_for_its_own_attempt_that_is_still_being_answered(self):
        busy = said(409, "A request with this Idempotency-Key is being answered.")
        with answering(None, busy, OK) as scripted:
            assert client_of(scripted).pause_batch(1) == {"id": 1}

    def test_without_a_key_is_never_sent_twice(self):
        with answering(None, OK) as scripted, pytest.raises(Unreachable):
            client_of(scripted).try_endpoint(1)

        assert len(scripted.asked) == 1

    def test_that_is_refused_is_not_repeated(self):
        with (
            answering(said(409, "It is over."), OK) as scripted,
            pytest.raises(Problem, match="It is over"),
        ):
            client_of(scripted).pause_batch(1)

        assert len(scripted.asked) == 1

    def test_takes_its_token_nowhere_else(self):
        with (
            answering(OK) as other,
            answering((302, {"Location": other.address}, b"")) as scripted,
            pytest.raises(Problem),
        ):
            client_of(scripted).get_me()

        assert other.asked == []

    def test_whose_answer_breaks_off_is_sent_again(self):
        cut = (200, {"Content-Length": "100"}, b'{"id"')
        with answering(cut, OK) as scripted:
            assert client_of(scripted).get_me() == {"id": 1}

    def test_sends_no_token_in_the_clear(self):
        with pytest.raises(ValueError, match="https"):
            Client("http://writ.example", "writ_t")

    def test_escapes_what_stands_in_an_address(self):
        with answering(OK) as scripted:
            client_of(scripted).get_environment("../me", "a b?c")

        assert scripted.asked[0][1] == "/api/v1/environments/..%2Fme/a%20b%3Fc"


class TestADownload:
    def test_that_breaks_off_leaves_nothing_behind(self, tmp_path):
        cut = (200, {"Content-Length": "100"}, b"half")
        with answering(cut, cut) as scripted, pytest.raises(Unreachable):
            client_of(scripted, attempts=2).download_batch_results(
                1, to=tmp_path / "x.json"
            )

        assert list(tmp_path.iterdir()) == []

    def test_begins_anew_and_is_whole(self, tmp_path):
        cut = (200, {"Content-Length": "100"}, b"half")
        with answering(cut, OK) as scripted:
            client = client_of(scripted)
            written = client.download_batch_results(1, to=tmp_path / "x.json")

        assert written == len(OK[2])
        assert (tmp_path / "x.json").read_bytes() == OK[2]


@pytest.fixture
def owner():
    return make_owner()


@pytest.fixture
def live(live_server, owner):
    return Client(live_server.url, token_of(owner))


@pytest.mark.django_db(transaction=True)
class TestAgainstTheRealApi:
    def test_it_knows_who_asks(self, live, owner):
        assert live.get_me()["user"]["username"] == owner.username

    def test_it_goes_through_all_pages(self, live, owner):
        team = team_of(owner)
        made = [make_batch(team=team, by=owner).pk for _ in range(5)]

        found = [batch["id"] for batch in live.iter_batches(limit=2)]

        assert found == sorted(made, reverse=True)

    def test_it_raises_what_is_wrong_by_field(self, live):
        with pytest.raises(Problem) as caught:
            live.create_webhook({"name": "x", "url": "ftp://x/", "events": ["none"]})

        assert caught.value.status == 400
        assert list(caught.value.errors) == ["events.0"]
        assert caught.value.request_id

    def test_it_does_once_what_has_one_key(self, live):
        body = {"slug": "calm", "title": "Calm", "text": "Says little."}

        first = live.create_persona(body, key="once")
        again = live.create_persona(body, key="once")

        assert first == again
        assert Persona.objects.filter(slug="calm").count() == 1

    def test_it_uploads_a_file_and_finds_it(self, live, tmp_path):
        file = tmp_path / 'ça "1".jsonl'
        file.write_text('{"messages": []}\n')

        made = live.upload_reference(file=file, name="mine")

        assert made["file_name"].endswith(".jsonl")
        assert [row["id"] for row in live.iter_imports()] == [made["id"]]

    def test_it_downloads_a_file(self, live, owner, tmp_path):
        batch = make_batch(team=team_of(owner), by=owner)
        target = tmp_path / "results.json"

        written = live.download_batch_results(batch.pk, to=target)

        assert target.stat().st_size == written
        assert json.loads(target.read_text())["simulations"] == []

    def test_it_makes_a_webhook_and_a_test_of_it(self, live):
        made = live.create_webhook(
            {"name": "ci", "url": "https://hooks.example/", "events": ["report.done"]}
        )
        live.test_webhook(made["id"])

        [delivery] = live.iter_webhook_deliveries(made["id"])
        assert made["secret"].startswith("whsec_")
        assert delivery["event"] == "webhook.test"
        live.delete_webhook(made["id"])
        assert list(live.iter_webhooks()) == []

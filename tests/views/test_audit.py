"""The audit log as its team's owners see it."""

import csv
import json
import re
from datetime import timedelta
from io import StringIO

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import (
    make_batch,
    make_curator,
    make_owner,
    make_trajectory,
    team_of,
)
from writ_app.adapters.logs import about
from writ_app.models.audit import AuditCheck, AuditEntry
from writ_app.services.audit import record
from writ_app.services.audit.chain import entry_text, hash_of, seal
from writ_app.services.audit.checking import order_check, run_check
from writ_app.services.audit.reading import PAGE

pytestmark = pytest.mark.django_db

PAGE_URL, JSONL, CSV = "/audit/", "/audit/audit.jsonl", "/audit/audit.csv"


@pytest.fixture
def owner():
    return make_owner(name="ada")


@pytest.fixture
def team(owner):
    return team_of(owner)


JOINED = ["member.add"]
"""What the owner's joining left in the log, before anything a test does."""


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(response) -> str:
    body = (
        b"".join(response.streaming_content) if response.streaming else response.content
    )
    return body.decode()


def shown(page: str) -> list[str]:
    return re.findall(r"<code>([^<]*)</code>", page)


class TestAnOwner:
    def test_sees_what_was_done_with_what_changed(self, owner, team):
        batch = make_batch(team=team, by=owner)
        with about(user=owner.pk, request_id="abcdefgh"):
            record(
                "batch.caps",
                team=team,
                row=batch,
                before={"max_cost": "1.50", "max_tokens": None},
                after={"max_cost": "2.50", "max_tokens": None},
            )
        seal()

        page = text(client_of(owner).get(PAGE_URL))

        assert f'href="{reverse("batch", args=[batch.pk])}"' in page
        assert "1.50" in page
        assert "2.50" in page
        assert "max_tokens" not in page, "it did not change"
        assert "ada" in page
        assert "web" in page

    def test_reads_on_without_missing_or_repeating_anything(self, owner, team):
        for number in range(PAGE + 5):
            record(f"thing.n{number}", team=team)
        client = client_of(owner)

        first = text(client.get(PAGE_URL))
        older = re.search(r'href="([^"]*before=\d+)"', first)
        assert older
        second = text(client.get(PAGE_URL + older[1].replace("&amp;", "&")))

        expected = [f"thing.n{n}" for n in reversed(range(PAGE + 5))] + JOINED
        assert shown(first) + shown(second) == expected

    def test_narrows_it_by_everything_that_is_offered(self, owner, team):
        other = make_curator(team=team, name="bob")
        with about(user=other.pk):
            record("a.first", team=team, row=team)
        record("b.second", team=team)
        client = client_of(owner)

        def found(**query: object) -> list[str]:
            return shown(text(client.get(PAGE_URL, query)))

        assert found(actor=other.pk) == ["a.first"]
        assert found(actor="nobody") == ["b.second", *JOINED, *JOINED]
        assert found(action="b.second") == ["b.second"]
        assert found(kind="team") == ["a.first"]
        assert found(kind="team", key=team.pk) == ["a.first"]
        assert found(key="#0") == []
        tomorrow = (timezone.now() + timedelta(days=1)).date().isoformat()
        assert found(since=tomorrow) == []
        today = timezone.now().date().isoformat()
        assert found(until=today) == ["b.second", "a.first", *JOINED, *JOINED]

    @pytest.mark.parametrize(
        "query",
        ["actor=9999", "action=x'--", "since=yesterday", "before=-1", "before=9" + "9" * 30, "kind=%00"],
    )  # fmt: skip
    def test_is_not_bothered_by_what_there_is_not(self, owner, team, query):
        record("a.first", team=team)

        assert client_of(owner).get(f"{PAGE_URL}?{query}").status_code == 200

    def test_sees_hostile_text_as_text(self, owner, team):
        record("view.save", team=team, after={"name": "<script>x</script>\u202e"})

        page = text(client_of(owner).get(PAGE_URL))

        assert "<script>x" not in page
        assert "&lt;script&gt;" in page

    def test_does_not_see_other_teams_nor_the_site(self, owner, team):
        record("secret.act", team=team_of(make_owner()))
        record("site.act", team=None)
        client = client_of(owner)

        for address in (PAGE_URL, JSONL, CSV):
            answer = text(client.get(address))
            assert "secret.act" not in answer
            assert "site.act" not in answer

    def test_is_the_only_one_who_does(self, team):
        client = client_of(make_curator(team=team))

        for address in (PAGE_URL, JSONL, CSV):
            assert client.get(address).status_code == 403
        assert client.post("/audit/verify/").status_code == 403


class TestFiles:
    def test_hold_what_the_hashes_are_made_of(self, owner, team):
        record("a.first", team=team, row=team, before={"ä": 1}, after={"b": "x\ny"})
        record("a.second", team=team)
        seal()

        lines = text(client_of(owner).get(JSONL)).splitlines()

        previous = bytes(32)
        for number, (line, stored) in enumerate(
            zip(lines, AuditEntry.objects.order_by("pk"), strict=False), start=1
        ):
            row = json.loads(line)
            sides = [re.search(f'"{side}": (.*?)(, "after": |}}$)', line) for side in ("before", "after")]  # fmt: skip
            raw = [side[1] if side and side[1] != "null" else None for side in sides]
            values = (row["id"], row["team"], stored.at, row["actor"], row["door"])
            values += (row["request_id"], row["action"], row["kind"], row["key"], *raw)
            previous = hash_of(previous, entry_text(number, values))
            assert row["number"] == number
            assert row["hash"] == previous.hex()
        actions = [json.loads(line)["action"] for line in lines]
        assert actions == [*JOINED, "a.first", "a.second"]

    def test_say_in_the_log_that_they_were_taken(self, owner, team):
        text(client_of(owner).get(CSV, {"action": "nothing"}))

        entry = AuditEntry.objects.get(action="audit.export")
        assert (entry.actor, entry.door) == (owner, "web")
        assert entry.after == {"file": "csv", "filters": {}}

    def test_hold_only_what_the_filters_find(self, owner, team):
        record("a.first", team=team)
        record("b.second", team=team)

        rows = list(
            csv.DictReader(
                StringIO(text(client_of(owner).get(CSV, {"action": "b.second"})))
            )
        )

        assert [row["action"] for row in rows] == ["b.second"]

    def test_have_no_cell_that_a_spreadsheet_would_run(self, owner, team):
        owner.username = "=HYPERLINK(1)"
        owner.save()
        with about(user=owner.pk):
            record("+cmd", team=team)

        rows = list(csv.DictReader(StringIO(text(client_of(owner).get(CSV)))))

        assert len(rows) == 1 + len(JOINED)
        (row,) = (one for one in rows if one["action"] not in JOINED)
        assert row["actor_name"] == "'=HYPERLINK(1)"
        assert row["action"] == "'+cmd"

    def test_are_attachments_that_browsers_do_not_guess_about(self, owner):
        for address in (JSONL, CSV):
            response = client_of(owner).get(address)
            assert response["Content-Disposition"].startswith("attachment;")
            assert response["X-Content-Type-Options"] == "nosniff"


class TestVerifying:
    def test_is_ordered_once(self, owner, team):
        client = client_of(owner)

        client.post("/audit/verify/")
        client.post("/audit/verify/")

        check = AuditCheck.objects.get(team=team)
        assert check.by == owner
        page = text(client.get(PAGE_URL))
        assert "being verified" in page
        assert "every 2s" in page

    def test_tells_that_the_chain_holds_and_since_when(self, owner, team):
        record("a.first", team=team)
        check, _ = order_check(team=team, by=owner)
        run_check(check_id=check.pk)

        page = text(client_of(owner).get(PAGE_URL, headers={"HX-Request": "true"}))

        assert "holds" in page
        assert f"for ada, up to link {1 + len(JOINED)}." in page
        assert "<html" not in page
        assert "every 2s" not in page

    def test_tells_where_it_is_broken(self, owner, team):
        check, _ = order_check(team=team)
        AuditCheck.objects.filter(pk=check.pk).update(
            finished_at=timezone.now(), trouble="chain of team 1, link 3: <b>gone</b>"
        )

        page = text(client_of(owner).get(PAGE_URL))

        assert "broken" in page
        assert "link 3: &lt;b&gt;gone" in page


class TestTheMenu:
    def test_leads_there_for_owners(self, owner, team):
        make_trajectory(batch=make_batch(team=team, by=owner))
        home = reverse("home")

        assert b'href="/audit/"' in client_of(owner).get(home).content
        assert b'href="/audit/"' not in client_of(make_curator(team=team)).get(home).content  # fmt: skip

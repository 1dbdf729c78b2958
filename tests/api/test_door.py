"""The door of the API: who is let in, and how it answers those who are not."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from tests.api.client import Program, token_of
from tests.api.test_matrix import FOUND
from tests.factories import (
    make_batch,
    make_member,
    make_owner,
    make_team,
    make_user,
    team_of,
)
from writ_app.models.accounts import Role
from writ_app.models.tokens import ApiToken
from writ_app.services.accounts import add_member
from writ_app.services.sessions import FRESH
from writ_app.services.tokens import find_token, revoke_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_owner(name="ada")


class TestSomebodyWithAToken:
    def test_is_told_who_they_are_and_where(self, owner):
        told = Program(owner).ask("get", "me").json()

        assert told["user"]["username"] == "ada"
        assert told["team"] == {
            "id": team_of(owner).pk,
            "name": team_of(owner).name,
            "role": "owner",
        }

    def test_may_only_what_the_token_may(self, owner):
        batch = make_batch(team=team_of(owner), by=owner, status="RUNNING")
        viewer = Program(owner, scope=Role.VIEWER)

        assert viewer.ask("get", f"batches/{batch.pk}").status_code == 200
        assert viewer.ask("post", f"batches/{batch.pk}/pause").status_code == 403
        batch.refresh_from_db()
        assert batch.status == "RUNNING"

    def test_may_never_more_than_its_member_now(self, owner):
        team = team_of(owner)
        program = Program(owner)
        add_member(team=team, user=make_user(), role=Role.OWNER)
        add_member(team=team, user=owner, role=Role.VIEWER)
        batch = make_batch(team=team, status="RUNNING")

        assert program.ask("post", f"batches/{batch.pk}/pause").status_code == 403

    def test_sees_the_rows_of_its_team_alone(self, owner):
        other = make_team()
        add_member(team=other, user=owner, role=Role.OWNER)
        here = make_batch(team=owner.memberships.order_by("pk")[0].team, by=owner)
        there = make_batch(team=other, by=owner)
        program = Program(owner, team=here.team)

        listed = program.ask("get", "batches").json()["items"]

        assert [line["id"] for line in listed] == [here.pk]
        assert program.ask("get", f"batches/{there.pk}").status_code == 404

    def test_is_not_let_in_after_the_token_was_revoked_or_ended(self, owner):
        now = timezone.now()
        for spoil in ("revoke", "expire"):
            text = token_of(owner)
            row = ApiToken.objects.latest("pk")
            if spoil == "revoke":
                revoke_token(token=row, now=now)
            else:
                ApiToken.objects.filter(pk=row.pk).update(
                    expires_at=now - timedelta(seconds=1)
                )

            assert Program(token=text).ask("get", "me").status_code == 401

    def test_is_not_let_in_when_the_person_may_not_sign_in_or_has_left(self, owner):
        member = make_member(team=team_of(owner), role=Role.REVIEWER)
        program = Program(member)
        member.is_active = False
        member.save()
        assert program.ask("get", "me").status_code == 401
        member.is_active = True
        member.save()
        assert program.ask("get", "me").status_code == 200

        member.memberships.all().delete()

        assert program.ask("get", "me").status_code == 401

    def test_leaves_a_trace_of_the_last_use_once_a_minute(self, owner):
        program = Program(owner)
        program.ask("get", "me")
        first = ApiToken.objects.get().last_used_at
        program.ask("get", "me")

        assert first is not None
        assert ApiToken.objects.get().last_used_at == first

    def test_is_not_slowed_by_a_session(self, owner):
        """A header that is wrong never means: take the cookie."""
        client = Client()
        client.force_login(owner)

        response = client.get("/api/v1/me", headers={"Authorization": "Bearer nothing"})

        assert response.status_code == 401


class TestAToken:
    def test_is_nowhere_in_the_database(self, owner):
        text = token_of(owner)
        row = ApiToken.objects.get()
        kept = " ".join(str(getattr(row, f.attname)) for f in row._meta.concrete_fields)

        assert text.partition(f"{row.key_id}_")[2] not in kept
        assert find_token(text, now=timezone.now()) == row

    def test_is_not_made_by_a_token(self, owner):
        wanted = {"name": "another", "scope": "viewer"}

        response = Program(owner).ask("post", "tokens", wanted)

        assert response.status_code == 403
        assert ApiToken.objects.count() == 1

    def test_is_made_by_who_is_signed_in_and_shown_once(self, owner):
        client = Client()
        client.force_login(owner)
        wanted = {"name": "nightly", "scope": "viewer"}

        made = client.post("/api/v1/tokens", wanted, content_type="application/json")
        listed = client.get("/api/v1/tokens").json()["items"]

        assert made.status_code == 201
        assert Program(token=made.json()["token"]).ask("get", "me").status_code == 200
        assert "token" not in listed[0]
        assert made.json()["token"] not in str(listed)

    def test_of_others_is_seen_and_revoked_by_owners_alone(self, owner):
        member = make_member(team=team_of(owner), role=Role.CURATOR)
        token_of(member)
        row = ApiToken.objects.get()
        peer = make_member(team=team_of(owner), role=Role.CURATOR)

        assert Program(peer).ask("delete", f"tokens/{row.pk}").status_code == 404
        assert Program(owner).ask("delete", f"tokens/{row.pk}").status_code == 204
        row.refresh_from_db()
        assert row.revoked_at


class TestASession:
    def test_needs_the_csrf_token_to_change_something(self, owner):
        client = Client(enforce_csrf_checks=True)
        client.force_login(owner)
        wanted = {"name": "nightly", "scope": "viewer"}

        refused = client.post("/api/v1/tokens", wanted, content_type="application/json")

        assert refused.status_code == 403
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert not ApiToken.objects.exists()

    def test_works_in_the_team_chosen_last(self, owner):
        other = make_team()
        add_member(team=other, user=owner, role=Role.VIEWER)
        client = Client()
        client.force_login(owner)
        session = client.session
        session["team"] = other.pk
        session.save()

        told = client.get("/api/v1/me").json()

        assert told["team"]["role"] == "viewer"
        assert len(told["teams"]) == 2


class TestProblems:
    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("get", "nowhere", 404),
            ("get", "batches/99999999999999999999", 404),
            ("delete", "batches", 405),
            ("get", "batches?stauts=done", 400),
            ("get", "batches?limit=201", 400),
            ("get", "batches?limit=5&limit=6", 400),
            ("get", "batches?after=zzz", 422),
            ("get", "batches?status=%00", 400),
        ],
    )
    def test_have_one_shape(self, owner, method, path, status):
        response = Program(owner).ask(method, path)

        assert response.status_code == status
        assert response.headers["Content-Type"] == "application/problem+json"
        told = response.json()
        assert told["status"] == status
        assert told["request_id"] == response.headers["X-Request-ID"]

    def test_tell_strangers_how_to_come_in(self):
        response = Client().get("/api/v1/me")

        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")

    def test_name_the_field(self, owner):
        told = Program(owner).ask("post", "batches", {"nmae": "x"}).json()

        assert told["errors"] == {"nmae": ["There is no such field."]}

    @pytest.mark.parametrize(
        "body",
        [
            '{"a": 1, "a": 2}',
            '{"a": NaN}',
            '{"a": "\\u0000"}',
            "[" * 5000,
            "[]",
            "not json",
            '{"a": "\\ud800"}',
        ],
    )
    def test_answer_what_is_no_proper_json(self, owner, body):
        response = Program(owner).ask("post", "batches", body)

        assert response.status_code == 400

    def test_answer_other_media(self, owner):
        program = Program(owner)
        form = program.post("/api/v1/batches", {"name": "x"}, headers=program.sent)
        html = program.get(
            "/api/v1/me", headers={**program.sent, "Accept": "text/html"}
        )

        assert (form.status_code, html.status_code) == (415, 406)

    def test_hide_what_broke_and_log_it(self, owner, monkeypatch, caplog):
        def broken(*args, **kwargs):
            raise RuntimeError("secret detail")

        monkeypatch.setattr("writ_app.api.accounts.memberships_of", broken)
        client = Client()
        client.force_login(owner)

        response = client.get("/api/v1/me")

        assert response.status_code == 500
        assert "secret" not in response.content.decode()
        assert "secret detail" in caplog.text


WANTS_PROOF = {
    *("change_member_role", "remove_member", "leave_team", "invite_member"),
    *("change_team", "create_team"),
    *("create_token", "create_webhook", "replace_webhook", "delete_webhook"),
    *("renew_webhook_secret", "plan_push", "send_push"),
    *("export_trajectories", "download_batch_results", "download_evaluation_results"),
    *("download_release_file", "download_release_archive"),
}
"""What data leaves by, and what changes who may do what: as the pages ask for it."""


def test_a_session_without_a_proof_of_late_is_asked_for_one_where_pages_ask(owner):
    client = Client()
    client.force_login(owner)
    session = client.session
    session[FRESH] -= settings.REAUTH_SECONDS
    session.save()

    asked = set()
    for name, (method, path, _) in FOUND.items():
        answer = client.generic(method.upper(), re.sub(r"{\w+}", "1", path))
        if answer.status_code == 403 and "Confirm" in answer.json()["detail"]:
            asked.add(name)

    assert asked == WANTS_PROOF

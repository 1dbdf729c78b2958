"""Signing in, proving it again, second factors, and sessions."""

import re
import time
from unittest.mock import patch

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from tests.factories import (
    PASSWORD,
    make_member,
    make_owner,
    make_team,
    make_user,
    team_of,
)
from writ_app.adapters import caches
from writ_app.models.accounts import Role, Session, Team, User
from writ_app.models.audit import AuditEntry
from writ_app.services.accounts import add_member
from writ_app.services.sessions import FRESH, told_by
from writ_app.urls import urlpatterns

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"


@pytest.fixture(autouse=True)
def _nothing_counted():
    cache.clear()


@pytest.fixture
def ada():
    return make_owner(name="ada")


def sign_in(client: Client, name="ada", password=PASSWORD, **more):
    return client.post("/login/", {"username": name, "password": password}, **more)


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def grow_old(client: Client) -> None:
    """Half an hour after the password was given."""
    session = client.session
    session[FRESH] -= 1800
    session.save()


def code_of(secret: str, ahead: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + ahead))


def set_up_factor(client: Client) -> tuple[str, list[str]]:
    """(the app's secret, recovery codes) of a factor that was set up through the pages."""
    page = client.get(reverse("second_factor_new")).content.decode()
    secret = re.search(r'class="key">([A-Z2-7]+)<', page)[1]
    answer = client.post(reverse("second_factor_new"), {"code": code_of(secret)})
    codes = re.findall(r"<li><code>(\d+)</code>", answer.content.decode())
    assert answer.status_code == 200
    return secret, codes


class TestSigningIn:
    def test_leads_on_and_begins_a_session_with_a_key_of_its_own(self, ada, client):
        client.get("/login/")
        session = client.session
        session["kept"] = True
        session.save()
        before = client.cookies["sessionid"] = session.session_key

        answer = client.post(
            "/login/", {"username": "ada", "password": PASSWORD, "next": "/batches/"}
        )

        assert answer.headers["Location"] == "/batches/"
        assert client.cookies["sessionid"].value != before

    def test_never_leads_to_another_site(self, ada, client):
        answer = client.post(
            "/login/",
            {"username": "ada", "password": PASSWORD, "next": "https://evil.example/"},
        )

        assert answer.headers["Location"] == "/"

    def test_is_written_down_also_when_it_fails_and_at_most_once_a_minute_then(
        self, ada, client
    ):
        for _ in range(3):
            sign_in(client, password="wrong")
        sign_in(client)
        client.post("/logout/")

        acts = AuditEntry.objects.filter(key=str(ada.pk), action__startswith="person.")
        assert list(acts.values_list("action", flat=True)) == [
            "person.sign_in_failed",
            "person.sign_in",
            "person.sign_out",
        ]

    def test_does_not_write_down_what_was_typed_for_a_name(self, client):
        sign_in(client, name="my secret password")

        failed = AuditEntry.objects.get(action="person.sign_in_failed")
        assert (failed.key, failed.before, failed.after) == ("", None, None)

    def test_is_refused_after_too_many_tries_even_with_the_right_password(
        self, ada, client, settings
    ):
        settings.SIGN_IN_TRIES = (3, 100)
        for _ in range(3):
            sign_in(client, password="wrong")

        answer = sign_in(Client(REMOTE_ADDR="192.0.2.7"), name="ADA")

        assert answer.status_code == 200
        assert "Too many attempts" in answer.content.decode()
        assert not ada.sessions.exists()

    def test_is_counted_for_the_address_over_all_accounts(self, ada, settings):
        settings.SIGN_IN_TRIES = (100, 3)
        there = Client(REMOTE_ADDR="192.0.2.7")
        for number in range(3):
            sign_in(there, name=f"nobody{number}", password="wrong")

        assert "Too many" in sign_in(there).content.decode()
        assert sign_in(Client(REMOTE_ADDR="192.0.2.8")).status_code == 302

    def test_that_succeeds_counts_for_nothing(self, ada, settings):
        settings.SIGN_IN_TRIES = (2, 2)

        answers = [sign_in(Client()).status_code for _ in range(5)]

        assert answers == [302] * 5

    def test_goes_on_while_the_store_is_gone(self, ada, client, settings):
        gone = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:9/0"}
        settings.CACHES = {**settings.CACHES, "default": gone}

        with patch.object(caches.logger, "warning") as told:
            answer = sign_in(client)

        assert answer.status_code == 302
        assert "is gone" in told.call_args[0][0]


class TestProof:
    def test_of_a_fresh_sign_in_is_enough(self, ada):
        assert signed_in(ada).get(reverse("selection_csv")).status_code == 200

    def test_that_is_old_is_asked_for_again_before_data_leaves(self, ada):
        client = signed_in(ada)
        grow_old(client)

        answer = client.get(reverse("selection_csv") + "?status=APPROVED")

        assert answer.status_code == 302
        confirm = answer.headers["Location"]
        assert confirm == (
            "/account/confirm/?next=%2Ftrajectories%2Fselection.csv%3Fstatus%3DAPPROVED"
        )
        key = client.session.session_key
        done = client.post(confirm, {"password": PASSWORD})
        assert done.headers["Location"] == "/trajectories/selection.csv?status=APPROVED"
        assert client.session.session_key != key
        assert client.get(done.headers["Location"]).status_code == 200

    def test_is_not_given_by_a_wrong_password(self, ada):
        client = signed_in(ada)
        grow_old(client)

        answer = client.post("/account/confirm/", {"password": "wrong"})

        assert answer.status_code == 422
        assert client.get(reverse("selection_csv")).status_code == 302

    def test_is_asked_for_before_a_role_changes_and_nothing_is_done_meanwhile(
        self, ada
    ):
        bob = make_member(team=team_of(ada), role=Role.VIEWER)
        client = signed_in(ada)
        grow_old(client)
        address = reverse("member_role", args=[bob.memberships.get().pk])

        answer = client.post(
            address, {"role": "OWNER"}, headers={"referer": "http://testserver/team/"}
        )

        assert answer.headers["Location"] == "/account/confirm/?next=%2Fteam%2F"
        assert bob.memberships.get().role == Role.VIEWER

    def test_is_asked_for_by_a_redirect_that_htmx_follows(self, ada):
        client = signed_in(ada)
        grow_old(client)

        answer = client.post(reverse("team_invite"), headers={"hx-request": "true"})

        assert answer.headers["HX-Redirect"].startswith("/account/confirm/")

    @pytest.mark.parametrize(
        "name", ["selection_jsonl", "selection_csv", "release_zip", "batch_results"]
    )
    def test_is_needed_for_every_file_of_data(self, ada, name):
        (entry,) = (one for one in urlpatterns if getattr(one, "name", "") == name)

        assert entry.callback.access.fresh == "all"

    def test_never_leads_to_another_site(self, ada):
        client = signed_in(ada)

        answer = client.post(
            "/account/confirm/?next=https://evil.example/", {"password": PASSWORD}
        )

        assert answer.headers["Location"] == "/"


class TestASecondFactor:
    def test_is_asked_for_after_the_password(self, ada, client):
        secret, _ = set_up_factor(signed_in(ada))

        first = sign_in(client)

        assert first.headers["Location"] == "/login/code/"
        assert client.get("/").headers["Location"].startswith("/login/")
        wrong = client.post("/login/code/", {"code": "000000"})
        assert wrong.status_code == 422
        right = client.post("/login/code/", {"code": code_of(secret, ahead=1)})
        assert right.status_code == 302
        assert client.get("/").status_code == 200
        assert client.session["second_factor"]

    def test_code_opens_once(self, ada):
        secret, _ = set_up_factor(signed_in(ada))
        code = code_of(secret, ahead=1)

        answers = []
        for _ in range(2):
            client = Client()
            sign_in(client)
            answers.append(client.post("/login/code/", {"code": code}).status_code)

        assert answers == [302, 422]

    @pytest.mark.parametrize("how", ["gone", "forgotten"])
    def test_code_opens_once_whatever_the_cache_knows(self, ada, settings, how):
        secret, _ = set_up_factor(signed_in(ada))
        if how == "gone":
            gone = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:9/0"}
            settings.CACHES = {**settings.CACHES, "default": gone}

        def answer(code: str) -> int:
            client = Client()
            sign_in(client)
            cache.clear() if how == "forgotten" else None
            return client.post("/login/code/", {"code": code}).status_code

        later, now = code_of(secret, ahead=1), code_of(secret)
        assert [answer(code) for code in (later, later, now, now)] == [302, 422, 302, 422]  # fmt: skip

    def test_codes_cannot_be_guessed_for_long(self, ada, client):
        secret, _ = set_up_factor(signed_in(ada))
        sign_in(client)
        for number in range(10):
            client.post("/login/code/", {"code": f"00000{number}"})

        answer = client.post("/login/code/", {"code": code_of(secret, ahead=1)})

        assert answer.status_code == 422

    def test_can_be_a_recovery_code_once(self, ada):
        _, codes = set_up_factor(signed_in(ada))
        assert len(codes) == 10

        answers = []
        for _ in range(2):
            client = Client()
            sign_in(client)
            answers.append(client.post("/login/code/", {"code": codes[0]}).status_code)

        assert answers == [302, 422]

    def test_secret_is_not_in_the_database_as_it_is(self, ada):
        secret, _ = set_up_factor(signed_in(ada))

        stored = Authenticator.objects.get(user=ada, type="totp")

        assert secret not in str(stored.data)

    def test_without_the_field_is_just_wrong(self, ada, client):
        set_up_factor(signed_in(ada))
        sign_in(client)

        assert client.post("/login/code/", {}).status_code == 422

    def test_can_be_turned_off_and_its_codes_with_it(self, ada, client):
        owner = signed_in(ada)
        set_up_factor(owner)

        owner.post(reverse("second_factor_off"))

        assert not Authenticator.objects.filter(user=ada).exists()
        assert sign_in(client).headers["Location"] == "/"

    def test_that_a_team_needs_comes_before_everything_of_the_team(self, ada):
        Team.objects.update(needs_second_factor=True)
        client = signed_in(ada)

        refused = client.get(reverse("trajectories"))
        assert refused.headers["Location"] == reverse("second_factor")
        assert client.get(reverse("second_factor")).status_code == 200
        set_up_factor(client)
        assert client.get(reverse("trajectories")).status_code == 200

    def test_of_another_session_is_not_this_ones(self, ada):
        set_up_factor(signed_in(ada))
        Team.objects.update(needs_second_factor=True)

        # as if signed in by a provider, or before the factor was there
        assert signed_in(ada).get("/").headers["Location"] == reverse("second_factor")


class TestSessions:
    def test_are_listed_with_their_browser_and_without_their_keys(self, ada, client):
        sign_in(client, headers={"user-agent": FIREFOX})

        page = client.get(reverse("sessions")).content.decode()

        assert "Firefox on Linux" in page
        assert client.session.session_key not in page

    def test_can_be_ended_one_by_one(self, ada):
        here, there = signed_in(ada), signed_in(ada)
        page = here.get(reverse("sessions")).content.decode()
        (name,) = re.findall(r'name="session" value="([0-9a-f]{20})"', page)

        here.post(reverse("session_end"), {"session": name})

        assert here.get("/").status_code == 200
        assert there.get("/").status_code == 302

    def test_can_be_ended_all_but_the_own(self, ada):
        here, *others = (signed_in(ada) for _ in range(4))

        here.post(reverse("session_end"), {"session": "others"})

        assert Session.objects.filter(user=ada).count() == 1
        assert {client.get("/").status_code for client in others} == {302}

    def test_of_others_cannot_be_ended(self, ada):
        from writ_app.views.accounts import _sign

        theirs = signed_in(make_user())
        name = _sign(theirs.session.session_key)

        signed_in(ada).post(reverse("session_end"), {"session": name})

        assert Session.objects.filter(pk=theirs.session.session_key).exists()

    @pytest.mark.parametrize(
        ("agent", "words"),
        [
            (FIREFOX, "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0) Chrome/150.0 Safari/537.36 Edg/150",
                "Edge on Windows",
            ),
            ("Mozilla/5.0 (iPhone) Version/19 Mobile Safari/604.1", "Safari on iOS"),
            ("<script>", "A browser"),
        ],
    )
    def test_know_their_browser_by_words_of_ours(self, agent, words):
        assert told_by(agent) == words


class TestAPassword:
    NEW = "a much longer passphrase"

    def change(self, client, new):
        fields = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
        return client.post(reverse("password"), fields)

    def test_changed_ends_all_other_sessions(self, ada):
        here, there = signed_in(ada), signed_in(ada)

        assert self.change(here, self.NEW).status_code == 302

        assert here.get("/").status_code == 200
        assert there.get("/").status_code == 302
        assert sign_in(Client(), password=self.NEW).status_code == 302

    @pytest.mark.parametrize(
        ("new", "why"),
        [
            ("short pass", "at least 12 characters"),
            ("password123456789"[:12], "too common"),
            ("ada-lovelace-1815", "too similar"),
        ],
    )
    def test_has_to_be_a_good_one(self, ada, new, why):
        User.objects.filter(pk=ada.pk).update(last_name="lovelace-1815")

        answer = self.change(signed_in(ada), new)

        assert answer.status_code == 422
        assert why in answer.content.decode()

    def test_forgotten_is_set_through_a_link_by_mail(self, ada, client, settings):
        settings.EMAIL_URL = "smtp://localhost"
        User.objects.filter(pk=ada.pk).update(email="ada@example.org")
        there = signed_in(ada)

        client.post(reverse("password_reset"), {"email": "ada@example.org"})

        (sent,) = mail.outbox
        link = re.search(r"http://testserver(/password/\S+)", sent.body)[1]
        form = client.get(link, follow=True)
        assert form.status_code == 200
        new = {"new_password1": self.NEW, "new_password2": self.NEW}
        client.post(form.redirect_chain[-1][0], new)
        assert sign_in(client, password=self.NEW).status_code == 302
        assert there.get("/").status_code == 302
        assert "opens nothing" in Client().get(link, follow=True).content.decode()

    def test_forgotten_says_the_same_for_an_unknown_address(self, client, settings):
        settings.EMAIL_URL = "smtp://localhost"

        answer = client.post(
            reverse("password_reset"), {"email": "nobody@example.org"}, follow=True
        )

        assert "a link is on its way" in answer.content.decode()
        assert not mail.outbox

    def test_cannot_be_reset_by_mail_without_a_mail_server(self, client):
        assert client.get(reverse("password_reset")).status_code == 404


class TestAProfile:
    def test_keeps_name_and_address(self, ada):
        fields = {"first_name": "Ada", "last_name": "King", "email": "ada@example.org"}

        signed_in(ada).post(reverse("profile"), fields)

        ada.refresh_from_db()
        assert (ada.get_full_name(), ada.email) == ("Ada King", "ada@example.org")

    def test_takes_a_fresh_proof_to_change(self, ada):
        client = signed_in(ada)
        grow_old(client)

        client.post(reverse("profile"), {"email": "eve@example.org"})

        ada.refresh_from_db()
        assert ada.email == ""

    def test_can_be_seen_without_a_team(self):
        page = signed_in(make_user()).get(reverse("profile"))

        assert page.status_code == 200
        assert "You are in no team" in page.content.decode()


def test_the_last_visit_is_written_once_in_some_minutes(ada, django_assert_num_queries):
    from datetime import timedelta

    from django.utils import timezone

    client = signed_in(ada)
    client.get(reverse("profile"))
    Session.objects.update(seen_at=timezone.now() - timedelta(minutes=6))
    ada.memberships.update(seen_at=timezone.now() - timedelta(minutes=6))

    # session with person and places, mentions, two notes
    with django_assert_num_queries(4):
        client.get(reverse("team_new"))
    with django_assert_num_queries(2):
        client.get(reverse("team_new"))


def test_another_team_of_ones_own_is_offered_where_something_is_not_here(ada):
    add_member(team=make_team(name="The others"), user=ada, role=Role.VIEWER)
    client = signed_in(ada)

    page = client.get("/batches/999999/")

    assert page.status_code == 404
    assert "The others" in page.content.decode()

"""Signing in through an OpenID Connect provider: who is known, who is invited, and who is sent away."""

import re
from copy import deepcopy

import pytest
from django.conf import settings as configured
from django.test import Client
from django.urls import reverse

from tests.factories import make_owner, make_user, team_of
from tests.oidc_server import provider_running
from tests.views.test_accounts import set_up_factor, signed_in
from tests.views.test_teams import link_of
from writ_app.models.accounts import Role, User

pytestmark = pytest.mark.django_db
BOB = {
    "sub": "b-1",
    "email": "bob@example.org",
    "email_verified": True,
    "preferred_username": "bob",
}


@pytest.fixture(scope="module")
def server():
    with provider_running() as provider:
        yield provider


@pytest.fixture
def provider(server, settings):
    providers = deepcopy(configured.SOCIALACCOUNT_PROVIDERS)
    providers["openid_connect"]["APPS"] = [
        {
            "provider_id": "oidc",
            "name": "Example",
            "client_id": "writ",
            "secret": "s",
            "settings": {"server_url": server.address},
        }
    ]
    settings.SOCIALACCOUNT_PROVIDERS = providers
    server.claims = dict(BOB)
    return server


def through(client: Client, provider, address="/login/provider/"):
    """There and back again."""
    away = client.get(address)
    assert away.status_code == 302, away.content
    assert away.headers["Location"].startswith(provider.address)
    query = provider.authorize(away.headers["Location"])
    return client.get(f"/login/provider/back/?{query}", follow=True)


def text_of(answer) -> str:
    return answer.content.decode()


class TestWhoComesFromTheProvider:
    def test_without_an_account_or_an_invitation_is_sent_away(self, provider, client):
        answer = through(client, provider)

        assert "ask an owner for an invitation" in text_of(answer)
        assert not User.objects.exists()

    def test_with_an_invitation_joins_the_team_and_is_known_from_then_on(
        self, provider, client
    ):
        ada = make_owner(name="ada")
        client.get(link_of(signed_in(ada), role="CURATOR"))

        through(client, provider)

        bob = User.objects.get(username="bob")
        assert bob.memberships.get().role == Role.CURATOR
        assert (bob.email, bob.has_usable_password()) == ("bob@example.org", False)
        again = Client()
        through(again, provider)
        assert again.get("/review/").status_code == 200

    def test_with_an_invitation_for_another_address_is_sent_away(
        self, provider, client
    ):
        ada = make_owner(name="ada")
        client.get(link_of_mail(ada, "eve@example.org"))

        through(client, provider)

        assert User.objects.count() == 1

    @pytest.mark.parametrize("vouched", [False, None, "true"])
    def test_is_sent_away_if_the_provider_does_not_vouch_for_the_address(
        self, provider, client, settings, vouched
    ):
        ada = make_owner(name="ada")
        settings.OIDC_AUTO_TEAM = team_of(ada).name
        provider.claims["email_verified"] = vouched

        answer = through(client, provider)

        assert "does not vouch" in text_of(answer)
        assert User.objects.count() == 1

    def test_joins_by_themselves_only_where_the_site_says_so(
        self, provider, client, settings
    ):
        ada = make_owner(name="ada")
        settings.OIDC_AUTO_TEAM = team_of(ada).name

        through(client, provider)

        assert User.objects.get(username="bob").memberships.get().role == Role.VIEWER

    def test_never_takes_over_an_account_with_the_same_address(self, provider, client):
        User.objects.filter(pk=make_user(name="robert").pk).update(
            email="bob@example.org"
        )

        answer = through(client, provider)

        assert "Sign in with your password" in text_of(answer)
        assert client.get(reverse("profile")).status_code == 302

    def test_is_asked_for_the_second_factor_all_the_same(self, provider):
        bob = make_owner(name="bob")
        connect(signed_in(bob), provider)
        set_up_factor(signed_in(bob))
        client = Client()

        answer = through(client, provider)

        assert answer.redirect_chain[-1][0] == "/login/code/"
        assert client.get("/").status_code == 302

    def test_cannot_come_back_twice_or_with_a_state_of_somebody_else(self, provider):
        bob = make_owner(name="bob")
        connect(signed_in(bob), provider)
        client = Client()
        query = provider.authorize(client.get("/login/provider/").headers["Location"])

        for visitor in (Client(), client, client):
            visitor.get(f"/login/provider/back/?{query}")

        assert bob.sessions.count() == 2  # the first one, and the client's one visit

    def test_is_told_if_the_provider_does_not_answer(self, provider, client, settings):
        app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
        app["settings"]["server_url"] = "http://127.0.0.1:9"

        answer = client.get("/login/provider/", follow=True)

        assert "does not answer" in text_of(answer)


def link_of_mail(owner, email: str) -> str:
    return link_of(signed_in(owner), email=email)


def connect(client: Client, provider):
    page = text_of(client.get(reverse("profile")))
    link = re.search(r'href="(\?process=connect[^"]+|/login/provider/[^"]+)"', page)[1]
    return through(client, provider, link.replace("&amp;", "&"))


class TestConnecting:
    def test_an_account_that_is_there_is_done_on_its_profile(self, provider):
        ada = make_user(name="ada")

        answer = connect(signed_in(ada), provider)

        assert "connected" in text_of(answer)
        client = Client()
        through(client, provider)
        assert client.get(reverse("profile")).context["person"] == ada

    def test_takes_a_key_that_no_other_site_knows(self, provider):
        client = signed_in(make_user(name="ada"))

        for key in ("", "&key=x"):
            answer = client.get(f"/login/provider/?process=connect{key}")
            assert answer.headers["Location"] == reverse("profile")


def test_there_is_no_such_page_without_a_provider(client):
    assert client.get("/login/provider/").status_code == 404
    assert client.get("/login/provider/back/?code=x&state=y").status_code == 404

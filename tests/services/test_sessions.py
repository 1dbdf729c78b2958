"""Who is signed in: out at once after signing out, after the time is over, and when an account is closed."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_owner, team_of
from writ_app.models.accounts import Session
from writ_app.services.accounts import membership_of
from writ_app.services.sessions import Backend, SessionStore

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return make_owner(name="ada")


@pytest.fixture
def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def who(client: Client):
    request = RequestFactory().get("/")
    request.session = SessionStore(client.cookies["sessionid"].value)
    return get_user(request)


def is_in(client: Client) -> bool:
    return client.get(reverse("review")).status_code == 200


class TestASession:
    def test_says_who_it_is(self, signed_in, user):
        assert is_in(signed_in)
        assert who(signed_in) == user

    def test_ends_with_its_time(self, signed_in):
        Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))

        assert not is_in(signed_in)
        assert who(signed_in).is_anonymous

    def test_ends_when_it_is_deleted_elsewhere(self, signed_in):
        Session.objects.all().delete()

        assert not is_in(signed_in)

    def test_ends_with_the_account_and_with_the_password(self, signed_in, user):
        user.set_password("another long passphrase")
        user.save()
        assert not is_in(signed_in)

        signed_in.force_login(user)
        assert is_in(signed_in)
        user.is_active = False
        user.save()
        assert not is_in(signed_in)

    def test_of_an_unknown_key_is_empty_and_its_key_is_not_taken_over(self, db):
        store = SessionStore("f" * 32)

        assert store.load() == {}
        assert store.session_key is None


class TestWhoCameWithASession:
    """Person and places are read with the session, once, and serve the request that read them and no other."""

    def test_is_the_person_with_their_places(
        self, signed_in, user, django_assert_num_queries
    ):
        with django_assert_num_queries(1):
            found = who(signed_in)
            membership = membership_of(found)

        assert membership == user.memberships.get()
        assert membership.team == team_of(user)

    def test_has_none_of_them_after_leaving_a_team(self, signed_in, user):
        assert is_in(signed_in)
        user.memberships.all().delete()

        assert membership_of(who(signed_in)) is None

    def test_is_asked_anew_after_the_request_was_given_its_team(self, signed_in, user):
        found = who(signed_in)
        assert membership_of(found)
        user.memberships.all().delete()

        assert membership_of(found) is None

    def test_is_nobody_else(self, signed_in, user):
        other = make_owner(name="grace")
        SessionStore(signed_in.cookies["sessionid"].value).load()

        assert Backend().get_user(other.pk).username == "grace"

    def test_is_not_who_came_with_an_earlier_request(self, signed_in, user):
        SessionStore(signed_in.cookies["sessionid"].value).load()
        user.is_active = False
        user.save()
        SessionStore(None)  # as the next request makes one

        assert Backend().get_user(user.pk) is None

    def test_is_nobody_in_a_session_before_signing_in(self):
        store = SessionStore()
        store["seen"] = "yes"
        store.create()
        again = SessionStore(store.session_key)

        assert again.load() == {"seen": "yes"}


def test_nobody_has_the_number_of_a_user_who_is_not_there(db):
    assert Backend().get_user(0) is None

"""Who is signed in: out at once after signing out, after the time is over, and when an account is closed."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_owner
from writ_app.models.accounts import Session
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


def test_nobody_has_the_number_of_a_user_who_is_not_there(db):
    assert Backend().get_user(0) is None

"""Who is signed in when the migration runs stays signed in."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth import BACKEND_SESSION_KEY as BACKEND
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as Before
from django.contrib.sessions.models import Session as BeforeRow
from django.test import Client
from django.utils import timezone

from tests.factories import make_owner
from writ_app.models.accounts import Session

pytestmark = pytest.mark.django_db


def session_of(user) -> Before:
    """As the release before made it."""
    session = Before()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND] = "writ_app.services.sessions.Backend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return session


def carry_over() -> None:
    import_module("writ_app.migrations.0031_keep_sessions").carry_over(apps, None)


def test_a_session_goes_on_under_its_key():
    user = make_owner(name="ada")
    session = session_of(user)

    carry_over()

    client = Client()
    client.cookies["sessionid"] = session.session_key
    assert client.get("/review/").status_code == 200
    assert user.sessions.get().pk == session.session_key


def test_what_is_over_is_left_behind():
    session_of(make_owner())
    BeforeRow.objects.update(expire_date=timezone.now() - timedelta(seconds=1))

    carry_over()

    assert not Session.objects.exists()

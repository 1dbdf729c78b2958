"""The command that stands in for a mail server."""

from io import StringIO
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from tests.factories import make_user
from writ_app.models.audit import AuditEntry

pytestmark = pytest.mark.django_db
NEW = "a much longer passphrase"


def test_the_link_sets_a_password_once():
    user, out = make_user(name="ada"), StringIO()
    call_command(
        "reset_password_link",
        "ada",
        site="https://writ.example/",
        stdout=out,
        stderr=StringIO(),
    )
    link = urlsplit(out.getvalue().strip())
    assert link.netloc == "writ.example"
    client = Client()

    form = client.get(link.path, follow=True).redirect_chain[-1][0]
    client.post(form, {"new_password1": NEW, "new_password2": NEW})

    user.refresh_from_db()
    assert user.check_password(NEW)
    assert "opens nothing" in Client().get(link.path, follow=True).content.decode()
    assert AuditEntry.objects.filter(action="person.reset_link").exists()


def test_there_is_none_for_an_account_that_is_not_there():
    with pytest.raises(CommandError, match="no open account bob"):
        call_command("reset_password_link", "bob")

"""What every answer tells browsers, and what a request may cost the database."""

from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from tests.factories import make_owner
from writ_app.views.limits import StatementLimit, limit
from writ_app.views.troubles import answer, trouble_of

pytestmark = pytest.mark.django_db


class TestHeaders:
    @pytest.mark.parametrize(
        "address", ["/login/", "/", "/nowhere/", "/static/js/writ.js"]
    )
    def test_are_on_every_answer(self, client: Client, address: str) -> None:
        headers = client.get(address).headers

        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]

    def test_frame_nothing_and_load_nothing_of_others(self, client: Client) -> None:
        client.force_login(make_owner())

        headers = client.get("/").headers
        policy = dict(
            part.strip().partition(" ")[::2]
            for part in headers["Content-Security-Policy"].split(";")
        )

        assert headers["X-Frame-Options"] == "DENY"
        assert policy["default-src"] == "'none'"
        assert policy["script-src"].split()[0] == "'self'"
        assert policy["style-src"] == "'self'"
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["form-action"] == policy["connect-src"] == "'self'"
        assert policy["require-trusted-types-for"] == "'script'"
        assert policy["trusted-types"] == "default"
        assert "unsafe" not in headers["Content-Security-Policy"]

    def test_of_the_administration_want_trusted_types_alone_less(
        self, client: Client
    ) -> None:
        admin = make_owner()
        admin.is_staff = admin.is_superuser = True
        admin.save()
        client.force_login(admin)

        policy = client.get(reverse("admin:index")).headers["Content-Security-Policy"]

        assert "trusted-types" not in policy
        for name in set(settings.SECURE_CSP) - {
            "require-trusted-types-for",
            "trusted-types",
            "script-src",
        }:
            assert name in policy
        assert "unsafe" not in policy


@pytest.mark.django_db(transaction=True)
class TestStatements:
    @pytest.fixture
    def short(self, settings: Any) -> Any:
        settings.STATEMENT_SECONDS = 1
        connection.close()
        limit_of = StatementLimit(lambda request: HttpResponse("in time"))
        yield limit_of
        connection.close()

    def test_of_a_request_end_in_time(self, short: StatementLimit) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("1s",)

    def test_that_took_too_long_end_in_a_page_that_says_so(
        self, short: StatementLimit
    ) -> None:
        with pytest.raises(OperationalError) as error, connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5)")

        trouble = trouble_of(error.value)
        assert trouble is not None
        response = answer(RequestFactory().get("/"), trouble)

        assert response.status_code == 503
        assert "took too long" in response.content.decode()

    def test_of_jobs_and_commands_are_not_limited_by_it(self) -> None:
        from django.db.backends.signals import connection_created

        connection_created.disconnect(limit, dispatch_uid="statement-limit")
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("0",)

"""`migrate` beside others: it gives up on a lock that somebody holds, soon."""

import time
from collections.abc import Iterator

import psycopg
import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import override_settings

MODELS = apps.get_app_config("writ_app").get_models()


@pytest.mark.django_db(transaction=True)
class TestLocks:
    @pytest.fixture(autouse=True)
    def applied_again(self) -> Iterator[None]:
        yield
        call_command("migrate", verbosity=0)

    @override_settings(MIGRATE_LOCK_SECONDS=1)
    def test_a_lock_that_others_hold_ends_it_and_leaves_the_schema(self) -> None:
        tables = connection.introspection.table_names()
        others = psycopg.connect(**connection.get_connection_params())
        with others, others.transaction():
            every = ", ".join(model._meta.db_table for model in MODELS)
            others.execute(f"LOCK TABLE {every} IN ACCESS SHARE MODE")
            begun = time.monotonic()
            with pytest.raises(OperationalError, match="lock timeout"):
                call_command("migrate", "writ_app", "zero", verbosity=0)
            took = time.monotonic() - begun

        assert took < 30
        assert connection.introspection.table_names() == tables

    def test_the_wait_is_of_this_command_alone(self) -> None:
        call_command("migrate", verbosity=0)

        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            assert cursor.fetchone() == ("0",)

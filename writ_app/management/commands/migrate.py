"""`manage.py migrate`, which waits a few seconds for a lock and then gives up instead of stopping everybody behind it."""

from typing import Any

from django.conf import settings
from django.core.management.commands import migrate
from django.db import connections

from writ_app.management.site import clear_errors


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        with clear_errors():
            connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            before = cursor.fetchone()[0]
            wait = f"{settings.MIGRATE_LOCK_SECONDS}s"
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [wait])
        try:
            super().handle(*args, **options)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, false)", [before])

"""manage.py audit_role"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from writ_app.services.audit.roles import role_statements


class Command(BaseCommand):
    help = (
        "Print the SQL that gives an existing database role what the app needs, and no right to change the audit log. "
        "Run it as the owner of the tables: manage.py audit_role writ_web | psql OWNER_URL"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("role", help="name of the role that the app connects with")
        parser.add_argument("--schema", default="public")

    def handle(self, *args: Any, **options: Any) -> None:
        database = str(connection.settings_dict["NAME"])
        for statement in role_statements(
            role=options["role"], database=database, schema=options["schema"]
        ):
            self.stdout.write(statement)

"""`manage.py write_commands`: write the page of all commands from their parsers."""

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand

from writ_app.management.reference import commands_page


class Command(BaseCommand):
    help = "Write docs/commands.md from the parsers of our commands. For developers, after a change of one."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.BASE_DIR / "docs/commands.md"
        path.write_text(commands_page(), encoding="utf-8")
        self.stdout.write(f"{path}")

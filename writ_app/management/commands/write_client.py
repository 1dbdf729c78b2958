"""Write the client's operations anew, after the API has changed."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from writ_app.adapters.client_code import client_code
from writ_app.adapters.openapi import api_schema

TARGET = Path(__file__).parents[2] / "client" / "operations.py"


class Command(BaseCommand):
    help = "Write writ_app/client/operations.py from the API's schema. Needs ruff, as developers have it."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        TARGET.write_text(client_code(api_schema().content))
        for step in (["check", "--fix", "--quiet"], ["format", "--quiet"]):
            command = [sys.executable, "-m", "ruff", *step, str(TARGET)]
            subprocess.run(command, check=True)
        self.stdout.write(f"{TARGET} is written.")

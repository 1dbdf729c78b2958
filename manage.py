#!/usr/bin/env python
"""Django's command line for WRIT."""

import gc
import os
import sys


def main() -> None:
    # What is imported stays: walking it again and again was an eighth of the start of every command.
    gc.set_threshold(20_000, 20, 50)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "writ_app.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Cannot start: {error}")


if __name__ == "__main__":
    main()

"""What `manage.py check`, and every command with it, says about settings that fit one host alone."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register


@register("deployment")
def one_key_for_all_hosts(**kwargs: Any) -> list[CheckMessage]:
    """A key that was made at the first start is another one on every host."""
    if settings.SECRET_KEY_MADE and "postgres" not in settings.EMBEDDED_SERVICES:
        return [
            Warning(
                "DATABASE_URL names a database that other hosts may share, and this host made a key of its own: "
                "who signs in at one host is not signed in at another.",
                hint="Set WRIT_SECRET_KEY to the same long random text on every host.",
                id="writ.W001",
            )
        ]
    return []

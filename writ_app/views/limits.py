"""No page may hold the database for as long as it likes: a statement of a request ends after STATEMENT_SECONDS, and the page says so (writ_app/views/troubles.py)."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db.backends.signals import connection_created
from django.http import HttpRequest, HttpResponseBase


class StatementLimit:
    """Only processes that answer requests load middleware, so jobs and commands keep what the server gives them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        # A pooler hands the same connection to jobs as well: there the limit belongs to the role.
        if settings.STATEMENT_SECONDS and settings.OWN_CONNECTIONS:
            connection_created.connect(limit, dispatch_uid="statement-limit")

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)


def limit(connection: Any, **kwargs: Any) -> None:
    """Once per connection; what a search sets for itself within its transaction goes before."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('statement_timeout', %s, false)",
            [str(1000 * settings.STATEMENT_SECONDS)],
        )

"""Counts every request, and shows the counts to who knows the token. Loaded only if there is one (WRIT_METRICS_TOKEN)."""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.backends.signals import connection_created
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.crypto import constant_time_compare
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from writ_app.adapters import metrics
from writ_app.adapters.troubles import database_trouble, message_unsent
from writ_app.services.operations.served import everything

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
"""Others are what somebody makes up, and would each be a series."""


class Measured:
    """The middleware around everything that is a page. Probes and scrapes are answered before it and not counted."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        queries = Queries()
        began = time.perf_counter()
        with connection.execute_wrapper(queries):
            response = self.get_response(request)
        took = time.perf_counter() - began
        view = name_of(request)
        method = request.method if request.method in METHODS else "OTHER"
        metrics.REQUESTS.labels(view, method, response.status_code).inc()
        metrics.REQUEST_SECONDS.labels(view).observe(took)
        metrics.REQUEST_QUERIES.labels(view).observe(queries.count)
        return response


class Queries:
    """Counts, and otherwise leaves each query as it is."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(
        self, execute: Any, sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        self.count += 1
        return execute(sql, params, many, context)


def name_of(request: HttpRequest) -> str:
    """The name of the view, never the address: there are as many addresses as rows."""
    if match := request.resolver_match:
        return match.view_name or "unnamed"
    return "static" if request.path_info.startswith(settings.STATIC_URL) else "none"


def tell(request: HttpRequest) -> HttpResponse:
    """For `Authorization: Bearer TOKEN`; 401 for anybody else."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    known = constant_time_compare(token.strip(), settings.METRICS_TOKEN)
    if scheme.lower() != "bearer" or not known:
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    return HttpResponse(everything(), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def count_connection(sender: Any, **kwargs: Any) -> None:
    metrics.CONNECTIONS.inc()


def count_trouble(sender: Any, kind: str, **kwargs: Any) -> None:
    metrics.TROUBLES.labels(kind).inc()


def count_unsent(sender: Any, job: str, **kwargs: Any) -> None:
    metrics.UNSENT.labels(job.removeprefix("writ_app.jobs.")).inc()


connection_created.connect(count_connection)
database_trouble.connect(count_trouble)
message_unsent.connect(count_unsent)

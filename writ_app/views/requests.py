"""Every request has an id, which its log lines carry and its answer tells."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.signals import request_finished
from django.http import HttpRequest, HttpResponseBase

from writ_app.adapters.logs import begin, new_request_id, request_id_from

HEADER = "X-Request-ID"


class RequestId:
    """Takes the id of a proxy that is said to be there (WRIT_BEHIND_PROXY), if well-formed; else makes one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        trusted = settings.BEHIND_PROXY
        sent = request.headers.get(HEADER) if trusted else None
        request_id = request_id_from(sent) if trusted else new_request_id()
        # Not a block: Django writes of refused requests after the last middleware.
        begin(request_id=request_id)
        response = self.get_response(request)
        response[HEADER] = request_id
        return response


def forget(sender: Any, **kwargs: Any) -> None:
    """What a thread writes between two requests belongs to none."""
    begin()


request_finished.connect(forget)

"""Pages and fragments: the only place that knows about htmx."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers


def wants_fragment(request: HttpRequest) -> bool:
    htmx = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def render_page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    *,
    fragment: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page, or its named fragment if htmx asks for a part of it."""
    part = f"#{fragment}" if fragment and wants_fragment(request) else ""
    response = render(request, template + part, dict(context), status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response

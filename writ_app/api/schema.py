"""The schema as a file. Public, as its documentation is: it says what there is, and nothing that is in it."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control
from django.views.decorators.http import etag, require_safe

TYPES = {"json": "application/vnd.oai.openapi+json", "yaml": "application/yaml"}


def _digest(request: HttpRequest) -> str:
    from writ_app.adapters.openapi import api_schema  # costs a second and memory, once

    return f'"{request.GET.get("format", "json")[:4]}-{api_schema().digest}"'


@require_safe
@etag(_digest)
def schema(request: HttpRequest) -> HttpResponseBase:
    """JSON, or YAML with `?format=yaml`."""
    from writ_app.adapters.openapi import api_schema, as_yaml

    shape = request.GET.get("format", "json")
    if shape not in TYPES or set(request.GET) - {"format"}:
        return HttpResponse("format is json or yaml", status=400)
    made = api_schema()
    text = made.json if shape == "json" else as_yaml(made)
    response = HttpResponse(text, content_type=TYPES[shape])
    patch_cache_control(response, public=True, max_age=300)
    return response

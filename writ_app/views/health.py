"""For load balancers, containers and Prometheus: no session, no cookie, no host name, no redirect, no secrets.

`Operations` answers before every other middleware: those who ask know this process by an internal address, which
is none of the hosts that are served, and speak plain HTTP.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from writ_app.services.operations import LIVE, METRICS, READY
from writ_app.services.operations.wellness import look


def live(request: HttpRequest) -> HttpResponse:
    """200 while this process takes requests. Asks nobody, so a lost database restarts no web server."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> HttpResponse:
    """200 if everything that a page needs answers, otherwise 503; after two seconds at most."""
    findings = look()
    well = all(finding.ok for finding in findings.values() if finding.needed)
    content = {
        "status": "ok" if well else "unavailable",
        **{name: finding.says for name, finding in findings.items()},
    }
    return JsonResponse(content, status=200 if well else 503)


def metrics(request: HttpRequest) -> HttpResponse:
    """For who knows WRIT_METRICS_TOKEN; without that setting there is nothing here."""
    if not settings.METRICS_TOKEN:
        return HttpResponse(status=404)
    # What counts is loaded only where somebody watches.
    from writ_app.views.metrics import tell

    return tell(request)


ANSWERS: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    LIVE: live,
    READY: ready,
    METRICS: metrics,
}


class Operations:
    """The middleware that answers these addresses, and no others. Must come first."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = ANSWERS.get(request.path_info)
        if answer is None:
            return self.get_response(request)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        response = answer(request)
        response["Cache-Control"] = "no-store"
        return response

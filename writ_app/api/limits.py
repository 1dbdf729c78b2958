"""How often anybody may ask: counted by token or person, in the cache that all processes share.

While that is gone, nobody is counted (writ_app/adapters/caches.py): the limit is a courtesy, the answer is not.
"""

import time

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

WINDOW = 60
"""Seconds."""


class PerMinute(BaseThrottle):
    """`settings.API_PER_MINUTE` requests in each minute of the clock."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        return self._count(request) <= settings.API_PER_MINUTE

    def wait(self) -> float:
        return WINDOW - time.time() % WINDOW

    def _count(self, request: Request) -> int:
        who = f"token-{request.auth.pk}" if request.auth else f"user-{request.user.pk}"
        key = f"api-{who}-{int(time.time() // WINDOW)}"
        if cache.add(key, 1, timeout=2 * WINDOW):
            return 1
        try:
            return int(cache.incr(key))
        except ValueError:  # forgotten between the two
            return 1

"""What processes remember for a while: each for itself (`here`), or all of them together (the default cache).

The shared one counts attempts to sign in, and knows which one-time codes were used. It must never be what keeps people out: while its
server is gone, nothing is remembered, everything is let through, and a line in the log says so.
"""

import logging
import time
from collections.abc import Callable
from typing import Any, ClassVar

from django.core.cache import BaseCache, caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache
from django.utils.connection import ConnectionProxy
from redis import RedisError

logger = logging.getLogger(__name__)

PAUSE = 10
"""Seconds for which a server that did not answer is not asked."""

here: BaseCache = ConnectionProxy(caches, "process")  # type: ignore[assignment]


def shared_cache(broker_url: str, *, seconds: float = 0.5) -> dict[str, Any]:
    """Django's settings of the default cache: on the broker's server if that is Redis or Valkey, otherwise each process's own."""
    plain = broker_url.replace("redis+socket://", "unix://", 1)
    if not plain.startswith(("redis://", "rediss://", "unix://")):
        return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    return {
        "BACKEND": f"{__name__}.SharedCache",
        "LOCATION": plain,
        "KEY_PREFIX": "writ",
        "OPTIONS": {"socket_timeout": seconds, "socket_connect_timeout": seconds},
    }


class SharedCache(RedisCache):
    """Django's, which answers as an empty cache would while its server is gone."""

    asked_again: ClassVar[float] = 0
    """When a server that did not answer is asked again, by this process's own clock: lest every request waits for it."""

    def _asked(self, what: Callable[..., Any], otherwise: Any, *args: Any) -> Any:
        if time.monotonic() < SharedCache.asked_again:
            return otherwise
        try:
            return what(*args)
        except RedisError as error:
            logger.warning("The shared cache is gone, nothing is counted: %s", error)
            SharedCache.asked_again = time.monotonic() + PAUSE
            return otherwise

    def add(
        self,
        key: str,
        value: Any,
        timeout: Any = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        return bool(self._asked(super().add, True, key, value, timeout, version))

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._asked(super().get, default, key, default, version)

    def set(
        self,
        key: str,
        value: Any,
        timeout: Any = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> None:
        self._asked(super().set, None, key, value, timeout, version)

    def delete(self, key: str, version: int | None = None) -> bool:
        return bool(self._asked(super().delete, False, key, version))

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        return int(self._asked(super().incr, delta, key, delta, version))

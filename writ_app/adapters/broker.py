"""The broker as a plain key-value server, for the little that is not a message."""

from redis import Redis


def broker_client(url: str, *, seconds: float) -> Redis:
    """A client of the broker at a Celery URL; every wait on it ends after `seconds`.

    Sockets are `redis+socket://` to Celery and `unix://` to its client library.
    """
    plain = url.replace("redis+socket://", "unix://", 1)
    return Redis.from_url(
        plain, socket_timeout=seconds, socket_connect_timeout=seconds, retry=None
    )

"""A server that accepts and never says a word."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread


@contextmanager
def hanging_server() -> Iterator[tuple[int, list[socket.socket]]]:
    """Its port on loopback, and the connections it holds."""
    accepted: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    accepted.append(server.accept()[0])

        Thread(target=accept, daemon=True).start()
        yield int(server.getsockname()[1]), accepted
        server.shutdown(socket.SHUT_RDWR)
    for held in accepted:
        held.close()

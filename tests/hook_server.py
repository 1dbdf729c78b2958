"""A real server that takes webhooks: notes what came, and answers as it is told."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Taken:
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


class HookServer:
    """Answers with the given statuses one after the other, the last of them for good."""

    def __init__(self, statuses: Sequence[int], location: str):
        self.taken: list[Taken] = []
        self.statuses = list(statuses)
        self.answers = threading.Event()
        """Cleared: requests are taken and not answered."""
        self.answers.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                told = {name.lower(): value for name, value in self.headers.items()}
                outer.taken.append(Taken(told, body))
                outer.answers.wait(30)
                status = outer.statuses[0]
                if len(outer.statuses) > 1:
                    outer.statuses.pop(0)
                self.send_response(status)
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Length", "12")
                self.end_headers()
                self.wfile.write(b"<b>secret</b"[:12])

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook?of=team"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@contextmanager
def taking_hooks(*statuses: int, location: str = "") -> Iterator[HookServer]:
    server = HookServer(statuses or (204,), location)
    try:
        yield server
    finally:
        server.stop()

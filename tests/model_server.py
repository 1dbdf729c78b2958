"""Scripted models as a server process of their own, as cheap as can be: what they say was worked out before.

    python -m tests.model_server ANSWERS --delay SECONDS

ANSWERS is what `write_answers` made. Prints its port, answers every request after the delay, and tells at /asked what it was asked
and when, and at /most how many it was asked at the same time. `started` does all that.
"""

import argparse
import asyncio
import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fakes import completion_reply

ROOT = Path(__file__).resolve().parent.parent
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
)
SEEDS = 10_000_000
"""Copies of a simulation have seeds this far apart, and are answered alike."""

type Asked = tuple[float, int, str, int]
"""When, by the monotonic clock that all processes share; seed, side, number of messages."""


@dataclass(frozen=True)
class ModelServer:
    url: str

    def asked(self) -> list[Asked]:
        return [tuple(one) for one in self._told("/asked")]

    def most(self) -> int:
        """Requests that were open at the same time, at most."""
        return int(self._told("/most"))

    def _told(self, what: str) -> Any:
        request = urllib.request.Request(
            self.url.replace("/v1", what), data=b"{}", method="POST"
        )
        with urllib.request.urlopen(request) as reply:
            return json.load(reply)


@contextmanager
def started(answers: Path, delay: float) -> Iterator[ModelServer]:
    command = [sys.executable, "-m", "tests.model_server", str(answers)]
    server = subprocess.Popen(
        [*command, "--delay", str(delay)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout
    try:
        port = server.stdout.readline().strip()
        yield ModelServer(f"http://127.0.0.1:{port}/v1")
    finally:
        server.kill()
        server.wait()


def write_answers(path: Path, answers: dict[tuple[int, str, int], Any]) -> None:
    """Answers as tests.played has them."""
    bodies = {
        " ".join(map(str, key)): completion_reply(message).body
        for key, message in answers.items()
    }
    path.write_text(json.dumps(bodies))


class Models(asyncio.Protocol):
    """One connection. Requests are not parsed, only recognized."""

    answers: dict[str, bytes] = {}
    delay = 0.0
    asked: list[Asked] = []
    open = most = 0
    seed = re.compile(rb'"seed": ?(\d+)')

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.buffer[:end].lower()
        _, _, rest = head.partition(b"content-length:")
        length = int(rest.split(b"\r\n")[0])
        if len(self.buffer) < end + 4 + length:
            return
        body, self.buffer = self.buffer[end + 4 : end + 4 + length], b""
        if head.startswith(b"post /asked"):
            self.send(json.dumps(self.asked).encode())
        elif head.startswith(b"post /most"):
            self.send(json.dumps(self.most).encode())
        else:
            Models.open += 1
            Models.most = max(Models.most, Models.open)
            loop = asyncio.get_running_loop()
            loop.call_later(self.delay, self.finish, self.answer(body))

    def answer(self, body: bytes) -> bytes:
        found = self.seed.search(body)
        assert found
        seed, side = int(found[1]), "agent" if b'"tools":' in body else "user"
        said = body.count(b'"role":')
        self.asked.append((time.monotonic(), seed, side, said))
        return self.answers[f"{seed % SEEDS} {side} {said}"]

    def finish(self, body: bytes) -> None:
        Models.open -= 1
        self.send(body)

    def send(self, body: bytes) -> None:
        self.transport.write(HEAD % len(body) + body)


async def serve(answers: Path, delay: float) -> None:
    Models.answers = {
        key: body.encode() for key, body in json.loads(answers.read_text()).items()
    }
    Models.delay = delay
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Models, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("answers", type=Path)
    parser.add_argument("--delay", type=float, required=True)
    wanted = parser.parse_args()
    asyncio.run(serve(wanted.answers, wanted.delay))

"""How the client speaks with a server: the standard library alone, no redirects, retries where nothing can be done twice."""

import http.client
import json
import os
import random
import ssl
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlencode, urlsplit

PIECE = 256 * 1024
"""Bytes of a file that are held at a time."""
RETRIED = (429, 502, 503, 504)
LOCAL = ("localhost", "127.0.0.1", "::1")


class ClientError(Exception):
    """Whatever this client raises."""


class Unreachable(ClientError):
    """No answer, after all attempts. Whether the server did what was asked is not known, unless the call carried a key."""


class Problem(ClientError):
    """An answer that is not what was asked for, as RFC 9457 has it."""

    def __init__(self, status: int, content: Mapping[str, Any]):
        self.status = status
        self.type = str(content.get("type", "about:blank"))
        self.title = str(content.get("title", ""))
        self.detail = str(content.get("detail", ""))
        self.errors: dict[str, list[str]] = dict(content.get("errors") or {})
        """Field → what is wrong with it."""
        self.retry_after = 0.0
        """Seconds that the server asks to wait."""
        self.request_id = str(content.get("request_id", ""))
        """Under which the server's log has it."""
        fields = "; ".join(
            f"{name}: {' '.join(texts)}" for name, texts in self.errors.items()
        )
        said = " ".join(filter(None, (self.title + ".", self.detail, fields)))
        super().__init__(f"{status} {said}")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A token never goes to another address than the one that was given."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


class Transport:
    """Asks one server as one token. Nothing is kept open between calls, so threads may share it."""

    def __init__(
        self,
        address: str,
        token: str,
        *,
        timeout: float = 60.0,
        attempts: int = 5,
        patience: float = 120.0,
        context: ssl.SSLContext | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ):
        """`address` is the site's, such as `https://writ.example`; plain http only to this machine.

        `timeout`: seconds without a sign of life. `attempts` of one call, and seconds of `patience` that it waits between them in all.
        """
        parts = urlsplit(address)
        if parts.scheme != "https" and not (
            parts.scheme == "http" and parts.hostname in LOCAL
        ):
            raise ValueError("Use https: a token is sent with every request.")
        self._base = address.rstrip("/") + "/api/v1"
        self._token = token
        self._timeout, self._attempts, self._patience = timeout, attempts, patience
        self._sleep = sleep
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
        if context is not None:
            handlers.append(urllib.request.HTTPSHandler(context=context))
        self._opener = urllib.request.build_opener(*handlers)

    def ask(
        self,
        method: str,
        path: str,
        *,
        values: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        form: Mapping[str, Any] | None = None,
        key: str | None = None,
        keyed: bool = False,
    ) -> Any:
        """The answer's JSON, None if it has no body. `keyed`: the operation takes an Idempotency-Key; one is made if none is given.

        `form`: fields of a multipart body; a Path is a file. Raises Problem or Unreachable.
        """
        headers = {"Accept": "application/json, application/problem+json"}
        if keyed:
            headers["Idempotency-Key"] = key or uuid.uuid4().hex
        address = self._address(path, values, query)
        content: bytes = self._answer(
            lambda: self._request(method, address, headers, body, form),
            _read,
            safe=keyed or method == "GET",
        )
        return json.loads(content) if content else None

    def download(
        self,
        path: str,
        *,
        values: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        to: str | os.PathLike[str],
    ) -> int:
        """Write an answer to a file as it comes; bytes written. The file is there whole, or not at all."""
        target = Path(to)
        part = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")
        headers = {"Accept": "*/*"}
        address = self._address(path, values, query)

        def take(response: Any) -> int:
            with part.open("wb") as file:
                return _copy(response, file)

        try:
            written = self._answer(
                lambda: self._request("GET", address, headers, None, None),
                take,
                safe=True,
            )
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        return written

    def pages(
        self,
        path: str,
        *,
        values: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> Iterator[Any]:
        """The rows of all pages of a list, one page in memory at a time."""
        asked = dict(query or {})
        while True:
            page = self.ask("GET", path, values=values, query=asked)
            yield from page["items"]
            if page["cursor"] is None:
                return
            asked["after"] = page["cursor"]

    # --- one call -----------------------------------------------------------------------------------------------------------

    def _address(
        self,
        path: str,
        values: Mapping[str, Any] | None,
        query: Mapping[str, Any] | None,
    ) -> str:
        for name, value in (values or {}).items():
            path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
        given = {
            name: _in_query(value)
            for name, value in (query or {}).items()
            if value is not None
        }
        return self._base + path + (f"?{urlencode(given, True)}" if given else "")

    def _answer[T](
        self,
        make: Callable[[], urllib.request.Request],
        take: Callable[[Any], T],
        *,
        safe: bool,
    ) -> T:
        """What `take` makes of a success, after as many attempts as are safe. Files here that cannot be written are no reason for one."""
        waited = 0.0
        for attempt in range(1, self._attempts + 1):
            wait = _backoff(attempt)
            try:
                with self._open(make()) as response:
                    return take(response)
            except Problem as error:
                trouble: ClientError = error
                again = _may_again(error, safe, attempt)
                wait = max(wait, error.retry_after)
            except Unreachable as error:
                trouble, again = error, safe
            waited += wait
            if not again or attempt == self._attempts or waited > self._patience:
                raise trouble
            self._sleep(wait)
        raise AssertionError("attempts is at least 1")

    def _open(self, request: urllib.request.Request) -> Any:
        try:
            return self._opener.open(request, timeout=self._timeout)
        except urllib.error.HTTPError as error:
            raise _problem(error) from None
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"{self._base}: {error}") from error

    def _request(
        self,
        method: str,
        address: str,
        headers: Mapping[str, str],
        body: Any,
        form: Mapping[str, Any] | None,
    ) -> urllib.request.Request:
        sent = {**headers, "Authorization": f"Bearer {self._token}"}
        data: Any = None
        if form is not None:
            boundary = uuid.uuid4().hex
            parts = list(_parts(form, boundary))
            sent["Content-Type"] = f"multipart/form-data; boundary={boundary}"
            sent["Content-Length"] = str(sum(size for size, _ in parts))
            data = (piece for _, pieces in parts for piece in pieces())
        elif method != "GET":
            # What takes no body is sent an empty one, so that its length is said.
            data = b"" if body is None else json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        return urllib.request.Request(address, data, sent, method=method)


def _in_query(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def _may_again(problem: Problem, safe: bool, attempt: int) -> bool:
    """429 says that nothing was done. Other answers are tried again only where that cannot do a thing twice."""
    if problem.status == 409:
        # The attempt before, whose answer was lost, is still being worked on.
        return safe and attempt > 1 and "Idempotency-Key" in problem.detail
    return problem.status == 429 or (safe and problem.status in RETRIED)


def _backoff(attempt: int) -> float:
    return float(0.5 * 2 ** (attempt - 1) * random.uniform(0.75, 1.25))


def _retry_after(text: str | None) -> float:
    """Seconds that a server asks for: a number, or a date."""
    if not text:
        return 0.0
    with suppress(ValueError):
        return max(0.0, float(text))
    with suppress(ValueError):
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    return 0.0


def _problem(error: urllib.error.HTTPError) -> Problem:
    content: Any = None
    with error, suppress(ValueError, OSError, http.client.HTTPException):
        content = json.loads(error.read(1_000_000))
    if not isinstance(content, dict):
        content = {"title": error.reason}
    problem = Problem(error.code, content)
    problem.retry_after = _retry_after(error.headers.get("Retry-After"))
    return problem


def _read(response: Any, most: int | None = None) -> bytes:
    try:
        content: bytes = response.read(most)
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"The answer broke off: {error}") from error
    return content


def _copy(response: Any, file: IO[bytes]) -> int:
    """Until the end; a connection that ends before what was promised is no end."""
    promised = response.headers.get("Content-Length")
    written = 0
    while piece := _read(response, PIECE):
        file.write(piece)
        written += len(piece)
    if promised is not None and written != int(promised):
        raise Unreachable(f"Of {int(promised):,} bytes {written:,} came.")
    return written


def _parts(
    form: Mapping[str, Any], boundary: str
) -> Iterator[tuple[int, Callable[[], Iterator[bytes]]]]:
    """(bytes, pieces) of a multipart body; files are read when they are sent."""
    for name, value in form.items():
        if value is None:
            continue
        more = ""
        if isinstance(value, Path):
            shown = value.name.translate({34: "%22", 13: "%0D", 10: "%0A"})
            more = f'; filename="{shown}"\r\nContent-Type: application/octet-stream'
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
        yield _whole(head.encode())
        if isinstance(value, Path):
            yield value.stat().st_size, _reader(value)
        else:
            yield _whole(str(_in_query(value)).encode())
        yield _whole(b"\r\n")
    yield _whole(f"--{boundary}--\r\n".encode())


def _whole(content: bytes) -> tuple[int, Callable[[], Iterator[bytes]]]:
    return len(content), lambda: iter((content,))


def _reader(path: Path) -> Callable[[], Iterator[bytes]]:
    def read() -> Iterator[bytes]:
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece

    return read

"""Requests to addresses that people name, such as webhooks: never to a place inside our own network.

A host is resolved once, every address it has is judged, and the connection goes to one of those that were judged, so that a name which
answers differently the next time leads nowhere else (DNS rebinding). TLS and `Host` still speak of the name. Nothing is followed,
unpacked or kept: no redirects, proxies, cookies or compression, and time and size of the whole exchange are bounded.
"""

import http.client
import io
import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

from writ_app.engine.errors import WritError

SECONDS = 10.0
"""From the question to the resolver to the last byte."""
ANSWER_BYTES = 64 * 1024
"""What is read of an answer's body; the rest is left where it is."""
MOST_URL = 2_000
PORTS = {"http": 80, "https": 443}
_PRIVILEGED = 1024
"""Below it only the ports of HTTP are asked: everything else there is another protocol."""

_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "169.254.0.0/16",
        "168.63.129.16/32",  # Azure's host: a public address that leads inside
        "100.100.100.200/32",  # Alibaba Cloud's metadata
        "192.0.0.192/32",  # Oracle Cloud's metadata
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/128",
        "fe80::/10",
        "fd00:ec2::/32",  # metadata of AWS
        "fd20:ce::/32",  # metadata of Google Cloud
        "fec0::/10",
        "ff00::/8",
    )
)
"""Where not even a host of one's own may lead: nobody, many, or whoever hands out a cloud's credentials."""
_INSIDE = tuple(
    ipaddress.ip_network(text)
    for text in (
        "100.64.0.0/10",
        "192.88.99.0/24",
        "64:ff9b:1::/48",
        "100::/64",
        "5f00::/16",
    )
)
"""What some versions of `is_global` let through: shared and local translation, discard, segment routing."""
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE = ipaddress.IPv6Network("::/96")

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address
type Resolve = Callable[[str, int], list[str]]
type Connect = Callable[[tuple[str, int], float], socket.socket]


class EgressRefused(WritError):
    """Such a request is never sent. The text does not tell which address a name has: that would map our network."""


class EgressFailed(WritError):
    """The request was sent, or tried, and no answer came in time."""


@dataclass(frozen=True)
class Reply:
    """What came back. A status of 300 and above is an answer, too; nothing is followed."""

    status: int
    body: bytes
    """At most ANSWER_BYTES, as it came. It is somebody else's text: never shown as anything but text."""
    cut: bool


def resolve(host: str, port: int) -> list[str]:
    """Addresses of a name in the system's order, without repeats. OSError if there are none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_reachable(text: str, *, own: bool = False) -> bool:
    """Whether an address may be asked: a public one, or with `own` (a host that the operator listed) one inside, too."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if getattr(address, "scope_id", None):
        return False
    return all(_is_open(one, own) for one in (address, *_carried(address)))


def _is_open(address: Address, own: bool) -> bool:
    if _within(address, _NEVER) or address.is_multicast:
        return False
    if own:
        return True
    return address.is_global and not _within(address, _INSIDE)


def _within(
    address: Address,
    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...],
) -> bool:
    return any(
        address.version == network.version and address in network
        for network in networks
    )


def _carried(address: Address) -> tuple[Address, ...]:
    """IPv4 addresses that an IPv6 address leads to: mapped, compatible, NAT64, 6to4 and Teredo."""
    if isinstance(address, ipaddress.IPv4Address):
        return ()
    low = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    # ::1 is an address of its own, no IPv4 address behind ::/96.
    embedded = address in _TRANSLATED or (address in _COMPATIBLE and int(address) > 1)
    found = (
        address.ipv4_mapped,
        low if embedded else None,
        address.sixtofour,
        *(address.teredo or ()),
    )
    return tuple(one for one in found if one is not None)


@dataclass(frozen=True)
class Egress:
    """The only way out for addresses that people name."""

    own_hosts: frozenset[str] = frozenset()
    """Names that may lead inside and may do without TLS (`WRIT_WEBHOOK_HOSTS`)."""
    resolve: Resolve = resolve
    connect: Connect = socket.create_connection
    seconds: float = SECONDS
    clock: Callable[[], float] = time.monotonic
    tls: Callable[[], ssl.SSLContext] = field(default=ssl.create_default_context)

    def check(self, url: str) -> None:
        """Whether the address may be kept at all; asks no resolver. EgressRefused says why not."""
        self._parse(url)

    def post(self, url: str, *, body: bytes, headers: Mapping[str, str]) -> Reply:
        """One POST, to be over within `seconds`. EgressRefused or EgressFailed."""
        ends = self.clock() + self.seconds
        address, host, port = self._parse(url)
        numbers = self._judged(host, port, ends)
        target = (address.path or "/") + (f"?{address.query}" if address.query else "")
        sent = {**headers, "Host": _host(host, port, address.scheme)}
        sent |= {"Connection": "close", "Accept-Encoding": "identity"}
        try:
            with self._connected(address.scheme, host, port, numbers, ends) as inner:
                return _exchange(
                    _Wire(inner, lambda: self._left(ends)), host, target, body, sent
                )
        except (OSError, http.client.HTTPException) as error:
            # Its words may hold what the other side said.
            raise EgressFailed(_why(error)) from None

    def _parse(self, url: str) -> tuple[SplitResult, str, int]:
        """The address, its host in ASCII, and its port."""
        odd = any(not "!" <= sign <= "~" or sign == "\\" for sign in url)
        if odd or len(url) > MOST_URL:
            raise EgressRefused(
                "The address is too long, or holds a character that none may hold: write other scripts as xn-- and %."
            )
        try:
            address = urlsplit(url)
            port = address.port or PORTS.get(address.scheme, 0)
        except ValueError:
            raise EgressRefused(
                "That is not an address: check its host and port."
            ) from None
        host = (address.hostname or "").rstrip(".")
        own = host in self.own_hosts
        if address.scheme not in PORTS or not host:
            raise EgressRefused("Give an address that begins with https://.")
        if address.scheme == "http" and not own:
            raise EgressRefused(
                "Only https:// is sent to, but for hosts that WRIT_WEBHOOK_HOSTS lists."
            )
        if address.username is not None or address.password is not None:
            raise EgressRefused("The address may hold no user and no password.")
        if address.fragment:
            raise EgressRefused("The address may hold no #.")
        if port < _PRIVILEGED and port not in PORTS.values() and not own:
            raise EgressRefused(f"Port {port} belongs to another protocol.")
        return address, host, port

    def _judged(self, host: str, port: int, ends: float) -> list[str]:
        """The addresses of a host, all of which may be asked: one that may not condemns the name."""
        numbers = self._resolved(host, port, ends)
        own = host in self.own_hosts
        if not numbers or not all(is_reachable(number, own=own) for number in numbers):
            raise EgressRefused(
                "The host leads to an address that is not public. Hosts of your own network are listed in WRIT_WEBHOOK_HOSTS."
            )
        return numbers

    def _resolved(self, host: str, port: int, ends: float) -> list[str]:
        """The resolver knows no time limit, so it is asked in a thread that nobody waits for longer than that."""
        answer: queue.Queue[list[str] | None] = queue.Queue(1)

        def ask() -> None:
            try:
                answer.put(self.resolve(host, port))
            except (OSError, ValueError):
                answer.put(None)

        threading.Thread(target=ask, name="egress-resolver", daemon=True).start()
        try:
            numbers = answer.get(timeout=max(ends - self.clock(), 0.001))
        except queue.Empty:
            numbers = None
        if numbers is None:
            raise EgressFailed("The host's name could not be resolved.")
        return numbers

    def _connected(
        self, scheme: str, host: str, port: int, numbers: list[str], ends: float
    ) -> socket.socket:
        """A connection to the first of the judged addresses that takes it, with TLS for the name."""
        last: OSError = TimeoutError()
        for number in numbers:
            try:
                # A number is not resolved again, which is what pins it.
                plain = self.connect((number, port), self._left(ends))
                break
            except OSError as error:
                last = error
        else:
            raise last
        if scheme == "http":
            return plain
        try:
            plain.settimeout(self._left(ends))
            return self.tls().wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise

    def _left(self, ends: float) -> float:
        """Seconds until the whole exchange has to be over. TimeoutError if it should be."""
        left = ends - self.clock()
        if left <= 0:
            raise TimeoutError
        return left


class _Wire(io.RawIOBase):
    """A socket as http.client uses one. Each wait ends with the whole exchange: a byte now and then does not prolong it.

    Closing it leaves the socket open, since http.client closes before it reads the body.
    """

    def __init__(self, inner: socket.socket, left: Callable[[], float]):
        self._inner = inner
        self._left = left

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Wire(self._inner, self._left))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._inner.settimeout(self._left())
        return self._inner.recv_into(buffer)

    def sendall(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            self._inner.settimeout(self._left())
            rest = rest[self._inner.send(rest) :]


def _exchange(
    wire: _Wire, host: str, target: str, body: bytes, headers: Mapping[str, str]
) -> Reply:
    connection = http.client.HTTPConnection(host)
    connection.sock = wire  # It uses no more of a socket.
    try:
        connection.request("POST", target, body=body, headers=dict(headers))
    except (ValueError, http.client.InvalidURL):
        raise EgressRefused("A header holds a character that none may hold.") from None
    response = connection.getresponse()
    read = response.read(ANSWER_BYTES + 1)
    return Reply(response.status, read[:ANSWER_BYTES], len(read) > ANSWER_BYTES)


def _host(host: str, port: int, scheme: str) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port == PORTS[scheme] else f"{name}:{port}"


def _why(error: Exception) -> str:
    """What went wrong, in our words."""
    if isinstance(error, TimeoutError):
        return "The host did not answer in time."
    if isinstance(error, ssl.SSLError):
        return "The host's certificate is not accepted, or it speaks no TLS."
    if isinstance(error, http.client.HTTPException):
        return "The host's answer is not HTTP."
    return "The host could not be reached, or broke off."

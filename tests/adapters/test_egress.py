"""Requests to addresses that people name: never inside, never elsewhere, never for long. Real sockets, real TLS."""

import datetime
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from writ_app.adapters.egress import (
    ANSWER_BYTES,
    Egress,
    EgressFailed,
    EgressRefused,
    is_reachable,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"
PUBLIC = "93.184.215.14"
INSIDE = [
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.9.9.9",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "198.18.0.1",
    "192.0.2.1",
    "::1",
    "fc00::1",
    "fd12:3456::1",
    "2001:db8::1",
    "64:ff9b:1::1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::7f00:1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2002:a00:1::1",
]
"""A host that the operator lists may lead there."""
NOWHERE = [
    "0.0.0.0",
    "0.1.2.3",
    "169.254.169.254",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "::ffff:169.254.169.254",
    "64:ff9b::169.254.169.254",
    "2002:a9fe:a9fe::",
    "::a9fe:a9fe",
    "localhost",
    "",
    "0x7f.1",
]


def read_request(taken: socket.socket) -> bytes:
    """Until the body of every test, `{}`."""
    request = b""
    while not request.endswith(b"{}") and (piece := taken.recv(65536)):
        request += piece
    return request


class Server:
    """Takes one connection after another, reads a request, and answers in the given way."""

    def __init__(self, address: str, answer: Callable[[socket.socket], None]):
        self.requests: list[bytes] = []
        self._answer = answer
        self._socket = socket.create_server((address, 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                taken, _ = self._socket.accept()
            except OSError:
                return
            with taken:
                try:
                    self._answer(taken)
                except OSError:
                    continue  # the client had enough

    def stop(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@contextmanager
def serving(
    reply: bytes | Callable[[socket.socket], None] = OK, address: str = "127.0.0.1"
) -> Iterator[Server]:
    def answer(taken: socket.socket) -> None:
        server.requests.append(read_request(taken))
        if callable(reply):
            reply(taken)
        else:
            taken.sendall(reply)

    server = Server(address, answer)
    yield server
    server.stop()


def egress(*answers: list[str], seconds: float = 5, **more: object) -> Egress:
    """With a resolver that gives one answer after another, and ours.test as a host of our own."""
    rest = iter(answers)
    return Egress(
        own_hosts=frozenset({"ours.test"}),
        resolve=lambda host, port: next(rest),
        seconds=seconds,
        **more,  # type: ignore[arg-type]
    )


class TestAddresses:
    @pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:4700::1111"])
    def test_that_are_public_are_reachable(self, address: str) -> None:
        assert is_reachable(address)

    @pytest.mark.parametrize("address", INSIDE)
    def test_inside_are_for_listed_hosts_alone(self, address: str) -> None:
        assert not is_reachable(address)
        assert is_reachable(address, own=True)

    @pytest.mark.parametrize("address", NOWHERE)
    def test_of_nobody_many_or_metadata_are_never_reachable(self, address: str) -> None:
        assert not is_reachable(address)
        assert not is_reachable(address, own=True)


class TestUrls:
    @pytest.mark.parametrize(
        "url",
        [
            "https://hooks.example.com/writ?team=1",
            "https://hooks.example.com:8443/",
            "http://ours.test:9000/hook",
            "https://OURS.test./",
            "https://[2606:4700::1111]/",
        ],
    )
    def test_that_may_be_asked_are_kept(self, url: str) -> None:
        egress().check(url)

    @pytest.mark.parametrize(
        ("url", "says"),
        [
            ("http://hooks.example.com/", "Only https"),
            ("ftp://hooks.example.com/", "begins with https"),
            ("file:///etc/passwd", "begins with https"),
            ("https:///x", "begins with https"),
            ("hooks.example.com", "begins with https"),
            ("https://me:secret@hooks.example.com/", "no user"),
            ("https://@hooks.example.com/", "no user"),
            ("https://hooks.example.com/#x", "no #"),
            ("https://hooks.example.com:22/", "Port 22"),
            ("https://hooks.example.com:99999/", "host and port"),
            ("https://[::1/", "host and port"),
            ("https://hooks.example.com/\r\nHost: x", "a character"),
            ("https://hooks.example.com\\@x/", "a character"),
            ("https://h\u00f6\u00f6ks.example.com/", "a character"),
            ("https://hooks.example.com/" + "x" * 2000, "too long"),
        ],
    )
    def test_that_may_not_are_refused_with_the_reason(
        self, url: str, says: str
    ) -> None:
        with pytest.raises(EgressRefused, match=says):
            egress().check(url)


class TestHosts:
    @pytest.mark.parametrize("numbers", [["10.0.0.1"], [PUBLIC, "127.0.0.1"], []])
    def test_are_refused_if_any_address_lies_inside(self, numbers: list[str]) -> None:
        asked: list[object] = []
        guard = egress(numbers, connect=lambda *target: asked.append(target))

        with pytest.raises(EgressRefused, match="not public") as refused:
            guard.post("https://hooks.example.com/", body=b"{}", headers={})

        assert not asked
        assert not any(number in str(refused.value) for number in numbers)

    def test_with_an_odd_number_for_a_name_are_judged_by_where_they_lead(self) -> None:
        # The system's own resolver, which takes each of these for an address.
        for host in ("2130706433", "0x7f000001", "127.1", "0177.0.0.1", "localhost"):
            with pytest.raises((EgressRefused, EgressFailed)):
                Egress(seconds=5).post(f"https://{host}/", body=b"{}", headers={})

    def test_that_answer_differently_the_second_time_are_asked_once(self) -> None:
        targets: list[tuple[str, int]] = []

        def connect(target: tuple[str, int], seconds: float) -> socket.socket:
            targets.append(target)
            raise ConnectionRefusedError

        guard = egress([PUBLIC], ["127.0.0.1"], connect=connect)
        with pytest.raises(EgressFailed, match="could not be reached"):
            guard.post("https://rebinding.example.com/", body=b"{}", headers={})

        assert targets == [(PUBLIC, 443)]

    def test_are_connected_at_the_address_that_was_judged(self) -> None:
        with serving() as first, serving(address="127.0.0.2") as other:
            guard = egress(["127.0.0.1"], ["127.0.0.2"])

            guard.post(f"http://ours.test:{first.port}/", body=b"{}", headers={})

        assert len(first.requests) == 1
        assert not other.requests

    def test_that_rebind_between_two_requests_are_judged_again(self) -> None:
        targets: list[tuple[str, int]] = []

        def connect(target: tuple[str, int], seconds: float) -> socket.socket:
            targets.append(target)
            raise ConnectionRefusedError

        guard = egress([PUBLIC], ["169.254.169.254"], connect=connect)
        with pytest.raises(EgressFailed):
            guard.post("https://rebinding.example.com/", body=b"{}", headers={})
        with pytest.raises(EgressRefused):
            guard.post("https://rebinding.example.com/", body=b"{}", headers={})

        assert targets == [(PUBLIC, 443)]

    def test_whose_first_address_is_dead_are_asked_at_the_next(self) -> None:
        with serving() as server:
            guard = egress(["127.0.0.3", "127.0.0.1"])

            reply = guard.post(
                f"http://ours.test:{server.port}/", body=b"{}", headers={}
            )

        assert reply.status == 200

    def test_whose_resolver_says_nothing_are_given_up_in_time(self) -> None:
        started = time.monotonic()
        guard = Egress(resolve=lambda host, port: time.sleep(3) or [], seconds=0.2)

        with pytest.raises(EgressFailed, match="resolved"):
            guard.post("https://hooks.example.com/", body=b"{}", headers={})

        assert time.monotonic() - started < 2


class TestExchanges:
    def post(
        self, server: Server, *, seconds: float = 5, path: str = "/hook?a=1"
    ) -> tuple[int, bytes, bool]:
        reply = egress(["127.0.0.1"], seconds=seconds).post(
            f"http://ours.test:{server.port}{path}",
            body=b"{}",
            headers={"Content-Type": "application/json", "X-Signature": "abc"},
        )
        return reply.status, reply.body, reply.cut

    def test_carry_body_headers_and_the_hosts_name(self) -> None:
        with serving() as server:
            assert self.post(server) == (200, b"fine", False)

        head, body = server.requests[0].split(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        assert lines[0] == b"POST /hook?a=1 HTTP/1.1"
        assert f"Host: ours.test:{server.port}".encode() in lines
        assert b"X-Signature: abc" in lines
        assert sum(line.lower().startswith(b"host:") for line in lines) == 1
        assert body == b"{}"

    def test_know_no_proxy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        with serving() as server:
            assert self.post(server)[0] == 200

    def test_follow_no_redirect(self) -> None:
        with serving() as inside:
            where = f"http://127.0.0.1:{inside.port}/".encode()
            moved = b"HTTP/1.1 307 X\r\nLocation: " + where
            with serving(moved + b"\r\nContent-Length: 0\r\n\r\n") as server:
                assert self.post(server)[0] == 307

        assert not inside.requests

    def test_read_no_more_than_a_bounded_answer(self) -> None:
        def endless(taken: socket.socket) -> None:
            taken.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                taken.sendall(b"x" * 65536)

        with serving(endless) as server:
            status, body, cut = self.post(server)

        assert (status, len(body), cut) == (200, ANSWER_BYTES, True)

    @pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\n\r\n"])
    def test_end_in_time_though_a_byte_comes_now_and_then(self, begin: bytes) -> None:
        def drip(taken: socket.socket) -> None:
            taken.sendall(begin)
            while True:
                taken.sendall(b"H")
                time.sleep(0.05)

        started = time.monotonic()
        with (
            serving(drip) as server,
            pytest.raises(EgressFailed, match="in time"),
        ):
            self.post(server, seconds=0.4)
        assert time.monotonic() - started < 3

    @pytest.mark.parametrize(
        ("reply", "says"),
        [
            (b"SSH-2.0-OpenSSH_9.9\r\n", "not HTTP"),
            (b"", "broke off|not HTTP"),
            (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n", "not HTTP"),
        ],
    )
    def test_that_fail_never_repeat_what_the_other_side_said(
        self, reply: bytes, says: str
    ) -> None:
        with serving(reply) as server, pytest.raises(EgressFailed, match=says) as error:
            self.post(server)

        assert "SSH" not in str(error.value)
        assert error.value.__cause__ is None

    def test_with_a_broken_header_are_not_sent(self) -> None:
        with serving() as server, pytest.raises(EgressRefused, match="header"):
            egress(["127.0.0.1"]).post(
                f"http://ours.test:{server.port}/",
                body=b"{}",
                headers={"X-Name": "a\r\nX-Other: b"},
            )


class Certified:
    """A server with a certificate of its own for one name."""

    def __init__(self, folder: Path, name: str):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.UTC)
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        built = (
            x509.CertificateBuilder(subject, subject, key.public_key(), 1)
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(names, False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
            .sign(key, hashes.SHA256())
        )
        self.file = folder / "server.pem"
        self.file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + built.public_bytes(serialization.Encoding.PEM)
        )
        self.names: list[str | None] = []

    def answer(self, taken: socket.socket) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file)
        context.sni_callback = lambda _, name, __: self.names.append(name)
        with context.wrap_socket(taken, server_side=True) as secured:
            read_request(secured)
            secured.sendall(OK)

    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.file))


class TestTls:
    def test_speaks_of_the_name_though_the_address_is_pinned(
        self, tmp_path: Path
    ) -> None:
        certified = Certified(tmp_path, "ours.test")
        server = Server("127.0.0.1", certified.answer)

        reply = egress(["127.0.0.1"], tls=certified.trusting).post(
            f"https://ours.test:{server.port}/", body=b"{}", headers={}
        )

        server.stop()
        assert reply.body == b"fine"
        assert certified.names == ["ours.test"]

    @pytest.mark.parametrize("trusted", [True, False])
    def test_for_another_name_or_by_a_stranger_is_refused(
        self, tmp_path: Path, trusted: bool
    ) -> None:
        certified = Certified(tmp_path, "other.test" if trusted else "ours.test")
        server = Server("127.0.0.1", certified.answer)
        more = {"tls": certified.trusting} if trusted else {}

        with pytest.raises(EgressFailed, match="certificate"):
            egress(["127.0.0.1"], **more).post(
                f"https://ours.test:{server.port}/", body=b"{}", headers={}
            )
        server.stop()


def test_the_lists_of_this_file_are_addresses() -> None:
    assert all(ip_address(address) for address in INSIDE)

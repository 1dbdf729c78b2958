"""An OpenID Connect provider on this machine: discovery, tokens with PKCE, and userinfo. For tests."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt


class Provider:
    """`claims` is who signs in next. It only gives a token to who shows the verifier of the challenge that came first."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.claims: dict[str, Any] = {}
        self.challenge = ""
        self.refused = 0

    def authorize(self, location: str) -> str:
        """What its sign-in page sends the browser back with, as a query."""
        asked = {k: v[0] for k, v in parse_qs(urlsplit(location).query).items()}
        assert asked["code_challenge_method"] == "S256"
        assert asked["response_type"] == "code"
        self.challenge, self.asked = asked["code_challenge"], asked
        return f"code=the-code&state={asked['state']}"

    def token(self, sent: dict[str, str]) -> dict[str, Any] | None:
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        shown = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if sent.get("code") != "the-code" or shown != self.challenge:
            self.refused += 1
            return None
        now = int(time.time())
        known = {"iss": self.address, "aud": "writ", "iat": now, "exp": now + 60}
        signed = jwt.encode({**known, **self.claims}, "k" * 32, algorithm="HS256")
        return {"access_token": "t", "token_type": "Bearer", "id_token": signed}

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "userinfo_endpoint": f"{self.address}/userinfo",
            "jwks_uri": f"{self.address}/jwks",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }


@contextmanager
def provider_running() -> Iterator[Provider]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self, content: Any, status: int = 200) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            found = "openid-configuration" in self.path
            self.answer(provider.discovery() if found else provider.claims)

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            given = provider.token({k: v[0] for k, v in parse_qs(text).items()})
            refused = {"error": "invalid_grant"}
            self.answer(given or refused, 200 if given else 400)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = Provider(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()

"""A stand-in for the Hugging Face Hub: as much of its HTTP as pushing a dataset needs, with faults when they are asked for.

Large files go through the Git LFS batch protocol; a commit takes only what was uploaded before, and changes all files at once.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.benchmarks.review import free_port

TOKEN = "hf_goodToken"


@cache
def known_to_workers() -> dict[str, str]:
    """The environment of the tests' worker, which outlives them all: where its hub is, if one runs."""
    return {"HF_ENDPOINT": f"http://127.0.0.1:{free_port()}", "HF_TOKEN": TOKEN}


@dataclass
class Fault:
    """At the first request of this method whose path holds `path`, or after so many: a status, `cut` (no answer), `lost` (done,
    no answer), or `held` (no answer before the hub goes on, and then `cut`)."""

    method: str
    path: str
    does: int | str
    after: int = 0


@dataclass
class Hub:
    """`lfs_from`: bytes from which a file goes by LFS."""

    lfs_from: int = 2_000
    address: str = ""
    repos: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Name → {private, branches: {name: {path: (content, is LFS)}}}."""
    objects: dict[str, bytes] = field(default_factory=dict)
    """SHA-256 → content of LFS."""
    faults: list[Fault] = field(default_factory=list)
    spoils: bool = False
    """Whether it keeps other bytes than it was sent."""
    requests: list[str] = field(default_factory=list)
    uploads: list[str] = field(default_factory=list)
    commits: int = 0
    holds: threading.Event = field(default_factory=threading.Event)
    """Set while a request is held."""
    goes_on: threading.Event = field(default_factory=threading.Event)

    def files(self, repo: str, branch: str = "main") -> dict[str, bytes]:
        return {
            path: content
            for path, (content, _) in self.repos[repo]["branches"][branch].items()
        }

    def fault(self, method: str, path: str) -> int | str | None:
        for one in self.faults:
            if one.method == method and one.path in path:
                if one.after:
                    one.after -= 1
                    return None
                self.faults.remove(one)
                return one.does
        return None


def git_hash(content: bytes) -> str:
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()


@contextmanager
def _online() -> Iterator[None]:
    """The library reads HF_HUB_OFFLINE once, when it is loaded, which may have been in a test that sets it."""
    from huggingface_hub import constants

    before, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, False
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


@contextmanager
def hub_running(port: int = 0) -> Iterator[Hub]:
    """At this port of 127.0.0.1; 0: at any that is free."""
    with _online():
        yield from _serving(port)


def _serving(port: int) -> Iterator[Hub]:
    hub = Hub()

    class Handler(_Handler):
        pass

    Handler.hub = hub
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""

    def do_GET(self) -> None:
        self._handle("GET")

    def do_POST(self) -> None:
        self._handle("POST")

    def do_PUT(self) -> None:
        self._handle("PUT")

    def _handle(self, method: str) -> None:
        path = urlsplit(self.path).path
        self.hub.requests.append(f"{method} {path}")
        does = self.hub.fault(method, path)
        if does == "cut":
            self.rfile.read(min(100, int(self.headers.get("Content-Length") or 0)))
            self.close_connection = True
            self.connection.close()
            return
        body = self._body()
        if does == "held":
            self.hub.holds.set()
            self.hub.goes_on.wait(60)
            self.close_connection = True
            self.connection.close()
            return
        if isinstance(does, int):
            self._answer(does, {"error": f"told to say {does}"})
            return
        allowed = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        if not allowed and not path.startswith("/lfs/"):
            self._answer(401, {"error": "Invalid username or password."})
            return
        status, value, more = self._route(method, path, body)
        if does == "lost":
            self.close_connection = True
            self.connection.close()
            return
        self._answer(status, value, more)

    def _body(self) -> bytes:
        if "chunked" in (self.headers.get("Transfer-Encoding") or ""):
            body = b""
            while size := int(self.rfile.readline().strip() or b"0", 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _answer(self, status: int, value: Any, more: Any = None) -> None:
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        for name, one in (more or {}).items():
            self.send_header(name, one)
        self.end_headers()
        self.wfile.write(text)

    def _route(self, method: str, path: str, body: bytes) -> tuple[int, Any, Any]:
        if path.startswith("/lfs/"):
            return self._lfs(path.removeprefix("/lfs/"), body)
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}, None
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        if path.startswith("/datasets/") and path.endswith("/objects/batch"):
            return self._batch(json.loads(body))
        parts = path.removeprefix("/api/datasets/").split("/")
        repo, what, branch = (
            "/".join(parts[:2]),
            parts[2:3],
            unquote("/".join(parts[3:4])),
        )
        if repo not in self.hub.repos:
            return 404, {"error": "none"}, {"X-Error-Code": "RepoNotFound"}
        branches = self.hub.repos[repo]["branches"]
        if what == ["branch"]:
            if branch in branches:
                return 409, {"error": "there already"}, None
            branches[branch] = dict(branches["main"])
            return 200, {}, None
        if branch and branch not in branches:
            return 404, {"error": "none"}, {"X-Error-Code": "RevisionNotFound"}
        files = branches[branch or "main"]
        if what == ["tree"]:
            return 200, [_entry(path, *one) for path, one in files.items()], None
        if what == ["preupload"]:
            return (
                200,
                {
                    "files": [
                        self._mode(one, files) for one in json.loads(body)["files"]
                    ]
                },
                None,
            )
        if what == ["commit"]:
            return self._commit(repo, files, body)
        private = self.hub.repos[repo]["private"]
        return 200, {"id": repo, "sha": "0" * 40, "private": private}, None

    def _create(self, asked: Any) -> tuple[int, Any, Any]:
        repo = "/".join(filter(None, (asked.get("organization"), asked["name"])))
        url = f"{self.hub.address}/datasets/{repo}"
        if repo in self.hub.repos:
            return (
                409,
                {"url": url, "error": "You already created this dataset repo"},
                None,
            )
        self.hub.repos[repo] = {
            "private": asked.get("visibility") == "private",
            "branches": {
                "main": {".gitattributes": (b"*.parquet filter=lfs\n", False)}
            },
        }
        return 200, {"url": url, "name": repo}, None

    def _mode(self, one: Any, files: Any) -> Any:
        large = one["size"] >= self.hub.lfs_from
        entry = _entry(one["path"], *files[one["path"]]) if one["path"] in files else {}
        oid = entry["lfs"]["oid"] if entry.get("lfs") else entry.get("oid")
        return {
            "path": one["path"],
            "uploadMode": "lfs" if large else "regular",
            "shouldIgnore": False,
            "oid": oid,
        }

    def _batch(self, asked: Any) -> tuple[int, Any, Any]:
        objects = []
        for one in asked["objects"]:
            told = {"oid": one["oid"], "size": one["size"]}
            if one["oid"] not in self.hub.objects:
                told["actions"] = {
                    "upload": {"href": f"{self.hub.address}/lfs/{one['oid']}"},
                    "verify": {"href": f"{self.hub.address}/lfs/verify"},
                }
            objects.append(told)
        return 200, {"transfer": "basic", "objects": objects}, None

    def _lfs(self, oid: str, body: bytes) -> tuple[int, Any, Any]:
        if oid == "verify":
            known = json.loads(body)["oid"] in self.hub.objects
            return (
                (200 if known else 404),
                {"error": "" if known else "not there"},
                None,
            )
        if hashlib.sha256(body).hexdigest() != oid:
            return 422, {"error": "the content is not what its hash says"}, None
        self.hub.uploads.append(oid)
        self.hub.objects[oid] = body
        return 200, {}, None

    def _commit(self, repo: str, files: Any, body: bytes) -> tuple[int, Any, Any]:
        made = {}
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                made[value["path"]] = (base64.b64decode(value["content"]), False)
            elif line["key"] == "lfsFile":
                if value["oid"] not in self.hub.objects:
                    return 400, {"error": f"{value['path']} was not uploaded"}, None
                made[value["path"]] = (self.hub.objects[value["oid"]], True)
        if self.hub.spoils:
            made = {
                path: (content + b"!", large) for path, (content, large) in made.items()
            }
        files.update(made)
        self.hub.commits += 1
        oid = f"{self.hub.commits:040x}"
        url = f"{self.hub.address}/datasets/{repo}/commit/{oid}"
        return 200, {"success": True, "commitOid": oid, "commitUrl": url}, None


def _entry(path: str, content: bytes, large: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "type": "file",
        "path": path,
        "size": len(content),
        "oid": git_hash(content),
    }
    if large:
        entry["lfs"] = {
            "oid": hashlib.sha256(content).hexdigest(),
            "size": len(content),
            "pointerSize": 130,
        }
    return entry

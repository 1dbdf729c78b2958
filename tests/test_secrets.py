"""No secret in what is kept under version control, and nobody is called when the app starts."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHAPES = {
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
    "a key of a provider": r"\b(?:sk|pk|rk)-(?:proj-|ant-)?[A-Za-z0-9_-]{16,}|\b(?:gsk|hf|xai|r8|fw)_[A-Za-z0-9]{16,}|\bnvapi-[\w-]{16,}",
    "a key of Google": r"\bAIza[\w-]{20,}",
    "a key of AWS": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|aws_secret_access_key\s*[=:]\s*['\"]?[A-Za-z0-9/+]{40}",
    "a token of GitHub, GitLab, Slack or a package index": r"\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{20,}|\bxox[abprs]-[\w-]{10,}|\bpypi-Ag[\w-]{20,}|\bnpm_[A-Za-z0-9]{30,}",
    "a JSON web token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}",
    "a password in an address": r"\b(?:https?|postgres(?:ql)?|rediss?|amqps?)://[^\s/:@'\"{}$<>]+:[^\s/@'\"{}$<>]+@",
    "a password": r"(?i)\b(?:password|passwd|secret_?key|api_?key|auth_?token)\b\s*[=:]\s*['\"][A-Za-z0-9+/_=-]{20,}['\"]",
}
MADE_UP = {
    "tests/models/test_endpoint_rules.py",
    "tests/views/test_endpoints.py",
}
"""Files whose keys are no keys: tests that such things are refused or hidden."""
HARMLESS = re.compile(
    r"://(?:a:b@|(?:u|user|me|writ|name|USER|hidden|postgres|reader|someone)?:(?:p|pass|password|secret|hunter2|PASSWORD|sesame|x|\*+|postgres|writ)@)",
    re.I,
)


def kept_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name]


def secrets_in(text: str) -> list[str]:
    return [
        f"{what} ({found[0][:12]}…)"
        for what, shape in SHAPES.items()
        for found in re.finditer(shape, text)
        if not HARMLESS.search(found[0])
    ]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no repository to look into")
def test_nothing_that_is_kept_holds_a_secret() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {one}"
        for path in kept_files()
        if path.relative_to(ROOT).as_posix() not in MADE_UP
        and path.suffix not in (".png", ".svg")
        and path.is_file()
        for one in secrets_in(path.read_text(errors="replace"))
    ]

    assert found == []


def test_files_with_made_up_keys_do_hold_some() -> None:
    assert all(secrets_in((ROOT / name).read_text()) for name in MADE_UP)


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN OPENSSH " + "PRIVATE KEY-----",
        "OPENAI_API_KEY=sk-" + "proj-4f9a8b7c6d5e4f3a2b1c",
        "token: ghp" + "_0123456789abcdefghij0123",
        "AKIA" + "ABCDEFGHIJKLMNOP",
        "https://bob:" + "correcthorse@example.org",
        "secret_key = '" + "q9w8e7r6t5y4u3i2o1p0a'",
    ],
)
def test_a_secret_would_be_noticed(text: str) -> None:
    assert secrets_in(text)


WATCHED = """
import json, os, sys
reached = []
def watch(event, told):
    if event == "socket.connect" and isinstance(told[1], tuple):
        if not str(told[1][0]).startswith(("127.", "::1", "localhost")):
            reached.append([event, str(told[1])])
    elif event in ("socket.getaddrinfo", "socket.gethostbyname") and told[0] not in (None, "", "localhost", "127.0.0.1", "::1"):
        if str(told[0]) != os.uname().nodename:
            reached.append([event, str(told[0])])
    elif event in ("urllib.Request", "webbrowser.open"):
        reached.append([event, str(told[0])])
sys.addaudithook(watch)
"""
STARTS = {
    "web": """
import writ_app.wsgi
from django.test import RequestFactory
from django.template.loader import render_to_string
writ_app.wsgi.application(RequestFactory().get("/health/live").environ, lambda *told: None)
""",
    "worker": """
import writ_app.celery
writ_app.celery.app.loader.import_default_modules()
writ_app.celery.app.finalize()
import writ_app.adapters.litellm_setup, writ_app.adapters.chat, litellm
""",
}


@pytest.mark.parametrize("start", STARTS)
def test_nobody_outside_is_called_when_a_process_starts(
    start: str, tmp_path: Path
) -> None:
    told = run(STARTS[start], tmp_path)

    assert told == []


def test_a_call_would_be_noticed(tmp_path: Path) -> None:
    call = """
import socket
try:
    socket.create_connection(("192.0.2.1", 80), 0.01)
except OSError:
    pass
"""

    assert ["socket.connect", "('192.0.2.1', 80)"] in run(call, tmp_path)


def run(code: str, folder: Path) -> list[list[str]]:
    """What a process reached for while it ran some code."""
    env = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "WRIT_ENV": "test",
        "WRIT_VAR_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "writ_app.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", f"{WATCHED}{code}\nprint(json.dumps(reached))"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: list[list[str]] = json.loads(done.stdout.splitlines()[-1])
    return found

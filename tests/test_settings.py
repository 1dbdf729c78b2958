"""Settings read afresh, each time in a process of its own."""

import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PRODUCTION = {
    "WRIT_ENV": "production",
    "WRIT_SECRET_KEY": "k" * 60,
    "WRIT_ALLOWED_HOSTS": "writ.example.org, other.example.org",
}


def read_settings(expression: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Evaluate `expression` over `s`, the settings module, and print it as JSON."""
    code = f"import json; from writ_app import settings as s; print(json.dumps({expression}))"
    ours = {
        "WRIT_ENV",
        "WRIT_VAR_DIR",
        "WRIT_DEBUG",
        "DATABASE_URL",
        "CELERY_BROKER_URL",
    }
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=kept | env,
    )


def value_of(expression: str, **env: str) -> object:
    done = read_settings(expression, **env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refusal(**env: str) -> str:
    done = read_settings("1", **env)
    assert done.returncode != 0
    return done.stderr.strip().splitlines()[-1]


class TestSecretKey:
    def test_is_made_once_and_is_private(self, tmp_path: Path) -> None:
        first = value_of("s.SECRET_KEY", WRIT_VAR_DIR=str(tmp_path))
        second = value_of("s.SECRET_KEY", WRIT_VAR_DIR=str(tmp_path))

        assert first == second
        assert len(str(first)) >= 50
        assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
        assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]

    def test_is_the_same_for_processes_that_start_together(
        self, tmp_path: Path
    ) -> None:
        with ThreadPoolExecutor(6) as pool:
            keys = set(
                pool.map(
                    lambda _: value_of("s.SECRET_KEY", WRIT_VAR_DIR=str(tmp_path)),
                    range(6),
                )
            )

        assert len(keys) == 1

    def test_a_place_that_cannot_be_written_is_named(self, tmp_path: Path) -> None:
        in_the_way = tmp_path / "var"
        in_the_way.write_text("a file")

        said = refusal(WRIT_VAR_DIR=str(in_the_way))

        assert str(in_the_way) in said
        assert "WRIT_VAR_DIR" in said
        assert in_the_way.read_text() == "a file"


class TestProduction:
    def test_refuses_to_start_without_a_key(self) -> None:
        assert "WRIT_SECRET_KEY" in refusal(**{**PRODUCTION, "WRIT_SECRET_KEY": ""})

    def test_refuses_to_start_without_hosts(self) -> None:
        assert "WRIT_ALLOWED_HOSTS" in refusal(
            **{**PRODUCTION, "WRIT_ALLOWED_HOSTS": " "}
        )

    def test_refuses_any_host(self) -> None:
        assert "WRIT_ALLOWED_HOSTS" in refusal(
            **{**PRODUCTION, "WRIT_ALLOWED_HOSTS": "*"}
        )

    def test_refuses_debug_pages(self) -> None:
        assert "WRIT_DEBUG" in refusal(**PRODUCTION, WRIT_DEBUG="1")

    def test_the_refusal_is_one_line_on_the_command_line(self, tmp_path: Path) -> None:
        env = {**os.environ, "WRIT_ENV": "production", "WRIT_VAR_DIR": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "manage.py", "up"],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=env,
        )

        assert done.returncode == 1
        assert done.stderr.startswith(
            "Cannot start: WRIT_ENV=production needs WRIT_SECRET_KEY"
        )
        assert len(done.stderr.splitlines()) == 1

    def test_is_strict_about_cookies_and_hosts(self) -> None:
        names = [
            "SESSION_COOKIE_SECURE",
            "CSRF_COOKIE_SECURE",
            "SECURE_SSL_REDIRECT",
            "DEBUG",
        ]

        values = value_of(
            f"[getattr(s, n) for n in {names}] + s.ALLOWED_HOSTS", **PRODUCTION
        )

        hosts = ["writ.example.org", "other.example.org"]
        assert values == [True, True, True, False, *hosts]


class TestLocal:
    def test_serves_loopback_only_and_without_debug_pages(self, tmp_path: Path) -> None:
        values = value_of("[s.DEBUG, s.ALLOWED_HOSTS]", WRIT_VAR_DIR=str(tmp_path))

        assert values == [False, ["localhost", "127.0.0.1", "[::1]"]]

    def test_addresses_of_embedded_services_follow_from_the_directory(
        self, tmp_path: Path
    ) -> None:
        host, broker, names = value_of(  # type: ignore[misc]
            "[s.DATABASES['default']['HOST'], s.CELERY_BROKER_URL, s.EMBEDDED_SERVICES]",
            WRIT_VAR_DIR=str(tmp_path),
        )

        assert host == str(tmp_path / "sockets")
        assert broker == f"redis+socket://{tmp_path}/sockets/valkey.sock"
        assert names == ["postgres", "valkey"]

    def test_an_external_address_replaces_its_embedded_service_alone(
        self, tmp_path: Path
    ) -> None:
        host, names = value_of(  # type: ignore[misc]
            "[s.DATABASES['default']['HOST'], s.EMBEDDED_SERVICES]",
            WRIT_VAR_DIR=str(tmp_path),
            DATABASE_URL="postgresql://u:p@db.example.org/writ",
        )

        assert (host, names) == ("db.example.org", ["valkey"])

    def test_an_unknown_mood_is_refused(self) -> None:
        assert "WRIT_ENV" in refusal(WRIT_ENV="prod")


class TestContentSecurityPolicy:
    def test_allows_nothing_by_default(self) -> None:
        from django.conf import settings

        assert settings.SECURE_CSP["default-src"] == ["'none'"]

    def test_allows_nothing_inline(self) -> None:
        from django.conf import settings

        sources = {
            source for sources in settings.SECURE_CSP.values() for source in sources
        }

        assert not [source for source in sources if "unsafe" in str(source)]

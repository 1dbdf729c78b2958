"""Fixtures for all tests: real Postgres, real Valkey, a real worker, a real browser.

Nothing is started before a test asks for it, so pure tests stay pure and fast.
DATABASE_URL and CELERY_BROKER_URL, when set, are used instead of embedded services.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psutil
import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from pytest_django.plugin import DjangoDbBlocker

    from writ_app.adapters.embedded.services import Services
    from writ_app.adapters.processes import Child

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "writ-test-"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
]
# How long it takes to think of an example depends on the machine, and says nothing about the code.
settings.register_profile("writ", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("writ")


def make_var_dir() -> Path:
    """A directory for this session's services; its name says whose it is."""
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))


# Settings are read when the first Django module is imported, so this comes first.
VAR_DIR = make_var_dir()
os.environ["WRIT_VAR_DIR"] = str(VAR_DIR)
os.environ["WRIT_ENV"] = "test"
os.environ["DJANGO_SETTINGS_MODULE"] = "writ_app.settings"
# Last of all, after every fixture and whatever ended the session.
atexit.register(shutil.rmtree, VAR_DIR, ignore_errors=True)


def sweep_abandoned() -> None:
    """Stop and remove what sessions that were killed outright left behind."""
    from writ_app.adapters.embedded.layout import Layout
    from writ_app.adapters.embedded.services import KINDS
    from writ_app.adapters.processes import end_leftovers

    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        owner = path.name.removeprefix(PREFIX).split("-")[0]
        if not owner.isdigit() or psutil.pid_exists(int(owner)):
            continue
        layout = Layout(path)
        for journal in path.glob(f"{layout.children.stem}*.json"):
            end_leftovers(journal)
        for kind in KINDS.values():
            kind(layout, False).stop()
        shutil.rmtree(path, ignore_errors=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--tau2-root", help="directory with the tau2 checkout and vectors")


def pytest_configure(config: pytest.Config) -> None:
    from django.conf import settings

    # Read now, which is what tells pytest-django to set Django up.
    assert VAR_DIR.resolve() == settings.VAR_DIR
    sweep_abandoned()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """With several processes each has services of its own, so none may take this one's settings over."""
    del os.environ["DJANGO_SETTINGS_MODULE"]


@pytest.fixture(scope="session")
def embedded_services() -> Iterator["Services"]:
    """Postgres and Valkey of this session; none for what has an external address."""
    from django.conf import settings

    from writ_app.adapters.embedded.services import services_running

    names = settings.EMBEDDED_SERVICES
    with services_running(settings.EMBEDDED, names, durable=False) as services:
        yield services


@pytest.fixture(scope="session")
def django_db_modify_db_settings(embedded_services: "Services") -> None:
    """Called by pytest-django before it creates the test database."""


@pytest.fixture(scope="session")
def celery_worker_process(
    embedded_services: "Services",
    django_db_setup: None,
    django_db_blocker: "DjangoDbBlocker",
) -> Iterator["Child"]:
    """A real worker on the real broker and the test database, ready for messages.

    It sees committed rows only: the test needs `django_db(transaction=True)`.
    """
    from django.conf import settings
    from django.db import connection

    from writ_app.adapters.processes import Supervisor
    from writ_app.celery import app
    from writ_app.management.site import start_jobs

    url = os.environ.get("DATABASE_URL") or settings.EMBEDDED.database_url
    name = str(connection.settings_dict["NAME"])
    database = urlsplit(url)._replace(path=f"/{name}").geturl()
    layout = settings.EMBEDDED
    with Supervisor(log=layout.log, journal=layout.children) as supervisor:
        worker = start_jobs(
            supervisor,
            workers=2,
            beat=False,
            env={**os.environ, "DATABASE_URL": database},
        )
        supervisor.wait_until(
            lambda: bool(app.control.ping(timeout=0.5)),
            seconds=60,
            what="Starting the worker",
        )
        yield worker


@pytest.fixture(scope="session")
def tau2_root(request: pytest.FixtureRequest) -> Path:
    """The directory with `checkout/` and `vectors/` of the reference benchmark."""
    named = request.config.getoption("--tau2-root") or os.environ.get("WRIT_TAU2_ROOT")
    if not named:
        pytest.skip("needs the tau2 reference: --tau2-root DIR or WRIT_TAU2_ROOT")
    root = Path(named).expanduser().resolve()
    if not root.is_dir():
        pytest.fail(f"--tau2-root: {root} is not a directory")
    return root


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """The machine's own Chromium. Absent: skipped, but a failure under CI."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        reason = f"needs a browser on PATH: one of {', '.join(BROWSERS)}"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    from playwright.sync_api import sync_playwright

    # Playwright keeps an event loop in this thread, which Django takes for async code, and in which no other can run:
    # so it is stopped with the module.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: "Browser") -> Iterator["Page"]:
    """A fresh tab with its own cookies, 1280 by 800."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield context.new_page()
    context.close()

"""Fixtures for all tests: real Postgres, real Valkey, a real worker, a real browser.

Nothing is started before a test asks for it, so pure tests stay pure and fast.
DATABASE_URL and CELERY_BROKER_URL, when set, are used instead of embedded services.
"""

import atexit
import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psutil
import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from pytest_django.plugin import DjangoDbBlocker

    from writ_app.adapters.embedded.services import Services
    from writ_app.adapters.processes import Child, Supervisor

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
    let_tests_empty_tables_soon()
    sweep_abandoned()


def let_tests_empty_tables_soon() -> None:
    """After a test whose transactions were real everything is deleted, also from the audit log, which refuses that to others.

    Only where there is something: emptying two hundred tables as such takes a fifth of a second. What Django itself wrote when the
    database was made stays, and is not written again; the app's own personas and plans are.
    """
    from django.core.management.commands import flush
    from django.db.backends.postgresql.operations import DatabaseOperations

    from writ_app.apps import make_built_in

    kept = {"django_content_type", "auth_permission"}

    def sql_flush(
        self: DatabaseOperations, style: Any, tables: Any, **more: Any
    ) -> list[str]:
        names = ", ".join(f"'{name}'" for name in tables if name not in kept)
        return [
            # Triggers and references say nothing to it. Its own user may do that: it has made the database.
            "SET LOCAL session_replication_role = replica",
            f"""
            DO $$
            DECLARE name text; found boolean;
            BEGIN
                FOREACH name IN ARRAY ARRAY[{names}] LOOP
                    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO found;
                    IF found THEN EXECUTE format('DELETE FROM %I', name); END IF;
                END LOOP;
            END $$
            """,
        ]

    DatabaseOperations.sql_flush = sql_flush
    flush.emit_post_migrate_signal = lambda *args, **options: make_built_in(
        using="default"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread the modules that start whole sites: side by side they wait for each other, and at the end for nothing that fills the time."""
    modules: dict[Path, list[pytest.Item]] = {}
    for item in items:
        modules.setdefault(item.path, []).append(item)
    slow = [path for path in modules if is_slow(modules[path])]
    rest = [path for path in modules if path not in set(slow)]
    places = {path: (n + 0.5) / len(slow) for n, path in enumerate(slow)}
    places |= {path: (n + 0.5) / len(rest) for n, path in enumerate(rest)}
    items[:] = [
        item for path in sorted(modules, key=places.get) for item in modules[path]
    ]


def is_slow(items: Iterable[pytest.Item]) -> bool:
    return any(item.get_closest_marker("slow") for item in items)


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


@pytest.fixture(scope="class")
def celery_worker_process(
    embedded_services: "Services",
    django_db_setup: None,
    django_db_blocker: "DjangoDbBlocker",
) -> Iterator["Child"]:
    """A real worker on the real broker and the test database, ready for messages.

    It sees committed rows only: the test needs `django_db(transaction=True)`. Who did not ask for it has none: it would do what
    they order behind their backs, and hold what they empty.
    """
    from django.conf import settings
    from django.db import connection

    from tests.hub_server import known_to_workers
    from writ_app.celery import app
    from writ_app.management.site import start_jobs, supervised

    url = os.environ.get("DATABASE_URL") or settings.EMBEDDED.database_url
    name = str(connection.settings_dict["NAME"])
    database = urlsplit(url)._replace(path=f"/{name}").geturl()
    app.control.purge()  # what was ordered while there was none
    env = {**os.environ, **known_to_workers(), "DATABASE_URL": database}
    with supervised(env) as supervisor:
        worker = start_jobs(supervisor, workers=2, beat=False)
        supervisor.wait_until(
            lambda: bool(app.control.ping(timeout=0.5)),
            seconds=60,
            what="Starting the worker",
        )
        over = Event()
        keeper = Thread(target=keep_up, args=(supervisor, over), daemon=True)
        keeper.start()
        yield worker
        over.set()
        keeper.join()


def keep_up(supervisor: "Supervisor", over: Event) -> None:
    """Start again what a test killed, as the command that brings a site up does."""
    while not over.wait(0.5):
        supervisor.check()


@pytest.fixture(autouse=True)
def nobody_acts_yet() -> None:
    """A streamed answer that a test did not read to its end leaves behind who asked for it, who is gone by now."""
    from writ_app.adapters.logs import begin

    begin()


# Every environment is hundreds of thousands of objects, and no other module has rows of the same key.
ENVIRONMENTS_KEPT = (
    "writ_app.services.catalog.environments",
    "writ_app.services.catalog.benchmarks",
    "writ_app.services.tasks.trying",
    "writ_app.engine.editing",
    "writ_app.engine.verification.claims",
    "writ_app.engine.verification.courses",
    "writ_app.engine.verification.normal",
    "writ_app.engine.verification.sources",
)


@pytest.fixture(autouse=True, scope="module")
def _forget_environments() -> Iterator[None]:
    yield
    for name in ENVIRONMENTS_KEPT:
        for kept in vars(sys.modules[name]).values() if name in sys.modules else ():
            if clear := getattr(kept, "cache_clear", None):
                clear()
    gc.unfreeze()


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


@pytest.fixture(autouse=True)
def _asks_the_shared_cache() -> None:
    """A server that did not answer one test is asked by the next one."""
    from writ_app.adapters.caches import SharedCache

    SharedCache.asked_again = 0


@pytest.fixture(autouse=True)
def _by_nobody() -> None:
    """What one test did as somebody, in a request whose answer was never closed, the next one does not do in their name."""
    from writ_app.adapters.logs import begin

    begin()


@pytest.fixture
def page(browser: "Browser") -> Iterator["Page"]:
    """A fresh tab with its own cookies, 1280 by 800."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield context.new_page()
    context.close()

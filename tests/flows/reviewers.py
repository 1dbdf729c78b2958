"""People at the review page, each in a browser of their own, signed in."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect

from writ_app.models.accounts import User

DWELL = 450
"""Milliseconds until a key is taken for one that was meant."""


@contextmanager
def signed_in(browser: Browser, url: str, user: User) -> Iterator[BrowserContext]:
    client = Client()
    client.force_login(user)
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=url)
    key = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": key, "url": url}])
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def desk_of(browser: Browser, live_server) -> Iterator[Callable[[User], Page]]:
    """Opens the review page of a person."""
    with ExitStack() as opened:
        yield lambda user: opened.enter_context(desk(browser, live_server.url, user))


@contextmanager
def desk(browser: Browser, url: str, user: User) -> Iterator[Page]:
    """The review page of a person, looked at for long enough."""
    with signed_in(browser, url, user) as context:
        page = context.new_page()
        page.goto("/review/")
        expect(page.locator("#verdict")).to_be_visible()
        page.wait_for_timeout(DWELL)
        yield page


def shown(page: Page) -> str:
    """Number of the item on screen: `#12`."""
    return page.locator(".crumb a").last.text_content() or ""


def wait_for_another(page: Page, number: str) -> str:
    """Wait until another item is on screen, and as long as a look takes; returns its number."""
    expect(page.locator(".crumb a").last).not_to_have_text(number)
    page.wait_for_timeout(DWELL)
    return shown(page)

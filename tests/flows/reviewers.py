"""People at the review page, each in a browser of their own, signed in."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

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
    opened = []

    def open_desk(user: User) -> Page:
        manager = signed_in(browser, live_server.url, user)
        opened.append(manager)
        page = manager.__enter__().new_page()
        page.goto("/review/")
        expect(page.locator("#verdict")).to_be_visible()
        page.wait_for_timeout(DWELL)
        return page

    yield open_desk
    for manager in opened:
        manager.__exit__(None, None, None)


def shown(page: Page) -> str:
    """Number of the item on screen: `#12`."""
    return page.locator(".crumb a").last.text_content() or ""


def wait_for_another(page: Page, number: str) -> str:
    """Wait until another item is on screen, and as long as a look takes; returns its number."""
    expect(page.locator(".crumb a").last).not_to_have_text(number)
    page.wait_for_timeout(DWELL)
    return shown(page)

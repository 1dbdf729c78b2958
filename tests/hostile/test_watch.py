"""The watch itself: what it is shown unprotected, it notices. Otherwise silence on our pages would prove nothing."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Error, Page

from tests.hostile.payloads import PAYLOADS, Payload, chunks
from tests.hostile.watching import RAN, Watch

pytestmark = [pytest.mark.slow]
HOME = "http://unprotected.test"
IN = {
    "element": "<div>{}</div>",
    "css": "<div>{}</div>",
    "htmx": "<div>{}</div>",
    "mutation": "<div>{}</div>",
    "attribute": "<input value=\"{}\"><input value='{}'><input value={}>",
}


def test_there_are_more_than_two_hundred_payloads_each_of_its_own() -> None:
    assert len({one.text for one in PAYLOADS}) == len(PAYLOADS) > 300


def test_packing_leaves_no_payload_out_that_fits() -> None:
    packs = chunks(300)
    shown = " ".join(next(packs) for _ in range(len(PAYLOADS)))

    assert all(one.text in shown for one in PAYLOADS if len(one.text) <= 300)
    assert max(len(next(packs)) for _ in range(100)) <= 300


class TestWatch:
    @pytest.fixture
    def watch(self, browser: Browser) -> Iterator[Watch]:
        context = browser.new_context()
        watch = Watch(context.new_page(), HOME)
        context.route(
            f"{HOME}/**", lambda route: route.fulfill(body="", content_type="text/html")
        )
        watch.page.goto(f"{HOME}/")
        watch.page.evaluate("window.unprotected = true")
        yield watch
        context.close()

    def noticed(self, watch: Watch, payload: Payload) -> bool:
        watch.seen.clear()
        body = IN[payload.kind].replace("{}", payload.text)
        try:
            watch.page.set_content(f"<!doctype html><title>x</title>{body}")
            watch.look()
            return bool(watch.seen) or not watch.page.evaluate("window.unprotected")
        except Error:  # it led the page away
            return True
        finally:
            self.come_home(watch.page)

    def come_home(self, page: Page) -> None:
        try:
            if page.url != f"{HOME}/":
                page.goto(f"{HOME}/")
            page.evaluate("window.unprotected = true")
        except Error:  # it began to lead the page away only now
            page.goto(f"{HOME}/")
            page.evaluate("window.unprotected = true")

    def test_notices_what_becomes_markup(self, watch: Watch) -> None:
        tried = [one for one in PAYLOADS if one.kind in IN]

        missed = [one for one in tried if not self.noticed(watch, one)]

        assert len(missed) < len(tried) / 8, [one.text[:70] for one in missed]

    def test_notices_what_runs_loads_or_asks(self, watch: Watch) -> None:
        watch.page.set_content(
            "<img src=x onerror=__xss(1)><script>alert(1)</script>"
            "<img src=https://p.beacon.invalid/p>"
        )
        watch.page.wait_for_timeout(300)

        told = "\n".join(watch.seen)
        assert RAN in told
        assert "dialog: 1" in told
        assert "request: https://p.beacon.invalid/p" in told

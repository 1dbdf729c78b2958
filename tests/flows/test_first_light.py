"""The whole story in a real browser, on a real worker: order, watch, judge, undo, freeze, download."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.factories import PASSWORD, make_owner
from writ_app.models.release import Release
from writ_app.models.review import ReviewEvent, ReviewSlot, SlotStatus, Verdict
from writ_app.models.synthesis import Batch, BatchStatus
from writ_app.services.catalog import register_generated

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.usefixtures("celery_worker_process"),
]
WATCH = """
  window.problems = [];
  addEventListener('securitypolicyviolation', e => problems.push(e.violatedDirective + ' ' + e.sourceFile));
"""


@pytest.fixture
def tab(browser: Browser, live_server) -> Iterator[Page]:
    """A tab of the site that fails the test for anything its console complains of."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, base_url=live_server.url
    )
    page, complaints = context.new_page(), list[str]()
    page.add_init_script(WATCH)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: (
            complaints.append(f"{message.text} {message.location}")
            if message.type in ("error", "warning")
            else None
        ),
    )
    page.set_default_timeout(10_000)
    yield page
    violations = page.evaluate("window.problems")
    context.close()
    assert complaints == []
    assert violations == []


def sign_in(page: Page, name: str) -> None:
    page.goto("/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def shown(page: Page) -> int:
    """Number of the trajectory on screen."""
    link = page.locator(".crumb a").last
    return int((link.text_content() or "").strip("#"))


def press(page: Page, *keys: str) -> None:
    """Keys as a person presses them, after having looked."""
    page.wait_for_timeout(450)
    for key in keys:
        page.keyboard.press(key)


def order_batch(page: Page) -> Batch:
    """Order a small batch by the form, and watch it until it is done."""
    page.get_by_role("link", name="Batches").first.click()
    page.get_by_role("link", name="New batch").first.click()
    page.get_by_label("Name").fill("First light")
    page.get_by_label("Simulations").fill("8")
    page.get_by_label("Seed").fill("11")
    page.get_by_label("Faults, percent").fill("0")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", name="First light")).to_be_visible()
    done = page.locator("#progress .badge", has_text=re.compile("^done$"))
    expect(done).to_be_visible(timeout=60_000)
    return Batch.objects.get()


def test_from_order_to_file(tab: Page, tmp_path: Path) -> None:
    make_owner(name="ada")
    register_generated(name="retail", seed=7, users=60)
    sign_in(tab, "ada")

    batch = order_batch(tab)

    assert batch.status == BatchStatus.DONE
    expect(tab.locator("#progress")).to_contain_text("8 / 8")

    tab.get_by_role("link", name="Review", exact=True).last.click()
    approved = shown(tab)
    press(tab, "a")
    expect(tab.locator(".crumb")).not_to_contain_text(f"#{approved}")
    rejected = shown(tab)
    press(tab, "w", "x", "6")
    expect(tab.locator(".crumb")).not_to_contain_text(f"#{rejected}")
    event = ReviewEvent.objects.get(verdict=Verdict.REJECT)
    assert event.slot.item_id == rejected
    writes = event.slot.item.writes
    focus = "w1-a1" if writes else ""
    assert (event.reason, event.focus) == ("unclear_request", focus)

    press(tab, "u")
    expect(tab.locator(".crumb")).to_contain_text(f"#{rejected}")
    expect(tab.get_by_text("is open again")).to_be_visible()
    press(tab, "x", "9")
    tab.keyboard.type("a: not a key here, but a word")
    tab.keyboard.press("Control+Enter")
    expect(tab.locator(".crumb")).not_to_contain_text(f"#{rejected}")
    statuses = dict(ReviewSlot.objects.values_list("item_id", "status"))
    assert statuses[approved] == SlotStatus.APPROVED
    assert statuses[rejected] == SlotStatus.REJECTED
    assert sorted(statuses.values()).count(SlotStatus.OPEN) == len(statuses) - 2

    tab.get_by_role("link", name="Releases").first.click()
    tab.get_by_label("Name").fill("first")
    tab.get_by_role("button", name="Draft", exact=True).click()
    expect(tab.get_by_role("heading", name="first v1")).to_be_visible()
    tab.get_by_role("button", name="Choose the members").click()
    tab.get_by_role("button", name="Freeze 1").click()
    expect(tab.get_by_text("first v1 is frozen.")).to_be_visible()
    files = {}
    for title in ("OpenAI chat", "TRL"):
        tab.locator("summary", has_text=title).first.click()
    for path in (
        "openai-chat/train.jsonl",
        "trl/train.jsonl",
        "manifest.json",
        "members.jsonl",
        "README.md",
    ):
        name = path.replace("/", "-")
        with tab.expect_download() as download:
            tab.get_by_role("link", name=path, exact=True).click()
        download.value.save_as(tmp_path / name)
        files[name] = (tmp_path / name).read_text()

    manifest = json.loads(files["manifest.json"])
    (row,) = [json.loads(line) for line in files["trl-train.jsonl"].splitlines()]
    (chat,) = [
        json.loads(line) for line in files["openai-chat-train.jsonl"].splitlines()
    ]
    assert json.loads(files["members.jsonl"])["item"] == approved
    assert manifest["trajectories"] == 1
    assert row["messages"][0]["role"] == chat["messages"][0]["role"] == "system"
    assert row["tools"] == chat["tools"]
    assert "scripted" in files["README.md"]
    assert Release.objects.get().content_hash in files["README.md"]

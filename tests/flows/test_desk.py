"""How the review page behaves under a person's hands."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.factories import (
    PASSWORD,
    make_batch,
    make_owner,
    make_trajectory,
    team_of,
)
from writ_app.models.review import ReviewEvent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
WIDTHS = {"wide": 1440, "narrow": 360}


@pytest.fixture
def tab(browser: Browser, live_server) -> Iterator[Page]:
    owner = make_owner(name="ada")
    batch = make_batch(team=team_of(owner), by=owner)
    for number in range(3):
        make_trajectory(batch=batch, number=number)
    make_trajectory(batch=batch, number=3, fault="wrong_argument")
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, base_url=live_server.url
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.goto("/login/?next=/review/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#verdict")).to_be_visible()
    page.wait_for_timeout(450)
    yield page
    context.close()


def shown(page: Page) -> str:
    return page.locator(".crumb a").last.text_content() or ""


def test_an_argument_lights_up_its_evidence_and_leads_back(tab: Page) -> None:
    argument = tab.locator(".arg", has_text="new_item_ids[0]")

    argument.focus()

    field = tab.locator(".mark.lit")
    expect(field).to_have_count(1)
    expect(field).to_be_in_viewport()
    value = argument.locator(".v").text_content() or ""
    expect(field).to_contain_text(value.strip())
    tab.locator(".zone-evidence").focus()
    field.click()
    expect(argument).to_be_focused()


def test_e_walks_all_that_grounds_an_argument(tab: Page) -> None:
    tab.locator(".arg", has_text="item_ids[0]").first.focus()
    first = tab.locator(".lit").first.get_attribute("id")

    tab.keyboard.press("e")

    expect(tab.locator(".lit").first).not_to_have_id(first or "")


def test_a_fast_second_key_does_not_judge_what_nobody_has_seen(tab: Page) -> None:
    first = shown(tab)

    tab.keyboard.press("a")
    expect(tab.locator(".crumb")).not_to_contain_text(first)
    second = shown(tab)
    tab.keyboard.press("a")
    tab.keyboard.press("f")
    tab.wait_for_timeout(600)

    assert shown(tab) == second
    assert ReviewEvent.objects.count() == 1


def test_keys_stand_down_while_somebody_writes_or_reads_the_key_sheet(
    tab: Page,
) -> None:
    expect(tab.get_by_text("with a note")).to_be_hidden()
    tab.keyboard.press("c")
    expect(tab.get_by_text("wrong write")).to_be_hidden()
    tab.keyboard.type("a fast note")
    tab.keyboard.press("Escape")
    expect(tab.get_by_text("with a note")).to_be_visible()
    tab.keyboard.press("x")
    expect(tab.get_by_text("wrong write")).to_be_visible()
    tab.keyboard.press("Escape")
    tab.keyboard.press("?")
    expect(tab.locator("#keys")).to_be_visible()
    tab.keyboard.press("a")
    tab.keyboard.press("Escape")

    assert not ReviewEvent.objects.exists()

    tab.keyboard.press("a")
    expect(tab.locator(".pace")).to_contain_text("1 today")
    assert ReviewEvent.objects.get().note == "a fast note"


def test_a_verdict_survives_a_broken_network(tab: Page) -> None:
    first = shown(tab)
    tab.context.set_offline(True)

    tab.keyboard.press("a")

    expect(tab.locator("#unsaved")).to_be_visible()
    assert shown(tab) == first
    tab.context.set_offline(False)
    tab.keyboard.press("Control+Enter")
    expect(tab.locator(".crumb")).not_to_contain_text(first)
    assert ReviewEvent.objects.count() == 1


def test_a_rejection_without_a_reason_is_asked_for_it(tab: Page) -> None:
    tab.keyboard.press("x")
    tab.locator("#reasons button").click()

    expect(tab.get_by_text("pick one of the nine")).to_be_visible()
    tab.wait_for_timeout(450)
    tab.keyboard.press("4")
    expect(tab.locator(".pace")).to_contain_text("1 today")


def test_the_last_verdict_stays_in_sight(tab: Page) -> None:
    first = shown(tab)
    expect(tab.locator("#last-act")).to_be_hidden()

    tab.keyboard.press("a")

    expect(tab.locator("#last-act")).to_have_text(f"approve of {first}")
    tab.wait_for_timeout(450)
    tab.keyboard.press("u")
    expect(tab.locator("#last-act")).to_be_hidden()


def test_what_a_rejection_points_at_is_named_as_the_page_names_it(tab: Page) -> None:
    for key, name in (("j", "step 1"), ("r", "read 1"), ("w", "order_id")):
        tab.keyboard.press(key)
        tab.keyboard.press("x")
        expect(tab.locator("#pointed")).to_have_text(f"It points at {name}.")
        tab.keyboard.press("Escape")


def test_a_fold_stays_as_one_left_it(tab: Page) -> None:
    query = tab.locator(".query")
    expect(query).to_be_hidden()
    first = shown(tab)

    tab.get_by_text("Typed query").click()
    expect(query).to_be_visible()
    tab.keyboard.press("a")

    expect(tab.locator(".crumb")).not_to_contain_text(first)
    expect(query).to_be_visible()
    tab.reload()
    expect(query).to_be_visible()


def test_nothing_moves_from_one_item_to_the_next(tab: Page) -> None:
    def edges() -> object:
        return tab.evaluate(
            "[...document.querySelectorAll('.strip, .zone > :first-child')]"
            ".map((one) => one.getBoundingClientRect()).map((box) => [box.left, box.top, box.right])"
        )

    before, first = edges(), shown(tab)
    tab.evaluate("document.querySelector('.ribbon').setAttribute('width', 4000)")
    assert edges() == before

    tab.keyboard.press("a")
    expect(tab.locator(".crumb")).not_to_contain_text(first)

    assert edges() == before


def test_the_end_of_the_queue_can_be_undone(tab: Page) -> None:
    for _ in range(3):
        before = shown(tab)
        tab.wait_for_timeout(450)
        tab.keyboard.press("a")
        expect(tab.locator(".crumb", has_text=before)).to_have_count(0)
    expect(tab.get_by_text("The queue is empty")).to_be_visible()

    tab.wait_for_timeout(450)
    tab.keyboard.press("u")

    expect(tab.locator("#verdict")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS.keys())
def test_no_page_is_wider_than_its_window_or_breaks_the_policy(
    tab: Page, width: int, theme: str
) -> None:
    complaints: list[str] = []
    tab.on(
        "console",
        lambda message: (
            complaints.append(message.text)
            if message.type in ("error", "warning")
            else None
        ),
    )
    tab.set_viewport_size({"width": width, "height": 800})
    tab.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    batch = tab.locator(".crumb a").first.get_attribute("href") or ""
    trajectory = tab.locator(".crumb a").last.get_attribute("href") or ""
    lists = ["/", "/review/", "/trajectories/", "/batches/", "/batches/new/"]
    more = ["/releases/", "/environments/", "/environments/retail/sample/"]

    for path in [*lists, *more, batch, trajectory]:
        tab.goto(path)
        over = tab.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert over <= 0, path

    assert complaints == []


def test_works_without_javascript(browser: Browser, live_server, tab: Page) -> None:
    context = browser.new_context(
        java_script_enabled=False,
        base_url=live_server.url,
        storage_state=tab.context.storage_state(),
    )
    page = context.new_page()
    page.goto("/review/")
    first = shown(page)

    page.get_by_role("button", name=re.compile("^Approve")).click()

    assert shown(page) != first
    page.locator("#reasons summary").click()
    page.get_by_label("against the policy").check()
    page.locator("#reasons button").click()
    assert [event.verdict for event in ReviewEvent.objects.all()] == [
        "APPROVE",
        "REJECT",
    ]
    page.get_by_role("button", name=re.compile("^Undo")).click()
    assert page.get_by_text("is open again").is_visible()
    context.close()


def test_an_item_from_the_list_is_judged_by_its_key(tab: Page) -> None:
    tab.goto("/trajectories/")
    tab.get_by_role("row", name="accepted").nth(1).get_by_role("link").first.click()
    number = re.search(r"/trajectories/(\d+)/", tab.url)
    assert number
    tab.wait_for_timeout(450)

    tab.keyboard.press("J")

    expect(tab).to_have_url(re.compile("/review/$"))
    assert shown(tab) == f"#{number[1]}"
    tab.wait_for_timeout(450)
    tab.keyboard.press("a")
    expect(tab.locator(".crumb a").last).not_to_have_text(f"#{number[1]}")
    assert ReviewEvent.objects.get().slot.item_id == int(number[1])


def test_an_item_from_the_list_is_judged_by_a_button_on_a_phone(tab: Page) -> None:
    tab.set_viewport_size({"width": 360, "height": 740})
    tab.goto("/trajectories/?accepted=yes")
    there = tab.locator(".items a").first.get_attribute("href") or ""
    tab.goto(there)

    tab.get_by_role("button", name="Judge this one").click()

    expect(tab).to_have_url(re.compile("/review/$"))
    assert shown(tab) == f"#{there.strip('/').split('/')[-1]}"
    expect(tab.get_by_role("button", name=re.compile("^Approve"))).to_be_in_viewport()


def test_passed_checks_are_one_line_until_it_is_opened_and_stay_so(tab: Page) -> None:
    strip = tab.locator("#verdict .checks")
    expect(strip).to_have_text(re.compile(r"^\s*\d+ checks passed", re.DOTALL))
    expect(strip.get_by_text("provenance")).to_be_hidden()

    strip.locator("summary").click()

    expect(strip.get_by_text("provenance")).to_be_visible()
    tab.wait_for_timeout(100)
    tab.reload()
    expect(strip.get_by_text("provenance")).to_be_visible()
    strip.locator("summary").click()
    expect(strip.get_by_text("provenance")).to_be_hidden()


@pytest.mark.parametrize("width", [1100, 1440])
def test_the_box_of_reasons_leaves_the_writes_in_sight(tab: Page, width: int) -> None:
    tab.set_viewport_size({"width": width, "height": 760})
    tab.keyboard.press("x")

    box = tab.locator(".reasons > fieldset").bounding_box()
    writes = tab.locator(".zone-writes").bounding_box()
    assert box
    assert writes
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= writes["x"]


def test_a_comment_written_in_a_field_that_was_dragged_larger_breaks_no_policy(
    tab: Page,
) -> None:
    """The browser writes a dragged field's size into its style, which nothing may carry over into the field that comes after it."""
    said: list[str] = []
    tab.on("console", lambda m: said.append(m.text) if m.type == "error" else None)

    def comment(words: str) -> None:
        field = tab.locator("#comment-body")
        field.fill(words)
        field.evaluate("area => { area.style.height = '140px'; }")
        tab.locator(".comment-form button").last.click()
        expect(tab.locator("#talk")).to_contain_text(words)
        tab.wait_for_timeout(300)

    comment("first")
    comment("second")
    assert said == []
    # what htmx does unless it is told otherwise, and what this test would see
    tab.evaluate("htmx.config.attributesToSettle = ['class', 'style']")
    comment("third")
    assert any("style" in one for one in said)

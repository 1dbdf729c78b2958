"""Editing and commenting under a person's hands."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.edits import make_item
from tests.factories import PASSWORD, make_owner, make_reviewer, team_of
from writ_app.models.editing import EditDraft
from writ_app.models.review import ReviewEvent, ReviewItem

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
NARROW = 360


@pytest.fixture
def ada():
    return make_owner(name="ada")


@pytest.fixture
def tab(browser: Browser, live_server, ada) -> Iterator[Page]:
    make_reviewer(team=team_of(ada), name="bob.b")
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, base_url=live_server.url
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.goto("/login/?next=/mentions/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Mentions")).to_be_visible()
    yield page
    context.close()


def test_a_wrong_write_is_mended_and_saved_from_the_desk(tab: Page, ada) -> None:
    complaints: list[str] = []
    tab.on(
        "console", lambda m: complaints.append(m.text) if m.type == "error" else None
    )
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    item = make_item(by=ada, fault="wrong_argument")
    tab.goto(f"/trajectories/{item.pk}/")
    tab.wait_for_timeout(500)  # a key pressed sooner belongs to what was there before
    tab.keyboard.press("E")
    save = tab.get_by_role("button", name="Save as new version")
    expect(save).to_be_disabled()
    write = tab.locator(".edit-row.write")
    gold = item.task.content["gold"][0]["call"]["arguments"]

    write.get_by_label("new_item_ids[0]", exact=False).fill(gold["new_item_ids"][0])
    # at once, while what was typed is still on its way
    tab.get_by_role("button", name="Replay").click()
    expect(tab.get_by_text("no longer true")).to_have_count(0)
    expect(tab.locator("#edit-state")).to_contain_text("mended")
    listing = tab.locator(".edit-row.say", has_text="Shall I")
    listing.focus()
    tab.keyboard.press("Enter")
    tab.keyboard.press("Control+a")
    tab.keyboard.type(
        f"I can exchange item {gold['item_ids'][0]} in order {gold['order_id']} for {gold['new_item_ids'][0]}; "
        f"any difference goes to {gold['payment_method_id']}. Shall I go ahead, yes or no?"
    )
    expect(tab.get_by_text("all 18 pass")).to_be_visible()
    expect(save).to_be_enabled()
    tab.get_by_label("Why").fill("The wrong variant was taken.")
    tab.keyboard.press("Control+Enter")

    expect(tab.get_by_text("another pair of eyes")).to_be_visible()
    version = ReviewItem.objects.get(number=2)
    assert version.accepted
    expect(tab.get_by_role("region", name="Versions")).to_contain_text("wrong variant")
    assert complaints == []


def test_what_was_typed_outlives_the_network_and_the_tab(tab: Page, ada) -> None:
    item = make_item(by=ada)
    tab.goto(f"/trajectories/{item.pk}/edit/")
    tab.locator("#m0 summary", has_text="Edit words").click()
    tab.context.set_offline(True)
    tab.locator("#text-m0").fill("Hello there! How can I help you?")

    expect(tab.locator("#unsent")).to_be_visible()
    assert not EditDraft.objects.exists()
    tab.context.set_offline(False)

    expect(tab.locator("#unsent")).to_be_hidden()
    expect(tab.locator("#note-m0")).to_contain_text("Reset words")
    other = tab.context.new_page()
    tab.close()
    other.goto(f"/trajectories/{item.pk}/edit/")
    expect(other.locator("#text-m0")).to_have_value("Hello there! How can I help you?")
    other.get_by_role("button", name="Reset words").click()
    expect(other.locator("#text-m0")).to_have_value("Hi! How can I help you today?")
    expect(other.locator("#m0")).to_be_focused()


def test_the_edit_page_fits_a_phone(tab: Page, ada) -> None:
    item = make_item(by=ada, fault="wrong_argument")
    tab.set_viewport_size({"width": NARROW, "height": 800})

    for path in ("edit", "talk"):
        tab.goto(f"/trajectories/{item.pk}/{path}/")
        assert tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_colleague_is_named_by_a_few_letters(tab: Page, ada) -> None:
    item = make_item(by=ada)
    tab.goto(f"/trajectories/{item.pk}/")

    body = tab.locator("#comment-body")
    body.press_sequentially("Is this so, @b")
    expect(tab.get_by_role("option", name="bob.b")).to_be_visible()
    body.press("Enter")
    expect(body).to_have_value("Is this so, @bob.b ")
    body.press("Control+Enter")

    expect(tab.locator(".comment .named")).to_have_text("@bob.b")
    expect(tab.locator("#main")).to_be_focused()
    assert not ReviewEvent.objects.exists()


def test_a_step_has_one_number_everywhere(tab: Page, ada) -> None:
    item = make_item(by=ada)
    tab.goto(f"/trajectories/{item.pk}/?step=9")
    step = tab.locator(".step.here")
    message = step.get_attribute("data-message")

    tab.locator("#comment-body").click()
    expect(tab.locator(".comment-focus")).to_contain_text("about step 9")
    tab.keyboard.type("Here?")
    tab.keyboard.press("Control+Enter")

    expect(tab.locator(".comment .badge")).to_have_text("step 9")
    tab.goto(f"/trajectories/{item.pk}/edit/")
    expect(tab.locator(f"#m{message} .step-number")).to_have_text("9")

"""Reading a conversation in a browser: steps that open, words that are found, and one that is far too long."""

import json
from collections.abc import Iterator

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from tests.factories import make_batch, make_owner, make_trajectory, team_of
from writ_app.models.accounts import User
from writ_app.models.review import ReviewItem

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

MESSAGES, RESULT = 400, 2_000_000
"""Messages of the long conversation, and characters of its longest result."""


@pytest.fixture
def item() -> ReviewItem:
    owner = make_owner(name="ada")
    row = make_trajectory(batch=make_batch(team=team_of(owner), by=owner))
    return ReviewItem.objects.get(pk=row.pk)


@pytest.fixture
def tab(browser: Browser, live_server, item: ReviewItem) -> Iterator[Page]:
    client = Client()
    client.force_login(User.objects.get(username="ada"))
    context = browser.new_context(
        viewport={"width": 1440, "height": 900},
        base_url=live_server.url,
        reduced_motion="reduce",
    )
    context.add_cookies(
        [
            {"name": name, "value": cookie.value, "url": live_server.url}
            for name, cookie in client.cookies.items()
        ]
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    yield page
    context.close()


def lengthened(item: ReviewItem) -> ReviewItem:
    """A version with hundreds of messages more, one of them the answer with a very long list."""
    content = json.loads(json.dumps(item.stored_content))
    rows = [{"item_id": str(n), "price": 1.5, "note": "x" * 80} for n in range(16_000)]
    answers = [json.dumps({"order_id": "#W1", "payment_history": [], "items": rows})]
    assert len(answers[0]) > RESULT
    *body, last = content["messages"]
    number = 0
    while len(body) + 1 < MESSAGES:
        call = {
            "id": f"more_{number}",
            "name": "get_order_details",
            "arguments": {"order_id": f"#W{number}"},
        }
        body.append({"role": "assistant", "tool_calls": [call]})
        answer = answers.pop() if answers else '{"order_id": "#W1"}'
        body.append({"role": "tool", "content": answer, "tool_call_id": call["id"]})
        body.append({"role": "assistant", "content": "I have looked. " * 20})
        body.append({"role": "user", "content": "And the next one? " * 20})
        number += 1
    return ReviewItem.objects.create(
        trajectory=item.trajectory,
        number=2,
        parent=item,
        content={**content, "messages": [*body, last]},
        verification=item.stored_verification,
    )


def test_a_step_is_gone_to_found_and_looked_at_alone(
    tab: Page, item: ReviewItem
) -> None:
    tab.goto(f"/trajectories/{item.pk}/?step=7")
    here = tab.locator(".step.here")
    expect(here).to_have_id("s7")
    expect(here).to_be_in_viewport()
    tools = tab.locator(".reader-tools").bounding_box()
    step = here.bounding_box()
    assert tools is not None
    assert step is not None
    assert step["y"] >= tools["y"] + tools["height"] - 1

    tab.keyboard.press("/")
    tab.keyboard.type("transaction_type")
    expect(tab.locator("#found")).to_contain_text("time")
    hit = tab.locator(
        ".hit"
    ).first  # in sight, though one reads far below the field's own place
    expect(hit).to_be_in_viewport()
    tab.keyboard.press("Enter")
    expect(tab.locator(".hit.chosen")).to_be_visible()
    body = tab.locator(".step.here .step-body")
    expect(body.locator(".record-head")).to_contain_text("order")
    expect(body.locator("pre.raw")).to_be_hidden()
    tab.locator("#find").blur()
    tab.keyboard.press("v")
    expect(body.locator("pre.raw")).to_contain_text('"transaction_type"')

    tab.keyboard.press("Control+g")
    tab.keyboard.type("9999")
    tab.keyboard.press("Enter")
    steps = tab.locator(".steps .step")
    expect(here).to_have_id(f"s{steps.count()}")
    tab.keyboard.press("z")
    expect(tab.locator(".steps .step:visible")).to_have_count(1)
    tab.keyboard.press("z")
    expect(tab.locator("#w1")).to_be_visible()


def test_what_would_be_without_a_write_is_shown_in_its_card(
    tab: Page, item: ReviewItem
) -> None:
    tab.goto(f"/trajectories/{item.pk}/")

    tab.get_by_role("link", name="without it").click()

    card = tab.locator("#w1")
    expect(card.locator(".replay")).to_contain_text("another state")
    expect(card.locator(".replay .diff")).to_contain_text("gold only")


def test_a_conversation_of_hundreds_of_messages_stays_light(
    tab: Page, item: ReviewItem
) -> None:
    long = lengthened(item)
    nodes = "document.querySelectorAll('*').length"

    tab.goto(f"/trajectories/{long.pk}/")
    sent = tab.evaluate("performance.getEntriesByType('navigation')[0].encodedBodySize")
    assert sent < 40_000
    assert tab.evaluate(nodes) < 6_000

    tab.keyboard.press("/")
    tab.keyboard.type("15999")
    expect(tab.locator("#found")).to_contain_text("1 time in 1 step", timeout=20_000)
    tab.keyboard.press("Enter")
    body = tab.locator(".step.here .step-body")
    expect(body.locator("table.records").first).to_be_visible()
    expect(body).to_contain_text("15,940 more rows")
    expect(body).to_contain_text("more is not shown here")
    assert tab.evaluate(nodes) < 8_000

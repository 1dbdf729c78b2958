"""A model is added, tried and chosen, and a batch that runs is watched and paused, in a real browser."""

import json

import pytest
from playwright.sync_api import Page, expect

from tests.factories import (
    PASSWORD,
    make_batch,
    make_environment,
    make_owner,
    make_trajectory,
    team_of,
)
from tests.fakes import call_reply, chat_server, text_reply
from writ_app.adapters.trial import ORDER
from writ_app.models.synthesis import Batch, BatchStatus, ModelEndpoint

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def tab(page: Page, live_server) -> Page:
    """Signed in as the owner ada; what the console complains of is an error."""
    page.set_default_timeout(30_000)
    page.on(
        "console", lambda said: pytest.fail(said.text) if said.type == "error" else None
    )
    page.goto(f"{live_server.url}/login/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    return page


@pytest.fixture
def owner():
    return make_owner(name="ada")


def test_a_model_is_added_tried_and_offered(owner, tab: Page) -> None:
    make_environment()
    called = call_reply("get_order_details", json.dumps({"order_id": ORDER}))
    with chat_server([text_reply("Yes, I am."), called]) as server:
        tab.get_by_role("link", name="Models").click()
        expect(tab.get_by_text("No models yet")).to_be_visible()
        tab.get_by_role("link", name="Fill in this example").nth(1).click()
        tab.get_by_label("Base URL").fill(server.url)
        tab.get_by_role("button", name="Add").click()
        tab.get_by_role("button", name="Try").click()

        expect(tab.get_by_text("works, with tools")).to_be_visible(timeout=90_000)

    expect(tab.get_by_text("Yes, I am.", exact=True)).to_be_visible()
    expect(tab.get_by_text("chatcmpl-1").first).to_be_hidden()
    tab.get_by_text("What the provider sent").first.click()
    expect(tab.get_by_text("chatcmpl-1").first).to_be_visible()
    assert ModelEndpoint.objects.get().base_url == server.url
    tab.get_by_role("link", name="Batches").click()
    tab.get_by_role("link", name="New batch").first.click()
    tab.get_by_label("Agent").select_option("local-vllm")


def test_a_batch_is_watched_and_paused(owner, tab: Page) -> None:
    batch = make_batch(
        team=team_of(owner), by=owner, status=BatchStatus.RUNNING, ordered=3
    )
    tab.goto(tab.url.rsplit("/", 1)[0] + f"/batches/{batch.pk}/")
    expect(tab.get_by_text("Nothing has ended yet.")).to_be_visible()
    pause = tab.get_by_role("button", name="Pause")
    pause.focus()

    make_trajectory(batch=batch)

    expect(tab.get_by_text("1 / 3").first).to_be_visible()
    expect(pause).to_be_focused()  # the page was polled, and nobody lost his place
    pause.click()
    expect(tab.get_by_text("Paused by hand.")).to_be_visible()
    tab.get_by_label("Cap, US dollars").fill("5")
    Batch.objects.update(cost=9)
    tab.get_by_role("button", name="Resume").click()
    expect(tab.get_by_text("$5.00 is reached")).to_be_visible()

"""The list of trajectories under a person's hands."""

import pytest
from playwright.sync_api import Browser, expect

from tests.factories import (
    PASSWORD,
    make_batch,
    make_owner,
    make_trajectory,
    team_of,
)
from tests.flows.reviewers import signed_in
from writ_app.models.review import ReviewItem

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_is_narrowed_ticked_and_judged_by_keyboard(
    browser: Browser, live_server
) -> None:
    owner = make_owner(name="ada")
    batch = make_batch(team=team_of(owner), by=owner)
    for number in range(3):
        make_trajectory(batch=batch, number=number)
    make_trajectory(batch=batch, number=3, fault="missing_read")
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, base_url=live_server.url
    )
    tab = context.new_page()
    tab.set_default_timeout(10_000)
    complaints: list[str] = []
    tab.on("console", lambda said: complaints.append(said.text))
    tab.goto("/login/?next=/trajectories/")
    tab.get_by_label("Username").fill("ada")
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("button", name="Sign in").click()
    heading = tab.locator("#found > header h2")
    expect(heading).to_have_text("4 found")

    # a facet narrows the list, counts come anew, and the box keeps the focus
    accepted = tab.get_by_role("checkbox", name="accepted")
    accepted.focus()
    tab.keyboard.press("Space")
    expect(heading).to_have_text("3 found")
    expect(tab).to_have_url(f"{live_server.url}/trajectories/?accepted=yes&all=yes")
    expect(tab.locator("#facets [name=failed]")).to_have_count(0)
    expect(accepted).to_be_focused()

    # two rows are ticked and one of them unticked
    for key in "jxjxx":
        tab.keyboard.press(key)
    expect(tab.locator(".ticked")).to_have_text("1 ticked")
    expect(tab.locator(".items tr.now")).to_have_count(1)

    # search stands a key away, and x is a letter there
    tab.keyboard.press("/")
    tab.keyboard.type("xyz")
    expect(heading).to_have_text("0 found")
    tab.locator("[name=q]").fill("")
    expect(heading).to_have_text("3 found")

    tab.locator("[name=q]").blur()
    for key in "jx":
        tab.keyboard.press(key)
    tab.get_by_role("button", name="Approve …").click()
    tab.get_by_role("button", name="Approve: 1 item").click()
    expect(tab.get_by_role("heading", name="Bulk actions")).to_be_visible()
    assert ReviewItem.objects.filter(status="APPROVED").count() == 1
    assert complaints == []
    context.close()


def test_keys_of_ones_own_walk_and_tick_rows(browser: Browser, live_server) -> None:
    owner = make_owner(name="ada")
    batch = make_batch(team=team_of(owner), by=owner)
    for number in range(2):
        make_trajectory(batch=batch, number=number)
    with signed_in(browser, live_server.url, owner) as context:
        tab = context.new_page()
        tab.goto("/review/keys/")
        for label, key in (("next row", "n"), ("tick the row", "a")):
            tab.get_by_label(label, exact=True).fill(key)
        tab.get_by_role("button", name="Keep these keys").click()
        expect(tab.get_by_text("Your keys are kept")).to_be_visible()
        tab.goto("/trajectories/")
        expect(tab.locator(".items tbody tr")).to_have_count(2)

        tab.keyboard.press("?")
        expect(tab.locator("#keys")).to_be_visible()
        expect(tab.locator("#keys dt").first).to_have_text("n")
        tab.keyboard.press("Escape")
        for key in "jx":  # which were the keys before
            tab.keyboard.press(key)
        expect(tab.locator(".items tr.now")).to_have_count(0)
        for key in "nna":
            tab.keyboard.press(key)

        expect(tab.locator(".ticked")).to_have_text("1 ticked")
        expect(tab.locator(".items tbody tr").nth(1)).to_have_class("now")

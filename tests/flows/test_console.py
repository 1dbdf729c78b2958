"""How the console behaves under a person's hands, with and without JavaScript."""

import json
from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.factories import PASSWORD, make_owner
from writ_app.models.catalog import Environment
from writ_app.services.catalog import load_environment, register_generated

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def row() -> Environment:
    return register_generated(name="retail", seed=3, users=8)


@pytest.fixture(params=[True, False], ids=["scripted", "unscripted"])
def tab(
    request: pytest.FixtureRequest, browser: Browser, live_server, row: Environment
) -> Iterator[Page]:
    make_owner(name="ada")
    context: BrowserContext = browser.new_context(
        java_script_enabled=request.param, base_url=live_server.url
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    there = reverse("environment_console", args=[row.name, row.version])
    page.goto(f"/login/?next={there}%3Ftool=get_user_details")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    yield page
    context.close()


def pick(tab: Page, tool: str) -> None:
    tab.get_by_label("Tool").select_option(tool)
    button = tab.get_by_role("button", name="Show the picked tool")
    if button.is_visible():  # htmx needs no button
        button.click()


def field(tab: Page, name: str):
    return tab.locator(f"[name=argument-{name}]")


def test_a_write_is_typed_called_and_shown(tab: Page, row: Environment) -> None:
    key, user = next(iter(load_environment(row).state.collections["users"].items()))
    field(tab, "user_id").fill(key)
    field(tab, "user_id").press("Enter")
    expect(tab.locator(".steps .step")).to_have_count(1)

    pick(tab, "modify_user_address")
    expect(field(tab, "zip")).to_be_visible()
    expect(field(tab, "user_id")).to_have_value(key)  # taken along
    for name in ("address1", "address2", "state", "country", "zip"):
        field(tab, name).fill(user["address"][name])
    field(tab, "city").fill("Elsewhere")
    tab.get_by_role("button", name="Edit as JSON").click()
    typed = json.loads(tab.locator("[name=arguments]").input_value())
    assert typed == {"user_id": key, **user["address"], "city": "Elsewhere"}
    tab.get_by_role("button", name="Use the form").click()
    expect(field(tab, "city")).to_have_value("Elsewhere")
    tab.get_by_role("button", name="Call", exact=True).click()

    steps = tab.locator(".steps .step")
    expect(steps).to_have_count(2)
    expect(steps.first).to_contain_text("1 change")
    changed = steps.first.get_by_role("group", name="Changed by this call")
    expect(changed).to_contain_text("Elsewhere")
    field(tab, "user_id").fill("nobody")
    tab.get_by_role("button", name="Call", exact=True).click()
    expect(steps).to_have_count(3)
    expect(steps.first).to_contain_text("Nothing: the call failed.")
    earlier = steps.nth(1).get_by_role("group", name="Changed by this call")
    expect(earlier).to_be_hidden()
    steps.nth(1).locator("summary").click()
    expect(earlier).to_be_visible()

"""Ordering a batch by grid without JavaScript: the switch is CSS, and nothing typed is lost."""

import pytest
from playwright.sync_api import Browser, expect

from tests.factories import PASSWORD, make_environment, make_owner
from writ_app.models.synthesis import Batch

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_the_switch_works_without_javascript(
    browser: Browser, live_server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "writ_app.views.synthesis.design_batch.delay", lambda **kwargs: None
    )
    make_owner(name="ada")
    make_environment()
    context = browser.new_context(
        base_url=live_server.url,
        java_script_enabled=False,
        viewport={"width": 360, "height": 800},
    )
    tab = context.new_page()
    tab.set_default_timeout(10_000)
    tab.goto("/login/?next=/batches/new/")
    tab.get_by_label("Username").fill("ada")
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("button", name="Sign in").click()
    cell = tab.get_by_label("1 write, burden 4–6")
    expect(cell).to_be_hidden()

    tab.get_by_label("Grid: so many writes").check()
    tab.get_by_label("Name").fill("by grid")
    cell.fill("much")
    tab.get_by_role("button", name="Start").click()

    expect(tab.get_by_text("1 write, burden 4–6: Enter a number.")).to_be_visible()
    expect(cell).to_have_value("much")
    expect(tab.get_by_label("Name")).to_have_value("by grid")
    cell.fill("")
    tab.get_by_role("button", name="Start").click()
    expect(tab.get_by_role("heading", name="by grid")).to_be_visible()
    context.close()
    grid = Batch.objects.get().grid
    assert grid is not None
    cells = {(cell["writes"], cell["burden"]) for cell in grid["cells"]}
    assert ("1", "4-6") not in cells
    assert len(cells) == 19

"""From the grid over the list to a task, and a witness tried under a person's hands."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from environments import registry
from tests.factories import PASSWORD, make_batch, make_owner, team_of
from writ_app.engine.task_design import Designer
from writ_app.engine.types import Task, ToldFact, WriteOrders
from writ_app.models.synthesis import Simulation
from writ_app.services import catalog

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
KINDS = {"E1": 2, "W1": 1, "N1": 2}


@pytest.fixture(scope="module")
def designed() -> list[Task]:
    designer = Designer(registry.world("rental").generated(seed=3, users=40))
    tasks = [
        designer.design(slug, n) for slug, many in KINDS.items() for n in range(many)
    ]
    return [*tasks, overgrown(designer.design("E1", 9))]


def overgrown(task: Task) -> Task:
    """As large as a task may get: 25 reads, 300 candidates, a query of 80 lines, names without a blank in them."""
    (table, *_), reads = task.tables, task.certificate
    looking = tuple(step for step in task.query.steps if step.kind != "write")
    doing = tuple(step for step in task.query.steps if step.kind == "write")
    lines = tuple(
        table.lines[n % len(table.lines)].model_copy(
            update={"gold": n == 150, "why_not": "x" * 90 if n % 3 else ""}
        )
        for n in range(300)
    )
    return task.model_copy(
        update={
            "title": "overgrown",
            "certificate": tuple(reads[n % len(reads)] for n in range(25)),
            "tables": (table.model_copy(update={"lines": lines}),),
            "query": task.query.model_copy(update={"steps": (*looking * 9, *doing)}),
            "text": task.text * 9,
            "clauses": task.clauses * 9,
            "facts": {**task.facts, "a_name_" * 9: "value" * 90},
            "told": (ToldFact(what="the sum " * 9, value="9" * 200, needs=(0, 20)),),
            "parts": ("E1", "W1", "N1"),
            "orders": WriteOrders(
                tried=6, same=4, elsewhere=((1, 0, 2),), illegal=((2, 1, 0),)
            ),
        }
    )


@pytest.fixture
def tab(browser: Browser, live_server, designed: list[Task]) -> Iterator[Page]:
    owner = make_owner(name="ada")
    environment = catalog.register_generated(name="rental", seed=3, users=40)
    batch = make_batch(team=team_of(owner), by=owner, environment=environment)
    for seed, task in enumerate(designed):
        row = catalog.store_task(environment=environment, task=task)
        Simulation.objects.create(batch=batch, task=row, plan="upfront", seed=seed)
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, base_url=live_server.url
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.goto("/login/?next=/tasks/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Tasks", exact=True)).to_be_visible()
    yield page
    context.close()


def test_from_the_grid_to_a_task_and_a_flip(tab: Page) -> None:
    expect(tab.get_by_text("6 found")).to_be_visible()
    tab.get_by_label("Class").select_option("refusal")
    expect(tab.get_by_text("2 found")).to_be_visible()

    cell = tab.get_by_role("link", name="2 tasks, writes 0, burden 1–3")
    cell.focus()
    tab.keyboard.press("Enter")

    expect(tab.get_by_role("link", name="chosen, show all")).to_be_visible()
    expect(tab.get_by_label("Class")).to_have_value("refusal")
    assert tab.url.endswith("/tasks/?task_class=refusal&writes=0&burden=1-3")
    expect(tab.locator("#id_writes")).to_have_value("0")
    tab.locator(".request a").first.click()
    expect(tab.get_by_text("No write: refused by policy")).to_be_visible()
    read = tab.locator("#e3")

    read.get_by_role("button", name="Try it").click()

    expect(read.get_by_text("It holds")).to_be_visible()
    expect(read.locator("tr.flipped", has_text="decline")).to_contain_text("by policy")
    assert "/tasks/" in tab.url
    assert tab.locator(".tried").count() == 1


def test_a_link_to_a_folded_read_opens_the_fold(tab: Page) -> None:
    tab.locator(".request", has_text="overgrown").locator("a").click()
    expect(tab.locator("#e20")).to_be_hidden()

    tab.locator("a[href='#e21']").first.click()

    expect(tab.locator("#e21")).to_be_visible()


def test_a_batch_is_ordered_from_the_chosen_environment(tab: Page) -> None:
    catalog.register_generated(name="retail", seed=3, users=10)
    tab.goto("/batches/new/")
    expect(tab.locator("[name=mix-rental-E1]")).to_be_visible()

    tab.get_by_label("Environment").select_option(label="retail generated-3-10")

    expect(tab.locator("[name=mix-retail-R1]")).to_be_visible()
    expect(tab.locator("[name=mix-rental-E1]")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 360], ids=["wide", "narrow"])
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
    tasks = [
        link.get_attribute("href") or "" for link in tab.locator(".request a").all()
    ]

    for path in ["/tasks/", "/tasks/?dependent=yes&existential=no", *tasks]:
        tab.goto(path)
        for number in range(min(3, tab.locator(".try button").count())):
            tab.locator(".try button").nth(number).click()
            expect(tab.locator(f"#tried-{number + 1} .notice").first).to_be_visible()
        tab.evaluate(
            "document.querySelectorAll('main details').forEach((one) => one.open = true)"
        )
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
    page.goto("/tasks/")
    page.get_by_label("Class").select_option("write_intensive")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("1 found")).to_be_visible()
    page.locator(".request a").first.click()

    page.locator("#e2").get_by_role("button", name="Try it").click()

    expect(page.locator("#e2").get_by_text("It holds")).to_be_in_viewport()
    assert page.url.endswith("#e2")
    page.goto("/batches/new/")
    page.get_by_label("Name").fill("kept")
    page.get_by_role("button", name="Show what it can be asked").click()
    expect(page.get_by_label("Name")).to_have_value("kept")
    context.close()

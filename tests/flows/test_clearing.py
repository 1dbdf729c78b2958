"""Twenty items by keyboard alone: approved, walked through, rejected at a place, put off, taken back, looked back at."""

import pytest
from playwright.sync_api import Page, expect

from tests.factories import make_batch, make_owner, make_trajectory, team_of
from tests.flows.reviewers import DWELL, desk_of, shown, wait_for_another
from writ_app.models.review import ReviewEvent

__all__ = ["desk_of"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
ITEMS = 20


@pytest.fixture
def desk(desk_of) -> Page:
    ada = make_owner(name="ada")
    batch = make_batch(team=team_of(ada), by=ada)
    for number in range(ITEMS):
        make_trajectory(batch=batch, number=number)
    return desk_of(ada)


def press(desk: Page, *keys: str) -> str:
    """Press, and wait for the next item if there is one."""
    before = shown(desk)
    for key in keys:
        desk.keyboard.press(key)
    return wait_for_another(desk, before)


def test_a_reviewer_clears_twenty_items_by_keyboard_only(desk: Page) -> None:
    first = shown(desk)

    # Each argument lights up where it comes from; e walks on.
    desk.keyboard.press("w")
    expect(desk.locator(".arg.focus")).to_have_count(1)
    lit = desk.locator(".lit").first
    expect(lit).to_be_visible()
    for key in ("e", "w", "e", "r", "t", "j", "t"):
        desk.keyboard.press(key)
    second = press(desk, "a")

    # Pointing is the reason: the second argument of the write, and one digit.
    desk.keyboard.press("w")
    desk.keyboard.press("w")
    desk.keyboard.press("x")
    expect(desk.locator("#pointed")).to_contain_text("It points at")
    press(desk, "2")
    rejected = ReviewEvent.objects.get(verdict="REJECT")
    assert f"#{rejected.slot.item_id}" == second
    assert (rejected.reason, rejected.write) == ("ungrounded", 1)
    assert rejected.pointer.startswith("/")
    assert rejected.message is not None

    # A slip is taken back: the item is on screen again, what it interrupted comes after it.
    interrupted = press(desk, "a")
    slip = press(desk, "u")
    assert ReviewEvent.objects.get(verdict="WITHDRAW").slot.item_id == int(slip[1:])
    assert press(desk, "f") == interrupted

    # Looking back and forth changes nothing.
    assert press(desk, "[") == slip
    expect(desk.get_by_text("You said")).to_be_visible()
    assert press(desk, "[") == second
    desk.keyboard.press("a")
    assert press(desk, "]") == slip
    assert press(desk, "]") == interrupted

    put_off = interrupted
    press(desk, "s")
    for _ in range(ITEMS - 4):
        press(desk, "a")
    assert shown(desk) == put_off
    desk.keyboard.press("a")

    expect(desk.get_by_text("The queue is empty")).to_be_visible()
    standing = ReviewEvent.objects.filter(withdrawn_by=None)
    verdicts = list(standing.order_by("pk").values_list("verdict", flat=True))
    assert verdicts.count("APPROVE") == ITEMS - 2
    assert (verdicts.count("REJECT"), verdicts.count("FIX")) == (1, 1)
    assert first != put_off


def test_keys_of_ones_own_hold_on_the_page_and_in_its_sheet(desk: Page) -> None:
    desk.goto("/review/keys/")
    desk.get_by_label("approve", exact=True).fill("p")
    desk.get_by_role("button", name="Keep these keys").click()
    desk.get_by_role("link", name="Review", exact=True).last.click()
    desk.wait_for_timeout(DWELL)
    first = shown(desk)

    desk.keyboard.press("?")
    expect(desk.locator("#keys dt").first).to_have_text("p")
    desk.keyboard.press("Escape")
    desk.keyboard.press("a")
    press(desk, "p")

    assert ReviewEvent.objects.get().slot.item_id == int(first[1:])

"""Quality control under people's hands: two who know nothing of each other, a third who settles it, a canary, a sample."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.factories import (
    make_batch,
    make_curator,
    make_owner,
    make_reviewer,
    make_trajectory,
    team_of,
)
from writ_app.models.accounts import User
from writ_app.models.curation import SamplingPlan
from writ_app.models.review import ItemStatus, ReviewItem, ReviewPolicy, Verdict
from writ_app.services.review import lease_next, submit_verdict
from writ_app.services.review.quality.places import change_places

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

LOOK = 450
"""Milliseconds after which a key counts."""


@pytest.fixture
def open_as(browser: Browser, live_server) -> Iterator[Callable[[User, str], Page]]:
    contexts: list[BrowserContext] = []

    def opened(user: User, path: str) -> Page:
        client = Client()
        client.force_login(user)
        context = browser.new_context(
            viewport={"width": 1440, "height": 900}, base_url=live_server.url
        )
        contexts.append(context)
        context.add_cookies(
            [
                {"name": name, "value": cookie.value, "url": live_server.url}
                for name, cookie in client.cookies.items()
            ]
        )
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.goto(path)
        page.wait_for_timeout(LOOK)
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def ada() -> User:
    return make_owner(name="ada")


def test_two_judge_blind_and_a_third_settles_it(open_as, ada) -> None:
    team = team_of(ada)
    bob = make_reviewer(team=team, name="bob")
    carol = make_curator(team=team, name="carol")
    ReviewPolicy.objects.create(team=team, second_share=1.0)
    item = ReviewItem.objects.get(
        pk=make_trajectory(batch=make_batch(team=team, by=ada)).pk
    )

    first = open_as(bob, "/review/")
    first.locator(".arg").nth(1).focus()
    first.keyboard.press("x")
    first.keyboard.press("4")
    expect(first.get_by_text("The queue is empty")).to_be_visible()

    second = open_as(ada, "/review/")
    expect(second.locator("#verdict")).to_be_visible()
    expect(second.get_by_role("heading", name="Review so far")).to_have_count(0)
    second.keyboard.press("a")
    expect(second.get_by_text("The queue is empty")).to_be_visible()

    third = open_as(carol, "/review/quality/disputes/")
    third.get_by_role("link", name="Settle").click()
    opinions = third.locator(".dispute-head .opinion")
    expect(opinions.nth(0)).to_contain_text("against the policy")
    expect(opinions.nth(1)).to_contain_text("approve")
    third.wait_for_timeout(LOOK)
    third.keyboard.press("a")
    expect(third.get_by_text(f"Settled: #{item.pk}.")).to_be_visible()
    item.refresh_from_db()
    assert item.status == ItemStatus.APPROVED

    # taken back from the review page, it is settled again where both opinions are
    third.goto("/review/")
    third.wait_for_timeout(LOOK)
    third.keyboard.press("u")
    expect(third.get_by_text(f"Undone: #{item.pk} is open again.")).to_be_visible()
    expect(third).to_have_url(re.compile(rf"/review/quality/disputes/{item.pk}/$"))
    third.wait_for_timeout(LOOK)
    third.keyboard.press("f")
    expect(third.get_by_text(f"Settled: #{item.pk}.")).to_be_visible()
    item.refresh_from_db()
    assert item.status == ItemStatus.FIX


def test_a_canary_that_was_missed_is_told_at_once(open_as, ada) -> None:
    row = make_trajectory(batch=make_batch(team=team_of(ada), by=ada))
    item = ReviewItem.objects.get(pk=row.pk)
    canary = ReviewItem.objects.create(
        trajectory=row,
        parent=item,
        number=2,
        canary="weak_yes",
        content=row.content,
        verification=row.verification,
        changes={"changed": "The yes was taken out.", "message": 3},
    )
    assert change_places(*(one.slots.get().pk for one in (item, canary)))
    page = open_as(ada, "/review/")

    page.keyboard.press("a")

    told = page.locator(".notice", has_text="That one was a planted error")
    expect(told).to_contain_text("you missed it")
    expect(told).to_contain_text("The yes was taken out.")


def test_a_lot_is_approved_by_its_sample_and_undone_as_a_whole(open_as, ada) -> None:
    batch = make_batch(team=team_of(ada), by=ada)
    for number in range(12):
        make_trajectory(batch=batch, number=number % 4)
    page = open_as(ada, "/review/quality/sampling/")
    page.get_by_role("button", name="Draw these 9").click()
    plan = SamplingPlan.objects.get()
    expect(page.get_by_text(plan.statement)).to_be_visible()
    for _ in range(plan.size - 1):  # the sample is at the head of the queue
        approve_next(ada)

    page.get_by_role("link", name="Review the sample").click()
    expect(page.locator("#verdict")).to_be_visible()
    page.wait_for_timeout(LOOK)
    page.keyboard.press("a")
    expect(page.locator("#today")).to_have_text("9")
    page.goto(f"/review/quality/sampling/{plan.pk}/")
    page.get_by_role("button", name="Approve the other 3").click()
    expect(page.get_by_text("3 approved by the sample")).to_be_visible()
    assert ReviewItem.objects.releasable().count() == 12

    page.get_by_role("button", name="Undo: reopen 3").click()

    expect(page.get_by_text("3 are open again")).to_be_visible()
    assert ReviewItem.objects.releasable().count() == 9


def approve_next(user: User) -> None:
    now = datetime.now(UTC)
    slot = lease_next(user=user, at=now)
    assert slot is not None
    submit_verdict(
        slot=slot, token=slot.token, reviewer=user, verdict=Verdict.APPROVE, at=now
    )

"""Nothing is lost and nothing counts twice, whatever happens between a key press and its answer."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic, sleep

import pytest
from django.db import connection
from django.db.models import Sum
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, Route, expect

from tests.benchmarks.review import store, work
from tests.factories import (
    make_batch,
    make_owner,
    make_reviewer,
    make_trajectory,
    team_of,
)
from tests.flows.reviewers import DWELL, desk_of, shown, wait_for_another
from tests.flows.reviewers import desk as desk_at
from tests.flows.served import Served, served
from writ_app.models.review import (
    ReviewEvent,
    ReviewItem,
    ReviewPolicy,
    ReviewSlot,
)
from writ_app.services.review import lease_next
from writ_app.services.review.queue import LEASING

__all__ = ["desk_of", "served"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
VERDICTS = re.compile(r"/review/$")


@pytest.fixture
def ada():
    return make_owner(name="ada")


@pytest.fixture
def batch(ada):
    batch = make_batch(team=team_of(ada), by=ada)
    for number in range(4):
        make_trajectory(batch=batch, number=number)
    return batch


@pytest.fixture
def desk(desk_of, ada, batch) -> Page:
    return desk_of(ada)


def judged() -> list[int]:
    events = ReviewEvent.objects.exclude(verdict="WITHDRAW").order_by("pk")
    return list(events.values_list("slot__item", flat=True))


def fail_once(page: Page, *, arrives: bool) -> None:
    """The next verdict finds the server gone: before it got there, or before the answer came back."""

    def kill(route: Route) -> None:
        if arrives:
            route.fetch()
        route.abort("connectionreset")

    page.route(VERDICTS, kill, times=1)


@pytest.mark.parametrize("arrives", [False, True], ids=["request", "answer"])
def test_a_verdict_whose_request_or_answer_is_lost_is_kept_once(
    desk: Page, arrives: bool
) -> None:
    first = shown(desk)
    fail_once(desk, arrives=arrives)
    desk.keyboard.press("c")
    desk.keyboard.type("typed with care")
    desk.keyboard.press("Escape")

    desk.keyboard.press("a")

    expect(desk.locator("#unsaved")).to_be_visible()
    assert shown(desk) == first
    wait_for_another(desk, first)  # it was sent again by itself
    assert judged() == [int(first[1:])]
    assert ReviewEvent.objects.get().note == "typed with care"


def until(happens: Callable[[], bool]) -> None:
    deadline = monotonic() + 20
    while not happens():
        assert monotonic() < deadline
        sleep(0.02)


@contextmanager
def in_its_statement(served: Served) -> Iterator[Callable[[], bool]]:
    """A verdict waits in the middle of its statement: every place is locked by somebody else. Yields whether one does."""
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT id FROM writ_app_reviewslot FOR UPDATE")
        yield is_waiting
    finally:
        other.close()


def is_waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return bool(cursor.fetchone()[0])


@contextmanager
def committed(served: Served) -> Iterator[Callable[[], bool]]:
    """A verdict is kept, and its answer does not leave the server. Yields whether one is there."""
    served.held.touch()
    yield served.answered.exists
    served.held.unlink()


@pytest.mark.parametrize("hold", [in_its_statement, committed])
def test_a_server_killed_with_a_verdict_in_its_hands_loses_none_and_keeps_none_twice(
    browser: Browser, served: Served, ada, batch, hold
) -> None:
    with desk_at(browser, served.url, ada) as desk:
        first = shown(desk)
        desk.wait_for_load_state("networkidle")  # the next ones are there
        with hold(served) as arrived:
            desk.keyboard.press("c")
            desk.keyboard.type("typed with care")
            desk.keyboard.press("Escape")
            desk.keyboard.press("a")
            until(arrived)

            served.kill()

        # A statement that the database has in hands goes through whole, or not at all.
        kept = ReviewEvent.objects.count()
        assert kept == 1 if hold is committed else kept in (0, 1)
        expect(desk.locator("#unsaved")).to_be_visible()
        assert shown(desk) == first

        served.start_again()

        second = wait_for_another(desk, first)  # it was sent again by itself
        expect(desk.locator("#notes .error")).to_have_count(0)
        assert judged() == [int(first[1:])]
        assert ReviewEvent.objects.get().note == "typed with care"
        desk.keyboard.press("f")  # what was leased ahead is still the page's
        wait_for_another(desk, second)
        assert judged() == [int(first[1:]), int(second[1:])]


def test_another_verdict_after_a_lost_answer_does_not_count_beside_the_first(
    desk: Page,
) -> None:
    first = shown(desk)
    fail_once(desk, arrives=True)
    desk.keyboard.press("f")
    expect(desk.locator("#unsaved")).to_be_visible()

    desk.keyboard.press("a")

    wait_for_another(desk, first)
    expect(desk.get_by_text("What you had sent before was kept")).to_be_visible()
    assert [event.verdict for event in ReviewEvent.objects.all()] == ["FIX"]


def test_a_verdict_given_offline_arrives_when_the_network_is_back(desk: Page) -> None:
    first = shown(desk)
    desk.context.set_offline(True)
    desk.keyboard.press("a")
    expect(desk.locator("#unsaved")).to_be_visible()

    desk.context.set_offline(False)

    wait_for_another(desk, first)
    assert judged() == [int(first[1:])]


def test_a_verdict_outlives_the_forms_token(desk: Page) -> None:
    first = shown(desk)
    desk.context.clear_cookies(name="csrftoken")  # as after signing in again

    desk.keyboard.press("a")

    second = wait_for_another(desk, first)
    desk.keyboard.press("a")
    wait_for_another(desk, second)
    assert judged() == [int(first[1:]), int(second[1:])]


def test_a_double_press_and_a_double_click_judge_one_item(desk: Page) -> None:
    first = shown(desk)
    desk.keyboard.press("a")
    desk.keyboard.press("a")
    second = wait_for_another(desk, first)
    assert judged() == [int(first[1:])]

    desk.get_by_role("button", name="Approve").dblclick()

    wait_for_another(desk, second)
    assert judged() == [int(first[1:]), int(second[1:])]


def test_of_two_tabs_the_one_opened_last_holds_the_item(desk: Page) -> None:
    first = shown(desk)
    other = desk.context.new_page()
    other.goto("/review/")
    assert shown(other) == first
    other.wait_for_timeout(DWELL)

    desk.keyboard.press("a")
    wait_for_another(desk, first)

    expect(desk.get_by_text("no longer yours")).to_be_visible()
    assert judged() == []
    other.keyboard.press("f")
    wait_for_another(other, first)
    assert shown(other) != shown(desk)
    assert judged() == [int(first[1:])]


def test_a_closed_tab_gives_back_what_it_had_at_once(
    desk: Page, desk_of, ada, batch
) -> None:
    first = shown(desk)
    colleague = make_reviewer(team=batch.team)
    desk.keyboard.press("c")

    desk.close()

    until(lambda: not leased(ada))
    assert shown(desk_of(colleague)) == first


def leased(user) -> int:
    return ReviewSlot.objects.leased_to(user, timezone.now()).count()


def test_a_tab_that_closes_while_the_next_is_being_leased_keeps_nothing(
    desk: Page, ada
) -> None:
    first = shown(desk)
    until(lambda: leased(ada) == 3)
    other = connection.copy()
    with other.cursor() as cursor:  # as if somebody else of that name leased, for long
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [LEASING, ada.pk])
    desk.keyboard.press("a")
    wait_for_another(desk, first)
    until(is_waiting)

    desk.close()
    until(lambda: not leased(ada))
    other.close()

    until(lambda: not is_waiting())
    token = Sum("token")
    until(lambda: ReviewSlot.objects.aggregate(all=token)["all"] == 4)  # it was leased
    until(lambda: not leased(ada))
    assert judged() == [int(first[1:])]


def test_the_back_button_leads_to_work_that_is_still_to_do(desk: Page) -> None:
    first = shown(desk)
    desk.keyboard.press("a")
    second = wait_for_another(desk, first)

    desk.goto("/trajectories/")
    desk.go_back()

    expect(desk.locator(".crumb a").last).to_have_text(second)
    desk.wait_for_timeout(DWELL)
    desk.keyboard.press("a")
    wait_for_another(desk, second)
    assert judged() == [int(first[1:]), int(second[1:])]


def test_a_lease_that_lapsed_counts_unless_somebody_took_the_item(
    desk: Page, batch
) -> None:
    first = shown(desk)
    lapsed = timezone.now() - timedelta(seconds=1)
    ReviewSlot.objects.update(leased_until=lapsed)
    desk.keyboard.press("a")
    second = wait_for_another(desk, first)
    assert judged() == [int(first[1:])]

    ReviewSlot.objects.update(leased_until=lapsed)
    colleague = make_reviewer(team=batch.team)
    taken = lease_next(user=colleague, at=timezone.now())
    assert f"#{taken.item_id}" == second
    desk.keyboard.press("a")

    expect(desk.get_by_text("no longer yours")).to_be_visible()
    assert judged() == [int(first[1:])]


@pytest.mark.timeout(400)
def test_eight_reviewers_over_http_fill_every_place_once(ada, live_server) -> None:
    team = team_of(ada)
    ReviewPolicy.objects.create(team=team, second_share=0.3)
    store(make_batch(team=team, by=ada), 400)
    keys = []
    for _ in range(8):
        client = Client()
        client.force_login(make_reviewer(team=team))
        keys.append(client.cookies["sessionid"].value)
    port = int(live_server.url.rpartition(":")[2])
    places = ReviewSlot.objects.count()
    end = monotonic() + 300

    with ThreadPoolExecutor(8) as pool:
        runs = [
            pool.submit(work, port, key, lambda: monotonic() < end, seed)
            for seed, key in enumerate(keys)
        ]
        took = [run.result() for run in runs]
    assert monotonic() < end

    # Nobody was refused, and no lease was two people's.
    assert sum(one.refused for one in took) == 0
    handed_out = Counter(lease for one in took for lease in one.had)
    assert set(handed_out.values()) == {1}
    # Every place has its verdict, and one: none beyond what an item wants, none lost.
    assert not ReviewSlot.objects.open().exists()
    assert places == ReviewItem.objects.aggregate(all=Sum("wanted"))["all"] > 400
    events = ReviewEvent.objects.values_list("slot", "slot__item", "reviewer")
    assert len(events) == places
    assert set(Counter(slot for slot, _, _ in events).values()) == {1}
    people = Counter((item, reviewer) for _, item, reviewer in events)
    assert set(people.values()) == {1}
    assert set(ReviewItem.objects.values_list("status", flat=True)) == {"APPROVED"}

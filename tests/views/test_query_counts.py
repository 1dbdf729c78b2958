"""How many queries every page takes: as many as are written down here, however much there is to show."""

from collections.abc import Iterator

import pytest
from django.core.cache import caches
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.everything import Everything, evaluate, make_everything
from tests.factories import make_batch, make_dispute, make_reviewer, make_trajectory
from tests.views.access_rows import ROWS
from tests.views.query_counts import COUNTS, GROWING
from tests.views.test_access import address_of, signed_in
from writ_app.models.accounts import Role
from writ_app.models.behaviour import BehaviourPlan, Persona
from writ_app.models.review import ReviewItem, Verdict
from writ_app.models.synthesis import ModelEndpoint
from writ_app.services.accounts.invitations import invite
from writ_app.services.reports.making import make_report, order_report
from writ_app.services.review import lease_next, submit_verdict
from writ_app.services.review.comments import add_comment
from writ_app.services.review.saved import save_view

pytestmark = pytest.mark.django_db

PAGES = sorted(name for name, row in ROWS.items() if "GET" in row.methods)


def is_the_pages(statement: str) -> bool:
    """Not of this test, and not what notes once a minute that somebody was seen."""
    return not statement.startswith(
        (
            *("SAVEPOINT", "RELEASE", "ROLLBACK"),
            'UPDATE "writ_app_session" SET "seen_at"',
            'UPDATE "writ_app_membership" SET "seen_at"',
        )
    )


def count(client: Client, world: Everything) -> dict[str, int]:
    found = {}
    for name in PAGES:
        row = ROWS[name]
        address = address_of(name, row, world)
        for kept in caches.all(initialized_only=True):
            kept.clear()  # what is kept for seconds is asked for again
        with transaction.atomic(), CaptureQueriesContext(connection) as asked:
            answer = client.get(address, query_params=row.query)
            if answer.streaming:
                b"".join(answer)
            transaction.set_rollback(True)
        found[name] = sum(is_the_pages(one["sql"]) for one in asked.captured_queries)
    return found


def add_more(world: Everything) -> None:
    """As much again of what lists show, by other people and about other things."""
    team, owner, now = world.team, world.owner, timezone.now()
    batch = make_batch(team=team, by=owner)
    for number in range(8):
        make_trajectory(batch=batch, number=number)
    evaluate(team, owner, batch)
    for number in range(3):
        colleague = make_reviewer(team=team, name=f"more-{number}")
        slot = lease_next(user=colleague, at=now)
        assert slot
        submit_verdict(
            slot=slot,
            token=slot.token,
            reviewer=colleague,
            verdict=Verdict.APPROVE,
            reason="",
            at=now,
        )
        asked = add_comment(item=world.item, author=colleague, body=f"No. {number}")
        add_comment(item=world.item, author=owner, body="So.", parent=asked)
        ModelEndpoint.objects.create(
            name=f"more-{number}", model="openai/mine", team=team
        )
        own = {"team": team, "slug": f"more-{number}", "title": "More", "text": "More."}
        Persona.objects.create(**own)
        BehaviourPlan.objects.create(**own)
        save_view(user=owner, team=team, name=f"more-{number}", filters={})
        invite(team=team, by=owner, role=Role.VIEWER, at=now)
    make_dispute(team=team)
    make_report(report_id=order_report(team=team, by=owner, batch=batch).pk)
    assert ReviewItem.objects.filter(team=team).count() > 16


@pytest.fixture(scope="module")
def counts(
    django_db_setup: None, django_db_blocker: pytest.Item
) -> Iterator[tuple[dict[str, int], dict[str, int]]]:
    """Of every page: with one of everything, and with several."""
    with django_db_blocker.unblock(), transaction.atomic():
        world = make_everything("grace")
        client = signed_in(world.owner)
        count(client, world)  # what is kept in this process is there
        few = count(client, world)
        add_more(world)
        yield few, count(client, world)
        transaction.set_rollback(True)


def test_every_page_has_a_number() -> None:
    assert sorted(COUNTS) == PAGES


@pytest.mark.parametrize("name", PAGES)
def test_a_page_takes_as_many_queries_as_it_should(name, counts) -> None:
    few, _ = counts

    assert few[name] == COUNTS[name]


@pytest.mark.parametrize("name", sorted(set(PAGES) - set(GROWING)))
def test_a_page_takes_no_more_of_them_with_more_to_show(name, counts) -> None:
    few, many = counts

    assert many[name] <= few[name]

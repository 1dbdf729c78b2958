"""Handing out the next place reads a few rows, however long the queue is."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import make_owner, make_trajectory, team_of
from writ_app.services.review import lease_next
from writ_app.services.review.ordering import Choice, Order

OWN = "slot.shown_at DESC NULLS LAST, slot.id"
"""Of the few places that one holds oneself."""


@pytest.mark.django_db
@pytest.mark.parametrize("order", Order)
def test_an_index_gives_the_order(order: Order) -> None:
    owner = make_owner()
    make_trajectory(team=team_of(owner))
    with CaptureQueriesContext(connection) as asked:
        assert lease_next(user=owner, at=timezone.now(), choice=Choice(order))
    taking = [query["sql"] for query in asked if "SKIP LOCKED" in query["sql"]][-1]

    with connection.cursor() as cursor:  # so few rows are as well sorted
        cursor.execute("SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN (GENERIC_PLAN) {taking}")
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert re.findall(r"Sort Key: (.*)", plan) == [OWN], plan

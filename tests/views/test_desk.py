"""Parts of the desk over HTTP: whose they are, what they hold, and what they refuse."""

import pytest
from django.urls import reverse

from tests.factories import make_batch, make_owner, make_trajectory, team_of
from writ_app.services.review import build_review_page

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_owner()


@pytest.fixture
def row(owner):
    return make_trajectory(batch=make_batch(team=team_of(owner), by=owner))


@pytest.fixture
def signed_in(client, owner):
    client.force_login(owner)
    return client


def of(name, row, *rest):
    return reverse(name, args=[row.pk, *rest])


PARTS = [
    ("trajectory_step", (6,), ""),
    ("trajectory_step_text", (6,), ""),
    ("trajectory_find", (), "?q=order"),
    ("trajectory_replay", (), "?without=1"),
]


@pytest.mark.parametrize(("name", "rest", "query"), PARTS)
def test_parts_belong_to_their_team(client, signed_in, row, name, rest, query):
    assert signed_in.get(of(name, row, *rest) + query).status_code == 200
    client.force_login(make_owner())
    assert client.get(of(name, row, *rest) + query).status_code == 404


@pytest.mark.parametrize(("name", "rest", "query"), PARTS)
def test_parts_are_pages_of_their_own_without_javascript(
    signed_in, row, name, rest, query
):
    if name == "trajectory_step_text":
        return
    address = of(name, row, *rest) + query

    whole = signed_in.get(address).content
    part = signed_in.get(address, headers={"HX-Request": "true"}).content

    assert b"<html" in whole
    assert b"<html" not in part
    assert len(part) > 100


def test_a_result_is_laid_out_as_the_record_it_is(signed_in, row):
    page = build_review_page(item_id=row.pk)
    step = next(one for one in page.steps if one.name == "get_order_details")

    part = signed_in.get(
        of("trajectory_step", row, step.number), headers={"HX-Request": "true"}
    ).content.decode()

    assert '<span class="soft">order</span>' in part
    assert '<table class="records">' in part
    assert 'data-pointer="/items/0/price">$' in part
    assert '<pre class="json raw">' in part


def test_a_text_is_downloaded_and_never_shown(signed_in, owner):
    hostile = "<script>alert(1)</script>" * 20_000
    row = make_trajectory(
        batch=make_batch(team=team_of(owner), by=owner), hostile=hostile
    )

    response = signed_in.get(of("trajectory_step_text", row, 2))

    assert response.content.decode() == hostile
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Disposition"].startswith("attachment;")


@pytest.mark.parametrize(
    ("name", "rest", "query"),
    [
        ("trajectory_step", (999,), ""),
        ("trajectory_step", (0,), ""),
        ("trajectory_replay", (), ""),
        ("trajectory_replay", (), "?without=9"),
        ("trajectory_replay", (), "?swapped=1"),
        ("trajectory_replay", (), "?without=1&swapped=1"),
        ("trajectory_replay", (), "?without=x"),
    ],
)
def test_what_is_not_there_is_not_found(signed_in, row, name, rest, query):
    assert signed_in.get(of(name, row, *rest) + query).status_code == 404


@pytest.mark.parametrize(
    ("asked", "at"), [("4", "4"), ("9999", None), ("-3", ""), ("x", "")]
)
def test_an_address_leads_to_a_step_or_the_nearest(signed_in, row, asked, at):
    page = signed_in.get(of("trajectory", row) + f"?step={asked}")

    steps = len(page.context["page"].steps)
    wanted = f'data-at="{steps if at is None else at}"'
    assert (wanted in page.content.decode()) is (at != "")


def test_pages_are_sent_compressed_and_small(signed_in, row):
    response = signed_in.get(of("trajectory", row), headers={"Accept-Encoding": "gzip"})

    assert response.headers["Content-Encoding"] == "gzip"
    assert len(response.content) < 12_000

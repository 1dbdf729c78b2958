"""The page of siblings, and the link that leads to it from the desk."""

import pytest
from django.urls import reverse

from tests.factories import make_batch, make_owner, make_trajectory, team_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_owner(name="ada")


@pytest.fixture
def batch(owner):
    return make_batch(team=team_of(owner), by=owner)


@pytest.fixture
def signed_in(client, owner):
    client.force_login(owner)
    return client


def text_of(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


class TestSiblings:
    def test_show_in_one_line_what_makes_the_difference(self, signed_in, batch):
        right = make_trajectory(batch=batch)
        wrong = make_trajectory(batch=batch, fault="wrong_argument")

        page = text_of(signed_in.get(reverse("siblings", args=[right.pk])))

        assert f"#{wrong.pk} writes new_item_ids[0] " in page
        assert "first write that differs" in page
        assert "2 different final states" in page

    def test_can_be_picked_and_nothing_else_in_the_address_counts(
        self, signed_in, batch
    ):
        one, other, third = (make_trajectory(batch=batch) for _ in range(3))
        address = reverse("siblings", args=[one.pk])

        picked = text_of(signed_in.get(address, {"beside": other.pk}))
        nonsense = text_of(signed_in.get(address, {"beside": ["x", "9" * 30]}))

        assert (
            f'data-column="1">\n                    <a href="{reverse("trajectory", args=[other.pk])}"'
            in picked
        )
        assert f">#{third.pk}</a> <a" not in picked
        assert f">#{third.pk}</a> <a" in nonsense

    def test_say_so_if_there_are_none(self, signed_in, batch):
        alone = make_trajectory(batch=batch)

        assert "No siblings yet" in text_of(
            signed_in.get(reverse("siblings", args=[alone.pk]))
        )

    def test_are_reached_from_the_desk_only_if_there_are_some(self, signed_in, batch):
        one = make_trajectory(batch=batch)
        address = reverse("trajectory", args=[one.pk])

        assert "/siblings/" not in text_of(signed_in.get(address))
        make_trajectory(batch=batch, fault="wrong_argument")
        page = text_of(signed_in.get(address))
        assert reverse("siblings", args=[one.pk]) in page
        assert "1 ends otherwise" in page

"""Clusters and the dashboard as pages."""

import pytest
from django.urls import reverse

from tests.factories import make_batch, make_owner, make_trajectory, team_of
from writ_app.models.review import ReviewItem

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def counted_anew(monkeypatch):
    monkeypatch.setattr("writ_app.services.review.kept.SECONDS", 0)


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


class TestEmptyPages:
    @pytest.mark.parametrize("name", ["clusters", "review_dashboard"])
    def test_say_what_will_be_there(self, signed_in, name):
        assert "yet" in text_of(signed_in.get(reverse(name)))


class TestClusters:
    def test_lead_to_each_other_and_to_the_list(self, signed_in, batch):
        row = make_trajectory(batch=batch)
        key = ReviewItem.objects.get(pk=row.pk).cluster
        address = reverse("cluster", args=[key])

        assert address in text_of(signed_in.get(reverse("clusters")))
        page = text_of(signed_in.get(address))
        assert f"{reverse('trajectories')}?cluster={key}" in page
        assert "nothing else is like this one" in page

    def test_open_as_a_list_of_what_is_in_them(self, signed_in, batch):
        row = make_trajectory(batch=batch)
        make_trajectory(batch=batch, fault="wrong_argument")
        key = ReviewItem.objects.get(pk=row.pk).cluster

        page = text_of(signed_in.get(reverse("trajectories"), {"cluster": key}))

        assert "1 found" in page

    def test_take_no_nonsense(self, signed_in, batch):
        make_trajectory(batch=batch)
        nonsense = {"order": "x", "start": "-1", "batch": "9", "environment": "'"}

        page = text_of(signed_in.get(reverse("clusters"), nonsense))

        assert "1 cluster<" in page
        assert signed_in.get(reverse("cluster", args=["f" * 32])).status_code == 404

    def test_come_as_a_fragment_for_htmx(self, signed_in, batch):
        make_trajectory(batch=batch)

        part = text_of(signed_in.get(reverse("clusters"), headers=HTMX))

        assert part.strip().startswith('<div class="stack" id="found"')


class TestDashboard:
    def test_shows_every_plot_with_its_words(self, signed_in, batch):
        make_trajectory(batch=batch)

        page = text_of(signed_in.get(reverse("review_dashboard")))

        for words in (
            "From order to release",
            "Verdicts per day",
            "As a table",
            "Nobody has judged anything yet",
            "Approved trajectories by number of writes",
            "without any approved",
        ):
            assert words in page, words

    def test_says_so_if_nothing_was_ordered_there_and_then(self, signed_in, batch):
        make_batch(team=batch.team)
        page = text_of(
            signed_in.get(reverse("review_dashboard"), {"batch": batch.pk, "days": "7"})
        )

        assert "From order to release" in page
        type(batch).objects.update(created_at="2020-01-01T00:00Z")
        page = text_of(signed_in.get(reverse("review_dashboard"), {"days": "7"}))
        assert "Nothing matches" in page

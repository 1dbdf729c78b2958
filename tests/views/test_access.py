"""Who gets to see what: an owner, a reviewer, somebody of another team, and nobody in particular."""

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.factories import (
    make_batch,
    make_owner,
    make_reviewer,
    make_trajectory,
    make_user,
    team_of,
)
from writ_app.models.review import ReviewSlot
from writ_app.models.synthesis import BatchStatus

pytestmark = pytest.mark.django_db

PUBLIC = {"login", "logout", "theme"}
"""Everything else asks who you are."""


@pytest.fixture
def owner():
    return make_owner(name="ada")


@pytest.fixture
def trajectory(owner):
    team = team_of(owner)
    return make_trajectory(batch=make_batch(team=team, by=owner))


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def patterns(resolver=None, prefix=""):
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            if entry.app_name != "admin":  # guards itself: see the last test here
                yield from patterns(entry, prefix + str(entry.pattern))
        elif isinstance(entry, URLPattern):
            yield entry


ARGUMENTS = {
    "pk": 1,
    "key": "f" * 32,
    "name": "retail",
    "version": "sample",
    "collection": "orders",
    "position": 0,
    "path": "manifest.json",
    "number": 1,
}


class TestEveryView:
    def test_is_guarded_or_on_the_public_list(self):
        open_views = {
            entry.name
            for entry in patterns()
            if not hasattr(entry.callback, "access") and entry.name not in PUBLIC
        }

        assert open_views == set()

    def test_sends_strangers_to_the_login_page(self):
        for entry in patterns():
            if entry.name in PUBLIC:
                continue
            names = entry.pattern.converters
            address = reverse(entry.name, kwargs={k: ARGUMENTS[k] for k in names})
            for method in ("get", "post"):
                response = getattr(Client(), method)(address)
                refused = response.status_code == 405
                assert refused or response.headers["Location"].startswith("/login/")

    def test_sends_strangers_away_from_the_administration(self):
        response = Client().get("/admin/")

        assert response.status_code == 302


class TestOtherTeams:
    @pytest.mark.parametrize(
        "name", ["trajectory", "trajectory_raw", "siblings", "batch", "release"]
    )
    def test_find_nothing_at_our_addresses(self, trajectory, name):
        keys = {"batch": trajectory.simulation.batch_id}
        address = reverse(name, kwargs={"pk": keys.get(name, trajectory.pk)})

        response = signed_in(make_owner()).get(address)

        assert response.status_code == 404

    @pytest.mark.parametrize(
        "name",
        [
            "home",
            "review",
            "review_dashboard",
            "clusters",
            "trajectories",
            "tasks",
            "batches",
            "releases",
        ],
    )
    def test_do_not_see_our_work_in_lists(self, trajectory, name):
        page = signed_in(make_owner()).get(reverse(name)).content.decode()

        assert trajectory.simulation.batch.name not in page
        assert trajectory.simulation.task.text[:40] not in page

    def test_cannot_judge_our_trajectories(self, owner, trajectory):
        signed_in(owner).get(reverse("review"))
        slot = ReviewSlot.objects.get(item=trajectory.pk)

        response = signed_in(make_owner()).post(
            reverse("review"),
            {"slot": slot.pk, "token": slot.token, "verdict": "APPROVE"},
        )

        assert response.status_code == 404
        assert not slot.events.exists()


class TestReviewers:
    def test_may_look_and_judge_but_not_order_cancel_or_freeze(self, trajectory):
        batch = trajectory.simulation.batch
        client = signed_in(make_reviewer(team=batch.team))
        forbidden = [
            client.get(reverse("batch_new")),
            client.post(reverse("batch_new")),
            client.post(reverse("batch_cancel", args=[batch.pk])),
            client.post(reverse("releases"), {"name": "first"}),
            client.get(reverse("selection_jsonl")),
            client.get(reverse("selection_csv")),
        ]

        assert client.get(reverse("review")).status_code == 200
        assert client.get(reverse("batch", args=[batch.pk])).status_code == 200
        assert [response.status_code for response in forbidden] == [403] * 6
        batch.refresh_from_db()
        assert batch.status == BatchStatus.DONE


class TestPeopleWithoutATeam:
    def test_are_told_so(self):
        response = signed_in(make_user()).get(reverse("home"))

        assert response.status_code == 403
        assert "in no team yet" in response.content.decode()


class TestTheme:
    def test_is_kept_in_a_cookie_and_printed_on_the_page(self, owner):
        client = signed_in(owner)

        client.post(reverse("theme"), {"theme": "dark", "next": "/"})

        assert b'data-theme="dark"' in client.get("/").content

    @pytest.mark.parametrize("target", ["https://elsewhere.example/", "//elsewhere"])
    def test_never_leads_to_another_site(self, target):
        response = Client().post(reverse("theme"), {"theme": "x", "next": target})

        assert response.headers["Location"] == "/"
        assert not response.cookies["theme"].value

"""Who gets to see what and do what: every role, at every address, with what is the team's, another's, or not there."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.everything import Everything, make_everything
from tests.factories import (
    make_batch,
    make_member,
    make_owner,
    make_reviewer,
    make_trajectory,
    make_user,
    team_of,
)
from tests.views.access_rows import ROWS, Row
from writ_app.models.accounts import Role
from writ_app.models.review import ReviewSlot
from writ_app.models.synthesis import BatchStatus
from writ_app.services.accounts import add_member
from writ_app.services.sessions import FRESH
from writ_app.views.access import TEAM, Access

pytestmark = pytest.mark.django_db

PUBLIC = {
    "login",
    "account_login",
    "mfa_authenticate",
    "provider_login",
    "openid_connect_callback",
    "password_reset",
    "password_reset_confirm",
    "invitation",
    "logout",
    "theme",
}
"""Everything else asks who you are. These are the ways in, and out."""


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
            # These guard themselves: see the last test here, and tests/api/test_matrix.py.
            if entry.app_name not in ("admin", "api"):
                yield from patterns(entry, prefix + str(entry.pattern))
        elif isinstance(entry, URLPattern):
            yield entry


ABSENT: dict[str, Any] = {
    "pk": 999_999_999,
    "key": "0" * 32,
    "name": "nowhere",
    "version": "none",
    "slug": "nowhere",
    "left": 999_999_999,
    "right": 999_999_999,
}
"""Arguments of addresses of what is not there. The others stay as they are."""


class People:
    """Somebody of each kind, signed in; and the team's things."""

    def __init__(self) -> None:
        self.world = make_everything("grace")
        team = self.world.team
        self.roles: dict[Role, Client] = {Role.OWNER: signed_in(self.world.owner)}
        for role in (Role.VIEWER, Role.REVIEWER, Role.CURATOR):
            self.roles[role] = signed_in(make_member(team=team, role=role))
        self.teamless = signed_in(make_user())
        self.foreign = signed_in(make_owner())
        mara = make_owner(name="mara")
        elsewhere = team_of(mara)
        add_member(team=team, user=mara, role=Role.VIEWER)
        # One person, with another role in each of two teams.
        self.in_other, self.in_this = signed_in(mara), signed_in(mara)
        for client, chosen in ((self.in_other, elsewhere), (self.in_this, team)):
            session = client.session
            session[TEAM] = chosen.pk
            session.save()
        self.tired = signed_in(self.world.owner)
        session = self.tired.session
        session[FRESH] -= 1_000_000
        session.save()

    def ask(self, client: Client, row: Row, method: str, address: str) -> int:
        """The answer's status, after which everything is as it was."""
        with transaction.atomic():
            if method == "GET":
                answer = client.get(address, query_params=row.query)
            else:
                sent = row.post(self.world)
                answer = client.post(address, sent, query_params=row.query)
            if answer.streaming:
                b"".join(answer)  # what fails on the way fails here
            self.asked = answer
            transaction.set_rollback(True)
        return answer.status_code


@pytest.fixture(scope="module")
def people(django_db_setup, django_db_blocker) -> Iterator[People]:
    """Made once, and taken back after the last address."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield People()
        transaction.set_rollback(True)


def address_of(
    name: str, row: Row, world: Everything, instead: Mapping[str, Any] | None = None
) -> str:
    own = row.own(world) if row.own else {}
    return reverse(
        name, kwargs={**own, **{k: v for k, v in (instead or {}).items() if k in own}}
    )


class TestEveryAddress:
    """The matrix: a role, an address, a method, and whose the thing is."""

    def test_has_a_row_that_says_what_its_view_says(self):
        views = {
            entry.name: entry.callback.access
            for entry in patterns()
            if entry.name not in PUBLIC
        }
        said = {
            name: Access(row.read, row.write, row.fresh)  # type: ignore[arg-type]
            for name, row in ROWS.items()
        }

        assert views == said

    @pytest.mark.parametrize("name", ROWS)
    def test_answers_each_as_it_should(self, people, name, monkeypatch):
        # The only one that would ask a model.
        monkeypatch.setattr("writ_app.views.endpoints.try_endpoint", lambda row: None)
        row = ROWS[name]
        wrong = list(faults(people, name, row))

        assert not wrong, "\n".join(wrong)


def faults(people: People, name: str, row: Row) -> Iterator[str]:
    """What is wrong with the answers of one address, in words."""
    address = address_of(name, row, people.world)
    for method in ("GET", "POST"):
        if method not in row.methods:
            status = people.ask(people.roles[Role.OWNER], row, method, address)
            if status != 405:
                yield f"{method} is not for it, and gets {status}"
            continue
        needed = row.read if method == "GET" else row.write

        def gets(
            client: Client,
            expected: str,
            who: str,
            method: str = method,
            at: str = address,
        ) -> Iterator[str]:
            status = people.ask(client, row, method, at)
            location = people.asked.headers.get("Location", "")
            if not EXPECTED[expected](status, location):
                yield f"{method} {at} by {who}: {status} {location}, not {expected}"

        yield from gets(Client(), "the login page", "a stranger")
        fine = "an answer"
        yield from gets(
            people.teamless, "refused" if needed else fine, "somebody without a team"
        )
        for role, client in people.roles.items():
            if needed is not None and not role.includes(needed):
                yield from gets(client, "refused", role.label)
            elif role == Role.OWNER or not row.personal:
                yield from gets(client, fine, role.label)
            else:
                yield from gets(client, "an answer, or not found", role.label)
        viewer = "refused" if needed not in (None, Role.VIEWER) else fine
        if not (viewer == fine and row.personal):
            yield from gets(people.in_this, viewer, "a viewer who owns another team")
        if row.fresh == "all" or (row.fresh == "write" and method == "POST"):
            yield from gets(people.tired, "to confirm", "an owner whose proof is old")
        if row.own is None:
            continue
        away = fine if row.shared else row.away
        yield from gets(people.foreign, away, "an owner of another team")
        yield from gets(people.in_other, away, "a viewer at work in another team")
        absent = address_of(name, row, people.world, ABSENT)
        yield from gets(
            people.roles[Role.OWNER], row.away, "an owner, absent", at=absent
        )


EXPECTED = {
    "the login page": lambda status, to: status == 302 and to.startswith("/login/"),
    "to confirm": lambda status, to: (
        status == 302 and to.startswith("/account/confirm/")
    ),
    "refused": lambda status, to: status == 403,
    "sent to the queue": lambda status, to: (status, to) == (302, "/review/"),
    "not found": lambda status, to: status == 404,
    "an answer": lambda status, to: (
        status < 500
        and status not in (403, 404, 405)
        and not to.startswith(("/login/", "/account/confirm/"))
    ),
    "an answer, or not found": lambda status, to: (
        status < 500 and status not in (403, 405)
    ),
}


def test_the_administration_has_no_sign_in_of_its_own():
    """It would know neither a bound on attempts nor second factors."""
    sent = Client().get("/admin/", follow=True).redirect_chain[-1][0]
    assert sent.startswith("/login/?next=")

    fields = {"username": "root", "password": "x", "next": "/admin/"}
    assert (
        Client().post("/admin/login/", fields).headers["Location"].startswith("/login/")
    )
    assert signed_in(make_owner()).get("/admin/", follow=True).status_code == 403


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

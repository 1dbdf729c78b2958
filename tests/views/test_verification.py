"""The verification page: what it says of versions, who may order, and that nobody sees another team's."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import make_owner, make_reviewer, team_of
from tests.stored_batches import STARTED, play_batch
from writ_app.engine import verification
from writ_app.engine.types import Check, Owner
from writ_app.engine.verification.trace import Trace
from writ_app.jobs.verification import resume_reverifications, reverify
from writ_app.models.accounts import User
from writ_app.models.review import Verdict
from writ_app.models.synthesis import Batch, Trajectory
from writ_app.models.verification import Reverification
from writ_app.services.review import lease_next, submit_verdict
from writ_app.services.synthesis import verifying

pytestmark = pytest.mark.django_db

HOSTILE = "It said <script>alert(1)</script>\u202e."


def check_hostile(trace: Trace) -> Check:
    """Rejects everything, with a finding that quotes what a model wrote."""
    return Check(name="quoted", passed=False, finding=HOSTILE, owner=Owner.USER)


@pytest.fixture
def owner() -> User:
    return make_owner(name="ada")


@pytest.fixture
def batch(owner: User) -> Batch:
    return play_batch(by=owner, ordered=2, mix={"R5": 1})


@pytest.fixture
def next_version(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> str:
    checks = (*verification.CHECKS, check_hostile)
    monkeypatch.setattr(verification, "CHECKS", checks)
    monkeypatch.setattr(verification, "VERSION", "next")
    monkeypatch.setattr("writ_app.views.verification.VERSION", "next")
    return "next"


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page_of(user: User, **chosen: object) -> str:
    response = client_of(user).get(reverse("verification"), chosen)
    assert response.status_code == 200
    return response.content.decode()


def judge_again(batch: Batch) -> None:
    order = verifying.order_reverification(team=batch.team, batch=batch)
    reverify(order_id=order.pk)


class TestVerificationPage:
    def test_says_that_all_is_judged_by_the_current_version(
        self, owner: User, batch: Batch
    ) -> None:
        page = page_of(owner)

        assert "all 2 judged by it" in page
        assert "nothing to compare" in page
        assert "Verify" not in page.partition("</header>")[2].partition("<form")[0]

    def test_before_anything_was_simulated_says_so(self, owner: User) -> None:
        page = page_of(owner)

        assert "nothing simulated yet" in page
        assert "Nothing has been judged yet" in page

    def test_orders_and_shows_what_changed_with_examples_a_click_away(
        self,
        owner: User,
        batch: Batch,
        next_version: str,
        monkeypatch,
        django_capture_on_commit_callbacks,
    ) -> None:
        sent: list[int] = []
        monkeypatch.setattr(reverify, "delay", lambda order_id: sent.append(order_id))
        before = Trajectory.objects.first().version
        assert "2 judged by another version" in page_of(owner)

        with django_capture_on_commit_callbacks(execute=True):
            response = client_of(owner).post(
                reverse("verification_run"), {"batch": batch.pk}
            )

        order = Reverification.objects.get()
        assert sent == [order.pk]
        assert (order.batch, order.created_by) == (batch, owner)
        assert response["Location"] == f"{reverse('verification')}?batch={batch.pk}"
        assert "every 2s" in page_of(owner, batch=batch.pk)
        reverify(order_id=sent[0])
        page = page_of(owner, batch=batch.pk)
        assert "every 2s" not in page
        assert "2 newly rejected, 0 newly accepted" in page
        for pk in Trajectory.objects.values_list("pk", flat=True):
            assert reverse("trajectory", args=[pk]) in page
        opened = page_of(
            owner, before=before, after="next", was="accepted", now="quoted"
        )
        assert "&lt;script&gt;" in opened
        assert "U+202E" in opened
        assert "<script>alert" not in opened

    def test_lists_approvals_that_are_rejected_now(
        self, owner: User, batch: Batch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slot = lease_next(user=owner, at=STARTED)
        submit_verdict(
            slot=slot,
            token=slot.token,
            reviewer=owner,
            verdict=Verdict.APPROVE,
            at=STARTED,
        )
        monkeypatch.setattr(verification, "CHECKS", (check_hostile,))
        monkeypatch.setattr(verification, "VERSION", "next")
        judge_again(batch)

        page = page_of(owner)

        assert "1 approved, now rejected" in page
        assert reverse("trajectory", args=[slot.item_id]) in page
        assert (
            "1 left out" in client_of(owner).get(reverse("releases")).content.decode()
        )

    def test_a_part_of_it_is_all_that_polling_gets(
        self, owner: User, batch: Batch
    ) -> None:
        part = client_of(owner).get(
            reverse("verification"), headers={"HX-Request": "true"}
        )

        assert (
            part.content.decode()
            .lstrip()
            .startswith('<section class="panel" id="order"')
        )
        assert "What changed" not in part.content.decode()

    @pytest.mark.parametrize(
        "chosen",
        [
            {"batch": "x"},
            {"batch": 10**30},
            {"before": "no such", "after": "neither"},
            {"was": "accepted", "now": "\x00", "start": "-1"},
        ],
    )
    def test_takes_no_harm_from_odd_addresses(
        self, owner: User, batch: Batch, chosen: dict[str, object]
    ) -> None:
        assert "Verification" in page_of(owner, **chosen)


class TestAccess:
    def test_reviewers_may_look_but_not_order(self, batch: Batch) -> None:
        reviewer = make_reviewer(team=batch.team)

        assert "Verify 2 again" not in page_of(reviewer)
        response = client_of(reviewer).post(reverse("verification_run"))
        assert response.status_code == 403
        assert not Reverification.objects.exists()

    def test_other_teams_see_and_order_nothing_of_ours(
        self, batch: Batch, next_version: str
    ) -> None:
        judge_again(batch)
        stranger = make_owner()

        page = page_of(stranger, batch=batch.pk)

        assert batch.name not in page
        assert "Nothing has been judged yet" in page
        client_of(stranger).post(reverse("verification_run"), {"batch": batch.pk})
        assert not Reverification.objects.filter(team=team_of(stranger)).exists()


class TestJobs:
    def test_pick_up_what_nobody_works_on(
        self, batch: Batch, next_version: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sent: list[int] = []
        monkeypatch.setattr(reverify, "delay", lambda order_id: sent.append(order_id))
        order = verifying.order_reverification(team=batch.team)

        resume_reverifications()
        assert sent == []
        Reverification.objects.update(touched_at=STARTED)
        resume_reverifications()

        assert sent == [order.pk]

    def test_let_another_job_go_on_before_time_runs_out(
        self,
        batch: Batch,
        next_version: str,
        monkeypatch: pytest.MonkeyPatch,
        settings: Any,
    ) -> None:
        monkeypatch.setattr(verifying, "AT_ONCE", 1)
        settings.CELERY_TASK_SOFT_TIME_LIMIT = 0
        sent: list[int] = []
        monkeypatch.setattr(reverify, "delay", lambda order_id: sent.append(order_id))
        order = verifying.order_reverification(team=batch.team)

        reverify(order_id=order.pk)

        order.refresh_from_db()
        assert sent == [order.pk]
        assert order.verified == 1

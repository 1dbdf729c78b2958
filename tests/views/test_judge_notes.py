"""A judge model's notes on the trajectory page: after one's own verdict, small, and harmless whatever they hold."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import (
    make_batch,
    make_owner,
    make_reviewer,
    make_trajectory,
    team_of,
)
from tests.stored_batches import STARTED
from writ_app.engine.judge import QUESTIONS
from writ_app.models.accounts import User
from writ_app.models.review import Verdict
from writ_app.models.synthesis import Trajectory
from writ_app.models.verification import JudgeNote, NoteOutcome
from writ_app.services.review import lease_next, submit_verdict, undo_last

pytestmark = pytest.mark.django_db

REMARK = "It tries <script>alert(1)</script> \u202e things."


@pytest.fixture
def owner() -> User:
    return make_owner(name="ada")


@pytest.fixture
def trajectory(owner: User) -> Trajectory:
    return make_trajectory(batch=make_batch(team=team_of(owner), by=owner))


@pytest.fixture
def note(trajectory: Trajectory) -> JudgeNote:
    return note_on(trajectory)


def note_on(trajectory: Trajectory) -> JudgeNote:
    scores = {one.name: {"score": 2, "why": REMARK} for one in QUESTIONS}
    return JudgeNote.objects.create(
        trajectory=trajectory,
        judge="jury",
        prompt_version="1",
        seed=0,
        outcome=NoteOutcome.ANSWERED,
        content={"scores": scores, "remarks": REMARK},
    )


def page_of(user: User, trajectory: Trajectory, name: str = "trajectory") -> str:
    client = Client()
    client.force_login(user)
    keys = [trajectory.pk] if name == "trajectory" else []
    return client.get(reverse(name, args=keys)).content.decode()


def judge(user: User, verdict: Verdict) -> None:
    slot = lease_next(user=user, at=STARTED)
    assert slot is not None
    submit_verdict(
        slot=slot, token=slot.token, reviewer=user, verdict=verdict, at=STARTED
    )


class TestNotes:
    def test_wait_for_the_readers_own_verdict(
        self, owner: User, trajectory: Trajectory, note: JudgeNote
    ) -> None:
        other = make_reviewer(team=team_of(owner))
        assert "once you have given your own verdict" in page_of(owner, trajectory)
        assert "jury" not in page_of(owner, trajectory)

        judge(owner, Verdict.APPROVE)

        assert "By the model jury" in page_of(owner, trajectory)
        assert "jury" not in page_of(other, trajectory)

    def test_are_not_earned_by_putting_off_or_by_a_verdict_taken_back(
        self, owner: User, trajectory: Trajectory, note: JudgeNote
    ) -> None:
        judge(owner, Verdict.DEFER)
        assert "jury" not in page_of(owner, trajectory)
        judge(owner, Verdict.APPROVE)
        undo_last(reviewer=owner, at=STARTED)
        assert "jury" not in page_of(owner, trajectory)

    def test_never_show_on_the_review_page(
        self, owner: User, trajectory: Trajectory, note: JudgeNote
    ) -> None:
        page = page_of(owner, trajectory, "review")

        assert f"#{trajectory.pk}" in page
        assert "jury" not in page
        assert "A judge model" not in page

    def test_show_at_once_where_nobody_is_to_judge(self, owner: User) -> None:
        rejected = make_trajectory(
            batch=make_batch(team=team_of(owner), by=owner), fault="wrong_argument"
        )
        note_on(rejected)

        assert "By the model jury" in page_of(owner, rejected)

    def test_are_shown_as_text(
        self, owner: User, trajectory: Trajectory, note: JudgeNote
    ) -> None:
        judge(owner, Verdict.APPROVE)

        page = page_of(owner, trajectory)

        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page
        assert "\u202e" not in page

    def test_that_could_not_be_read_are_shown_as_what_they_are(
        self, owner: User, trajectory: Trajectory
    ) -> None:
        JudgeNote.objects.create(
            trajectory=trajectory,
            judge="jury",
            prompt_version="1",
            seed=0,
            outcome=NoteOutcome.UNREADABLE,
            raw="APPROVE <b>now</b>",
        )
        judge(owner, Verdict.APPROVE)

        page = page_of(owner, trajectory)

        assert "answer cannot be read" in page
        assert "APPROVE &lt;b&gt;now&lt;/b&gt;" in page

"""How far a judge model agrees with people."""

import pytest

from tests.factories import make_batch, make_owner, make_trajectory, team_of
from writ_app.engine.judge import QUESTIONS
from writ_app.models.review import ReviewSlot, SlotStatus
from writ_app.models.verification import JudgeNote, NoteOutcome
from writ_app.services.review.quality.judges import calibrations

pytestmark = pytest.mark.django_db


def note(trajectory, score, version="1", outcome=NoteOutcome.ANSWERED):
    scores = {one.name: {"score": 5, "why": "w"} for one in QUESTIONS}
    scores[QUESTIONS[0].name]["score"] = score
    answered = outcome == NoteOutcome.ANSWERED
    JudgeNote.objects.create(
        trajectory=trajectory,
        judge="jury",
        prompt_version=version,
        seed=0,
        outcome=outcome,
        content={"scores": scores, "remarks": ""} if answered else None,
    )


def test_sets_a_judges_objections_against_the_verdicts_of_people():
    owner = make_owner()
    batch = make_batch(team=team_of(owner), by=owner)
    cases = [
        (SlotStatus.APPROVED, 5),
        (SlotStatus.APPROVED, 2),
        (SlotStatus.REJECTED, 1),
        (SlotStatus.REJECTED, 4),
        (SlotStatus.OPEN, 1),
    ]
    for status, score in cases:
        row = make_trajectory(batch=batch)
        ReviewSlot.objects.filter(item=row.pk).update(status=status)
        note(row, score)
    note(row, 1, version="2", outcome=NoteOutcome.UNREADABLE)

    (found,) = calibrations(team_of(owner))

    assert (found.judge, found.prompt_version, found.items) == ("jury", "1", 4)
    assert found.agreement.value == pytest.approx(0)
    cells = (found.both_approve, found.only_judge_objects)
    assert (*cells, found.only_people_object, found.both_object) == (1, 1, 1, 1)


def test_keeps_versions_of_a_prompt_apart_and_says_what_cannot_be_computed():
    owner = make_owner()
    row = make_trajectory(batch=make_batch(team=team_of(owner), by=owner))
    ReviewSlot.objects.filter(item=row.pk).update(status=SlotStatus.APPROVED)
    note(row, 5)
    note(row, 1, version="2")

    later, earlier = calibrations(team_of(owner))

    assert (later.prompt_version, earlier.prompt_version) == ("2", "1")
    assert earlier.agreement.value is None
    assert "always said" in earlier.agreement.why

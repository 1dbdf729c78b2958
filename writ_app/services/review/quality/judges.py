"""How far a judge model's notes agree with people: its scores decide nothing, and this says whether they ever could."""

from collections import Counter
from dataclasses import dataclass

from writ_app.engine.statistics.agreement import Agreement, kappa
from writ_app.models.accounts import Team
from writ_app.models.review import ItemStatus
from writ_app.models.verification import JudgeNote, NoteOutcome

LOW = 2
"""A score of at most so much (of 5) on any question counts as an objection."""

APPROVES, OBJECTS = "approves", "objects"


@dataclass(frozen=True)
class Calibration:
    """One judge under one version of its prompt, against the verdicts of people. Counts of items."""

    judge: str
    prompt_version: str
    agreement: Agreement
    both_approve: int
    only_people_object: int
    """The judge saw nothing."""
    only_judge_objects: int
    both_object: int

    @property
    def items(self) -> int:
        return self.agreement.items


def calibrations(team: Team) -> tuple[Calibration, ...]:
    """Of every judge and prompt version with a note on something that people have settled, latest versions first.

    Of several notes by one judge on one trajectory, the one with the lowest seed counts.
    """
    settled = [ItemStatus.APPROVED, ItemStatus.REJECTED, ItemStatus.FIX]
    notes = (
        JudgeNote.objects.filter(
            outcome=NoteOutcome.ANSWERED,
            trajectory__items__team=team,
            trajectory__items__number=1,
            trajectory__items__status__in=settled,
        )
        .order_by("judge", "prompt_version", "trajectory", "seed")
        .distinct("judge", "prompt_version", "trajectory")
        .values_list("judge", "prompt_version", "content", "trajectory__items__status")
    )
    said: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for judge, version, content, status in notes:
        assert content is not None  # it answered
        scores = [one["score"] for one in content["scores"].values()]
        mine = OBJECTS if min(scores, default=5) <= LOW else APPROVES
        people = APPROVES if status == ItemStatus.APPROVED else OBJECTS
        said.setdefault((judge, version), []).append((people, mine))
    return tuple(
        _calibration(judge, version, said[judge, version])
        for judge, version in sorted(said, key=lambda key: key[1], reverse=True)
    )


def _calibration(judge: str, version: str, pairs: list[tuple[str, str]]) -> Calibration:
    cells = Counter(pairs)
    return Calibration(
        judge=judge,
        prompt_version=version,
        agreement=kappa(pairs),
        both_approve=cells[APPROVES, APPROVES],
        only_people_object=cells[OBJECTS, APPROVES],
        only_judge_objects=cells[APPROVES, OBJECTS],
        both_object=cells[OBJECTS, OBJECTS],
    )

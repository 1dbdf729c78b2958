"""Notes of judge models on a batch: asked one by one, stored as they come, within caps. They decide nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Sum

from writ_app.engine import types
from writ_app.engine.judge import (
    PROMPT_VERSION,
    QUESTIONS,
    Annotation,
    annotate,
)
from writ_app.engine.llm import ChatModel
from writ_app.models.synthesis import Batch, Trajectory
from writ_app.models.verification import JudgeNote, NoteOutcome
from writ_app.services.audit import record

GIVE_UP = 3
"""Times in a row that a model cannot be reached before it is left alone."""

_OUTCOMES = {
    "answered": NoteOutcome.ANSWERED,
    "unreadable": NoteOutcome.UNREADABLE,
    "unavailable": NoteOutcome.UNAVAILABLE,
}


@dataclass(frozen=True)
class Caps:
    """Where to stop: what the judge's notes on the batch have cost so far counts, earlier runs included. None: no cap."""

    cost: float | None = None
    """US dollars."""
    tokens: int | None = None


@dataclass(frozen=True)
class Spent:
    cost: float = 0.0
    tokens: int = 0

    def reached(self, caps: Caps) -> str:
        """What was reached, in words; "" if nothing was."""
        if caps.cost is not None and self.cost >= caps.cost:
            return f"the cap of ${caps.cost:g} is reached (${self.cost:.4f} spent)"
        if caps.tokens is not None and self.tokens >= caps.tokens:
            return (
                f"the cap of {caps.tokens:,} tokens is reached ({self.tokens:,} used)"
            )
        return ""


def judge_batch(
    *,
    batch: Batch,
    judge: ChatModel,
    seed: int = 0,
    limit: int | None = None,
    caps: Caps | None = None,
    rejected_too: bool = False,
) -> Iterator[JudgeNote]:
    """Notes on the accepted trajectories of a batch that this judge has none on yet, each given as soon as it is stored.

    Where the model could not be reached it is asked again the next time. No call is made once a cap is reached, so that the last
    call alone may pass it.
    """
    record(
        "batch.judge",
        team=batch.team_id,
        row=batch,
        after={"judge": judge.name, "prompt": PROMPT_VERSION, "seed": seed},
    )
    trajectories = Trajectory.objects.filter(simulation__batch=batch)
    if not rejected_too:
        trajectories = trajectories.accepted()
    noted = JudgeNote.objects.filter(
        judge=judge.name, prompt_version=PROMPT_VERSION, seed=seed
    ).exclude(outcome=NoteOutcome.UNAVAILABLE)
    waiting = trajectories.exclude(judge_notes__in=noted).order_by("pk")
    unreachable = 0
    for pk in list(waiting.values_list("pk", flat=True)[:limit]):
        if spent_on(batch, judge.name).reached(caps or Caps()):
            return
        note = _store(pk, _ask(pk, judge, seed))
        unreachable = unreachable + 1 if note.outcome == NoteOutcome.UNAVAILABLE else 0
        yield note
        if unreachable == GIVE_UP:
            return


def spent_on(batch: Batch, judge: str) -> Spent:
    """What a judge's notes on a batch have cost."""
    found = JudgeNote.objects.filter(
        trajectory__simulation__batch=batch, judge=judge
    ).aggregate(
        cost=Sum("cost"),
        prompt=Sum("prompt_tokens"),
        completion=Sum("completion_tokens"),
    )
    tokens = (found["prompt"] or 0) + (found["completion"] or 0)
    return Spent(cost=found["cost"] or 0.0, tokens=tokens)


def _ask(pk: int, judge: ChatModel, seed: int) -> Annotation:
    """Seconds long: no transaction is open."""
    content = Trajectory.objects.values_list("content", flat=True).get(pk=pk)
    trajectory = types.Trajectory.model_validate(content)
    return annotate(trajectory=trajectory, judge=judge, seed=seed)


def _store(pk: int, found: Annotation) -> JudgeNote:
    answer = found.answer.model_dump(mode="json") if found.answer else None
    note, _ = JudgeNote.objects.update_or_create(
        trajectory_id=pk,
        judge=found.judge,
        prompt_version=found.prompt_version,
        seed=found.seed,
        defaults={
            "outcome": _OUTCOMES[found.outcome],
            "content": answer,
            "raw": found.raw or found.finding,
            "prompt_tokens": found.usage.prompt_tokens,
            "completion_tokens": found.usage.completion_tokens,
            "cost": found.usage.cost,
        },
    )
    return note


# --- showing -------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NoteView:
    """A note for a page: (title of the question, score, why) of each that is still asked, remarks, and what else was written."""

    judge: str
    outcome: str
    scores: Sequence[tuple[str, int, str]]
    remarks: str
    raw: str
    """Of an answer that could not be read, or why there is none."""


def notes_on(trajectory: Trajectory) -> list[NoteView]:
    return [_view(note) for note in trajectory.judge_notes.all()]


def _view(note: JudgeNote) -> NoteView:
    outcome = NoteOutcome(note.outcome).label
    if note.content is None:
        return NoteView(note.judge, outcome, (), "", note.raw)
    titles = {question.name: question.title for question in QUESTIONS}
    scores = tuple(
        (titles.get(name, name), one["score"], one["why"])
        for name, one in note.content["scores"].items()
    )
    return NoteView(note.judge, outcome, scores, note.content.get("remarks", ""), "")

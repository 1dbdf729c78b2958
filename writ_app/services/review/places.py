"""Where on a page something can be seen: the highlighted field of a read, or a step of the conversation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from environments.core.environment import Environment
from writ_app.engine.types import Task, Verification
from writ_app.services.review.evidence import Mark
from writ_app.services.review.steps import Step


@dataclass(frozen=True)
class Link:
    """A place on the page: the id of an element, words for it, and a JSON pointer into the result that it shows when opened."""

    target: str
    label: str
    inside: str = ""

    @property
    def token(self) -> str:
        """For an attribute that lists places: without blanks."""
        return f"{self.target}~{quote(self.inside)}" if self.inside else self.target


class Places:
    """Finds elements for sources: marks in evidence rows first, steps of the conversation otherwise. Makes the marks it needs."""

    def __init__(
        self,
        environment: Environment,
        task: Task,
        verification: Verification,
        steps: Sequence[Step],
    ):
        self.environment = environment
        self.steps = {step.message: step for step in reversed(steps)}
        self.steps |= {step.answer: step for step in steps if step.answer is not None}
        self.rows = {
            read.call.key: number for number, read in enumerate(task.certificate, 1)
        }
        self.read_at = {
            made: read.call.key
            for read, made in zip(task.certificate, verification.coverage, strict=False)
            if made is not None
        }
        self.marks: dict[str, dict[str, Mark]] = {}

    def step_of(self, message: int) -> Step | None:
        """The step a message belongs to; a result belongs to its call, which stands before it."""
        return self.steps.get(message) or next(
            (self.steps[n] for n in range(message, -1, -1) if n in self.steps), None
        )

    def of_message(self, message: int, place: str, argument: str) -> Link | None:
        step = self.step_of(message)
        if step is None:
            return None
        key = self.read_at.get(step.message, "")
        if key and step.name:
            return self.of_read(key, place, argument)
        return Link(step.id, f"step {step.number}", place)

    def of_read(self, key: str, place: str, argument: str) -> Link | None:
        if key not in self.rows:
            return None
        number, marks = self.rows[key], self.marks.setdefault(key, {})
        mark = marks.setdefault(place, Mark(f"e{number}-{len(marks)}"))
        if argument and argument not in mark.arguments:
            marks[place] = replace(mark, arguments=(*mark.arguments, argument))
        return Link(mark.id, f"read {number}")

"""Everything a reviewer sees of one trajectory, as one value: templates print it and ask for nothing more."""

from collections.abc import Iterator
from dataclasses import dataclass

from environments.core.environment import Environment
from writ_app.engine.behaviour import DIMENSIONS, PLANS, UserFinding, audit_user
from writ_app.engine.types import Check, LedgerLine, Task, Trajectory, Verification
from writ_app.models.accounts import User
from writ_app.models.review import ReviewEvent, ReviewItem
from writ_app.services.catalog import load_environment
from writ_app.services.review.blind import events_for
from writ_app.services.review.disguise import shown_verification
from writ_app.services.review.evidence import (
    CELL,
    CandidateView,
    EvidenceRow,
    make_candidates,
    make_evidence,
)
from writ_app.services.review.leaves import value_text
from writ_app.services.review.places import Places
from writ_app.services.review.preconditions import PolicyGroup, make_policy
from writ_app.services.review.reader import load_item
from writ_app.services.review.replay import Difference, compare, try_writes
from writ_app.services.review.steps import (
    Ribbon,
    Step,
    counted_in_steps,
    make_ribbon,
    make_steps,
)
from writ_app.services.review.writes import WriteCard, make_cards, with_facts
from writ_app.services.synthesis import ledger_of

AUDITED = 4_000
"""Characters of one message that are looked at again for the user's behavior."""


@dataclass(frozen=True)
class CheckLine:
    check: Check
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Dimension:
    """One dimension of the user's behavior: as planned, and as it came out."""

    name: str
    planned: str
    realized: str

    @property
    def kept(self) -> bool:
        return not self.planned or self.planned == self.realized


@dataclass(frozen=True)
class BehaviorView:
    title: str
    dimensions: tuple[Dimension, ...]
    lines: tuple[LedgerLine, ...]
    """Everything the user may say."""
    findings: tuple[UserFinding, ...]

    @property
    def strayed(self) -> tuple[Dimension, ...]:
        """Dimensions that came out otherwise than planned."""
        return tuple(line for line in self.dimensions if not line.kept)

    @property
    def kept(self) -> tuple[Dimension, ...]:
        return tuple(line for line in self.dimensions if line.kept)


@dataclass(frozen=True)
class ToldLine:
    """One thing that the user is to be told, and the reads that it rests on."""

    what: str
    value: str
    reads: tuple[EvidenceRow, ...]


@dataclass(frozen=True)
class Coverage:
    """Needed reads made before the write, of all needed."""

    made: int
    needed: int

    @property
    def complete(self) -> bool:
        return self.made == self.needed


@dataclass(frozen=True)
class ReviewPage:
    row: ReviewItem
    task: Task
    trajectory: Trajectory
    query_lines: tuple[tuple[int, str], ...]
    """(depth, text) of each line of the typed query."""
    ribbon: Ribbon
    steps: tuple[Step, ...]
    evidence: tuple[EvidenceRow, ...]
    superfluous: tuple[Step, ...]
    coverage: Coverage
    candidates: tuple[CandidateView, ...]
    cards: tuple[WriteCard, ...]
    difference: Difference
    policy: tuple[PolicyGroup, ...]
    checks: tuple[CheckLine, ...]
    """What the machine said of it, as the viewer may know it."""
    facts: tuple[CheckLine, ...]
    """What the checks find in this very version: beside what they are about, and nowhere else."""
    told: tuple[ToldLine, ...]
    clause: str
    """The policy clause, in words, by which the request is refused or handed over."""
    behavior: BehaviorView
    events: tuple[ReviewEvent, ...]

    @property
    def withdrawn(self) -> frozenset[int]:
        """Keys of the events that a later one took back."""
        return frozenset(
            event.withdraws_id for event in self.events if event.withdraws_id
        )

    @property
    def meter_width(self) -> int:
        """Of the coverage meter, in pixels."""
        return max(len(self.evidence) * CELL, 1)

    @property
    def deed(self) -> str:
        """What the needed reads have to come before."""
        if self.task.declined:
            return "refusal"
        if self.task.transferred:
            return "handover"
        return "write" if self.task.gold else "answer"

    @property
    def told_check(self) -> CheckLine | None:
        """The check of what the user was told."""
        return self._fact("told")

    @property
    def claims(self) -> CheckLine | None:
        """What the agent said that nothing shows; None if there is no such thing."""
        line = self._fact("claims")
        return None if line is None or line.check.passed else line

    @property
    def no_write_check(self) -> CheckLine | None:
        """The check of the refusal or of the handover, where one is right."""
        name = "refusal" if self.task.declined else "transfer"
        return self._fact(name)

    def _fact(self, name: str) -> CheckLine | None:
        return next((line for line in self.facts if line.check.name == name), None)

    @property
    def reads(self) -> int:
        return sum(step.kind == "read" for step in self.steps)

    @property
    def writes(self) -> int:
        return sum(step.kind == "write" for step in self.steps)

    @property
    def failed(self) -> tuple[CheckLine, ...]:
        return tuple(line for line in self.checks if not line.check.passed)

    @property
    def passed(self) -> tuple[CheckLine, ...]:
        return tuple(line for line in self.checks if line.check.passed)

    @property
    def preconditions_failed(self) -> int:
        lines = (line for group in self.policy for line in group.lines)
        return sum(line.holds is False for line in lines)


def build_review_page(*, item_id: int, viewer: User | None = None) -> ReviewPage:
    """Two queries: the row with everything upstream of it, and the events that the viewer may see (None: one who has not judged).

    A planted error takes more, and passes for its original in what the checks say.

    The environment is kept by the process.
    """
    row = load_item(item_id)
    return compose_page(
        row=row,
        environment=load_environment(row.task.environment),
        events=tuple(events_for(viewer, row)),
        shown=shown_verification(row, viewer) if row.canary else None,
    )


def compose_page(
    *,
    row: ReviewItem,
    environment: Environment,
    events: tuple[ReviewEvent, ...] = (),
    shown: Verification | None = None,
) -> ReviewPage:
    """`shown` is the verification as the viewer may know it; None: as it is stored."""
    task = Task.model_validate(row.task.content)
    trajectory = Trajectory.model_validate(row.stored_content)
    stored = Verification.model_validate(row.stored_verification)
    verification = counted_in_steps(stored, trajectory.messages)
    told = counted_in_steps(shown, trajectory.messages) if shown else verification
    steps = make_steps(
        trajectory.messages,
        environment,
        failed=_failures(told),
        superfluous=verification.superfluous,
    )
    places = Places(environment, task, verification, steps)
    gold = [write.call for write in task.gold]
    written = [step for step in steps if step.kind == "write"]
    made = [step.call for step in written]
    cards = make_cards(task, verification, steps, places)
    policy = make_policy(environment, gold, cards, steps, places, verification)
    evidence = make_evidence(environment, task, verification, steps, places.marks)
    return ReviewPage(
        row=row,
        task=task,
        trajectory=trajectory,
        query_lines=tuple(indented(str(task.query))),
        ribbon=make_ribbon(steps),
        steps=steps,
        evidence=evidence,
        superfluous=tuple(step for step in steps if step.superfluous),
        coverage=Coverage(sum(r.step is not None for r in evidence), len(evidence)),
        candidates=make_candidates(task, evidence),
        cards=with_facts(cards, written, try_writes(environment, made, gold)),
        difference=compare(environment, gold, made),
        policy=policy,
        checks=_check_lines(told, places),
        facts=_check_lines(verification, places),
        told=tuple(
            ToldLine(
                one.what,
                value_text(one.value),
                tuple(evidence[place] for place in one.needs),
            )
            for one in task.told
        ),
        clause=environment.clauses.get(task.declined or task.transferred, ""),
        behavior=_behavior(row, task, trajectory),
        events=events,
    )


def _behavior(row: ReviewItem, task: Task, trajectory: Trajectory) -> BehaviorView:
    """Judged anew, because it is quick and the words are on the page anyway; of a huge message only the beginning."""
    ledger = ledger_of(row.trajectory.simulation, task)
    cut = [
        m.model_copy(update={"content": m.content[:AUDITED]})
        if len(m.content) > AUDITED
        else m
        for m in trajectory.messages
    ]
    audit = audit_user(ledger, cut)
    dimensions = (
        Dimension(
            DIMENSIONS[name].title,
            _title(name, ledger.behaviour.get(name, "")),
            _title(name, audit.dimensions.get(name, "")),
        )
        for name in DIMENSIONS
        if name in ledger.behaviour
    )
    plan = PLANS.get(trajectory.plan)
    title = plan.title if plan else trajectory.plan
    return BehaviorView(title, tuple(dimensions), ledger.lines, audit.findings)


def _title(dimension: str, value: str) -> str:
    titles = {one.slug: one.title for one in DIMENSIONS[dimension].values}
    return titles.get(value, value)


def indented(text: str) -> Iterator[tuple[int, str]]:
    """(depth, text) of each line."""
    for line in text.splitlines():
        bare = line.lstrip(" ")
        yield min((len(line) - len(bare)) // 2, 4), bare


def _failures(verification: Verification) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for check in verification.checks:
        for message in () if check.passed else check.where:
            found[message] = (*found.get(message, ()), check.name)
    return found


def _check_lines(verification: Verification, places: Places) -> tuple[CheckLine, ...]:
    lines = []
    for check in verification.checks:
        steps = {
            step.number: step
            for step in map(places.step_of, check.where)
            if step is not None
        }
        lines.append(CheckLine(check, tuple(steps.values())))
    return tuple(lines)

"""What a batch costs: by role, against its caps, and what the rest will cost."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Count, Q, Sum

from writ_app.engine.pacing import Budget
from writ_app.models import clock
from writ_app.models.synthesis import Batch, Turn, not_retried
from writ_app.services.audit import record
from writ_app.services.synthesis.control import CannotChange, caps_as_json
from writ_app.services.synthesis.progress import ENOUGH, BatchProgress

LATELY = timedelta(minutes=1)
SIDES = {"agent": "agent", "user": "user simulator"}


@dataclass(frozen=True)
class RoleSpend:
    """What one role's answers cost so far; rejected drafts count."""

    role: str
    model: str
    turns: int
    prompt_tokens: int
    completion_tokens: int
    cost: float

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True)
class Cap:
    """One cap, and how near it is. In US dollars or tokens."""

    what: str
    spent: float
    most: float

    @property
    def percent(self) -> int:
        return round(100 * self.spent / self.most) if self.most else 100

    @property
    def near(self) -> bool:
        return self.percent >= 80


@dataclass(frozen=True)
class Spending:
    roles: tuple[RoleSpend, ...]
    turns_per_minute: int
    per_simulation: float | None
    """US dollars of a finished simulation in the mean; None while too few are finished."""
    left: float | None
    """US dollars that the rest costs at that rate; None if that is not known, or nothing is left."""

    @property
    def unpriced(self) -> bool:
        """Tokens were used and nothing was paid: no price is known, or it is 0."""
        return any(role.tokens and not role.cost for role in self.roles)


def batch_spending(batch: Batch, progress: BatchProgress) -> Spending:
    """One query over the batch's turns."""
    since = clock.now() - LATELY
    found = (
        Turn.objects.filter(not_retried("simulation"), simulation__batch=batch)
        .order_by()
        .values("side")
        .annotate(
            turns=Count("position"),
            lately=Count("position", filter=Q(created_at__gte=since)),
            prompt=Sum("prompt_tokens"),
            completion=Sum("completion_tokens"),
            spent=Sum("cost"),
        )
    )
    rows = {row["side"]: row for row in found}
    done = progress.done
    mean = float(batch.cost) / done if done >= ENOUGH and batch.cost else None
    live = batch.finished_at is None
    return Spending(
        roles=tuple(
            RoleSpend(
                title,
                batch.played_by.get(side, {}).get("name", "scripted"),
                rows[side]["turns"],
                rows[side]["prompt"],
                rows[side]["completion"],
                float(rows[side]["spent"]),
            )
            for side, title in SIDES.items()
            if side in rows
        ),
        turns_per_minute=sum(row["lately"] for row in rows.values()),
        per_simulation=mean,
        left=mean * progress.left if mean and live and progress.left else None,
    )


def change_caps(
    *, batch: Batch, max_cost: Decimal | None, max_tokens: int | None
) -> None:
    """Give a batch other caps; None takes one away. Raises CannotChange for one that is reached already."""
    cost = None if max_cost is None else float(max_cost)
    budget = Budget(max_cost=cost, max_tokens=max_tokens)
    if reached := budget.spent(float(batch.cost), batch.tokens):
        raise CannotChange(f"{reached} Give a higher one, or none.")
    before = caps_as_json(batch.max_cost, batch.max_tokens)
    after = caps_as_json(max_cost, max_tokens)
    with transaction.atomic():
        batch.max_cost, batch.max_tokens = max_cost, max_tokens
        batch.save(update_fields=["max_cost", "max_tokens"])
        if after != before:
            record(
                "batch.caps", team=batch.team_id, row=batch, before=before, after=after
            )


def caps_of(batch: Batch) -> list[Cap]:
    """The caps that the batch has, and how near they are."""
    caps = []
    if batch.max_cost is not None:
        caps.append(Cap("dollars", float(batch.cost), float(batch.max_cost)))
    if batch.max_tokens is not None:
        caps.append(Cap("tokens", batch.tokens, batch.max_tokens))
    return caps

"""What several people said of the same items, without knowing of each other: agreement, and what both may have missed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from writ_app.engine.statistics.agreement import Agreement, alpha, kappa
from writ_app.engine.statistics.intervals import Remaining, remaining
from writ_app.models.accounts import Team
from writ_app.models.review import (
    ItemStatus,
    RejectReason,
    ReviewEvent,
    ReviewItem,
    Verdict,
)
from writ_app.services.review.queue import VERDICTS


@dataclass(frozen=True)
class Opinion:
    reviewer: str
    verdict: str
    reason: str

    @property
    def objects(self) -> bool:
        return self.verdict != Verdict.APPROVE


@dataclass(frozen=True)
class Line:
    """Agreement on one thing, between all or between two."""

    title: str
    agreement: Agreement
    given: int = 0
    """How often it was said, of a reason."""


@dataclass(frozen=True)
class AgreementPage:
    items: int
    """Judged by two people or more."""
    verdict: Agreement
    reasons: tuple[Line, ...]
    pairs: tuple[Line, ...]
    table: tuple[tuple[str, tuple[int, ...]], ...]
    """(verdict of the first, how often with each verdict of the second)."""
    verdicts: tuple[str, ...]
    left: Remaining | None


LOOKED_AT = 5_000
"""Items that two have judged, the latest: agreement is of now, and a page is not to wait."""


def opinions(team: Team) -> Mapping[int, Sequence[Opinion]]:
    """Item → the verdicts that stand on it, in the order of the slots; only items with two or more. No canaries, nothing in bulk."""
    double = ReviewItem.objects.filter(team=team, wanted__gt=1, canary="").exclude(
        status__in=["", ItemStatus.OPEN]
    )
    latest = double.order_by("-pk").values("pk")[:LOOKED_AT]
    rows = (
        ReviewEvent.objects.filter(
            slot__item__in=latest,
            slot__number__gt=0,
            verdict__in=VERDICTS,
            withdrawn_by=None,
            bulk=None,
        )
        .order_by("slot__item", "slot__number")
        .values_list("slot__item", "reviewer__username", "verdict", "reason")
    )
    found: dict[int, list[Opinion]] = {}
    for item, reviewer, verdict, reason in rows:
        found.setdefault(item, []).append(Opinion(reviewer, verdict, reason))
    return {item: said for item, said in found.items() if len(said) > 1}


def agreement_of(team: Team) -> AgreementPage:
    said = list(opinions(team).values())
    titles = {code: label.capitalize() for code, label in Verdict.choices}
    verdicts = tuple(titles[one] for one in VERDICTS)
    both = [(titles[one[0].verdict], titles[one[1].verdict]) for one in said]
    return AgreementPage(
        items=len(said),
        verdict=alpha([[titles[o.verdict] for o in one] for one in said]),
        reasons=tuple(_by_reason(said)),
        pairs=tuple(_by_pair(said)),
        table=tuple(
            (mine, tuple(both.count((mine, yours)) for yours in verdicts))
            for mine in verdicts
        ),
        verdicts=verdicts,
        left=_left(said),
    )


def _by_reason(said: Sequence[Sequence[Opinion]]) -> Iterable[Line]:
    """For each reason that anybody gave: do the others give it, too?"""
    for code, label in RejectReason.choices:
        units = [
            [f"{label}" if o.reason == code else "not that" for o in one]
            for one in said
        ]
        given = sum(unit.count(label) for unit in units)
        if given:
            yield Line(label, alpha(units), given)


def _by_pair(said: Sequence[Sequence[Opinion]]) -> Iterable[Line]:
    people = sorted({o.reviewer for one in said for o in one})
    verdicts = [{o.reviewer: Verdict(o.verdict).label for o in one} for one in said]
    for one, other in combinations(people, 2):
        pairs = [(v[one], v[other]) for v in verdicts if one in v and other in v]
        if pairs:
            yield Line(f"{one} and {other}", kappa(pairs))


def _left(said: Sequence[Sequence[Opinion]]) -> Remaining | None:
    """None: nobody found anything yet."""
    first, second = (sum(one[n].objects for one in said) for n in (0, 1))
    both = sum(one[0].objects and one[1].objects for one in said)
    return remaining(first, second, both) if first + second else None

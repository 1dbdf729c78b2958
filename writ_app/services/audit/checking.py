"""Verifications that are kept: ordered by somebody or the clock, done by a job, and held against the chain ever after."""

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now

from writ_app.models.accounts import Team, User
from writ_app.models.audit import SITE, AuditCheck
from writ_app.services.audit.chain import Head, Verified, chains, seal, verify_chain

FORGOTTEN = timedelta(minutes=30)
"""An order that is older is taken for lost with its worker: it keeps nobody from ordering anew."""


@transaction.atomic
def order_check(
    *, team: Team | None, by: User | None = None
) -> tuple[AuditCheck, bool]:
    """(the check, whether it is a new one: the caller sends the job). One that is under way is enough for everybody."""
    if team is not None:
        Team.objects.select_for_update(no_key=True).get(pk=team.pk)
    under_way = AuditCheck.objects.filter(
        team=team, finished_at=None, ordered_at__gt=Now() - FORGOTTEN
    )
    if row := under_way.first():
        return row, False
    return AuditCheck.objects.create(team=team, by=by), True


def run_check(*, check_id: int) -> Verified | None:
    """Verify what a check is about and keep what it came to; None if it is done already."""
    row = AuditCheck.objects.filter(pk=check_id, finished_at=None).first()
    if row is None:
        return None
    seal()
    found = verify_chain(row.team_id or SITE, known_heads(row.team_id or SITE))
    AuditCheck.objects.filter(pk=check_id, finished_at=None).update(
        finished_at=Now(),
        number=found.head.number,
        hash=found.head.hash,
        trouble=str(found.broken or ""),
    )
    return found


def check_all() -> list[Verified]:
    """Verify every chain and keep what it came to: what the clock does once a day."""
    found = []
    for chain in chains():
        row = AuditCheck.objects.create(team_id=chain or None)
        if verified := run_check(check_id=row.pk):
            found.append(verified)
    return found


def known_heads(chain: int, more: Iterable[Head] = ()) -> list[Head]:
    """What earlier checks found intact, and those of a list that was kept elsewhere."""
    sound = AuditCheck.objects.of(chain).filter(finished_at__isnull=False, number__gt=0)
    rows = sound.values_list("number", "hash")
    heads = [Head(chain, number, bytes(hash_)) for number, hash_ in rows]
    return [*heads, *(head for head in more if head.chain == chain)]


def last_check(team: Team) -> AuditCheck | None:
    """The latest of a team's chain, finished or not."""
    return AuditCheck.objects.filter(team=team).select_related("by").first()

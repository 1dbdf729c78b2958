"""Teams and who is in them."""

from django.db import transaction

from writ_app.engine.errors import WritError
from writ_app.models.accounts import Membership, Role, Team, User
from writ_app.models.prepared import ALL, Joined


class LastOwner(WritError):
    """A team without an owner could never order a batch or freeze a release again."""


@transaction.atomic
def create_team(*, name: str, owner: User) -> Team:
    """A new team with its first owner."""
    team = Team.objects.create(name=name)
    add_member(team=team, user=owner, role=Role.OWNER)
    return team


@transaction.atomic
def add_member(*, team: Team, user: User, role: Role = Role.REVIEWER) -> Membership:
    """Put a person into a team, or change the role of one who is in it."""
    # Locks the team, so that two changes at once cannot both take the last owner away.
    Team.objects.select_for_update().get(pk=team.pk)
    leaving = role != Role.OWNER and team.memberships.owners().filter(user=user)
    if leaving and not team.memberships.owners().exclude(user=user).exists():
        raise LastOwner(f"{user} is the only owner of {team}. Make another one first.")
    membership, _ = Membership.objects.update_or_create(
        team=team, user=user, defaults={"role": role}
    )
    return membership


_MEMBERSHIPS = Joined(
    """
    FROM writ_app_membership AS membership JOIN writ_app_team AS team ON team.id = membership.team_id
    WHERE membership.user_id = %(user)s ORDER BY membership.id
    """,
    {"membership": (Membership, ALL), "team": (Team, ALL)},
)


def membership_of(user: User) -> Membership | None:
    """The membership a person works under: the oldest, if there are several. The user knows all teams after."""
    found = _MEMBERSHIPS.rows({"user": user.pk})
    user.team_ids = sorted(membership.team_id for membership, _ in found)
    if not found:
        return None
    first: Membership
    first, first.team = found[0]
    first.user = user
    return first

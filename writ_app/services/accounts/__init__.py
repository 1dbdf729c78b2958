"""Teams and who is in them."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from writ_app.engine.errors import WritError
from writ_app.models.accounts import Invitation, Membership, Role, Team, User
from writ_app.models.prepared import ALL, Joined
from writ_app.services.audit import record


class LastOwner(WritError):
    """A team without an owner could never order a batch or freeze a release again."""


class NameTaken(WritError):
    """There is a team of that name."""


@transaction.atomic
def create_team(*, name: str, owner: User) -> Team:
    """A new team with its first owner. Raises NameTaken."""
    try:
        with transaction.atomic():
            team = Team.objects.create(name=name)
    except IntegrityError as error:
        raise NameTaken(f"There is a team called {name} already.") from error
    record("team.create", team=team, row=team, after={"name": name})
    add_member(team=team, user=owner, role=Role.OWNER)
    return team


@transaction.atomic
def change_team(*, team: Team, name: str, needs_second_factor: bool) -> None:
    """Rename it, and say whether its members have to use a second factor. Raises NameTaken."""
    row = Team.objects.select_for_update().get(pk=team.pk)
    new = {"name": name, "needs_second_factor": needs_second_factor}
    before = {key: getattr(row, key) for key, value in new.items()}
    if before == new:
        return
    try:
        with transaction.atomic():
            Team.objects.filter(pk=row.pk).update(**new)
    except IntegrityError as error:
        raise NameTaken(f"There is a team called {name} already.") from error
    record("team.change", team=row, row=row, before=before, after=new)


@transaction.atomic
def add_member(*, team: Team, user: User, role: Role = Role.REVIEWER) -> Membership:
    """Put a person into a team, or change the role of one who is in it. Raises LastOwner."""
    # Locks the team, so that two changes at once cannot both take the last owner away.
    Team.objects.select_for_update().get(pk=team.pk)
    held = team.memberships.filter(user=user).first()
    if held is not None and held.role == role:
        return held
    if role != Role.OWNER:
        _check_not_the_last(team, user)
    membership, _ = Membership.objects.update_or_create(
        team=team, user=user, defaults={"role": role}
    )
    record(
        "member.role" if held else "member.add",
        team=team,
        row=user,
        before={"role": str(held.role)} if held else None,
        after={"role": str(role)},
    )
    return membership


@transaction.atomic
def remove_member(*, team: Team, user: User) -> None:
    """Take a person out of a team. What hangs on the membership, such as API tokens, goes with it, and so do leases. Raises LastOwner.

    Their sessions go on, and see nothing of the team from the next request on. What they did stays, under their name.
    """
    Team.objects.select_for_update().get(pk=team.pk)
    membership = team.memberships.filter(user=user).first()
    if membership is None:
        return
    _check_not_the_last(team, user)
    role = str(membership.role)
    membership.delete()
    Invitation.objects.filter(
        team=team, invited_by=user, accepted_at=None, revoked_at=None
    ).update(revoked_at=Now())
    record("member.remove", team=team, row=user, before={"role": role})


def _check_not_the_last(team: Team, user: User) -> None:
    owners = team.memberships.owners()
    if owners.filter(user=user).exists() and not owners.exclude(user=user).exists():
        raise LastOwner(f"{user} is the only owner of {team}. Make another one first.")


_MEMBERSHIPS = Joined(
    """
    FROM writ_app_membership AS membership JOIN writ_app_team AS team ON team.id = membership.team_id
    WHERE membership.user_id = %(user)s ORDER BY membership.id
    """,
    {"membership": (Membership, ALL), "team": (Team, ALL)},
)


def memberships_of(user: User) -> list[Membership]:
    """The person's places in teams, oldest first."""
    return in_teams(user, _MEMBERSHIPS.rows({"user": user.pk}))


def in_teams(user: User, rows: Iterable[Sequence[Any]]) -> list[Membership]:
    """Memberships out of rows of (membership, its team)."""
    found = []
    for membership, team in rows:
        membership.team, membership.user = team, user
        found.append(membership)
    return found


def membership_of(user: User, team_id: int | None = None) -> Membership | None:
    """The membership that a person works under: that in the team asked for, else the oldest.

    From here on the user sees the rows of that team alone, because the role that was found holds for it alone.
    """
    found = user.came_with
    if found is None:
        found = memberships_of(user)
    user.places, user.came_with = found, None
    chosen = next((one for one in found if one.team_id == team_id), None)
    membership = chosen or (found[0] if found else None)
    user.team_ids = [membership.team_id] if membership else []
    return membership

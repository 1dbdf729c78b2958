"""Places that are held for people who are not in the team yet. Whoever has the link may take one, once, until it ends."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string

from writ_app.engine.errors import WritError
from writ_app.models.accounts import Invitation, Membership, Role, Team, User
from writ_app.services.accounts import add_member
from writ_app.services.audit import record


class NotInvited(WritError):
    """The link is of no invitation that stands, or of somebody else's."""


@dataclass(frozen=True)
class Made:
    invitation: Invitation
    token: str
    """Known at this moment only: the database has its hash."""


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def invite(*, team: Team, by: User, role: Role, email: str = "", at: datetime) -> Made:
    """Hold a place. An address it is bound to is taken at its word: accounts say theirs themselves."""
    token = secrets.token_urlsafe(32)
    row = Invitation.objects.create(
        team=team,
        invited_by=by,
        role=role,
        email=email,
        token_hash=_hashed(token),
        expires_at=at + timedelta(hours=settings.INVITATION_HOURS),
    )
    told = {"role": str(role), "bound": bool(email)}
    record("invitation.create", team=team, row=row, after=told)
    return Made(row, token)


def send_invitation(*, made: Made, link: str, by: User) -> bool:
    """By e-mail; False where there is no mail server or no address. Raises OSError for what SMTP says, and what the network does."""
    to = made.invitation.email
    if not (settings.EMAIL_URL and to):
        return False
    context = {"invitation": made.invitation, "link": link, "by": by}
    text = render_to_string("accounts/invitation_mail.txt", context)
    send_mail(f"Invitation to {made.invitation.team} on WRIT", text, None, [to])
    return True


def pending(team: Team, *, at: datetime) -> list[Invitation]:
    """Those that somebody could still take, latest first."""
    rows = team.invitations.pending(at).select_related("invited_by")
    return list(rows.order_by("-pk"))


def find_invitation(token: str, *, at: datetime) -> Invitation | None:
    """The invitation of a link, if it stands."""
    held = Invitation.objects.pending(at).select_related("team", "invited_by")
    return held.filter(token_hash=_hashed(token)).first()


@transaction.atomic
def accept(*, invitation: Invitation, user: User, at: datetime) -> Membership:
    """Take the place. Raises NotInvited if another was quicker, if it ended, or if it is for another address or for a member."""
    if invitation.email and invitation.email.lower() != user.email.lower():
        raise NotInvited("This invitation is for another e-mail address.")
    if invitation.team.memberships.filter(user=user).exists():
        raise NotInvited(f"You are in {invitation.team} already.")
    standing = Invitation.objects.pending(at).filter(pk=invitation.pk)
    # One statement decides, so that of two who follow the link at once one gets in.
    if not standing.update(accepted_at=at, accepted_by=user):
        raise NotInvited("This invitation was used, revoked, or is over.")
    role = Role(invitation.role)
    record("invitation.accept", team=invitation.team, row=invitation)
    return add_member(team=invitation.team, user=user, role=role)


@transaction.atomic
def revoke(*, invitation: Invitation, at: datetime) -> bool:
    """The link is of no use any more; False if it was of none before."""
    standing = Invitation.objects.pending(at).filter(pk=invitation.pk)
    done = bool(standing.update(revoked_at=at))
    if done:
        record("invitation.revoke", team=invitation.team, row=invitation)
    return done

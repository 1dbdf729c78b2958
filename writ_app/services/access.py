"""Who may do what, asked by both doors: the pages (writ_app/views/access.py) and the API (writ_app/api/endpoint.py)."""

from dataclasses import dataclass
from typing import Literal

from django.core.exceptions import PermissionDenied

from writ_app.adapters.logs import note
from writ_app.models.accounts import Membership, Role, User
from writ_app.services.accounts import membership_of

TEAM = "team"
"""Key of the session under which the team chosen last is kept."""

type Fresh = Literal["", "write", "all"]
SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Access:
    """The least role that may look (GET, HEAD), and the least that may change something (all other methods).

    None: whoever is signed in, also without a team. `fresh` says for which methods a password or a second factor must have been given
    within WRIT_REAUTH_MINUTES; a token was made with such a proof, and needs none.
    """

    read: Role | None
    write: Role | None
    fresh: Fresh = ""

    def needed(self, method: str | None) -> Role | None:
        return self.read if method in SAFE else self.write

    def wants_fresh(self, method: str | None) -> bool:
        return self.fresh == "all" or (self.fresh == "write" and method not in SAFE)


def refusal(needed: Role) -> str:
    """What somebody without the role is told."""
    if needed == Role.OWNER:
        return "Only an owner of the team can do that."
    return f"That takes a {needed.label} of the team. An owner can change your role."


def enter(user: User, *, team_id: int | None) -> Membership | None:
    """The membership that a request is made under; None for who is in no team.

    From here on the user sees the rows of its team alone, and log lines and audit entries name both.
    """
    membership = membership_of(user, team_id)
    note(user=user.pk)
    if membership is not None:
        note(team=membership.team_id)
    return membership


def require(membership: Membership, access: Access, method: str | None) -> None:
    """Raises PermissionDenied for a member without the role: members know that the thing exists, so they are told."""
    needed = access.needed(method)
    if needed is not None and not membership.may(needed):
        raise PermissionDenied(refusal(needed))

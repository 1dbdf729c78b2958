"""The accounts that a local site begins with: made once, kept readable to their owner alone."""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from writ_app.models.accounts import Membership, Role, Team, User
from writ_app.services import accounts

TEAM = "Demo"
NAMES = {"owner": Role.OWNER, "reviewer": Role.REVIEWER}


@dataclass(frozen=True)
class FirstAccounts:
    team: Team
    owner: User
    passwords: dict[str, str]
    """User name → password; empty for accounts whose password was changed in the meantime."""


@transaction.atomic
def first_accounts(notes: Path) -> FirstAccounts:
    """The team with its owner and a reviewer, made at the first start. Passwords are noted in `notes` (mode 0600)."""
    passwords = json.loads(notes.read_text()) if notes.exists() else {}
    for name in NAMES:
        if not User.objects.filter(username=name).exists():
            passwords[name] = secrets.token_urlsafe(12)
            create = (
                User.objects.create_superuser
                if NAMES[name] == Role.OWNER
                else User.objects.create_user
            )
            create(username=name, password=passwords[name])
    _write_private(notes, json.dumps(passwords))
    people = {name: User.objects.get(username=name) for name in NAMES}
    team = Team.objects.filter(name=TEAM).first() or accounts.create_team(
        name=TEAM, owner=people["owner"]
    )
    if not team.memberships.filter(user=people["reviewer"]).exists():
        accounts.add_member(team=team, user=people["reviewer"], role=Role.REVIEWER)
    valid = {
        name: text
        for name, text in passwords.items()
        if people[name].check_password(text)
    }
    return FirstAccounts(team, people["owner"], valid)


def _write_private(path: Path, text: str) -> None:
    """Replace the file in one step; nobody else can read it at any moment."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)


def first_owner(team: str = "") -> Membership | None:
    """Who stands for a team (by its name, or the first there is) where a command does something for it."""
    owners = Membership.objects.filter(role=Role.OWNER).select_related("team", "user")
    return (owners.filter(team__name=team) if team else owners).order_by("pk").first()

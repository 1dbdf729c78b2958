"""Filters under a name: one's own, the team's, and the one that a person's list opens with."""

from typing import Any

from django.db import transaction

from writ_app.engine.errors import WritError
from writ_app.models.accounts import Team, User
from writ_app.models.curation import DefaultView, SavedView
from writ_app.models.prepared import ALL, Joined
from writ_app.services.audit import record
from writ_app.services.review.listing import Filters

MOST = 100
"""Views of one person."""


class NameTaken(WritError):
    """The person has a view of that name already."""


_VIEWS = Joined(
    """
    FROM writ_app_savedview AS view
    JOIN writ_app_user AS owner ON owner.id = view.owner_id
    LEFT JOIN writ_app_defaultview AS first ON first.view_id = view.id AND first.user_id = %(user)s
    WHERE view.team_id = ANY(%(teams)s) AND (view.owner_id = %(user)s OR view.shared)
    ORDER BY view.name, view.id
    """,
    {
        "view": (SavedView, ALL),
        "owner": (User, "username"),
        "first": (DefaultView, "view_id"),
    },
)


def views_of(user: User) -> list[SavedView]:
    """Own ones and those shared with the person's teams, by name; `is_default` tells the one that the list opens with."""
    found = []
    for view, owner, first in _VIEWS.rows({"user": user.pk, "teams": user.team_ids}):
        view.owner, view.is_default = owner, first is not None
        found.append(view)
    return found


def default_view(user: User) -> SavedView | None:
    """What the person's list opens with. None too if it is no longer theirs to see."""
    return (
        SavedView.objects.visible_to(user)
        .filter(pk__in=DefaultView.objects.filter(user=user).values("view"))
        .first()
    )


@transaction.atomic
def save_view(
    *, user: User, team: Team, name: str, filters: Filters, shared: bool = False
) -> SavedView:
    """A new view. Raises NameTaken."""
    own = SavedView.objects.filter(team=team, owner=user)
    if own.filter(name=name).exists():
        raise NameTaken(f"You have a view “{name}” already.")
    if own.count() >= MOST:
        raise NameTaken(f"You have {MOST} views already: delete some first.")
    view = SavedView.objects.create(
        team=team, owner=user, name=name, filters=dict(filters), shared=shared
    )
    record("view.save", team=team, row=view, by=user, after=_told(view))
    return view


@transaction.atomic
def change_view(*, view: SavedView, name: str, shared: bool) -> None:
    """Rename or share one's own view. Raises NameTaken."""
    own = SavedView.objects.filter(team=view.team, owner=view.owner, name=name)
    if own.exclude(pk=view.pk).exists():
        raise NameTaken(f"You have a view “{name}” already.")
    before = _told(view)
    view.name, view.shared = name, shared
    view.save(update_fields=["name", "shared"])
    if not shared:
        DefaultView.objects.filter(view=view).exclude(user=view.owner).delete()
    record(
        "view.change",
        team=view.team_id,
        row=view,
        by=view.owner,
        before=before,
        after=_told(view),
    )


@transaction.atomic
def delete_view(*, view: SavedView) -> None:
    """One's own."""
    record(
        "view.delete", team=view.team_id, row=view, by=view.owner, before=_told(view)
    )
    view.delete()


def _told(view: SavedView) -> dict[str, Any]:
    return {"name": view.name, "shared": view.shared, "filters": view.filters}


def open_with(*, user: User, view: SavedView | None) -> None:
    """Make the person's list open with a view, or with everything."""
    if view is None:
        DefaultView.objects.filter(user=user).delete()
    else:
        DefaultView.objects.update_or_create(user=user, defaults={"view": view})

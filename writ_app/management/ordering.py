"""Words that order something on the command line: who orders, which endpoint, for how much; and a site that works on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from typing import TypedDict

from django.conf import settings
from django.core.management import call_command

from writ_app.adapters.embedded.services import AlreadyStarted, services_running
from writ_app.celery import app
from writ_app.engine.errors import WritError
from writ_app.management.accounts import first_accounts
from writ_app.management.site import Site, site_up
from writ_app.models.accounts import Membership, Team, User
from writ_app.models.synthesis import ModelEndpoint


class BadWords(WritError):
    """An order that cannot be made as the words say."""


class Orderer(TypedDict):
    team: Team
    by: User


def team_and_owner(name: str | None) -> Orderer:
    """Whose it is, and the team's first owner, who orders it. Raises BadWords."""
    teams = Team.objects.filter(**({"name": name} if name else {}))
    if not Team.objects.exists():
        first = first_accounts(settings.VAR_DIR / "first_accounts.json")
        return {"team": first.team, "by": first.owner}
    names = ", ".join(Team.objects.order_by("name").values_list("name", flat=True))
    if teams.count() != 1:
        raise BadWords(f"Say whose it is with --team; there is {names}.")
    owner = Membership.objects.owners().filter(team__in=teams).order_by("id")[0]
    return {"team": owner.team, "by": owner.user}


@contextmanager
def working_site(workers: int, *, works: bool) -> Iterator[Site | None]:
    """Services that answer. With `works` also our own workers, unless somebody else's are there: then None."""
    if works and not _others_work():
        try:
            with site_up(workers=workers) as site:
                yield site
                return
        except AlreadyStarted:
            pass
    with services_running(settings.EMBEDDED, settings.EMBEDDED_SERVICES, reuse=True):
        call_command("migrate", verbosity=0, interactive=False)
        yield None


def _others_work() -> bool:
    """Whether workers answer at a broker that is not ours to start."""
    return "valkey" not in settings.EMBEDDED_SERVICES and bool(
        app.control.ping(timeout=2)
    )


def endpoint_named(name: str, team: Team) -> ModelEndpoint:
    offered = ModelEndpoint.objects.offered().of_team(team)
    found = offered.filter(name=name).first()
    if found is None:
        names = ", ".join(offered.values_list("name", flat=True)) or "none"
        raise BadWords(
            f"There is no endpoint {name!r} to choose; there is {names}. They are added under Models in the app."
        )
    return found


def dollars(text: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation as error:
        raise BadWords(f"--max-cost {text} is not a number.") from error
    if not found.is_finite() or found >= 10**8:
        raise BadWords(f"--max-cost {text} is no sum of dollars.")
    return found

"""What `manage.py release` is told: which release, whose, by which recipe."""

import json
import re
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.core.management import CommandError
from django.http import QueryDict

from writ_app.forms.lists import ListForm
from writ_app.models.accounts import Membership, Team, User
from writ_app.models.curation import SavedView
from writ_app.models.release import Release
from writ_app.services.release import BadRecipe, Recipe, read_recipe

NAMED = re.compile(r"^(?P<name>[-\w]+?)(?:-v(?P<number>\d+))?$")


def add_team(parser: ArgumentParser) -> None:
    parser.add_argument("--team", metavar="NAME", help="if there are several")


def add_recipe(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--recipe",
        type=Path,
        metavar="FILE",
        help="a JSON file as `release show --json` has under recipe; the options below change it",
    )
    parser.add_argument("--view", metavar="NAME", help="the filters of a saved view")
    parser.add_argument(
        "--filter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="as in the address of the list of trajectories, such as environment=retail; may be given several times",
    )
    parser.add_argument("--seed", type=int, help="of the choice and the splits")
    parser.add_argument(
        "--cap", type=int, metavar="N", help="most of one cell of writes x burden"
    )
    parser.add_argument(
        "--cell-cap",
        action="append",
        default=[],
        metavar="WRITES/BURDEN=N",
        help="most of this cell, such as 1/4-6=50; may be given several times",
    )
    parser.add_argument(
        "--shares",
        metavar="train=0.8,validation=0.1,test=0.1",
        help="of the splits; they make 1",
    )
    parser.add_argument("--max-tokens", type=int, metavar="N")
    parser.add_argument("--tokenizer", metavar="NAME")
    parser.add_argument(
        "--gate",
        action="append",
        default=[],
        metavar="ENVIRONMENT/VERSION or set:HASH",
        help="leave out what shares anything with its benchmark tasks, or with the reference set whose file has a SHA-256 that begins "
        "with these 12 characters; may be given several times",
    )


def team_named(name: str | None) -> Team:
    """Raises CommandError unless there is one, and only one if none is named."""
    teams = list(Team.objects.filter(**({"name": name} if name else {})).order_by("pk"))
    if len(teams) == 1:
        return teams[0]
    known = ", ".join(repr(one.name) for one in Team.objects.order_by("pk")[:20])
    if not teams:
        raise CommandError(f"There is no team {name!r}. There are: {known or 'none'}.")
    raise CommandError(f"There are several teams: say which with --team. {known}.")


def release_named(text: str, team: str | None) -> Release:
    """By name-vN, or the latest of a name. Raises CommandError."""
    match = NAMED.match(text)
    found = Release.objects.select_related("team", "created_by").order_by("-number")
    if team:
        found = found.filter(team=team_named(team))
    if match:
        # A name may itself end in -v1, so the whole text is looked for too.
        named = found.filter(name=match["name"])
        if match["number"]:
            named = named.filter(number=int(match["number"]))
        rows = list(named) or list(found.filter(name=text))
    else:
        rows = []
    if not rows:
        known = ", ".join(f"{one.name}-v{one.number}" for one in found[:20])
        raise CommandError(f"There is no release {text}. There are: {known or 'none'}.")
    if len({one.team_id for one in rows}) > 1:
        raise CommandError(
            f"Several teams have a release {text}: say which with --team."
        )
    return rows[0]


def curator_named(name: str | None, team: Team) -> User:
    """Who may draft and freeze releases of the team; its first owner if nobody is named. Raises CommandError."""
    members = Membership.objects.filter(team=team).select_related("user")
    members = members.filter(user__username=name) if name else members.owners()
    first = members.order_by("pk").first()
    if first is None or not first.curates:
        raise CommandError(
            f"{name or 'Nobody'} is a curator or owner of the team {team.name!r}: only these draft and freeze releases."
        )
    return first.user


def recipe_told(options: Mapping[str, Any], base: Recipe, team: Team) -> Recipe:
    """The recipe of the options over a base. Raises CommandError, BadRecipe."""
    values: dict[str, Any] = base.model_dump(mode="json")
    if options["recipe"]:
        values |= _file(options["recipe"])
    if options["view"]:
        view = SavedView.objects.filter(team=team, name=options["view"]).first()
        if view is None:
            raise CommandError(f"There is no saved view {options['view']!r}.")
        values |= {"view": view.name, "filters": view.filters}
    if options["filter"]:
        values["filters"] = {**values["filters"], **_filters(options["filter"])}
    for name in ("seed", "cap", "max_tokens", "tokenizer"):
        if options[name] is not None:
            values[name] = options[name]
    if options["cell_cap"]:
        values["caps"] = {**values["caps"], **_numbers(options["cell_cap"], int)}
    if options["shares"]:
        values["shares"] = _numbers(options["shares"].split(","), float)
    if options["gate"]:
        values["gates"] = options["gate"]
    return read_recipe(values)


def _file(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise CommandError(f"{path} is no JSON: {error}") from error
    if not isinstance(values, dict):
        raise CommandError(f"{path} holds no recipe, which is a JSON object.")
    return values


def _filters(told: Sequence[str]) -> dict[str, Any]:
    """What the list of trajectories would take. Raises BadRecipe for what it would pass over."""
    query = QueryDict(mutable=True)
    for one in told:
        name, _, value = one.partition("=")
        query.appendlist(name, value)
    filters = ListForm(query).filters
    for name in query:
        if name not in filters:
            raise BadRecipe(f"filters: {name}={query[name]} is no filter of the list.")
    return filters


def _numbers(told: Sequence[str], kind: type[int] | type[float]) -> dict[str, Any]:
    found = {}
    for one in told:
        name, _, value = one.strip().partition("=")
        try:
            found[name] = kind(value)
        except ValueError as error:
            raise BadRecipe(f"{one!r} is not a name, = and a number.") from error
    return found

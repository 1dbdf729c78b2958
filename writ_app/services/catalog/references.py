"""Reference sets: files of conversations brought in, each in one transaction, and taken away again."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from psycopg.errors import RestrictViolation

from writ_app.adapters.reference_files import ReferenceFile
from writ_app.adapters.tau2_results import BadResults
from writ_app.engine.errors import WritError
from writ_app.models.accounts import Team
from writ_app.models.catalog import Environment, ReferenceSet
from writ_app.services.audit import record
from writ_app.services.catalog.reference_rows import (
    Gathered,
    Written,
    copy_rows,
    named,
)
from writ_app.services.catalog.results import bring_in

type Tell = Callable[[int, int, Written], None]
"""(how far, of how much, what was written)."""


@dataclass(frozen=True)
class Brought:
    """A file that is in. `written`: None if it had been before."""

    row: ReferenceSet
    written: Written | None


class SetInUse(WritError):
    """Something rests on the set: it cannot be taken away."""


def import_reference(
    *,
    path: Path,
    file_name: str = "",
    name: str = "",
    kind: str = "",
    team: Team | None = None,
    environment: Environment | None = None,
    tell: Tell | None = None,
) -> Brought:
    """A file as a reference set: all of its rows, or nothing. Without `kind` its first row tells. Raises BadFile."""
    file = ReferenceFile(path, file_name or path.name, kind)

    def told(written: Written) -> None:
        if tell:
            tell(file.done, file.whole, written)

    if file.kind.slug == "tau2_results":
        return _results(file, name, team, environment, told)
    with transaction.atomic():
        row, made = ReferenceSet.objects.get_or_create(
            team=team,
            content_hash=file.content_hash,
            defaults={
                "name": (name or file.name)[-200:],
                "format": file.kind.slug,
                "environment": environment,
                "content": {},
            },
        )
        if not made:
            return Brought(row, None)
        gathered = Gathered()
        written = copy_rows(row, gathered.rows(file.rows()), told)
        if not written.rows:
            raise file.wrong("", "holds no rows.")
        _tell_what_is_shared(row, gathered, environment)
        record(
            "reference_set.import",
            team=team,
            row=row,
            after={
                "name": row.name,
                "format": row.format,
                "content_hash": row.content_hash,
                "rows": written.rows,
            },
        )
    return Brought(row, written)


def _results(
    file: ReferenceFile,
    name: str,
    team: Team | None,
    environment: Environment | None,
    told: Callable[[Written], None],
) -> Brought:
    try:
        with transaction.atomic():
            row, written = bring_in(
                file.path, environment, team, name or file.name[-200:], told
            )
    except BadResults as error:
        text = str(error).removeprefix(f"{file.path.name}, ")
        raise file.wrong("", text) from error
    except RecursionError as error:
        raise file.wrong("", "something in it is nested too deep.") from error
    return Brought(row, written)


def _tell_what_is_shared(
    row: ReferenceSet, gathered: Gathered, environment: Environment | None
) -> None:
    """The set's own columns, which only its rows can tell."""
    row.agent, row.user = named(gathered.agents), named(gathered.users)
    row.worlds = list(gathered.worlds.values())
    name, _, version = named(gathered.environments).partition("/")
    if len(gathered.environments) == 1 and version:
        known = Environment.objects.filter(name=name, version=version)
        row.environment = environment or known.defer("state").first()
    row.domain = row.environment.name if row.environment else name[:120]
    row.save()


def delete_reference_set(row: ReferenceSet) -> None:
    """With its rows. Raises SetInUse, with its name, if something that is kept rests on the set."""
    try:
        with transaction.atomic():
            record(
                "reference_set.delete",
                team=row.team_id,
                row=row,
                before={"name": row.name, "content_hash": row.content_hash},
            )
            row.trajectories.all()._raw_delete(row.trajectories.db)
            row.delete()
    except ProtectedError as error:
        raise SetInUse(f"{row} cannot be deleted: something rests on it.") from error
    except IntegrityError as error:
        if not isinstance(error.__cause__, RestrictViolation):
            raise
        # A trigger: a release that names the set among its gates could not be chosen or proved again.
        why = str(error).splitlines()[0]
        raise SetInUse(f"{row} cannot be deleted. {why}") from error

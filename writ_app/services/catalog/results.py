"""Bringing τ²-bench result files in, for viewing and calibration: all of what is named, or nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path

from django.db import transaction

from writ_app.adapters.tau2_results import (
    BadResults,
    Tau2Results,
    find_result_files,
    read_results,
)
from writ_app.models.accounts import Team
from writ_app.models.catalog import Environment, ReferenceSet
from writ_app.services.audit import record
from writ_app.services.catalog.reference_rows import Row, Written, copy_rows

type Tell = Callable[[Written], None]


@transaction.atomic
def import_results(
    *,
    root: Path,
    environment: Environment | None = None,
    team: Team | None = None,
    name: str = "",
    tell: Tell | None = None,
) -> list[ReferenceSet]:
    """A file, a directory-form result, or a folder of them. A file that is here already is not brought in again, but
    learns its environment if it had none.

    Without `environment`, the newest version with the file's domain and policy is taken, if there is one. Raises BadResults.
    """
    try:
        return [
            bring_in(path, environment, team, name, tell)[0]
            for path in find_result_files(root)
        ]
    except RecursionError as error:
        raise BadResults(f"{root.name}: something in it is nested too deep.") from error


def bring_in(
    path: Path,
    environment: Environment | None = None,
    team: Team | None = None,
    name: str = "",
    tell: Tell | None = None,
) -> tuple[ReferenceSet, Written | None]:
    """(the set, what was written; None: it had been here), within the caller's transaction. Raises BadResults."""
    results = read_results(path, check=False)
    if environment is not None and environment.name != results.domain:
        raise BadResults(
            f"{results.name}, $.info.environment_info.domain_name: "
            f"is {results.domain!r}, but the environment is {environment}."
        )
    environment = environment or _matching(results)
    reference_set, made = ReferenceSet.objects.get_or_create(
        team=team,
        content_hash=results.content_hash,
        defaults={
            "name": name or results.name[-200:],
            "format": "tau2_results",
            "domain": results.domain,
            "environment": environment,
            "agent": results.agent,
            "user": results.user,
            "content": results.content,
        },
    )
    if made:
        written = copy_rows(reference_set, _rows(results), tell)
        record(
            "reference_set.import",
            team=team,
            row=reference_set,
            after={
                "name": reference_set.name,
                "format": reference_set.format,
                "content_hash": reference_set.content_hash,
                "rows": written.rows,
            },
        )
        return reference_set, written
    if reference_set.environment is None and environment is not None:
        # The file was here before its environment.
        reference_set.environment = environment
        reference_set.save(update_fields=["environment"])
    return reference_set, None


def _matching(results: Tau2Results) -> Environment | None:
    same = Environment.objects.filter(name=results.domain, policy=results.policy)
    return same.defer("state").order_by("-pk").first()


def _rows(results: Tau2Results) -> Iterator[Row]:
    for simulation in results.simulations():
        yield Row(
            id=simulation.id,
            task=simulation.task_id,
            trial=simulation.trial,
            ended_by=simulation.ended_by,
            reward=simulation.reward,
            messages=[message.model_dump() for message in simulation.messages],
            content=simulation.content,
        )

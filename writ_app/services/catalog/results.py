"""Bringing τ²-bench result files in, for viewing and calibration: all of what is named, or nothing."""

from collections.abc import Iterator
from itertools import batched
from pathlib import Path

from django.db import transaction

from writ_app.adapters.tau2_results import (
    BadResults,
    Tau2Results,
    find_result_files,
    read_results,
)
from writ_app.models.catalog import Environment, ReferenceSet, ReferenceTrajectory

AT_ONCE = 50
"""Rows sent to the database together: as many are in memory at a time."""


@transaction.atomic
def import_results(
    *, root: Path, environment: Environment | None = None
) -> list[ReferenceSet]:
    """A file, a directory-form result, or a folder of them. A file that is here already is not brought in again, but
    learns its environment if it had none.

    Without `environment`, the newest version with the file's domain and policy is taken, if there is one. Raises BadResults.
    """
    try:
        return [_bring_in(path, environment) for path in find_result_files(root)]
    except RecursionError as error:
        raise BadResults(f"{root.name}: something in it is nested too deep.") from error


def _bring_in(path: Path, environment: Environment | None) -> ReferenceSet:
    results = read_results(path)
    if environment is not None and environment.name != results.domain:
        raise BadResults(
            f"{results.name}, $.info.environment_info.domain_name: "
            f"is {results.domain!r}, but the environment is {environment}."
        )
    environment = environment or _matching(results)
    reference_set, made = ReferenceSet.objects.get_or_create(
        content_hash=results.content_hash,
        defaults={
            "name": results.name[-200:],
            "domain": results.domain,
            "environment": environment,
            "agent": results.agent,
            "user": results.user,
            "content": results.content,
        },
    )
    if made:
        for rows in batched(_rows(results, reference_set), AT_ONCE):
            ReferenceTrajectory.objects.bulk_create(rows)
    elif reference_set.environment is None and environment is not None:
        # The file was here before its environment.
        reference_set.environment = environment
        reference_set.save(update_fields=["environment"])
    return reference_set


def _matching(results: Tau2Results) -> Environment | None:
    same = Environment.objects.filter(name=results.domain, policy=results.policy)
    return same.defer("state").order_by("-pk").first()


def _rows(
    results: Tau2Results, reference_set: ReferenceSet
) -> Iterator[ReferenceTrajectory]:
    for position, simulation in enumerate(results.simulations()):
        yield ReferenceTrajectory(
            reference_set=reference_set,
            position=position,
            simulation_id=simulation.id,
            task_id=simulation.task_id,
            trial=simulation.trial,
            ended_by=simulation.ended_by,
            reward=simulation.reward,
            steps=len(simulation.messages),
            messages=[message.model_dump() for message in simulation.messages],
            content=simulation.content,
        )

"""Whatever changes something through the API leaves an entry in the audit log, by the door of the API."""

import pytest

from tests.api.test_matrix import FOUND, ask, askers
from writ_app.models.accounts import Role
from writ_app.models.audit import AuditEntry

TRACELESS = {
    "try_calls": "a scratch session that changes no environment",
    "try_witness": "shows what one read tells; nothing is stored",
    "try_endpoint": "asks a model for a few words; changes nothing",
    "try_rule": "counts what it would find",
    "forecast_bulk": "counts what it would change",
    "retry_batch": "no simulation of the example failed, so it is refused",
    "lease_next": "a lease of minutes on what is read next, given back by itself",
    "lease_trajectory": "the same, on one trajectory",
    "lease_dispute": "the same, on a dispute",
    "renew_lease": "the same, held on",
    "release_lease": "the same, given back",
    "choose_members": "a worker does it, and records what was chosen",
    "freeze_draft": "a worker does it, and records what was frozen",
    "revise_edit": "a draft that only its author sees; the version is recorded when it is saved",
    "discard_edit": "the same, thrown away",
    "see_mentions": "that somebody has read what names them",
}
"""Why an operation leaves none."""
CHANGING = {name for name, (method, *_) in FOUND.items() if method != "get"}


def test_each_reason_is_of_an_operation_that_there_is():
    assert TRACELESS.keys() <= CHANGING


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(CHANGING - TRACELESS.keys()))
def test_an_operation_that_changes_something_leaves_an_entry(world, name):
    before, kept = [], []

    answer = ask(
        askers(world, name)[Role.OWNER],
        name,
        world.own,
        ready=True,
        first=lambda: before.extend(AuditEntry.objects.values_list("pk", flat=True)),
        then=lambda: kept.extend(AuditEntry.objects.exclude(pk__in=before)),
    )

    assert answer.status_code < 400, answer.content
    assert kept
    assert {one.door for one in kept} == {"api"}
    # What makes a team is on record there.
    made = {answer.json()["id"]} if name == "create_team" else {world.own.team.pk}
    assert {one.team_id for one in kept} == made

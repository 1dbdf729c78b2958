"""An act on a page, its place in the chain given by a real worker, and the chain walked by one."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import make_batch, make_owner, make_trajectory, team_of
from writ_app.jobs.audit import seal_audit
from writ_app.models.audit import AuditCheck, AuditEntry, AuditLink
from writ_app.models.report import Report

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.timeout(300),
]


def wait_for(what: Callable[[], Any]) -> None:
    ends = time.monotonic() + 60
    while not what():
        assert time.monotonic() < ends, "it did not come"
        time.sleep(0.1)


def test_an_act_is_chained_and_the_chain_verified_by_workers(
    client: Client, celery_worker_process: object
) -> None:
    owner = make_owner(name="ada")
    team = team_of(owner)
    batch = make_batch(team=team, by=owner)
    make_trajectory(batch=batch)
    client.force_login(owner)
    client.post(reverse("report_order"), {"batch": batch.pk})
    entry = AuditEntry.objects.get(action="report.order")
    assert not AuditLink.objects.filter(entry=entry).exists()

    seal_audit.delay()
    # Number 1 of the team's chain tells that its owner became a member.
    wait_for(AuditLink.objects.filter(entry=entry, number=2).exists)
    client.post(reverse("audit_verify"))
    wait_for(AuditCheck.objects.exclude(finished_at=None).exists)

    check = AuditCheck.objects.get()
    assert (check.by, check.number, check.trouble) == (owner, 2, "")
    page = client.get(reverse("audit")).content.decode()
    assert "holds" in page
    assert "for ada, up to link 2" in page
    # and nothing that was ordered here is left to the worker
    wait_for(Report.objects.filter(status="DONE").exists)

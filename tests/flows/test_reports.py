"""A report from the button to the file, by a real worker over the real broker."""

import json
import time

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import make_batch, make_owner, make_trajectory, team_of
from writ_app.adapters.processes import Child
from writ_app.models.report import Report, ReportStatus

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_a_worker_makes_the_report_that_a_page_ordered(
    celery_worker_process: Child,
) -> None:
    owner = make_owner()
    batch = make_batch(team=team_of(owner), by=owner)
    for number in range(2):
        make_trajectory(batch=batch, number=number)
    client = Client()
    client.force_login(owner)

    address = client.post(reverse("report_order"), {"batch": batch.pk}).url

    for _ in range(300):
        if Report.objects.get().status not in (ReportStatus.WAITING, ReportStatus.RUNNING):  # fmt: skip
            break
        time.sleep(0.1)
    report = Report.objects.get()
    assert (report.status, report.trouble) == (ReportStatus.DONE, "")
    assert (report.dealt_with, report.total) == (2, 2)
    assert 'id="objections"' in client.get(address).content.decode()
    given = client.get(reverse("report_file", args=[report.pk, "json"]))
    assert json.loads(given.content)["report"]["observed"] == 2

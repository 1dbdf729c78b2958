"""A worker that is killed while it sends: nothing is lost, and what comes twice has one id."""

import os
import subprocess
import sys
import time
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.conf import settings as site
from django.db import connection
from django.utils import timezone

from tests.factories import make_owner, team_of
from tests.hook_server import taking_hooks
from writ_app.models.webhooks import DeliveryStatus, WebhookDelivery
from writ_app.services.webhooks import Event, announce, events, sending
from writ_app.services.webhooks.keeping import make_webhook

SENDER = """
import sys, django
django.setup()
from writ_app.services.webhooks.sending import send_waiting
send_waiting(webhook_id=int(sys.argv[1]))
"""


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_loses_nothing_and_doubles_under_one_id(settings, monkeypatch):
    from django.db import transaction

    # The process below is the worker: one that other tests keep would come first.
    monkeypatch.setattr(events, "tell", lambda webhook_id: None)
    settings.WEBHOOK_HOSTS = ["127.0.0.1"]
    owner = make_owner()
    with taking_hooks() as server:
        row, _ = make_webhook(
            team=team_of(owner),
            by=owner,
            name="ci",
            url=server.url,
            events=["report.done"],
        )
        with transaction.atomic():
            announce(Event.REPORT_DONE, team=team_of(owner), report=1)
        server.answers.clear()
        url = os.environ.get("DATABASE_URL") or site.EMBEDDED.database_url
        name = str(connection.settings_dict["NAME"])
        worker = subprocess.Popen(
            [sys.executable, "-c", SENDER, str(row.pk)],
            env={
                **os.environ,
                "DATABASE_URL": urlsplit(url)._replace(path=f"/{name}").geturl(),
                "DJANGO_SETTINGS_MODULE": "writ_app.settings",
                "WRIT_SECRET_KEY": str(site.SECRET_KEY),
                "WRIT_WEBHOOK_HOSTS": "127.0.0.1",
            },
            cwd=site.BASE_DIR,
        )
        try:
            ends = time.monotonic() + 60
            while not server.taken and time.monotonic() < ends:
                time.sleep(0.05)
            assert server.taken, "the worker never sent"
        finally:
            worker.kill()
            worker.wait(10)
        server.answers.set()
        assert row.deliveries.get().status == DeliveryStatus.SENDING
        assert sending.send_waiting(webhook_id=row.pk) == 0
        WebhookDelivery.objects.update(next_at=timezone.now() - timedelta(seconds=1))
        assert sending.webhooks_with_something_due() == [row.pk]

        assert sending.send_waiting(webhook_id=row.pk) == 1

    first, second = server.taken
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert row.deliveries.get().status == DeliveryStatus.DONE

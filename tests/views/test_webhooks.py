"""Webhooks on the pages: for owners alone, the secret shown once, nothing of others."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import make_curator, make_owner, team_of
from writ_app.models.audit import AuditEntry
from writ_app.models.webhooks import DeliveryStatus, Webhook
from writ_app.services.sessions import FRESH
from writ_app.services.webhooks.keeping import make_webhook

pytestmark = pytest.mark.django_db
FIELDS = {
    "name": "the nightly build",
    "url": "https://hooks.example/in",
    "events": ["report.done", "batch.finished"],
}


@pytest.fixture
def owner():
    return make_owner()


@pytest.fixture
def client(owner):
    return signed_in(owner)


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def hook_of(owner):
    row, secret = make_webhook(team=team_of(owner), by=owner, **FIELDS)
    return row, secret


def address(name, row):
    return reverse(name, args=[row.pk])


class TestAnOwner:
    def test_makes_a_webhook_and_sees_its_secret_once(self, client):
        made = client.post(reverse("webhook_new"), FIELDS)

        row = Webhook.objects.get()
        assert "whsec_" in made.content.decode()
        assert "no-store" in made.headers["Cache-Control"]
        assert row.events == ["batch.finished", "report.done"]
        page = client.get(address("webhook", row)).content.decode()
        assert "whsec_" not in page
        assert AuditEntry.objects.filter(action="webhook.make").exists()

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"url": "http://hooks.example/"}, "Only https://"),
            ({"url": "https://a:b@hooks.example/"}, "no user and no password"),
            ({"events": []}, "at least one"),
            ({"events": ["nothing.happened"]}, "not one of the available choices"),
        ],
    )
    def test_is_told_what_is_wrong(self, client, wrong, said):
        answer = client.post(reverse("webhook_new"), {**FIELDS, **wrong})

        assert answer.status_code == 422
        assert said in answer.content.decode()
        assert not Webhook.objects.exists()

    def test_changes_disables_enables_and_deletes_it(self, client, owner):
        row, _ = hook_of(owner)

        client.post(address("webhook", row), {**FIELDS, "name": "other"})
        client.post(address("webhook_enable", row), {"disable": "1"})
        row.refresh_from_db()
        assert (row.name, row.enabled) == ("other", False)
        client.post(address("webhook_enable", row), {"enable": "1"})
        row.refresh_from_db()
        assert row.enabled
        client.post(address("webhook_delete", row))

        assert not Webhook.objects.exists()
        entries = AuditEntry.objects.filter(kind="webhook").order_by("pk")
        actions = entries.values_list("action", flat=True)
        assert list(actions) == [
            f"webhook.{act}"
            for act in ("make", "change", "disable", "enable", "delete")
        ]

    def test_sends_a_test_and_one_that_is_over_again(self, client, owner):
        row, _ = hook_of(owner)

        client.post(address("webhook_try", row))
        delivery = row.deliveries.get()
        assert delivery.event == "webhook.test"
        row.deliveries.update(status=DeliveryStatus.FAILED, next_at=None)
        page = client.get(address("webhook", row)).content.decode()
        assert delivery.sent_id in page
        client.post(address("delivery_send", delivery))

        delivery.refresh_from_db()
        assert delivery.status == DeliveryStatus.WAITING

    def test_makes_another_secret(self, client, owner):
        row, secret = hook_of(owner)

        answer = client.post(address("webhook_reset", row)).content.decode()

        assert "whsec_" in answer
        assert secret not in answer

    def test_whose_proof_is_old_gives_it_again_before_a_secret_is_made(
        self, client, owner
    ):
        row, _ = hook_of(owner)
        session = client.session
        session[FRESH] = 0
        session.save()

        for place in (reverse("webhook_new"), address("webhook_reset", row)):
            answer = client.post(place, FIELDS)
            assert answer.status_code == 302
            assert answer.headers["Location"].startswith(reverse("confirm"))

        assert Webhook.objects.count() == 1


class TestOthers:
    def test_without_the_role_are_refused(self, owner):
        row, _ = hook_of(owner)
        client = signed_in(make_curator(team=team_of(owner)))

        assert client.get(reverse("webhooks")).status_code == 403
        assert client.get(address("webhook", row)).status_code == 403
        assert client.post(address("webhook_try", row)).status_code == 403

    def test_of_another_team_find_nothing(self, owner):
        row, _ = hook_of(owner)
        row.deliveries.create(event="report.done", payload="{}")
        client = signed_in(make_owner())

        assert client.get(address("webhook", row)).status_code == 404
        for name in (
            "webhook_enable",
            "webhook_delete",
            "webhook_reset",
            "webhook_try",
        ):
            assert client.post(address(name, row)).status_code == 404
        again = address("delivery_send", row.deliveries.get())
        assert client.post(again).status_code == 404
        assert row.name not in client.get(reverse("webhooks")).content.decode()

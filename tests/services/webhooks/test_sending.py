"""Sending webhooks, to a real server: signed, retried, given up, never inside, nothing lost."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from tests.factories import make_batch, make_owner, team_of
from tests.hook_server import taking_hooks
from writ_app.adapters.egress import Egress
from writ_app.models.audit import AuditEntry
from writ_app.models.webhooks import DeliveryStatus, Webhook, WebhookDelivery
from writ_app.services.synthesis.control import (
    cancel_batch,
    pause_batch,
    stop_batch,
)
from writ_app.services.webhooks import Event, announce, sending
from writ_app.services.webhooks.keeping import (
    BadWebhook,
    CannotSend,
    enable_webhook,
    make_webhook,
    order_test,
    renew_secret,
    send_again,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_host(settings):
    settings.WEBHOOK_HOSTS = ["127.0.0.1", "hooks.inside"]


@pytest.fixture
def owner():
    return make_owner()


def hook_to(url, owner, *, events=tuple(Event)):
    row, secret = make_webhook(
        team=team_of(owner), by=owner, name="ci", url=url, events=events
    )
    row.secret = secret
    return row


def is_signed(taken, secret):
    """As a receiver would check it, by the text of the standard alone."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join(
        [
            taken.headers["webhook-id"].encode(),
            taken.headers["webhook-timestamp"].encode(),
            taken.body,
        ]
    )
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return taken.headers["webhook-signature"] == f"v1,{wanted}"


def later(row, **more):
    """As if its next attempt were due."""
    WebhookDelivery.objects.filter(webhook=row).exclude(next_at=None).update(
        next_at=timezone.now() - timedelta(seconds=1), **more
    )


def send(row, **more):
    return sending.send_waiting(webhook_id=row.pk, **more)


class TestADelivery:
    def test_arrives_signed_with_what_happened(self, owner):
        with taking_hooks() as server:
            row = hook_to(server.url, owner)
            announce(Event.BATCH_FINISHED, team=team_of(owner), batch=7, name="ß")

            assert send(row) == 1

        [taken] = server.taken
        assert is_signed(taken, row.secret)
        stamp = int(taken.headers["webhook-timestamp"])
        assert abs(stamp - timezone.now().timestamp()) < 30
        content = json.loads(taken.body)
        assert content["type"] == "batch.finished"
        assert content["data"] == {"team": team_of(owner).pk, "batch": 7, "name": "ß"}
        delivery = row.deliveries.get()
        assert taken.headers["webhook-id"] == delivery.sent_id
        assert (delivery.status, delivery.answer) == (DeliveryStatus.DONE, 204)

    def test_that_fails_is_sent_again_under_the_same_id(self, owner):
        with taking_hooks(500, 200) as server:
            row = hook_to(server.url, owner)
            order_test(row=row)
            assert send(row) == 1
            waiting = row.deliveries.get()
            assert waiting.status == DeliveryStatus.WAITING
            assert (waiting.attempts, waiting.answer) == (1, 500)
            wait = (waiting.next_at - timezone.now()).total_seconds()
            assert 3 < wait <= 6
            assert send(row) == 0
            later(row)

            assert send(row) == 1

        ids = {taken.headers["webhook-id"] for taken in server.taken}
        assert len(server.taken) == 2
        assert len(ids) == 1
        assert all(is_signed(taken, row.secret) for taken in server.taken)
        row.refresh_from_db()
        assert row.failing_since is None

    def test_is_given_up_after_eight_attempts_within_about_a_day(self, owner):
        with taking_hooks(503) as server:
            row = hook_to(server.url, owner)
            order_test(row=row)
            while row.deliveries.get().status == DeliveryStatus.WAITING:
                later(row)
                send(row)

        assert len(server.taken) == 8
        row.refresh_from_db()
        assert row.enabled
        slept = sum(sending.WAITS, timedelta())
        assert timedelta(hours=20) < slept < timedelta(hours=24)

    def test_keeps_nothing_of_what_the_host_said(self, owner):
        with taking_hooks(500) as server:
            row = hook_to(server.url, owner)
            order_test(row=row)
            send(row)

        assert "secret" not in json.dumps(
            WebhookDelivery.objects.values("trouble", "payload").get()
        )

    def test_of_a_worker_that_was_killed_is_sent_by_another(self, owner):
        with taking_hooks() as server:
            row = hook_to(server.url, owner)
            order_test(row=row)
            dead = sending._claim(row.pk)
            assert send(row) == 0, "it may still be at it"
            later(row)

            assert send(row) == 1
            # The first comes back after all: what the second noted stays.
            sending._failed(dead, None, "too late")

        delivery = row.deliveries.get()
        assert delivery.status == DeliveryStatus.DONE
        assert delivery.attempts == 2
        assert [one.headers["webhook-id"] for one in server.taken] == [dead.sent_id]

    def test_that_was_given_up_can_be_sent_again(self, owner):
        with taking_hooks(500, 200) as server:
            row = hook_to(server.url, owner)
            delivery = order_test(row=row)
            send(row)
            row.deliveries.update(status=DeliveryStatus.FAILED, next_at=None)

            send_again(delivery=row.deliveries.get())
            send(row)

        assert row.deliveries.get().status == DeliveryStatus.DONE
        assert {one.headers["webhook-id"] for one in server.taken} == {delivery.sent_id}

    def test_on_its_way_is_not_sent_a_second_time(self, owner):
        row = hook_to("https://hooks.example/", owner)
        delivery = order_test(row=row)

        with pytest.raises(CannotSend):
            send_again(delivery=delivery)

    def test_is_forgotten_after_a_month(self, owner):
        row = hook_to("https://hooks.example/", owner)
        order_test(row=row)
        order_test(row=row)
        old = row.deliveries.first()
        row.deliveries.filter(pk=old.pk).update(
            created_at=timezone.now() - sending.KEPT - timedelta(minutes=1)
        )

        assert sending.forget_old(now=timezone.now()) == 1
        assert not row.deliveries.filter(pk=old.pk).exists()


class TestTheWayOut:
    def test_follows_no_redirect(self, owner):
        with taking_hooks() as other, taking_hooks(302, location=other.url) as server:
            row = hook_to(server.url, owner)
            order_test(row=row)
            send(row)

        assert len(server.taken) == 1
        assert other.taken == []
        assert "redirects are not followed" in row.deliveries.get().trouble

    def test_does_not_lead_inside_by_a_name_that_changes_its_mind(self, owner):
        answers = iter([["93.184.215.14"], ["10.0.0.1"], ["169.254.169.254"]])
        asked = []

        def connect(address, seconds):
            asked.append(address)
            raise OSError

        rebinding = Egress(resolve=lambda host, port: next(answers), connect=connect)
        row = hook_to("https://rebinding.example/", owner)
        order_test(row=row)
        for _ in range(3):
            send(row, way_out=rebinding)
            later(row)

        assert asked == [("93.184.215.14", 443)]
        assert "not public" in row.deliveries.get().trouble

    def test_not_even_an_allowed_host_leads_to_credentials_of_a_cloud(self, owner):
        row = hook_to("http://hooks.inside/", owner)
        order_test(row=row)
        way = Egress(
            own_hosts=frozenset({"hooks.inside"}),
            resolve=lambda host, port: ["169.254.169.254"],
        )

        send(row, way_out=way)

        assert "not public" in row.deliveries.get().trouble

    @pytest.mark.parametrize(
        "url",
        ["http://hooks.example/", "https://a:b@c.example/", "ftp://127.0.0.1/", ""],
    )
    def test_is_refused_when_a_webhook_is_made(self, owner, url):
        with pytest.raises(BadWebhook):
            hook_to(url, owner)


class TestAWebhook:
    def test_hears_only_what_it_asked_for_and_only_of_its_team(self, owner):
        mine = hook_to("https://a.example/", owner, events=[Event.REPORT_DONE])
        hook_to("https://b.example/", make_owner())

        announce(Event.REPORT_DONE, team=team_of(owner), report=1)
        announce(Event.BATCH_FINISHED, team=team_of(owner), batch=1)

        assert [one.webhook for one in WebhookDelivery.objects.all()] == [mine]

    def test_that_is_disabled_hears_nothing_and_gives_up_what_waits(self, owner):
        row = hook_to("https://a.example/", owner)
        order_test(row=row)

        enable_webhook(row=row, enabled=False)
        announce(Event.REPORT_DONE, team=team_of(owner), report=1)

        assert row.deliveries.get().status == DeliveryStatus.FAILED
        assert send(row) == 0
        with pytest.raises(CannotSend):
            order_test(row=row)

    def test_is_disabled_with_a_reason_after_days_of_failure(self, owner):
        with taking_hooks(500) as server:
            row = hook_to(server.url, owner)
            order_test(row=row)
            days = timezone.now() - sending.PATIENCE - timedelta(minutes=1)
            Webhook.objects.filter(pk=row.pk).update(failing_since=days)
            later(row, attempts=sending.ATTEMPTS - 1)
            send(row)

        row.refresh_from_db()
        assert not row.enabled
        assert "3 days" in row.trouble
        assert AuditEntry.objects.filter(action="webhook.disable").exists()

    def test_is_disabled_at_once_by_410(self, owner):
        with taking_hooks(410) as server:
            row = hook_to(server.url, owner)
            order_test(row=row)
            send(row)

        row.refresh_from_db()
        assert not row.enabled
        assert "410" in row.trouble

    def test_signs_with_the_new_secret_alone_once_there_is_one(self, owner):
        with taking_hooks() as server:
            row = hook_to(server.url, owner)
            new = renew_secret(row=row)
            order_test(row=row)
            send(row)

        [taken] = server.taken
        assert is_signed(taken, new)
        assert not is_signed(taken, row.secret)

    def test_signs_nothing_under_another_secret_key(self, owner, settings):
        with taking_hooks() as server:
            row = hook_to(server.url, owner)
            order_test(row=row)
            before, settings.SECRET_KEY = settings.SECRET_KEY, "another"
            send(row)
            assert server.taken == []
            row.refresh_from_db()
            assert "SECRET_KEY" in row.trouble
            settings.SECRET_KEY_FALLBACKS = [before]
            enable_webhook(row=row, enabled=True)
            order_test(row=row)
            send(row)

        assert is_signed(server.taken[0], row.secret)

    def test_never_has_its_secret_in_the_database(self, owner):
        row = hook_to("https://a.example/", owner)
        secret = base64.b64decode(row.secret.removeprefix("whsec_"))

        kept = Webhook.objects.values().get(pk=row.pk)
        entries = list(AuditEntry.objects.values())

        assert secret not in bytes(kept["salt"])
        assert secret.hex() not in str(kept)
        assert row.secret not in f"{kept}{entries}"


class TestTheOutbox:
    def test_tells_nothing_that_was_rolled_back(self, owner):
        hook_to("https://a.example/", owner)

        with transaction.atomic():
            announce(Event.REPORT_DONE, team=team_of(owner), report=1)
            transaction.set_rollback(True)

        assert not WebhookDelivery.objects.exists()

    def test_wakes_a_sender_after_the_commit(
        self, owner, monkeypatch, django_capture_on_commit_callbacks
    ):
        from writ_app.jobs import webhooks as jobs

        woken = []
        monkeypatch.setattr(jobs.send_webhook, "delay", lambda **kw: woken.append(kw))
        row = hook_to("https://a.example/", owner)

        with django_capture_on_commit_callbacks(execute=True):
            announce(Event.REPORT_DONE, team=team_of(owner), report=1)
            assert woken == []

        assert woken == [{"webhook_id": row.pk}]

    def test_is_found_by_the_clock_if_the_message_was_lost(self, owner):
        with taking_hooks() as server:
            row = hook_to(server.url, owner)
            announce(Event.REPORT_DONE, team=team_of(owner), report=1)

            assert sending.webhooks_with_something_due() == [row.pk]
            send(row)

        assert len(server.taken) == 1
        assert sending.webhooks_with_something_due() == []


class TestBatches:
    def events(self):
        return list(
            WebhookDelivery.objects.order_by("pk").values_list("event", flat=True)
        )

    def test_tell_of_a_cap_or_fault_and_of_their_end_but_not_of_a_hand(self, owner):
        hook_to("https://a.example/", owner)
        team = team_of(owner)
        by_hand = make_batch(team=team, by=owner, status="RUNNING")
        by_cap = make_batch(team=team, by=owner, status="RUNNING")

        pause_batch(batch=by_hand)
        assert stop_batch(batch_id=by_cap.pk, reason="The cap of $1 is reached.")
        cancel_batch(batch=by_cap)

        assert self.events() == ["batch.paused", "batch.cancelled"]
        told = json.loads(WebhookDelivery.objects.earliest("pk").payload)["data"]
        assert told["reason"] == "The cap of $1 is reached."
        assert told["batch"] == by_cap.pk

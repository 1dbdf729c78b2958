"""The batch page: a fixed number of queries, what may be done in which state, an order made again."""

import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories import (
    make_batch,
    make_owner,
    make_reviewer,
    make_trajectory,
    team_of,
)
from writ_app.models.synthesis import (
    Batch,
    BatchStatus,
    ModelEndpoint,
    Simulation,
    SimulationStatus,
    Trajectory,
)

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def owner():
    return make_owner(name="ada")


@pytest.fixture
def signed_in(client, owner):
    client.force_login(owner)
    return client


@pytest.fixture(autouse=True)
def sent(monkeypatch):
    """Names of the jobs that were sent for."""
    sent: list[str] = []
    for name in ("design_batch", "send_unfinished"):
        monkeypatch.setattr(
            f"writ_app.views.synthesis.{name}.delay",
            lambda name=name, **kwargs: sent.append(name),
        )
    return sent


def make(owner, **fields) -> Batch:
    fields = {"status": BatchStatus.RUNNING, "ordered": 9, **fields}
    return make_batch(team=team_of(owner), by=owner, **fields)


def text_of(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


class TestQueries:
    @pytest.mark.parametrize(
        ("name", "headers", "most"),
        [("batch", {}, 10), ("batch", HTMX, 6), ("batch_detail", HTMX, 9)],
    )
    def test_are_as_many_for_a_large_batch_as_for_a_small_one(
        self, signed_in, owner, name, headers, most, django_assert_max_num_queries
    ):
        small, large = make(owner), make(owner)
        for batch, count in ((small, 1), (large, 12)):
            for number in range(count):
                fault = "missing_read" if number % 2 else ""
                make_trajectory(batch=batch, number=number % 3, fault=fault)
        signed_in.get(reverse(name, args=[small.pk]), headers=headers)

        counts = []
        for batch in (small, large):
            with django_assert_max_num_queries(most) as captured:
                text_of(signed_in.get(reverse(name, args=[batch.pk]), headers=headers))
            counts.append(len(captured))

        assert counts[0] == counts[1]

    @pytest.mark.parametrize("name", ["batches", "home"])
    def test_of_lists_are_as_many_for_many_batches_as_for_one(
        self, signed_in, owner, name
    ):
        make_trajectory(batch=make(owner))
        signed_in.get(reverse(name))
        counts = []
        for _ in range(2):
            with CaptureQueriesContext(connection) as captured:
                text_of(signed_in.get(reverse(name)))
            counts.append(len(captured))
            for _ in range(4):
                make(owner)

        assert counts[0] == counts[1]


class TestStates:
    def test_of_a_batch_that_has_just_begun_say_that_nothing_is_known(
        self, signed_in, owner
    ):
        page = text_of(signed_in.get(reverse("batch", args=[make(owner).pk])))

        assert "Nothing has ended yet." in page
        assert "Not enough finished yet to say." in page
        assert 'id="rates"' not in page

    def test_show_pace_and_rates_and_lead_to_the_trajectories(self, signed_in, owner):
        batch = make(owner, mix={"R1": 1, "R5": 1})
        good = make_trajectory(batch=batch)
        Simulation.objects.update(started_at="2026-01-01T00:00Z")
        task = good.simulation.task

        page = text_of(signed_in.get(reverse("batch", args=[batch.pk])))

        link = f"?batch={batch.pk}&amp;archetype={task.archetype}&amp;plan=upfront"
        assert link in page
        assert "1 of 1, 100 %" in page

    def test_that_live_are_polled_at_two_speeds(self, signed_in, owner):
        live = make(owner)
        over = make(owner, status=BatchStatus.DONE)
        address = reverse("batch", args=[live.pk])

        page = text_of(signed_in.get(address, {"archetype": "R1", "sort": "-rate"}))
        quick = text_of(signed_in.get(address, headers=HTMX))
        slow = text_of(
            signed_in.get(reverse("batch_detail", args=[live.pk]), headers=HTMX)
        )
        ended = signed_in.get(reverse("batch", args=[over.pk]), headers=HTMX)

        assert re.search(r'id="detail" hx-get="[^"]*archetype=R1[^"]*sort=-rate', page)
        assert quick.strip().startswith("<section")
        assert "every 2s" in quick
        assert slow.strip().startswith("<div")
        assert "every 10s" in slow
        assert ended.headers["HX-Refresh"] == "true"
        for status in (BatchStatus.DONE, BatchStatus.PAUSED):
            Batch.objects.filter(pk=over.pk).update(status=status)
            page = text_of(signed_in.get(reverse("batch", args=[over.pk])))
            assert "hx-trigger" not in page

    def test_show_caps_and_how_near_they_are(self, signed_in, owner):
        batch = make(owner, max_cost=Decimal(10), cost=Decimal("9.5"), max_tokens=1000)

        page = text_of(signed_in.get(reverse("batch", args=[batch.pk])))

        assert "$9.50 of $10.00" in page
        assert "95 %" in page
        assert page.count('class="cap near"') == 1
        assert "0 of 1,000" in page

    def test_show_what_the_models_were_when_it_was_ordered(self, signed_in, owner):
        endpoint = ModelEndpoint.objects.create(name="mine", model="openai/new")
        pinned = {"name": "mine", "model": "openai/old", "parameters": {"top_p": 0.5}}
        batch = make(owner, agent=endpoint, played_by={"agent": pinned})

        page = text_of(signed_in.get(reverse("batch", args=[batch.pk])))

        assert "openai/old" in page
        assert "openai/new" not in page
        assert "top_p" in page

    def test_show_hostile_words_of_a_provider_as_text(self, signed_in, owner):
        batch = make(
            owner,
            status=BatchStatus.PAUSED,
            stopped_by="<script>alert(1)</script>\u202eevil",
        )

        page = text_of(signed_in.get(reverse("batch", args=[batch.pk])))

        assert "<script>alert" not in page
        assert "U+202E" in page


class TestButtons:
    def buttons(self, client, batch) -> set[str]:
        page = text_of(client.get(reverse("batch", args=[batch.pk])))
        return set(re.findall(r'id="(pause|resume|retry|cancel)"', page))

    def test_are_those_that_fit_the_state(self, signed_in, owner):
        shown = {
            status: self.buttons(signed_in, make(owner, status=status))
            for status in BatchStatus
        }

        assert shown == {
            BatchStatus.DESIGNING: {"pause", "cancel"},
            BatchStatus.RUNNING: {"pause", "cancel"},
            BatchStatus.PAUSED: {"resume", "cancel"},
            BatchStatus.DONE: set(),
            BatchStatus.CANCELLED: set(),
        }

    def test_are_not_for_reviewers(self, client, owner):
        batch = make(owner)
        client.force_login(make_reviewer(team=batch.team))

        assert self.buttons(client, batch) == set()
        for name in ("pause", "resume", "retry", "cancel"):
            address = reverse(f"batch_{name}", args=[batch.pk])
            assert client.post(address).status_code == 403
        batch.refresh_from_db()
        assert batch.status == BatchStatus.RUNNING

    def test_of_other_teams_do_nothing(self, client, owner):
        batch = make(owner)
        client.force_login(make_owner())

        for name in ("pause", "resume", "retry", "cancel", "detail"):
            address = reverse(f"batch_{name}", args=[batch.pk])
            ask = client.get if name == "detail" else client.post
            assert ask(address).status_code == 404
        batch.refresh_from_db()
        assert batch.status == BatchStatus.RUNNING

    def test_pause_and_go_on_with_other_caps(
        self, signed_in, owner, sent, django_capture_on_commit_callbacks
    ):
        batch = make(owner, design_report={"designed": {"R1": 3}}, cost=Decimal(3))
        Simulation.objects.create(
            batch=batch,
            task=make_trajectory(batch=batch).simulation.task,
            plan="upfront",
            seed=0,
        )
        signed_in.post(reverse("batch_pause", args=[batch.pk]))
        batch.refresh_from_db()
        assert batch.status == BatchStatus.PAUSED
        resume = reverse("batch_resume", args=[batch.pk])

        low = signed_in.post(resume, {"max_cost": "2"}, follow=True)
        wrong = signed_in.post(resume, {"max_cost": "much"}, follow=True)
        batch.refresh_from_db()
        assert "$2.00 is reached" in text_of(low)
        assert "Enter a number" in text_of(wrong)
        assert (batch.status, batch.max_cost) == (BatchStatus.PAUSED, None)

        with django_capture_on_commit_callbacks(execute=True):
            signed_in.post(resume, {"max_cost": "4", "max_tokens": "99"})
        batch.refresh_from_db()
        assert (batch.status, batch.max_cost, batch.max_tokens) == (
            BatchStatus.RUNNING,
            4,
            99,
        )
        assert sent == ["send_unfinished"]

    def test_try_again_what_failed(
        self, signed_in, owner, sent, django_capture_on_commit_callbacks
    ):
        batch = make(owner, status=BatchStatus.DONE)
        failed = make_trajectory(batch=batch, fault="missing_read")
        assert self.buttons(signed_in, batch) == set()
        Trajectory.objects.update(ended_by="infrastructure_error")
        assert self.buttons(signed_in, batch) == {"retry"}

        with django_capture_on_commit_callbacks(execute=True):
            signed_in.post(reverse("batch_retry", args=[batch.pk]))

        again = Simulation.objects.get(retry_of=failed.simulation)
        assert again.status == SimulationStatus.PENDING
        batch.refresh_from_db()
        assert batch.status == BatchStatus.RUNNING
        assert sent == ["send_unfinished"]

    def test_say_so_if_the_state_has_changed_meanwhile(self, signed_in, owner):
        batch = make(owner, status=BatchStatus.DONE)

        page = signed_in.post(reverse("batch_pause", args=[batch.pk]), follow=True)

        assert "Only a batch in progress can be paused" in text_of(page)


class TestClone:
    def test_fills_the_form_with_the_order(self, signed_in, owner):
        endpoint = ModelEndpoint.objects.create(name="mine", model="openai/mine")
        cells = [{"writes": "1", "burden": "4-6", "weight": 2.5}]
        batch = make(
            owner,
            name="First",
            seed=77,
            mix={"R1": 3.4, "R5": 0.2},
            grid={"cells": cells, "whole": False},
            plans=["corrected"],
            fault_share=0.25,
            agent=endpoint,
            judge=endpoint,
            max_cost=Decimal("2.5"),
        )

        response = signed_in.get(reverse("batch_new"), {"clone": batch.pk})

        form = response.context["form"]
        values = {name: form[name].value() for name in form.fields}
        assert values["name"] == "First, again"
        assert (values["ordered"], values["seed"]) == (9, 77)
        assert values["environment"] == batch.environment_id
        assert (values["agent"], values["user_simulator"]) == (endpoint.pk, None)
        assert (values["judge"], values["max_cost"]) == (endpoint.pk, "2.5")
        assert (values["plans"], values["fault_share"]) == (["corrected"], 25)
        assert (values["by"], values["whole"]) == ("grid", False)
        weights = {n: v for n, v in values.items() if n.startswith("grid-")}
        assert {n: v for n, v in weights.items() if v != "0"} == {"grid-1-4-6": "2.5"}
        mix = {n: v for n, v in values.items() if n.startswith("mix-") and v}
        assert mix == {"mix-retail-R1": 3, "mix-retail-R5": 1}

    def test_says_which_model_can_no_longer_be_chosen(self, signed_in, owner):
        gone = ModelEndpoint.objects.create(
            name="gone", model="openai/gone", enabled=False
        )
        batch = make(owner, agent=gone)

        page = text_of(signed_in.get(reverse("batch_new"), {"clone": batch.pk}))

        assert "gone is disabled" in page

    @pytest.mark.parametrize("pk", ["nonsense", "0", "9" * 30])
    def test_of_nothing_is_not_found(self, signed_in, pk):
        response = signed_in.get(reverse("batch_new"), {"clone": pk})

        assert response.status_code == 404

    def test_of_another_team_is_not_found(self, client, owner):
        batch = make(owner)
        client.force_login(make_owner())

        response = client.get(reverse("batch_new"), {"clone": batch.pk})

        assert response.status_code == 404

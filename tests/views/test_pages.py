"""Every page renders, full and empty, for people with and without JavaScript."""

import re

import pytest
from django.urls import reverse

from tests.factories import (
    make_batch,
    make_environment,
    make_owner,
    make_trajectory,
    team_of,
)
from writ_app.models.synthesis import Batch, BatchStatus, ModelEndpoint
from writ_app.services.catalog import load_environment, register_generated

pytestmark = pytest.mark.django_db
LISTS = [
    "home",
    "review",
    "trajectories",
    "tasks",
    "batches",
    "releases",
    "environments",
]


@pytest.fixture
def owner():
    return make_owner(name="ada")


@pytest.fixture
def signed_in(client, owner):
    client.force_login(owner)
    return client


@pytest.fixture
def batch(owner):
    return make_batch(team=team_of(owner), by=owner)


def text_of(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


class TestEmptyPages:
    @pytest.mark.parametrize("name", LISTS)
    def test_say_what_will_be_there(self, signed_in, name):
        assert "yet" in text_of(signed_in.get(reverse(name)))

    def test_that_do_not_exist_say_so(self, signed_in):
        response = signed_in.get("/nowhere/")

        assert response.status_code == 404
        assert b"nothing at this address" in response.content


class TestSigningIn:
    def test_wrongly_puts_the_focus_where_one_types_again(self, client, owner):
        assert re.search(
            r'<input[^>]*name="username"[^>]*autofocus',
            text_of(client.get("/login/")),
        )

        page = text_of(client.post("/login/", {"username": "ada", "password": "no"}))

        assert re.search(r'<input[^>]*name="password"[^>]*autofocus', page)
        assert page.count("autofocus") == 1


class TestHome:
    def test_leads_to_the_next_thing_to_do(self, signed_in, batch):
        assert "Freeze" not in text_of(signed_in.get("/"))
        make_trajectory(batch=batch)

        assert "Review the next one" in text_of(signed_in.get("/"))


class TestTrajectory:
    @pytest.mark.parametrize("fault", ["", "missing_read", "wrong_argument"])
    def test_shows_the_desk_without_a_verdict_form(self, signed_in, batch, fault):
        row = make_trajectory(batch=batch, fault=fault)

        page = text_of(signed_in.get(reverse("trajectory", args=[row.pk])))

        assert "Gold writes" in page
        assert "scripted" in page
        assert 'name="verdict"' not in page

    def test_is_downloaded_raw_as_plain_text(self, signed_in, batch):
        row = make_trajectory(batch=batch)

        response = signed_in.get(reverse("trajectory_raw", args=[row.pk]))

        assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert "attachment" in response.headers["Content-Disposition"]
        assert response.json is not None


GRID_ORDER = {
    "name": "grid",
    "ordered": 3,
    "seed": 1,
    "fault_share": 0,
    "plans": ["upfront"],
    "by": "grid",
    "mix-retail-R1": 3,
    "mix-retail-R5": 1,
}


class TestBatches:
    def test_are_ordered_with_a_model_of_ones_own(self, signed_in, monkeypatch):
        monkeypatch.setattr(
            "writ_app.views.synthesis.design_batch.delay", lambda **kwargs: None
        )
        endpoint = ModelEndpoint.objects.create(name="mine", model="openai/mine")
        order = {
            "name": "own",
            "environment": make_environment().pk,
            "ordered": 1,
            "seed": 1,
            "fault_share": 0,
            "plans": ["upfront"],
            "by": "mix",
            "agent": endpoint.pk,
            "mix-retail-R1": 1,
        }

        signed_in.post(reverse("batch_new"), order)

        batch = Batch.objects.get()
        assert batch.agent == endpoint
        assert batch.user_simulator is None

    def test_are_ordered_by_a_form_that_starts_the_design(
        self, signed_in, monkeypatch, django_capture_on_commit_callbacks
    ):
        sent = []
        monkeypatch.setattr(
            "writ_app.views.synthesis.design_batch.delay",
            lambda **kwargs: sent.append(kwargs),
        )
        environment = make_environment()
        order = {
            "name": "first",
            "environment": environment.pk,
            "ordered": 3,
            "seed": 1,
            "fault_share": 0,
            "plans": ["upfront"],
            "by": "mix",
        }
        kinds = {f"mix-retail-{slug}": 0 for slug in slugs(signed_in)}

        nothing = signed_in.post(reverse("batch_new"), {**order, **kinds})
        with django_capture_on_commit_callbacks(execute=True):
            response = signed_in.post(
                reverse("batch_new"), {**order, **kinds, "mix-retail-R1": 2}
            )

        batch = Batch.objects.get()
        assert nothing.status_code == 422
        assert response.headers["Location"] == reverse("batch", args=[batch.pk])
        assert (batch.mix, batch.plans, batch.ordered) == ({"R1": 2}, ["upfront"], 3)
        assert sent == [{"batch_id": batch.pk}]

    def test_are_ordered_from_the_kinds_of_the_chosen_environment_alone(
        self, signed_in, monkeypatch
    ):
        monkeypatch.setattr(
            "writ_app.views.synthesis.design_batch.delay", lambda **kwargs: None
        )
        make_environment()
        rental = register_generated(name="rental", seed=1, users=10)
        airline = register_generated(name="airline", seed=1, users=10)
        address = reverse("batch_new")
        typed = {
            "name": "kept",
            "environment": rental.pk,
            "ordered": 7,
            "seed": 5,
            "fault_share": 0,
            "plans": ["upfront"],
            "by": "mix",
        }

        swapped = signed_in.get(
            address, {"environment": rental.pk}, headers={"HX-Request": "true"}
        )
        shown = text_of(signed_in.post(address, {**typed, "show": "1"}))
        unseen = signed_in.post(address, {**typed, "mix-retail-W1": 3})
        nothing = text_of(signed_in.get(address, {"environment": airline.pk}))
        odd = signed_in.get(address, {"environment": "9" * 30})
        signed_in.post(address, {**typed, "mix-rental-W1": 3, "mix-retail-W1": 5})

        part = text_of(swapped)
        assert part.strip().startswith("<fieldset")
        for page in (part, shown, unseen.content.decode()):
            assert 'name="mix-rental-W1"' in page
            assert "mix-retail-" not in page
        for page in (shown, unseen.content.decode()):
            assert 'value="kept"' in page
            assert 'value="7"' in page
        assert unseen.status_code == 422
        assert "Nothing is ordered yet" in unseen.content.decode()
        assert ("mix-airline-" in nothing) == bool(
            load_environment(airline).domain.archetypes
        )
        assert odd.status_code == 200
        assert Batch.objects.get().mix == {"W1": 3}

    def test_are_ordered_by_a_grid(
        self, signed_in, monkeypatch, django_capture_on_commit_callbacks
    ):
        monkeypatch.setattr(
            "writ_app.views.synthesis.design_batch.delay", lambda **kwargs: None
        )
        order = {**GRID_ORDER, "environment": make_environment().pk}
        weights = {"grid-1-4-6": "2", "grid-4+-15+": "0.5"}

        response = signed_in.post(
            reverse("batch_new"), {**order, **weights, "whole": "on"}
        )

        batch = Batch.objects.get()
        assert response.headers["Location"] == reverse("batch", args=[batch.pk])
        assert batch.mix == {"R1": 3, "R5": 1}
        assert batch.grid["cells"] == [
            {"writes": "1", "burden": "4-6", "weight": 2.0},
            {"writes": "4+", "burden": "15+", "weight": 0.5},
        ]
        assert batch.grid["whole"] is True
        tastes = batch.grid["archetypes"]
        assert (tastes["R1"], tastes["R5"]) == (1.5, 0.5)
        assert {tastes[slug] for slug in slugs(signed_in)} == {1.5, 0.5, 0.0}

    def test_by_a_grid_say_which_cell_is_wrong_and_keep_what_was_typed(self, signed_in):
        order = {**GRID_ORDER, "environment": make_environment().pk}
        wrong = {"grid-1-4-6": "much", "grid-2-3-15+": "-1", "grid-0-1-3": "7.25"}

        response = signed_in.post(reverse("batch_new"), {**order, **wrong})
        empty = signed_in.post(reverse("batch_new"), {**order, "grid-1-4-6": "0"})

        page = response.content.decode()
        assert response.status_code == empty.status_code == 422
        assert "1 write, burden 4–6: Enter a number." in page
        assert "2–3 writes, burden 15+: Ensure this value is greater" in page
        for name, value in wrong.items():
            (field,) = re.findall(rf'<input[^>]*name="{re.escape(name)}"[^>]*>', page)
            assert f'value="{value}"' in field
            assert ('aria-invalid="true"' in field) == (value != "7.25")
        assert re.search(r'<input[^>]*name="by" value="grid"[^>]*checked', page)
        assert not re.search(r'<input[^>]*name="whole"[^>]*checked', page)
        assert "Give at least one cell" not in page
        assert "Give at least one cell" in empty.content.decode()
        assert not Batch.objects.exists()

    def test_by_a_mix_are_not_held_up_by_the_grid(self, signed_in, monkeypatch):
        monkeypatch.setattr(
            "writ_app.views.synthesis.design_batch.delay", lambda **kwargs: None
        )
        order = {**GRID_ORDER, "environment": make_environment().pk, "by": "mix"}

        signed_in.post(reverse("batch_new"), {**order, "grid-1-4-6": "much"})

        assert Batch.objects.get().grid is None

    def test_keep_the_grid_when_another_environment_is_looked_at(self, signed_in):
        order = {**GRID_ORDER, "environment": make_environment().pk}
        typed = {**order, "grid-1-4-6": "2.5", "show": "1"}

        fresh = text_of(signed_in.get(reverse("batch_new")))
        shown = text_of(signed_in.post(reverse("batch_new"), typed))

        whole = r'<input[^>]*name="whole"[^>]*checked'
        assert re.search(r'<input[^>]*name="by" value="mix"[^>]*checked', fresh)
        assert re.search(r'name="grid-0-15\+" value="0.5"', fresh)
        assert re.search(whole, fresh)
        assert re.search(r'<input[^>]*name="by" value="grid"[^>]*checked', shown)
        assert re.search(r'name="grid-1-4-6" value="2.5"', shown)
        assert not re.search(whole, shown)

    def test_show_how_the_design_went(self, signed_in, batch):
        batch.mix = {"R1": 3, "R5": 1}
        batch.ordered = 9
        batch.design_report = {
            "draws": 40,
            "drawn": {"R1": 12, "R5": 28},
            "refused": {"tie": 20, "not_known_here": 14},
            "designed": {"R1": 6},
            "exhausted": ["R5"],
            "decontamination": {"nearest": {"text": 0.25}},
        }
        batch.save()

        page = text_of(signed_in.get(reverse("batch", args=[batch.pk])))

        for words in (
            "6 of 9 designed",
            "3 short",
            "6.7 a task",
            "Exchange one thing for the cheapest other version in stock",
            "75.0 %",
            "2.0",
            "exhausted",
            "Two candidates are equally good",
            "not known here",
            "nearest text",
        ):
            assert words in page, words
        assert "Grid" not in page

    def test_show_how_a_grid_was_filled(self, signed_in, batch):
        batch.mix = {"R1": 3, "R5": 1}
        batch.grid = {
            "cells": [
                {"writes": "1", "burden": "4-6", "weight": 8.0},
                {"writes": "2-3", "burden": "15+", "weight": 0.5},
            ],
            "whole": True,
        }
        batch.ordered = 9
        batch.design_report = {
            "draws": 40,
            "drawn": {"R1": 12, "2 writes, heavy": 28},
            "refused": {"not_whole": 3},
            "proved": {"R1": 7, "2 writes, heavy": 4},
            "designed": {"R1": 6, "2 writes, heavy": 1},
            "exhausted": [],
            "grid": [
                {
                    "writes": "1",
                    "burden": "4-6",
                    "wanted": 8,
                    "filled": 6,
                    "why": "dry",
                },
                {
                    "writes": "2-3",
                    "burden": "15+",
                    "wanted": 1,
                    "filled": 1,
                    "why": "",
                },
            ],
        }
        batch.save()

        page = text_of(signed_in.get(reverse("batch", args=[batch.pk])))
        rows = re.findall(r"<tr>.*?</tr>", page, re.DOTALL)
        plain = [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows]

        address = f"{reverse('tasks')}?batch={batch.pk}&amp;writes=1&amp;burden=4-6"
        assert f'href="{address}"' in page
        assert 'aria-label="6 of 8 tasks, writes 1, burden 4–6"' in page
        assert page.count('class="heat-4 short"') == 1
        assert page.count('class="heat-5"') == 1
        assert "1 4–6 6 / 8 dry" in plain
        assert not any(row.startswith("2–3 15+ 1 / 1") for row in plain)
        assert "all 0 / 0 6 / 8 0 / 0 0 / 0 1 / 1 7 / 9" in [
            row.replace("· none", "0 / 0") for row in plain
        ]
        assert any("R1 7 6 12 2.0" in row for row in plain)
        assert any(
            "Several kinds in one request 2 writes, heavy 4 1 28 28.0" in row
            for row in plain
        )
        assert "only whole proofs were ordered" in page
        assert "share asked" not in page
        assert "1 8 0" in plain  # the order: a weight, and none
        assert "2–3 0 0.5" in plain
        assert "only whole proofs</span>" in page

    def test_show_no_design_before_there_is_a_report(self, signed_in, batch):
        page = text_of(signed_in.get(reverse("batch", args=[batch.pk])))

        assert "draws a task" not in page

    def test_are_polled_until_they_are_done(self, signed_in, batch):
        address = reverse("batch", args=[batch.pk])
        done = text_of(signed_in.get(address))
        Batch.objects.update(status=BatchStatus.RUNNING)

        running = text_of(signed_in.get(address, headers={"HX-Request": "true"}))

        assert "every 2s" not in done
        assert "every 2s" in running
        assert running.strip().startswith("<section")

    def test_show_why_rejects_were_rejected(self, signed_in, batch):
        bad = make_trajectory(batch=batch, fault="missing_read")

        page = text_of(signed_in.get(reverse("batch", args=[batch.pk])))

        assert f"batch={batch.pk}&amp;reason=evidence" in page
        assert f"/trajectories/{bad.pk}/" in page

    def test_can_be_cancelled(self, signed_in, batch):
        Batch.objects.update(status=BatchStatus.RUNNING)

        signed_in.post(reverse("batch_cancel", args=[batch.pk]))

        batch.refresh_from_db()
        assert batch.status == BatchStatus.CANCELLED


def slugs(client) -> list[str]:
    from environments.retail.archetypes import ARCHETYPES

    return [archetype.slug for archetype in ARCHETYPES]

"""The task list and the task page: who sees them, what the address may say, and what a try answers."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from environments import registry
from tests.factories import make_batch, make_owner, make_trajectory, team_of
from writ_app.engine.task_design import Designer
from writ_app.models.catalog import Environment, Task
from writ_app.models.synthesis import Simulation
from writ_app.services import catalog

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_owner(name="ada")


@pytest.fixture
def signed_in(client: Client, owner):
    client.force_login(owner)
    return client


@pytest.fixture
def batch(owner):
    return make_batch(team=team_of(owner), by=owner)


@pytest.fixture(scope="module")
def designed():
    return Designer(registry.world("rental").generated(seed=3, users=40)).design(
        "E1", 5
    )


@pytest.fixture
def proved(owner, designed) -> Task:
    """A task with real witnesses, simulated in a batch of ours."""
    environment = catalog.register_generated(name="rental", seed=3, users=40)
    row = catalog.store_task(environment=environment, task=designed)
    batch = make_batch(team=team_of(owner), by=owner, environment=environment)
    Simulation.objects.create(batch=batch, task=row, plan="upfront", seed=1)
    return row


def text_of(response, status=200) -> str:
    assert response.status_code == status
    return response.content.decode()


class TestList:
    def test_shows_titles_and_a_grid_whose_cells_set_both_bands(self, signed_in, batch):
        task = make_trajectory(batch=batch).simulation.task

        page = text_of(signed_in.get(reverse("tasks")))

        assert "1 found" in page
        assert "cheapest other variant" in page
        assert f'href="/tasks/{task.pk}/"' in page
        (cell,) = re.findall(r'href="\?(writes=1&amp;burden=[\d-]+)"', page)
        narrowed = text_of(signed_in.get(f"/tasks/?{cell.replace('&amp;', '&')}"))
        assert "1 found" in narrowed
        assert 'aria-current="true"' in narrowed

    @pytest.mark.parametrize(
        ("parameters", "says"),
        [
            ({"writes": "7"}, "Writes: There is no 7 here."),
            ({"burden": "' OR 1"}, "Burden: There is no"),
            ({"environment": "nowhere/1"}, "Environment: There is no nowhere/1 here."),
            ({"archetype": "R1"}, "Kind of request: There is no R1 here."),
            ({"batch": "x"}, "Batch: There is no x here."),
            ({"batch": "99999999999999999999999"}, "Batch: There is no"),
            ({"proved": "perhaps"}, "Proved whole: There is no perhaps here."),
            ({"before": "-1"}, "Before: Ensure this value is greater"),
            ({"before": "soon"}, "Before: Enter a whole number."),
            ({"task_class": "\x00"}, "Class: "),
        ],
    )
    def test_says_what_is_wrong_with_an_address(
        self, signed_in, batch, parameters, says
    ):
        make_trajectory(batch=batch)

        page = text_of(signed_in.get(reverse("tasks"), parameters), 422)

        assert says in page.replace("&#x27;", "'")
        assert "Clear" in page

    def test_ignores_names_it_does_not_know(self, signed_in, batch):
        make_trajectory(batch=batch)

        assert "1 found" in text_of(
            signed_in.get(reverse("tasks"), {"content__contains": "x", "page": "9"})
        )

    def test_says_that_nothing_matches_or_that_there_is_nothing_yet(
        self, signed_in, batch
    ):
        assert "No tasks yet" in text_of(signed_in.get(reverse("tasks")))
        make_trajectory(batch=batch)

        assert "Nothing matches" in text_of(
            signed_in.get(reverse("tasks"), {"dependent": "yes"})
        )

    def test_keeps_the_other_facets_in_cells_and_pager(
        self, signed_in, batch, monkeypatch
    ):
        monkeypatch.setattr("writ_app.services.tasks.listing.PAGE_SIZE", 1)
        for number in range(2):
            make_trajectory(batch=batch, number=number)

        page = text_of(signed_in.get(reverse("tasks"), {"existential": "no"}))

        assert re.search(r'href="\?existential=no&amp;before=\d+"', page)
        assert re.search(r'href="\?existential=no&amp;writes=1&amp;burden=', page)

    def test_comes_as_a_fragment_for_htmx(self, signed_in, batch):
        make_trajectory(batch=batch)
        response = signed_in.get(reverse("tasks"), headers={"HX-Request": "true"})

        assert text_of(response).strip().startswith("<div")
        assert "<html" not in response.content.decode()

    def test_takes_the_same_queries_however_many_there_are(
        self, signed_in, batch, django_assert_num_queries
    ):
        make_trajectory(batch=batch)
        signed_in.get(reverse("tasks"))
        with django_assert_num_queries(6) as few:
            signed_in.get(reverse("tasks"))
        for number in range(1, 6):
            make_trajectory(batch=batch, number=number)

        with django_assert_num_queries(len(few)):
            signed_in.get(reverse("tasks"))

    def test_hides_the_work_of_other_teams(self, batch):
        task = make_trajectory(batch=batch).simulation.task
        stranger = Client()
        stranger.force_login(make_owner())

        page = text_of(stranger.get(reverse("tasks")))

        assert "No tasks yet" in page
        assert batch.name not in page
        for name in ("task", "task_raw"):
            assert stranger.get(reverse(name, args=[task.pk])).status_code == 404
        tried = stranger.post(reverse("task", args=[task.pk]), {"read": 1})
        assert tried.status_code == 404


class TestTask:
    def test_shows_words_query_proof_and_answer(self, signed_in, proved, designed):
        page = text_of(signed_in.get(reverse("task", args=[proved.pk])))

        assert designed.query.content_hash in page
        assert page.count('class="ev"') == len(designed.certificate)
        assert page.count(">Try it<") == len(designed.certificate)
        for call in (
            *[read.call for read in designed.certificate],
            designed.gold[0].call,
        ):
            assert call.name in page
        for word in ("Needed because", "Lift", "Expected reads", "Evidence tokens"):
            assert word in page
        assert "upfront" in page

    def test_takes_the_same_queries_however_often_it_was_simulated(
        self, signed_in, batch, django_assert_num_queries
    ):
        task = make_trajectory(batch=batch).simulation.task
        address = reverse("task", args=[task.pk])
        signed_in.get(address)
        with django_assert_num_queries(6) as few:
            signed_in.get(address)
        for _ in range(4):
            make_trajectory(batch=batch)

        with django_assert_num_queries(len(few)):
            signed_in.get(address)

    def test_is_downloaded_raw_as_plain_text(self, signed_in, proved, designed):
        response = signed_in.get(reverse("task_raw", args=[proved.pk]))

        assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert "attachment" in response.headers["Content-Disposition"]
        assert (
            designed.content_hash in response.content.decode()
            or designed.text in text_of(response)
        )

    def test_is_not_found_at_a_number_without_a_task(self, signed_in):
        assert signed_in.get("/tasks/999999/").status_code == 404
        assert signed_in.get("/tasks/99999999999999999999999/").status_code == 404


class TestTry:
    def test_answers_htmx_with_what_flipped(self, signed_in, proved):
        response = signed_in.post(
            reverse("task", args=[proved.pk]),
            {"read": 3},
            headers={"HX-Request": "true"},
        )

        part = text_of(response)
        assert "<html" not in part
        assert "It holds" in part
        assert "byte for byte" in part
        assert "flipped" in part

    def test_answers_without_javascript_with_the_page_and_the_try_in_its_place(
        self, signed_in, proved, designed
    ):
        page = text_of(signed_in.post(reverse("task", args=[proved.pk]), {"read": 3}))

        assert "<html" in page
        assert page.index('id="e3"') < page.index("It holds") < page.index('id="e4"')
        assert page.count('class="ev"') == len(designed.certificate)

    @pytest.mark.parametrize("number", ["0", "99", "-1", "x", "", "9" * 40])
    def test_says_that_there_is_no_such_read(self, signed_in, proved, number):
        address = reverse("task", args=[proved.pk])

        for headers in ({}, {"HX-Request": "true"}):
            response = signed_in.post(address, {"read": number}, headers=headers)
            assert "The certificate has no read" in text_of(response, 422)

    def test_says_that_a_patch_no_longer_applies(self, signed_in, proved):
        content = proved.content
        content["certificate"][0]["witness"]["patch"] = [
            {"op": "replace", "path": "/units/GONE/daily_rate", "value": 1}
        ]
        Task.objects.filter(pk=proved.pk).update(content=content)

        response = signed_in.post(
            reverse("task", args=[proved.pk]),
            {"read": 1},
            headers={"HX-Request": "true"},
        )

        assert "no longer applies" in text_of(response, 422)

    def test_says_that_the_environment_has_changed(self, signed_in, proved):
        Environment.objects.update(content_hash="0" * 64)

        response = signed_in.post(reverse("task", args=[proved.pk]), {"read": 1})

        assert "no longer what it was" in text_of(response, 409)

    def test_stores_nothing(self, signed_in, proved, django_assert_num_queries):
        address = reverse("task", args=[proved.pk])
        headers = {"HX-Request": "true"}
        signed_in.post(address, {"read": 1}, headers=headers)

        with django_assert_num_queries(2) as made:
            signed_in.post(address, {"read": 1}, headers=headers)

        asked = [one["sql"].removeprefix("QUERY = '") for one in made.captured_queries]
        assert all(sql.startswith("SELECT") for sql in asked)

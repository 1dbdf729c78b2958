"""Designed tasks as lists and pages see them, and witnesses tried on a scratch state."""

from importlib import import_module

import pytest
from django.db import connection

from environments import registry
from environments.core.environment import Environment
from tests import samples
from tests.factories import (
    make_batch,
    make_owner,
    make_trajectory,
    sample_task,
    team_of,
)
from writ_app.engine.task_design import Designer
from writ_app.engine.types import ToldFact, Witness, WriteOrders
from writ_app.models.catalog import Task
from writ_app.services.catalog import store_task
from writ_app.services.heat import make_heat_map
from writ_app.services.tasks import (
    CannotTry,
    build_task_page,
    list_tasks,
    task_facets,
    try_witness,
    visible_tasks,
)


@pytest.fixture(scope="module")
def world() -> Environment:
    return registry.world("rental").generated(seed=3, users=40)


@pytest.fixture(scope="module")
def designed(world: Environment):
    return Designer(world).design("E1", 5)


class TestTryWitness:
    def test_flips_the_answer_where_nobody_without_the_read_can_tell(
        self, world, designed
    ):
        for number, read in enumerate(designed.certificate, 1):
            tried = try_witness(world, designed, number)

            assert tried.holds, read.call.key
            assert tried.as_stored
            assert tried.flips
            assert (
                tried.same + len(tried.changed)
                == len(
                    {call.key for call in designed.spoken_of}
                    | {one.call.key for one in designed.certificate}
                )
                - 1
            )
            assert tried.open_to_others > len(designed.certificate)

    def test_shows_each_change_before_and_after(self, world, designed):
        number = len(designed.certificate)
        read = designed.certificate[number - 1]

        tried = try_witness(world, designed, number)

        (record,) = tried.records
        own = {
            change.name: (change.before, change.after) for change in tried.own.changes
        }
        assert record.changes
        assert all(change.before != change.after for change in record.changes)
        assert own
        assert tried.own.before != tried.own.after
        assert {line.name for line in tried.outcome if line.flipped}
        assert tried.own.name == read.call.name

    def test_leaves_the_world_as_it_was(self, world, designed):
        before = world.state.content_hash
        texts = [
            world.session().call(read.call).content for read in designed.certificate
        ]

        for number in range(1, len(designed.certificate) + 1):
            try_witness(world, designed, number)

        fresh = registry.world("rental").generated(seed=3, users=40)
        assert fresh.state.content_hash == before
        assert texts == [
            fresh.session().call(read.call).content for read in designed.certificate
        ]

    def test_does_not_hold_if_the_patch_flips_nothing(self, world, designed):
        idle = self._with_witness(
            designed, patch=designed.certificate[0].witness.patch[:0]
        )

        tried = try_witness(world, idle, 1)

        assert not tried.holds
        assert tried.flips == 0

    def test_does_not_hold_if_others_can_tell_and_the_witness_does_not_say_so(
        self, world, designed
    ):
        last = designed.certificate[-1].witness  # a search, which anybody can make
        swapped = self._with_witness(designed, patch=last.patch, gold=last.gold)
        search = designed.certificate[-1].call.key
        named = self._with_witness(
            designed, patch=last.patch, gold=last.gold, shown_by=(search,)
        )

        tried = try_witness(world, swapped, 1)

        assert tried.flips
        assert tried.as_stored
        assert tried.told_apart_by
        assert not tried.holds
        assert len(tried.changed) == sum(read.without for read in tried.changed)
        assert [one.number for one in tried.told_apart_by] == [
            len(designed.certificate)
        ]
        assert try_witness(world, named, 1).holds

    def test_does_not_hold_with_another_answer_than_was_written_down(
        self, world, designed
    ):
        other = self._with_witness(
            designed, gold=designed.certificate[0].witness.gold[:0]
        )

        tried = try_witness(world, other, 1)

        assert tried.flips
        assert not tried.as_stored
        assert not tried.holds

    @pytest.mark.parametrize(
        ("patch", "says"),
        [
            (
                [{"op": "replace", "path": "/units/NOBODY/daily_rate", "value": 1}],
                "NOBODY",
            ),
            ([{"op": "replace", "path": "/nowhere/x/y", "value": 1}], "nowhere"),
            ([{"op": "test", "path": "/units/x", "value": 1}], "no operation"),
        ],
    )
    def test_says_that_a_patch_no_longer_applies(self, world, designed, patch, says):
        with pytest.raises(CannotTry, match=says):
            try_witness(world, self._with_witness(designed, patch=tuple(patch)), 1)

    def test_says_that_the_environment_has_changed(self, designed):
        other = registry.world("rental").generated(seed=4, users=40)

        with pytest.raises(CannotTry, match="has changed since"):
            try_witness(other, designed, 1)

    @pytest.mark.parametrize("number", [0, 99])
    def test_says_that_there_is_no_such_read(self, world, designed, number):
        with pytest.raises(CannotTry, match=f"no read {number}"):
            try_witness(world, designed, number)

    def test_says_that_a_read_is_not_proved(self, world, designed):
        unproved = self._with_read(designed, witness=None)

        with pytest.raises(CannotTry, match="no witness"):
            try_witness(world, unproved, 1)

    def _with_witness(self, task, **changes):
        witness = task.certificate[0].witness
        assert isinstance(witness, Witness)
        return self._with_read(task, witness=witness.model_copy(update=changes))

    def _with_read(self, task, **changes):
        first, *rest = task.certificate
        reads = (first.model_copy(update=changes), *rest)
        return task.model_copy(update={"certificate": reads})


class TestHeatMap:
    def test_counts_rows_columns_and_everything(self):
        heat = make_heat_map({("1", "4-6"): 10, ("2-3", "4-6"): 1, ("1", "15+"): 5})

        assert heat.total == 16
        assert [row.total.count for row in heat.rows] == [0, 15, 1, 0]
        assert {cell.burden: cell.count for cell in heat.totals} == {
            "1-3": 0,
            "4-6": 11,
            "7-9": 0,
            "10-14": 0,
            "15+": 5,
        }

    def test_shades_by_the_fullest_cell_and_leaves_no_task_without_a_color(self):
        heat = make_heat_map({("1", "4-6"): 1000, ("2-3", "4-6"): 1, ("1", "15+"): 500})
        shades = {
            (cell.writes, cell.burden): cell.shade
            for row in heat.rows
            for cell in row.cells
        }

        assert shades["1", "4-6"] == 5
        assert shades["1", "15+"] == 3
        assert shades["2-3", "4-6"] == 1
        assert shades["0", "1-3"] == 0

    def test_has_a_column_without_evidence_only_if_it_is_needed(self):
        assert make_heat_map({("1", "1-3"): 1}).burdens[0] == "1-3"
        assert make_heat_map({("1", "0"): 1}).burdens[0] == "0"
        assert make_heat_map({}, chosen=("", "0")).burdens[0] == "0"


@pytest.mark.django_db
class TestListTasks:
    def test_narrows_by_every_facet(self):
        owner = make_owner()
        batch, other = (make_batch(team=team_of(owner), by=owner) for _ in range(2))
        rows = [
            make_trajectory(batch=batch, number=n).simulation.task for n in range(3)
        ]
        make_trajectory(batch=other, number=2)
        Task.objects.filter(pk=rows[0].pk).update(
            existential=True, writes=0, task_class="refusal"
        )
        Task.objects.filter(pk=rows[1].pk).update(
            dependent=True, burden=12, proved=False, archetype="R9"
        )

        def found(**filters):
            listed = list_tasks(user=owner, filters=filters)
            assert listed.total == len(listed.rows)
            return {rows.index(row) for row in listed.rows}

        assert found() == {0, 1, 2}
        assert found(batch=other.pk) == {2}
        assert found(existential="yes") == {0}
        assert found(existential="no") == {1, 2}
        assert found(dependent="yes") == {1}
        assert found(proved="no") == {1}
        assert found(task_class="refusal") == {0}
        assert found(archetype="retail/R9") == {1}
        assert found(archetype="rental/R9") == set()
        assert found(environment="retail/sample") == {0, 1, 2}
        assert found(environment="retail/other") == set()
        assert found(writes="0") == {0}
        assert found(burden="10-14", writes="1") == {1}
        assert found(burden="10-14", writes="0") == set()

    def test_counts_the_grid_whatever_cell_is_chosen(self):
        owner = make_owner()
        batch = make_batch(team=team_of(owner), by=owner)
        task = make_trajectory(batch=batch).simulation.task
        make_trajectory(batch=batch, number=1)
        Task.objects.filter(pk=task.pk).update(writes=3, burden=15)

        heat = list_tasks(user=owner, filters={"writes": "2-3", "burden": "15+"}).heat

        assert heat.total == 2
        (chosen,) = (cell for row in heat.rows for cell in row.cells if cell.chosen)
        assert (chosen.writes, chosen.burden, chosen.count) == ("2-3", "15+", 1)

    def test_lists_a_task_once_however_often_it_is_simulated(self):
        owner = make_owner()
        batch = make_batch(team=team_of(owner), by=owner)
        for _ in range(3):
            make_trajectory(batch=batch)

        listed = list_tasks(user=owner, filters={})

        assert len(listed.rows) == listed.total == listed.heat.total == 1

    def test_gives_every_task_once_over_its_pages(self, monkeypatch):
        monkeypatch.setattr("writ_app.services.tasks.listing.PAGE_SIZE", 2)
        owner = make_owner()
        batch = make_batch(team=team_of(owner), by=owner)
        for number in range(5):
            make_trajectory(batch=batch, number=number)

        seen, before = [], None
        while True:
            page = list_tasks(user=owner, filters={}, before=before)
            seen += [row.pk for row in page.rows]
            before = page.before
            if before is None:
                break

        assert seen == sorted(seen, reverse=True)
        assert len(seen) == len(set(seen)) == 5

    def test_offers_only_what_there_is_and_what_may_be_seen(self):
        owner, stranger = make_owner(), make_owner()
        batch = make_batch(team=team_of(owner), by=owner)
        make_trajectory(batch=batch)

        facets = task_facets(user=owner)

        assert facets.environment == (("retail/sample", "retail sample"),)
        assert facets.archetype == (
            ("retail", (("retail/R1", "cheapest other variant"),)),
        )
        assert [value for value, _ in facets.batch] == [str(batch.pk)]
        assert not any(vars(task_facets(user=stranger)).values())
        assert not visible_tasks(stranger).exists()

    def test_offers_the_parts_of_composed_tasks_and_finds_them_by_each(self):
        owner = make_owner()
        batch = make_batch(team=team_of(owner), by=owner)
        rows = [
            make_trajectory(batch=batch, number=n).simulation.task for n in range(3)
        ]
        Task.objects.filter(pk=rows[0].pk).update(
            archetype="R1+R13", title="One thing; Another, with; a mark"
        )
        Task.objects.filter(pk=rows[1].pk).update(
            archetype="R6+R13+R6", title="Cancel; Exchange; Cancel"
        )

        ((_, offered),) = task_facets(user=owner).archetype
        found = {
            slug: {
                rows.index(row)
                for row in list_tasks(user=owner, filters={"archetype": slug}).rows
            }
            for slug, _ in offered
        }

        assert dict(offered) == {
            "retail/R1": "cheapest other variant",
            "retail/R6": "Cancel",
            "retail/R13": "Exchange",
        }
        assert found == {"retail/R1": {0, 2}, "retail/R6": {1}, "retail/R13": {0, 1}}

    def test_offers_an_old_batch_that_is_asked_for(self, monkeypatch):
        monkeypatch.setattr("writ_app.services.tasks.listing.BATCHES_OFFERED", 1)
        owner = make_owner()
        old = make_batch(team=team_of(owner), by=owner)
        make_batch(team=team_of(owner), by=owner)

        assert str(old.pk) not in dict(task_facets(user=owner).batch)
        assert str(old.pk) in dict(task_facets(user=owner, batch=old.pk).batch)


@pytest.mark.django_db
class TestColumns:
    def test_say_what_the_content_says_and_the_migration_finds_the_same(self):
        batch = make_batch(team=team_of(make_owner()))
        first, second = sample_task(0), sample_task(1)
        reads = (second.certificate[0].model_copy(update={"witness": None}),)
        second = second.model_copy(
            update={
                "certificate": reads + second.certificate[1:],
                "existential": True,
                "dependent": True,
            }
        )
        rows = [
            store_task(environment=batch.environment, task=t) for t in (first, second)
        ]
        names = ("lift", "existential", "dependent", "proved")
        stored = [tuple(getattr(row, name) for name in names) for row in rows]
        Task.objects.update(lift=0, existential=False, dependent=False, proved=False)

        with connection.cursor() as cursor:
            cursor.execute(
                import_module("writ_app.migrations.0007_task_facets").FROM_CONTENT
            )

        assert stored == [
            (first.companions.lift, False, False, True),
            (second.companions.lift, True, True, False),
        ]
        assert stored == [
            Task.objects.values_list(*names).get(pk=row.pk) for row in rows
        ]


@pytest.mark.django_db
class TestBuildTaskPage:
    @pytest.fixture
    def owner(self):
        return make_owner()

    def page_of(self, owner, task):
        batch = make_batch(team=team_of(owner), by=owner)
        row = make_trajectory(batch=batch).simulation.task
        row.content = task.model_dump(mode="json")
        return build_task_page(row=row, user=owner)

    def test_leads_every_argument_to_what_it_is_made_from(self, owner):
        page = self.page_of(owner, sample_task(0))
        ids = {card.id for card in page.reads} | {
            mark.id for card in page.reads for mark in card.marks.values()
        }

        lines = [line for card in page.gold for line in card.arguments]

        assert lines
        for line in lines:
            assert line.kind
            assert line.links or line.kind in ("said", "policy")
            assert {target for target, _ in line.links} <= ids

    def test_folds_what_is_long(self, owner):
        page = self.page_of(owner, sample_task(0))
        whole = str(sample_task(0).query).splitlines()

        assert len(page.query_lines) + len(page.query_more) == len(whole)
        assert len(page.query_lines) <= 16

    def test_names_the_clause_that_decides(self, owner):
        clause = next(iter(samples.sample_environment().clauses))
        task = sample_task(0).model_copy(update={"declined": clause, "gold": ()})

        page = self.page_of(owner, task)

        assert page.deciding.number == clause
        assert page.deciding.text == samples.sample_environment().clauses[clause]
        assert page.gold == ()

    def test_names_the_parts_of_each_order(self, owner):
        task = sample_task(0).model_copy(
            update={
                "parts": ("R1", "R6"),
                "orders": WriteOrders(tried=2, same=1, illegal=((1, 0),)),
                "told": (ToldFact(what="the total", value=12.5, needs=(0, 2)),),
            }
        )

        page = self.page_of(owner, task)

        assert [part.slug for part in page.orders.illegal[0]] == ["R6", "R1"]
        assert page.parts[1].title == "Cancel the largest pending order"
        assert (page.told[0].value, page.told[0].needs) == ("12.5", (1, 3))

    def test_shows_only_the_simulations_of_ones_own_teams(self, owner):
        ours = make_trajectory(batch=make_batch(team=team_of(owner), by=owner))
        theirs = make_trajectory(batch=make_batch(team=team_of(make_owner())))
        assert ours.simulation.task == theirs.simulation.task

        page = build_task_page(row=ours.simulation.task, user=owner)

        assert [attempt.trajectory for attempt in page.attempts] == [ours]
        assert page.attempts_total == 1
        assert page.batches == (ours.simulation.batch,)

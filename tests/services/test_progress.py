"""Where batches stand, what they cost and how their trajectories did: counted in SQL, on rows made for it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest
from django.utils import timezone

from tests.factories import make_batch, make_environment, make_team
from writ_app.models.catalog import Task
from writ_app.models.synthesis import (
    Batch,
    BatchStatus,
    ModelEndpoint,
    Simulation,
    SimulationStatus,
    Trajectory,
    Turn,
)
from writ_app.services import synthesis
from writ_app.services.synthesis import CannotChange

pytestmark = pytest.mark.django_db
numbers = count(1)


@pytest.fixture
def batch() -> Batch:
    plans = ["upfront", "corrected"]
    return make_batch(
        team=make_team(), status=BatchStatus.RUNNING, ordered=40, plans=plans
    )


def make_task(*, archetype: str = "R1", writes: int = 1, burden: int = 5) -> Task:
    return Task.objects.create(
        environment=make_environment(),
        content_hash=f"hash {next(numbers)}",
        slug="slug",
        archetype=archetype,
        title="title",
        task_class="read_heavy",
        writes=writes,
        burden=burden,
        text="text",
        content={},
    )


def simulated(
    batch: Batch,
    reason: str = "",
    *,
    owner: str = "agent",
    ended_by: str = "user_stop",
    plan: str = "upfront",
    task: Task | None = None,
    at: datetime | None = None,
    retry_of: Simulation | None = None,
) -> Trajectory:
    """A finished simulation, accepted unless there is a reason."""
    at = at or timezone.now()
    simulation = Simulation.objects.create(
        batch=batch,
        task=task or make_task(),
        plan=plan,
        seed=next(numbers),
        status=SimulationStatus.DONE,
        started_at=at - timedelta(seconds=20),
        finished_at=at,
        retry_of=retry_of,
    )
    return Trajectory.objects.create(
        simulation=simulation,
        content={"messages": []},
        content_hash="x",
        ended_by=ended_by,
        scripted=True,
        steps=4,
        verification={},
        accepted=not reason,
        reason=reason,
        owner=owner if reason else "",
    )


class TestCounts:
    def test_lead_from_the_order_to_what_was_accepted(self, batch: Batch) -> None:
        simulated(batch)
        wrong = [simulated(batch, "evidence") for _ in range(2)]
        simulated(batch, "stop_token", owner="user")
        for status in (SimulationStatus.PENDING, SimulationStatus.RUNNING):
            Simulation.objects.create(
                batch=batch, task=make_task(), plan="upfront", seed=0, status=status
            )

        progress = synthesis.batch_progress(batch)

        assert (progress.ordered, progress.designed) == (40, 6)
        assert (progress.pending, progress.running, progress.done) == (1, 1, 4)
        assert (progress.accepted, progress.rejected, progress.left) == (1, 3, 36)
        evidence, stop = progress.reasons
        assert (evidence.reason, evidence.count) == ("evidence", 2)
        assert evidence.example == wrong[0].pk
        assert (stop.owner, stop.count) == ("user", 1)
        assert progress.owners == (("agent", 2), ("user", 1))

    def test_leave_out_what_was_tried_again(self, batch: Batch) -> None:
        failed = simulated(batch, "ending", ended_by="infrastructure_error")
        before = synthesis.batch_progress(batch)

        simulated(batch, retry_of=failed.simulation)
        after = synthesis.batch_progress(batch)

        assert (before.failed, before.rejected) == (1, 1)
        assert (after.failed, after.rejected) == (0, 0)
        assert (after.designed, after.done, after.accepted) == (1, 1, 1)
        assert synthesis.accept_rates(batch).whole.count == 1

    def test_of_many_batches_take_two_queries(
        self, batch: Batch, django_assert_num_queries
    ) -> None:
        other = make_batch(team=batch.team, by=batch.created_by)
        simulated(batch)
        simulated(other, "policy")

        with django_assert_num_queries(2):
            found = synthesis.batches_progress([batch, other])

        assert (found[batch.pk].accepted, found[batch.pk].rejected) == (1, 0)
        assert (found[other.pk].accepted, found[other.pk].rejected) == (0, 1)


def spread(batch: Batch, seconds_ago: Sequence[float]) -> None:
    for seconds in seconds_ago:
        simulated(batch, at=timezone.now() - timedelta(seconds=seconds))


class TestPace:
    def test_of_a_batch_in_which_nothing_ended_is_not_known(self, batch: Batch) -> None:
        pace = synthesis.batch_progress(batch).pace

        assert (pace.per_minute, pace.left) == (None, None)

    def test_is_that_of_the_last_five_minutes(self, batch: Batch) -> None:
        spread(batch, [n * 10 for n in range(30)])  # one in ten seconds
        spread(batch, [400 + n for n in range(5)])  # too long ago to count

        pace = synthesis.batch_progress(batch).pace

        assert pace.per_minute == pytest.approx(6, rel=0.02)
        assert pace.left is not None
        assert pace.left.total_seconds() == pytest.approx(50, rel=0.05)

    def test_of_few_says_nothing_of_the_time_left(self, batch: Batch) -> None:
        spread(batch, range(9))

        pace = synthesis.batch_progress(batch).pace

        assert pace.per_minute is not None
        assert pace.left is None

    def test_of_a_batch_that_ended_is_that_of_the_whole(self, batch: Batch) -> None:
        now = timezone.now()
        for n in range(11):
            simulated(batch, at=now - timedelta(days=1, seconds=10 * n))
        batch.finished_at = now

        pace = synthesis.batch_progress(batch).pace

        assert pace.whole
        assert pace.per_minute == pytest.approx(11 / 2)  # in 120 s
        assert pace.left is None


class TestAcceptRates:
    @pytest.fixture(autouse=True)
    def trajectories(self, batch: Batch) -> None:
        light, heavy = make_task(burden=5), make_task(burden=12, writes=2)
        other = make_task(archetype="R5")
        both = make_task(archetype="R1+R5")
        for plan, task, reason in (
            ("upfront", light, ""),
            ("upfront", heavy, ""),
            ("corrected", heavy, "evidence"),
            ("corrected", other, "state"),
            ("upfront", both, ""),
        ):
            simulated(batch, reason, plan=plan, task=task)

    def test_are_those_of_each_request_under_each_plan(self, batch: Batch) -> None:
        batch.mix = {"R5": 1, "R1": 1}

        rates = synthesis.accept_rates(batch)

        found = {
            line.slug: [(rate.accepted, rate.count) for _, rate in line.by_plan]
            for line in rates.lines
        }
        assert found == {
            "R5": [(0, 0), (0, 1)],
            "R1": [(2, 2), (0, 1)],
            "several": [(1, 1), (0, 0)],
        }
        assert list(found) == ["R5", "R1", "several"]  # as the mix names them
        assert (rates.whole.accepted, rates.whole.count, rates.whole.percent) == (
            3,
            5,
            60,
        )

    def test_are_narrowed_to_a_request_and_a_plan_in_the_grid(
        self, batch: Batch
    ) -> None:
        def cells(**chosen: str) -> dict[tuple[str, str], tuple[int, int]]:
            rates = synthesis.accept_rates(batch, **chosen)
            return {
                (cell.writes, cell.burden): (cell.rate.accepted, cell.rate.count)
                for _, row in rates.cells
                for cell in row
                if cell.rate.count
            }

        assert cells() == {("1", "4-6"): (2, 3), ("2-3", "10-14"): (1, 2)}
        assert cells(archetype="R1", plan="corrected") == {("2-3", "10-14"): (0, 1)}
        assert cells(archetype="nonsense", plan="nonsense") == cells()

    @pytest.mark.parametrize(
        ("sort", "slugs"),
        [
            ("", ["R1", "R5", "several"]),
            ("-name", ["several", "R5", "R1"]),
            ("rate", ["R5", "R1", "several"]),
            ("-rate", ["several", "R1", "R5"]),
            ("-count", ["R1", "several", "R5"]),
            ("corrected", ["R1", "R5", "several"]),
            ("nonsense", ["R1", "R5", "several"]),
        ],
    )
    def test_are_sorted_by_a_column(
        self, batch: Batch, sort: str, slugs: list[str]
    ) -> None:
        rates = synthesis.accept_rates(batch, sort=sort)

        assert [line.slug for line in rates.lines] == slugs

    def test_say_what_a_heading_asks_for_next(self, batch: Batch) -> None:
        up = synthesis.accept_rates(batch, sort="rate").columns
        down = synthesis.accept_rates(batch, sort="-rate").columns

        assert [(c.sort, c.order) for c in up if c.order] == [("-rate", "ascending")]
        assert [(c.sort, c.order) for c in down if c.order] == [("rate", "descending")]

    def test_take_one_query(self, batch: Batch, django_assert_num_queries) -> None:
        synthesis.accept_rates(batch)  # the environment is loaded once

        with django_assert_num_queries(1):
            synthesis.accept_rates(batch)


class TestSpending:
    @pytest.fixture
    def paid(self, batch: Batch) -> Batch:
        endpoint = ModelEndpoint.objects.create(name="mine", model="openai/mine")
        batch.agent = endpoint
        batch.played_by = {"agent": {"name": "mine"}}
        batch.cost = Decimal("1.2")
        batch.prompt_tokens, batch.completion_tokens = 900, 100
        batch.save()
        return batch

    def turn(self, trajectory: Trajectory, position: int, side: str, **fields) -> None:
        Turn.objects.create(
            **{
                "simulation": trajectory.simulation,
                "position": position,
                "side": side,
                "attempt": 1,
                "cost": Decimal("0.25"),
                "prompt_tokens": 100,
                "completion_tokens": 10,
                **fields,
            }
        )

    def test_is_told_by_role_without_counting_answers_twice(self, paid: Batch) -> None:
        old = simulated(paid, "ending", ended_by="timeout")
        new = simulated(paid, retry_of=old.simulation)
        for trajectory in (old, new):  # a retry begins with the answers there are
            self.turn(trajectory, 0, "agent")
        self.turn(new, 1, "user", cost=0)

        spending = synthesis.batch_spending(paid, synthesis.batch_progress(paid))

        agent, user = spending.roles
        assert (agent.role, agent.model, agent.turns) == ("agent", "mine", 1)
        assert (agent.cost, agent.prompt_tokens) == (0.25, 100)
        assert (user.model, user.cost) == ("scripted", 0.0)
        assert spending.turns_per_minute == 2

    def test_of_the_rest_is_estimated_when_enough_is_finished(
        self, paid: Batch
    ) -> None:
        spread(paid, range(9))
        few = synthesis.batch_spending(paid, synthesis.batch_progress(paid))
        spread(paid, range(3))
        enough = synthesis.batch_spending(paid, synthesis.batch_progress(paid))

        assert (few.per_simulation, few.left) == (None, None)
        assert enough.per_simulation == pytest.approx(0.1)
        assert enough.left == pytest.approx(2.8)

    def test_is_measured_against_the_caps(self, paid: Batch) -> None:
        paid.max_cost, paid.max_tokens = Decimal("1.5"), 10_000

        dollars, tokens = synthesis.caps_of(paid)

        assert (dollars.percent, dollars.near) == (80, True)
        assert (tokens.percent, tokens.near) == (10, False)

    def test_gets_other_caps_unless_they_are_reached_already(self, paid: Batch) -> None:
        with pytest.raises(CannotChange, match=r"\$1\.20 is reached"):
            synthesis.change_caps(batch=paid, max_cost=Decimal("1.2"), max_tokens=None)

        synthesis.change_caps(batch=paid, max_cost=None, max_tokens=1001)

        paid.refresh_from_db()
        assert (paid.max_cost, paid.max_tokens) == (None, 1001)

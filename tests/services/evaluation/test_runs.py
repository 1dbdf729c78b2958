"""Runs on the real database, tried by real runners, with models over real HTTP where it matters what they are asked."""

import json
import threading
import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from tests import factories
from tests.fakes import Reply, chat_server, error_reply, text_reply
from tests.services.runs import QUICK, endpoint, order
from tests.services.runs import run as run_runner
from writ_app.engine import types
from writ_app.engine.benchmark_tasks import benchmark_task
from writ_app.models.catalog import Environment, ReferenceTask
from writ_app.models.curation import SavedView
from writ_app.models.evaluation import (
    EvaluationRun,
    EvaluationTrial,
    EvaluationTurn,
    JudgeStatus,
    RunStatus,
    TrialStatus,
)
from writ_app.models.review import ReviewItem, Verdict
from writ_app.models.synthesis import Batch, Trajectory
from writ_app.services import evaluation
from writ_app.services.catalog import load_environment
from writ_app.services.evaluation import desk
from writ_app.services.evaluation.desk import Scored, load, record
from writ_app.services.evaluation.sets import BadRun, TaskSet
from writ_app.services.release import freeze_release
from writ_app.services.review import lease_next, submit_verdict
from writ_app.services.synthesis.running.record import Claim, GivenBack

pytestmark = pytest.mark.django_db(transaction=True)

JUDGED = ["The agent is polite."]


@pytest.fixture
def batch() -> Batch:
    """Four designed tasks, not simulated."""
    return order()


@pytest.fixture
def shop(batch: Batch) -> Environment:
    """The batch's environment, with its tasks as those of a benchmark: half of them need a judge."""
    row = batch.environment
    words = load_environment(row).domain.words
    rows = batch.simulations.order_by("pk").select_related("task")
    for place, simulation in enumerate(rows):
        task = types.Task.model_validate(simulation.task.content)
        content = benchmark_task(task, words, task_id=str(place))
        if place % 2:
            content["evaluation_criteria"] |= {
                "reward_basis": ["DB", "NL_ASSERTION"],
                "nl_assertions": JUDGED,
            }
        ReferenceTask.objects.create(
            environment=row,
            task_id=str(place),
            position=place,
            splits=["base", "test" if place else "train"],
            content=content,
        )
    return row


def ordered(batch: Batch, tasks: TaskSet, **more: Any) -> EvaluationRun:
    given = {"name": "run", "trials": 2, **more}
    if "agent" not in given:
        given.setdefault("script", "gold")
    return evaluation.order_run(
        team=batch.team, by=batch.created_by, tasks=tasks, **given
    )


def tried(run: EvaluationRun) -> EvaluationRun:
    run_runner(desk=evaluation.TrialDesk())
    run.refresh_from_db()
    return run


def benchmark(shop: Environment, **more: Any) -> TaskSet:
    return evaluation.benchmark_set([shop], **more)


class Talkers:
    """One server for all roles: an agent that does nothing, a user who leaves, a judge who says what it is told to say."""

    def __init__(self, judge: Any = None):
        self.judge = judge or (lambda: text_reply(verdicts(True)))
        self.judged = 0
        self.before: Any = lambda request: None
        self.lock = threading.Lock()

    def __call__(self, request: dict[str, Any]) -> Reply:
        early: Reply | None = self.before(request)
        if early is not None:
            return early
        if request["messages"][0]["content"].startswith("You check what"):
            with self.lock:
                self.judged += 1
            reply: Reply = self.judge()
            return reply
        if "tools" in request:
            return text_reply("I am sorry, no.")
        spoken = any(m["role"] == "assistant" for m in request["messages"])
        return text_reply("###STOP###" if spoken else "Help me!")


def verdicts(met: bool) -> str:
    return json.dumps({"results": [{"number": 1, "reasoning": "so", "met": met}]})


def judge_all(run: EvaluationRun) -> None:
    while evaluation.judge_run(run_id=run.pk, retry=QUICK):
        pass
    run.refresh_from_db()


class TestOrder:
    def test_has_a_row_for_each_trial_and_pins_what_was_asked(
        self, batch: Batch, shop: Environment
    ) -> None:
        run = ordered(batch, benchmark(shop), trials=3, hard=[1, 99])

        assert run.trial_rows.count() == 12
        seeds = set(run.trial_rows.values_list("trial", "seed"))
        assert len(seeds) == 3
        assert (0, 626729) in seeds
        burdens = dict(run.tasks.values_list("key", "burden"))
        for subset in run.hard:
            wanted = sorted(k for k, b in burdens.items() if (b or 0) >= subset["least"])  # fmt: skip
            assert subset["tasks"] == wanted
            assert len(subset["content_hash"]) == 64
        ReferenceTask.objects.update(content={})
        assert all(one.content for one in run.tasks.all())

    def test_takes_a_split_or_a_part_of_it(self, shop: Environment) -> None:
        assert len(benchmark(shop, split="train").tasks) == 1
        assert [one.task_id for one in benchmark(shop, ids=["2"]).tasks] == ["2"]

    @pytest.mark.parametrize(
        ("more", "words"),
        [
            ({"split": "nowhere"}, "has no split 'nowhere'"),
            ({"ids": ["77"]}, "There is no task '77'"),
            ({"split": "train", "ids": ["2"]}, "There is no task '2'"),
        ],
    )
    def test_refuses_tasks_that_there_are_not(
        self, shop: Environment, more: dict[str, Any], words: str
    ) -> None:
        with pytest.raises(BadRun, match=words):
            benchmark(shop, **more)

    @pytest.mark.parametrize(
        ("more", "words"),
        [
            ({"trials": 0}, "1 to 64 times"),
            ({"trials": 65}, "1 to 64 times"),
            ({"script": ""}, "an endpoint or a script"),
            ({"script": "genius"}, "no script 'genius'"),
        ],
    )
    def test_refuses_what_cannot_be_tried(
        self, batch: Batch, shop: Environment, more: dict[str, Any], words: str
    ) -> None:
        with pytest.raises(BadRun, match=words):
            ordered(batch, benchmark(shop), **more)
        assert not EvaluationRun.objects.exists()

    def test_refuses_a_model_on_a_benchmark_without_a_user(
        self, batch: Batch, shop: Environment
    ) -> None:
        with pytest.raises(BadRun, match="Nobody plays the user"):
            ordered(batch, benchmark(shop), agent=endpoint("http://127.0.0.1:1/v1"))

    def test_refuses_a_task_that_begins_in_the_middle(
        self, batch: Batch, shop: Environment
    ) -> None:
        row = ReferenceTask.objects.all()[0]
        row.content["initial_state"] = {"message_history": [{"role": "user"}]}
        row.save()

        with pytest.raises(BadRun, match="in the middle of a conversation"):
            ordered(batch, benchmark(shop))


class TestScripts:
    def test_come_out_as_they_must(self, batch: Batch, shop: Environment) -> None:
        gold = tried(ordered(batch, benchmark(shop)))
        idle = tried(ordered(batch, benchmark(shop), script="idle"))

        assert (gold.status, idle.status) == (RunStatus.DONE, RunStatus.DONE)
        found = evaluation.summary_of(gold)
        assert found["readings"]["without"]["pass"] == [1.0, 1.0]
        assert found["readings"]["with"]["tasks"] == 2
        assert evaluation.summary_of(idle)["readings"]["with"]["pass"] == [0.0, 0.0]

    def test_on_tasks_of_our_own_are_verified_too(self, batch: Batch) -> None:
        gold = tried(ordered(batch, evaluation.batch_set(batch)))
        idle = tried(ordered(batch, evaluation.batch_set(batch), script="idle"))

        found = evaluation.summary_of(gold)
        assert found["readings"]["with"]["pass"] == [1.0, 1.0]
        assert found["grounded"] == {"trials": 8, "solved": 8, "accepted": 8}
        failed = evaluation.summary_of(idle)
        assert failed["readings"]["with"]["pass"] == [0.0, 0.0]
        assert failed["grounded"]["solved"] == 0

    def test_of_cells_are_tried_on_these_alone(self, batch: Batch) -> None:
        whole = evaluation.batch_set(batch)
        cell = (whole.tasks[0].axes.write_band, whole.tasks[0].axes.burden_band)

        part = evaluation.batch_set(batch, cells={cell})

        assert {(t.axes.write_band, t.axes.burden_band) for t in part.tasks} == {cell}
        with pytest.raises(BadRun, match="no task in that"):
            evaluation.batch_set(batch, cells={("4+", "15+")})

    def test_of_a_release_or_a_view_are_those_of_its_trajectories(self) -> None:
        owner = factories.make_owner()
        team = factories.team_of(owner)
        made = factories.make_batch(team=team, by=owner)
        for number in range(3):
            factories.make_trajectory(batch=made, number=number)
        now = timezone.now()
        slot = lease_next(user=owner, at=now)
        assert slot is not None
        submit_verdict(
            slot=slot,
            token=slot.token,
            reviewer=owner,
            verdict=Verdict.APPROVE,
            reason="",
            at=now,
        )
        release = freeze_release(team=team, name="first", by=owner, at=now)
        view = SavedView.objects.create(team=team, owner=owner, name="all", filters={})

        held_out = evaluation.release_set(release)
        seen = evaluation.view_set(view, by=owner, team=team)

        assert [one.own for one in held_out.tasks] == [
            slot.item.trajectory.simulation.task
        ]
        assert held_out.tasks[0].ledger is not None
        assert len(seen.tasks) == 3
        with pytest.raises(BadRun, match="no task in that"):
            evaluation.release_set(release, split="test")

    def test_leave_nothing_that_could_be_reviewed_or_released(
        self, batch: Batch
    ) -> None:
        tried(ordered(batch, evaluation.batch_set(batch)))

        assert not Trajectory.objects.exists()
        assert not ReviewItem.objects.exists()


class TestModels:
    def test_are_asked_for_each_trial_and_paid_for_once(
        self, batch: Batch, shop: Environment
    ) -> None:
        with chat_server(Talkers()) as server:
            both = endpoint(server.url)
            run = tried(
                ordered(
                    batch, benchmark(shop), agent=both, user_simulator=both, script=""
                )
            )
            answers = len(server.requests)

        assert run.status == RunStatus.DONE
        assert answers == 8 * 3  # help, sorry, stop
        assert run.turns == answers
        assert float(run.cost) == pytest.approx(0.014 * answers)
        trial = run.trial_rows.all()[0]
        assert (trial.agent_tokens, trial.user_tokens) == (3, 6)
        assert {one.failure for one in run.trial_rows.all()} == {"missing_write"}
        assert "<scenario>" in server.requests[0]["messages"][0]["content"]

    def test_that_break_off_are_counted_nowhere_and_tried_again_in_the_same_row(
        self, batch: Batch, shop: Environment
    ) -> None:
        talkers = Talkers()
        talkers.before = lambda request: (
            error_reply(400, "no") if request["seed"] == 626729 and "tools" in request else None
        )  # fmt: skip
        with chat_server(talkers) as server:
            both = endpoint(server.url)
            run = tried(
                ordered(
                    batch, benchmark(shop), agent=both, user_simulator=both, script=""
                )
            )
            found = evaluation.summary_of(run)
            assert (found["counted"], found["left_out"]) == (4, 4)
            rows = set(run.trial_rows.values_list("pk", flat=True))
            talkers.before = lambda request: None

            assert evaluation.retry_failed(run=run) == 4
            run = tried(run)

        assert set(run.trial_rows.values_list("pk", flat=True)) == rows
        assert evaluation.summary_of(run)["counted"] == 8
        assert run.status == RunStatus.DONE

    def test_stop_at_the_cap_and_go_on_under_a_higher_one(
        self, batch: Batch, shop: Environment
    ) -> None:
        with chat_server(Talkers()) as server:
            both = endpoint(server.url, max_in_flight=1)
            run = tried(
                ordered(
                    batch,
                    benchmark(shop),
                    agent=both,
                    user_simulator=both,
                    script="",
                    max_cost=Decimal("0.05"),
                )
            )
            assert run.status == RunStatus.PAUSED
            assert "cap of $0.05 is reached" in run.stopped_by
            assert 0.05 <= run.spent <= 0.05 + 2 * 0.014
            with pytest.raises(evaluation.CannotChange, match="Give a higher one"):
                evaluation.resume_run(
                    run=run, max_cost=Decimal("0.01"), max_tokens=None
                )
            evaluation.resume_run(run=run, max_cost=None, max_tokens=None)
            run = tried(run)

        assert run.status == RunStatus.DONE
        assert len(server.requests) == run.turns == 24


class TestKilledWorkers:
    def test_lose_what_they_held_to_others_and_write_nothing_afterwards(
        self, batch: Batch
    ) -> None:
        run = ordered(batch, evaluation.batch_set(batch), trials=1)
        trial = run.trial_rows.order_by("pk")[0]
        EvaluationTrial.objects.filter(pk=trial.pk).hold(
            runner="dead", lease=timedelta(seconds=-1)
        )
        [held] = load([trial.pk])
        late = Scored(
            Claim(trial.pk, 1, run.pk),
            {"ended_by": "user_stop", "messages": [], "reward": 0, "reward_without": 0},
        )
        assert held.claim == late.claim

        run = tried(run)
        record([late])

        trial.refresh_from_db()
        assert (trial.status, trial.attempt) == (TrialStatus.DONE, 2)
        assert (trial.reward, len(trial.messages) > 4) == (1.0, True)
        assert run.trial_rows.done().count() == 4

    def test_are_gone_on_from_where_they_were_without_asking_again(
        self, batch: Batch, shop: Environment
    ) -> None:
        talkers = Talkers()
        with chat_server(talkers) as server:
            both = endpoint(server.url)
            run = ordered(
                batch,
                benchmark(shop, ids=["0"]),
                agent=both,
                user_simulator=both,
                script="",
                trials=1,
            )
            tried(run)
            asked = len(server.requests)
            trial = run.trial_rows.get()
            # As if it had died after its second answer.
            EvaluationTurn.objects.filter(trial=trial, position__gte=2).delete()
            EvaluationTrial.objects.filter(pk=trial.pk).update(
                status=TrialStatus.RUNNING,
                lease_until=timezone.now() - timedelta(seconds=1),
            )
            EvaluationRun.objects.update(status=RunStatus.RUNNING, finished_at=None)

            run = tried(run)

        assert len(server.requests) == asked + 1
        assert run.status == RunStatus.DONE
        assert run.trial_rows.get().turns.count() == 3

    def test_cannot_bring_a_second_result_of_a_trial(self, batch: Batch) -> None:
        run = ordered(batch, evaluation.batch_set(batch), trials=1)
        row = run.trial_rows.order_by("pk")[0]
        row.pk = None

        with pytest.raises(IntegrityError), transaction.atomic():
            row.save(force_insert=True)

    def test_share_the_trials_among_them(self, batch: Batch) -> None:
        run = ordered(batch, evaluation.batch_set(batch), trials=6)

        def work() -> None:
            run_runner(desk=evaluation.TrialDesk())
            connection.close()

        threads = [threading.Thread(target=work) for _ in range(3)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()

        run.refresh_from_db()
        assert run.status == RunStatus.DONE
        assert set(run.trial_rows.values_list("attempt", flat=True)) == {1}
        assert run.trial_rows.done().count() == 24


class TestCancelling:
    @pytest.mark.parametrize("what", ["cancel", "retry"])
    def test_waits_for_a_runner_that_writes_down_and_never_the_other_way(
        self, batch: Batch, monkeypatch: pytest.MonkeyPatch, what: str
    ) -> None:
        run = ordered(batch, evaluation.batch_set(batch), trials=1)
        ((pk, *_), _left) = evaluation.TrialDesk().claim("me", 1, lambda run: 1)
        act = evaluation.cancel_run if what == "cancel" else evaluation.retry_failed
        troubles: list[Exception] = []

        def acted() -> None:
            try:
                act(run=run)
            except Exception as error:
                troubles.append(error)
            finally:
                connection.close()

        thread = threading.Thread(target=acted)

        def meanwhile(entries: Any) -> dict[int, Any]:
            """The trial's row is held, the run's not yet."""
            thread.start()
            until = time.monotonic() + 20
            while not waits_for_a_row():
                assert time.monotonic() < until, "nobody waits for the trial"
            return {}

        monkeypatch.setattr(desk, "_write_turns", meanwhile)
        standing = record([GivenBack(Claim(pk, 1, run.pk))])
        thread.join()

        assert not troubles
        assert standing.batches[run.pk] == RunStatus.RUNNING
        run.refresh_from_db()
        assert run.status == ("CANCELLED" if what == "cancel" else "RUNNING")


def waits_for_a_row() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


class TestJudge:
    def run_with(
        self, batch: Batch, shop: Environment, url: str, **more: Any
    ) -> EvaluationRun:
        run = ordered(batch, benchmark(shop), trials=1, judge=endpoint(url), **more)
        return tried(run)

    def test_is_asked_apart_and_paid_apart(
        self, batch: Batch, shop: Environment
    ) -> None:
        talkers = Talkers()
        with chat_server(talkers) as server:
            run = self.run_with(batch, shop, server.url)
            assert run.status == RunStatus.RUNNING
            assert evaluation.waiting_to_be_judged() == [run.pk]
            assert not server.requests

            judge_all(run)

        assert run.status == RunStatus.DONE
        assert talkers.judged == 2
        assert (float(run.cost), float(run.judge_cost)) == (0, pytest.approx(0.028))
        assert run.judge_tokens == 28
        found = evaluation.summary_of(run)
        assert found["readings"]["with"]["pass"] == [1.0]
        judged = run.trial_rows.filter(judge_status=JudgeStatus.DONE)
        assert judged.count() == 2
        assert judged[0].reward_info["nl_assertions"][0]["nl_assertion"] == JUDGED[0]

    def test_decides_the_reading_with_it_alone(
        self, batch: Batch, shop: Environment
    ) -> None:
        with chat_server(Talkers(lambda: text_reply(verdicts(False)))) as server:
            run = self.run_with(batch, shop, server.url)
            judge_all(run)

        found = evaluation.summary_of(run)["readings"]
        assert (found["with"]["pass"], found["without"]["pass"]) == ([0.5], [1.0])
        kinds = run.trial_rows.exclude(failure="").values_list("failure", "owner")
        assert set(kinds) == {("judged_not_met", "agent")}

    def test_that_talks_nonsense_is_asked_again_and_costs_no_conversation(
        self, batch: Batch, shop: Environment
    ) -> None:
        talkers = Talkers(lambda: text_reply("Everything is fine."))
        with chat_server(talkers) as server:
            run = self.run_with(batch, shop, server.url)
            judge_all(run)

            assert talkers.judged == 2 * 4
            left = run.trial_rows.filter(judge_status=JudgeStatus.FAILED)
            assert left.count() == 2
            for one in left:
                assert one.messages
                assert (one.reward, one.reward_without) == (None, 1.0)
                assert "not JSON" in one.judge_finding
            assert run.status == RunStatus.DONE
            assert float(run.judge_cost) == pytest.approx(8 * 0.014)

            talkers.judge = lambda: text_reply(verdicts(True))
            assert evaluation.retry_failed(run=run) == 2
            judge_all(run)

        assert evaluation.summary_of(run)["readings"]["with"]["pass"] == [1.0]

    def test_that_is_gone_pauses_the_run(self, batch: Batch, shop: Environment) -> None:
        with chat_server(Talkers(lambda: error_reply(401, "who?"))) as server:
            run = self.run_with(batch, shop, server.url)
            judge_all(run)

        assert run.status == RunStatus.PAUSED
        assert "The judge cannot be used" in run.stopped_by
        waiting = run.trial_rows.filter(judge_status=JudgeStatus.WAITING)
        assert {one.judge_attempt for one in waiting} == {0}

    def test_is_not_asked_where_the_rest_is_nothing(
        self, batch: Batch, shop: Environment
    ) -> None:
        with chat_server(Talkers()) as server:
            run = self.run_with(batch, shop, server.url, script="idle")

        assert run.status == RunStatus.DONE
        assert not server.requests
        assert evaluation.summary_of(run)["readings"]["with"]["tasks"] == 4

    def test_stops_at_the_cap(self, batch: Batch, shop: Environment) -> None:
        with chat_server(Talkers()) as server:
            run = self.run_with(batch, shop, server.url, max_cost=Decimal("0.01"))
            judge_all(run)

        assert run.status == RunStatus.PAUSED
        assert len(server.requests) == 1


class TestComparison:
    def test_is_of_the_tasks_that_both_were_asked_alike(
        self, batch: Batch, shop: Environment
    ) -> None:
        left = tried(ordered(batch, benchmark(shop), script="idle"))
        row = ReferenceTask.objects.get(task_id="3")
        row.content["description"]["notes"] = "changed"
        row.save()
        right = tried(ordered(batch, benchmark(shop, split="test")))

        found = evaluation.comparison_of(left, right)

        assert (found["common"], found["changed"], found["left_only"]) == (2, 1, 1)
        gain = found["readings"]["without"]["pass"][0]["difference"]
        assert (gain["mean"], gain["low"]) == (1.0, 1.0)

    def test_of_runs_without_a_common_task_is_refused(
        self, batch: Batch, shop: Environment
    ) -> None:
        left = ordered(batch, benchmark(shop, split="train"))
        right = ordered(batch, benchmark(shop, split="test"))

        with pytest.raises(evaluation.NothingInCommon, match="no task in common"):
            evaluation.comparison_of(left, right)

    def test_says_what_decided_between_two_trials(self, batch: Batch) -> None:
        tasks = evaluation.batch_set(batch)
        gold = tried(ordered(batch, tasks, trials=1)).trial_rows.order_by("pk")[0]
        idle = tried(ordered(batch, tasks, trials=1, script="idle"))
        other = idle.trial_rows.get(task__key=gold.task.key)

        both = evaluation.side_by_side(gold, other)

        assert "never writes" in both.sentence
        assert [mark for _, mark in both.marked() if mark == "effect"] == ["effect"]


class TestFiles:
    def test_go_out_and_come_in_with_the_same_rewards(
        self, batch: Batch, shop: Environment, tmp_path: Any
    ) -> None:
        with chat_server(Talkers(lambda: text_reply(verdicts(False)))) as server:
            run = tried(ordered(batch, benchmark(shop), judge=endpoint(server.url)))
            judge_all(run)
        path = tmp_path / "results.json"
        path.write_text("".join(evaluation.export_run(run)))

        again = evaluation.import_run(path=path, team=batch.team, by=batch.created_by)

        def told(of: EvaluationRun) -> list[Any]:
            rows = of.trial_rows.order_by("task__task_id", "trial")
            return list(rows.values_list("task__task_id", "trial", "reward", "messages"))  # fmt: skip

        assert [row[:3] for row in told(again)] == [row[:3] for row in told(run)]
        assert evaluation.summary_of(again)["readings"]["with"]["pass"] == [0.5, 0.5]
        assert again.imported
        once_more = evaluation.import_run(
            path=path, team=batch.team, by=batch.created_by
        )
        assert once_more.pk == again.pk

    def test_of_another_domain_are_refused_whole(
        self, batch: Batch, shop: Environment, tmp_path: Any
    ) -> None:
        path = tmp_path / "results.json"
        text = "".join(evaluation.export_run(tried(ordered(batch, benchmark(shop)))))
        path.write_text(text.replace('"domain_name": "retail"', '"domain_name": "x"'))

        with pytest.raises(BadRun, match="no environment 'x'"):
            evaluation.import_run(path=path, team=batch.team, by=batch.created_by)

        assert EvaluationRun.objects.count() == 1


def test_another_team_sees_nothing_of_a_run(batch: Batch) -> None:
    run = ordered(batch, evaluation.batch_set(batch))
    stranger = factories.make_owner(team=factories.make_team())

    assert not EvaluationRun.objects.visible_to(stranger).exists()
    assert not EvaluationTrial.objects.visible_to(stranger).exists()
    assert run in EvaluationRun.objects.visible_to(batch.created_by)

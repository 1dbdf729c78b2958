import json
import tracemalloc
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from tests.factories import make_owner, make_reviewer
from tests.services.runs import ordered
from tests.services.runs import run as run_batch
from tests.stored_batches import play_batch
from writ_app.adapters.tau2_results import read_results
from writ_app.engine.types import Trajectory as Talk
from writ_app.models.catalog import Environment
from writ_app.models.synthesis import Batch, ModelEndpoint, Trajectory
from writ_app.services.synthesis import results

pytestmark = pytest.mark.django_db(transaction=True)


def run(*words: object) -> str:
    out = StringIO()
    call_command("export_results", *map(str, words), stdout=out)
    return out.getvalue()


@pytest.fixture
def batch() -> Batch:
    return play_batch(ordered=4, faults=["wrong_argument"])


class TestExportResults:
    def test_writes_every_simulation_as_it_was_played(
        self, batch: Batch, tmp_path: Path
    ) -> None:
        path = tmp_path / "results.json"

        printed = run("--batch", batch.pk, "--out", path)

        assert printed == f"4 simulations written to {path}.\n"
        rows = Trajectory.objects.order_by("simulation_id")
        talks = [Talk.model_validate(row.content) for row in rows]
        read = list(read_results(path).simulations())
        assert [one.messages for one in read] == [talk.messages for talk in talks]
        assert [one.task_id for one in read] == [r.simulation.task.slug for r in rows]
        value = json.loads(path.read_text())
        assert [task["id"] for task in value["tasks"]] == [one.task_id for one in read]
        assert {one["duration"] for one in value["simulations"]} == {30.0}

    def test_writes_the_same_bytes_each_time(
        self, batch: Batch, tmp_path: Path
    ) -> None:
        one, other = tmp_path / "one.json", tmp_path / "other.json"
        for path in (one, other):
            run("--batch", batch.pk, "--out", path, "--with-rewards")

        assert one.read_bytes() == other.read_bytes()

    def test_writes_what_every_answer_took_where_that_was_recorded(
        self, tmp_path: Path
    ) -> None:
        with ordered(ordered=1) as (batch, _):
            run_batch()
        path = tmp_path / "results.json"
        run("--batch", batch.pk, "--out", path)
        (one,) = json.loads(path.read_text())["simulations"]
        _, *answers = [m for m in one["messages"] if m["role"] != "tool"]
        tokens = {"completion_tokens": 3, "prompt_tokens": 11}
        assert [m["usage"] for m in answers] == [tokens] * len(answers)
        batch.refresh_from_db()
        both = one["agent_cost"] + one["user_cost"]
        assert both == pytest.approx(float(batch.cost))

    def test_leaves_rewards_to_the_outside_judge_unless_asked(
        self, batch: Batch, tmp_path: Path
    ) -> None:
        path = tmp_path / "results.json"
        run("--batch", batch.pk, "--out", path)
        assert {one.reward for one in read_results(path).simulations()} == {None}

        run("--batch", batch.pk, "--out", path, "--with-rewards")

        rewards = [one.reward for one in read_results(path).simulations()]
        assert rewards == [0.0, 1.0, 1.0, 1.0]

    def test_writes_only_what_was_accepted(self, batch: Batch, tmp_path: Path) -> None:
        path = tmp_path / "results.json"

        printed = run("--batch", batch.pk, "--out", path, "--accepted")

        assert printed.startswith("3 simulations")
        assert len(json.loads(path.read_text())["tasks"]) == 3

    def test_counts_trials_of_one_task(self, batch: Batch, tmp_path: Path) -> None:
        first, second = batch.simulations.order_by("pk")[:2]
        second.task = first.task
        second.save(update_fields=["task"])
        path = tmp_path / "results.json"

        run("--batch", batch.pk, "--out", path)

        value = json.loads(path.read_text())
        assert value["info"]["num_trials"] == 2
        assert [one["trial"] for one in value["simulations"]] == [0, 1, 0, 0]
        assert len(value["tasks"]) == 3

    def test_names_models_and_only_how_they_spoke(
        self, batch: Batch, tmp_path: Path
    ) -> None:
        batch.agent = ModelEndpoint.objects.create(
            name="local",
            model="openai/x",
            base_url="http://10.0.0.1/v1",
            parameters={"temperature": 0.3, "extra_headers": {"x": "secret"}},
        )
        batch.save(update_fields=["agent"])
        path = tmp_path / "results.json"

        run("--batch", batch.pk, "--out", path)

        info = json.loads(path.read_text())["info"]["agent_info"]
        assert (info["llm"], info["llm_args"]) == ("openai/x", {"temperature": 0.3})
        assert "secret" not in path.read_text()
        assert "10.0.0.1" not in path.read_text()

    def test_needs_no_more_memory_for_more_simulations(
        self, batch: Batch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(results, "AT_ONCE", 1)
        for _ in results.export_results(batch):
            pass  # what is loaded once
        tracemalloc.start()
        sizes = []
        for part in results.export_results(batch):
            if '"messages"' in part:
                sizes.append(tracemalloc.get_traced_memory()[0])
            del part
        tracemalloc.stop()

        assert len(sizes) == 4
        assert sizes[-1] - sizes[1] < 100_000

    def test_leaves_no_half_a_file(self, batch: Batch, tmp_path: Path) -> None:
        Environment.objects.update(content_hash="0" * 64, policy="Another.")
        path = tmp_path / "results.json"

        with pytest.raises(CommandError, match="no longer what it was"):
            run("--batch", batch.pk, "--out", path)

        assert list(tmp_path.iterdir()) == []

    def test_says_what_is_not_there(self, batch: Batch, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="There is no batch 0"):
            run("--batch", 0, "--out", tmp_path / "x.json")
        with pytest.raises(CommandError, match="cannot be written"):
            run("--batch", batch.pk, "--out", tmp_path / "no" / "x.json")
        empty = play_batch(ordered=1, faults=["wrong_argument"])
        with pytest.raises(CommandError, match="no accepted simulations"):
            run("--batch", empty.pk, "--out", tmp_path / "x.json", "--accepted")


class TestDownload:
    def test_is_an_owners(self, batch: Batch, tmp_path: Path) -> None:
        address = reverse("batch_results", args=[batch.pk])
        page = reverse("batch", args=[batch.pk])
        owner, reviewer = Client(), Client()
        owner.force_login(batch.created_by)
        reviewer.force_login(make_reviewer(team=batch.team))
        stranger = Client()
        stranger.force_login(make_owner())

        response = owner.get(address)

        assert response["Content-Disposition"].startswith("attachment")
        text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
        assert text == "".join(results.export_results(batch))
        assert address in owner.get(page).content.decode()
        assert reviewer.get(address).status_code == 403
        assert address not in reviewer.get(page).content.decode()
        assert stranger.get(address).status_code == 404

    def test_says_when_the_environment_has_changed(self, batch: Batch) -> None:
        Environment.objects.update(content_hash="0" * 64, policy="Another.")
        client = Client()
        client.force_login(batch.created_by)

        response = client.get(reverse("batch_results", args=[batch.pk]))

        assert response.status_code == 409

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.adapters.test_tau2_results import minimal, written
from tests.factories import make_batch, make_owner, make_trajectory, team_of
from writ_app.models.curation import SavedView
from writ_app.models.report import Report
from writ_app.models.synthesis import Batch
from writ_app.services.catalog import import_results

pytestmark = pytest.mark.django_db(transaction=True)


def run(*words: object) -> dict[str, object]:
    out = StringIO()
    call_command("report", *map(str, words), stdout=out, stderr=StringIO())
    return dict(json.loads(out.getvalue()))


@pytest.fixture
def batch() -> Batch:
    owner = make_owner()
    found = make_batch(team=team_of(owner), by=owner)
    make_trajectory(batch=found)
    return found


class TestReport:
    def test_of_a_batch_is_written_as_json_and_kept(
        self, batch: Batch, tmp_path: Path
    ) -> None:
        out = tmp_path / "report.json"

        told = run("--batch", batch.pk, "--out", out)

        assert json.loads(out.read_text())["report"]["observed"] == 1
        assert told["sha256_of_json"] == Report.objects.get().content_hash

    def test_beside_a_reference_set_is_written_as_html(
        self, batch: Batch, tmp_path: Path
    ) -> None:
        (reference,) = import_results(root=written(tmp_path, minimal()))
        out = tmp_path / "report.html"

        run("--batch", batch.pk, "--against", reference.pk, "--out", out)

        assert 'id="calibration"' in out.read_text()

    def test_of_a_view_is_of_what_its_owner_sees(
        self, batch: Batch, tmp_path: Path
    ) -> None:
        make_trajectory(team=team_of(make_owner()))
        SavedView.objects.create(
            team=batch.team, owner=batch.created_by, name="mine", filters={}
        )

        told = run("--view", "mine", "--out", tmp_path / "report.json")

        assert told["trajectories"] == 1

    def test_of_a_reference_set_is_kept_by_the_first_team(
        self, batch: Batch, tmp_path: Path
    ) -> None:
        (reference,) = import_results(root=written(tmp_path, minimal()))

        run("--reference", reference.pk, "--out", tmp_path / "report.json")

        assert Report.objects.get().team == batch.team

    @pytest.mark.parametrize(
        ("words", "why"),
        [
            (["--batch", "99", "--out", "x.json"], "no batch 99"),
            (["--release", "none", "--out", "x.json"], "no frozen release none"),
            (["--batch", "1", "--out", "x.pdf"], ".html or .json"),
        ],
    )
    def test_of_what_there_is_not_is_refused(self, words: list[str], why: str) -> None:
        with pytest.raises(CommandError, match=why):
            run(*words)

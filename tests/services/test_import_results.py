import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.adapters.test_tau2_results import as_directory, minimal, written
from tests.factories import make_environment
from writ_app.adapters.tau2_results import BadResults
from writ_app.models.catalog import Environment, ReferenceSet, ReferenceTrajectory
from writ_app.services import catalog

pytestmark = pytest.mark.django_db


class TestImportResults:
    def test_keeps_the_messages_and_everything_else(self, tmp_path: Path) -> None:
        (row,) = catalog.import_results(root=written(tmp_path, minimal()))

        kept = row.trajectories.get()
        assert (row.name, row.domain, row.environment) == ("file.json", "retail", None)
        assert [message["role"] for message in kept.messages][-1] == "tool"
        given = minimal()["simulations"][0]
        del given["messages"]
        assert kept.content == given

    def test_twice_changes_nothing(self, tmp_path: Path) -> None:
        path = written(tmp_path, minimal())

        first = catalog.import_results(root=path)

        assert catalog.import_results(root=path) == first
        assert ReferenceTrajectory.objects.count() == 1

    def test_finds_the_environment_by_domain_and_policy(self, tmp_path: Path) -> None:
        row, value = make_environment(), minimal()
        value["info"]["environment_info"]["policy"] = row.policy

        (made,) = catalog.import_results(root=written(tmp_path, value))

        assert made.environment == row

    def test_again_finds_an_environment_that_came_later(self, tmp_path: Path) -> None:
        path = written(tmp_path, minimal())
        (first,) = catalog.import_results(root=path)

        (second,) = catalog.import_results(root=path, environment=make_environment())

        assert first.environment is None
        assert second == first
        assert second.environment == make_environment()

    def test_refuses_an_environment_of_another_domain(self, tmp_path: Path) -> None:
        value = minimal()
        value["info"]["environment_info"]["domain_name"] = "telecom"

        with pytest.raises(BadResults, match="domain_name"):
            catalog.import_results(
                root=written(tmp_path, value), environment=make_environment()
            )

    def test_of_a_folder_with_one_bad_file_leaves_nothing_behind(
        self, tmp_path: Path
    ) -> None:
        written(tmp_path, minimal(), "a.json")
        as_directory(tmp_path, minimal())
        bad = minimal()
        del bad["simulations"][0]["id"]
        written(tmp_path, bad, "z.json")

        with pytest.raises(BadResults, match=r"z\.json, \$\.simulations\[0\]\.id"):
            catalog.import_results(root=tmp_path)

        assert not ReferenceSet.objects.exists()

    def test_takes_texts_that_databases_dislike(self, tmp_path: Path) -> None:
        value = minimal()
        odd = "nul \x00, lone \ud800, \u202e"
        value["simulations"][0]["messages"][0]["content"] = odd

        (row,) = catalog.import_results(root=written(tmp_path, value))

        row.refresh_from_db()
        said = row.trajectories.get().messages[0]["content"]
        assert said == "nul \ufffd, lone \ufffd, \u202e"

    def test_survives_deep_nesting(self, tmp_path: Path) -> None:
        text = json.dumps(minimal())
        for depth in (500, 50_000):
            deep = "[" * depth + "]" * depth
            path = written(tmp_path, text.replace('"x"', deep, 1), f"{depth}.json")
            try:
                catalog.import_results(root=path)
            except BadResults:
                continue

    def test_of_the_samples_goes_round(self, tau2_root: Path) -> None:
        sets = catalog.import_results(root=tau2_root / "samples")

        assert [row.name for row in sets] == [
            "minimal_results.json",
            "tau2_results_sample.json",
        ]
        for row in sets:
            raw = json.loads((tau2_root / "samples" / row.name).read_text())
            simulations = raw.pop("simulations")
            assert row.content == raw
            for given, kept in zip(simulations, row.trajectories.all(), strict=True):
                told = given.pop("messages")
                assert kept.content == given
                assert [m["content"] for m in kept.messages] == [
                    m.get("content") or "" for m in told
                ]


class TestCommand:
    def test_says_what_came_in(self, tmp_path: Path) -> None:
        out, row = StringIO(), make_environment()

        call_command(
            "import_results",
            str(written(tmp_path, minimal())),
            "--environment",
            row.name,
            "--version",
            row.version,
            stdout=out,
        )

        assert out.getvalue() == f"file.json: 1 trajectories in {row}\n"

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            ([], "Nothing was imported. file.json, \\$: must hold one JSON object"),
            (["--environment", "moon"], "no moon; there is none"),
            (["--version", "1"], "--version needs --environment"),
        ],
    )
    def test_says_what_is_wrong(
        self, tmp_path: Path, words: list[str], says: str
    ) -> None:
        with pytest.raises(CommandError, match=says):
            call_command("import_results", str(written(tmp_path, "[]")), *words)

        assert not Environment.objects.exists()


def test_import_tau2_has_a_version_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no data/tau2/domains"):
        call_command("import_tau2", str(tmp_path), "--version", "mine")

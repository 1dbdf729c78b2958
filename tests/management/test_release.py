"""`manage.py release`: every part, what it prints, and how it ends."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.factories import (
    judge,
    make_batch,
    make_member,
    make_owner,
    make_reviewer,
    make_trajectory,
    team_of,
)
from writ_app.models.accounts import Role
from writ_app.models.curation import SavedView
from writ_app.models.release import Release
from writ_app.models.review import Verdict
from writ_app.models.synthesis import Trajectory

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_owner(name="ada")


@pytest.fixture
def rows(owner):
    batch = make_batch(team=team_of(owner), by=owner)
    made = [make_trajectory(batch=batch, number=number) for number in range(3)]
    for row in made:
        judge(row, Verdict.APPROVE, owner)
    return made


def told(*words: Any) -> str:
    out = io.StringIO()
    call_command("release", *map(str, words), stdout=out, stderr=io.StringIO())
    return out.getvalue()


def told_json(*words: Any) -> Any:
    return json.loads(told(*words, "--json"))


def freeze(name: str = "first", *words: Any) -> None:
    told("draft", name, *words)
    told("freeze", name)


class TestDraft:
    def test_follows_every_part_of_a_recipe(self, rows):
        found = told_json(
            *("draft", "first", "--cap", 5, "--cell-cap", "1/4-6=4", "--seed", 7),
            *("--shares", "train=0.5,test=0.5", "--tokenizer", "estimate"),
            *("--max-tokens", 90000, "--filter", "environment=retail"),
            *("--licence", "MIT", "--description", "D."),
        )

        assert found["release"] == "first-v1"
        assert found["stage"] == "draft, ready"
        assert found["trajectories"] == 3
        assert sum(found["splits"].values()) == 3
        recipe = found["recipe"]
        assert recipe["shares"] == {"train": 0.5, "test": 0.5}
        assert (recipe["cap"], recipe["caps"]) == (5, {"1/4-6": 4})
        assert recipe["filters"] == {"environment": ["retail"]}
        assert found["licence"] == "MIT"

    def test_changes_the_draft_that_there_is_and_keeps_what_is_not_named(self, rows):
        told("draft", "first", "--cap", 5, "--licence", "MIT")

        found = told_json("draft", "first", "--seed", 3)

        assert found["release"] == "first-v1"
        assert (found["recipe"]["cap"], found["recipe"]["seed"]) == (5, 3)
        assert found["licence"] == "MIT"
        assert told_json("draft", "first", "--new")["release"] == "first-v2"

    def test_takes_a_file_and_a_saved_view(self, rows, owner, tmp_path):
        SavedView.objects.create(
            team=team_of(owner),
            owner=owner,
            name="None",
            filters={"environment": ["nowhere"]},
        )
        path = tmp_path / "recipe.json"
        path.write_text(json.dumps({"seed": 9, "cap": 1}))

        found = told_json("draft", "first", "--recipe", path, "--view", "None")

        assert (found["recipe"]["seed"], found["recipe"]["view"]) == (9, "None")
        assert found["trajectories"] == 0

    @pytest.mark.parametrize(
        ("words", "complaint"),
        [
            (("--shares", "train=0.5"), "make 0.5, not 1"),
            (("--shares", "train"), "'train' is not a name, = and a number"),
            (("--filter", "team=1"), "team=1 is no filter"),
            (("--view", "x"), "no saved view 'x'"),
            (("--by", "bob"), "bob is a curator or owner of the team"),
            (("--team", "x"), "no team 'x'"),
            (("--recipe", "/nowhere"), "No such file"),
            (
                ("--gate", "retail/x"),
                "nothing to keep away from was imported as 'retail/x'",
            ),
        ],
    )
    def test_says_what_is_wrong(self, rows, owner, words, complaint):
        make_reviewer(team=team_of(owner), name="bob")

        with pytest.raises(CommandError, match=complaint):
            told("draft", "first", *words)

    def test_is_made_by_a_curator_who_is_named(self, rows, owner):
        make_member(team=team_of(owner), role=Role.CURATOR, name="cleo")

        told("draft", "first", "--by", "cleo")

        assert str(Release.objects.get(name="first").created_by) == "cleo"

    def test_asks_which_team_if_there_are_several(self, rows, owner):
        other = make_owner()

        with pytest.raises(CommandError, match="several teams: say which with --team"):
            told("draft", "first")
        told("draft", "first", "--team", team_of(owner).name)
        assert team_of(other).releases.count() == 0


class TestFreezeAndShow:
    def test_tell_the_hash_and_the_figures(self, rows):
        freeze()

        release = Release.objects.get()
        text = told("show", "first")
        assert release.content_hash in text
        assert "split train: 3" in text
        assert "first-v1" in told("list")
        assert told_json("list")[0]["stage"] == "frozen"

    def test_preview_says_what_is_left_out(self, rows):
        told("draft", "first", "--cap", 0)

        assert "over the cap of its cell: 3" in told("preview", "first-v1")
        with pytest.raises(
            CommandError, match="everything that its recipe finds is left out"
        ):
            told("freeze", "first")

    def test_names_those_there_are_if_it_knows_none(self, rows):
        freeze()

        with pytest.raises(
            CommandError, match=r"no release firs\. There are: first-v1"
        ):
            told("show", "firs")


class TestFiles:
    def test_are_written_and_left_alone_when_they_are_right(self, rows, tmp_path):
        freeze()
        words = ("files", "first", "--out", tmp_path, "--format", "trl")

        first = told_json(*words)
        again = told_json(*words, "--resume")

        assert first["wrong"] == again["wrong"] == 0
        assert (tmp_path / "trl/train.jsonl").exists()
        assert (tmp_path / "SHA256SUMS").exists()
        assert not (tmp_path / "axolotl").exists()
        states = {one["path"]: one["state"] for one in again["files"]}
        assert states["trl/train.jsonl"] == "skipped"

    def test_of_a_draft_are_refused_with_what_to_do(self, rows, tmp_path):
        told("draft", "first")

        with pytest.raises(CommandError, match="release freeze first-v1"):
            told("export", "first", "--out", tmp_path)


class TestRebuildAndVerify:
    def test_find_nothing_wrong(self, rows, tmp_path):
        freeze()
        told("export", "first", "--out", tmp_path)

        assert told_json("rebuild", "first")["wrong"] == 0
        assert told_json("rebuild", "--from", tmp_path)["wrong"] == 0
        assert told_json("verify", "first-v1")["wrong"] == 0
        assert told_json("verify", "--from", tmp_path)["wrong"] == 0

    def test_end_with_a_list_of_what_is_wrong(self, rows, tmp_path):
        freeze()
        told("export", "first", "--out", tmp_path)
        (tmp_path / "trl/train.jsonl").write_text("x")
        row = rows[0]
        Trajectory.objects.filter(pk=row.pk).update(
            content={**row.content, "user": "other"}
        )

        for words in (("rebuild", "first"), ("verify", "first")):
            with pytest.raises(
                CommandError, match=r"trajectories\.jsonl: .*trajectory"
            ):
                told(*words)
        with pytest.raises(CommandError, match=r"1 of .* files are not"):
            told("verify", "--from", tmp_path)

    def test_from_a_folder_needs_no_database(self, rows, tmp_path, monkeypatch):
        freeze()
        told("export", "first", "--out", tmp_path, "--format", "trl")

        def never(*args: Any, **kwargs: Any) -> Any:
            raise AssertionError("asked for a database")

        monkeypatch.setattr(
            "writ_app.management.commands.release.services_running", never
        )
        monkeypatch.setattr("django.db.backends.utils.CursorWrapper.execute", never)

        assert (
            told_json("rebuild", "--from", tmp_path, "--out", tmp_path / "again")[
                "wrong"
            ]
            == 0
        )
        assert (tmp_path / "again/trl/train.jsonl").read_bytes() == (
            tmp_path / "trl/train.jsonl"
        ).read_bytes()

    @pytest.mark.parametrize("words", [("rebuild",), ("verify", "x", "--from", "y")])
    def test_want_a_name_or_a_folder(self, words):
        with pytest.raises(CommandError, match="NAME, or --from DIR"):
            told(*words)

    def test_say_what_a_folder_lacks(self, tmp_path: Path):
        with pytest.raises(CommandError, match=r"release files --out"):
            told("rebuild", "--from", tmp_path)


class TestDiff:
    def test_tells_what_differs(self, rows):
        freeze()
        freeze("first", "--new", "--shares", "train=0.5,test=0.5")

        text = told("diff", "first-v1", "first-v2")
        found = told_json("diff", "first-v1", "first-v2")

        assert "0 added, 0 removed" in text
        assert len(found["moved"]) == found["splits"]["test"]["after"] > 0

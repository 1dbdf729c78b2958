import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.factories import make_owner, team_of
from writ_app.models.catalog import ReferenceSet

pytestmark = pytest.mark.django_db(transaction=True)

ROW = json.dumps({"messages": [{"role": "user", "content": "Hi"}]})


def run(*words: object) -> str:
    out = StringIO()
    call_command("import_reference", *map(str, words), stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "chats.jsonl"
    path.write_text(f"{ROW}\n{ROW}\n")
    return path


class TestImportReference:
    def test_brings_a_file_in_and_says_how_much(self, path: Path) -> None:
        assert run(path) == "chats.jsonl: 2 conversations (Chat messages).\n"
        assert run(path) == "chats.jsonl is here already.\n"
        assert ReferenceSet.objects.get().team is None

    def test_gives_it_to_a_team_under_a_name(self, path: Path) -> None:
        team = team_of(make_owner(name="ada"))

        run(path, "--team", team.name, "--name", "Chats", "--format", "trl")

        row = ReferenceSet.objects.get()
        assert (row.team, row.name) == (team, "Chats")

    def test_tells_in_json(self, path: Path) -> None:
        (told,) = json.loads(run(path, "--json"))

        assert (told["rows"], told["format"], told["new"]) == (2, "chat", True)

    def test_goes_on_after_a_refused_file_and_fails_in_the_end(
        self, path: Path, tmp_path: Path
    ) -> None:
        bad = tmp_path / "bad.jsonl"
        bad.write_text(f"{ROW}\n{{\n")

        with pytest.raises(CommandError, match=r"bad\.jsonl, line 2, column 2"):
            run(bad, path)

        assert [row.name for row in ReferenceSet.objects.all()] == ["chats.jsonl"]

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (["--team", "nobody"], "no team 'nobody'"),
            (["--format", "nope"], "invalid choice"),
        ],
    )
    def test_refuses_what_there_is_not(
        self, path: Path, words: list[str], says: str
    ) -> None:
        with pytest.raises(CommandError, match=says):
            run(path, *words)

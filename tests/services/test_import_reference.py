"""Files of conversations as reference sets: every format of ours comes back, and a file is in whole or not at all."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from tests.adapters.test_tau2_results import minimal, written
from tests.engine.export.made import dataset
from tests.engine.export.test_formats import WITH_ROWS, expected
from tests.factories import (
    judge,
    make_batch,
    make_owner,
    make_trajectory,
    make_user,
    team_of,
)
from writ_app.engine.export.folder import FolderDataset, write_canonical
from writ_app.engine.export.formats import FORMATS
from writ_app.engine.export.options import Options
from writ_app.engine.export.records import Json, Record
from writ_app.engine.export.writing import files
from writ_app.engine.importing import BadFile
from writ_app.models.accounts import Team
from writ_app.models.catalog import ReferenceSet, ReferenceTrajectory
from writ_app.models.release import Release, ReleaseMember
from writ_app.models.review import ReviewItem, Verdict
from writ_app.services.catalog.reference_dataset import ReferenceDataset
from writ_app.services.catalog.reference_rows import copying
from writ_app.services.catalog.references import (
    Brought,
    SetInUse,
    delete_reference_set,
    import_reference,
)
from writ_app.services.release import Recipe, draft_release
from writ_app.services.release.gates import OF_SET, SHORT
from writ_app.services.release.recipe import dump_recipe

pytestmark = pytest.mark.django_db

GOOD = {"messages": [{"role": "user", "content": "Hi"}]}


def lines(folder: Path, *rows: Any, name: str = "file.jsonl") -> Path:
    path = folder / name
    text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text(text + "\n", encoding="utf-8", errors="surrogatepass")
    return path


def brought(path: Path, **more: Any) -> ReferenceSet:
    row = import_reference(path=path, **more).row
    row.refresh_from_db()
    return row


def refusal(path: Path, **more: Any) -> str:
    with pytest.raises(BadFile) as error:
        import_reference(path=path, **more)
    assert not ReferenceSet.objects.exists()
    assert not ReferenceTrajectory.objects.exists()
    return str(error.value)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The canonical files of a dataset, and every format made from them."""
    path = tmp_path_factory.mktemp("dataset")
    for file in write_canonical(dataset()):
        (path / file.path).write_bytes(b"".join(file.chunks))
    for file in files(FolderDataset(path), list(FORMATS), Options()):
        place = path / file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"".join(file.chunks))
    return path


def data_files(folder: Path, slug: str) -> Iterator[Path]:
    fmt = FORMATS[slug]
    pattern = "*/results.json" if fmt.write else f"*.{fmt.suffix}"
    for path in sorted((folder / fmt.folder).glob(pattern), reverse=True):
        if path.name != "dataset_info.json":
            yield path


class TestRoundTrip:
    @pytest.mark.parametrize("slug", WITH_ROWS)
    def test_what_we_write_comes_back_equal_but_for_what_a_format_loses(
        self, folder: Path, slug: str
    ) -> None:
        """Train and test split are files of their own, the former read first."""
        fmt, wanted = FORMATS[slug], list(FolderDataset(folder).records())

        found = [
            record
            for path in data_files(folder, slug)
            for record in ReferenceDataset(brought(path)).records()
        ]

        assert len(found) == len(wanted) == 8
        for record, canonical in zip(found, wanted, strict=True):
            conversation = expected(fmt, canonical, Options())
            assert record.messages == conversation.messages
            if slug not in ("tau2_results",):
                assert record.world.system == canonical.world.system
                assert list(record.world.tools) == list(canonical.world.tools)

    @pytest.mark.parametrize("slug", ["jsonl", "parquet"])
    def test_canonical_rows_keep_everything(self, folder: Path, slug: str) -> None:
        found = [
            record
            for path in data_files(folder, slug)
            for record in ReferenceDataset(brought(path)).records()
        ]

        assert [told(one) for one in found] == [
            told(one) for one in FolderDataset(folder).records()
        ]

    @pytest.mark.parametrize("slug", WITH_ROWS)
    def test_a_named_format_is_read_as_that(self, folder: Path, slug: str) -> None:
        path = next(data_files(folder, slug))

        named = ReferenceDataset(brought(path, kind=slug))

        assert list(named.records())


def told(record: Record) -> Json:
    return {**record.as_json, "environment": record.world.name}


class TestFiles:
    def test_a_json_list_is_read_like_lines(self, tmp_path: Path) -> None:
        path = tmp_path / "file.json"
        path.write_text("\ufeff" + json.dumps([GOOD, GOOD], indent=1))

        assert brought(path).trajectories.count() == 2

    def test_empty_lines_and_carriage_returns_are_no_rows(self, tmp_path: Path) -> None:
        path = tmp_path / "file.jsonl"
        row = json.dumps(GOOD)
        path.write_bytes(f"\ufeff{row}\r\n\r\n{row}".encode())

        assert brought(path).trajectories.count() == 2

    def test_it_comes_in_once_per_team(self, tmp_path: Path) -> None:
        path, teams = lines(tmp_path, GOOD), [team_of(make_owner(name="ada")), None]

        sets = [brought(path, team=team) for team in teams * 2]

        assert sets[0] == sets[2] != sets[1] == sets[3]
        assert ReferenceTrajectory.objects.count() == 2

    def test_it_is_seen_by_its_team_and_what_is_nobodys_by_all(
        self, tmp_path: Path
    ) -> None:
        ada, bob = make_owner(name="ada"), make_user(name="bob")
        ours = brought(lines(tmp_path, GOOD), team=team_of(ada))
        shared = brought(lines(tmp_path, GOOD, GOOD))

        assert set(ReferenceSet.objects.visible_to(ada)) == {ours, shared}
        assert set(ReferenceSet.objects.visible_to(bob)) == {shared}

    def test_rows_share_system_and_tools_and_keep_the_rest(
        self, tmp_path: Path
    ) -> None:
        tool = {"type": "function", "function": {"name": "find"}}
        one = {**GOOD, "tools": [tool], "source": "web", "id": "a"}
        row = brought(lines(tmp_path, one, {**GOOD, "tools": [tool], "task_id": 7}))

        first, second = row.trajectories.all()
        assert row.tools == [tool]
        assert (first.world, second.world) == (0, 0)
        assert (first.simulation_id, first.task_id) == ("a", "row 1")
        assert (second.simulation_id, second.task_id) == ("row 2", "7")
        assert first.content["source"] == "web"

    def test_rows_of_different_tools_are_worlds_of_their_own(
        self, tmp_path: Path
    ) -> None:
        rows = [
            {**GOOD, "tools": [{"type": "function", "function": {"name": name}}]}
            for name in ("find", "book", "find")
        ]

        row = brought(lines(tmp_path, *rows))

        assert [one.world for one in row.trajectories.all()] == [0, 1, 0]
        assert len(ReferenceDataset(row).worlds) == 2
        assert [
            record.world.tools[0]["function"]["name"]
            for record in ReferenceDataset(row).records()
        ] == ["find", "book", "find"]

    def test_characters_that_no_text_can_hold_are_replaced_and_counted(
        self, tmp_path: Path
    ) -> None:
        odd = '{"messages": [{"role": "user", "content": "a\\u0000b\\ud800c"}]}'

        done: Brought = import_reference(path=lines(tmp_path, odd, GOOD))

        assert done.written is not None
        assert (done.written.rows, done.written.replaced) == (2, 1)
        stored = done.row.trajectories.first()
        assert stored is not None
        assert stored.messages[0]["content"] == "a\ufffdb\ufffdc"

    def test_a_result_file_of_the_benchmark_belongs_to_a_team_too(
        self, tmp_path: Path
    ) -> None:
        team = team_of(make_owner(name="ada"))
        row = brought(written(tmp_path, minimal()), team=team)

        assert (row.team, row.format, row.domain) == (team, "tau2_results", "retail")
        assert [one.task for one in ReferenceDataset(row).records()] == ["0"]

    @pytest.mark.parametrize("frozen", [False, True])
    def test_a_set_that_a_release_is_kept_away_from_stays(
        self, tmp_path: Path, frozen: bool
    ) -> None:
        owner = make_owner(name="ada")
        row = brought(lines(tmp_path, GOOD), team=team_of(owner))
        gate = OF_SET + row.content_hash[:SHORT]
        release = Release.objects.create(
            team=team_of(owner), name="first", number=1, created_by=owner,
            recipe=dump_recipe(Recipe(gates=[gate])),
        )  # fmt: skip
        if frozen:
            item = make_trajectory(batch=make_batch(team=team_of(owner), by=owner))
            judge(item, Verdict.APPROVE, owner)
            (member,) = ReviewItem.objects.all()
            ReleaseMember.objects.create(
                release=release, item=member, position=0, row_hash="0" * 64
            )
            Release.objects.update(frozen_at=Now(), content_hash="0" * 64)

        with pytest.raises(SetInUse, match="The release first v1") as told:
            delete_reference_set(row)

        assert ("a draft" in str(told.value)) != frozen
        assert row.trajectories.count() == 1

    def test_another_team_s_release_holds_back_nothing(self, tmp_path: Path) -> None:
        owner, other = make_owner(name="ada"), make_owner(name="bob")
        row = brought(lines(tmp_path, GOOD), team=team_of(owner))
        gate = OF_SET + row.content_hash[:SHORT]
        draft_release(
            team=team_of(other), name="next", by=other, recipe=Recipe(gates=[gate])
        )

        delete_reference_set(row)

        assert not ReferenceSet.objects.exists()

    def test_a_set_is_deleted_with_its_rows(self, tmp_path: Path) -> None:
        row = brought(lines(tmp_path, GOOD))

        delete_reference_set(row)

        assert not ReferenceTrajectory.objects.exists()
        assert not ReferenceSet.objects.exists()


class TestRefusals:
    @pytest.mark.parametrize(
        ("bad", "says"),
        [
            ("{", "file.jsonl, line 3, column 2: is not JSON"),
            ('{"messages": [], "messages": []}', "line 3: an object has the key"),
            ('{"messages": [NaN]}', "line 3: NaN is no JSON number"),
            ("[" * 70 + "]" * 70, "line 3: is nested deeper than 64"),
            ("[1]", "line 3: must be an object"),
            ({"messages": [{"role": "x"}]}, "line 3, /messages/0/role: is 'x'"),
            ({"text": "x"}, "line 3, /messages: must be a list"),
        ],
    )
    def test_one_bad_row_leaves_nothing_and_is_named(
        self, tmp_path: Path, bad: Any, says: str
    ) -> None:
        assert says in refusal(lines(tmp_path, GOOD, GOOD, bad, GOOD))

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"", "is empty"),
            (b"\x1f\x8b\x08 ", "is packed (gzip): unpack it first"),
            (b"PK\x03\x04", "is packed (a ZIP archive)"),
            (b"name,text\n", "neither JSON lines"),
            (b'{"text": "x"}\n', "line 1: the format cannot be told from this row"),
            (b"PAR1 and no more", "no Parquet that can be read"),
            (b"[]", "holds no rows"),
            (b'[{"messages": 3}]', "row 1 (line 1), /messages: must be a list"),
            (b'[\n{"messages": []}\n{', "line 2"),
            (b'{"messages": "\xff"}\n', "line 1, byte 15: is not UTF-8"),
            (b'{"a": {}}', "the format cannot be told"),
        ],
    )
    def test_of_files_say_what_to_do(
        self, tmp_path: Path, content: bytes, says: str
    ) -> None:
        path = tmp_path / "file"
        path.write_bytes(content)

        assert says in refusal(path)

    def test_of_a_list_name_the_element_and_its_line(self, tmp_path: Path) -> None:
        path = tmp_path / "file.json"
        path.write_text(json.dumps([GOOD, {"messages": [{"role": "x"}]}], indent=1))

        assert "row 2 (line 10), /messages/0/role" in refusal(path)

    def test_of_lines_that_are_too_long(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("writ_app.engine.importing.limits.ROW_BYTES", 1_000)
        long = {"messages": [{"role": "user", "content": "x" * 1_000}]}

        assert "line 2: is longer than 1,000 bytes" in refusal(
            lines(tmp_path, GOOD, long)
        )

    def test_of_too_many_rows(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("writ_app.engine.importing.limits.ROWS", 2)

        assert "line 3: is one row more than the 2 allowed" in refusal(
            lines(tmp_path, GOOD, GOOD, GOOD)
        )

    def test_of_a_file_that_is_not_what_it_is_called(self, tmp_path: Path) -> None:
        path = lines(tmp_path, GOOD)

        assert "/conversations: must be a list" in refusal(path, kind="sharegpt")
        assert "there is no format 'nope'" in refusal(path, kind="nope")

    def test_of_a_result_file_name_the_place(self, tmp_path: Path) -> None:
        value = minimal()
        del value["simulations"][0]["id"]

        assert "$.simulations[0].id: is missing" in refusal(written(tmp_path, value))

    def test_do_not_repeat_what_is_as_long_as_a_book(self, tmp_path: Path) -> None:
        value = minimal()
        value["simulations"][0]["messages"][0]["role"] = "x" * 50_000

        text = refusal(written(tmp_path, value))

        assert "$.simulations[0].messages[0].role: is 'xxx" in text
        assert len(text) < 1_500

    def test_that_are_long_leave_the_connection_as_it_was(self) -> None:
        told = "x" * 50_000  # Postgres hangs up when a COPY is ended with so much

        def begin_one() -> None:
            with (
                transaction.atomic(),
                copying("COPY writ_app_team (name) FROM STDIN") as copy,
            ):
                copy.write_row(["One"])
                raise LookupError(told)

        with pytest.raises(LookupError, match=told):
            begin_one()

        assert not Team.objects.filter(name="One").exists()


def test_the_database_refuses_a_file_twice_for_everybody(tmp_path: Path) -> None:
    row = brought(lines(tmp_path, GOOD))
    connection.check_constraints()

    with pytest.raises(Exception, match="reference_set_once_per_team"):
        ReferenceSet.objects.create(
            name="again", content_hash=row.content_hash, content={}
        )

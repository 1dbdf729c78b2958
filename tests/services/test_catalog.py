import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from environments import registry
from environments.core.tools import Mode, ToolCall
from writ_app.adapters.tau2 import BadCheckout
from writ_app.models.catalog import Environment, ReferenceTask
from writ_app.services import catalog

pytestmark = pytest.mark.django_db


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of our own making: a small generated shop and two tasks."""
    from environments.retail.generator import generate

    folder = tmp_path / "data/tau2/domains/retail"
    folder.mkdir(parents=True)
    shop = generate(seed=3, users=8)
    user = next(iter(shop["users"].values()))
    tasks = [
        {
            "id": "0",
            "user_scenario": {"instructions": f"You are {user['user_id']}."},
            "annotations": {"left": "out"},
        },
        {"id": "1", "user_scenario": {"instructions": "Nothing to see."}},
    ]
    (folder / "db.json").write_text(json.dumps(shop))
    (folder / "tasks.json").write_text(json.dumps(tasks))
    (folder / "split_tasks.json").write_text(
        json.dumps({"base": ["0", "1"], "test": ["1"]})
    )
    (folder / "policy.md").write_text("Be good.")
    return tmp_path


def folder_of(checkout: Path) -> Path:
    return checkout / "data/tau2/domains/retail"


class TestRegisterGenerated:
    def test_makes_one_row_however_often_it_is_called(self) -> None:
        first = catalog.register_generated(name="retail", seed=3, users=8)
        second = catalog.register_generated(name="retail", seed=3, users=8)

        assert first == second
        assert Environment.objects.count() == 1

    def test_leaves_what_an_earlier_generator_made_as_it_is(self) -> None:
        earlier = catalog.register_generated(name="retail", seed=3, users=8)
        Environment.objects.update(content_hash="0" * 64)

        row = catalog.register_generated(name="retail", seed=3, users=8)

        assert row.version == f"{earlier.version}-{row.content_hash[:8]}"
        assert catalog.register_generated(name="retail", seed=3, users=8) == row
        assert Environment.objects.count() == 2

    def test_keeps_modes_apart(self) -> None:
        usual = catalog.register_generated(name="retail", seed=3, users=8)
        strict = catalog.register_generated(
            name="retail", seed=3, users=8, mode=Mode.STRICT
        )

        assert strict.version == f"{usual.version}-strict"
        assert strict.state_hash == usual.state_hash
        assert catalog.load_environment(strict).mode == Mode.STRICT
        assert usual == catalog.register_generated(
            name="retail", seed=3, users=8, mode=Mode.CORRECTED
        )

    @pytest.mark.parametrize("name", registry.names())
    def test_stores_every_world_in_every_mode(self, name: str) -> None:
        for mode in Mode:
            row = catalog.register_generated(name=name, seed=3, users=4, mode=mode)

            assert catalog.load_environment(row).mode == mode

    @pytest.mark.parametrize(
        ("asked", "says"),
        [
            ({"name": "moonbase"}, "there are airline"),
            ({"users": 0}, "1 to 100,000 people, not 0"),
            ({"users": 100_001}, "not 100,001"),
            ({"seed": -1}, "from 0 to 4294967295"),
            ({"seed": 2**32}, "from 0 to 4294967295"),
        ],
    )
    def test_says_what_cannot_be_made(self, asked: dict[str, Any], says: str) -> None:
        with pytest.raises(catalog.BadWorld, match=says):
            catalog.register_generated(
                **{"name": "retail", "seed": 3, "users": 8, **asked}
            )
        assert not Environment.objects.exists()


class TestLoadEnvironment:
    @pytest.mark.parametrize("name", ["airline", "retail"])
    def test_keeps_the_mode_of_our_own_worlds(self, name: str) -> None:
        row = catalog.register_generated(name=name, seed=3, users=8)

        environment = catalog.load_environment(row)

        assert row.mode == "corrected"
        assert environment.mode == Mode.CORRECTED
        assert environment.content_hash == row.content_hash

    def test_is_strict_for_what_was_imported(self, checkout: Path) -> None:
        row = catalog.import_tau2(root=checkout, name="retail")

        assert row.mode == "strict"
        assert catalog.load_environment(row).mode == Mode.STRICT

    def test_refuses_what_is_not_what_was_stored(self) -> None:
        row = catalog.register_generated(name="retail", seed=3, users=9)
        Environment.objects.update(policy="Be kind.")

        with pytest.raises(catalog.ChangedEnvironment, match="no longer what it was"):
            catalog.load_environment(row)

    def test_gives_back_the_very_state_that_was_stored(self) -> None:
        row = catalog.register_generated(name="retail", seed=3, users=8)

        environment = catalog.load_environment(row)

        assert environment.state.content_hash == row.state_hash
        assert environment.content_hash == row.content_hash
        assert (
            not environment.session()
            .call(ToolCall(name="list_all_product_types"))
            .error
        )
        assert catalog.load_environment(row) is environment


class TestImportTau2:
    def test_brings_database_policy_tasks_and_splits(self, checkout: Path) -> None:
        row = catalog.import_tau2(root=checkout, name="retail")

        assert row.policy == "Be good."
        assert row.version.startswith("tau2-")
        tasks = list(ReferenceTask.objects.filter(environment=row))
        assert [(task.task_id, task.splits) for task in tasks] == [
            ("0", ["base"]),
            ("1", ["base", "test"]),
        ]

    def test_twice_changes_nothing(self, checkout: Path) -> None:
        first = catalog.import_tau2(root=checkout, name="retail")
        second = catalog.import_tau2(root=checkout, name="retail")

        assert first == second
        assert first.reference_tasks.count() == 2

    def test_of_other_data_under_a_taken_name_is_refused(self, checkout: Path) -> None:
        catalog.import_tau2(root=checkout, name="retail", version="mine")
        (folder_of(checkout) / "policy.md").write_text("Be bad.")

        with pytest.raises(BadCheckout, match="another retail called mine"):
            catalog.import_tau2(root=checkout, name="retail", version="mine")

    @pytest.mark.parametrize(
        ("name", "content", "says"),
        [
            ("db.json", "{", "is not JSON"),
            ("db.json", '{"users": {}}', "products"),
            (
                "db.json",
                '{"users": {}, "orders": {}, "products": {}, "more": 1}',
                "more",
            ),
            ("db.json", "[]", "must hold an object"),
            ("tasks.json", "{}", "must hold an array"),
            ("tasks.json", '[{"id": "0"}, {"id": "0"}]', "two tasks have the id"),
            ("tasks.json", '[{"name": "x"}]', "task number 1 has no id"),
            (
                "tasks.json",
                '[{"id": "0", "evaluation_criteria": {"actions": ["cancel"]}}]',
                "task '0', evaluation_criteria.actions[0]",
            ),
            ("split_tasks.json", "[]", "object of lists"),
        ],
    )
    def test_of_a_bad_file_says_which_and_leaves_nothing_behind(
        self, checkout: Path, name: str, content: str, says: str
    ) -> None:
        (folder_of(checkout) / name).write_text(content)

        with pytest.raises(BadCheckout) as refused:
            catalog.import_tau2(root=checkout, name="retail")

        assert name in str(refused.value)
        assert says in str(refused.value)
        assert not Environment.objects.exists()

    def test_of_something_else_says_what_was_looked_for(self, tmp_path: Path) -> None:
        with pytest.raises(BadCheckout, match="no data/tau2/domains"):
            catalog.import_tau2(root=tmp_path, name="retail")

    def test_without_a_policy_says_so(self, checkout: Path) -> None:
        (folder_of(checkout) / "policy.md").unlink()

        with pytest.raises(BadCheckout, match=r"policy\.md is missing"):
            catalog.import_tau2(root=checkout, name="retail")

    def test_needs_no_splits(self, checkout: Path) -> None:
        (folder_of(checkout) / "split_tasks.json").unlink()

        row = catalog.import_tau2(root=checkout, name="retail")

        assert [task.splits for task in row.reference_tasks.all()] == [[], []]

    def test_of_the_real_benchmark_keeps_its_tasks_and_its_hash(
        self, tau2_root: Path
    ) -> None:
        row = catalog.import_tau2(root=tau2_root, name="retail")

        assert (
            row.state_hash
            == "b25c9cb211f5efcaee5dd646054a73c4a9f43f4f5acc32c10713cd9f9ac20e9c"
        )
        assert row.reference_tasks.count() == 114
        assert sum("train" in task.splits for task in row.reference_tasks.all()) == 74


class TestAvoidedPeople:
    def test_are_those_whom_the_imported_tasks_name(self, checkout: Path) -> None:
        row = catalog.import_tau2(root=checkout, name="retail")
        users: dict[str, Any] = json.loads(
            (folder_of(checkout) / "db.json").read_text()
        )["users"]

        assert catalog.avoided_people(row) == {next(iter(users))}

    def test_are_none_without_imported_tasks(self) -> None:
        row = catalog.register_generated(name="retail", seed=3, users=8)

        assert catalog.avoided_people(row) == frozenset()

    def test_of_the_real_benchmark_are_all_those_its_gold_touches(
        self, tau2_root: Path
    ) -> None:
        row = catalog.import_tau2(root=tau2_root, name="retail")
        state = catalog.load_environment(row).state

        avoided = catalog.avoided_people(row)

        for task in row.reference_tasks.all():
            for action in task.content["evaluation_criteria"]["actions"] or []:
                order = state.collections["orders"].get(
                    action["arguments"].get("order_id", "")
                )
                assert order is None or order["user_id"] in avoided
        assert 50 <= len(avoided) <= 120


def test_a_checkout_may_lie_one_folder_deeper(checkout: Path, tmp_path: Path) -> None:
    inner = tmp_path / "outer" / "checkout"
    inner.mkdir(parents=True)
    shutil.move(checkout / "data", inner / "data")

    assert (
        catalog.import_tau2(root=inner.parent, name="retail").reference_tasks.count()
        == 2
    )

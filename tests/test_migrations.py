"""New migrations keep the site up while they run: no long lock on a table that is written all the time, and a way back.

The operations are judged as Django sees them, from `FIRST` on; older ones have run everywhere. What is meant all the
same is in `ALLOWED`, each with its reason.
"""

from collections.abc import Iterator

import pytest
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.models import NOT_PROVIDED, fields
from django.db.models.functions import Now

FIRST = "0020"
ALLOWED: dict[tuple[str, int], str] = {
    ("0020_filing", 2): "shipped before this rule; a partial index of few rows",
    (
        "0021_earlier_judgements",
        2,
    ): "shipped before this rule; a partial index of few rows",
    ("0024_reference_imports", 6): "one row per imported file",
    ("0024_reference_imports", 7): "one row per imported file",
    ("0025_teams", 1): "the choices alone change, which the database does not know",
    (
        "0044_items_of_a_task",
        0,
    ): "a second for each million items; made beside others, one that is cut off would leave half an index",
    **{("0033_audit", n): "the log is a table of the same release" for n in (3, 4, 5)},
}
"""(migration, position of the operation) → why it may. Small tables, and columns nobody reads yet, are reasons."""


def dangers(migration: migrations.Migration) -> Iterator[tuple[int, str]]:
    """(position, what is wrong) of a migration's operations."""
    new = {
        operation.name_lower
        for operation in migration.operations
        if isinstance(operation, migrations.CreateModel)
    }
    for position, operation in enumerate(migration.operations):
        if getattr(operation, "model_name_lower", None) in new:
            continue  # nobody uses a table that is made in the same migration
        if danger := danger_of(operation):
            yield position, danger


def danger_of(operation: migrations.operations.base.Operation) -> str | None:
    match operation:
        case migrations.AddField(field=field) if (
            not field.null
            and not field.many_to_many
            and field.db_default is NOT_PROVIDED
        ):
            return "a column that may not be null needs db_default: old processes write rows without it"
        case migrations.AddField(field=models.GeneratedField()):
            return "a generated column rewrites the whole table under a lock"
        case migrations.AlterField():
            return (
                "a change of a column may rewrite or read the whole table under a lock"
            )
        case migrations.RemoveField() | migrations.DeleteModel():
            return "processes of the old release still read it"
        case migrations.RenameField() | migrations.RenameModel():
            return "processes of the old release still use the old name"
        case AddIndexConcurrently():
            return None
        case migrations.AddIndex():
            return "an index stops writing while it is made: AddIndexConcurrently"
        case migrations.AddConstraint():
            return "a constraint reads the whole table under a lock: NOT VALID first, then ValidateConstraint"
        case (
            migrations.RunSQL(reverse_sql=None)
            | migrations.RunPython(reverse_code=None)
        ):
            return "there is no way back: give reverse_sql or reverse_code, noop if nothing is to do"
    return None


def new_migrations() -> list[migrations.Migration]:
    found = MigrationLoader(None).disk_migrations
    return [
        migration
        for (app, name), migration in sorted(found.items())
        if app == "writ_app" and name >= FIRST
    ]


class TestNewMigrations:
    def test_keep_the_site_up_or_say_why_not(self) -> None:
        found = {
            (migration.name, position): danger
            for migration in new_migrations()
            for position, danger in dangers(migration)
        }

        assert new_migrations()
        assert {at: danger for at, danger in found.items() if at not in ALLOWED} == {}
        assert set(ALLOWED) <= set(found), "allowed, and not needed any more"


def text() -> "fields.TextField[str, str]":
    return models.TextField()


class TestLinter:
    """That it would turn red."""

    @pytest.mark.parametrize(
        "operation",
        [
            migrations.AddField("Batch", "words", text()),
            migrations.AddField("Batch", "words", models.TextField(default="")),
            migrations.AddIndex("Batch", models.Index(fields=["id"], name="x")),
            migrations.AlterField("Batch", "name", text()),
            migrations.RemoveField("Batch", "name"),
            migrations.RenameField("Batch", "name", "title"),
            migrations.AddConstraint(
                "Batch", models.UniqueConstraint(fields=["name"], name="x")
            ),
            migrations.RunSQL("SELECT 1"),
            migrations.RunPython(lambda apps, editor: None),
        ],
    )
    def test_sees(self, operation: migrations.operations.base.Operation) -> None:
        assert danger_of(operation)

    @pytest.mark.parametrize(
        "operation",
        [
            migrations.AddField("Batch", "words", models.TextField(null=True)),
            migrations.AddField("Batch", "at", models.DateTimeField(db_default=Now())),
            AddIndexConcurrently("Batch", models.Index(fields=["id"], name="x")),
            migrations.RunSQL("SELECT 1", migrations.RunSQL.noop),
        ],
    )
    def test_lets_pass(self, operation: migrations.operations.base.Operation) -> None:
        assert danger_of(operation) is None

    def test_a_table_of_the_same_migration_may_get_anything(self) -> None:
        migration = migrations.Migration("0099_x", "writ_app")
        migration.operations = [
            migrations.CreateModel(
                "Fresh", [("id", models.AutoField(primary_key=True))]
            ),
            migrations.AddIndex("Fresh", models.Index(fields=["id"], name="x")),
        ]

        assert list(dangers(migration)) == []

"""The migrations one by one, as databases of earlier releases take them: squashed ones are not there."""

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader


class Steps(MigrationLoader):
    def load_disk(self) -> None:
        super().load_disk()
        for key, migration in list(self.disk_migrations.items()):
            if migration.replaces:
                del self.disk_migrations[key]


def one_by_one() -> MigrationExecutor:
    executor = MigrationExecutor(connection)
    executor.loader = Steps(connection)
    return executor


def latest() -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = Steps(connection).graph.leaf_nodes("writ_app")
    return found

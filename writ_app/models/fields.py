"""Fields that Django does not have."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.types.json import Json


class OrderedJSONField(models.JSONField):
    """JSON that keeps the order of keys, as Postgres's `json` does and `jsonb` does not.

    The order of a call's arguments is part of what a model is trained on. Not meant for look-ups into the value.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "json"

    def get_db_prep_value(
        self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False
    ) -> Any:
        return None if value is None else Json(value)

    def from_db_value(
        self, value: Any, expression: Any, connection: BaseDatabaseWrapper
    ) -> Any:
        """The driver has parsed it already, unless the column came through a cast to text."""
        return (
            super().from_db_value(value, expression, connection)
            if isinstance(value, str)
            else value
        )


class ComputedField(models.GeneratedField):
    """A column that the database computes and stores.

    Django's check asks the server whether it can; checks run before the app has started its own, and every Postgres can.
    """

    def _check_supported(self, databases: Any) -> list[Any]:
        return []

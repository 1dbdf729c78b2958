"""Queries that are written out, and that Postgres plans once per connection: for what runs with every key press.

An expression of the ORM over several models takes longer to compile, and a query over several tables longer to plan, than to answer.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection, models
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper

type Part = tuple[type[models.Model], str]
"""A model, and the columns that are read of it beside the key, with spaces between them, or ALL. The rest is read when somebody asks for it, as with `only`."""
ALL = "*"


@contextmanager
def prepared() -> Iterator[CursorWrapper]:
    """A cursor like `connection.cursor()`, whose statements are prepared, unless the setting of the database forbids it.

    Their text has to be the same every time: values go in as parameters.
    """
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    # The stubs know only the driver before this one.
    raw: Any = ServerBindingCursor(connection.connection)  # type: ignore[call-arg]
    logged = connection.queries_logged
    wrap = connection.make_debug_cursor if logged else connection.make_cursor
    with wrap(raw) as cursor:
        yield cursor


class Joined:
    """`source`: the query from FROM on; `parts`: by the names that it has for them. A part that an outer join has not found is None."""

    def __init__(self, source: str, parts: Mapping[str, Part]):
        self._parts = [
            (
                model,
                [field.attname for field in fields],
                _converters(fields),
                [field.primary_key for field in fields].index(True),
            )
            for model, fields in ((of[0], _fields(*of)) for of in parts.values())
        ]
        columns = (
            f"{alias}.{name}"
            for alias, (_, names, *_) in zip(parts, self._parts, strict=True)
            for name in names
        )
        self._query = f"SELECT {', '.join(columns)} {source}"

    def rows(self, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """One instance of each part in every row."""
        with prepared() as cursor:
            cursor.execute(self._query, dict(values))
            return [tuple(self._instances(row)) for row in cursor.fetchall()]

    def _instances(self, row: Sequence[Any]) -> Iterator[models.Model | None]:
        start = 0
        for model, names, converters, key in self._parts:
            end = start + len(names)
            values = list(row[start:end])
            if values[key] is None:
                yield None
            else:
                for place, convert in converters:
                    values[place] = convert(values[place], None, connection)
                yield model.from_db(connection.alias, names, values)
            start = end


def _fields(model: type[models.Model], columns: str) -> "list[models.Field[Any, Any]]":
    """In the order in which `from_db` wants them."""
    own = model._meta.concrete_fields
    if columns == ALL:
        return list(own)
    assert model._meta.pk
    wanted = {model._meta.pk.attname, *columns.split()}
    found = [field for field in own if field.attname in wanted]
    if len(found) < len(wanted):
        raise ValueError(f"{model.__name__} has not all of: {columns}")
    return found


def _converters(
    fields: "Sequence[models.Field[Any, Any]]",
) -> list[tuple[int, Callable[..., Any]]]:
    """(place, what makes a value of what the driver gives) of the fields that have such."""
    return [
        (place, field.from_db_value)
        for place, field in enumerate(fields)
        if hasattr(field, "from_db_value")
    ]

"""Lists in pages: by the keys of the last row that was seen, never by counting, so that a list that grows repeats and skips nothing."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model, Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request

from writ_app.api.fields import Text
from writ_app.api.problems import Refused

Page = Mapping[str, Any]


@cache
def page_of(
    item: type[serializers.BaseSerializer[Any]],
) -> type[serializers.Serializer[Any]]:
    """The serializer of a page of such rows."""
    name = item.__name__.removesuffix("Line")
    return type(
        f"{name}Page",
        (serializers.Serializer,),
        {
            "items": item(many=True),
            "cursor": Text(allow_null=True, help_text="For `after`; null at the end."),
            "next": Text(
                allow_null=True,
                help_text="Address of the next page, from the host on; null at the end.",
            ),
        },
    )


def page[Row: Model](
    request: Request,
    rows: QuerySet[Row],
    query: Mapping[str, Any],
    *,
    order: Sequence[str] = ("-pk",),
    shown: Callable[[list[Row]], Sequence[Any]] = list,
) -> Page:
    """One page of a queryset. `order` is the code's, never the client's, and ends in a unique field; none of it may be null."""
    if after := query.get("after"):
        rows = rows.filter(_behind(rows.model, order, after))
    limit = query["limit"]
    found = list(rows.order_by(*order)[: limit + 1])
    more, found = len(found) > limit, found[:limit]
    cursor = _cursor([_value(found[-1], name) for name in order]) if more else None
    return as_page(request, shown(found), cursor)


def as_page(request: Request, items: Sequence[Any], cursor: str | None) -> Page:
    """A page whose rows and cursor a service found."""
    following = None
    if cursor is not None:
        parameters = request.query_params.copy()
        parameters["after"] = cursor
        following = f"{request.path}?{parameters.urlencode()}"
    return {"items": items, "cursor": cursor, "next": following}


def number_after(query: Mapping[str, Any]) -> int | None:
    """The cursor of a list that goes on behind a number. Raises Refused."""
    text = query.get("after")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19 and int(text)):
        raise _not_ours()
    return int(text)


def _not_ours() -> Refused:
    return Refused({"after": ["This is no cursor of this list."]})


def _cursor(values: list[Any]) -> str:
    text = json.dumps(values, cls=DjangoJSONEncoder, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _value(row: Model, name: str) -> Any:
    return getattr(row, name.removeprefix("-"))


def _behind(model: type[Model], order: Sequence[str], cursor: str) -> Q:
    """Condition: after the row with these values. Every value is read as its field reads it; no name comes from the client."""
    names = [name.removeprefix("-") for name in order]
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        given = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if not isinstance(given, list) or len(given) != len(order):
            raise _not_ours()
        values = [
            _field(model, name).to_python(value)
            for name, value in zip(names, given, strict=True)
        ]
    except (ValidationError, ValueError, TypeError, RecursionError, binascii.Error):
        raise _not_ours() from None
    if any(value is None for value in values):
        raise _not_ours()
    condition = Q()
    for place, name in enumerate(order):
        same = Q(**dict(zip(names[:place], values[:place], strict=True)))
        beyond = "lt" if name.startswith("-") else "gt"
        condition |= same & Q(**{f"{names[place]}__{beyond}": values[place]})
    return condition


def _field(model: type[Model], name: str) -> Any:
    return model._meta.pk if name == "pk" else model._meta.get_field(name)

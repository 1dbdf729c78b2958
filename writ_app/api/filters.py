"""Filters of the lists of trajectories, for whatever takes them: a query, a bulk action, a saved view, a draft of a release.

Names and values are those of the lists' own form (writ_app/forms/lists.py). That form drops what it does not know, as an address may
be old; here it is refused, so that a filter that means nothing never means everything.
"""

import re
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from writ_app.api.fields import Body, Choice, Coded, Key, PageQuery, Query, Text
from writ_app.api.problems import Refused
from writ_app.forms.lists import (
    ALLOWED,
    KINDS,
    LONGEST,
    MOST_VALUES,
    NUMBERS,
    ListForm,
)
from writ_app.models.review import ItemStatus
from writ_app.services.review.listing import MANY, NAMES, TITLES

DIGITS = {"shape": 12, "cluster": 32}
"""Filters that are digests, with their length."""
HELP = {
    "q": "Words, “exact phrases”, -without.",
    "argument": "Name of an argument that was written.",
    "argument_kind": "Where that argument was from.",
    "tool": "Name of a tool that was called.",
    "shape": "The same tools in the same order.",
    "cluster": "Key of a cluster.",
}


class Digest(Text):
    """So many hexadecimal digits."""

    def __init__(self, digits: int, **kwargs: Any):
        self.pattern = f"^[0-9a-f]{{{digits}}}$"
        super().__init__(**{"max_length": digits, **kwargs})

    @property
    def schema_more(self) -> dict[str, Any]:
        return {"pattern": self.pattern}

    def to_internal_value(self, data: Any) -> Any:
        value = super().to_internal_value(data)
        if not re.fullmatch(self.pattern, value):
            self.fail("invalid")
        return value


def _value(name: str) -> serializers.Field[Any, Any, Any, Any]:
    if name == "status":
        return Coded(ItemStatus)
    if name in ALLOWED:
        return Choice(choices=[(one, one) for one in ALLOWED[name]])
    if name in NUMBERS:
        return Key()
    return Text(max_length=LONGEST)


def _field(name: str) -> serializers.Field[Any, Any, Any, Any]:
    if name in MANY:
        return serializers.ListField(
            child=_value(name),
            required=False,
            max_length=MOST_VALUES,
            help_text=f"{TITLES.get(name, name.capitalize())}: one of these.",
        )
    more: dict[str, Any] = {"required": False, "help_text": HELP[name]}
    if name == "argument_kind":
        return Choice(choices=[(one, one) for one in KINDS], **more)
    if name in DIGITS:
        return Digest(DIGITS[name], **more)
    return Text(max_length=LONGEST, **more)


class _Filters(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), **{name: _field(name) for name in NAMES}}


class FilterBody(_Filters, Body):
    """All of them have to hold; without any, everything is found."""


class FilterQuery(_Filters, Query):
    """The same in an address; a filter with several values is there several times."""


class FilterPageQuery(_Filters, PageQuery):
    pass


def list_form(given: Mapping[str, Any]) -> ListForm:
    """The lists' form with these filters. Raises Refused for what it would drop."""
    typed = {
        name: [str(one) for one in value] if isinstance(value, list) else str(value)
        for name, value in given.items()
        if name in NAMES and value
    }
    form = ListForm(typed)
    if dropped := sorted(typed.keys() - form.filters.keys()):
        raise Refused({name: ["No list knows such a value."] for name in dropped})
    return form


def tell_filters(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Stored filters as they are asked for here; with `sort`, where a view has one."""
    told = dict(filters)
    if "status" in told:
        told["status"] = [str(one).lower() for one in told["status"]]
    return told

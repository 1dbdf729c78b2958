"""Fields that take what their schema says and nothing that resembles it: no number as a text, no text as a number.

In a query everything is text, so there the text has to be exactly that of a number, `true` or `false`.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import TextChoices
from rest_framework import serializers

BIGGEST = 2**63 - 1
"""What a column of Postgres holds."""
NOT_BLANK = (
    r"[^\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
)
"""A character that is no space to `str.strip`. `\\S` is less here and more there, in every dialect that schemas are read by."""
_WHOLE = re.compile(r"-?(0|[1-9]\d{0,18})", re.ASCII)


class _Exact:
    """Refuses values of other types than `kinds`, unless they come from a query, whose texts must match `written`."""

    kinds: ClassVar[tuple[type, ...]]
    written: ClassVar[re.Pattern[str] | None] = None

    def to_internal_value(self, data: Any) -> Any:
        if getattr(self.root, "from_query", False):  # type: ignore[attr-defined]
            if self.written and not self.written.fullmatch(str(data)):
                self.fail("invalid")  # type: ignore[attr-defined]
        elif type(data) not in self.kinds:
            self.fail("invalid")  # type: ignore[attr-defined]
        return super().to_internal_value(data)  # type: ignore[misc]


class Text(_Exact, serializers.CharField):
    """Spaces around it are not part of it, and do not make a text."""

    kinds = (str,)

    @property
    def schema_more(self) -> dict[str, Any]:
        return {} if self.allow_blank else {"pattern": NOT_BLANK}


class Words(Text):
    """A text of several lines, kept as it is."""

    def __init__(self, **kwargs: Any):
        super().__init__(**{"trim_whitespace": False, **kwargs})

    @property
    def schema_more(self) -> dict[str, Any]:
        return {}


class Whole(_Exact, serializers.IntegerField):
    kinds = (int,)
    written = _WHOLE

    def __init__(self, **kwargs: Any):
        super().__init__(**{"min_value": -BIGGEST, "max_value": BIGGEST, **kwargs})

    def to_internal_value(self, data: Any) -> Any:
        # To JSON Schema 3.0 is a whole number too.
        if isinstance(data, float) and data.is_integer():
            data = int(data)
        return super().to_internal_value(data)


class Number(_Exact, serializers.FloatField):
    kinds = (int, float)
    written = re.compile(r"-?\d{1,30}(\.\d{1,30})?", re.ASCII)


class Flag(_Exact, serializers.BooleanField):
    kinds = (bool,)
    written = re.compile("true|false")


class Choice(_Exact, serializers.ChoiceField):
    kinds = (str,)
    default_error_messages: ClassVar = {"invalid": "Not a valid choice."}


class Coded(Choice):
    """One of a row's choices, by its value in lower case."""

    def __init__(self, of: type[TextChoices], **kwargs: Any):
        self.of = of
        choices = [(one.value.lower(), one.label) for one in of]
        super().__init__(choices=choices, **kwargs)

    def to_internal_value(self, data: Any) -> TextChoices:
        return self.of(super().to_internal_value(data).upper())

    def to_representation(self, value: Any) -> str:
        return str(value).lower()


class Moment(_Exact, serializers.DateTimeField):
    """With its offset from UTC, as RFC 3339 has it."""

    kinds = (str,)
    written = re.compile(
        r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
    )
    default_error_messages: ClassVar = {
        "invalid": "Write it like 2031-05-30T12:00:00Z."
    }

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, str) and not self.written.fullmatch(data):
            self.fail("invalid")
        return super().to_internal_value(data)


class Key(Whole):
    """Of a row."""

    def __init__(self, **kwargs: Any):
        super().__init__(**{"min_value": 1, **kwargs})


class _Strict(serializers.Serializer[Any]):
    """Names that it does not have are refused, so that a slip of the pen never means something else."""

    strict: ClassVar[bool] = True
    from_query: ClassVar[bool] = False

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, Mapping) and (unknown := set(data) - set(self.fields)):
            raise serializers.ValidationError(
                {str(name): [self.unknown] for name in sorted(unknown)[:20]}
            )
        values: dict[str, Any] = super().to_internal_value(data)
        return values

    unknown: ClassVar[str] = "There is no such field."


class Body(_Strict):
    """What a command is told, as JSON."""


class SentFile(serializers.FileField):
    """Of a form. An empty one is what the schema describes, and refused by the rules for what is in it."""

    def __init__(self, **kwargs: Any):
        super().__init__(**{"allow_empty_file": True, **kwargs})


class EnabledBody(Body):
    enabled = Flag()


class Query(_Strict):
    """What an address is asked with."""

    from_query = True
    unknown = "There is no such parameter."


class Document(serializers.BaseSerializer[Any]):
    """An answer whose shape is the product's own format, not the API's: a JSON object, described where that format is."""

    free = True

    def to_representation(self, instance: Any) -> Any:
        return instance


class PageQuery(Query):
    """Where in a list, and how much of it."""

    after = Text(
        required=False,
        max_length=500,
        help_text="`cursor` of the page before: its rows and those ahead of them are left out.",
    )
    limit = Whole(
        required=False,
        default=50,
        min_value=1,
        max_value=200,
        help_text="Rows of a page, at most.",
    )

"""What tools take, as fields: no value is changed on its way into a field and back."""

import json
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from environments import registry
from environments.core.tools import Tool, ToolKind
from writ_app.services.catalog.parameters import (
    MAX_DEPTH,
    BadValue,
    Kind,
    NotShown,
    Parameter,
    parameter_at,
    parse_json,
    print_json,
    read_parameters,
)


class Leg(BaseModel):
    flight: str
    day: int


class Tree(BaseModel):
    name: str
    leaves: list["Tree"] = []


def take(
    self: None,
    text: str,
    whole: int,
    number: float,
    flag: bool,
    choice: Literal["a", "b"],
    level: Literal[1, 2],
    ids: list[str],
    legs: list[Leg | dict[str, Any]],
    tree: Tree,
    table: dict[str, int],
    anything: Any,
    maybe: str | None,
    either: int | str,
) -> str:
    """
    Take all there is.

    Args:
        text: Some text.
        whole: A whole number.
        number: A number.
        flag: A flag.
        choice: A choice.
        level: A level.
        ids: Some ids.
        legs: Some legs.
        tree: A tree.
        table: A table.
        anything: Anything.
        maybe: A text, or not.
        either: One or the other.
    """
    return ""


SCHEMA = Tool("take", ToolKind.READ, False, take).schema
SCHEMA["function"]["parameters"]["required"].remove("maybe")
PARAMETERS = {one.name: one for one in read_parameters(SCHEMA)}


class TestReadParameters:
    def test_tells_kinds(self) -> None:
        assert {name: one.kind for name, one in PARAMETERS.items()} == {
            "text": Kind.TEXT,
            "whole": Kind.INTEGER,
            "number": Kind.NUMBER,
            "flag": Kind.CHOICE,
            "choice": Kind.CHOICE,
            "level": Kind.CHOICE,
            "ids": Kind.LIST,
            "legs": Kind.LIST,
            "tree": Kind.OBJECT,
            "table": Kind.OBJECT,
            "anything": Kind.ANY,
            "maybe": Kind.TEXT,
            "either": Kind.ANY,
        }

    def test_tells_what_is_required_and_what_it_means(self) -> None:
        assert [one.name for one in PARAMETERS.values() if not one.required] == [
            "maybe"
        ]
        assert PARAMETERS["text"].description == "Some text."
        assert PARAMETERS["flag"].options == ("true", "false")
        assert PARAMETERS["level"].choices == (1, 2)
        assert PARAMETERS["legs"].words == "list of Leg or object"

    @pytest.mark.parametrize(
        ("name", "shape"),
        [
            ("ids", ["…"]),
            ("legs", [{"flight": "…", "day": 0}]),
            ("table", {}),
            ("either", 0),
        ],
    )
    def test_sketches_lists_and_objects(self, name: str, shape: Any) -> None:
        assert json.loads(PARAMETERS[name].shape) == shape

    def test_ends_on_a_schema_that_contains_itself(self) -> None:
        assert '"leaves"' in PARAMETERS["tree"].shape

    @pytest.mark.parametrize("name", registry.names())
    def test_reads_every_tool_there_is(self, name: str) -> None:
        world = registry.world(name).generated(seed=1, users=2)
        for tool in world.tools.values():
            for one in read_parameters(tool.schema):
                assert one.kind != Kind.ANY
                assert one.description


class TestParameterAt:
    @pytest.mark.parametrize(
        ("place", "kind"),
        [
            ("/text", Kind.TEXT),
            ("/number", Kind.NUMBER),
            ("/choice", Kind.CHOICE),
            ("/ids", Kind.LIST),
            ("/ids/0", Kind.TEXT),
            ("/legs/3/day", Kind.INTEGER),
            ("/tree/leaves/0/leaves/1/name", Kind.TEXT),
            ("/maybe", Kind.TEXT),
            ("/table/x", Kind.ANY),
            ("/anything/deep/down", Kind.ANY),
            ("/nothing", Kind.ANY),
            ("/text/0/x", Kind.ANY),
        ],
    )
    def test_follows_the_schema_as_far_as_it_goes(self, place, kind):
        assert parameter_at(SCHEMA, place).kind == kind

    def test_knows_what_may_be_left_out(self):
        assert parameter_at(SCHEMA, "/text").required
        assert parameter_at(SCHEMA, "/legs/0/flight").required
        assert not parameter_at(SCHEMA, "/maybe").required

    def test_offers_the_choices(self):
        assert parameter_at(SCHEMA, "/choice").options == ("a", "b")


class TestReading:
    @pytest.mark.parametrize(
        ("name", "typed", "value"),
        [
            ("text", "", ""),
            ("text", " 5 ", " 5 "),
            ("whole", " -3 ", -3),
            ("number", "3", 3),
            ("number", "3.50", 3.5),
            ("flag", "false", False),
            ("level", "2", 2),
            ("ids", '["a"]', ["a"]),
            ("anything", "null", None),
        ],
    )
    def test_gives_the_value(self, name: str, typed: str, value: Any) -> None:
        assert print_json(PARAMETERS[name].read(typed)) == print_json(value)

    @pytest.mark.parametrize(
        ("name", "typed", "says"),
        [
            ("whole", "", "needed"),
            ("whole", "3.0", "whole number"),
            ("whole", "true", "whole number"),
            ("whole", "9" * 5000, "whole number"),
            ("number", "much", "a number"),
            ("number", "1e999", "a number"),
            ("flag", "yes", "Choose"),
            ("choice", "", "needed"),
            ("ids", "{}", "JSON list"),
            ("tree", "[]", "JSON object"),
            ("ids", "[", "line 1, column 2"),
            ("ids", "[NaN]", "NaN is no JSON number"),
            ("ids", "[" * 60 + "]" * 60, f"nested {MAX_DEPTH} deep"),
            ("ids", "[" * 100_000, "JSON that can be used"),
        ],
    )
    def test_says_what_is_wanted(self, name: str, typed: str, says: str) -> None:
        with pytest.raises(BadValue, match=says):
            PARAMETERS[name].read(typed)


VALUES = [
    *("", "a", " a ", "5", "true", "null", '"a"', "[1]", "a\tb", "é", "\u202e"),
    *("a\nb", "\r", "\0", "\ud800"),
    *(0, -3, 3.0, 3.5, 10**30, True, False, None, 1, 2),
    *([], ["a"], [1, "a\nb", "\ud800"], {}, {"a": {"b": None}}, [[[]]]),
]


class TestShowing:
    @pytest.mark.parametrize("one", PARAMETERS.values(), ids=PARAMETERS)
    @pytest.mark.parametrize("value", VALUES, ids=ascii)
    def test_gives_what_reads_back_as_the_very_value_or_nothing(
        self, one: Parameter, value: Any
    ) -> None:
        try:
            shown = one.show(value)
        except NotShown:
            return
        assert json.dumps(one.guess(shown)) == json.dumps(value)
        shown.encode()  # a page can hold it
        assert shown or (one.required and one.kind == Kind.TEXT)
        assert one.is_json or not {"\n", "\r", "\0"} & set(shown)
        assert not one.choices or shown in one.options

    @pytest.mark.parametrize(
        ("name", "value", "shown"),
        [
            ("text", "5", "5"),
            ("whole", 5, "5"),
            ("whole", "many", "many"),  # a slip, found when it is called
            ("flag", True, "true"),
            ("ids", ["a"], '[\n  "a"\n]'),
            ("anything", "a", '"a"'),
        ],
    )
    def test_shows(self, name: str, value: Any, shown: str) -> None:
        assert PARAMETERS[name].show(value) == shown

    @pytest.mark.parametrize(
        ("name", "value", "says"),
        [
            ("text", 5, "text is no string"),
            ("text", "a\nb", "text has characters"),
            ("text", "\ud800", "text has characters"),
            ("whole", "5", "whole is no integer"),
            ("choice", "c", "none of its choices"),
            ("flag", "true", "flag is no boolean"),
            ("maybe", "", "left out"),
            ("maybe", None, "maybe is no"),
        ],
    )
    def test_says_what_it_cannot_show(self, name: str, value: Any, says: str) -> None:
        with pytest.raises(NotShown, match=says):
            PARAMETERS[name].show(value)


class TestParseJson:
    def test_takes_what_print_json_gives(self) -> None:
        for value in VALUES:
            text = print_json(value)
            assert text.encode()
            assert json.dumps(parse_json(text)) == json.dumps(value)

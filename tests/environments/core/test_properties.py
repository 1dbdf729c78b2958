"""What holds in every world whatever is called."""

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from environments.core.environment import Environment
from environments.core.state import State
from environments.core.tools import ToolCall
from environments.registry import names, world
from tests.environments.core.recompute import patched, recomputed_hash, text_hash

SIZES = {"airline": {"users": 30, "flights": 60}, "retail": {"users": 40}}
"""Small worlds: every example hashes the whole of one several times. A world that is not here comes in its own size."""

PLAIN = {"string": str, "integer": int, "number": float, "boolean": bool}

garbage = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 10**6)
    | st.floats()
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)


@cache
def small_world(name: str) -> Environment:
    return world(name).generated(seed=7, **SIZES.get(name, {}))


@cache
def strategy(name: str) -> st.SearchStrategy[ToolCall]:
    """Calls as a model may make them: real tools with arguments that belong together or do not, and garbage."""
    environment = small_world(name)
    writes = [name for name, tool in environment.tools.items() if tool.mutates]
    tools = st.sampled_from(sorted(environment.tools)) | st.sampled_from(writes)
    sensible = st.tuples(tools, st.sampled_from(neighborhoods(environment))).flatmap(
        lambda drawn: arguments(environment, *drawn)
    )
    mixed = st.tuples(tools, st.sampled_from(neighborhoods(environment))).flatmap(
        lambda drawn: arguments(environment, *drawn, garbage)
    )
    anything = st.builds(
        ToolCall,
        name=tools | st.sampled_from(["session", "_user", "", "__init__"]),
        arguments=st.dictionaries(
            st.sampled_from(["self", "tool_name", "requestor", "order_id", "x"]),
            garbage,
            max_size=3,
        ),
    )
    return st.one_of(sensible, sensible, sensible, mixed, anything)


def arguments(
    environment: Environment,
    tool: str,
    near: Mapping[str, list[Any]],
    other: st.SearchStrategy[Any] | None = None,
) -> st.SearchStrategy[ToolCall]:
    """A call whose arguments stand in `near` under a like name, or now and then are `other`."""
    parameters = environment.tools[tool].schema["function"]["parameters"]["properties"]
    fitting = {name: value(near, name, schema) for name, schema in parameters.items()}
    if other is not None:
        fitting = {name: one | other for name, one in fitting.items()}
    return st.builds(
        ToolCall, name=st.just(tool), arguments=st.fixed_dictionaries(fitting)
    )


def value(
    near: Mapping[str, list[Any]], name: str, schema: dict[str, Any]
) -> st.SearchStrategy[Any]:
    """What stands under the longest field name that ends the argument's."""
    one, kind = name.removesuffix("s"), schema.get("type")
    items = schema.get("items", {})
    wanted = PLAIN.get((items if kind == "array" else schema).get("type"), dict)
    like = {
        field: fitting
        for field, leaves in near.items()
        if one.endswith(field)
        and (fitting := [leaf for leaf in leaves if isinstance(leaf, wanted)])
    }
    found = schema.get("enum") or like.get(max(like, key=len, default=""), near["id"])
    one_of = st.sampled_from(found)
    return st.lists(one_of, max_size=2) if kind == "array" else one_of


@cache
def neighborhoods(environment: Environment) -> list[dict[str, list[Any]]]:
    """Around a few records each: values of the record, and of those whose keys it holds, by field without its plural.

    Keys are "id".
    """
    state = environment.state.collections
    found = []
    for records in state.values():
        for record in islice(records.values(), 20):
            held = {leaf for _, leaf in leaves(record) if isinstance(leaf, str)}
            around = {
                key: state[name][key]
                for name in state
                for key in held & state[name].keys()
            }
            near: dict[str, list[Any]] = {"id": [], "reason": ["no longer needed"]}
            for field, leaf in leaves(record | {"around": around}):
                near.setdefault(field.removesuffix("s"), []).append(leaf)
            if len(around) > 1:  # it holds its own key
                found.append(near)
    return found


def leaves(inside: Any, field: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(inside, dict):
        yield field, inside
        for name, inner in inside.items():
            yield "id", name
            yield from leaves(inner, name)
    elif isinstance(inside, list):
        for inner in inside:
            yield from leaves(inner, field)
    elif field:
        yield field, inside


@pytest.fixture(scope="module", params=names())
def name(request: pytest.FixtureRequest) -> str:
    text: str = request.param
    return text


whatever_is_called = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class TestAnySequenceOfCalls:
    @whatever_is_called
    @given(drawn=st.data())
    def test_gives_texts_and_leaves_the_base_alone(
        self, name: str, drawn: st.DataObject
    ) -> None:
        environment = small_world(name)
        before = environment.state.content_hash
        session = environment.session()

        for call in drawn.draw(st.lists(strategy(name), max_size=8)):
            assert isinstance(session.call(call).content, str)

        assert State(environment.state.collections).content_hash == before

    @whatever_is_called
    @given(drawn=st.data())
    def test_keeps_the_hash_that_is_recomputed_after_each(
        self, name: str, drawn: st.DataObject
    ) -> None:
        session = small_world(name).session()

        for call in drawn.draw(st.lists(strategy(name), max_size=4)):
            session.call(call)
            assert session.state.content_hash() == recomputed_hash(session.state)

    @whatever_is_called
    @given(drawn=st.data())
    def test_is_forgotten_by_a_reset(self, name: str, drawn: st.DataObject) -> None:
        session = small_world(name).session()
        first = session.state.content_hash()

        session.replay(drawn.draw(st.lists(strategy(name), max_size=8)))
        session.state.reset()

        assert session.state.content_hash() == first == recomputed_hash(session.state)
        assert session.state.diff() == []

    @whatever_is_called
    @given(drawn=st.data())
    def test_has_a_diff_that_leads_from_the_base_to_the_state(
        self, name: str, drawn: st.DataObject
    ) -> None:
        session = small_world(name).session()

        session.replay(drawn.draw(st.lists(strategy(name), max_size=8)))

        assert text_hash(patched(session.state)) == session.state.content_hash()

    @whatever_is_called
    @given(drawn=st.data())
    def test_gives_the_same_again(self, name: str, drawn: st.DataObject) -> None:
        environment = small_world(name)
        calls = drawn.draw(st.lists(strategy(name), max_size=6))
        one, other = environment.session(), environment.session()

        assert one.replay(calls) == other.replay(calls)
        assert one.state.effect() == other.state.effect()

    def test_changes_something_now_and_then(self, name: str) -> None:
        """The calls drawn here would prove little if all of them failed."""
        environment = small_world(name)
        changed = []

        @settings(max_examples=500, derandomize=True, deadline=None)
        @given(call=strategy(name))
        def draw(call: ToolCall) -> None:
            session = environment.session()
            session.call(call)
            changed.append(bool(session.state.changes()))

        draw()
        assert sum(changed) >= 3

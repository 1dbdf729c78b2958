"""Courses remember what writes do, and must never answer otherwise than a fresh session does."""

import pytest

from environments.core.environment import Environment
from environments.core.tools import ToolCall
from environments.registry import world
from writ_app.engine.verification import courses
from writ_app.engine.verification.courses import base_of


@pytest.fixture(scope="module")
def shop() -> Environment:
    return world("retail").generated(seed=1)


def moves(shop: Environment, *, city: str, backwards: bool = False) -> ToolCall:
    """A write with many arguments, about the first person there is."""
    person = shop.people[0]
    arguments = {
        "user_id": person,
        "address1": "1 Elm Street",
        "address2": "",
        "city": city,
        "state": "CA",
        "country": "USA",
        "zip": "90001",
    }
    if backwards:
        arguments = dict(reversed(arguments.items()))
    return ToolCall(name="modify_user_address", arguments=arguments)


def looks(shop: Environment) -> ToolCall:
    return ToolCall(name="get_user_details", arguments={"user_id": shop.people[0]})


def test_the_same_write_is_made_once(shop: Environment) -> None:
    first, second = (base_of(shop).after(moves(shop, city="Reno")) for _ in range(2))
    assert first[1] is second[1]
    assert base_of(shop).after(moves(shop, city="Ely"))[1] is not first[1]


def test_a_course_answers_and_ends_as_a_fresh_session_does(shop: Environment) -> None:
    course, session = base_of(shop), shop.session()
    before = course.answer(looks(shop))
    for city in ("Reno", "Ely", "Reno"):
        result, course = course.after(moves(shop, city=city))
        assert result == session.call(moves(shop, city=city))
        assert course.answer(looks(shop)) == session.call(looks(shop))
        assert course.effect == session.state.effect()
    assert base_of(shop).answer(looks(shop)) == before


def test_arguments_in_another_order_are_another_write(shop: Environment) -> None:
    """A result may repeat them in the order in which they came."""
    _, one = base_of(shop).after(moves(shop, city="Reno"))
    _, other = base_of(shop).after(moves(shop, city="Reno", backwards=True))
    assert one is not other
    assert one.effect == other.effect


def test_what_fails_is_remembered_as_a_failure(shop: Environment) -> None:
    wrong = ToolCall(name="modify_user_address", arguments={"user_id": "nobody"})
    result, course = base_of(shop).after(wrong)
    assert result == shop.session().call(wrong)
    assert result.error
    assert course.answer(looks(shop)) == base_of(shop).answer(looks(shop))


def test_only_so_many_are_remembered(
    shop: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courses, "KEPT", 2)
    base = base_of(shop)
    for city in ("Troy", "Rome", "Paris"):
        base.after(moves(shop, city=city))
    assert base_of(shop) is not base

"""What is remembered of a base, and what a changed session makes anew."""

import pytest

from environments.core import memo
from environments.core.memo import Memo
from environments.core.state import Session, State


def name_of(session: Session, key: str) -> str:
    record = session.get("pets", key)
    return record["name"] if record else ""


class Counting:
    def __init__(self) -> None:
        self.made: list[str] = []

    def __call__(self, session: Session, key: str) -> str:
        self.made.append(key)
        return name_of(session, key)


@pytest.fixture
def base() -> State:
    return State({"pets": {"a": {"name": "Ada"}, "b": {"name": "Bo"}}})


class TestMemo:
    def test_makes_a_value_of_the_base_once(self, base: State) -> None:
        make = Counting()
        names = Memo(make)

        assert [names.of(Session(base), "a") for _ in range(3)] == ["Ada"] * 3
        assert make.made == ["a"]

    def test_makes_anew_what_a_change_touches_and_nothing_else(
        self, base: State
    ) -> None:
        make = Counting()
        names = Memo(make)
        changed = Session(base)
        changed.edit("pets", "a")["name"] = "Abe"

        assert [names.of(changed, key) for key in "ab"] == ["Abe", "Bo"]
        assert [names.of(Session(base), key) for key in "ab"] == ["Ada", "Bo"]
        assert make.made == ["a", "a", "b"]

    def test_keeps_bases_apart(self, base: State) -> None:
        names = Memo(name_of)
        other = State({"pets": {"a": {"name": "Zed"}}})

        assert names.of(Session(base), "a") == "Ada"
        assert names.of(Session(other), "a") == "Zed"

    def test_keeps_no_more_than_it_should(
        self, base: State, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(memo, "KEPT", 1)
        make = Counting()
        names = Memo(make)

        for key in "aba":
            assert names.of(Session(base), key) == name_of(Session(base), key)
        assert make.made == ["a", "b", "a"]

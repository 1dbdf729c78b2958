import pytest

from environments.core.evaluate import answer
from environments.core.state import Session
from tests.engine.behaviour.played import composed, ledger_for, named, room_of
from tests.engine.talks import small_shop, task_of
from writ_app.engine.behaviour import DIMENSIONS, Room
from writ_app.engine.behaviour.phases import Phases
from writ_app.engine.types import Ledger, Task


class TestRoom:
    def test_offers_the_plain_value_first_and_says_why_others_are_void(self) -> None:
        room = room_of("N1")

        assert room.values["policy_pressure"] == ("none", "appeals")
        assert room.void["confirmation"]["recap"] == "no_write"
        assert room.void["goal_shift"]["add"] == "no_first_phase"
        assert "confirmation" not in room.values
        assert "packaging" not in room.values

    def test_counts_every_value_as_possible_or_void(self) -> None:
        for name in ("R1", "W1", "N1", "I1", "T1", "0"):
            room = room_of(name)
            for slug, dimension in DIMENSIONS.items():
                void = room.void.get(slug, {}).keys()
                known = {value.slug for value in dimension.values}
                assert void | set(room.values.get(slug, ())) == known
                assert not void & set(room.values.get(slug, ()))

    def test_needs_several_parts_for_packaging(self) -> None:
        assert room_of("0").values["packaging"] == (
            "at_once",
            "one_by_one",
            "hidden_second",
        )

    def test_lets_users_be_known_by_any_look_up_that_tells_the_same(self) -> None:
        room = room_of("R1")

        assert room.values["identity"] == ("name_zip", "email", "wrong_email")
        people = small_shop().state.collections["users"]
        known = room.identities["email"]["email"]
        assert people[room.task.person]["email"] == known

    def test_offers_nothing_that_has_to_be_looked_up_without_an_environment(
        self,
    ) -> None:
        room = Room(task_of("R1"))

        assert room.values["goal_shift"] == ("none",)
        assert "wrong_email" not in room.values["identity"]

    def test_gives_a_wrong_email_that_nobody_has(self) -> None:
        people = small_shop().state.collections["users"].values()
        taken = {person["email"] for person in people}
        for seed in range(20):
            ledger = ledger_for("R1", seed, identity="wrong_email")
            [line] = [x for x in ledger.lines if x.kind == "identity"]
            assert line.wrong_tells["email"] not in taken
            assert line.tells.keys() == {"first_name", "last_name", "zip"}


SHIFTS = [
    ("replace", "R1"),
    ("drop", "R1"),
    ("threshold", "R1"),
    ("forbidden", "R1"),
    ("add", "0"),
]


def outcome(task: Task, ledger: Ledger) -> tuple[object, ...]:
    """What the first wish comes to on the task's own database."""
    assert ledger.first is not None
    shop = small_shop()
    found = answer(
        ledger.first.query,
        ledger.first.facts,
        shop.domain.from_state(Session(shop.state)),
        shop.domain,
    )
    return found.gold, found.declined


class TestPhases:
    @pytest.mark.parametrize(("kind", "name"), SHIFTS)
    def test_find_a_first_wish_with_another_answer(self, kind: str, name: str) -> None:
        task = named(name)
        value = {"forbidden": "forbidden_first"}.get(kind, kind)
        dimension = "policy_pressure" if kind == "forbidden" else "goal_shift"
        ledger = ledger_for(name, **{dimension: value})

        gold, declined = outcome(task, ledger)

        assert ledger.first is not None
        assert (gold, declined) == (ledger.first.gold, ledger.first.declined)
        assert gold != tuple(write.call for write in task.gold)
        assert bool(declined) == (kind == "forbidden")
        assert [x.kind for x in ledger.lines].count("shift") == 1

    def test_change_one_condition_and_leave_the_rest(self) -> None:
        ledger = ledger_for("R1", goal_shift="threshold")
        first = [x for x in ledger.lines if x.phase == "first"]
        second = [x for x in ledger.lines if x.phase == "second"]

        assert len(first) == len(second) == 1
        [changed] = ledger.first.changed if ledger.first else ()
        assert first[0].tells.keys() == second[0].tells.keys()
        assert first[0].tells[changed] != second[0].tells[changed]
        assert first[0].text != second[0].text

    def test_keep_the_task_as_the_second_phase(self) -> None:
        for kind, name in SHIFTS[:3]:
            ledger = ledger_for(name, goal_shift=kind)
            told = [x.text for x in ledger.lines if x.phase != "first"]
            assert all(clause.text in told for clause in named(name).clauses)

    def test_are_the_same_for_the_same_seed(self) -> None:
        one, other = (Phases(small_shop(), task_of("R1"), 3) for _ in range(2))
        for kind, _ in SHIFTS:
            assert one.shift(kind) == other.shift(kind)

    def test_are_none_where_nothing_can_be_added(self) -> None:
        assert Phases(small_shop(), task_of("R1")).shift("add") is None
        assert Phases(small_shop(), composed(0)).shift("add") is not None

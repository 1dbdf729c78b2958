import hashlib
import json

import pytest

from environments.core.pointers import pointer
from environments.core.state import Index, Session, State
from tests.environments.core.recompute import recomputed_hash


def small_state() -> State:
    records = {
        "people": {
            "ann": {"name": "Ann", "age": 4, "tags": ["a"]},
            "bob": {"name": "Bob", "age": 5, "tags": []},
        },
        "things": {"1": {"owner": "ann", "price": 2.0}},
    }
    return State(records, {"by_name": Index("people", lambda person: [person["name"]])})


class TestContentHash:
    def test_is_the_hash_of_the_sorted_json_text(self) -> None:
        state = small_state()

        expected = json.dumps(state.collections, sort_keys=True).encode()

        assert state.content_hash == hashlib.sha256(expected).hexdigest()

    def test_kept_incrementally_equals_the_hash_recomputed(self) -> None:
        session = Session(small_state())

        session.edit("people", "bob")["age"] = 6
        session.put("things", "0", {"owner": "bob", "price": 1.5})
        session.remove("people", "ann")

        assert session.content_hash() == recomputed_hash(session)

    def test_finds_the_place_of_every_added_and_removed_record(self) -> None:
        session = Session(small_state())

        for key in ("aaa", "b", "bz", "zed", "ann", 'a"b', "á"):
            session.put("people", key, {"name": key})
            assert session.content_hash() == recomputed_hash(session)
        for key in ("bob", "aaa", "never there", "zed", "ann"):
            session.remove("people", key)
            assert session.content_hash() == recomputed_hash(session)

    def test_tells_an_int_from_an_equal_float(self) -> None:
        session = Session(small_state())

        session.edit("things", "1")["price"] = 2

        assert session.content_hash() != session.base.content_hash

    def test_of_a_state_seen_before_is_not_that_of_another(self) -> None:
        base = small_state()
        hashes = []
        for age in (6, 7, 6):
            session = Session(base)
            session.edit("people", "bob")["age"] = age
            hashes.append(session.content_hash())

        assert hashes[0] == hashes[2] != hashes[1]


class TestPut:
    def test_refuses_a_collection_that_is_not_there(self) -> None:
        with pytest.raises(KeyError):
            Session(small_state()).put("places", "1", {})


class TestReplace:
    def test_leaves_what_the_record_shares_with_the_base_untouched_by_later_edits(
        self,
    ) -> None:
        state = small_state()
        session = Session(state)
        ann = state.collections["people"]["ann"]

        session.replace("people", "ann", {**ann, "age": 9})
        session.edit("people", "ann")["tags"].append("b")

        assert session.get("people", "ann") == {
            "name": "Ann",
            "age": 9,
            "tags": ["a", "b"],
        }
        assert ann["tags"] == ["a"]
        assert session.content_hash() == recomputed_hash(session)


class TestEdit:
    def test_leaves_the_base_and_other_sessions_as_they_are(self) -> None:
        base = small_state()
        one, other = Session(base), Session(base)

        one.edit("people", "ann")["tags"].append("b")

        assert base.collections["people"]["ann"]["tags"] == ["a"]
        assert other.get("people", "ann")["tags"] == ["a"]  # type: ignore[index]

    def test_after_a_fork_does_not_reach_the_fork(self) -> None:
        session = Session(small_state())
        session.edit("people", "ann")["age"] = 9
        fork = session.fork()

        session.edit("people", "ann")["age"] = 10
        fork.edit("people", "ann")["tags"].append("z")

        assert fork.get("people", "ann") == {
            "name": "Ann",
            "age": 9,
            "tags": ["a", "z"],
        }
        assert session.get("people", "ann")["tags"] == ["a"]  # type: ignore[index]

    def test_refuses_a_record_that_is_not_there(self) -> None:
        with pytest.raises(KeyError):
            Session(small_state()).edit("people", "eve")


class TestLookup:
    def test_follows_changes_and_prefers_the_first_in_file_order(self) -> None:
        session = Session(small_state())

        session.edit("people", "bob")["name"] = "Ann"
        assert session.lookup("by_name", "Ann") == "ann"

        session.edit("people", "ann")["name"] = "Zoe"
        assert session.lookup("by_name", "Ann") == "bob"
        assert session.lookup("by_name", "Bob") is None


class TestLookupAll:
    def test_names_all_in_file_order_and_added_ones_last(self) -> None:
        session = Session(small_state())
        session.put("people", "aaa", {"name": "Ann"})
        session.edit("people", "bob")["name"] = "Ann"
        session.edit("people", "ann")["age"] = 5

        assert list(session.lookup_all("by_name", "Ann")) == ["ann", "bob", "aaa"]

        session.remove("people", "ann")
        assert list(session.lookup_all("by_name", "Ann")) == ["bob", "aaa"]
        assert list(session.lookup_all("by_name", "Bob")) == []

    def test_is_something_that_reads_depend_on(self) -> None:
        session = Session(small_state())
        session.touched = set()

        session.lookup_all("by_name", "Ann")
        session.put("people", "aaa", {"name": "Ann"})

        assert session.touched & session.affected() == {("index:by_name", "Ann")}


class TestRestore:
    def test_takes_back_what_came_after_the_fork(self) -> None:
        session = Session(small_state())
        session.edit("people", "ann")["age"] = 9
        earlier, hash_then = session.fork(), session.content_hash()

        session.edit("people", "ann")["age"] = 10
        session.put("things", "2", {"owner": "ann"})
        session.restore(earlier)

        assert session.content_hash() == hash_then
        session.edit("people", "ann")["age"] = 11
        assert earlier.content_hash() == hash_then


class TestDiff:
    def test_says_nothing_of_a_record_changed_back(self) -> None:
        session = Session(small_state())

        session.edit("people", "ann")["age"] = 9
        session.edit("people", "ann")["age"] = 4

        assert session.diff() == []
        assert session.changes() == {}

    def test_names_the_path_and_both_sides(self) -> None:
        session = Session(small_state())

        session.edit("people", "ann")["tags"] = ["a", "b"]
        session.remove("things", "1")

        assert session.diff() == [
            {
                "op": "set",
                "path": ["people", "ann", "tags"],
                "before": ["a"],
                "after": ["a", "b"],
            },
            {
                "op": "remove",
                "path": ["things", "1"],
                "before": {"owner": "ann", "price": 2.0},
                "after": None,
            },
        ]

    def test_tells_what_happened_since_an_earlier_session(self) -> None:
        session = Session(small_state())
        session.edit("people", "ann")["age"] = 5
        session.put("things", "9", {"owner": "ann", "price": 1.0})
        earlier = session.fork()

        session.edit("people", "ann")["age"] = 6
        session.remove("things", "9")

        assert [
            (step["op"], step["path"], step["before"], step["after"])
            for step in session.diff(earlier)
        ] == [
            ("set", ["people", "ann", "age"], 5, 6),
            ("remove", ["things", "9"], {"owner": "ann", "price": 1.0}, None),
        ]

    def test_tells_what_was_taken_back_since_an_earlier_session(self) -> None:
        session = Session(small_state())
        session.edit("people", "ann")["age"] = 5
        earlier = session.fork()

        session.reset()

        assert session.diff() == []
        (step,) = session.diff(earlier)
        assert (step["before"], step["after"]) == (5, 4)
        assert earlier.diff(earlier) == []


class TestMerge:
    def test_merges_objects_replaces_the_rest_and_adds_records(self) -> None:
        session = Session(small_state())
        session.edit("people", "ann")["home"] = {"city": "Rome", "zip": "1"}

        session.merge(
            {"people": {"ann": {"home": {"zip": "2"}, "tags": []}, "eve": {"age": 1}}}
        )

        assert session.get("people", "ann") == {
            "name": "Ann",
            "age": 4,
            "tags": [],
            "home": {"city": "Rome", "zip": "2"},
        }
        assert session.get("people", "eve") == {"age": 1}

    def test_keeps_nothing_of_what_was_given(self) -> None:
        session, part = Session(small_state()), {"tags": ["x"]}

        session.merge({"people": {"ann": part}})
        session.edit("people", "ann")["tags"].append("y")

        assert part == {"tags": ["x"]}

    def test_refuses_a_collection_that_is_not_there(self) -> None:
        with pytest.raises(KeyError):
            Session(small_state()).merge({"places": {"a": {}}})


class TestApplyPatch:
    def test_adds_replaces_and_removes_inside_records(self) -> None:
        session = Session(small_state())

        session.apply_patch(
            [
                {"op": "replace", "path": "/people/ann/age", "value": 40},
                {"op": "add", "path": "/people/ann/tags/-", "value": "b"},
                {"op": "remove", "path": "/people/ann/tags/0"},
                {"op": "add", "path": "/people/" + "x~1y", "value": {"name": "X"}},
            ]
        )

        assert session.get("people", "ann") == {"name": "Ann", "age": 40, "tags": ["b"]}
        assert session.get("people", "x/y") == {"name": "X"}

    def test_refuses_to_replace_what_is_not_there(self) -> None:
        with pytest.raises(KeyError):
            Session(small_state()).apply_patch(
                [{"op": "replace", "path": "/people/ann/height", "value": 1}]
            )

    @pytest.mark.parametrize("op", ["replace", "remove"])
    def test_refuses_to_change_a_record_that_is_not_there(self, op: str) -> None:
        with pytest.raises(KeyError):
            Session(small_state()).apply_patch(
                [{"op": op, "path": "/people/eve", "value": {}}]
            )

    def test_refuses_an_operation_that_it_does_not_know(self) -> None:
        with pytest.raises(ValueError, match="no operation"):
            Session(small_state()).apply_patch(
                [{"op": "test", "path": "/people/ann", "value": {}}]
            )

    def test_understands_the_pointers_we_make(self) -> None:
        assert pointer("a/b", 0, "c~d") == "/a~1b/0/c~0d"


class TestAffected:
    def test_names_the_record_its_collection_and_the_look_ups_it_moves(self) -> None:
        session = Session(small_state())

        session.edit("people", "ann")["name"] = "Zoe"

        assert session.affected() == {
            ("people", "ann"),
            ("people", "*"),
            ("index:by_name", "Ann"),
            ("index:by_name", "Zoe"),
        }


class TestEquals:
    def test_says_the_same_as_equal_effects(self) -> None:
        base = small_state()

        def changed(price: object, *, age: int = 4) -> Session:
            session = Session(base)
            session.edit("things", "1")["price"] = price
            session.edit("people", "ann")["age"] = age
            return session

        sessions = [
            Session(base),
            changed(2.0),
            changed(2),  # another text, though equal in Python
            changed(3.0),
            changed(2.0, age=5),
            changed(True),
        ]
        sessions.append(Session(base))
        sessions[-1].remove("people", "bob")

        for one in sessions:
            for other in sessions:
                assert one.equals(other) is (one.effect() == other.effect())
        assert sessions[0].equals(sessions[1])
        assert not sessions[1].equals(sessions[2])


class TestChangedKeys:
    def test_are_in_the_order_of_their_first_change(self) -> None:
        session = Session(small_state())

        session.remove("people", "bob")
        session.put("people", "cat", {"name": "Cat", "age": 1, "tags": []})
        session.edit("things", "1")["price"] = 1.0
        session.put("people", "bob", {"name": "Bob", "age": 6, "tags": []})

        assert session.changed_keys("people") == ["bob", "cat"]
        assert session.changed_keys("things") == ["1"]

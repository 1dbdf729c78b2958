"""What shares a task or a person is in one split, whatever the shares are."""

import random

import pytest

from writ_app.services.release.choose import Candidate
from writ_app.services.release.split import groups_of, split

SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


def candidate(item: int, task: str, *people: str) -> Candidate:
    return Candidate(item, task, people, "R1", 1, 5)


def crowd(seed: int, size: int = 400) -> list[Candidate]:
    """Tasks that are about one or two of many people, some simulated more than once."""
    draw = random.Random(seed)
    made = []
    for item in range(size):
        task = draw.randrange(size // 2)
        people = {f"p{task % 150}"} | (
            {f"p{draw.randrange(150)}"} if draw.random() < 0.05 else set()
        )
        made.append(candidate(item, f"t{task}", *sorted(people)))
    return made


class TestGroups:
    def test_join_over_others(self) -> None:
        chain = [
            candidate(1, "a", "x"),
            candidate(2, "b", "x", "y"),
            candidate(3, "c", "y"),
            candidate(4, "d", "z"),
        ]

        groups = [{one.item for one in group} for group in groups_of(chain)]

        assert sorted(groups, key=min) == [{1, 2, 3}, {4}]


class TestSplit:
    @pytest.mark.parametrize("seed", range(5))
    def test_never_parts_what_shares_a_task_or_a_person(self, seed: int) -> None:
        members = crowd(seed)

        found = split(members, SHARES, seed)

        seen: dict[str, set[str]] = {}
        for one in members:
            for key in (f"task {one.task}", *one.people):
                seen.setdefault(key, set()).add(found.of[one.item])
        assert all(len(splits) == 1 for splits in seen.values())
        assert len(found.of) == len(members)

    def test_comes_as_near_to_the_shares_as_groups_allow(self) -> None:
        members = [candidate(n, f"t{n}", f"p{n % 200}") for n in range(1000)]

        found = split(members, SHARES, seed=1)

        sizes = [list(found.of.values()).count(name) for name in SHARES]
        assert sizes == [800, 100, 100]
        assert not found.notes

    def test_says_which_share_could_not_be_met_and_why(self) -> None:
        members = [candidate(n, f"t{n}", "everybody") for n in range(10)]

        found = split(members, SHARES, seed=1)

        assert set(found.of.values()) == {"train"}
        assert (found.groups, found.largest) == (1, 10)
        assert [note.split()[0] for note in found.notes] == [
            "train",
            "validation",
            "test",
        ]
        assert "validation was to have 10.0% and has 0.0% (0 of 10)" in found.notes[1]

    def test_is_the_same_in_whatever_order_they_come(self) -> None:
        members = crowd(9)

        assert split(members, SHARES, 7).of == split(members[::-1], SHARES, 7).of

    def test_of_nothing_is_nothing(self) -> None:
        assert split([], SHARES, 1).of == {}

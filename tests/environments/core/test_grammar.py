import random
from dataclasses import replace
from typing import ClassVar

from environments.core.domain import Archetype, Clause, Facts, TaskClass
from environments.core.grammar import apart_from_sisters, say, segments, understand
from environments.core.query import Decline, Query

LEXICON = {"color": {"red": ("red", "the red one"), "blue": ("blue",)}}
WISH = Clause("wish", ("[I want|Give me] {color}[|, please].",), opens=True)
NOTHING = Query(steps=())
DECLINED = Query(steps=(Decline(clause="1"),))
WHY = Clause("why", ("Because of {reason}.",))


def kind(slug: str, *clauses: Clause) -> Archetype:
    return Archetype(
        slug,
        slug,
        TaskClass.READ_HEAVY,
        lambda *_: None,
        lambda facts: NOTHING,
        clauses,
    )


class TestSay:
    def test_draws_different_ways_and_tells_its_slots(self) -> None:
        rng = random.Random(1)

        said = [say(WISH, {"color": "red"}, LEXICON, rng) for _ in range(60)]

        assert len({part.text for part in said}) == 8
        assert {part.tells for part in said} == {("color",)}


class TestUnderstand:
    def test_gives_back_the_values_whatever_the_wording(self) -> None:
        rng = random.Random(2)
        facts = {"color": "red", "reason": "the weather, really"}

        for _ in range(30):
            text = " ".join(
                say(clause, facts, LEXICON, rng).text for clause in (WHY, WISH)
            )
            (understood,) = understand(text, [kind("K", WISH, WHY)], LEXICON)
            assert understood.facts == facts
            assert understood.clauses == ("why", "wish")

    def test_takes_the_longest_of_words_that_begin_alike(self) -> None:
        days = {"1": ("May 1",), "10": ("May 10",), "or": ("May 1 or May 2",)}
        clause = Clause("when", ("On {day}[, maybe|].",))

        for value, words in (
            ("1", "May 1"),
            ("10", "may 10"),
            ("or", "May 1 or May 2"),
        ):
            (found,) = understand(f"On {words}.", [kind("K", clause)], {"day": days})
            assert found.facts == {"day": value}
        assert understand("On May 1 or.", [kind("K", clause)], {"day": days}) == []

    def test_finds_nothing_in_words_that_no_clause_accounts_for(self) -> None:
        assert (
            understand("I want red. And a pony.", [kind("K", WISH, WHY)], LEXICON) == []
        )

    def test_finds_two_meanings_when_two_archetypes_say_the_same(self) -> None:
        found = understand("I want blue.", [kind("K", WISH), kind("L", WISH)], LEXICON)

        assert [understood.archetype for understood in found] == ["K", "L"]

    def test_takes_each_lexicons_own_words_for_one_pattern(self) -> None:
        other = {"color": {"red": ("rosso",)}}
        archetypes = [kind("K", WISH)]

        (ours,) = understand("I want the red one.", archetypes, LEXICON)
        (theirs,) = understand("I want rosso.", archetypes, other)

        assert ours.facts == theirs.facts == {"color": "red"}
        assert understand("I want rosso.", archetypes, LEXICON) == []


class TestApartFromSisters:
    """K is asked for; L says the same."""

    WHO: ClassVar = {"id": 7}

    def left(self, other: Archetype) -> list[str]:
        ours = kind("K", WISH)
        found = understand("I want blue.", [ours, other], LEXICON)
        assert [way.archetype for way in found] == ["K", "L"]

        ways = apart_from_sisters(found, ours, NOTHING, self.WHO, [ours, other])

        return [way.archetype for way in ways]

    def test_are_those_that_state_the_same_query_and_end_otherwise(self) -> None:
        sister = replace(kind("L", WISH), task_class=TaskClass.REFUSAL)

        assert self.left(sister) == ["K"]

    def test_are_not_those_that_end_alike(self) -> None:
        """Whatever the state, both would be right or neither."""
        twin = replace(kind("L", WISH), task_class=TaskClass.WRITE_INTENSIVE)

        assert self.left(twin) == ["K", "L"]

    def test_are_not_those_with_another_query(self) -> None:
        refusal = replace(kind("L", WISH), task_class=TaskClass.REFUSAL)
        other = replace(refusal, query=lambda facts: DECLINED)

        assert self.left(other) == ["K", "L"]

    def test_are_not_those_that_ask_for_more_than_is_said(self) -> None:
        refusal = replace(kind("L", WISH), task_class=TaskClass.REFUSAL)
        states = {"color": "blue", "id": 7}

        def query(facts: Facts) -> Query:
            assert dict(facts) == states
            return NOTHING if facts["size"] else DECLINED

        assert self.left(replace(refusal, query=query)) == ["K", "L"]


MORE = Clause("more", ("[And one|One] more thing.", "Besides, there is this."))
THEN = Clause("then", ("After that, [please|if you can], this.",))


class TestSegments:
    def test_of_a_text_without_joints_is_the_text(self) -> None:
        assert segments("I want red. Now!", [MORE, THEN]) == [("", "I want red. Now!")]

    def test_are_the_pieces_with_the_joint_before_each(self) -> None:
        text = "I want red. And one more thing. Why? After that, please, this. Give me blue."

        assert segments(text, [MORE, THEN]) == [
            ("", "I want red."),
            ("more", "Why?"),
            ("then", "Give me blue."),
        ]

    def test_know_every_way_to_say_a_joint(self) -> None:
        rng = random.Random(3)
        for joint in (MORE, THEN):
            ways = {say(joint, {}, LEXICON, rng).text for _ in range(40)}
            assert len(ways) >= 2
            for way in ways:
                assert segments(f"A. {way} B.", [MORE, THEN]) == [
                    ("", "A."),
                    (joint.name, "B."),
                ]

    def test_take_only_whole_sentences_for_joints(self) -> None:
        text = (
            "I said: one more thing. One more thing is red. Besides, there is this one."
        )

        assert segments(text, [MORE]) == [("", text)]

    def test_may_be_empty(self) -> None:
        assert segments("One more thing. One more thing.", [MORE]) == [
            ("", ""),
            ("more", ""),
            ("more", ""),
        ]
        assert segments("", [MORE]) == [("", "")]

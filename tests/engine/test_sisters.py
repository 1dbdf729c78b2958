"""Requests in the same words that one archetype allows and another refuses: nothing but the state may tell them apart."""

from collections import Counter

import pytest

from environments.core.domain import Archetype
from environments.core.evaluate import Answer, answer
from environments.core.grammar import understand
from environments.core.state import Session
from environments.registry import world
from tests.engine.lines import desk
from writ_app.engine.types import Task

PAIRS = {
    "airline": ("A41/N1", "A42/N2", "A16/N4", "A40/N5", "A43/N7"),
    "rental": ("E20/N2", "E21/N3", "E22/N4", "E23/N5", "T1/N6"),
    "retail": ("R23/N13", "R25/N1", "R26/N12", "R27/N5"),
}
EACH = pytest.mark.parametrize(
    ("name", "slugs"),
    [(name, tuple(pair.split("/"))) for name in PAIRS for pair in PAIRS[name]],
)
TASKS = 3


def archetypes(name: str, slugs: tuple[str, str]) -> tuple[Archetype, Archetype]:
    allowed, refused = (desk(name).designer.archetypes[slug] for slug in slugs)
    return allowed, refused


def tasks(name: str, slug: str) -> list[Task]:
    return [desk(name).designer.design(slug, seed) for seed in range(TASKS)]


@pytest.mark.parametrize("name", PAIRS)
def test_all_that_share_their_words_are_known_here(name: str) -> None:
    alike: dict[object, list[str]] = {}
    for archetype in world(name).generated(seed=1, users=1).domain.archetypes:
        alike.setdefault(archetype.clauses, []).append(archetype.slug)

    shared = {frozenset(slugs) for slugs in alike.values() if len(slugs) > 1}

    assert shared == {frozenset(pair.split("/")) for pair in PAIRS[name]}


@EACH
class TestSisters:
    def test_end_differently(self, name: str, slugs: tuple[str, str]) -> None:
        allowed, refused = archetypes(name, slugs)

        assert refused.task_class.ending == "declined"
        assert allowed.task_class.ending != "declined"

    def test_are_both_understood_as_the_same_query(
        self, name: str, slugs: tuple[str, str]
    ) -> None:
        domain, both = desk(name).environment.domain, archetypes(name, slugs)
        for task in (task for slug in slugs for task in tasks(name, slug)):
            ways = understand(task.text, domain.archetypes, domain.lexicon)

            assert {way.archetype for way in ways} == set(slugs)
            for archetype in both:
                assert archetype.query(task.facts) == task.query

    def test_are_told_apart_by_the_state_alone(
        self, name: str, slugs: tuple[str, str]
    ) -> None:
        """On the database exactly one of the two is right; on a witness that flips the policy's condition, the other."""
        environment, both = desk(name).environment, archetypes(name, slugs)
        right: Counter[str] = Counter()
        for task in (task for slug in slugs for task in tasks(name, slug)):
            states = [Session(environment.state)]
            for read in task.certificate:
                assert read.witness is not None or not task.burden.exact
                if read.witness is not None:
                    states.append(Session(environment.state))
                    states[-1].apply_patch(read.witness.patch)
            rows = environment.domain.from_state
            for number, state in enumerate(states):
                found = answer(task.query, task.facts, rows(state), environment.domain)
                fit = [
                    one.slug for one in both if one.task_class.ending == ending(found)
                ]

                assert len(fit) == 1
                assert number or fit == [task.archetype]
                right[task.archetype + ">" + fit[0]] += 1
        assert right[f"{slugs[0]}>{slugs[1]}"] + right[f"{slugs[1]}>{slugs[0]}"]

    def test_are_proved_as_what_they_are_and_as_nothing_else(
        self, name: str, slugs: tuple[str, str]
    ) -> None:
        for slug, other in (slugs, slugs[::-1]):
            line = desk(name).line(slug)
            assert desk(name).refute(line) is None

            title = desk(name).designer.archetypes[other].title
            kind = desk(name).designer.archetypes[other].task_class.value
            line |= {"archetype": other, "title": title, "class": kind}
            found = desk(name).refute(line)

            assert found is not None
            assert found.claim == "query"


def ending(found: Answer) -> str:
    if found.declined:
        return "declined"
    return "transferred" if found.transferred else "done"


@pytest.mark.parametrize("pair", ["E20/N2", "E21/N3"])
def test_clauses_against_other_readings_do_not_give_a_refusal_away(pair: str) -> None:
    """Refused, every reading ends alike; the clause is said as often as where it matters."""
    counts = []
    for slug in pair.split("/"):
        made = [desk("rental").designer.design(slug, seed) for seed in range(16)]
        counts.append(sum("rate_only" in {c.name for c in t.clauses} for t in made))

    assert all(0 < count < 16 for count in counts)
    assert abs(counts[0] - counts[1]) <= 8

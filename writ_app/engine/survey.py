"""What people can ask for: wishes drawn ahead, each with what it is expected to need, and how those of one person add up.

A draw with its answer is a hundredth of the work of a proof, and tells nearly always what the proof will count: every read but those
in which a description was only looked for. So a cell of a grid is filled by choosing a person and wishes that weigh together what the
cell wants, and an empty cell is explained by what nobody has.
Knows nothing about grids, databases or users.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from environments.core.domain import Proposal
from environments.core.errors import Unidentifiable
from writ_app.engine.composition import Part
from writ_app.engine.errors import InvalidTask
from writ_app.engine.task_design import Designer, Sketch, is_joinable
from writ_app.engine.types import Task

MOST_OF_A_KIND = 2
"""Wishes of one kind in one request."""
PAIRS_TRIED = 4
"""Pairs of one kind that must have fared alike before it is believed that all do."""
FEW_STEPS = 150
"""Steps of a search for wishes that go together, taken at random."""
MOST_STEPS = 500
"""Steps of the search after it. It is cut off there, and says so."""


@dataclass(eq=False)
class Wish:
    """One thing that one person can ask for. `part` and `task` are there once somebody took the trouble to make them."""

    person: str
    slug: str
    seed: int
    proposal: Proposal
    needs: frozenset[str]
    """Keys of the reads that the certificate is expected to have."""
    writes: frozenset[str]
    """Keys of the gold writes."""
    tools: tuple[str, ...]
    """Their tools."""
    joinable: bool
    part: Part | None = None
    task: Task | None = None
    refused: bool = False
    used: int = 0
    """Tasks that ask for it."""


class Survey:
    """Draws every kind of request for every person, a turn at a time. The draws of a person depend on nobody else."""

    def __init__(
        self,
        designer: Designer,
        slugs: Sequence[str],
        seed: int,
        refuse: Callable[[str, str], None],
    ):
        """`refuse` is told (slug, reason) of each draw that does not fit or was there before."""
        self._designer = designer
        self._slugs = slugs
        self._seed = seed
        self._refuse = refuse
        self._seen: set[str] = set()
        self.turns: dict[str, int] = {}
        """Person → turns drawn."""
        self.wishes: dict[str, list[Wish]] = {}

    def __bool__(self) -> bool:
        return bool(self._slugs)

    def look(self, person: str) -> Iterator[Wish]:
        """One more draw of each kind for this person: what is new of it."""
        turn = self.turns.get(person, 0)
        self.turns[person] = turn + 1
        found = self.wishes.setdefault(person, [])
        for slug in self._slugs:
            wish = self._draw(person, slug, turn)
            if wish is not None:
                found.append(wish)
                yield wish

    def _draw(self, person: str, slug: str, turn: int) -> Wish | None:
        world = self._designer.environment.content_hash
        rng = random.Random(f"wish {self._seed} {world} {person} {slug} {turn}")
        sketch = self._sketch(person, slug, rng) or self._sketch(person, slug, rng)
        if sketch is None:
            return None
        mark = json.dumps([person, slug, sketch.proposal.facts], sort_keys=True)
        if mark in self._seen:
            self._refuse(slug, "duplicate")
            return None
        self._seen.add(mark)
        return Wish(
            person=person,
            slug=slug,
            seed=rng.getrandbits(31),
            proposal=sketch.proposal,
            needs=sketch.needs,
            writes=frozenset(call.key for call in sketch.found.gold),
            tools=tuple(call.name for call in sketch.found.gold),
            joinable=is_joinable(self._designer.archetypes[slug]),
        )

    def _sketch(self, person: str, slug: str, rng: random.Random) -> Sketch | None:
        try:
            return self._designer.sketch(slug, person, rng)
        except (InvalidTask, Unidentifiable) as error:
            self._refuse(slug, error.reason)
            return None


class Combiner:
    """Wishes of one person in one request."""

    def __init__(self, designer: Designer):
        self._designer = designer
        self._bare: dict[Wish, Part] = {}
        self._moved: dict[Wish, frozenset[tuple[str, object]]] = {}
        self._together: dict[frozenset[Wish], bool] = {}
        self._kinds: dict[object, Counter[bool]] = {}
        """What two wishes write, and where both do → how pairs like them fared."""
        self.tried: set[frozenset[Wish]] = set()
        """What was asked before."""

    def find(
        self,
        wishes: Sequence[Wish],
        writes: int,
        band: tuple[int, int | None],
    ) -> tuple[tuple[Wish, ...] | None, bool]:
        """(The first combination that is new, has so many writes, and is expected to need as many reads as the band says; whether
        the search was cut off before it found one.)

        "First" goes by the order of the wishes, so that a shuffled list gives a random combination. If that takes long, the heaviest
        or the lightest go first.
        """
        if sum(len(wish.writes) for wish in wishes) < writes:
            return None, False
        heavy = band[0] > len(frozenset().union(*(w.needs for w in wishes))) // 2
        by_weight = sorted(wishes, key=lambda w: len(w.needs), reverse=heavy)
        for order, steps in ((wishes, FEW_STEPS), (by_weight, MOST_STEPS)):
            search = _Search(self, order, writes, band, steps)
            found = next((f for f in search.found() if self._holds(f)), None)
            if found is not None or not search.cut:
                return found, False
        return None, True

    def may_join(self, chosen: Sequence[Wish], wish: Wish) -> bool:
        kind = sum(other.slug == wish.slug for other in chosen)
        return kind < MOST_OF_A_KIND and all(
            self._go_together(other, wish) for other in chosen
        )

    def _go_together(self, one: Wish, other: Wish) -> bool:
        """Whether one request can hold both, as far as can be told without looking at everything else.

        Wishes that change no record in common do. Of others it is supposed, unless pairs like them have shown that they do not.
        """
        pair = frozenset((one, other))
        if pair not in self._together:
            both = self._changes(one) & self._changes(other)
            if not both:
                self._together[pair] = True
            elif one.writes & other.writes:
                self._together[pair] = False
            else:
                fared = self._fared(one, other, both)
                return fared[True] > 0 or fared[False] < PAIRS_TRIED
        return self._together[pair]

    def _fared(
        self, one: Wish, other: Wish, both: Collection[tuple[str, object]]
    ) -> Counter[bool]:
        kind = (
            frozenset((one.tools, other.tools)),
            frozenset(collection for collection, _ in both),
        )
        return self._kinds.setdefault(kind, Counter())

    def _holds(self, found: Sequence[Wish]) -> bool:
        """Whether pairs of which it was only supposed do go together."""
        for one, other in combinations(found, 2):
            pair = frozenset((one, other))
            if pair not in self._together:
                both = self._changes(one) & self._changes(other)
                fits = self._designer.go_together(self._part(one), self._part(other))
                self._fared(one, other, both)[fits] += 1
                self._together[pair] = fits
            if not self._together[pair]:
                return False
        return True

    def blame(self, wishes: Sequence[Wish], place: int) -> None:
        """Remember that the one at `place` does not go with those before it, if two of them alone do not, either."""
        last = wishes[place]
        for other in wishes[:place]:
            if not self._designer.go_together(self._part(other), self._part(last)):
                self._together[frozenset((other, last))] = False

    def _changes(self, wish: Wish) -> frozenset[tuple[str, object]]:
        if wish not in self._moved:
            self._moved[wish] = self._designer.changed_by(self._part(wish))
        return self._moved[wish]

    def _part(self, wish: Wish) -> Part:
        if wish not in self._bare:
            self._bare[wish] = self._designer.wordless(wish.slug, wish.proposal)
        return self._bare[wish]

    def extremes(self, wishes: Sequence[Wish], writes: int) -> tuple[int, int] | None:
        """(least, most) reads that combinations with so many writes are expected to need, as found by always taking the next best."""
        by_size = sorted(wishes, key=lambda wish: len(wish.needs))
        sizes = [
            size
            for begin, sign in zip(by_size[:1] + by_size[-1:], (1, -1), strict=False)
            if (size := self._greedy(begin, wishes, writes, sign)) is not None
        ]
        return (min(sizes), max(sizes)) if sizes else None

    def _greedy(
        self, begin: Wish, wishes: Sequence[Wish], writes: int, sign: int
    ) -> int | None:
        chosen, needs, left = [begin], begin.needs, writes - len(begin.writes)
        while left > 0:
            fitting = sorted(
                (w for w in wishes if len(w.writes) <= left and w not in chosen),
                key=lambda wish: sign * len(wish.needs - needs),
            )
            best = next((w for w in fitting if self.may_join(chosen, w)), None)
            if best is None:
                return None
            chosen.append(best)
            needs |= best.needs
            left -= len(best.writes)
        return len(needs) if left == 0 and len(chosen) > 1 else None


class _Search:
    """Depth first, leaving out what can no longer come to weigh enough or weighs too much already."""

    def __init__(
        self,
        combiner: Combiner,
        wishes: Sequence[Wish],
        writes: int,
        band: tuple[int, int | None],
        steps: int,
    ):
        self.cut = False
        self._most_steps = steps
        self._steps = 0
        self._combiner = combiner
        self._wishes = wishes
        self._writes = writes
        self._least, most = band
        self._most = float("inf") if most is None else most
        shared = frozenset[str]().union(*(wish.needs for wish in wishes[:1]))
        for wish in wishes:
            shared &= wish.needs
        self._shared = len(shared)
        own = [len(wish.needs - shared) / max(1, len(wish.writes)) for wish in wishes]
        self._gain = [max(own[place:]) for place in range(len(own))]
        """The most that one more write can add, from this place of the list on."""

    def found(self) -> Iterator[tuple[Wish, ...]]:
        yield from self._longer((), frozenset(), self._writes, 0)

    def _longer(
        self, chosen: tuple[Wish, ...], needs: frozenset[str], left: int, start: int
    ) -> Iterator[tuple[Wish, ...]]:
        for place in range(start, len(self._wishes)):
            size = len(needs) if chosen else self._shared
            if size + left * self._gain[place] < self._least:
                return  # nothing from here on adds enough
            self._steps += 1
            if self._steps > self._most_steps:
                self.cut = True
                return
            wish = self._wishes[place]
            after = left - len(wish.writes)
            together = needs | wish.needs
            if after < 0 or len(together) > self._most:
                continue
            if not self._combiner.may_join(chosen, wish):
                continue  # what a failed combination has shown counts at once
            longer = (*chosen, wish)
            if after:
                yield from self._longer(longer, together, after, place + 1)
                if self.cut:
                    return
            elif (
                len(longer) > 1
                and len(together) >= self._least
                and frozenset(longer) not in self._combiner.tried
            ):
                yield longer


def shuffled(
    wishes: Collection[Wish], weights: Mapping[str, float], rng: random.Random
) -> list[Wish]:
    """In a random order that favours kinds of heavy weight, and wishes that nobody has asked for yet."""
    keys = {
        wish: rng.random() ** ((1 + wish.used) / weights[wish.slug])
        for wish in wishes
        if weights.get(wish.slug, 0) > 0
    }
    return sorted(keys, key=lambda wish: -keys[wish])

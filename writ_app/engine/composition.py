"""Several wishes of one user as one request: how they are joined, and what becomes of them in other orders.

A part keeps the names of its rows and facts, with its number at the end. Parts are evaluated one after the other, each on what the
ones before it left; whether the order matters is found out by trying the orders, not assumed.
Knows nothing about drawing, databases or users.
"""

import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations, islice, permutations
from typing import Any

from environments.core.domain import Archetype, Clause
from environments.core.environment import Environment
from environments.core.errors import Unidentifiable
from environments.core.evaluate import Answer
from environments.core.grammar import say, segments
from environments.core.query import Query, renamed
from writ_app.engine.errors import InvalidTask
from writ_app.engine.evidence import Observer
from writ_app.engine.types import SaidClause, WriteOrders

MOST_ORDERS = 24
"""Orders that are evaluated at most. If there are more, one that ends elsewhere must be among them: else nothing is known."""
SHOWN = 3
"""Orders of each kind that are kept as examples."""

NEXT = Clause(
    "next",
    (
        "There is [something else|one more thing|another thing].",
        "[And one|One] more thing.",
        "That's not all[|, though].",
        "[I also have|I have] another request.",
        "Besides that, there's [something else|another thing].",
    ),
)
"""Joins wishes that do not depend on each other."""
AFTER = Clause(
    "after",
    (
        "[Only once|Once] that is done, there is [a second thing|another thing|something else].",
        "When that is through, [and not before|not earlier], go on with this.",
        "After that, [in this order|in exactly this order], comes the next thing.",
        "[First that, then this|That first, and then this], please.",
    ),
)
"""Joins wishes that are to be done in this order."""
JOINTS = (NEXT, AFTER)


@dataclass(frozen=True)
class Part:
    """One wish: an archetype's draw, identified by itself."""

    archetype: Archetype
    facts: Mapping[str, Any]
    query: Query
    found: Answer
    said: tuple[SaidClause, ...]


@dataclass(frozen=True)
class Composition:
    """Parts in the order in which they are asked for. `identity` are the names of the facts that say who the user is."""

    parts: tuple[Part, ...]
    identity: frozenset[str]
    known: dict[tuple[int, int], tuple[Query, Part]] = field(default_factory=dict)
    """Renamed queries, shared by compositions of the same parts: what was judged of their steps holds for all."""

    @cached_property
    def queries(self) -> tuple[Query, ...]:
        return tuple(map(self._renamed, range(len(self.parts)), self.parts))

    def _renamed(self, number: int, part: Part) -> Query:
        key = (id(part), number)
        if key not in self.known:
            query = numbered_query(part.query, number, self.identity)
            self.known[key] = query, part
        return self.known[key][0]

    @cached_property
    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = {}
        for number, part in enumerate(self.parts):
            facts |= numbered_facts(part.facts, number, self.identity)
        return facts

    def query(self, order: Sequence[int] | None = None) -> Query:
        """All parts as one query, in their own order or another."""
        chosen = range(len(self.parts)) if order is None else order
        return Query(
            steps=tuple(
                step for number in chosen for step in self.queries[number].steps
            )
        )

    def words(self, joint: Clause, rng: random.Random) -> list[SaidClause]:
        said: list[SaidClause] = []
        for number, part in enumerate(self.parts):
            if number:
                spoken = say(joint, {}, {}, rng)
                name = f"{joint.name}{_suffix(number)}"
                said.append(SaidClause(name=name, text=spoken.text))
            said += [self._renumbered(clause, number) for clause in part.said]
        return said

    def _renumbered(self, clause: SaidClause, number: int) -> SaidClause:
        suffix = _suffix(number)
        tells = tuple(
            name if name in self.identity else name + suffix for name in clause.tells
        )
        return clause.model_copy(
            update={
                "name": clause.name + suffix,
                "tells": tells,
                "opens": clause.opens and not number,
            }
        )

    # orders

    def orders(
        self,
        observer: Observer,
        found: Answer,
        evaluate: Callable[[Query, Mapping[str, Any]], Answer],
    ) -> WriteOrders:
        """What becomes of the parts in the orders that can make a difference.

        Raises InvalidTask if these are too many to try and the first of them all end alike.
        """
        classes = list(islice(self._orders_that_matter(observer), MOST_ORDERS + 1))
        tried = classes[:MOST_ORDERS]
        same, elsewhere, illegal = 0, [], []
        for order in tried:
            try:
                other = evaluate(self.query(order), self.facts)
            except Unidentifiable:
                illegal.append(order)
                continue
            if _ends_like(other, found):
                same += 1
            else:
                elsewhere.append(order)
        if len(classes) > len(tried) and same == len(tried):
            raise InvalidTask("entangled", "There are too many orders to try.")
        return WriteOrders(
            tried=len(tried),
            same=same,
            elsewhere=tuple(elsewhere[:SHOWN]),
            illegal=tuple(illegal[:SHOWN]),
        )

    def _orders_that_matter(self, observer: Observer) -> Iterator[tuple[int, ...]]:
        """One order of each kind: orders are of one kind if all parts that interfere stand in them the same way round."""
        pairs = list(self._interfering(observer))
        if not pairs:
            yield tuple(range(len(self.parts)))
            return
        seen = set()
        for order in permutations(range(len(self.parts))):
            place = {number: n for n, number in enumerate(order)}
            kind = tuple(place[one] < place[other] for one, other in pairs)
            if kind not in seen:
                seen.add(kind)
                yield order

    def _interfering(self, observer: Observer) -> Iterator[tuple[int, int]]:
        """Pairs of parts of which one writes what the other reads or writes."""
        written = [_written(observer.environment, part.found) for part in self.parts]
        read = [
            {
                touched
                for call in part.found.reads.values()
                for touched in observer.observe(call).touched
            }
            for part in self.parts
        ]
        for one, other in combinations(range(len(self.parts)), 2):
            if not written[one].isdisjoint(read[other] | written[other]) or not (
                written[other].isdisjoint(read[one])
            ):
                yield one, other


def split_words(text: str) -> tuple[str, list[str]]:
    """(name of the joints, "" if there are none; texts of the parts). Raises InvalidTask if joints of both kinds are there."""
    pieces = segments(text, JOINTS)
    names = {name for name, _ in pieces[1:]}
    if len(names) > 1:
        raise InvalidTask("unclear_words", "The parts are joined in two ways.")
    return next(iter(names), ""), [piece for _, piece in pieces]


def numbered_query(query: Query, number: int, identity: Collection[str]) -> Query:
    """A part's query as it stands at that place (from 0); `identity` are names of facts that say who the user is."""
    return renamed(query, _suffix(number), identity)


def numbered_facts(
    facts: Mapping[str, Any], number: int, identity: Collection[str]
) -> dict[str, Any]:
    """A part's facts by the names that they have at that place."""
    suffix = _suffix(number)
    return {
        name if name in identity else name + suffix: value
        for name, value in facts.items()
    }


def without_number(name: str) -> tuple[str, int]:
    """(name of a fact in its own part, place of the part)."""
    stem, _, number = name.rpartition("__")
    return (stem, int(number) - 1) if stem and number.isdigit() else (name, 0)


def _suffix(number: int) -> str:
    """The first part keeps its names."""
    return f"__{number + 1}" if number else ""


def _written(environment: Environment, found: Answer) -> frozenset[tuple[str, Any]]:
    session = environment.session()
    session.replay(found.gold)
    return session.state.affected()


def _ends_like(other: Answer, found: Answer) -> bool:
    """Whether the same writes are made, in any order, and lead to the same state."""
    return (
        other.effect == found.effect
        and sorted(call.key for call in other.gold)
        == sorted(call.key for call in found.gold)
        and sorted(map(repr, (one.value for one in other.told)))
        == sorted(map(repr, (one.value for one in found.told)))
    )

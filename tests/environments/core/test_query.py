"""Queries rewritten: the same request beside others, with the same answer; and as if nothing were refused."""

import json
import random
from functools import cache
from typing import Any

import pytest

from environments.core.domain import Archetype, Facts
from environments.core.environment import Environment
from environments.core.errors import Unidentifiable
from environments.core.evaluate import answer
from environments.core.query import (
    Aggregate,
    Best,
    Branch,
    Collect,
    Compare,
    Decline,
    Each,
    Exists,
    Key,
    ListOf,
    ObjectOf,
    Query,
    Selection,
    Table,
    Tell,
    The,
    Value,
    Write,
    compare,
    const,
    fact,
    names_looked_at,
    ref,
    renamed,
    undeclined,
)
from environments.core.state import Session
from environments.registry import names, world

LAMPS = Selection(
    name="lamp",
    relation="lamps",
    of=ref("shop"),
    by={"kind": fact("kind")},
    where=compare(ref("lamp.price"), "lt", fact("cap")),
)
EVERYTHING = Query(
    steps=(
        The(
            selection=Selection(
                name="shop", relation="shops", by={"owner": fact("email")}
            )
        ),
        Best(selection=LAMPS, objective=(Key(value=ref("lamp.price")),)),
        Value(
            name="total", value=Aggregate(op="sum", over=LAMPS, value=ref("lamp.price"))
        ),
        Each(
            selection=LAMPS,
            steps=(
                Value(
                    name="half",
                    value=Table(
                        clause="1", keys=(ref("lamp.kind"),), rows={"floor": 2}
                    ),
                ),
            ),
        ),
        Branch(
            condition=Exists(selection=LAMPS),
            then=(
                Write(
                    tool="buy",
                    arguments={
                        "name": ObjectOf(
                            fields={"name": const("lamp"), "kind": fact("kind")}
                        ),
                        "all": Collect(each="lamp", value=ref("lamp.id")),
                        "two": ListOf(values=(ref("total"), fact("email"))),
                    },
                ),
            ),
        ),
        Tell(what="lamp", value=ref("total")),
    )
)


@cache
def small(name: str) -> Environment:
    return world(name).generated(seed=3, users=40)


def drawn(name: str) -> list[tuple[Archetype, Facts]]:
    """A draw of each archetype that fits somebody soon."""
    environment, rng, found = small(name), random.Random(5), []
    for archetype in environment.domain.archetypes:
        for _ in range(12):
            proposal = archetype.propose(
                Session(environment.state), rng, environment.people
            )
            if proposal is not None:
                found.append((archetype, proposal.facts))
                break
    return found


def outcome(environment: Environment, query: Query, facts: Facts) -> Any:
    domain = environment.domain
    try:
        found = answer(
            query, facts, domain.from_state(Session(environment.state)), domain
        )
    except Unidentifiable as error:
        return error.reason
    return found.outcome, found.effect, found.roles


class TestRenamed:
    def test_gives_every_row_number_and_fact_another_name(self) -> None:
        text = json.dumps(renamed(EVERYTHING, "__2", keep={"email"}).model_dump())

        for name in ("shop", "lamp", "total", "half"):
            assert f'"name": "{name}"' not in text.replace(
                '"what": "lamp"', ""
            ).replace('"value": "lamp"', "")
            assert f'"name": "{name}__2"' in text
        assert '"each": "lamp__2"' in text
        assert '"name": "kind__2"' in text
        assert '"name": "cap__2"' in text

    def test_keeps_what_is_no_name_of_the_requests_own(self) -> None:
        query = renamed(EVERYTHING, "__2", keep={"email"})
        first, best, *_, branch, tell = query.steps

        assert isinstance(first, The)
        assert first.selection.relation == "shops"
        assert first.selection.by == {"owner": fact("email")}
        assert isinstance(best, Best)
        assert set(best.selection.by) == {"kind"}
        assert isinstance(best.selection.where, Compare)
        assert best.selection.where.left == ref("lamp__2.price")
        assert isinstance(branch, Branch)
        (write,) = branch.then
        assert isinstance(write, Write)
        assert set(write.arguments) == {"name", "all", "two"}
        inner = write.arguments["name"]
        assert isinstance(inner, ObjectOf)
        assert inner.fields == {"name": const("lamp"), "kind": fact("kind__2")}
        assert isinstance(tell, Tell)
        assert tell.what == "lamp"

    def test_leaves_the_query_alone_for_an_empty_suffix(self) -> None:
        assert renamed(EVERYTHING, "") == EVERYTHING

    @pytest.mark.parametrize("name", names())
    def test_changes_no_answer(self, name: str) -> None:
        environment = small(name)
        draws = drawn(name)
        assert len(draws) >= 10
        for archetype, facts in draws:
            query = archetype.query(facts)
            keep = [n for group in environment.domain.words.identity for n in group]
            again = {(n if n in keep else f"{n}__2"): v for n, v in facts.items()}

            ours = outcome(environment, query, facts)
            theirs = outcome(environment, renamed(query, "__2", keep), again)

            assert theirs == ours, archetype.slug


class TestUndeclined:
    REFUSE = Decline(clause="4.1")
    TELL = Tell(what="that", value=const(1))
    OTHER = Tell(what="this", value=const(2))
    WHEN = compare(const(1), "eq", const(1))

    def test_takes_the_other_side_of_branches_that_decline(self) -> None:
        branches = (
            Branch(
                condition=self.WHEN,
                then=(self.TELL, self.OTHER),
                otherwise=(self.REFUSE,),
            ),
            Branch(condition=self.WHEN, then=(self.REFUSE,), otherwise=(self.OTHER,)),
        )

        assert undeclined(Query(steps=branches)).steps == (
            self.TELL,
            self.OTHER,
            self.OTHER,
        )

    def test_goes_into_branches_and_leaves_others_alone(self) -> None:
        inner = Branch(condition=self.WHEN, then=(self.TELL,), otherwise=(self.REFUSE,))
        choice = Branch(condition=self.WHEN, then=(inner,), otherwise=(self.OTHER,))

        (found,) = undeclined(Query(steps=(choice,))).steps

        assert found == Branch(
            condition=self.WHEN, then=(self.TELL,), otherwise=(self.OTHER,)
        )

    def test_leaves_what_is_refused_on_both_sides(self) -> None:
        both = Branch(
            condition=self.WHEN, then=(self.REFUSE,), otherwise=(self.REFUSE,)
        )
        query = Query(steps=(both, self.REFUSE))

        assert undeclined(query) == query


class TestNamesLookedAt:
    def test_are_relations_and_fields_wherever_they_stand(self) -> None:
        late = compare(ref("leg.status"), "eq", const("late"))
        legs = Selection(name="leg", relation="legs", of=ref("trip"), where=late)
        trips = Selection(
            name="trip",
            relation="trips",
            by={"owner": ref("profile.id")},
            where=compare(ref("trip.price"), "lt", fact("limit")),
        )
        write = Write(tool="cancel", arguments={"trip": ref("trip.names.0")})
        query = Query(
            steps=(
                The(selection=trips),
                Branch(condition=Exists(selection=legs), then=(write,)),
            )
        )

        assert names_looked_at(query) == {
            "trips",
            "id",
            "price",
            "legs",
            "status",
            "names",
        }

    def test_are_not_known_of_a_row_that_is_taken_as_a_whole(self) -> None:
        trip = Selection(name="trip", relation="trips")
        whole = Tell(what="the trip", value=ref("trip"))

        assert names_looked_at(Query(steps=(The(selection=trip), whole))) is None
        total = Value(name="total", value=ref("trip.price"))
        told = Tell(what="the price", value=ref("total"))
        assert names_looked_at(Query(steps=(The(selection=trip), total, told))) == {
            "trips",
            "price",
        }

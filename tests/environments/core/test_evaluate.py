"""Queries over the retail relations, on states that differ in one thing."""

from typing import Any

import pytest

from environments.core.environment import Environment
from environments.core.errors import Unidentifiable
from environments.core.evaluate import Answer, answer, check_rivals
from environments.core.query import (
    Best,
    Branch,
    Decline,
    Key,
    ListOf,
    Query,
    Selection,
    The,
    Write,
    compare,
    const,
    ref,
)
from environments.core.state import Session


def the_order(order_id: str) -> The:
    return The(
        selection=Selection(
            name="order", relation="order", by={"order_id": const(order_id)}
        )
    )


def dearest_return(order_id: str, rank: int = 0) -> Query:
    items = Selection(name="item", relation="items", of=ref("order"))
    write = Write(
        tool="return_delivered_order_items",
        arguments={
            "order_id": ref("order.order_id"),
            "item_ids": ListOf(values=(ref("item.item_id"),)),
            "payment_method_id": ref("order.payment_history.0.payment_method_id"),
        },
    )
    best = Best(
        selection=items,
        objective=(Key(value=ref("item.price"), direction="desc"),),
        rank=rank,
    )
    return Query(steps=(the_order(order_id), best, write))


def ask(shop: Environment, query: Query, state: Session) -> Answer:
    return answer(query, {}, shop.domain.from_state(state), shop.domain)


@pytest.fixture
def state(shop: Environment) -> Session:
    return Session(shop.state)


@pytest.fixture
def order(state: Session) -> dict[str, Any]:
    """A private copy of a delivered order of at least three different things, whose prices a test may change."""
    for order_id in state.keys("orders"):
        found: Any = state.get("orders", order_id)
        if (
            found["status"] == "delivered"
            and len({line["item_id"] for line in found["items"]}) >= 3
        ):
            return state.edit("orders", order_id)
    raise AssertionError("the shop has no such order")


class TestAnswer:
    def test_takes_the_first_by_the_objective(
        self, shop: Environment, state: Session, order: dict[str, Any]
    ) -> None:
        order["items"][1]["price"] = 5000.0

        found = ask(shop, dearest_return(order["order_id"]), state)

        assert found.gold[0].arguments["item_ids"] == [order["items"][1]["item_id"]]
        assert found.choices[0].candidates[0].objective == (5000.0,)

    def test_says_where_each_argument_comes_from(
        self, shop: Environment, state: Session, order: dict[str, Any]
    ) -> None:
        order["items"][2]["price"] = 5000.0

        write = ask(shop, dearest_return(order["order_id"]), state).writes[0]

        read = f'get_order_details({{"order_id": "{order["order_id"]}"}})'
        assert write.origins["/item_ids/0"].refs == ((read, "/items/2/item_id"),)
        assert write.origins["/payment_method_id"].refs == (
            (read, "/payment_history/0/payment_method_id"),
        )
        assert write.rests_on == {read}

    def test_refuses_a_tie_at_the_top(
        self, shop: Environment, state: Session, order: dict[str, Any]
    ) -> None:
        order["items"][0]["price"] = order["items"][1]["price"] = 5000.0

        with pytest.raises(Unidentifiable) as refused:
            ask(shop, dearest_return(order["order_id"]), state)

        assert refused.value.reason == "tie"

    def test_of_rank_two_looks_at_both_neighbors(
        self, shop: Environment, state: Session, order: dict[str, Any]
    ) -> None:
        for number, line in enumerate(order["items"]):
            line["price"] = 100.0 - number
        order["items"][0]["price"] = order["items"][1]["price"]

        with pytest.raises(Unidentifiable) as refused:
            ask(shop, dearest_return(order["order_id"], rank=1), state)

        assert refused.value.reason == "tie"

    def test_refuses_a_rank_beyond_the_candidates(
        self, shop: Environment, state: Session, order: dict[str, Any]
    ) -> None:
        with pytest.raises(Unidentifiable) as refused:
            ask(shop, dearest_return(order["order_id"], rank=40), state)

        assert refused.value.reason == "too_few"

    def test_refuses_a_description_that_fits_nothing(
        self, shop: Environment, state: Session
    ) -> None:
        with pytest.raises(Unidentifiable) as refused:
            ask(shop, dearest_return("#W0"), state)

        assert refused.value.reason == "no_match"

    def test_refuses_a_branch_that_hangs_on_a_cent(
        self, shop: Environment, state: Session, order: dict[str, Any]
    ) -> None:
        amount = ref("order.payment_history.0.amount")
        order["payment_history"][0]["amount"] = 100.0
        near = Branch(
            condition=compare(amount, "ge", const(99.995)),
            then=(Decline(clause="1.1"),),
        )
        clear = Branch(
            condition=compare(amount, "ge", const(99.0)), then=(Decline(clause="1.1"),)
        )

        assert (
            ask(
                shop, Query(steps=(the_order(order["order_id"]), clear)), state
            ).declined
            == "1.1"
        )
        with pytest.raises(Unidentifiable) as refused:
            ask(shop, Query(steps=(the_order(order["order_id"]), near)), state)
        assert refused.value.reason == "threshold"

    def test_refuses_a_write_that_the_world_refuses(
        self, shop: Environment, state: Session, order: dict[str, Any]
    ) -> None:
        order["status"] = "processed"

        with pytest.raises(Unidentifiable) as refused:
            ask(shop, dearest_return(order["order_id"]), state)

        assert refused.value.reason == "illegal"


class TestCheckRivals:
    def test_refuses_a_rival_that_leads_to_the_same_state(
        self, shop: Environment, state: Session, order: dict[str, Any]
    ) -> None:
        order["items"][0]["price"], order["items"][1]["price"] = 5000.0, 4000.0
        query = dearest_return(order["order_id"])
        found = ask(shop, query, state)
        check_rivals(
            query, {}, lambda: shop.domain.from_state(state), shop.domain, found
        )

        order["items"][1]["item_id"] = order["items"][0][
            "item_id"
        ]  # now the second best is the same thing

        found = ask(shop, query, state)
        with pytest.raises(Unidentifiable) as refused:
            check_rivals(
                query, {}, lambda: shop.domain.from_state(state), shop.domain, found
            )
        assert refused.value.reason == "same_effect"


class TestQuery:
    def test_has_the_same_hash_after_a_round_trip_through_json(self) -> None:
        query = dearest_return("#W1")

        again = Query.model_validate_json(query.model_dump_json())

        assert again == query
        assert again.content_hash == query.content_hash
        assert again.content_hash != dearest_return("#W2").content_hash

    def test_prints_what_it_asks(self) -> None:
        assert str(dearest_return("#W1", rank=1)).splitlines() == [
            'the     order in order(order_id="#W1")',
            "best    item in items of order",
            "  order item.price ↓, rank 2",
            "write   return_delivered_order_items",
            "  order_id = order.order_id",
            "  item_ids = [item.item_id]",
            "  payment_method_id = order.payment_history.0.payment_method_id",
        ]

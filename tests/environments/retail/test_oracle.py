"""The oracle against the toolkit: two accounts of the same world."""

import ast
import random
from collections.abc import Iterator
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest

from environments.core.domain import Source
from environments.core.environment import Environment, EnvironmentSession
from environments.core.errors import Unidentifiable
from environments.core.state import Session
from environments.core.tools import Mode, ToolCall
from environments.retail import build, oracle


def imported_modules(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = {
        node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
    }
    return named | {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }


class TestIndependence:
    def test_the_oracle_knows_nothing_of_the_tools_that_act(self) -> None:
        folder = Path(oracle.__file__).parent
        modules = [
            *(folder / name for name in ("oracle.py", "relations.py", "mutations.py")),
            *(folder / "archetypes").glob("*.py"),
        ]

        assert len(modules) > 8
        for module in modules:
            assert not imported_modules(module) & {
                "environments.retail.tools",
                "environments.retail.solver",
                "environments.retail",
            }


def random_write(session: Session, rng: random.Random) -> ToolCall:
    """A write with plausible arguments: about half of them are legal."""
    order: Any = session.get(
        "orders", rng.choice(list(session.base.collections["orders"]))
    )
    user: Any = session.get("users", order["user_id"])
    method = rng.choice([*user["payment_methods"]])
    lines = rng.sample(order["items"], rng.randint(1, len(order["items"])))
    variants: Any = [
        session.get("products", line["product_id"])["variants"] for line in lines
    ]  # type: ignore[index]
    place = {
        "address1": "1 A St",
        "address2": "",
        "city": "B",
        "state": "CA",
        "country": "USA",
        "zip": "90001",
    }
    items = {"item_ids": [line["item_id"] for line in lines]}
    news = {"new_item_ids": [rng.choice(list(choice)) for choice in variants]}
    paid = {"payment_method_id": method}
    here = {"order_id": order["order_id"]}
    return rng.choice(
        [
            ToolCall(
                name="modify_user_address",
                arguments={"user_id": user["user_id"], **place},
            ),
            ToolCall(name="modify_pending_order_address", arguments={**here, **place}),
            ToolCall(
                name="cancel_pending_order",
                arguments={**here, "reason": "no longer needed"},
            ),
            ToolCall(name="modify_pending_order_payment", arguments={**here, **paid}),
            ToolCall(
                name="modify_pending_order_items",
                arguments={**here, **items, **news, **paid},
            ),
            ToolCall(
                name="exchange_delivered_order_items",
                arguments={**here, **items, **news, **paid},
            ),
            ToolCall(
                name="return_delivered_order_items", arguments={**here, **items, **paid}
            ),
        ]
    )


@pytest.fixture(scope="module", params=Mode)
def either(shop: Environment, request: pytest.FixtureRequest) -> Environment:
    """The small shop in each mode."""
    return build(state=shop.state, version="either", mode=request.param)


def agree(session: EnvironmentSession, source: Source, call: ToolCall) -> bool:
    """Whether both take the write; fails if only one does, or if they then differ."""
    result = session.call(call)
    try:
        source.apply(call)
        taken = True
    except Unidentifiable:
        taken = False
    assert taken is not result.error, (call, result.content)
    assert source.effect() == session.state.effect(), call
    return taken


class TestApply:
    def test_agrees_with_the_tools_on_every_write_and_every_refusal(
        self, either: Environment
    ) -> None:
        rng = random.Random(11)
        legal: dict[str, int] = {}
        refused = 0

        for _ in range(1500):
            session = either.session()
            source = either.domain.from_state(session.state)
            for call in (random_write(session.state, rng) for _ in range(3)):
                if len(set(call.arguments.get("item_ids", []))) < len(
                    call.arguments.get("item_ids", [])
                ):
                    continue  # two of one thing: more than the request language can ask for
                if agreed := agree(session, source, call):
                    legal[call.name] = legal.get(call.name, 0) + 1
                refused += not agreed

        assert len(legal) == 7
        assert min(legal.values()) >= 20
        assert refused >= 500

    def test_agrees_where_there_is_nothing_or_nothing_new_to_take(
        self, either: Environment
    ) -> None:
        taken = set()
        for order in either.state.collections["orders"].values():
            ids = [line["item_id"] for line in order["items"]][:1]
            paid = {
                "order_id": order["order_id"],
                "payment_method_id": order["payment_history"][0]["payment_method_id"],
            }
            for name, old, new in [
                ("exchange_delivered_order_items", ids, ids),
                ("exchange_delivered_order_items", [], []),
                ("modify_pending_order_items", ids, ids),
                ("modify_pending_order_items", [], []),
                ("return_delivered_order_items", [], None),
            ]:
                session = either.session()
                lists = {"item_ids": old} | (
                    {} if new is None else {"new_item_ids": new}
                )
                call = ToolCall(name=name, arguments={**paid, **lists})
                if agree(session, either.domain.from_state(session.state), call):
                    taken.add((name, bool(old)))

        assert len(taken) == (0 if either.mode == Mode.CORRECTED else 4)

    def test_agrees_on_a_chain_and_on_one_of_two_twins(
        self, either: Environment
    ) -> None:
        """A becomes B while B becomes C; and of two lines alike the first is meant."""
        agreed = {"chain": 0, "twins": 0}
        for order_id, kind, lists in pairs_of_one_product(either):
            order = either.state.collections["orders"][order_id]
            user = either.state.collections["users"][order["user_id"]]
            for name, method_id in product(
                ("modify_pending_order_items", "exchange_delivered_order_items"),
                user["payment_methods"],
            ):
                paid = {"order_id": order_id, "payment_method_id": method_id}
                session = either.session()
                source = either.domain.from_state(session.state)
                call = ToolCall(name=name, arguments={**paid, **lists})
                agreed[kind] += agree(session, source, call)

        assert min(agreed.values()) > 0


def pairs_of_one_product(
    shop: Environment,
) -> Iterator[tuple[str, str, dict[str, list[str]]]]:
    """Order, kind and item lists, wherever an order has two lines of one product that has a third variant to be had."""
    for order_id, order in shop.state.collections["orders"].items():
        for one, other in combinations(order["items"], 2):
            a, b = one["item_id"], other["item_id"]
            variants = shop.state.collections["products"][one["product_id"]]["variants"]
            free = [c for c in variants if variants[c]["available"] and c not in (a, b)]
            if one["product_id"] != other["product_id"] or not free:
                continue
            if a == b:
                yield order_id, "twins", {"item_ids": [a], "new_item_ids": free[:1]}
            else:
                news = [b, free[0]]
                yield order_id, "chain", {"item_ids": [a, b], "new_item_ids": news}

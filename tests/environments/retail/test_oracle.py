"""The oracle against the toolkit: two accounts of the same world."""

import ast
import random
from pathlib import Path
from typing import Any

import pytest

from environments.core.environment import Environment
from environments.core.errors import Unidentifiable
from environments.core.state import Session
from environments.core.tools import ToolCall
from environments.retail import oracle


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
    @pytest.mark.parametrize(
        "module", ["oracle.py", "relations.py", "archetypes.py", "mutations.py"]
    )
    def test_the_oracle_knows_nothing_of_the_tools_that_act(self, module: str) -> None:
        folder = Path(oracle.__file__).parent

        imported = imported_modules(folder / module)

        assert not imported & {
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


class TestApply:
    def test_agrees_with_the_tools_on_every_write_and_every_refusal(
        self, shop: Environment
    ) -> None:
        rng = random.Random(11)
        legal: dict[str, int] = {}
        refused = 0

        for _ in range(1500):
            session = shop.session()
            source = oracle.StateRows(session.state)
            for call in (random_write(session.state, rng) for _ in range(3)):
                if len(set(call.arguments.get("item_ids", []))) < len(
                    call.arguments.get("item_ids", [])
                ):
                    continue  # two of one thing: more than the request language can ask for
                result = session.call(call)
                try:
                    source.apply(call)
                except Unidentifiable:
                    assert result.error, call
                    refused += 1
                else:
                    assert not result.error, (call, result.content)
                    legal[call.name] = legal.get(call.name, 0) + 1
                assert source.effect() == session.state.effect(), call

        assert len(legal) == 7
        assert min(legal.values()) >= 20
        assert refused >= 500

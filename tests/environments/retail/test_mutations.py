"""Patches of the shop: they change something, keep its shape, and can flip what requests look at."""

import random
from collections import Counter
from typing import Any

import pytest

from environments.core.domain import Patch
from environments.core.environment import Environment
from environments.core.pointers import split
from environments.core.state import Session
from environments.core.tools import ToolCall
from environments.retail import generated
from environments.retail.mutations import mutations
from environments.retail.state import RetailDatabase

PER_READ = 60
"""Patches that a proof tries per read."""


@pytest.fixture(scope="module")
def shop() -> Environment:
    return generated(seed=3, users=40)


def reads(shop: Environment, count: int) -> list[ToolCall]:
    rng = random.Random(1)
    kinds = {"users": "user", "orders": "order", "products": "product"}
    return [
        ToolCall(name=f"get_{kind}_details", arguments={f"{kind}_id": key})
        for collection, kind in kinds.items()
        for key in rng.sample(sorted(shop.state.collections[collection]), count)
    ]


def patched(shop: Environment, patch: Patch) -> Session:
    state = Session(shop.state)
    state.apply_patch(patch)
    return state


def of(shop: Environment, name: str, key: str) -> list[Patch]:
    arguments = {f"{name}_id": key}
    call = ToolCall(name=f"get_{name}_details", arguments=arguments)
    return list(mutations(Session(shop.state), call, random.Random(2)))


class TestMutations:
    def test_change_one_record_of_the_read_and_keep_the_shape(
        self, shop: Environment
    ) -> None:
        for call in reads(shop, 8):
            (key,) = call.arguments.values()
            patches = list(mutations(Session(shop.state), call, random.Random(2)))
            assert patches
            for patch in patches:
                changes = patched(shop, patch).changes()
                assert [changed for _, changed in changes] == [key], patch
                raw: dict[str, Any] = {"users": {}, "orders": {}, "products": {}}
                for (collection, name), record in changes.items():
                    raw[collection][name] = record
                RetailDatabase.model_validate(raw)

    def test_are_few_for_orders(self, shop: Environment) -> None:
        """A proof tries no more than so many: what comes later would be there for nothing."""
        counts = [
            len(of(shop, "order", key)) for key in shop.state.collections["orders"]
        ]
        assert sum(counts) / len(counts) < 40
        assert max(counts) <= PER_READ

    def test_are_the_same_for_the_same_chance(self, shop: Environment) -> None:
        for call in reads(shop, 4):
            once, again = (
                list(mutations(Session(shop.state), call, random.Random(5)))
                for _ in range(2)
            )
            assert once == again

    def test_keep_the_ids_of_variants_apart(self, shop: Environment) -> None:
        for key, product in shop.state.collections["products"].items():
            for patch in of(shop, "product", key):
                changed: Any = patched(shop, patch).get("products", key)
                variants = changed["variants"]
                options = [str(v["options"]) for v in variants.values()]
                assert all(item == v["item_id"] for item, v in variants.items())
                assert len(set(options)) == len(options), patch
                assert variants.keys() != {} or not product["variants"]

    def test_of_a_product_reach_counts_and_extremes(self, shop: Environment) -> None:
        for key, product in shop.state.collections["products"].items():
            before = in_stock(product)
            seen = Counter[str]()
            for patch in of(shop, "product", key):
                now = in_stock(patched(shop, patch).get("products", key) or {})
                seen["none"] += not now
                seen["four more"] += len(now) == len(before) + 4
                seen["cheaper"] += bool(now) and min(now) < min(before)
                seen["much dearer"] += bool(now) and max(now) > 9 * max(before)
                seen["cheap"] += bool(now) and len(now) <= 2 and min(now) < min(before)
            assert all(seen.values()), (key, seen)

    def test_of_an_order_reach_every_kind_of_criterion(self, shop: Environment) -> None:
        places = Counter[str]()
        for key in shop.state.collections["orders"]:
            for patch in of(shop, "order", key):
                for step in patch:
                    parts = [part for part in split(step["path"]) if not part.isdigit()]
                    places[" ".join(parts[2:])] += 1
        assert places.keys() >= {
            "status",
            "items",
            "items price",
            "items options color",
            "payment_history amount",
            "payment_history payment_method_id",
            "address address1",
            "address city",
        }


def in_stock(product: dict[str, Any]) -> list[float]:
    variants = product["variants"].values()
    return [variant["price"] for variant in variants if variant["available"]]

"""Strict mode keeps the reference's bugs, corrected mode does not: one class for each departure that corrections.py names.

What strict mode does elsewhere is proved by the recorded vectors (tests/environments/test_conformance.py).
"""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from environments.core.environment import Environment, EnvironmentSession
from environments.core.tools import Mode, ToolCall
from environments.retail import build, generated, read_state

PLACE = {
    "address1": "1 A St",
    "address2": "",
    "city": "B",
    "state": "CA",
    "country": "USA",
    "zip": "90001",
}


def product(product_id: str, name: str, **prices: float) -> dict[str, Any]:
    variants = {
        item_id: {
            "item_id": item_id,
            "options": {"kind": item_id},
            "available": True,
            "price": price,
        }
        for item_id, price in prices.items()
    }
    return {"name": name, "product_id": product_id, "variants": variants}


CUPS = product("1", "Cup", c1=10.1, c2=20.3, c3=30.7)
LAMPS = product("2", "Lamp", l1=50.0, l2=40.2)


def line(sold: dict[str, Any], item_id: str, **other: Any) -> dict[str, Any]:
    variant = sold["variants"][item_id]
    return {
        "name": sold["name"],
        "product_id": sold["product_id"],
        "item_id": item_id,
        "price": variant["price"],
        "options": dict(variant["options"]),
        **other,
    }


def order(order_id: str, status: str, *lines: dict[str, Any]) -> dict[str, Any]:
    paid = round(sum(each["price"] for each in lines), 2)
    payment = {
        "transaction_type": "payment",
        "amount": paid,
        "payment_method_id": "gift",
    }
    return {
        "order_id": order_id,
        "user_id": "ann_vale_1",
        "address": PLACE,
        "items": list(lines),
        "status": status,
        "fulfillments": [],
        "payment_history": [payment],
    }


def small_shop() -> dict[str, Any]:
    """Ann with a pending and a delivered order of the same, and one with two cups alike, bought at two prices."""
    ann = {
        "user_id": "ann_vale_1",
        "name": {"first_name": "Ann", "last_name": "Vale"},
        "address": PLACE,
        "email": "ann@example.com",
        "payment_methods": {
            "gift": {"source": "gift_card", "id": "gift", "balance": 500.0},
            "pal": {"source": "paypal", "id": "pal"},
        },
        "orders": ["#W1", "#W2", "#W3"],
    }
    lines = line(CUPS, "c1"), line(CUPS, "c2"), line(LAMPS, "l1")
    orders = [
        order("#W1", "pending", *lines),
        order("#W2", "delivered", *lines),
        order("#W3", "pending", line(CUPS, "c1"), line(CUPS, "c1", price=12.0)),
    ]
    return {
        "products": {"1": CUPS, "2": LAMPS},
        "users": {"ann_vale_1": ann},
        "orders": {each["order_id"]: each for each in orders},
    }


def shop_in(mode: Mode) -> EnvironmentSession:
    return build(state=read_state(small_shop()), version="small", mode=mode).session()


@pytest.fixture
def strict() -> EnvironmentSession:
    return shop_in(Mode.STRICT)


@pytest.fixture
def corrected() -> EnvironmentSession:
    return shop_in(Mode.CORRECTED)


def done(session: EnvironmentSession, name: str, **arguments: Any) -> Any:
    result = session.call(ToolCall(name=name, arguments=arguments))
    assert not result.error, result.content
    return json.loads(result.content)


def refused(session: EnvironmentSession, name: str, **arguments: Any) -> str:
    """The error's text; nothing may have changed."""
    before = session.state.content_hash()
    result = session.call(ToolCall(name=name, arguments=arguments))
    assert result.error
    assert session.state.content_hash() == before
    return result.content


def swap(number: int, pay: str = "gift", **pairs: str) -> dict[str, Any]:
    return {
        "order_id": f"#W{number}",
        "item_ids": list(pairs),
        "new_item_ids": list(pairs.values()),
        "payment_method_id": pay,
    }


def balance(session: EnvironmentSession) -> float:
    user: Any = session.state.get("users", "ann_vale_1")
    amount: float = user["payment_methods"]["gift"]["balance"]
    return amount


def sold(changed: Any) -> list[tuple[str, float, str]]:
    return [
        (each["item_id"], each["price"], each["options"]["kind"])
        for each in changed["items"]
    ]


class TestModes:
    def test_are_told_apart_by_the_hash_only_where_they_are_corrected(self) -> None:
        state = read_state(small_shop())
        hashes = {
            build(state=state, version="x", mode=mode).content_hash for mode in Mode
        }

        assert len(hashes) == 2
        assert build(state=state, version="x").content_hash in hashes
        assert build(state=state, version="x").mode == Mode.STRICT

    def test_is_corrected_for_data_of_our_own(self) -> None:
        assert generated(seed=3, users=8).mode == Mode.CORRECTED


class TestModifiedItems:
    def test_take_the_last_ones_price_and_options_in_strict_mode(
        self, strict: EnvironmentSession
    ) -> None:
        changed = done(
            strict, "modify_pending_order_items", **swap(1, c1="c3", l1="l2")
        )

        assert sold(changed)[::2] == [("c3", 40.2, "l2"), ("l2", 40.2, "l2")]

    def test_take_their_own_in_any_order(self, corrected: EnvironmentSession) -> None:
        changed = done(
            corrected, "modify_pending_order_items", **swap(1, c1="c3", l1="l2")
        )
        turned = done(
            shop_in(Mode.CORRECTED),
            "modify_pending_order_items",
            **swap(1, l1="l2", c1="c3"),
        )

        assert sold(changed)[::2] == [("c3", 30.7, "c3"), ("l2", 40.2, "l2")]
        assert turned == changed

    def test_are_those_that_were_there_before(
        self, strict: EnvironmentSession, corrected: EnvironmentSession
    ) -> None:
        chain = swap(1, c1="c2", c2="c3")

        kept = done(strict, "modify_pending_order_items", **chain)
        mended = done(corrected, "modify_pending_order_items", **chain)

        assert [each[0] for each in sold(kept)] == ["c3", "c2", "l1"]
        assert [each[0] for each in sold(mended)] == ["c2", "c3", "l1"]

    def test_are_paid_to_the_cent(
        self, strict: EnvironmentSession, corrected: EnvironmentSession
    ) -> None:
        change = swap(1, c1="c3", l1="l2")  # 20.6 more, and 9.8 less

        kept = done(strict, "modify_pending_order_items", **change)
        mended = done(corrected, "modify_pending_order_items", **change)

        assert kept["payment_history"][-1]["amount"] != 10.8
        assert mended["payment_history"][-1]["amount"] == 10.8
        assert balance(corrected) == 489.2

    def test_alike_have_each_its_own_price(
        self, strict: EnvironmentSession, corrected: EnvironmentSession
    ) -> None:
        both = swap(3) | {"item_ids": ["c1", "c1"], "new_item_ids": ["c3", "c2"]}

        kept = done(strict, "modify_pending_order_items", **both)
        mended = done(corrected, "modify_pending_order_items", **both)

        assert round(kept["payment_history"][-1]["amount"], 2) == 30.8
        assert mended["payment_history"][-1]["amount"] == 28.9
        assert [each[0] for each in sold(mended)] == ["c2", "c3"]

    def test_leave_the_address_to_the_agent_in_both_modes(
        self, strict: EnvironmentSession, corrected: EnvironmentSession
    ) -> None:
        for session in (strict, corrected):
            done(session, "modify_pending_order_items", **swap(1, c1="c3"))

            done(session, "modify_pending_order_address", order_id="#W1", **PLACE)
            refused(
                session,
                "modify_pending_order_payment",
                order_id="#W1",
                payment_method_id="pal",
            )


class TestCancelling:
    def cancel_after_a_change_of_payment(self, session: EnvironmentSession) -> Any:
        done(
            session,
            "modify_pending_order_payment",
            order_id="#W1",
            payment_method_id="pal",
        )
        assert balance(session) == 580.4
        return done(
            session,
            "cancel_pending_order",
            order_id="#W1",
            reason="no longer needed",
        )["payment_history"][3:]

    def test_refunds_every_line_in_strict_mode(
        self, strict: EnvironmentSession
    ) -> None:
        refunds = self.cancel_after_a_change_of_payment(strict)

        assert [each["payment_method_id"] for each in refunds] == [
            "gift",
            "pal",
            "gift",
        ]
        assert balance(strict) == 741.2

    def test_refunds_what_was_paid(self, corrected: EnvironmentSession) -> None:
        [refund] = self.cancel_after_a_change_of_payment(corrected)

        assert (refund["payment_method_id"], refund["amount"]) == ("pal", 80.4)
        assert refund["transaction_type"] == "refund"
        assert balance(corrected) == 580.4

    def test_is_alike_for_a_single_payment(
        self, strict: EnvironmentSession, corrected: EnvironmentSession
    ) -> None:
        asked = {"order_id": "#W1", "reason": "ordered by mistake"}

        assert done(strict, "cancel_pending_order", **asked) == done(
            corrected, "cancel_pending_order", **asked
        )
        assert balance(strict) == balance(corrected) == 580.4


class TestExchanged:
    def test_lists_are_sorted_apart_in_strict_mode_and_in_pairs_otherwise(
        self, strict: EnvironmentSession, corrected: EnvironmentSession
    ) -> None:
        change = swap(2, l1="l2", c2="c1", c1="c3")

        kept = done(strict, "exchange_delivered_order_items", **change)
        mended = done(corrected, "exchange_delivered_order_items", **change)

        assert kept["exchange_items"] == mended["exchange_items"] == ["c1", "c2", "l1"]
        assert kept["exchange_new_items"] == ["c1", "c3", "l2"]
        assert mended["exchange_new_items"] == ["c3", "c1", "l2"]
        assert mended["exchange_price_difference"] == 0.6

    def test_item_may_be_the_same_only_in_strict_mode(
        self, strict: EnvironmentSession, corrected: EnvironmentSession
    ) -> None:
        same = swap(2, c1="c1")

        done(strict, "exchange_delivered_order_items", **same)
        assert "different" in refused(
            corrected, "exchange_delivered_order_items", **same
        )


class TestLists:
    @pytest.mark.parametrize("nothing", [[], ""])
    @pytest.mark.parametrize(
        ("name", "number"),
        [
            ("modify_pending_order_items", 1),
            ("exchange_delivered_order_items", 2),
            ("return_delivered_order_items", 2),
        ],
    )
    def test_without_ids_are_taken_in_strict_mode_only(
        self,
        strict: EnvironmentSession,
        corrected: EnvironmentSession,
        name: str,
        number: int,
        nothing: Any,
    ) -> None:
        asked = swap(number) | {"item_ids": nothing, "new_item_ids": nothing}
        if name.startswith("return"):
            del asked["new_item_ids"]

        done(strict, name, **asked)
        assert "at least one id" in refused(corrected, name, **asked)

    @pytest.mark.parametrize("ids", ["c1", [1], [["c1"]], None, {"c1": 1}, 3])
    def test_of_something_else_are_refused(
        self, corrected: EnvironmentSession, ids: Any
    ) -> None:
        text = refused(
            corrected,
            "return_delivered_order_items",
            order_id="#W2",
            item_ids=ids,
            payment_method_id="gift",
        )

        assert "at least one id" in text


JUNK = st.one_of(
    st.none(),
    st.integers(),
    st.floats(allow_nan=False),
    st.sampled_from(["#W1", "#W2", "#W3", "c1", "c2", "l1", "l2", "gift", "pal", ""]),
    st.lists(st.sampled_from(["c1", "c2", "c3", "l1", "l2", 7]), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@pytest.fixture(scope="module")
def small() -> Environment:
    return build(state=read_state(small_shop()), version="small", mode=Mode.CORRECTED)


@settings(max_examples=150, deadline=None)
@given(chance=st.data())
def test_no_call_breaks_a_corrected_session(
    small: Environment, chance: st.DataObject
) -> None:
    session = small.session()
    base = small.state.content_hash
    for _ in range(4):
        tool = chance.draw(st.sampled_from(list(small.tools.values())))
        wanted = tool.schema["function"]["parameters"].get("properties", {})
        call = ToolCall(
            name=tool.name, arguments={name: chance.draw(JUNK) for name in wanted}
        )
        before = session.state.content_hash()

        result = session.call(call)

        if result.error or not tool.mutates:
            assert session.state.content_hash() == before
        assert balance(session) == round(balance(session), 2)
    assert small.state.content_hash == base

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from environments.core.environment import Environment
from environments.core.policy import Breach, Event, PolicyTrace
from environments.core.tools import Mode, ToolCall
from environments.retail import build, generated
from environments.retail.clauses import CLAUSES
from environments.retail.policy_checks import (
    POLICY_CHECKS,
    authenticated_first,
    confirmed,
    locked_after_items,
    method_named,
    one_customer,
    one_return_or_exchange,
    one_thing_per_turn,
    reason_given,
    refund_method,
    same_product,
    status_looked_up,
    transferred_properly,
)
from environments.retail.words import describe_write

HOLD = "YOU ARE BEING TRANSFERRED TO A HUMAN AGENT. PLEASE HOLD ON."


@pytest.fixture(scope="module")
def shop() -> Environment:
    return generated(seed=3, users=80)


class Scene:
    """A conversation in the making, on a real session."""

    def __init__(self, shop: Environment):
        self.shop = shop
        self.session = shop.session()
        self.events: list[Event] = []

    def hear(self, text: str) -> "Scene":
        return self._add(Event(len(self.events), "user", text))

    def say(self, text: str) -> "Scene":
        return self._add(Event(len(self.events), "agent", text))

    def call(self, name: str, **arguments: Any) -> "Scene":
        call = ToolCall(name=name, arguments=arguments)
        tool = self.shop.tools.get(name)
        event = Event(
            len(self.events),
            "agent",
            call=call,
            result=self.session.call(call),
            kind=tool.kind if tool else None,
        )
        return self._add(event)

    def _add(self, event: Event) -> "Scene":
        self.events.append(event)
        return self

    def judge(self, judge: Callable[[PolicyTrace], Iterable[Breach]]) -> list[Breach]:
        trace = PolicyTrace(
            tuple(self.events),
            self.shop.session().state,
            self.shop.domain.lexicon,
        )
        return list(judge(trace))


@pytest.fixture
def scene(shop: Environment) -> Scene:
    return Scene(shop)


def order_with(shop: Environment, status: str, number: int = 0) -> dict[str, Any]:
    orders = shop.state.collections["orders"].values()
    return [order for order in orders if order["status"] == status][number]


def email_of(shop: Environment, user_id: str) -> str:
    email: str = shop.state.collections["users"][user_id]["email"]
    return email


def other_variant(shop: Environment, line: dict[str, Any]) -> str:
    variants = shop.state.collections["products"][line["product_id"]]["variants"]
    return next(
        item_id
        for item_id, variant in variants.items()
        if variant["available"] and item_id != line["item_id"]
    )


def richest(shop: Environment, order: dict[str, Any]) -> str:
    """A method that is no gift card, so that no balance stands in the way."""
    methods = shop.state.collections["users"][order["user_id"]]["payment_methods"]
    return next(m for m, method in methods.items() if method["source"] != "gift_card")


class TestPolicyChecks:
    def test_cite_clauses_that_the_policy_has(self) -> None:
        assert {check.clause for check in POLICY_CHECKS} <= CLAUSES.keys()

    def test_find_nothing_in_an_empty_conversation(self, scene: Scene) -> None:
        assert [b for check in POLICY_CHECKS for b in scene.judge(check.judge)] == []


class TestAuthenticatedFirst:
    def test_passes_when_the_account_is_found_first(self, scene: Scene) -> None:
        order = order_with(scene.shop, "pending")
        scene.call("find_user_id_by_email", email="nobody@example.com")
        scene.call(
            "find_user_id_by_email", email=email_of(scene.shop, order["user_id"])
        )
        scene.call("get_order_details", order_id=order["order_id"])
        assert scene.judge(authenticated_first) == []

    def test_fails_when_an_order_is_opened_before(self, scene: Scene) -> None:
        scene.call("calculate", expression="1 + 1")
        scene.call("find_user_id_by_email", email="nobody@example.com")
        scene.call("get_order_details", order_id="#W1")
        [breach] = scene.judge(authenticated_first)
        assert breach.where == (2,)


class TestOneCustomer:
    def test_passes_for_the_customers_own_orders(self, scene: Scene) -> None:
        order = order_with(scene.shop, "delivered")
        scene.call(
            "find_user_id_by_email", email=email_of(scene.shop, order["user_id"])
        )
        scene.call("get_user_details", user_id=order["user_id"])
        scene.call("get_order_details", order_id=order["order_id"])
        assert scene.judge(one_customer) == []

    def test_fails_for_somebody_elses(self, scene: Scene) -> None:
        first, second = (order_with(scene.shop, "delivered", n) for n in (0, 20))
        assert first["user_id"] != second["user_id"]
        scene.call(
            "find_user_id_by_email", email=email_of(scene.shop, first["user_id"])
        )
        scene.call("get_order_details", order_id=second["order_id"])
        scene.call(
            "find_user_id_by_email", email=email_of(scene.shop, second["user_id"])
        )
        assert [breach.where for breach in scene.judge(one_customer)] == [(1,), (2,)]


class TestConfirmed:
    def ask(self, scene: Scene, call: ToolCall) -> Scene:
        change = describe_write(call, scene.session.state)
        return scene.say(f"I would {change}. Is that right (yes/no)?")

    def give_back(self, scene: Scene, number: int = 0, line: int = 0) -> ToolCall:
        order = order_with(scene.shop, "delivered", number)
        return ToolCall(
            name="return_delivered_order_items",
            arguments={
                "order_id": order["order_id"],
                "item_ids": [order["items"][line]["item_id"]],
                "payment_method_id": order["payment_history"][0]["payment_method_id"],
            },
        )

    def make(self, scene: Scene, call: ToolCall) -> None:
        scene.call(call.name, **call.arguments)
        assert scene.events[-1].wrote

    def test_passes_after_a_yes_to_what_was_listed(self, scene: Scene) -> None:
        call = self.give_back(scene)
        self.ask(scene, call).hear("Yes, please go ahead.")
        self.make(scene, call)
        assert scene.judge(confirmed) == []

    def test_passes_for_one_yes_to_two_writes_that_were_listed(
        self, scene: Scene
    ) -> None:
        calls = [self.give_back(scene, number) for number in (0, 1)]
        changes = [describe_write(call, scene.session.state) for call in calls]
        scene.say(f"I would {' and '.join(changes)}. Yes or no?").hear("Yes, both.")
        for call in calls:
            self.make(scene, call)
        assert scene.judge(confirmed) == []

    def test_passes_for_items_named_by_their_options(self, scene: Scene) -> None:
        call = self.give_back(scene)
        line = order_with(scene.shop, "delivered")["items"][0]
        options = ", ".join(line["options"].values()).upper()
        scene.say(f"Return {options} of {call.arguments['order_id']}? (yes/no)")
        scene.hear("Sure, yes.")
        self.make(scene, call)
        assert scene.judge(confirmed) == []

    @pytest.mark.parametrize(
        "answer", ["No, wait.", "Which item was that?", "Don't do that yet, okay?"]
    )
    def test_fails_when_the_answer_is_no_yes(self, scene: Scene, answer: str) -> None:
        call = self.give_back(scene)
        self.ask(scene, call).hear(answer)
        self.make(scene, call)
        assert len(scene.judge(confirmed)) == 1

    def test_fails_when_another_item_was_listed_than_the_one_returned(
        self, scene: Scene
    ) -> None:
        """The loophole: order, tool and method are those of the yes, and one item is not."""
        delivered = [
            order
            for order in scene.shop.state.collections["orders"].values()
            if order["status"] == "delivered"
        ]
        number = next(
            n
            for n, order in enumerate(delivered)
            if len({line["product_id"] for line in order["items"]}) > 1
        )
        self.ask(scene, self.give_back(scene, number, line=0)).hear("Yes.")
        self.make(scene, self.give_back(scene, number, line=1))
        assert len(scene.judge(confirmed)) == 1

    def test_fails_for_the_same_write_twice_on_one_yes(self, scene: Scene) -> None:
        address = {
            "address1": "1 Fern Street",
            "address2": "",
            "city": "Omaha",
            "state": "NE",
            "country": "USA",
            "zip": "68102",
        }
        user_id = order_with(scene.shop, "delivered")["user_id"]
        arguments = {"user_id": user_id, **address}
        call = ToolCall(name="modify_user_address", arguments=arguments)
        self.ask(scene, call).hear("Yes.")
        self.make(scene, call)
        self.make(scene, call)
        assert [breach.where for breach in scene.judge(confirmed)] == [(3,)]


class TestOneThingPerTurn:
    def test_passes_for_texts_and_calls_in_turn(self, scene: Scene) -> None:
        scene.say("Let me look.").call("list_all_product_types")
        scene.call("calculate", expression="1 + 1").say("Two.")
        assert scene.judge(one_thing_per_turn) == []

    @pytest.mark.parametrize("beside", ["a word", "a call"])
    def test_fails_for_something_beside_a_call(self, scene: Scene, beside: str) -> None:
        scene.say("Let me look.").call("list_all_product_types")
        event = replace(scene.events[-1], index=0)
        first = scene.events[0] if beside == "a word" else replace(event)
        scene.events = [first, event]
        [breach] = scene.judge(one_thing_per_turn)
        assert breach.where == (0,)

    def test_lets_a_call_stand_beside_an_empty_text(self, scene: Scene) -> None:
        scene.say(" ").call("list_all_product_types")
        scene.events = [replace(event, index=0) for event in scene.events]
        assert scene.judge(one_thing_per_turn) == []


class TestMethodNamed:
    judge = staticmethod(method_named("exchange_delivered_order_items"))

    def swap(self, scene: Scene) -> ToolCall:
        """An exchange settled with a method of which the customer has another kind, too."""
        users = scene.shop.state.collections["users"]
        for order in scene.shop.state.collections["orders"].values():
            methods = users[order["user_id"]]["payment_methods"]
            sources = {method["source"] for method in methods.values()}
            if order["status"] == "delivered" and {"paypal", "credit_card"} <= sources:
                line = order["items"][0]
                card = next(m for m in methods if m.startswith("credit_card"))
                return ToolCall(
                    name="exchange_delivered_order_items",
                    arguments={
                        "order_id": order["order_id"],
                        "item_ids": [line["item_id"]],
                        "new_item_ids": [other_variant(scene.shop, line)],
                        "payment_method_id": card,
                    },
                )
        raise AssertionError("nobody has both")

    @pytest.mark.parametrize("said", ["my credit card", "the Visa", "{method}"])
    def test_passes_when_the_customer_named_it(self, scene: Scene, said: str) -> None:
        call = self.swap(scene)
        method = call.arguments["payment_method_id"]
        scene.hear(f"Put the difference on {said.format(method=method)}.")
        scene.call(call.name, **call.arguments)
        assert scene.judge(self.judge) == []

    def test_passes_when_it_was_listed_and_agreed_to(self, scene: Scene) -> None:
        call = self.swap(scene)
        TestConfirmed().ask(scene, call).hear("Yes, please.")
        scene.call(call.name, **call.arguments)
        assert scene.judge(self.judge) == []

    def test_fails_when_the_customer_named_another_one(self, scene: Scene) -> None:
        """The loophole: the method is the customer's, covers the difference, and is not the one they chose."""
        call = self.swap(scene)
        scene.hear("Put the difference on my PayPal account.")
        scene.call(call.name, **call.arguments)
        assert scene.events[-1].wrote
        assert len(scene.judge(self.judge)) == 1

    def test_looks_at_the_write_that_its_clause_is_about(self, scene: Scene) -> None:
        call = self.swap(scene)
        scene.call(call.name, **call.arguments)
        assert scene.judge(method_named("modify_pending_order_items")) == []


class TestReasonGiven:
    @pytest.mark.parametrize(
        "text",
        ["I no longer need it.", "It is no longer needed", "I don't need it any more"],
    )
    def test_passes_when_the_user_gave_the_reason(
        self, scene: Scene, text: str
    ) -> None:
        order = order_with(scene.shop, "pending")
        scene.hear(text)
        scene.call(
            "cancel_pending_order",
            order_id=order["order_id"],
            reason="no longer needed",
        )
        assert scene.judge(reason_given) == []

    def test_fails_when_the_agent_made_it_up(self, scene: Scene) -> None:
        order = order_with(scene.shop, "pending")
        scene.hear("I found it cheaper elsewhere.")
        scene.call(
            "cancel_pending_order",
            order_id=order["order_id"],
            reason="no longer needed",
        )
        [breach] = scene.judge(reason_given)
        assert "no longer needed" in breach.text

    def test_fails_when_the_reason_came_after(self, scene: Scene) -> None:
        order = order_with(scene.shop, "pending")
        scene.call(
            "cancel_pending_order",
            order_id=order["order_id"],
            reason="ordered by mistake",
        )
        scene.hear("I ordered it by mistake.")
        assert len(scene.judge(reason_given)) == 1


class TestStatusLookedUp:
    def test_passes_when_the_order_was_read_before(self, scene: Scene) -> None:
        order = order_with(scene.shop, "pending")
        scene.call("get_order_details", order_id=order["order_id"])
        scene.call(
            "cancel_pending_order",
            order_id=order["order_id"],
            reason="no longer needed",
        )
        assert scene.judge(status_looked_up) == []

    def test_fails_when_it_was_not(self, scene: Scene) -> None:
        order, other = (order_with(scene.shop, "pending", n) for n in (0, 1))
        scene.call("get_order_details", order_id=other["order_id"])
        scene.call(
            "cancel_pending_order",
            order_id=order["order_id"],
            reason="no longer needed",
        )
        [breach] = scene.judge(status_looked_up)
        assert order["order_id"] in breach.text


class TestLockedAfterItems:
    def modify(self, scene: Scene, order: dict[str, Any]) -> None:
        line = order["items"][0]
        scene.call(
            "modify_pending_order_items",
            order_id=order["order_id"],
            item_ids=[line["item_id"]],
            new_item_ids=[other_variant(scene.shop, line)],
            payment_method_id=richest(scene.shop, order),
        )
        assert scene.events[-1].wrote

    def move(self, scene: Scene, order: dict[str, Any]) -> None:
        scene.call(
            "modify_pending_order_address",
            order_id=order["order_id"],
            **order["address"],
        )
        assert scene.events[-1].wrote  # the tool lets it through

    def fitting(self, shop: Environment) -> dict[str, Any]:
        users = shop.state.collections["users"]
        return next(
            order
            for order in shop.state.collections["orders"].values()
            if order["status"] == "pending"
            and any(
                method["source"] != "gift_card"
                for method in users[order["user_id"]]["payment_methods"].values()
            )
        )

    def test_passes_when_the_items_come_last(self, scene: Scene) -> None:
        order = self.fitting(scene.shop)
        self.move(scene, order)
        self.modify(scene, order)
        assert scene.judge(locked_after_items) == []

    def test_fails_when_something_follows(self, scene: Scene) -> None:
        order = self.fitting(scene.shop)
        self.modify(scene, order)
        self.move(scene, order)
        [breach] = scene.judge(locked_after_items)
        assert breach.where == (1,)


class TestOneReturnOrExchange:
    def give_back(self, scene: Scene, order: dict[str, Any], line: int = 0) -> None:
        scene.call(
            "return_delivered_order_items",
            order_id=order["order_id"],
            item_ids=[order["items"][line]["item_id"]],
            payment_method_id=order["payment_history"][0]["payment_method_id"],
        )

    def test_passes_for_one_per_order(self, scene: Scene) -> None:
        for number in (0, 1):
            self.give_back(scene, order_with(scene.shop, "delivered", number))
        assert all(event.wrote for event in scene.events)
        assert scene.judge(one_return_or_exchange) == []

    def test_fails_for_a_second_try(self, scene: Scene) -> None:
        order = order_with(scene.shop, "delivered")
        self.give_back(scene, order)
        self.give_back(scene, order)
        [breach] = scene.judge(one_return_or_exchange)
        assert breach.where == (0, 1)


class TestRefundMethod:
    def test_passes_for_the_original_method(self, scene: Scene) -> None:
        TestOneReturnOrExchange().give_back(scene, order_with(scene.shop, "delivered"))
        assert scene.judge(refund_method) == []

    def test_fails_for_another_one_that_a_tool_let_through(self, scene: Scene) -> None:
        users = scene.shop.state.collections["users"]
        order, method = next(
            (order, method)
            for order in scene.shop.state.collections["orders"].values()
            for method, value in users[order["user_id"]]["payment_methods"].items()
            if value["source"] != "gift_card"
            and method != order["payment_history"][0]["payment_method_id"]
        )
        good = next(e for e in Scene(scene.shop).call("list_all_product_types").events)
        call = ToolCall(
            name="return_delivered_order_items",
            arguments={
                "order_id": order["order_id"],
                "item_ids": [order["items"][0]["item_id"]],
                "payment_method_id": method,
            },
        )
        kind = scene.shop.tools[call.name].kind
        scene.events = [Event(0, "agent", call=call, result=good.result, kind=kind)]
        assert len(scene.judge(refund_method)) == 1


class TestSameProduct:
    def exchange(self, scene: Scene, new: str | None) -> None:
        users = scene.shop.state.collections["users"]
        order, line = next(
            (order, line)
            for order in scene.shop.state.collections["orders"].values()
            for line in order["items"]
            if order["status"] == "delivered"
            and scene.shop.state.collections["products"][line["product_id"]][
                "variants"
            ][line["item_id"]]["available"]
            and any(
                m["source"] != "gift_card"
                for m in users[order["user_id"]]["payment_methods"].values()
            )
        )
        scene.call(
            "exchange_delivered_order_items",
            order_id=order["order_id"],
            item_ids=[line["item_id"]],
            new_item_ids=[new or other_variant(scene.shop, line)],
            payment_method_id=richest(scene.shop, order),
        )

    def test_passes_for_another_version(self, scene: Scene) -> None:
        self.exchange(scene, None)
        assert scene.events[0].wrote
        assert scene.judge(same_product) == []

    def test_fails_for_the_same_one(self, scene: Scene) -> None:
        self.exchange(scene, None)
        call = scene.events[0].call
        assert call is not None
        same = {**call.arguments, "new_item_ids": call.arguments["item_ids"]}
        strict = build(state=scene.shop.state, version="strict", mode=Mode.STRICT)
        again = Scene(strict).call(call.name, **same)
        assert again.events[0].wrote  # in strict mode the tool lets it through
        assert len(again.judge(same_product)) == 1


class TestTransferredProperly:
    def test_passes_when_the_fixed_sentence_follows(self, scene: Scene) -> None:
        scene.call("transfer_to_human_agents", summary="x").say(HOLD)
        assert scene.judge(transferred_properly) == []

    def test_fails_when_something_else_follows(self, scene: Scene) -> None:
        scene.call("transfer_to_human_agents", summary="x").say("Goodbye.")
        assert len(scene.judge(transferred_properly)) == 1

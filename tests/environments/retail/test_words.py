import re
from pathlib import Path
from typing import Any

import pytest

from environments.core.environment import Environment
from environments.core.tools import Mode, ToolCall, ToolKind
from environments.core.words import Words
from environments.retail import archetypes, generated
from environments.retail.canonical import canonical_write
from environments.retail.words import (
    WORDS,
    aliases,
    describe_outcome,
    describe_refusal,
    describe_write,
    forbidden_write,
    money,
    unasked_write,
)

ADDRESS = {
    "address1": "1 Fern Street",
    "address2": "",
    "city": "Omaha",
    "state": "NE",
    "country": "USA",
    "zip": "68102",
}


@pytest.fixture(scope="module")
def shop() -> Environment:
    return generated(seed=3, users=80)


def orders(shop: Environment, status: str) -> list[dict[str, Any]]:
    return [
        o for o in shop.state.collections["orders"].values() if o["status"] == status
    ]


def write(name: str, order: dict[str, Any], **arguments: Any) -> ToolCall:
    return ToolCall(name=name, arguments={"order_id": order["order_id"], **arguments})


def every_write(shop: Environment) -> list[ToolCall]:
    """One of each kind that the tools accept."""
    pending, delivered = orders(shop, "pending"), orders(shop, "delivered")
    found = [
        write("cancel_pending_order", pending[0], reason="no longer needed"),
        write("modify_pending_order_address", pending[0], **ADDRESS),
        ToolCall(
            name="modify_user_address",
            arguments={"user_id": pending[0]["user_id"], **ADDRESS},
        ),
        write(
            "return_delivered_order_items",
            delivered[0],
            item_ids=[delivered[0]["items"][0]["item_id"]],
            payment_method_id=delivered[0]["payment_history"][0]["payment_method_id"],
        ),
    ]
    changes = {
        "exchange_delivered_order_items": delivered,
        "modify_pending_order_items": pending,
    }
    for name, some in changes.items():
        found.append(
            next(c for o in some for c in swaps(shop, name, o) if accepted(shop, c))
        )
    found.append(
        next(
            call
            for order in pending
            for method in shop.state.collections["users"][order["user_id"]][
                "payment_methods"
            ]
            for call in [
                write("modify_pending_order_payment", order, payment_method_id=method)
            ]
            if accepted(shop, call)
        )
    )
    return found


def swaps(shop: Environment, name: str, order: dict[str, Any]) -> list[ToolCall]:
    line = order["items"][0]
    methods = shop.state.collections["users"][order["user_id"]]["payment_methods"]
    variants = shop.state.collections["products"][line["product_id"]]["variants"]
    return [
        write(
            name,
            order,
            item_ids=[line["item_id"]],
            new_item_ids=[new],
            payment_method_id=method,
        )
        for new in variants
        for method in methods
    ]


def accepted(shop: Environment, call: ToolCall) -> bool:
    return not shop.session().call(call).error


class TestDescribeWrite:
    def test_names_every_id_of_every_kind_of_write(self, shop: Environment) -> None:
        calls = every_write(shop)
        kinds = {
            name for name, tool in shop.tools.items() if tool.kind is ToolKind.WRITE
        }
        assert {call.name for call in calls} == kinds
        for call in calls:
            text = describe_write(call, shop.session().state)
            for name, value in call.arguments.items():
                for part in value if isinstance(value, list) else [value]:
                    assert name == "user_id" or part in text, (call.name, name)

    def test_tells_the_difference_and_which_way_it_goes(
        self, shop: Environment
    ) -> None:
        products = shop.state.collections["products"]
        seen = set()
        for order in orders(shop, "delivered")[:30]:
            for call in swaps(shop, "exchange_delivered_order_items", order):
                text = describe_write(call, shop.session().state)
                line = order["items"][0]
                new = products[line["product_id"]]["variants"][
                    call.arguments["new_item_ids"][0]
                ]
                difference = round(new["price"] - line["price"], 2)
                assert money(abs(difference)) in text or difference == 0
                seen.add("is paid with" in text)
                assert ("is paid with" in text) == (difference > 0)
        assert seen == {True, False}

    @pytest.mark.parametrize(
        "arguments",
        [{}, {"order_id": "#W0"}, {"order_id": ["x"]}, {"order_id": None, "reason": 3}],
    )
    def test_speaks_of_odd_arguments_without_failing(
        self, shop: Environment, arguments: dict[str, Any]
    ) -> None:
        for name in shop.tools:
            call = ToolCall(name=name, arguments=arguments)
            assert describe_write(call, shop.session().state)
            assert describe_outcome(call, shop.session().state)


class TestDescribeOutcome:
    def test_says_what_was_done_to_which_order(self, shop: Environment) -> None:
        for call in every_write(shop):
            session = shop.session()
            assert not session.call(call).error
            text = describe_outcome(call, session.state)
            assert text.endswith(".")
            assert call.arguments.get("order_id", "") in text


class TestDescribeRefusal:
    def test_gives_rule_and_status(self, shop: Environment) -> None:
        order = orders(shop, "processed")[0]
        read = ToolCall(
            name="get_order_details", arguments={"order_id": order["order_id"]}
        )
        text = describe_refusal("4.1", [read], shop.session().state)
        assert "still pending" in text
        assert 'the status "processed"' in text

    def test_has_words_for_a_clause_that_it_does_not_know(
        self, shop: Environment
    ) -> None:
        assert "rule 9.9" in describe_refusal("9.9", [], shop.session().state)


class TestAliases:
    def test_name_items_by_options_and_methods_by_kind(self, shop: Environment) -> None:
        call = next(
            c for c in every_write(shop) if c.name == "exchange_delivered_order_items"
        )
        found = aliases(call, shop.session().state)
        assert found[call.arguments["new_item_ids"][0]][0]
        kind = call.arguments["payment_method_id"].rpartition("_")[0].replace("_", " ")
        assert [kind] in found[call.arguments["payment_method_id"]]

    def test_know_nothing_of_what_is_not_there(self, shop: Environment) -> None:
        call = ToolCall(name="x", arguments={"order_id": [], "item_ids": ["1", 2]})
        assert aliases(call, shop.session().state) == {}


class TestUnaskedWrite:
    def test_is_legal(self, shop: Environment) -> None:
        for gold in every_write(shop):
            session = shop.session()
            call = unasked_write(gold, session.state)
            assert call is not None
            assert not session.call(call).error
            assert session.state.changes()


REFUSED = {
    "3.1": "modify_pending_order_payment",
    "3.5": "modify_pending_order_address",
    "4.1": "cancel_pending_order",
    "4.2": "cancel_pending_order",
    "5.1": "modify_pending_order_address",
    "5.2": "modify_pending_order_payment",
    "5.4": "modify_pending_order_address",
    "6.1": "return_delivered_order_items",
    "6.2": "return_delivered_order_items",
    "7.1": "exchange_delivered_order_items",
    "7.3": "exchange_delivered_order_items",
    "7.5": "return_delivered_order_items",
}
"""Clauses by which requests are refused → the tool that would break them."""


class TestForbiddenWrite:
    def read(self, order: dict[str, Any]) -> ToolCall:
        arguments = {"order_id": order["order_id"]}
        return ToolCall(name="get_order_details", arguments=arguments)

    def test_is_known_for_every_clause_that_requests_are_refused_by(self) -> None:
        sources = Path(archetypes.__file__).parent.glob("*.py")
        told = " ".join(path.read_text(encoding="utf-8") for path in sources)
        cited = set(re.findall(r'Decline\(clause="([\d.]+)"\)', told))
        cited |= set(re.findall(r'_if(?:_delivered)?\("([\d.]+)"', told))
        assert cited == REFUSED.keys()

    @pytest.mark.parametrize(("clause", "tool"), REFUSED.items())
    def test_is_the_one_that_the_clause_speaks_of(
        self, shop: Environment, clause: str, tool: str
    ) -> None:
        order = orders(shop, "processed")[0]
        call = forbidden_write(clause, [self.read(order)], shop.session().state)
        assert call is not None
        assert call.name == tool
        assert shop.session().call(call).error

    @pytest.mark.parametrize("clause", ["5.2", "6.2", "7.1", "7.3"])
    def test_is_refused_by_the_tool_for_the_clauses_sake_and_not_for_the_status(
        self, shop: Environment, clause: str
    ) -> None:
        status = "pending" if clause.startswith("5") else "delivered"
        texts = set()
        for order in orders(shop, status):
            call = forbidden_write(clause, [self.read(order)], shop.session().state)
            assert call is not None
            result = shop.session().call(call)
            texts |= {result.content} if result.error else set()
        reasons = {
            "5.2": "Insufficient gift card balance to pay for the order",
            "6.2": "Payment method should be the original payment method",
            "7.1": "New item",
            "7.3": "Insufficient gift card balance to pay for the price difference",
        }
        assert any(reasons[clause] in text for text in texts), texts
        assert not any("Non-" in text for text in texts)

    @pytest.mark.parametrize(
        ("clause", "status"), [("4.2", "pending"), ("5.4", "pending (item modified)")]
    )
    def test_is_done_where_no_tool_stands_in_the_way(
        self, shop: Environment, clause: str, status: str
    ) -> None:
        read = self.read(orders(shop, status)[0])
        call = forbidden_write(clause, [read], shop.session().state)
        assert call is not None
        assert accepted(shop, call)

    def test_is_none_without_an_order(self, shop: Environment) -> None:
        assert forbidden_write("4.1", [], shop.session().state) is None

    def test_has_a_sentence_beside_it_that_says_no(self, shop: Environment) -> None:
        for clause in REFUSED:
            text = describe_refusal(clause, [], shop.session().state)
            assert f"rule {clause}" not in text


class TestQuestions:
    def test_are_there_for_what_the_words_of_requests_tell(
        self, shop: Environment
    ) -> None:
        """The first fact of each clause, so that no scripted agent has to ask for "more"."""
        for archetype in shop.domain.archetypes:
            for clause in archetype.clauses:
                slots = re.findall(r"{(\w+)}", " ".join(clause.patterns))
                assert not slots or set(slots) & WORDS.questions.keys(), clause


class TestWords:
    def test_has_defaults_for_a_world_without_words(self, shop: Environment) -> None:
        call = ToolCall(name="book_it", arguments={"id": "A1", "seats": [1]})
        state = shop.session().state
        assert Words().describe_write(call, state) == "book it with id A1, seats [1]"
        assert "book it" in Words().describe_outcome(call, state)
        assert Words().unasked_write(call, state) is None
        assert WORDS.questions["reason"]


class TestCanonicalWrite:
    def exchange(
        self, *pairs: tuple[str, str], name: str = "exchange_delivered_order_items"
    ) -> ToolCall:
        old, new = [p[0] for p in pairs], [p[1] for p in pairs]
        return ToolCall(name=name, arguments={"item_ids": old, "new_item_ids": new})

    def test_is_one_for_pairs_in_any_order(self) -> None:
        a = self.exchange(("1", "9"), ("2", "8"))
        b = self.exchange(("2", "8"), ("1", "9"))
        assert canonical_write(a) == canonical_write(b)

    def test_keeps_pairs_together(self) -> None:
        a = self.exchange(("1", "9"), ("2", "8"))
        b = self.exchange(("1", "8"), ("2", "9"))
        assert canonical_write(a) != canonical_write(b)

    def test_keeps_the_order_where_the_tool_does(self) -> None:
        a = self.exchange(("2", "8"), ("1", "9"), name="modify_pending_order_items")
        assert canonical_write(a) == a

    def test_does_not_where_the_corrected_tool_does_not(self) -> None:
        a = self.exchange(("2", "8"), ("1", "9"), name="modify_pending_order_items")
        b = self.exchange(("1", "9"), ("2", "8"), name="modify_pending_order_items")
        assert canonical_write(a, Mode.CORRECTED) == b

    @pytest.mark.parametrize(
        "arguments",
        [
            {},
            {"item_ids": 3},
            {"item_ids": [1, "a"]},
            {"item_ids": ["1"], "new_item_ids": []},
        ],
    )
    def test_leaves_odd_arguments_alone(self, arguments: dict[str, Any]) -> None:
        for name in ("exchange_delivered_order_items", "return_delivered_order_items"):
            call = ToolCall(name=name, arguments=arguments)
            assert canonical_write(call).arguments.keys() == arguments.keys()

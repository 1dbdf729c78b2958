"""The retail toolkit (tau2 SPEC §4.2, §5, §14.1). The docstrings of the tools are the descriptions that the agent is given.

In strict mode it is exact to the reference in results, errors and effects, known bugs included: nothing validates arguments before
a method is entered, so that wrong ones fail with the same Python texts.

Corrected mode shares everything but the departures in corrections.py.

Alike in both modes: rules of the policy that the reference leaves to the agent are left to it, so that breaking them can be seen and
judged. One of them is that an order's address stays once its items were modified (policy 5.4; its payment cannot be changed then, since
that takes an order with a single payment).
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from environments.core.calculate import calculate
from environments.core.errors import ToolError
from environments.core.state import Record, plain_copy
from environments.core.tools import ToolKind, Toolkit, tool
from environments.retail.state import UserAddress

CANCEL_REASONS = {"no longer needed", "ordered by mistake"}


class _Swap(NamedTuple):
    """One item of an order and what it becomes."""

    old_id: str
    new_id: str
    place: int
    """Where in the order the item stands."""
    rise: float
    """What the new variant costs more."""
    variant: Record


class RetailTools(Toolkit):
    @tool(ToolKind.GENERIC)
    def calculate(self, expression: str) -> str:
        """
        Calculate the result of a mathematical expression.

        Args:
            expression: The mathematical expression to calculate, such as '2 + 2'. The expression can contain numbers, operators (+, -, *, /), parentheses, and spaces.
        """
        return calculate(expression)

    @tool(ToolKind.WRITE)
    def cancel_pending_order(self, order_id: str, reason: str) -> Record:
        """
        Cancel a pending order. If the order is already processed or delivered,
        it cannot be cancelled. The agent needs to explain the cancellation detail
        and ask for explicit user confirmation (yes/no) to proceed. If the user confirms,
        the order status will be changed to 'cancelled' and the payment will be refunded.
        The refund will be added to the user's gift card balance immediately if the payment
        was made using a gift card, otherwise the refund would take 5-7 business days to process.
        The function returns the order details after the cancellation.

        Args:
            order_id: The order id, such as '#W0000000'. Be careful there is a '#' symbol at the beginning of the order id.
            reason: The reason for cancellation, which should be either 'no longer needed' or 'ordered by mistake'.
        """
        order = self._order(order_id)
        if order["status"] != "pending":
            raise ToolError("Non-pending order cannot be cancelled")
        if reason not in CANCEL_REASONS:
            raise ToolError("Invalid reason")
        order = self.session.edit("orders", order_id)
        refunds = [
            _payment("refund", amount, method_id)
            for method_id, amount in self._to_refund(order["payment_history"])
        ]
        for line in refunds:
            self._credit_gift_card(
                order["user_id"], line["payment_method_id"], line["amount"]
            )
        order["status"] = "cancelled"
        order["cancel_reason"] = reason
        order["payment_history"].extend(refunds)
        return order

    @tool(ToolKind.WRITE)
    def exchange_delivered_order_items(
        self,
        order_id: str,
        item_ids: list[str],
        new_item_ids: list[str],
        payment_method_id: str,
    ) -> Record:
        """
        Exchange items in a delivered order to new items of the same product type.
        For a delivered order, return or exchange can be only done once by the agent.
        The agent needs to explain the exchange detail and ask for explicit user confirmation (yes/no) to proceed.

        Args:
            order_id: The order id, such as '#W0000000'. Be careful there is a '#' symbol at the beginning of the order id.
            item_ids: The item ids to be exchanged, each such as '1008292230'. There could be duplicate items in the list.
            new_item_ids: The item ids to be exchanged for, each such as '1008292230'.
                         There could be duplicate items in the list. Each new item id should match the item id
                         in the same position and be of the same product.
            payment_method_id: The payment method id to pay or receive refund for the item price difference,
                             such as 'gift_card_0000000' or 'credit_card_0000000'. These can be looked up
                             from the user or order details.
        """
        order = self._order(order_id)
        if order["status"] != "delivered":
            raise ToolError("Non-delivered order cannot be exchanged")
        self._check_lists(item_ids, new_item_ids)
        _check_count(order, item_ids, "Number of {} not found.")
        if len(item_ids) != len(new_item_ids):
            raise ToolError("The number of items to be exchanged should match.")
        swaps = self._swaps(order, item_ids, new_item_ids, same=not self.corrected)
        difference = round(_total(swaps), 2)
        method = self._payment_method(order["user_id"], payment_method_id)
        if method["source"] == "gift_card" and method["balance"] < difference:
            raise ToolError(
                "Insufficient gift card balance to pay for the price difference"
            )
        order = self.session.edit("orders", order_id)
        order["status"] = "exchange requested"
        order["exchange_items"] = sorted(item_ids)
        order["exchange_new_items"] = [swap.new_id for swap in swaps]
        if not self.corrected:  # the pairing is lost: SPEC §14.1 no. 7
            order["exchange_new_items"].sort()
        order["exchange_payment_method_id"] = payment_method_id
        order["exchange_price_difference"] = difference
        return order

    @tool(ToolKind.READ)
    def find_user_id_by_name_zip(
        self, first_name: str, last_name: str, zip: str
    ) -> str:
        """
        Find user id by first name, last name, and zip code. If the user is not found, the function
        will return an error message. By default, find user id by email, and only call this function
        if the user is not found by email or cannot remember email.

        Args:
            first_name: The first name of the customer, such as 'John'.
            last_name: The last name of the customer, such as 'Doe'.
            zip: The zip code of the customer, such as '12345'.
        """
        name = first_name.lower(), last_name.lower()
        user_id = (
            self.session.lookup("user_by_name_zip", (*name, zip))
            if isinstance(zip, str)
            else None
        )
        if user_id is None:
            raise ToolError("User not found")
        return user_id

    @tool(ToolKind.READ)
    def find_user_id_by_email(self, email: str) -> str:
        """
        Find user id by email. If the user is not found, the function will return an error message.

        Args:
            email: The email of the user, such as 'something@example.com'.
        """
        user_id = self.session.lookup("user_by_email", email.lower())
        if user_id is None:
            raise ToolError("User not found")
        return user_id

    @tool(ToolKind.READ)
    def get_order_details(self, order_id: str) -> Record:
        """
        Get the status and details of an order.

        Args:
            order_id: The order id, such as '#W0000000'. Be careful there is a '#' symbol at the beginning of the order id.
        """
        return self._order(order_id)

    @tool(ToolKind.READ)
    def get_product_details(self, product_id: str) -> Record:
        """
        Get the inventory details of a product.

        Args:
            product_id: The product id, such as '6086499569'. Be careful the product id is different from the item id.
        """
        product = self.session.get("products", product_id)
        if product is None:
            raise ToolError("Product not found")
        return product

    @tool(ToolKind.READ)
    def get_item_details(self, item_id: str) -> Record:
        """
        Get the inventory details of an item.

        Args:
            item_id: The item id, such as '6086499569'. Be careful the item id is different from the product id.
        """
        product_id = self.session.lookup("product_by_item", item_id)
        if product_id is None:
            raise ToolError("Item not found")
        product = self.session.get("products", product_id)
        assert product is not None
        variant: Record = product["variants"][item_id]
        return variant

    @tool(ToolKind.READ)
    def get_user_details(self, user_id: str) -> Record:
        """
        Get the details of a user, including their orders.

        Args:
            user_id: The user id, such as 'sara_doe_496'.
        """
        return self._user(user_id)

    @tool(ToolKind.READ)
    def list_all_product_types(self) -> str:
        """
        List the name and product id of all product types.
        Each product type has a variety of different items with unique item ids and options.
        There are only 50 product types in the store.
        """
        names = {}
        for product_id in self.session.keys("products"):
            product = self.session.get("products", product_id)
            assert product is not None
            names[product["name"]] = product_id
        return json.dumps(names, sort_keys=True)

    @tool(ToolKind.WRITE)
    def modify_pending_order_address(
        self,
        order_id: str,
        address1: str,
        address2: str,
        city: str,
        state: str,
        country: str,
        zip: str,
    ) -> Record:
        """
        Modify the shipping address of a pending order. The agent needs to explain the modification detail and ask for explicit user confirmation (yes/no) to proceed.

        Args:
            order_id: The order id, such as '#W0000000'. Be careful there is a '#' symbol at the beginning of the order id.
            address1: The first line of the address, such as '123 Main St'.
            address2: The second line of the address, such as 'Apt 1' or ''.
            city: The city, such as 'San Francisco'.
            state: The state, such as 'CA'.
            country: The country, such as 'USA'.
            zip: The zip code, such as '12345'.
        """
        self._changeable(order_id)
        address = _address(address1, address2, city, state, country, zip)
        order = self.session.edit("orders", order_id)
        order["address"] = address
        return order

    @tool(ToolKind.WRITE)
    def modify_pending_order_items(
        self,
        order_id: str,
        item_ids: list[str],
        new_item_ids: list[str],
        payment_method_id: str,
    ) -> Record:
        """
        Modify items in a pending order to new items of the same product type. For a pending order, this function can only be called once. The agent needs to explain the exchange detail and ask for explicit user confirmation (yes/no) to proceed.

        Args:
            order_id: The order id, such as '#W0000000'. Be careful there is a '#' symbol at the beginning of the order id.
            item_ids: The item ids to be modified, each such as '1008292230'. There could be duplicate items in the list.
            new_item_ids: The item ids to be modified for, each such as '1008292230'. There could be duplicate items in the list. Each new item id should match the item id in the same position and be of the same product.
            payment_method_id: The payment method id to pay or receive refund for the item price difference, such as 'gift_card_0000000' or 'credit_card_0000000'. These can be looked up from the user or order details.
        """
        order = self._order(order_id)
        if order["status"] != "pending":
            raise ToolError("Non-pending order cannot be modified")
        self._check_lists(item_ids, new_item_ids)
        _check_count(order, item_ids, "{} not found")
        if len(item_ids) != len(new_item_ids):
            raise ToolError("The number of items to be exchanged should match")
        swaps = self._swaps(order, item_ids, new_item_ids, same=False)
        difference = _total(swaps)
        if self.corrected:
            difference = round(difference, 2)
        method = self._payment_method(order["user_id"], payment_method_id)
        if method["source"] == "gift_card" and method["balance"] < difference:
            raise ToolError("Insufficient gift card balance to pay for the new item")
        order = self.session.edit("orders", order_id)
        kind = "payment" if difference > 0 else "refund"
        order["payment_history"].append(
            _payment(kind, float(abs(difference)), payment_method_id)
        )
        self._credit_gift_card(order["user_id"], payment_method_id, -difference)
        for swap in swaps:
            if self.corrected:
                changed, variant = order["items"][swap.place], swap.variant
            else:  # the last pair's variant, for every pair: SPEC §14.1 no. 1
                changed = order["items"][_place(order, swap.old_id)]
                variant = swaps[-1].variant
            changed["item_id"] = swap.new_id
            changed["price"] = variant["price"]
            changed["options"] = plain_copy(variant["options"])
        order["status"] = "pending (item modified)"
        return order

    @tool(ToolKind.WRITE)
    def modify_pending_order_payment(
        self, order_id: str, payment_method_id: str
    ) -> Record:
        """
        Modify the payment method of a pending order. The agent needs to explain the modification detail and ask for explicit user confirmation (yes/no) to proceed.

        Args:
            order_id: The order id, such as '#W0000000'. Be careful there is a '#' symbol at the beginning of the order id.
            payment_method_id: The payment method id to pay or receive refund for the item price difference, such as 'gift_card_0000000' or 'credit_card_0000000'. These can be looked up from the user or order details.
        """
        order = self._changeable(order_id)
        method = self._payment_method(order["user_id"], payment_method_id)
        history = order["payment_history"]
        if len(history) != 1 or history[0]["transaction_type"] != "payment":
            raise ToolError("There should be exactly one payment for a pending order")
        amount, old_id = history[0]["amount"], history[0]["payment_method_id"]
        if old_id == payment_method_id:
            raise ToolError(
                "The new payment method should be different from the current one"
            )
        if method["source"] == "gift_card" and method["balance"] < amount:
            raise ToolError("Insufficient gift card balance to pay for the order")
        order = self.session.edit("orders", order_id)
        order["payment_history"] += [
            _payment("payment", amount, payment_method_id),
            _payment("refund", amount, old_id),
        ]
        self._credit_gift_card(order["user_id"], payment_method_id, -amount)
        self._credit_gift_card(order["user_id"], old_id, amount)
        return order

    @tool(ToolKind.WRITE)
    def modify_user_address(
        self,
        user_id: str,
        address1: str,
        address2: str,
        city: str,
        state: str,
        country: str,
        zip: str,
    ) -> Record:
        """
        Modify the default address of a user. The agent needs to explain the modification detail and ask for explicit user confirmation (yes/no) to proceed.

        Args:
            user_id: The user id, such as 'sara_doe_496'.
            address1: The first line of the address, such as '123 Main St'.
            address2: The second line of the address, such as 'Apt 1' or ''.
            city: The city, such as 'San Francisco'.
            state: The state, such as 'CA'.
            country: The country, such as 'USA'.
            zip: The zip code, such as '12345'.
        """
        self._user(user_id)
        address = _address(address1, address2, city, state, country, zip)
        user = self.session.edit("users", user_id)
        user["address"] = address
        return user

    @tool(ToolKind.WRITE)
    def return_delivered_order_items(
        self, order_id: str, item_ids: list[str], payment_method_id: str
    ) -> Record:
        """
        Return some items of a delivered order.
        The order status will be changed to 'return requested'.
        The agent needs to explain the return detail and ask for explicit user confirmation (yes/no) to proceed.
        The user will receive follow-up email for how and where to return the item.

        Args:
            order_id: The order id, such as '#W0000000'. Be careful there is a '#' symbol at the beginning of the order id.
            item_ids: The item ids to be returned, each such as '1008292230'. There could be duplicate items in the list.
            payment_method_id: The payment method id to pay or receive refund for the item price difference, such as 'gift_card_0000000' or 'credit_card_0000000'.
                             These can be looked up from the user or order details.
        """
        order = self._order(order_id)
        if order["status"] != "delivered":
            raise ToolError("Non-delivered order cannot be returned")
        method = self._payment_method(order["user_id"], payment_method_id)
        original = order["payment_history"][0]["payment_method_id"]
        if method["source"] != "gift_card" and payment_method_id != original:
            raise ToolError("Payment method should be the original payment method")
        self._check_lists(item_ids)
        _check_count(order, item_ids, "Some item not found")
        order = self.session.edit("orders", order_id)
        order["status"] = "return requested"
        order["return_items"] = sorted(item_ids)
        order["return_payment_method_id"] = payment_method_id
        return order

    @tool(ToolKind.GENERIC)
    def transfer_to_human_agents(self, summary: str) -> str:
        """
        Transfer the user to a human agent, with a summary of the user's issue.
        Only transfer if
         -  the user explicitly asks for a human agent
         -  given the policy and the available tools, you cannot solve the user's issue.

        Args:
            summary: A summary of the user's issue.
        """
        return "Transfer successful"

    def _order(self, order_id: Any) -> Record:
        order = self.session.get("orders", order_id)
        if order is None:
            raise ToolError("Order not found")
        return order

    def _changeable(self, order_id: Any) -> Record:
        order = self._order(order_id)
        if "pending" not in order["status"]:
            raise ToolError("Non-pending order cannot be modified")
        return order

    def _user(self, user_id: Any) -> Record:
        user = self.session.get("users", user_id)
        if user is None:
            raise ToolError("User not found")
        return user

    def _payment_method(self, user_id: str, payment_method_id: Any) -> Record:
        methods: dict[str, Record] = self._user(user_id)["payment_methods"]
        if payment_method_id not in methods:
            raise ToolError("Payment method not found")
        return methods[payment_method_id]

    def _available_variant(self, old: Record, new_item_id: Any) -> Record:
        product = self.session.get("products", old["product_id"])
        if product is None:
            raise ToolError("Product not found")
        if new_item_id not in product["variants"]:
            raise ToolError("Variant not found")
        variant: Record = product["variants"][new_item_id]
        if not variant["available"]:
            raise ToolError(f"New item {new_item_id} not found or available")
        return variant

    def _check_lists(self, *lists: Any) -> None:
        if self.corrected and not all(_some_ids(ids) for ids in lists):
            raise ToolError("Item ids should be a list of at least one id")

    def _swaps(
        self, order: Record, item_ids: Any, new_item_ids: Any, *, same: bool
    ) -> list[_Swap]:
        """What becomes what. Raises ToolError unless each new one is a variant to be had, and (not `same`) another one."""
        pairs: Iterable[tuple[Any, Any]] = zip(item_ids, new_item_ids, strict=False)
        if self.corrected:
            pairs = sorted(pairs)
        swaps: list[_Swap] = []
        for old_id, new_id in pairs:
            if old_id == new_id and not same:
                raise ToolError(
                    "The new item id should be different from the old item id"
                )
            taken = [swap.place for swap in swaps] if self.corrected else []
            place = _place(order, old_id, taken)
            old = order["items"][place]
            variant = self._available_variant(old, new_id)
            rise = variant["price"] - old["price"]
            swaps.append(_Swap(old_id, new_id, place, rise, variant))
        return swaps

    def _to_refund(self, history: Sequence[Record]) -> list[tuple[str, float]]:
        """Payment methods and the dollars that they get back when an order is cancelled."""
        if not self.corrected:  # every line, refunds too: SPEC §14.1 no. 6
            return [(line["payment_method_id"], line["amount"]) for line in history]
        paid: dict[str, float] = {}
        for line in history:
            sign = 1 if line["transaction_type"] == "payment" else -1
            method_id = line["payment_method_id"]
            paid[method_id] = round(paid.get(method_id, 0) + sign * line["amount"], 2)
        return [(method_id, amount) for method_id, amount in paid.items() if amount > 0]

    def _credit_gift_card(
        self, user_id: str, payment_method_id: str, amount: float
    ) -> None:
        """Add `amount` dollars (negative: take) to the balance, if the method is a gift card."""
        if self._payment_method(user_id, payment_method_id)["source"] != "gift_card":
            return
        card = self.session.edit("users", user_id)["payment_methods"][payment_method_id]
        card["balance"] = round(card["balance"] + amount, 2)


def _check_count(order: Record, item_ids: Any, text: str) -> None:
    owned = [line["item_id"] for line in order["items"]]
    for item_id in item_ids:
        if item_ids.count(item_id) > owned.count(item_id):
            raise ToolError(text.format(item_id))


def _some_ids(ids: Any) -> bool:
    return isinstance(ids, list) and bool(ids) and all(isinstance(i, str) for i in ids)


def _place(order: Record, item_id: Any, taken: Sequence[int] = ()) -> int:
    """Where the item first stands in the order, but for places already taken."""
    return next(
        place
        for place, line in enumerate(order["items"])
        if line["item_id"] == item_id and place not in taken
    )


def _total(swaps: Iterable[_Swap]) -> float:
    """Dollars, added left to right without `sum`, which would mend the last bit."""
    total: float = 0
    for swap in swaps:
        total += swap.rise
    return total


def _payment(kind: str, amount: float, payment_method_id: str) -> Record:
    return {
        "transaction_type": kind,
        "amount": amount,
        "payment_method_id": payment_method_id,
    }


def _address(
    address1: Any, address2: Any, city: Any, state: Any, country: Any, zip: Any
) -> Record:
    address = UserAddress(
        address1=address1,
        address2=address2,
        city=city,
        state=state,
        country=country,
        zip=zip,
    )
    return address.model_dump()

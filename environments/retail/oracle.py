"""The oracle of the retail world: rows straight from the state, and its own account of what each write does.

Shares nothing with the toolkit (a test forbids the import), so that the two check each other on every task.
"""

from collections import Counter
from typing import Any

from environments.core.domain import Shown
from environments.core.errors import Unidentifiable
from environments.core.memo import Memo
from environments.core.state import Record, Session
from environments.core.tools import Mode, ToolCall
from environments.retail.relations import RetailRows

_REASONS = ("no longer needed", "ordered by mistake")
_ADDRESS = ("address1", "address2", "city", "country", "state", "zip")


class _Records(RetailRows):
    """Rows of one session as it stands."""

    def __init__(self, session: Session):
        self.session = session

    def user_id(self, call: ToolCall) -> str | None:
        arguments = call.arguments
        if "email" in arguments:
            return self.session.lookup("user_by_email", arguments["email"].lower())
        name = arguments["first_name"].lower(), arguments["last_name"].lower()
        return self.session.lookup("user_by_name_zip", (*name, arguments["zip"]))

    def record(self, call: ToolCall) -> Record | None:
        collection = {
            "user_id": "users",
            "order_id": "orders",
            "product_id": "products",
        }
        ((name, value),) = call.arguments.items()
        return self.session.get(collection[name], value)


_ONE = Memo[ToolCall, list[Shown]](lambda session, call: _Records(session)._one(call))
_VARIANTS = Memo[str, list[Shown]](
    lambda session, product_id: _Records(session)._variants(product_id)
)


class StateRows(_Records):
    """Rows of a session of its own, which writes change."""

    def __init__(self, session: Session, mode: Mode = Mode.STRICT):
        super().__init__(session.fork())
        self.corrected = mode == Mode.CORRECTED

    def _one(self, call: ToolCall) -> list[Shown]:
        return _ONE.of(self.session, call)

    def _variants(self, product_id: str) -> list[Shown]:
        return _VARIANTS.of(self.session, product_id)

    def effect(self) -> str:
        return self.session.effect()

    def has_effect_of(self, other: "StateRows") -> bool:
        return self.session.equals(other.session)

    def apply(self, call: ToolCall) -> None:
        """Take the effect of a legal write (SPEC §4.2). Raises Unidentifiable("illegal") for any other."""
        self.session = self.session.fork()  # rows given out before stay as they were
        arguments = call.arguments
        match call.name:
            case "modify_user_address":
                _legal(
                    self.session.get("users", arguments["user_id"]) is not None,
                    "no such user",
                )
                self._user(arguments["user_id"])["address"] = {
                    part: arguments[part] for part in _ADDRESS
                }
            case "modify_pending_order_address":
                order = self._order(
                    arguments["order_id"], "pending", "pending (item modified)"
                )
                order["address"] = {part: arguments[part] for part in _ADDRESS}
            case "cancel_pending_order":
                self._cancel(**arguments)
            case "modify_pending_order_payment":
                self._repay(**arguments)
            case "modify_pending_order_items":
                self._modify(**arguments)
            case "exchange_delivered_order_items":
                self._exchange(**arguments)
            case "return_delivered_order_items":
                self._return(**arguments)
            case _:
                raise Unidentifiable("illegal", f"{call.name} is not a write.")

    def _cancel(self, order_id: str, reason: str) -> None:
        order = self._order(order_id, "pending")
        _legal(reason in _REASONS, "not an accepted reason")
        lines = list(order["payment_history"])
        if self.corrected:
            lines = _net(lines)
        for line in lines:
            self._move(order["user_id"], line["payment_method_id"], line["amount"])
        order["payment_history"] += [
            {**line, "transaction_type": "refund"} for line in lines
        ]
        order["status"], order["cancel_reason"] = "cancelled", reason

    def _repay(self, order_id: str, payment_method_id: str) -> None:
        order = self._order(order_id, "pending", "pending (item modified)")
        lines = order["payment_history"]
        _legal(len(lines) == 1, "the payment was changed before")
        amount, earlier = lines[0]["amount"], lines[0]["payment_method_id"]
        _legal(payment_method_id != earlier, "the same payment method")
        self._covers(order["user_id"], payment_method_id, amount)
        order["payment_history"] = [
            *lines,
            _line("payment", amount, payment_method_id),
            _line("refund", amount, earlier),
        ]
        self._move(order["user_id"], payment_method_id, -amount)
        self._move(order["user_id"], earlier, amount)

    def _modify(
        self,
        order_id: str,
        item_ids: list[str],
        new_item_ids: list[str],
        payment_method_id: str,
    ) -> None:
        order = self._order(order_id, "pending")
        pairs = self._pairs(order, item_ids, new_item_ids, same=False)
        difference = _difference(pairs)
        if self.corrected:
            difference = round(difference, 2)
        self._covers(order["user_id"], payment_method_id, difference)
        order["payment_history"] = [
            *order["payment_history"],
            _line(
                "payment" if difference > 0 else "refund",
                float(abs(difference)),
                payment_method_id,
            ),
        ]
        self._move(order["user_id"], payment_method_id, -difference)
        for old, (line, variant) in zip(item_ids, pairs, strict=True):
            shown = variant
            if not self.corrected:
                # Each in turn is looked for among what is there by now, and takes the last pair's price and options
                line = _first(order, old)
                shown = pairs[-1][1]
            line.update(
                item_id=variant["item_id"],
                price=shown["price"],
                options=dict(shown["options"]),
            )
        order["status"] = "pending (item modified)"

    def _exchange(
        self,
        order_id: str,
        item_ids: list[str],
        new_item_ids: list[str],
        payment_method_id: str,
    ) -> None:
        order = self._order(order_id, "delivered")
        same = not self.corrected
        pairs = self._pairs(order, item_ids, new_item_ids, same=same)
        difference = round(_difference(pairs), 2)
        self._covers(order["user_id"], payment_method_id, difference)
        order.update(
            status="exchange requested",
            exchange_items=sorted(item_ids),
            exchange_new_items=self._in_order(item_ids, new_item_ids),
            exchange_payment_method_id=payment_method_id,
            exchange_price_difference=difference,
        )

    def _return(
        self, order_id: str, item_ids: list[str], payment_method_id: str
    ) -> None:
        order = self._order(order_id, "delivered")
        method = self._method(order["user_id"], payment_method_id)
        original = order["payment_history"][0]["payment_method_id"]
        _legal(
            method["source"] == "gift_card" or payment_method_id == original,
            "the refund cannot go there",
        )
        owned = [line["item_id"] for line in order["items"]]
        _legal(bool(item_ids) or not self.corrected, "nothing to return")
        _legal(
            all(item_ids.count(item) <= owned.count(item) for item in item_ids),
            "not in the order",
        )
        order.update(
            status="return requested",
            return_items=sorted(item_ids),
            return_payment_method_id=payment_method_id,
        )

    def _order(self, order_id: str, *statuses: str) -> Record:
        found = self.session.get("orders", order_id)
        _legal(
            found is not None and found["status"] in statuses,
            "the order's status does not allow it",
        )
        return self.session.edit("orders", order_id)

    def _user(self, user_id: str) -> Record:
        return self.session.edit("users", user_id)

    def _method(self, user_id: str, method_id: str) -> Record:
        user: Any = self.session.get("users", user_id)
        _legal(method_id in user["payment_methods"], "no such payment method")
        method: Record = user["payment_methods"][method_id]
        return method

    def _covers(self, user_id: str, method_id: str, amount: float) -> None:
        method = self._method(user_id, method_id)
        _legal(
            method["source"] != "gift_card" or method["balance"] >= amount,
            "the gift card does not cover it",
        )

    def _move(self, user_id: str, method_id: str, amount: float) -> None:
        if self._method(user_id, method_id)["source"] == "gift_card":
            card = self._user(user_id)["payment_methods"][method_id]
            card["balance"] = round(card["balance"] + amount, 2)

    def _pairs(
        self, order: Record, item_ids: list[str], new_item_ids: list[str], same: bool
    ) -> list[tuple[Record, Record]]:
        """Lines of the order and the variants they become, which (not `same`) must be others."""
        _legal(
            len(item_ids) == len(new_item_ids) and len(set(item_ids)) == len(item_ids),
            "pairs do not match",
        )
        _legal(bool(item_ids) or not self.corrected, "nothing to change")
        owned = {line["item_id"] for line in order["items"]}
        pairs = []
        for old, new in zip(item_ids, new_item_ids, strict=True):
            _legal(old in owned, "not in the order")
            _legal(same or old != new, "the same item")
            line = _first(order, old)
            product: Any = self.session.get("products", line["product_id"])
            variant: Any = product["variants"].get(new) if product else None
            _legal(
                variant is not None and variant["available"],
                "the variant is not to be had",
            )
            pairs.append((line, variant))
        return pairs

    def _in_order(self, old: list[str], new: list[str]) -> list[str]:
        """The new ids as an exchange keeps them: beside their old ones, or in strict mode in an order of their own."""
        if not self.corrected:
            return sorted(new)
        becomes = dict(zip(old, new, strict=True))
        return [becomes[item_id] for item_id in sorted(old)]


def _first(order: Record, item_id: str) -> Record:
    line: Record = next(line for line in order["items"] if line["item_id"] == item_id)
    return line


def _net(lines: list[Record]) -> list[Record]:
    """What each payment method paid less what it got back, in whole cents, as far as that is more than nothing."""
    cents = Counter[str]()
    for line in lines:
        amount = round(line["amount"] * 100)
        paid = line["transaction_type"] == "payment"
        cents[line["payment_method_id"]] += amount if paid else -amount
    return [
        _line("payment", amount / 100, method_id)
        for method_id, amount in cents.items()
        if amount > 0
    ]


def _difference(pairs: list[tuple[Record, Record]]) -> float:
    difference: float = 0
    for line, variant in pairs:  # left to right, as the reference adds
        difference += variant["price"] - line["price"]
    return difference


def _line(kind: str, amount: float, method_id: str) -> Record:
    return {"transaction_type": kind, "amount": amount, "payment_method_id": method_id}


def _legal(condition: bool, text: str) -> None:
    if not condition:
        raise Unidentifiable("illegal", f"The world refuses the write: {text}.")

"""Relations of the retail world: which rows there are, which read shows each, and where in its result it stands.

`RetailRows` shapes rows; the oracle and the reference solver give it two independent ways to get at records.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any

from environments.core.domain import Facts, Role, Row, Shown
from environments.core.errors import Unidentifiable
from environments.core.pointers import pointer
from environments.core.state import Record, Session
from environments.core.tools import ToolCall

RELATIONS = {
    "account": Role.IDENTITY,
    "profile": Role.IDENTITY,
    "methods": Role.IDENTITY,
    "orders": Role.DISCOVERY,
    "places": Role.DISCOVERY,
    "order": Role.RULES,
    "items": Role.RULES,
    "variants": Role.CANDIDATES,
    "sized_variants": Role.CANDIDATES,
    "differences": Role.CANDIDATES,
}

SIZES = (
    "capacity",
    "storage",
    "screen size",
    "RAM",
    "ram",
    "memory",
    "pieces",
    "piece count",
    "diameter",
    "bowl size",
    "tank",
    "volume",
    "blade length",
)
"""Options by which one version of a product can be larger than another."""

_UNITS: dict[str, tuple[str, float]] = {
    "": ("", 1),
    "-piece": ("", 1),
    "gb": ("byte", 1),
    "gb ssd": ("byte", 1),
    "tb": ("byte", 1024),
    "tb ssd": ("byte", 1024),
    "mah": ("charge", 1),
    "ml": ("volume", 0.001),
    "l": ("volume", 1),
    "liter": ("volume", 1),
    "liters": ("volume", 1),
    "qt": ("quart", 1),
    "cup": ("cup", 1),
    "cups": ("cup", 1),
    "inch": ("length", 1),
    "-inch": ("length", 1),
    "inches": ("length", 1),
    "person": ("person", 1),
}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s?(-?[A-Za-z ]*)")


@cache
def size(text: str) -> tuple[str, float] | None:
    """What an option's value measures and how much of it: "1TB" is ("byte", 1024.0). None for what is no size."""
    match = _SIZE.fullmatch(text)
    unit = _UNITS.get(match[2].lower()) if match else None
    return (unit[0], float(match[1]) * unit[1]) if match and unit else None


def find_by_email(email: str) -> ToolCall:
    return ToolCall(name="find_user_id_by_email", arguments={"email": email})


def find_by_name_zip(first_name: str, last_name: str, zip: str) -> ToolCall:
    arguments = {"first_name": first_name, "last_name": last_name, "zip": zip}
    return ToolCall(name="find_user_id_by_name_zip", arguments=arguments)


def user_details(user_id: str) -> ToolCall:
    return ToolCall(name="get_user_details", arguments={"user_id": user_id})


def order_details(order_id: str) -> ToolCall:
    return ToolCall(name="get_order_details", arguments={"order_id": order_id})


def product_details(product_id: str) -> ToolCall:
    return ToolCall(name="get_product_details", arguments={"product_id": product_id})


class RetailRows(ABC):
    """A `Source` of rows; how a read's result is had is left to the subclass (None: not found, or not to be read)."""

    @abstractmethod
    def user_id(self, call: ToolCall) -> str | None: ...

    @abstractmethod
    def record(self, call: ToolCall) -> Record | None: ...

    def may_read(self, call: ToolCall) -> bool:
        return True

    def expand(self, relation: str, parent: Row | None, by: Facts) -> list[Shown]:
        if relation == "account":
            return self._account(by)
        if relation == "order":
            return self._one(order_details(by["order_id"]))
        if parent is None:
            raise TypeError(f"{relation} needs a parent row")
        match relation:
            case "profile":
                return self._one(user_details(parent.values["user_id"]))
            case "orders":
                return [
                    shown
                    for order_id in parent.values["orders"]
                    for shown in self._one(order_details(order_id))
                ]
            case "places":
                return list(self._places(parent))
            case "methods":
                return [Shown(parent.read, list(_methods(parent)))]
            case "items":
                return [Shown(parent.read, list(_items(parent)))]
            case "variants":
                return self._variants(parent)
            case "sized_variants":
                return [
                    Shown(shown.read, list(map(_sized, shown.rows)), shown.unread)
                    for shown in self._variants(parent)
                ]
            case "differences":
                return [Shown(parent.read, list(_differences(parent, by["options"])))]
        raise KeyError(relation)

    def _account(self, by: Facts) -> list[Shown]:
        call = find_by_email(by["email"]) if "email" in by else find_by_name_zip(**by)
        user_id = self.user_id(call)
        rows = (
            []
            if user_id is None
            else [Row({"user_id": user_id}, call, "", user_id, bare=True)]
        )
        return [Shown(call, rows, unread=not self.may_read(call))]

    def _one(self, call: ToolCall) -> list[Shown]:
        record = self.record(call)
        label = next(iter(call.arguments.values()))
        rows = [] if record is None else [Row(record, call, "", label)]
        return [Shown(call, rows, unread=not self.may_read(call))]

    def _places(self, profile: Row) -> Iterable[Shown]:
        """Every address that orders went to, with the first order that went there."""
        known: list[Record] = []
        for shown in self.expand("orders", profile, {}):
            rows = [row for row in shown.rows if row.values["address"] not in known]
            known += [row.values["address"] for row in rows]
            yield replace(shown, rows=[_place(row) for row in rows])

    def _variants(self, item: Row) -> list[Shown]:
        call = product_details(item.values["product_id"])
        product = self.record(call)
        if product is None:
            return [Shown(call, [], unread=not self.may_read(call))]
        rows = [
            Row(
                variant,
                call,
                pointer("variants", item_id),
                f"{item_id} · {options_text(variant['options'])}",
            )
            for item_id, variant in product["variants"].items()
        ]
        return [Shown(call, rows)]


def options_text(options: Record) -> str:
    return ", ".join(str(value) for value in options.values())


def _methods(profile: Row) -> Iterable[Row]:
    for method_id, method in profile.values["payment_methods"].items():
        yield Row(
            method, profile.read, pointer("payment_methods", method_id), method_id
        )


def _place(order: Row) -> Row:
    address = order.values["address"]
    return replace(
        order,
        values={"address": address},
        label=f"{address['address1']}, {address['city']}",
    )


def _items(order: Row) -> Iterable[Row]:
    for number, line in enumerate(order.values["items"]):
        label = f"{line['name']} ({options_text(line['options'])})"
        yield Row(line, order.read, order.pointer + pointer("items", number), label)


def _sized(variant: Row) -> Row:
    """The variant with the numbers of its options: `sizes`, by name of the option."""
    options = variant.values["options"]
    sizes = {name: size(options[name]) for name in SIZES if name in options}
    known = {name: found[1] for name, found in sizes.items() if found}
    places = tuple(pointer("options", name) for name in known)
    return replace(
        variant,
        values={**variant.values, "sizes": known},
        derived={"sizes": places},
    )


def _differences(thing: Row, options: Record) -> Iterable[Row]:
    """The options in which a line or a variant differs from these."""
    for name, value in thing.values["options"].items():
        if options.get(name) != value:
            place = thing.pointer + pointer("options", name)
            row = {"option": name, "value": value}
            yield Row(row, thing.read, place, f"{name}: {value}", derived=_IN_PLACE)


_IN_PLACE = {"option": ("",), "value": ("",)}


# --- what can be read at all ---------------------------------------------------------------------------------------------------

_TEN_DIGITS = re.compile(r"\d{10}")
_USER_ID = re.compile(r"[a-z]+(_[a-z]+)*_\d+")


def derivable_reads(strings: Iterable[str]) -> Iterable[ToolCall]:
    """Every read whose argument is one of the strings; generous, since a read that fails tells nothing."""
    for text in strings:
        if text.startswith("#W"):
            yield order_details(text)
        elif _TEN_DIGITS.fullmatch(text):
            yield product_details(text)
            yield ToolCall(name="get_item_details", arguments={"item_id": text})
        elif "@" in text:
            yield find_by_email(text)
        elif _USER_ID.fullmatch(text):
            yield user_details(text)


def first_reads(facts: Facts) -> Iterable[ToolCall]:
    """What can be called before anything was read."""
    yield ToolCall(name="list_all_product_types", arguments={})
    if {"first_name", "last_name", "zip"} <= facts.keys():
        yield find_by_name_zip(facts["first_name"], facts["last_name"], facts["zip"])
    yield from derivable_reads(_strings(facts.values()))


def _strings(values: Iterable[Any]) -> Iterable[str]:
    for value in values:
        if isinstance(value, dict):
            yield from _strings(value.values())
        elif isinstance(value, list | tuple):
            yield from _strings(value)
        else:
            yield str(value)


def equivalents(call: ToolCall, session: Session) -> list[ToolCall]:
    """The other way to find the same account. No other retail read tells the same as another one."""
    if call.name == "find_user_id_by_email":
        user_id = session.lookup("user_by_email", call.arguments["email"].lower())
    elif call.name == "find_user_id_by_name_zip":
        name = call.arguments["first_name"].lower(), call.arguments["last_name"].lower()
        user_id = session.lookup("user_by_name_zip", (*name, call.arguments["zip"]))
    else:
        return []
    user: Any = session.get("users", user_id)
    if user is None:
        raise Unidentifiable("no_match", "No account is found with these facts.")
    name = user["name"]
    full_name = name["first_name"], name["last_name"]
    here = (*(part.lower() for part in full_name), user["address"]["zip"])
    if session.lookup("user_by_email", user["email"].lower()) != session.lookup(
        "user_by_name_zip", here
    ):
        return []  # somebody else has the same email, or the same name and zip
    both = [
        find_by_email(user["email"]),
        find_by_name_zip(name["first_name"], name["last_name"], user["address"]["zip"]),
    ]
    return [other for other in both if other.key != call.key]

"""Relations of the rental world: which rows there are, which read shows each, and where in its result it stands.

The depots stand in the policy, so that their rows take no read. A search shows what only that depot on that day has: rates belong to the day of pickup, so no other read tells the same.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable

from environments.core.domain import Facts, Role, Row, Shown
from environments.core.pointers import pointer
from environments.core.requests import texts_in
from environments.core.state import Record, Session
from environments.core.tools import ToolCall
from environments.rental.state import CATEGORIES, DAYS, DEPOTS

RELATIONS = {
    "account": Role.IDENTITY,
    "profile": Role.IDENTITY,
    "methods": Role.IDENTITY,
    "bookings": Role.DISCOVERY,
    "booking": Role.RULES,
    "depots": Role.RULES,
    "offers": Role.CANDIDATES,
}


def find_by_email(email: str) -> ToolCall:
    return ToolCall(name="find_customer_by_email", arguments={"email": email})


def find_by_name_zip(first_name: str, last_name: str, zip: str) -> ToolCall:
    arguments = {"first_name": first_name, "last_name": last_name, "zip": zip}
    return ToolCall(name="find_customer_by_name_zip", arguments=arguments)


def customer_details(customer_id: str) -> ToolCall:
    return ToolCall(name="get_customer", arguments={"customer_id": customer_id})


def booking_details(booking_id: str) -> ToolCall:
    return ToolCall(name="get_booking", arguments={"booking_id": booking_id})


def unit_search(category: str, depot: str, pickup_date: str) -> ToolCall:
    arguments = {"category": category, "depot": depot, "pickup_date": pickup_date}
    return ToolCall(name="search_units", arguments=arguments)


class RentalRows(ABC):
    """A `Source` of rows; how a read's result is had is left to the subclass (None: not found, or not to be read)."""

    @abstractmethod
    def customer_id(self, call: ToolCall) -> str | None: ...

    @abstractmethod
    def record(self, call: ToolCall) -> Record | None: ...

    def may_read(self, call: ToolCall) -> bool:
        return True

    def expand(self, relation: str, parent: Row | None, by: Facts) -> list[Shown]:
        match relation:
            case "account":
                return [self._account(by)]
            case "booking":
                return [self._one(booking_details(by["booking_id"]))]
            case "depots":
                rows = [Row({"name": depot}, None, label=depot) for depot in DEPOTS]
                return [Shown(None, rows)]
            case "offers":
                return [self._cell(call) for call in _cells(parent, by)]
        if parent is None:
            raise TypeError(f"{relation} needs a parent row")
        match relation:
            case "profile":
                return [self._one(customer_details(parent.values["customer_id"]))]
            case "methods":
                return [Shown(parent.read, list(_methods(parent)))]
            case "bookings":
                keys = parent.values["bookings"]
                return [self._one(booking_details(key)) for key in keys]
        raise KeyError(relation)

    def _account(self, by: Facts) -> Shown:
        call = find_by_email(by["email"]) if "email" in by else find_by_name_zip(**by)
        found = self.customer_id(call)
        row = Row({"customer_id": found}, call, "", str(found), bare=True)
        return Shown(
            call, [] if found is None else [row], unread=not self.may_read(call)
        )

    def _one(self, call: ToolCall) -> Shown:
        found = self.record(call)
        label = next(iter(call.arguments.values()))
        rows = [] if found is None else [Row(found, call, "", label)]
        return Shown(call, rows, unread=not self.may_read(call))

    def _cell(self, call: ToolCall) -> Shown:
        found = self.record(call)
        units = found["units"] if found else {}
        rows = [
            Row(
                unit,
                call,
                pointer("units", unit_id),
                f"{unit_id} · {unit['model']}, {unit['depot']}, {unit['pickup_date']}",
            )
            for unit_id, unit in units.items()
        ]
        return Shown(call, rows, unread=not self.may_read(call))


def _cells(parent: Row | None, by: Facts) -> Iterable[ToolCall]:
    """One search per category, depot and day; without `depots`, at the depot that the parent row is."""
    categories = by["categories"] if "categories" in by else [by["category"]]
    depots = by.get("depots") or [parent.values["name"] if parent else ""]
    for category in categories:
        for depot in depots:
            for day in DAYS:
                if by["first_day"] <= day <= by["last_day"]:
                    yield unit_search(category, depot, day)


def _methods(profile: Row) -> Iterable[Row]:
    for key, method in profile.values["payment_methods"].items():
        yield Row(method, profile.read, pointer("payment_methods", key), key)


# --- what can be read at all ---------------------------------------------------------------------------------------------------

SEARCHES = tuple(
    unit_search(category, depot, day)
    for category in CATEGORIES
    for depot in DEPOTS
    for day in DAYS
)
"""Categories, depots and days stand in the policy, so that anybody can make all of these."""
_UNIT = re.compile(r"U\d{4}")
_BOOKING = re.compile(r"B\d{8}")
_CUSTOMER = re.compile(r"[a-z]+_[a-z]+_\d{4}")


def derivable_reads(strings: Iterable[str]) -> Iterable[ToolCall]:
    """Every read whose argument is one of the strings."""
    for text in strings:
        if _BOOKING.fullmatch(text):
            yield booking_details(text)
        elif _UNIT.fullmatch(text):
            yield ToolCall(name="get_unit", arguments={"unit_id": text})
        elif "@" in text:
            yield find_by_email(text)
        elif _CUSTOMER.fullmatch(text):
            yield customer_details(text)


def first_reads(facts: Facts) -> Iterable[ToolCall]:
    """What can be called before anything was read."""
    yield from SEARCHES
    if {"first_name", "last_name", "zip"} <= facts.keys():
        yield find_by_name_zip(facts["first_name"], facts["last_name"], facts["zip"])
    yield from derivable_reads(texts_in(facts.values()))


def equivalents(call: ToolCall, session: Session) -> list[ToolCall]:
    """The other way to find the same account; ids, emails and (name, zip) are unique in this world."""
    arguments = call.arguments
    if call.name == "find_customer_by_email":
        key = session.lookup("customer_by_email", arguments["email"].lower())
    elif call.name == "find_customer_by_name_zip":
        name = arguments["first_name"].lower(), arguments["last_name"].lower()
        key = session.lookup("customer_by_name_zip", (*name, arguments["zip"]))
    else:
        return []
    customer = session.get("customers", key)
    if customer is None:
        return []
    name = customer["name"]
    both = [
        find_by_email(customer["email"]),
        find_by_name_zip(name["first_name"], name["last_name"], customer["zip"]),
    ]
    return [other for other in both if other.key != call.key]

"""The oracle of the rental world: rows straight from the state, and its own account of what each write does.

Shares nothing with the toolkit (a contract forbids the import), so that the two check each other on every task.
"""

from datetime import date
from typing import Any

from environments.core.domain import Shown
from environments.core.errors import Unidentifiable
from environments.core.memo import Memo
from environments.core.state import Record, Session
from environments.core.tools import ToolCall
from environments.rental.relations import RentalRows
from environments.rental.state import LONGEST_HIRE, insurance_per_day


class _Records(RentalRows):
    """Rows of one session as it stands."""

    def __init__(self, session: Session):
        self.session = session

    def customer_id(self, call: ToolCall) -> str | None:
        arguments = call.arguments
        if "email" in arguments:
            return self.session.lookup("customer_by_email", arguments["email"].lower())
        name = arguments["first_name"].lower(), arguments["last_name"].lower()
        return self.session.lookup("customer_by_name_zip", (*name, arguments["zip"]))

    def record(self, call: ToolCall) -> Record | None:
        arguments = call.arguments
        if call.name == "search_units":
            return {"units": self._on_offer(**arguments)}
        ((name, key),) = arguments.items()
        return self.session.get(
            {"customer_id": "customers", "booking_id": "bookings"}[name], key
        )

    def _on_offer(self, category: str, depot: str, pickup_date: str) -> Record:
        units: list[Any] = [
            self.session.get("units", key)
            for key in self.session.lookup_all("units_at", (category, depot))
        ]
        return {
            unit["unit_id"]: {
                **{name: unit[name] for name in ("unit_id", "model", "depot")},
                "pickup_date": pickup_date,
                "daily_rate": unit["offers"][pickup_date]["daily_rate"],
                "longest_hire": unit["offers"][pickup_date]["longest"],
                "deposit": unit["deposit"],
                "rating": unit["rating"],
            }
            for unit in units
            if pickup_date in unit["offers"]
        }


_ONE = Memo[ToolCall, Shown](lambda session, call: _Records(session)._one(call))
_CELL = Memo[ToolCall, Shown](lambda session, call: _Records(session)._cell(call))


class StateRows(_Records):
    """Rows of a session of its own, which writes change."""

    def __init__(self, session: Session):
        super().__init__(session.fork())

    def _one(self, call: ToolCall) -> Shown:
        return _ONE.of(self.session, call)

    def _cell(self, call: ToolCall) -> Shown:
        return _CELL.of(self.session, call)

    def effect(self) -> str:
        return self.session.effect()

    def has_effect_of(self, other: "StateRows") -> bool:
        return self.session.equals(other.session)

    def apply(self, call: ToolCall) -> None:
        """Take the effect of a legal write. Raises Unidentifiable("illegal") for any other."""
        self.session = self.session.fork()  # rows given out before stay as they were
        match call.name:
            case "book_unit":
                self._book(**call.arguments)
            case "swap_unit":
                self._swap(**call.arguments)
            case "extend_booking":
                self._extend(**call.arguments)
            case "add_insurance":
                booking = self._upcoming(**call.arguments)
                _legal(not booking["insured"], "insured already")
                booking["insured"] = True
                self._charge(
                    booking, round(booking["days"] * self._premium(booking), 2)
                )
            case "cancel_booking":
                booking = self._upcoming(**call.arguments)
                sign = {"payment": 1, "refund": -1}
                paid = sum(
                    sign[line["kind"]] * line["amount"] for line in booking["payments"]
                )
                self._charge(booking, round(-paid, 2))
                booking["status"] = "cancelled"
            case _:
                raise Unidentifiable("illegal", f"{call.name} is not a write.")

    def _book(
        self,
        customer_id: str,
        unit_id: str,
        pickup_date: str,
        days: int,
        payment_method_id: str,
    ) -> None:
        _legal(self.session.get("customers", customer_id) is not None, "no customer")
        unit, rate = self._rate(unit_id, pickup_date, days)
        _, month, day = pickup_date.split("-")
        booking_id = f"B{unit_id.removeprefix('U')}{month}{day}"
        _legal(self.session.get("bookings", booking_id) is None, "booked already")
        customer = self.session.edit("customers", customer_id)
        total = round(rate * days, 2)
        self._move(customer, payment_method_id, total)
        customer["bookings"] = [*customer["bookings"], booking_id]
        paid = {
            "kind": "payment",
            "amount": total,
            "payment_method_id": payment_method_id,
        }
        booking = {
            **{
                "booking_id": booking_id,
                "customer_id": customer_id,
                "unit_id": unit_id,
            },
            **{name: unit[name] for name in ("model", "category", "depot")},
            **{"pickup_date": pickup_date, "days": days, "daily_rate": rate},
            **{"deposit": unit["deposit"], "insured": False, "status": "upcoming"},
            "payments": [paid],
        }
        self.session.put("bookings", booking_id, booking)
        self._occupy(unit_id, pickup_date, days)

    def _swap(self, booking_id: str, new_unit_id: str) -> None:
        booking = self._upcoming(booking_id)
        _legal(not booking["insured"], "insured")
        unit, rate = self._rate(new_unit_id, booking["pickup_date"], booking["days"])
        _legal(unit["category"] == booking["category"], "another category")
        _legal(new_unit_id != booking["unit_id"], "the same unit")
        self._charge(
            booking, round(booking["days"] * (rate - booking["daily_rate"]), 2)
        )
        booking.update(
            unit_id=new_unit_id,
            model=unit["model"],
            depot=unit["depot"],
            deposit=unit["deposit"],
            daily_rate=rate,
        )
        self._occupy(new_unit_id, booking["pickup_date"], booking["days"])

    def _extend(self, booking_id: str, extra_days: int) -> None:
        booking = self._upcoming(booking_id)
        together = booking["days"] + extra_days
        _legal(extra_days >= 1 and together <= LONGEST_HIRE, "too long")
        unit: Any = self.session.get("units", booking["unit_id"])
        _legal(unit is not None, "no unit")
        end = date.fromisoformat(booking["pickup_date"]).toordinal() + booking["days"]
        more = [date.fromordinal(end + n).isoformat() for n in range(extra_days)]
        _legal(set(more) <= set(unit["offers"]), "not free")
        per_day = booking["daily_rate"] + booking["insured"] * self._premium(booking)
        self._charge(booking, round(extra_days * per_day, 2))
        booking["days"] = together
        self._occupy(booking["unit_id"], more[0], extra_days)

    def _premium(self, booking: Record) -> float:
        customer = self.session.get("customers", booking["customer_id"])
        _legal(customer is not None, "no customer")
        assert customer is not None
        return insurance_per_day(customer["membership"], booking["category"])

    def _upcoming(self, booking_id: str) -> Record:
        found = self.session.get("bookings", booking_id)
        _legal(found is not None and found["status"] == "upcoming", "not upcoming")
        return self.session.edit("bookings", booking_id)

    def _rate(self, unit_id: str, day: str, days: int) -> tuple[Record, float]:
        unit: Any = self.session.get("units", unit_id)
        offer: Any = unit["offers"].get(day) if unit else None
        _legal(isinstance(days, int) and 0 < days <= LONGEST_HIRE, "too long")
        _legal(offer is not None and days <= offer["longest"], "not free")
        return unit, offer["daily_rate"]

    def _occupy(self, unit_id: str, day: str, days: int) -> None:
        """Counted in days since the start: what lies in the hire goes, what would run into it ends before."""
        unit = self.session.edit("units", unit_id)
        start = date.fromisoformat(day).toordinal()
        kept = {}
        for other, offer in unit["offers"].items():
            away = start - date.fromisoformat(other).toordinal()
            if away > 0:
                kept[other] = {**offer, "longest": min(offer["longest"], away)}
            elif -away >= days:
                kept[other] = offer
        unit["offers"] = kept

    def _charge(self, booking: Record, amount: float) -> None:
        method = booking["payments"][0]["payment_method_id"]
        customer = self.session.get("customers", booking["customer_id"])
        _legal(customer is not None, "no customer")
        self._move(
            self.session.edit("customers", booking["customer_id"]), method, amount
        )
        if amount != 0:
            line = {"kind": "payment" if amount > 0 else "refund"}
            booking["payments"] = [
                *booking["payments"],
                {**line, "amount": abs(amount), "payment_method_id": method},
            ]

    def _move(self, customer: Record, method_id: str, amount: float) -> None:
        method: Any = customer["payment_methods"].get(method_id)
        _legal(method is not None, "no such payment method")
        if method["source"] == "store_credit":
            _legal(method["balance"] >= amount, "too little credit")
            method["balance"] = round(method["balance"] - amount, 2)


def _legal(condition: bool, text: str) -> None:
    if not condition:
        raise Unidentifiable("illegal", f"The world refuses the write: {text}.")

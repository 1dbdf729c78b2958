"""The rental toolkit. The docstrings are the tool descriptions that the agent is given."""

from typing import Any, Literal

from environments.core.errors import ToolError
from environments.core.state import Record
from environments.core.tools import ToolKind, Toolkit, tool
from environments.rental.state import LONGEST_HIRE, days_from, insurance_per_day


class RentalTools(Toolkit):
    @tool(ToolKind.READ)
    def find_customer_by_email(self, email: str) -> str:
        """
        Find a customer id by email address.

        Args:
            email: The email address of the customer, such as 'something@example.com'.
        """
        found = self.session.lookup("customer_by_email", email.lower())
        if found is None:
            raise ToolError("Customer not found")
        return found

    @tool(ToolKind.READ)
    def find_customer_by_name_zip(
        self, first_name: str, last_name: str, zip: str
    ) -> str:
        """
        Find a customer id by first name, last name and zip code.

        Args:
            first_name: The first name of the customer, such as 'Ada'.
            last_name: The last name of the customer, such as 'Byron'.
            zip: The zip code of the customer, such as '12345'.
        """
        name = first_name.lower(), last_name.lower()
        found = self.session.lookup("customer_by_name_zip", (*name, zip))
        if found is None:
            raise ToolError("Customer not found")
        return found

    @tool(ToolKind.READ)
    def get_customer(self, customer_id: str) -> Record:
        """
        Get a customer's membership, payment methods and booking ids.

        Args:
            customer_id: The customer id, such as 'ada_byron_1234'.
        """
        return self._stored("customers", customer_id, "Customer not found")

    @tool(ToolKind.READ)
    def get_booking(self, booking_id: str) -> Record:
        """
        Get the details of a booking: unit, depot, dates, rate, insurance, status, payments.

        Args:
            booking_id: The booking id, such as 'B12340605'.
        """
        return self._stored("bookings", booking_id, "Booking not found")

    @tool(ToolKind.READ)
    def get_unit(self, unit_id: str) -> Record:
        """
        Get what belongs to a unit: model, category, depot, rating, deposit, accessories. Rates depend on the day; search for them.

        Args:
            unit_id: The unit id, such as 'U1234'.
        """
        unit = self._stored("units", unit_id, "Unit not found")
        return {name: value for name, value in unit.items() if name != "offers"}

    @tool(ToolKind.READ)
    def search_units(
        self,
        category: Literal["bike", "camera", "drill", "kayak", "projector", "tent"],
        depot: Literal["Harbor", "Northgate", "Old Mill", "Riverside", "Station"],
        pickup_date: str,
    ) -> Record:
        """
        Search the units of one category that can be picked up at one depot on one day, with the rate for a hire that begins that day.

        Args:
            category: The category of equipment.
            depot: The depot where the unit is picked up.
            pickup_date: The day of pickup, such as '2027-06-05'.
        """
        found = {}
        for unit_id in self.session.lookup_all("units_at", (category, depot)):
            unit = self.session.get("units", unit_id)
            assert unit is not None
            offer = unit["offers"].get(pickup_date)
            if offer is not None:
                found[unit_id] = {
                    "unit_id": unit_id,
                    "model": unit["model"],
                    "depot": depot,
                    "pickup_date": pickup_date,
                    "daily_rate": offer["daily_rate"],
                    "longest_hire": offer["longest"],
                    "deposit": unit["deposit"],
                    "rating": unit["rating"],
                }
        return {"units": found}

    @tool(ToolKind.WRITE)
    def book_unit(
        self,
        customer_id: str,
        unit_id: str,
        pickup_date: str,
        days: int,
        payment_method_id: str,
    ) -> Record:
        """
        Book a unit. The agent needs to list the details and get the customer's explicit yes. The rate of the pickup day holds for all days.

        Args:
            customer_id: The customer id, such as 'ada_byron_1234'.
            unit_id: The unit id, such as 'U1234'.
            pickup_date: The day of pickup, such as '2027-06-05'.
            days: For how many days, from 1 to 7.
            payment_method_id: The payment method in the customer's profile, such as 'card_1234567'.
        """
        self._stored("customers", customer_id, "Customer not found")
        offer = self._offer(unit_id, pickup_date, days)
        unit = self._stored("units", unit_id, "Unit not found")
        total = round(days * offer["daily_rate"], 2)
        booking_id = f"B{unit_id[1:]}{pickup_date[5:7]}{pickup_date[8:10]}"
        if self.session.get("bookings", booking_id) is not None:
            raise ToolError("This unit was already booked for that day")
        self._pay(customer_id, payment_method_id, total)
        booking = {
            "booking_id": booking_id,
            "customer_id": customer_id,
            "unit_id": unit_id,
            "model": unit["model"],
            "category": unit["category"],
            "depot": unit["depot"],
            "pickup_date": pickup_date,
            "days": days,
            "daily_rate": offer["daily_rate"],
            "deposit": unit["deposit"],
            "insured": False,
            "status": "upcoming",
            "payments": [_payment("payment", total, payment_method_id)],
        }
        self._take_out(unit_id, pickup_date, days)
        self.session.put("bookings", booking_id, booking)
        self.session.edit("customers", customer_id)["bookings"].append(booking_id)
        return booking

    @tool(ToolKind.WRITE)
    def swap_unit(self, booking_id: str, new_unit_id: str) -> Record:
        """
        Swap the unit of an upcoming, uninsured booking for another one of the same category, at any depot, for the same days.
        The difference is paid with, or goes back to, the booking's payment method.

        Args:
            booking_id: The booking id, such as 'B12340605'.
            new_unit_id: The id of the new unit, such as 'U1234'.
        """
        booking = self._upcoming(booking_id)
        if booking["insured"]:
            raise ToolError("An insured booking cannot be swapped")
        unit = self._stored("units", new_unit_id, "Unit not found")
        if unit["category"] != booking["category"]:
            raise ToolError("The new unit is of another category")
        if new_unit_id == booking["unit_id"]:
            raise ToolError("The new unit is the booked one")
        day, days = booking["pickup_date"], booking["days"]
        offer = self._offer(new_unit_id, day, days)
        difference = round(days * (offer["daily_rate"] - booking["daily_rate"]), 2)
        self._settle(booking_id, difference)
        booking = self.session.edit("bookings", booking_id)
        booking["unit_id"] = new_unit_id
        for name in ("model", "depot", "deposit"):
            booking[name] = unit[name]
        booking["daily_rate"] = offer["daily_rate"]
        self._take_out(new_unit_id, day, days)
        return booking

    @tool(ToolKind.WRITE)
    def extend_booking(self, booking_id: str, extra_days: int) -> Record:
        """
        Make an upcoming booking longer, at its daily rate, if its unit is free on the days that follow.

        Args:
            booking_id: The booking id, such as 'B12340605'.
            extra_days: How many days are added.
        """
        booking = self._upcoming(booking_id)
        if extra_days < 1 or booking["days"] + extra_days > LONGEST_HIRE:
            raise ToolError("A hire lasts from 1 to 7 days")
        unit = self._stored("units", booking["unit_id"], "Unit not found")
        last = days_from(booking["pickup_date"], booking["days"] + 1)[-1]
        if any(day not in unit["offers"] for day in days_from(last, extra_days)):
            raise ToolError("The unit is not free on the days that follow")
        rate = booking["daily_rate"]
        if booking["insured"]:
            rate += self._insurance(booking)
        self._settle(booking_id, round(extra_days * rate, 2))
        booking = self.session.edit("bookings", booking_id)
        booking["days"] += extra_days
        self._take_out(booking["unit_id"], last, extra_days)
        return booking

    @tool(ToolKind.WRITE)
    def add_insurance(self, booking_id: str) -> Record:
        """
        Insure an upcoming booking, at the daily price for its category and the customer's membership. An insured booking's unit can no longer be swapped.

        Args:
            booking_id: The booking id, such as 'B12340605'.
        """
        booking = self._upcoming(booking_id)
        if booking["insured"]:
            raise ToolError("The booking is insured already")
        self._settle(booking_id, round(booking["days"] * self._insurance(booking), 2))
        booking = self.session.edit("bookings", booking_id)
        booking["insured"] = True
        return booking

    @tool(ToolKind.WRITE)
    def cancel_booking(self, booking_id: str) -> Record:
        """
        Cancel an upcoming booking and pay everything back to its payment method.

        Args:
            booking_id: The booking id, such as 'B12340605'.
        """
        booking = self._upcoming(booking_id)
        paid = sum(
            line["amount"] if line["kind"] == "payment" else -line["amount"]
            for line in booking["payments"]
        )
        self._settle(booking_id, -round(paid, 2))
        booking = self.session.edit("bookings", booking_id)
        booking["status"] = "cancelled"
        return booking

    @tool(ToolKind.GENERIC)
    def transfer_to_human(self, summary: str) -> str:
        """
        Transfer the customer to a human agent, with a summary of the request.

        Args:
            summary: What the customer wants and what was done so far.
        """
        return "Transfer successful"

    def _stored(self, collection: str, key: str, missing: str) -> Record:
        found = self.session.get(collection, key)
        if found is None:
            raise ToolError(missing)
        return found

    def _upcoming(self, booking_id: str) -> Record:
        booking = self._stored("bookings", booking_id, "Booking not found")
        if booking["status"] != "upcoming":
            raise ToolError("The booking is not upcoming")
        return booking

    def _insurance(self, booking: Record) -> float:
        customer = self._stored(
            "customers", booking["customer_id"], "Customer not found"
        )
        return insurance_per_day(customer["membership"], booking["category"])

    def _offer(self, unit_id: str, day: str, days: int) -> Record:
        unit = self._stored("units", unit_id, "Unit not found")
        offer: Record | None = unit["offers"].get(day)
        if type(days) is not int or not 1 <= days <= LONGEST_HIRE:
            raise ToolError("A hire lasts from 1 to 7 days")
        if offer is None or offer["longest"] < days:
            raise ToolError("The unit is not free for these days")
        return offer

    def _take_out(self, unit_id: str, day: str, days: int) -> None:
        """No offer while the unit is out, and shorter ones before."""
        offers = self.session.edit("units", unit_id)["offers"]
        for taken in days_from(day, days):
            offers.pop(taken, None)
        for start, offer in offers.items():
            if start < day:
                until = [*days_from(start, LONGEST_HIRE + 1)]
                if day in until:
                    offer["longest"] = min(offer["longest"], until.index(day))

    def _settle(self, booking_id: str, amount: float) -> None:
        """Charge (or, below zero, pay back) with the method that paid first."""
        booking = self.session.get("bookings", booking_id)
        assert booking is not None
        method = booking["payments"][0]["payment_method_id"]
        self._pay(booking["customer_id"], method, amount)
        if amount:
            kind = "payment" if amount > 0 else "refund"
            line = _payment(kind, abs(amount), method)
            self.session.edit("bookings", booking_id)["payments"].append(line)

    def _pay(self, customer_id: str, method_id: str, amount: float) -> None:
        customer = self._stored("customers", customer_id, "Customer not found")
        if method_id not in customer["payment_methods"]:
            raise ToolError("Payment method not found")
        if customer["payment_methods"][method_id]["source"] != "store_credit":
            return
        if customer["payment_methods"][method_id]["balance"] < amount:
            raise ToolError("Not enough store credit")
        customer = self.session.edit("customers", customer_id)
        credit: Any = customer["payment_methods"][method_id]
        credit["balance"] = round(credit["balance"] - amount, 2)


def _payment(kind: str, amount: float, method_id: str) -> Record:
    return {"kind": kind, "amount": amount, "payment_method_id": method_id}

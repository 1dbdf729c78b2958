"""What the airline's tools work with: look-ups, reading of arguments, seats, money, new ids.

Each method behaves as the mode asks; the table of departures stands in `tools`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date as Date
from datetime import timedelta
from itertools import count
from string import ascii_uppercase
from typing import Any

from pydantic import BaseModel

from environments.airline.state import Certificate, FlightInfo, Payment
from environments.core.errors import ToolError
from environments.core.state import Record, plain_copy
from environments.core.tools import Toolkit

FIRST_LETTERS, STRICT_RESERVATIONS = 4751, 3
"""The first new reservation is HATHAT; HAT as a number is 4751."""
FIRST_CERTIFICATE, STRICT_CERTIFICATES = 3221322, 3


class Desk(Toolkit):
    def _user(self, user_id: Any) -> Record:
        user = self.session.get("users", user_id)
        if user is None:
            raise ToolError(f"User {user_id} not found")
        return user

    def _reservation(self, reservation_id: Any) -> Record:
        reservation = self.session.get("reservations", reservation_id)
        if reservation is None:
            raise ToolError(f"Reservation {reservation_id} not found")
        return reservation

    def _changeable(self, reservation_id: Any) -> Record:
        reservation = self._reservation(reservation_id)
        if self.corrected and reservation["status"] == "cancelled":
            raise ToolError(f"Reservation {reservation_id} is already cancelled")
        return reservation

    def _flight(self, flight_number: Any) -> Record:
        flight = self.session.get("flights", flight_number)
        if flight is None:
            raise ToolError(f"Flight {flight_number} not found")
        return flight

    def _flight_on(self, flight: Record, date: Any) -> Record:
        dates: dict[str, Record] = flight["dates"]
        if date not in dates:
            raise ToolError(
                f"Flight {flight['flight_number']} not found on date {date}"
            )
        return dates[date]

    def _read_all(self, model: type[BaseModel], values: Any) -> Any:
        """A model per element; in strict mode `values` as they are if one of them is no object."""
        if self.corrected or all(isinstance(value, dict) for value in values):
            return [model.model_validate(value) for value in values]
        return values

    def _read_flights(self, flights: Any) -> Any:
        wanted = self._read_all(FlightInfo, flights)
        if self.corrected:
            check_some(wanted, "flight")
            for n, chosen in enumerate(wanted):
                if chosen in wanted[:n]:
                    raise ToolError(f"Flight {chosen.flight_number} is listed twice")
        return wanted

    def _segment(self, wanted: Any, cabin: Any, passengers: int) -> Record:
        """A reservation's flight at today's price. Raises ToolError if it cannot take all passengers in that cabin."""
        flight = self._flight(wanted.flight_number)
        number, day = flight["flight_number"], self._flight_on(flight, wanted.date)
        if day["status"] != "available":
            raise ToolError(f"Flight {number} not available on date {wanted.date}")
        if day["available_seats"][cabin] < passengers:
            raise ToolError(f"Not enough seats on flight {number}")
        return {
            "flight_number": number,
            "origin": flight["origin"],
            "destination": flight["destination"],
            "date": wanted.date,
            "price": day["prices"][cabin],
        }

    def _move_seats(self, reservation: Record, sign: int) -> None:
        """Give back (+1) or take (−1) the seats of a reservation, on flights that still count seats."""
        for segment in reservation["flights"]:
            number, date = segment["flight_number"], segment["date"]
            flight = self.session.get("flights", number)
            day = flight["dates"].get(date, {}) if flight else {}
            if flight and day.get("status") == "available":
                day = plain_copy(day)  # a flight has many days; this one changes
                seats = sign * len(reservation["passengers"])
                day["available_seats"][reservation["cabin"]] += seats
                dates = {**flight["dates"], date: day}
                self.session.replace("flights", number, {**flight, "dates": dates})

    def _check_payments(
        self, user_id: str, payments: Sequence[Payment], total: float
    ) -> None:
        """Raises ToolError unless the user has every method, each covers its part, and the parts make `total` dollars."""
        methods = self._user(user_id)["payment_methods"]
        together: Counter[str] = Counter()
        for payment in payments:
            payment_id = payment.payment_id
            if payment_id not in methods:
                raise ToolError(f"Payment method {payment_id} not found")
            method, needed = methods[payment_id], payment.amount
            if self.corrected:
                check_whole("amount", needed, least=1)
                if payment_id in together and method["source"] == "certificate":
                    raise ToolError(f"Certificate {payment_id} can be used once")
                together[payment_id] += needed
                needed = together[payment_id]
            if method["source"] != "credit_card" and method["amount"] < needed:
                raise ToolError(f"Not enough balance in payment method {payment_id}")
        paid = sum(payment.amount for payment in payments)
        if paid != total:
            raise ToolError(
                f"Payment amount does not add up, total price is {total}, but paid {paid}"
            )

    def _pay(self, user_id: str, payments: Iterable[Payment]) -> None:
        methods = self.session.edit("users", user_id)["payment_methods"]
        for payment in payments:
            method = methods[payment.payment_id]
            if method["source"] == "gift_card":
                self._add(method, -payment.amount)
            elif method["source"] == "certificate":
                del methods[payment.payment_id]  # whatever is left on it

    def _charge(self, reservation: Record, payment_id: Any, price: Any) -> None:
        """Pay `price` dollars (negative: receive them) for a change of the reservation."""
        user_id = reservation["user_id"]
        methods = self._user(user_id)["payment_methods"]
        if payment_id not in methods:
            raise ToolError("Payment method not found")
        method = methods[payment_id]
        if method["source"] == "certificate":
            raise ToolError("Certificate cannot be used to update reservation")
        if method["source"] == "gift_card" and method["amount"] < price:
            raise ToolError("Gift card balance is not enough")
        if price == 0:
            return
        if method["source"] == "gift_card":
            methods = self.session.edit("users", user_id)["payment_methods"]
            self._add(methods[payment_id], -price)
        # A broken price fails only here, when the card is charged already: SPEC §14.1 no. 2
        line = Payment(payment_id=payment_id, amount=price).model_dump()
        self.session.edit("reservations", reservation["reservation_id"])[
            "payment_history"
        ].append(line)

    def _give_back(self, user_id: str, refunds: Iterable[Record]) -> None:
        """Credit what gift cards and certificates paid. A used certificate left the profile and comes back to it."""
        methods = self.session.edit("users", user_id)["payment_methods"]
        for line in refunds:
            payment_id = line["payment_id"]
            if payment_id not in methods:
                methods[payment_id] = Certificate(
                    source="certificate", id=payment_id, amount=0
                ).model_dump()
            if methods[payment_id]["source"] != "credit_card":
                self._add(methods[payment_id], -line["amount"])

    def _add(self, method: Record, amount: float) -> None:
        method["amount"] += amount
        if self.corrected:
            method["amount"] = round(method["amount"], 2)

    def _names_places(self, origin: Any, destination: Any) -> bool:
        """Whether these can be asked for; in strict mode null asks for any (SPEC §14.1 no. 8)."""
        return all(
            isinstance(place, str) or (place is None and not self.corrected)
            for place in (origin, destination)
        )

    def _departures(
        self, origin: str | None, destination: str | None, date: Any
    ) -> Iterator[Record]:
        """Flights that can be booked on the date, in file order; None is any airport."""
        if not isinstance(date, str):
            return
        for number in self.session.lookup_all(
            "flights_by_route", (origin, destination)
        ):
            flight = self.session.get("flights", number)
            day = flight["dates"].get(date) if flight else None
            if flight and day and day["status"] == "available":
                yield flight

    def _arrival_date(self, date: str, arrival: str) -> str:
        if "+1" not in arrival:
            return date
        if self.corrected:
            return (Date.fromisoformat(date) + timedelta(days=1)).isoformat()
        return f"2024-05-{int(date[-2:]) + 1}"  # "2024-05-6": SPEC §14.1 no. 8

    def _free_reservation_id(self) -> str:
        for reservation_id in self._reservation_ids():
            if self.session.get("reservations", reservation_id) is None:
                return reservation_id
        raise ToolError("Too many reservations")

    def _reservation_ids(self) -> Iterable[str]:
        """HATHAT, HATHAU, HATHAV; in corrected mode on to HATZZZ."""
        letters = range(FIRST_LETTERS, len(ascii_uppercase) ** 3)
        numbers = letters if self.corrected else letters[:STRICT_RESERVATIONS]
        return ("HAT" + _three_letters(n) for n in numbers)

    def _free_certificate_id(self, user: Record) -> str:
        numbers = count() if self.corrected else range(STRICT_CERTIFICATES)
        for n in numbers:
            payment_id = f"certificate_{FIRST_CERTIFICATE + n}"
            if payment_id not in user["payment_methods"]:
                return payment_id
        raise ToolError("Too many certificates")


def check_some(values: Sequence[Any], what: str) -> None:
    if not values:
        raise ToolError(f"A reservation needs at least one {what}")


def check_bags(total: Any, nonfree: Any) -> None:
    check_whole("total_baggages", total, least=0)
    check_whole("nonfree_baggages", nonfree, least=0)
    if nonfree > total:
        raise ToolError("nonfree_baggages must not be more than total_baggages")


def check_whole(name: str, value: Any, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ToolError(f"{name} must be a whole number, {least} or more")


def _three_letters(number: int) -> str:
    """AAA is 0, AAB is 1."""
    base = len(ascii_uppercase)
    return "".join(ascii_uppercase[number // base**place % base] for place in (2, 1, 0))

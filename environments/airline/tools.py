"""The airline toolkit (tau2 SPEC §3.2, §5, §14.1). The docstrings of the tools are the descriptions that the agent is given.

In strict mode it is exact to the reference in results, errors and effects, known bugs included: nothing validates arguments before
a method is entered, so that wrong ones fail with the same Python texts, and what a failing call changed stays.

Corrected mode shares everything but these departures:

| where            | strict                                         | corrected                                                |
|------------------|------------------------------------------------|----------------------------------------------------------|
| any write        | what an error leaves half done stays           | is taken back                                            |
| any list         | stored raw if an element is no object          | refused; so is an empty list of flights or passengers    |
| numbers          | bags, amounts: whatever compares with numbers  | whole numbers only; bags ≥ 0, non-free ≤ all, money ≥ 1  |
| gift cards       | amounts drift as floats do                     | are kept to the cent                                     |
| booking          | a certificate twice fails after the first use  | refused before anything changes                          |
| booking          | a gift card listed twice may go below zero     | its entries are checked together                         |
| booking, change  | a flight listed twice takes its seats twice    | refused                                                  |
| change of flight | seats stay where they were                     | are given back and taken                                 |
| change of flight | with no flights, any cabin is stored           | the cabin must be one                                    |
| cancelling       | seats and money stay where they are            | seats are free again; gift cards and certificates get    |
|                  |                                                | back what they paid (cards are refunded outside)         |
| after cancelling | can be cancelled again and changed             | refused                                                  |
| one-stop search  | next day's date unpadded and only within May   | the calendar's                                           |
| one-stop search  | `01:30:00` is before an arrival `01:30:00+1`   | times are compared without the day's mark                |
| searches         | null stands for any airport                    | null names no airport: nothing is found                  |
| new ids          | three bookings per database, three             | as many as wanted; the first three are the same          |
|                  | certificates per user                          |                                                          |
| list of airports | the reference's twenty                         | our own, grouped by city                                 |

Alike in both modes: searches list flights without seats (the result shows the seats of each cabin, and no tool is told how many
travel); the remainder of a certificate is lost; rules of the policy are left to the agent (SPEC §14.1 no. 11), and so is a
reservation's route.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date as Date
from datetime import timedelta
from itertools import count
from string import ascii_uppercase
from typing import Any, get_args

from pydantic import BaseModel

from environments.airline.airports import OWN_AIRPORTS, STRICT_AIRPORTS
from environments.airline.state import (
    CabinClass,
    Certificate,
    FlightInfo,
    FlightType,
    Insurance,
    Passenger,
    Payment,
    Reservation,
)
from environments.core.calculate import calculate
from environments.core.errors import ToolError
from environments.core.state import Record, plain_copy
from environments.core.tools import ToolKind, Toolkit, tool

NOW = "2024-05-15T15:00:00"
"""The world's clock stands still."""
BAG_PRICE = 50
INSURANCE_PRICE = 30
"""Per passenger."""
FIRST_LETTERS, STRICT_RESERVATIONS = 4751, 3
"""The first new reservation is HATHAT; HAT as a number is 4751."""
FIRST_CERTIFICATE, STRICT_CERTIFICATES = 3221322, 3


class AirlineTools(Toolkit):
    @tool(ToolKind.WRITE)
    def book_reservation(
        self,
        user_id: str,
        origin: str,
        destination: str,
        flight_type: FlightType,
        cabin: CabinClass,
        flights: list[FlightInfo | dict[str, Any]],
        passengers: list[Passenger | dict[str, Any]],
        payment_methods: list[Payment | dict[str, Any]],
        total_baggages: int,
        nonfree_baggages: int,
        insurance: Insurance,
    ) -> Record:
        """
        Book a reservation.

        Args:
            user_id: The ID of the user to book the reservation such as 'sara_doe_496'`.
            origin: The IATA code for the origin city such as 'SFO'.
            destination: The IATA code for the destination city such as 'JFK'.
            flight_type: The type of flight such as 'one_way' or 'round_trip'.
            cabin: The cabin class such as 'basic_economy', 'economy', or 'business'.
            flights: An array of objects containing details about each piece of flight.
            passengers: An array of objects containing details about each passenger.
            payment_methods: An array of objects containing details about each payment method.
            total_baggages: The total number of baggage items to book the reservation.
            nonfree_baggages: The number of non-free baggage items to book the reservation.
            insurance: Whether the reservation has insurance.
        """
        wanted = self._read_flights(flights)
        travelers = self._read_all(Passenger, passengers)
        payments = self._read_all(Payment, payment_methods)
        if self.corrected:
            _check_some(travelers, "passenger")
            _check_bags(total_baggages, nonfree_baggages)
        self._user(user_id)
        reservation = Reservation(
            reservation_id=self._free_reservation_id(),
            user_id=user_id,
            origin=origin,
            destination=destination,
            flight_type=flight_type,
            cabin=cabin,
            flights=[],
            passengers=travelers,
            payment_history=payments,
            created_at=NOW,
            total_baggages=total_baggages,
            nonfree_baggages=nonfree_baggages,
            insurance=insurance,
        ).model_dump()
        total = 0
        for chosen in wanted:
            segment = self._segment(chosen, cabin, len(travelers))
            reservation["flights"].append(segment)
            total += segment["price"] * len(travelers)
        if insurance == "yes":
            total += INSURANCE_PRICE * len(travelers)
        total += BAG_PRICE * nonfree_baggages
        self._check_payments(user_id, payments, total)
        self._pay(user_id, payments)
        self._move_seats(reservation, -1)
        self.session.edit("users", user_id)["reservations"].append(
            reservation["reservation_id"]
        )
        return self.session.put(
            "reservations", reservation["reservation_id"], reservation
        )

    @tool(ToolKind.GENERIC)
    def calculate(self, expression: str) -> str:
        """
        Calculate the result of a mathematical expression.

        Args:
            expression: The mathematical expression to calculate, such as '2 + 2'. The expression can contain numbers, operators (+, -, *, /), parentheses, and spaces.
        """
        return calculate(expression)

    @tool(ToolKind.WRITE)
    def cancel_reservation(self, reservation_id: str) -> Record:
        """
        Cancel the whole reservation.

        Args:
            reservation_id: The reservation ID, such as 'ZFA04Y'.
        """
        self._changeable(reservation_id)
        reservation = self.session.edit("reservations", reservation_id)
        refunds = [
            {"payment_id": line["payment_id"], "amount": -line["amount"]}
            for line in reservation["payment_history"]
        ]
        if self.corrected:
            self._move_seats(reservation, +1)
            self._give_back(reservation["user_id"], refunds)
        reservation["payment_history"].extend(refunds)
        reservation["status"] = "cancelled"
        return reservation

    @tool(ToolKind.READ)
    def get_reservation_details(self, reservation_id: str) -> Record:
        """
        Get the details of a reservation.

        Args:
            reservation_id: The reservation ID, such as '8JX2WO'.
        """
        return self._reservation(reservation_id)

    @tool(ToolKind.READ)
    def get_user_details(self, user_id: str) -> Record:
        """
        Get the details of a user, including their reservations.

        Args:
            user_id: The user ID, such as 'sara_doe_496'.
        """
        return self._user(user_id)

    @tool(ToolKind.READ)
    def list_all_airports(self) -> list[Record]:
        """Returns a list of all available airports."""
        return OWN_AIRPORTS if self.corrected else STRICT_AIRPORTS

    @tool(ToolKind.READ)
    def search_direct_flight(
        self, origin: str, destination: str, date: str
    ) -> list[Record]:
        """
        Search for direct flights between two cities on a specific date.

        Args:
            origin: The origin city airport in three letters, such as 'JFK'.
            destination: The destination city airport in three letters, such as 'LAX'.
            date: The date of the flight in the format 'YYYY-MM-DD', such as '2024-01-01'.
        """
        if not self._names_places(origin, destination):
            return []
        return [
            _shown(flight, date, None)
            for flight in self._departures(origin, destination, date)
        ]

    @tool(ToolKind.READ)
    def search_onestop_flight(
        self, origin: str, destination: str, date: str
    ) -> list[list[Record]]:
        """
        Search for one-stop flights between two cities on a specific date.

        Args:
            origin: The origin city airport in three letters, such as 'JFK'.
            destination: The destination city airport in three letters, such as 'LAX'.
            date: The date of the flight in the format 'YYYY-MM-DD', such as '2024-05-01'.
        """
        if not self._names_places(origin, destination):
            return []
        found = []
        for first in self._departures(origin, None, date):
            stop, ready_at = first["destination"], first["scheduled_arrival_time_est"]
            onward = self._arrival_date(date, ready_at)
            if self.corrected:
                ready_at = ready_at.removesuffix("+1")
            found += [
                [_shown(first, date, date), _shown(second, onward, onward)]
                for second in self._departures(stop, destination, onward)
                if second["scheduled_departure_time_est"] >= ready_at
            ]
        return found

    @tool(ToolKind.WRITE)
    def send_certificate(self, user_id: str, amount: int) -> str:
        """
        Send a certificate to a user. Be careful!

        Args:
            user_id: The ID of the user to book the reservation, such as 'sara_doe_496'.
            amount: The amount of the certificate to send.
        """
        if self.corrected:
            _check_whole("amount", amount, least=1)
        payment_id = self._free_certificate_id(self._user(user_id))
        certificate = Certificate(source="certificate", id=payment_id, amount=amount)
        methods = self.session.edit("users", user_id)["payment_methods"]
        methods[payment_id] = certificate.model_dump()
        return f"Certificate {payment_id} added to user {user_id} with amount {amount}."

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

    @tool(ToolKind.WRITE)
    def update_reservation_baggages(
        self,
        reservation_id: str,
        total_baggages: int,
        nonfree_baggages: int,
        payment_id: str,
    ) -> Record:
        """
        Update the baggage information of a reservation.

        Args:
            reservation_id: The reservation ID, such as 'ZFA04Y'
            total_baggages: The updated total number of baggage items included in the reservation.
            nonfree_baggages: The updated number of non-free baggage items included in the reservation.
            payment_id: The payment id stored in user profile, such as 'credit_card_7815826', 'gift_card_7815826', 'certificate_7815826'.
        """
        reservation = self._changeable(reservation_id)
        if self.corrected:
            _check_bags(total_baggages, nonfree_baggages)
        more = max(0, nonfree_baggages - reservation["nonfree_baggages"])
        self._charge(reservation, payment_id, BAG_PRICE * more)
        reservation = self.session.edit("reservations", reservation_id)
        reservation["total_baggages"] = total_baggages
        reservation["nonfree_baggages"] = nonfree_baggages
        return reservation

    @tool(ToolKind.WRITE)
    def update_reservation_flights(
        self,
        reservation_id: str,
        cabin: CabinClass,
        flights: list[FlightInfo | dict[str, Any]],
        payment_id: str,
    ) -> Record:
        """
        Update the flight information of a reservation.

        Args:
            reservation_id: The reservation ID, such as 'ZFA04Y'.
            cabin: The cabin class of the reservation
            flights: An array of objects containing details about each piece of flight in the ENTIRE new reservation. Even if the a flight segment is not changed, it should still be included in the array.
            payment_id: The payment id stored in user profile, such as 'credit_card_7815826', 'gift_card_7815826', 'certificate_7815826'.
        """
        wanted = self._read_flights(flights)
        reservation = self._changeable(reservation_id)
        if self.corrected and cabin not in get_args(CabinClass):
            raise ToolError(f"Cabin {cabin} not found")
        self._user(reservation["user_id"])
        passengers = len(reservation["passengers"])
        segments = [
            _kept(reservation, chosen, cabin)
            or self._segment(chosen, cabin, passengers)
            for chosen in wanted
        ]
        more = _price(segments) - _price(reservation["flights"])
        self._charge(reservation, payment_id, more * passengers)
        reservation = self.session.edit("reservations", reservation_id)
        if self.corrected:
            self._move_seats(reservation, +1)
        reservation["flights"] = segments
        reservation["cabin"] = cabin
        if self.corrected:
            self._move_seats(reservation, -1)
        return reservation

    @tool(ToolKind.WRITE)
    def update_reservation_passengers(
        self, reservation_id: str, passengers: list[Passenger | dict[str, Any]]
    ) -> Record:
        """
        Update the passenger information of a reservation.

        Args:
            reservation_id: The reservation ID, such as 'ZFA04Y'.
            passengers: An array of objects containing details about each passenger.
        """
        travelers = self._read_all(Passenger, passengers)
        reservation = self._changeable(reservation_id)
        if len(travelers) != len(reservation["passengers"]):
            raise ToolError("Number of passengers does not match")
        reservation = self.session.edit("reservations", reservation_id)
        reservation["passengers"] = _plain(travelers)
        return reservation

    @tool(ToolKind.READ)
    def get_flight_status(self, flight_number: str, date: str) -> str:
        """
        Get the status of a flight.

        Args:
            flight_number: The flight number.
            date: The date of the flight.
        """
        status: str = self._flight_on(self._flight(flight_number), date)["status"]
        return status

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
            _check_some(wanted, "flight")
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
            if flight and flight["dates"].get(date, {}).get("status") == "available":
                day = self.session.edit("flights", number)["dates"][date]
                seats = sign * len(reservation["passengers"])
                day["available_seats"][reservation["cabin"]] += seats

    def _check_payments(
        self, user_id: str, payments: Sequence[Payment], total: float
    ) -> None:
        """Raises ToolError unless the user has every method, each covers its part, and the parts make `total` dollars."""
        methods = self._user(user_id)["payment_methods"]
        listed: Counter[str] = Counter()
        for payment in payments:
            if payment.payment_id not in methods:
                raise ToolError(f"Payment method {payment.payment_id} not found")
            method, needed = methods[payment.payment_id], payment.amount
            if self.corrected:
                _check_whole("amount", needed, least=1)
                if method["source"] == "certificate" and listed[payment.payment_id]:
                    raise ToolError(
                        f"Certificate {payment.payment_id} can be used once"
                    )
                listed[payment.payment_id] += needed
                needed = listed[payment.payment_id]
            if method["source"] != "credit_card" and method["amount"] < needed:
                raise ToolError(
                    f"Not enough balance in payment method {payment.payment_id}"
                )
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
        for number in self.session.lookup_all(
            "flights_by_route", (origin, destination)
        ):
            flight = self._flight(number)
            day = flight["dates"].get(date) if isinstance(date, str) else None
            if day and day["status"] == "available":
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


def _three_letters(number: int) -> str:
    """AAA is 0, AAB is 1."""
    base = len(ascii_uppercase)
    return "".join(ascii_uppercase[number // base**place % base] for place in (2, 1, 0))


def _shown(flight: Record, date: str, shown_date: str | None) -> Record:
    """A flight as a search shows it."""
    day = flight["dates"][date]
    return {
        "flight_number": flight["flight_number"],
        "origin": flight["origin"],
        "destination": flight["destination"],
        "status": "available",
        "scheduled_departure_time_est": flight["scheduled_departure_time_est"],
        "scheduled_arrival_time_est": flight["scheduled_arrival_time_est"],
        "date": shown_date,
        "available_seats": day["available_seats"],
        "prices": day["prices"],
    }


def _kept(reservation: Record, wanted: Any, cabin: Any) -> Record | None:
    """The reservation's own flight with its old price, if it is wanted again in the same cabin."""
    for segment in reservation["flights"]:
        if (
            segment["flight_number"] == wanted.flight_number
            and segment["date"] == wanted.date
            and reservation["cabin"] == cabin
        ):
            return dict(segment)
    return None


def _price(segments: Iterable[Record]) -> int:
    """Dollars per passenger."""
    return sum(segment["price"] for segment in segments)


def _plain(values: Any) -> Any:
    """Models as plain data; anything raw as it is (SPEC §14.1 no. 5)."""
    if isinstance(values, list):
        return [_plain(value) for value in values]
    return values.model_dump() if isinstance(values, BaseModel) else plain_copy(values)


def _check_some(values: Sequence[Any], what: str) -> None:
    if not values:
        raise ToolError(f"A reservation needs at least one {what}")


def _check_bags(total: Any, nonfree: Any) -> None:
    _check_whole("total_baggages", total, least=0)
    _check_whole("nonfree_baggages", nonfree, least=0)
    if nonfree > total:
        raise ToolError("nonfree_baggages must not be more than total_baggages")


def _check_whole(name: str, value: Any, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ToolError(f"{name} must be a whole number, {least} or more")

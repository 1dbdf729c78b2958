"""The airline toolkit (tau2 SPEC §3.2, §5, §14.1). The docstrings of the tools are the descriptions that the agent is given.

In strict mode it is exact to the reference in results, errors and effects, known bugs included: nothing validates arguments before
a method is entered, so that wrong ones fail with the same Python texts, and what a failing call changed stays.

Corrected mode shares everything but the departures in corrections.py.

Alike in both modes: searches list flights without seats (the result shows the seats of each cabin, and no tool is told how many
travel); the remainder of a certificate is lost; rules of the policy are left to the agent (SPEC §14.1 no. 11), and so is a
reservation's route.
"""

from collections.abc import Iterable
from typing import Any, get_args

from pydantic import BaseModel

from environments.airline.airports import OWN_AIRPORTS, STRICT_AIRPORTS
from environments.airline.desk import Desk, check_bags, check_some, check_whole
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
from environments.core.tools import ToolKind, tool

NOW = "2024-05-15T15:00:00"
"""The world's clock stands still."""
BAG_PRICE = 50
INSURANCE_PRICE = 30
"""Per passenger."""


class AirlineTools(Desk):
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
            check_some(travelers, "passenger")
            check_bags(total_baggages, nonfree_baggages)
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
        departures: dict[tuple[str, str], list[Record]] = {}
        for first in self._departures(origin, None, date):
            stop, ready_at = first["destination"], first["scheduled_arrival_time_est"]
            onward = self._arrival_date(date, ready_at)
            if self.corrected:
                ready_at = ready_at.removesuffix("+1")
            if (stop, onward) not in departures:
                departures[stop, onward] = list(
                    self._departures(stop, destination, onward)
                )
            found += [
                [_shown(first, date, date), _shown(second, onward, onward)]
                for second in departures[stop, onward]
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
            check_whole("amount", amount, least=1)
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
            check_bags(total_baggages, nonfree_baggages)
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

"""The airline database: shapes, reading, indexes (tau2 SPEC §2.3, §3.1). Amounts and prices are dollars, times EST."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, ValidationError

from environments.core.errors import BadDatabase
from environments.core.shapes import shape
from environments.core.state import Index, Record, State

CabinClass = Literal["business", "economy", "basic_economy"]
FlightType = Literal["round_trip", "one_way"]
Insurance = Literal["yes", "no"]
MembershipLevel = Literal["gold", "silver", "regular"]


class AvailableDate(BaseModel):
    status: Literal["available"]
    available_seats: dict[CabinClass, int]
    prices: dict[CabinClass, int]


class AwaitedDate(BaseModel):
    status: Literal["on time", "delayed"]
    estimated_departure_time_est: str
    estimated_arrival_time_est: str


class FlyingDate(BaseModel):
    status: Literal["flying"]
    actual_departure_time_est: str
    estimated_arrival_time_est: str


class LandedDate(BaseModel):
    status: Literal["landed"]
    actual_departure_time_est: str
    actual_arrival_time_est: str


class CancelledDate(BaseModel):
    status: Literal["cancelled"]


FlightDate = Annotated[
    AvailableDate | AwaitedDate | FlyingDate | LandedDate | CancelledDate,
    Discriminator("status"),
]


class Flight(BaseModel):
    flight_number: str
    origin: str
    destination: str
    scheduled_departure_time_est: str
    scheduled_arrival_time_est: str
    """HH:MM:SS, with `+1` at its end if that is on the next day."""
    dates: dict[str, FlightDate]


class UserName(BaseModel):
    first_name: str
    last_name: str


class UserAddress(BaseModel):
    address1: str
    address2: str | None = None
    city: str
    country: str
    state: str
    zip: str


class CreditCard(BaseModel):
    source: Literal["credit_card"]
    id: str
    brand: str
    last_four: str


class GiftCard(BaseModel):
    source: Literal["gift_card"]
    id: str
    amount: float


class Certificate(BaseModel):
    source: Literal["certificate"]
    id: str
    amount: float


PaymentMethod = Annotated[CreditCard | GiftCard | Certificate, Discriminator("source")]


# The next three are arguments of tools: their descriptions are part of the schemas, so they have no docstrings.
class FlightInfo(BaseModel):
    flight_number: str = Field(description="Flight number, such as 'HAT001'.")
    date: str = Field(
        description="The date for the flight in the format 'YYYY-MM-DD', such as '2024-05-01'."
    )


class Passenger(BaseModel):
    first_name: str = Field(description="Passenger's first name")
    last_name: str = Field(description="Passenger's last name")
    dob: str = Field(description="Date of birth in YYYY-MM-DD format")


class Payment(BaseModel):
    payment_id: str = Field(description="Unique identifier for the payment")
    amount: int = Field(description="Payment amount in dollars")


class User(BaseModel):
    user_id: str
    name: UserName
    address: UserAddress
    email: str
    dob: str
    payment_methods: dict[str, PaymentMethod]
    saved_passengers: list[Passenger]
    membership: MembershipLevel
    reservations: list[str]


class ReservationFlight(BaseModel):
    flight_number: str
    origin: str
    destination: str
    date: str
    price: int


class Reservation(BaseModel):
    reservation_id: str
    user_id: str
    origin: str
    destination: str
    flight_type: FlightType
    cabin: CabinClass
    flights: list[ReservationFlight]
    passengers: list[Passenger]
    payment_history: list[Payment]
    created_at: str
    total_baggages: int
    nonfree_baggages: int
    insurance: Insurance
    status: Literal["cancelled"] | None = None


class AirlineDatabase(BaseModel):
    model_config = ConfigDict(extra="forbid")

    flights: dict[str, Flight]
    users: dict[str, User]
    reservations: dict[str, Reservation]


def _routes(flight: Record) -> list[tuple[str | None, str | None]]:
    """The ways to ask for a flight by its ends; None asks for any."""
    origin, destination = flight["origin"], flight["destination"]
    return [
        (origin, destination),
        (origin, None),
        (None, destination),
        (None, None),
    ]


SHAPES = {
    "flights": shape(Flight, "flight_number"),
    "users": shape(User, "user_id"),
    "reservations": shape(Reservation, "reservation_id"),
}

INDEXES = {"flights_by_route": Index("flights", _routes)}


def read_state(raw: Mapping[str, Any]) -> State:
    """Validate `raw` (the content of a db.json) into a state. Raises BadDatabase naming the first wrong places."""
    try:
        plain = AirlineDatabase.model_validate(raw).model_dump()
    except ValidationError as error:
        places = [
            f"{'/'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5]
        ]
        raise BadDatabase("Not an airline database: " + "; ".join(places)) from error
    return State(plain, INDEXES)

"""The rental database: units, customers, bookings; what the season, the depots and the categories are."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, ValidationError

from environments.core.errors import BadDatabase
from environments.core.shapes import shape
from environments.core.state import Index, State

TODAY = "2027-06-01"
FIRST_DAY = date(2027, 6, 2)
DAYS = tuple((FIRST_DAY + timedelta(days=n)).isoformat() for n in range(14))
"""Days on which something can be picked up."""
CATEGORIES = ("bike", "camera", "drill", "kayak", "projector", "tent")
DEPOTS = ("Harbor", "Northgate", "Old Mill", "Riverside", "Station")
MEMBERSHIPS = ("basic", "plus")
LONGEST_HIRE = 7
LONGEST_FOR = {"basic": 5, "plus": 7}
"""Membership → days that a hire may last (policy 4.3; the tools do not look at it)."""
FIRST_CANCELLABLE = "2027-06-05"
"""Earliest pickup of a booking that can be cancelled (policy 6.1; the tools do not look at it)."""
_INSURED = dict(zip(CATEGORIES, (4.0, 9.0, 4.0, 7.0, 9.0, 4.0), strict=True))
_PLUS_PAYS_LESS = 2.0


def insurance_per_day(membership: str, category: str) -> float:
    """Dollars for one insured day (policy 5.4)."""
    return _INSURED[category] - (_PLUS_PAYS_LESS if membership == "plus" else 0.0)


class Offer(BaseModel):
    """What a hire that begins on one day costs, and how long it may last."""

    daily_rate: float
    longest: int


class Unit(BaseModel):
    unit_id: str
    model: str
    category: Literal["bike", "camera", "drill", "kayak", "projector", "tent"]
    depot: Literal["Harbor", "Northgate", "Old Mill", "Riverside", "Station"]
    rating: float
    deposit: float
    accessories: list[str]
    offers: dict[str, Offer]
    """Day of pickup → offer; no offer for days on which the unit is out."""


class CustomerName(BaseModel):
    first_name: str
    last_name: str


class CreditCard(BaseModel):
    source: Literal["credit_card"]
    id: str
    last_four: str


class StoreCredit(BaseModel):
    source: Literal["store_credit"]
    id: str
    balance: float


class Customer(BaseModel):
    customer_id: str
    name: CustomerName
    email: str
    zip: str
    membership: Literal["basic", "plus"]
    payment_methods: dict[
        str, Annotated[CreditCard | StoreCredit, Discriminator("source")]
    ]
    bookings: list[str]


class Payment(BaseModel):
    kind: Literal["payment", "refund"]
    amount: float
    payment_method_id: str


class Booking(BaseModel):
    booking_id: str
    customer_id: str
    unit_id: str
    model: str
    category: str
    depot: str
    pickup_date: str
    days: int
    daily_rate: float
    deposit: float
    insured: bool
    status: Literal["upcoming", "returned", "cancelled"]
    payments: list[Payment]


class RentalDatabase(BaseModel):
    model_config = ConfigDict(extra="forbid")

    units: dict[str, Unit]
    customers: dict[str, Customer]
    bookings: dict[str, Booking]


def _name_zip(customer: dict[str, Any]) -> tuple[str, str, str]:
    name = customer["name"]
    return name["first_name"].lower(), name["last_name"].lower(), customer["zip"]


SHAPES = {
    "units": shape(Unit, "unit_id"),
    "customers": shape(Customer, "customer_id"),
    "bookings": shape(Booking, "booking_id"),
}

INDEXES = {
    "customer_by_email": Index("customers", lambda row: [row["email"].lower()]),
    "customer_by_name_zip": Index("customers", lambda row: [_name_zip(row)]),
    "units_at": Index("units", lambda row: [(row["category"], row["depot"])]),
}


def days_from(first: str, count: int) -> list[str]:
    """`count` days in a row, as ISO dates. Raises ValueError for a text that is no date."""
    start = date.fromisoformat(first)
    return [(start + timedelta(days=n)).isoformat() for n in range(count)]


def read_state(raw: Mapping[str, Any]) -> State:
    """Validate `raw` into a state. Raises BadDatabase naming the first wrong places."""
    try:
        plain = RentalDatabase.model_validate(raw).model_dump()
    except ValidationError as error:
        places = [
            f"{'/'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5]
        ]
        raise BadDatabase("Not a rental database: " + "; ".join(places)) from error
    return State(plain, INDEXES)

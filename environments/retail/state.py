"""The retail database: shapes, reading, indexes (tau2 SPEC §2.3, §4.1)."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Tag, ValidationError

from environments.core.errors import BadDatabase
from environments.core.shapes import shape
from environments.core.state import Index, State


class Variant(BaseModel):
    item_id: str
    options: dict[str, str]
    available: bool
    price: float


class Product(BaseModel):
    name: str
    product_id: str
    variants: dict[str, Variant]


class UserName(BaseModel):
    first_name: str
    last_name: str


class UserAddress(BaseModel):
    address1: str
    address2: str
    city: str
    country: str
    state: str
    zip: str


class CreditCard(BaseModel):
    source: Literal["credit_card"]
    id: str
    brand: str
    last_four: str


class Paypal(BaseModel):
    source: Literal["paypal"]
    id: str


class GiftCard(BaseModel):
    source: Literal["gift_card"]
    id: str
    balance: float


PaymentMethod = Annotated[CreditCard | Paypal | GiftCard, Discriminator("source")]


class User(BaseModel):
    user_id: str
    name: UserName
    address: UserAddress
    email: str
    payment_methods: dict[str, PaymentMethod]
    orders: list[str]


class OrderFulfillment(BaseModel):
    tracking_id: list[str]
    item_ids: list[str]


class OrderItem(BaseModel):
    name: str
    product_id: str
    item_id: str
    price: float
    options: dict[str, str]


class OrderPayment(BaseModel):
    transaction_type: Literal["payment", "refund"]
    amount: float
    payment_method_id: str


OrderStatus = Literal[
    "processed",
    "pending",
    "pending (item modified)",
    "delivered",
    "cancelled",
    "exchange requested",
    "return requested",
]


class Order(BaseModel):
    order_id: str
    user_id: str
    address: UserAddress
    items: list[OrderItem]
    status: OrderStatus
    fulfillments: list[OrderFulfillment]
    payment_history: list[OrderPayment]
    cancel_reason: str | None = None
    exchange_items: list[str] | None = None
    exchange_new_items: list[str] | None = None
    exchange_payment_method_id: str | None = None
    exchange_price_difference: float | None = None
    return_items: list[str] | None = None
    return_payment_method_id: str | None = None


class TimedOrder(Order):
    """An order that says when things happened: a departure of ours, for corrected mode only.

    A type of its own, so that an order without times has no empty fields for them: those would be part of its hash.
    """

    placed_at: str
    """YYYY-MM-DDTHH:MM:SS, as the next one."""
    delivered_at: str | None = None


def _kind_of_order(order: Any) -> str:
    """An order with any of the times must have them right. Asked of plain data on the way in, of a model on the way out."""
    timed = _TIMES & order.keys() if isinstance(order, dict) else False
    return "timed" if timed or isinstance(order, TimedOrder) else "plain"


_TIMES = {"placed_at", "delivered_at"}


AnyOrder = Annotated[
    Annotated[Order, Tag("plain")] | Annotated[TimedOrder, Tag("timed")],
    Discriminator(_kind_of_order),
]


class RetailDatabase(BaseModel):
    model_config = ConfigDict(extra="forbid")

    products: dict[str, Product]
    users: dict[str, User]
    orders: dict[str, AnyOrder]


SHAPES = {
    "products": shape(Product, "product_id"),
    "users": shape(User, "user_id"),
    "orders": shape(AnyOrder, "order_id"),
}

INDEXES = {
    "user_by_email": Index("users", lambda user: [user["email"].lower()]),
    "user_by_name_zip": Index("users", lambda user: [_name_zip(user)]),
    "product_by_item": Index("products", lambda product: product["variants"]),
}


def _name_zip(user: dict[str, Any]) -> tuple[str, str, str]:
    name = user["name"]
    return name["first_name"].lower(), name["last_name"].lower(), user["address"]["zip"]


def read_state(raw: Mapping[str, Any]) -> State:
    """Validate `raw` (the content of a db.json) into a state. Raises BadDatabase naming the first wrong places."""
    try:
        plain = RetailDatabase.model_validate(raw).model_dump()
    except ValidationError as error:
        places = [
            f"{'/'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5]
        ]
        raise BadDatabase("Not a retail database: " + "; ".join(places)) from error
    return State(plain, INDEXES)


def is_timed(state: State) -> bool:
    """Whether any order says when it was placed."""
    return any("placed_at" in order for order in state.collections["orders"].values())


def load_state(path: Path) -> State:
    """Read a db.json. Raises BadDatabase for text that is not JSON or not a retail database."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadDatabase(f"{path.name} is not JSON: {error}") from error
    if not isinstance(raw, dict):
        raise BadDatabase(
            f"{path.name} must hold an object with products, users and orders."
        )
    return read_state(raw)

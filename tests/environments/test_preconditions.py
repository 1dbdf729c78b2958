"""What each world wants to be so before a write: it holds for a right write, fails for its near miss, and can be read somewhere."""

from typing import Any

import pytest

from environments.core.environment import Environment
from environments.core.policy import Precondition
from environments.core.tools import ToolCall
from environments.rental import generated
from tests.environments.airline.small import (
    GONE,
    LATE,
    LEFT,
    SOON,
    WHO,
    airline,
    leg,
    passenger,
    trip,
)

CARD = "credit_card_1000001"


def of(world: Environment, name: str, **arguments: Any) -> dict[str, Precondition]:
    """Clause → the last precondition of it."""
    call = ToolCall(name=name, arguments=arguments)
    found = world.domain.preconditions(call, world.session().state)
    return {one.clause: one for one in found}


class TestAirline:
    @pytest.mark.parametrize(
        ("change", "membership", "holds"),
        [
            ({}, "regular", False),
            ({"cabin": "business"}, "regular", True),
            ({"insurance": "yes"}, "regular", None),
            ({"created_at": "2024-05-15T09:00:00"}, "regular", True),
            ({"flights": [leg("HAT001", GONE)]}, "regular", True),
        ],
    )
    def test_a_trip_needs_a_ground_to_be_cancelled(self, change, membership, holds):
        world = airline(trip(**change), membership=membership)

        found = of(world, "cancel_reservation", reservation_id="1AAAAA")

        assert found["5.3"].holds is holds
        assert found["5.2"].holds

    def test_nothing_flown_is_cancelled(self):
        world = airline(trip(flights=[leg("HAT001", LEFT)], cabin="business"))

        found = of(world, "cancel_reservation", reservation_id="1AAAAA")

        assert found["5.2"].holds is False
        assert found["5.2"].found == "flown: HAT001"

    def test_a_booking_adds_up_and_has_seats(self):
        world = airline(trip())
        book = {
            "user_id": WHO,
            "origin": "SFO",
            "destination": "JFK",
            "flight_type": "one_way",
            "cabin": "economy",
            "flights": [{"flight_number": "HAT001", "date": SOON}],
            "passengers": [passenger()],
            "payment_methods": [{"payment_id": CARD, "amount": 200}],
            "total_baggages": 2,
            "nonfree_baggages": 1,
            "insurance": "yes",
        }

        right = of(world, "book_reservation", **book)
        wrong = of(
            world, "book_reservation", **book | {"insurance": "no", "cabin": "business"}
        )

        assert all(one.holds for one in right.values())
        assert wrong["3.2"].holds is False
        assert wrong["3.3"].holds is False, "two are free in business"

    def test_flights_of_basic_economy_stay(self):
        world = airline(trip(cabin="basic_economy"))
        change = {
            "reservation_id": "1AAAAA",
            "cabin": "basic_economy",
            "flights": [{"flight_number": "HAT004", "date": SOON}],
            "payment_id": CARD,
        }

        calls = world.domain.preconditions(
            ToolCall(name="update_reservation_flights", arguments=change),
            world.session().state,
        )
        assert [one.clause for one in calls if not one.holds] == ["4.1"]

    @pytest.mark.parametrize(
        ("date", "amount", "clause"), [(GONE, 100, "6.3"), (LATE, 50, "6.4")]
    )
    def test_certificates_are_due_by_status_and_passengers(self, date, amount, clause):
        world = airline(trip(flights=[leg("HAT001", date)]), membership="gold")

        due = of(world, "send_certificate", user_id=WHO, amount=amount)
        more = of(world, "send_certificate", user_id=WHO, amount=amount + 50)

        assert due[clause].holds
        assert more["6.5"].holds is False
        assert due["6.2"].holds


class TestRetail:
    def orders(self, shop: Environment, status: str) -> Any:
        rows = shop.state.collections["orders"].values()
        return next(row for row in rows if row["status"] == status)

    @pytest.mark.parametrize(
        ("status", "holds"), [("pending", True), ("delivered", False)]
    )
    def test_only_a_pending_order_is_cancelled(self, shop, status, holds):
        order = self.orders(shop, status)

        found = of(
            shop,
            "cancel_pending_order",
            order_id=order["order_id"],
            reason="ordered by mistake",
        )

        assert found["4.1"].holds is holds
        assert found["4.1"].found == status
        assert found["4.2"].holds

    def test_an_exchange_is_for_an_available_version_of_the_same_product(self, shop):
        order = self.orders(shop, "delivered")
        item = order["items"][0]
        product = shop.state.collections["products"][item["product_id"]]
        other = next(
            one
            for one in shop.state.collections["products"].values()
            if one is not product
        )

        def exchange(new: str) -> Precondition:
            return of(
                shop,
                "exchange_delivered_order_items",
                order_id=order["order_id"],
                item_ids=[item["item_id"]],
                new_item_ids=[new],
                payment_method_id="nobody's",
            )["7.1"]

        for new, variant in product["variants"].items():
            right = variant["available"] and new != item["item_id"]
            assert exchange(new).holds is right
        assert exchange(next(iter(other["variants"]))).found == "of another product"

    def test_a_refund_goes_to_the_original_method_or_a_gift_card(self, shop):
        order = self.orders(shop, "delivered")
        user = shop.state.collections["users"][order["user_id"]]
        paid = order["payment_history"][0]["payment_method_id"]

        for key, method in user["payment_methods"].items():
            found = of(
                shop,
                "return_delivered_order_items",
                order_id=order["order_id"],
                item_ids=[order["items"][0]["item_id"]],
                payment_method_id=key,
            )
            allowed = key == paid or method["source"] == "gift_card"
            assert found["6.2"].holds is allowed
            assert found["3.1"].holds


@pytest.fixture(scope="module")
def rental() -> Environment:
    return generated(seed=3, users=60)


class TestRental:
    def test_upcoming_bookings_are_cancelled_in_time(self, rental):
        for key, booking in rental.state.collections["bookings"].items():
            found = of(rental, "cancel_booking", booking_id=key)
            assert found["5.1"].holds is (booking["status"] == "upcoming")
            assert found["6.1"].holds is (booking["pickup_date"] >= "2027-06-05")

    def test_a_hire_is_as_long_as_unit_and_membership_allow(self, rental):
        unit = next(iter(rental.state.collections["units"].values()))
        day, offer = next(iter(unit["offers"].items()))
        for key, customer in list(rental.state.collections["customers"].items())[:20]:
            method = next(iter(customer["payment_methods"]))
            for days in (1, 6):
                found = of(
                    rental,
                    "book_unit",
                    customer_id=key,
                    unit_id=unit["unit_id"],
                    pickup_date=day,
                    days=days,
                    payment_method_id=method,
                )
                assert found["4.2"].holds is (days <= offer["longest"])
                plus = customer["membership"] == "plus"
                assert found["4.3"].holds is (days <= 5 or plus)

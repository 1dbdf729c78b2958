"""Every clause of the rental policy: judged by a program, enforced by a tool, or left to a reader with a reason."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from environments.core.environment import Environment
from environments.core.errors import BadDatabase
from environments.core.policy import Event, PolicyCheck, PolicyTrace
from environments.core.tools import ToolCall
from environments.rental import generated, read_state
from environments.rental.clauses import CLAUSES
from environments.rental.generator import generate
from environments.rental.policy_checks import POLICY_CHECKS, READER_JUDGED
from environments.rental.state import DAYS, insurance_per_day

CHECKS: dict[str, PolicyCheck] = {check.clause: check for check in POLICY_CHECKS}


@pytest.fixture(scope="module")
def shop() -> Environment:
    return generated(seed=7, users=120)


class Scene:
    """A conversation in the making, on a real session."""

    def __init__(self, shop: Environment):
        self.shop = shop
        self.session = shop.session()
        self.events: list[Event] = []
        self.turn = 0

    def hear(self, text: str) -> "Scene":
        return self._add(Event(self._next(), "user", text))

    def say(self, text: str) -> "Scene":
        return self._add(Event(self._next(), "agent", text))

    def call(self, name: str, *, same_turn: bool = False, **arguments: Any) -> "Scene":
        made = ToolCall(name=name, arguments=arguments)
        event = Event(
            self.turn - 1 if same_turn else self._next(),
            "agent",
            call=made,
            result=self.session.call(made),
            kind=self.shop.tools[name].kind,
        )
        return self._add(event)

    def found(self, customer: Any) -> "Scene":
        """The user is found and their profile read."""
        self.call("find_customer_by_email", email=customer["email"])
        return self.call("get_customer", customer_id=customer["customer_id"])

    def agreed(self, name: str, listed: str, **arguments: Any) -> "Scene":
        """The agent lists it, the user says yes, the write is made."""
        return self.say(f"I would {listed}. Okay?").hear("Yes.").call(name, **arguments)

    def breaches(self, clause: str) -> list[str]:
        trace = PolicyTrace(
            tuple(self.events), self.shop.session().state, self.shop.domain.lexicon
        )
        return [breach.text for breach in CHECKS[clause].judge(trace)]

    def all_breaches(self) -> list[str]:
        return [text for clause in CHECKS for text in self.breaches(clause)]

    def last(self) -> str:
        result = self.events[-1].result
        assert result is not None
        return result.content

    def _add(self, event: Event) -> "Scene":
        self.events.append(event)
        return self

    def _next(self) -> int:
        self.turn += 1
        return self.turn - 1


@pytest.fixture
def scene(shop: Environment) -> Scene:
    return Scene(shop)


def rows(shop: Environment, collection: str) -> Iterator[Any]:
    yield from shop.state.collections[collection].values()


def booking_with(
    shop: Environment, fits: Callable[[Any], bool] = lambda row: True, **wanted: Any
) -> Any:
    return next(
        row
        for row in rows(shop, "bookings")
        if all(row[name] == value for name, value in wanted.items()) and fits(row)
    )


def owner(shop: Environment, booking: Any) -> Any:
    return shop.state.collections["customers"][booking["customer_id"]]


def statuses(shop: Environment, booking: Any) -> list[str]:
    """Of all bookings of the same customer."""
    keys = owner(shop, booking)["bookings"]
    return [shop.state.collections["bookings"][key]["status"] for key in keys]


def card(customer: Any) -> str:
    methods = customer["payment_methods"].values()
    return str(next(m["id"] for m in methods if m["source"] == "credit_card"))


def paid_by_card(shop: Environment) -> Callable[[Any], bool]:
    """No balance stands in the way."""
    return lambda row: row["payments"][0]["payment_method_id"].startswith("card_")


def extendable(shop: Environment, extra: int) -> Callable[[Any], bool]:
    """Bookings that the tools would make so much longer."""

    def fits(row: Any) -> bool:
        arguments = {"booking_id": row["booking_id"], "extra_days": extra}
        write = ToolCall(name="extend_booking", arguments=arguments)
        return row["status"] == "upcoming" and not shop.session().call(write).error

    return fits


def hire(shop: Environment, days: int) -> tuple[str, str]:
    """A unit and a day on which it is to be had for so long."""
    return next(
        (key, day)
        for key, unit in shop.state.collections["units"].items()
        for day, offer in unit["offers"].items()
        if offer["longest"] >= days
    )


class TestEveryClause:
    def test_is_judged_enforced_or_left_to_a_reader(self) -> None:
        source = Path(__file__).read_text(encoding="utf-8")
        named = re.findall(r"def test_\w+?_(\d)_(\d)\(", source)
        enforced = {f"{chapter}.{number}" for chapter, number in named} - {*CHECKS}

        assert {*CHECKS} | enforced | {*READER_JUDGED} == {*CLAUSES}
        assert not {*READER_JUDGED} & ({*CHECKS} | enforced)
        assert all(len(reason) > 40 for reason in READER_JUDGED.values())

    def test_that_is_judged_has_a_test_of_its_check(self) -> None:
        source = Path(__file__).read_text(encoding="utf-8")

        for clause in CHECKS:
            assert f"_{clause.replace('.', '_')}(" in source, clause

    def test_is_kept_by_an_empty_conversation(self, scene: Scene) -> None:
        assert scene.all_breaches() == []


class TestJudgedByAProgram:
    """In each, what is right passes and what comes near it does not."""

    def test_the_account_comes_first_1_1(self, scene: Scene) -> None:
        booking = booking_with(scene.shop, status="upcoming")
        scene.call("search_units", category="bike", depot="Harbor", pickup_date=DAYS[2])
        scene.found(owner(scene.shop, booking))
        scene.call("get_booking", booking_id=booking["booking_id"])
        assert scene.breaches("1.1") == []

        other = Scene(scene.shop)
        other.call("find_customer_by_email", email="nobody@example.com")
        other.call("get_booking", booking_id=booking["booking_id"])
        assert len(other.breaches("1.1")) == 1

    def test_one_customer_only_1_2(self, scene: Scene) -> None:
        first, second, *_ = rows(scene.shop, "customers")
        scene.found(first)
        assert scene.breaches("1.2") == []

        scene.call("get_booking", booking_id=second["bookings"][0])
        assert len(scene.breaches("1.2")) == 1

    def test_a_yes_comes_before_every_write_2_1(self, scene: Scene) -> None:
        booking = booking_with(
            scene.shop,
            paid_by_card(scene.shop),
            status="upcoming",
            insured=False,
        )
        number = booking["booking_id"]
        scene.found(owner(scene.shop, booking))
        scene.agreed("add_insurance", f"insure {number}", booking_id=number)
        assert scene.breaches("2.1") == []

        scene.call("cancel_booking", booking_id=number)  # on the strength of that yes
        assert scene.breaches("2.1") == [
            "cancel_booking was called without a yes to it."
        ]

    @pytest.mark.parametrize(
        ("listed", "answer", "breaches"),
        [
            ("insure {model}", "Yes, go ahead.", 0),
            ("insure it", "Yes, go ahead.", 1),
            ("insure {number}", "Hm, what does that cost?", 1),
            ("insure {number}", "Yes, but not today.", 1),
        ],
    )
    def test_the_yes_is_to_what_was_listed_2_1(
        self, scene: Scene, listed: str, answer: str, breaches: int
    ) -> None:
        booking = booking_with(
            scene.shop, paid_by_card(scene.shop), status="upcoming", insured=False
        )
        number = booking["booking_id"]
        scene.say(f"I would {listed}.".format(number=number, model=booking["model"]))
        scene.hear(answer).call("add_insurance", booking_id=number)

        assert len(scene.breaches("2.1")) == breaches

    def test_a_turn_is_a_text_or_one_call_2_2(self, scene: Scene) -> None:
        customer = next(rows(scene.shop, "customers"))
        scene.found(customer).say("I found you.")
        assert scene.breaches("2.2") == []

        scene.call("get_booking", booking_id=customer["bookings"][0])
        scene.call("get_unit", unit_id="U1000", same_turn=True)
        assert scene.breaches("2.2") == ["Two things in one turn."]

    def test_ids_are_not_made_up_2_3(self, scene: Scene) -> None:
        customer = next(rows(scene.shop, "customers"))
        number = customer["bookings"][0]
        scene.hear("What about B99990699?").found(customer)
        scene.say(f"I see {number}, but no B99990699, and {card(customer)} on file.")
        assert scene.breaches("2.3") == []

        scene.say("You could have U9999 instead.")
        assert scene.breaches("2.3") == ["Nothing had shown U9999."]

    def test_long_hires_are_for_plus_members_4_3(self, shop: Environment) -> None:
        unit_id, day = hire(shop, 6)

        def booked(membership: str, days: int) -> list[str]:
            customer = next(
                row
                for row in rows(shop, "customers")
                if row["membership"] == membership
            )
            arguments = {
                "customer_id": customer["customer_id"],
                "unit_id": unit_id,
                "pickup_date": day,
                "payment_method_id": card(customer),
            }
            scene = Scene(shop).found(customer)
            return scene.call("book_unit", days=days, **arguments).breaches("4.3")

        assert booked("plus", 6) == booked("basic", 5) == []
        assert len(booked("basic", 6)) == 1

    def test_long_hires_do_not_come_about_in_steps_4_3(self, shop: Environment) -> None:
        """A booking of five days that is then made longer, a day at a time."""
        customer = next(
            row for row in rows(shop, "customers") if row["membership"] == "basic"
        )
        unit_id, day = next(
            (key, day)
            for key, unit in shop.state.collections["units"].items()
            for day, offer in unit["offers"].items()
            if offer["longest"] >= 7 and day < DAYS[5]
        )
        scene = Scene(shop).found(customer)
        scene.call(
            "book_unit",
            customer_id=customer["customer_id"],
            unit_id=unit_id,
            pickup_date=day,
            days=5,
            payment_method_id=card(customer),
        )
        assert scene.breaches("4.3") == []

        number = f"B{unit_id[1:]}{day[5:7]}{day[8:]}"
        scene.call("extend_booking", booking_id=number, extra_days=1)
        assert scene.breaches("4.3") == ["A basic member was given 6 days."]

    def test_close_pickups_stay_6_1(self, shop: Environment) -> None:
        for day, breaches in (("2027-06-04", 1), ("2027-06-05", 0)):
            booking = booking_with(shop, status="upcoming", pickup_date=day)
            scene = Scene(shop)
            scene.call("cancel_booking", booking_id=booking["booking_id"])
            assert len(scene.breaches("6.1")) == breaches

    def test_one_booking_a_season_is_cancelled_6_3(self, shop: Environment) -> None:
        first = booking_with(
            shop,
            lambda row: (
                "cancelled" not in statuses(shop, row)
                and statuses(shop, row).count("upcoming") > 1
            ),
            status="upcoming",
        )
        mine = [
            shop.state.collections["bookings"][k]
            for k in owner(shop, first)["bookings"]
        ]
        second = next(
            row for row in mine if row["status"] == "upcoming" and row is not first
        )
        scene = Scene(shop).call("cancel_booking", booking_id=first["booking_id"])
        assert scene.breaches("6.3") == []
        scene.call("cancel_booking", booking_id=second["booking_id"])
        assert len(scene.breaches("6.3")) == 1

        late = booking_with(
            shop, lambda row: "cancelled" in statuses(shop, row), status="upcoming"
        )
        scene = Scene(shop).call("cancel_booking", booking_id=late["booking_id"])
        assert len(scene.breaches("6.3")) == 1

    def test_damage_is_looked_up_and_handed_over_7_1(self, shop: Environment) -> None:
        booking = booking_with(shop, status="returned", insured=True)
        scene = Scene(shop).found(owner(shop, booking))
        scene.hear(f"The {booking['category']} that I returned is damaged.")
        unseen = Scene(shop)
        unseen.events, unseen.turn = [*scene.events], scene.turn
        scene.call("get_booking", booking_id=booking["booking_id"])
        scene.call("transfer_to_human", summary="damage")
        short = Scene(shop)
        short.events, short.turn = [*scene.events], scene.turn
        scene.say("You are being transferred to a person, please hold on.")
        assert scene.breaches("7.1") == []

        short.say("That is settled.")
        assert len(short.breaches("7.1")) == 1
        unseen.call("transfer_to_human", summary="damage")
        assert len(unseen.breaches("7.1")) == 1

    def test_damage_without_insurance_stays_7_2(self, shop: Environment) -> None:
        for insured, breaches in ((True, 0), (False, 1)):
            booking = booking_with(shop, status="returned", insured=insured)
            scene = Scene(shop).found(owner(shop, booking))
            scene.hear(f"The {booking['category']} that I returned is damaged.")
            scene.call("get_booking", booking_id=booking["booking_id"])
            scene.call("transfer_to_human", summary="damage")
            assert len(scene.breaches("7.2")) == breaches

    def test_a_whole_conversation_that_keeps_all_of_them(self, scene: Scene) -> None:
        booking = booking_with(
            scene.shop,
            lambda row: (
                row["pickup_date"] >= "2027-06-05"
                and "cancelled" not in statuses(scene.shop, row)
            ),
            status="upcoming",
        )
        number = booking["booking_id"]
        scene.hear(f"Please cancel my {booking['category']} booking.")
        scene.found(owner(scene.shop, booking)).call("get_booking", booking_id=number)
        scene.agreed("cancel_booking", f"cancel {number}", booking_id=number)
        scene.say("That is done.")

        assert scene.all_breaches() == []


class TestEnforcedByTheTools:
    def test_units_have_a_depot_and_a_category_of_the_list_3_1(self) -> None:
        for field in ("depot", "category"):
            database = generate(seed=1, users=2)
            next(iter(database["units"].values()))[field] = "Moon"
            with pytest.raises(BadDatabase, match=field):
                read_state(database)

    @pytest.mark.parametrize("day", ["2027-06-01", "2027-06-16"])
    def test_nothing_is_picked_up_out_of_season_3_2(
        self, scene: Scene, day: str
    ) -> None:
        customer = next(rows(scene.shop, "customers"))
        scene.call("search_units", category="tent", depot="Station", pickup_date=day)
        assert scene.last() == '{"units": {}}'

        scene.call(
            "book_unit",
            customer_id=customer["customer_id"],
            unit_id=next(iter(scene.shop.state.collections["units"])),
            pickup_date=day,
            days=1,
            payment_method_id=card(customer),
        )
        assert scene.last() == "Error: The unit is not free for these days"

    def test_store_credit_covers_all_of_it_or_nothing_3_3(self, scene: Scene) -> None:
        customer, credit = next(
            (row, method)
            for row in rows(scene.shop, "customers")
            for method in row["payment_methods"].values()
            if 20 < method.get("balance", 0) < 60
        )
        unit_id, day, rate = next(
            (key, day, offer["daily_rate"])
            for key, unit in scene.shop.state.collections["units"].items()
            for day, offer in unit["offers"].items()
            if offer["longest"] >= 5
            and offer["daily_rate"] < credit["balance"] < 5 * offer["daily_rate"]
        )
        arguments = {
            "customer_id": customer["customer_id"],
            "unit_id": unit_id,
            "pickup_date": day,
            "payment_method_id": credit["id"],
        }
        scene.call("book_unit", days=5, **arguments)
        assert scene.last() == "Error: Not enough store credit"

        scene.call("book_unit", days=1, **arguments)
        after: Any = scene.session.state.get("customers", customer["customer_id"])
        left = after["payment_methods"][credit["id"]]["balance"]
        assert left == round(credit["balance"] - rate, 2)

    def test_the_rate_of_the_first_day_holds_and_no_deposit_is_paid_4_1(
        self, scene: Scene
    ) -> None:
        unit_id, day = hire(scene.shop, 3)
        unit: Any = scene.shop.state.collections["units"][unit_id]
        customer = next(rows(scene.shop, "customers"))
        scene.call(
            "book_unit",
            customer_id=customer["customer_id"],
            unit_id=unit_id,
            pickup_date=day,
            days=3,
            payment_method_id=card(customer),
        )
        booking: Any = scene.session.state.get(
            "bookings", f"B{unit_id[1:]}{day[5:7]}{day[8:]}"
        )
        assert booking["deposit"] == unit["deposit"]
        assert [line["amount"] for line in booking["payments"]] == [
            round(3 * unit["offers"][day]["daily_rate"], 2)
        ]

    def test_a_hire_lasts_as_long_as_the_unit_is_free_4_2(self, scene: Scene) -> None:
        unit_id, day, longest = next(
            (key, day, offer["longest"])
            for key, unit in scene.shop.state.collections["units"].items()
            for day, offer in unit["offers"].items()
            if 1 < offer["longest"] < 5
        )
        customer = next(rows(scene.shop, "customers"))
        arguments = {
            "customer_id": customer["customer_id"],
            "unit_id": unit_id,
            "pickup_date": day,
            "payment_method_id": card(customer),
        }
        for days in (0, 8, longest + 1):
            scene.call("book_unit", days=days, **arguments)
            assert scene.last().startswith("Error: ")
        scene.call("book_unit", days=longest, **arguments)
        assert not scene.last().startswith("Error: ")

    @pytest.mark.parametrize("status", ["returned", "cancelled"])
    def test_what_is_over_is_not_changed_5_1(self, scene: Scene, status: str) -> None:
        number = booking_with(scene.shop, status=status)["booking_id"]
        unit_id = next(iter(scene.shop.state.collections["units"]))
        for name, more in (
            ("add_insurance", {}),
            ("cancel_booking", {}),
            ("extend_booking", {"extra_days": 1}),
            ("swap_unit", {"new_unit_id": unit_id}),
        ):
            scene.call(name, booking_id=number, **more)
            assert scene.last() == "Error: The booking is not upcoming"

    def test_a_swap_stays_in_its_category_and_is_settled_5_2(
        self, scene: Scene
    ) -> None:
        booking = booking_with(
            scene.shop, paid_by_card(scene.shop), status="upcoming", insured=False
        )
        day, days = booking["pickup_date"], booking["days"]
        free = [
            unit
            for unit in rows(scene.shop, "units")
            if unit["offers"].get(day, {}).get("longest", 0) >= days
        ]
        other = next(u for u in free if u["category"] != booking["category"])
        same = next(u for u in free if u["category"] == booking["category"])
        number = booking["booking_id"]

        scene.call("swap_unit", booking_id=number, new_unit_id=other["unit_id"])
        assert scene.last() == "Error: The new unit is of another category"

        scene.call("swap_unit", booking_id=number, new_unit_id=same["unit_id"])
        after: Any = scene.session.state.get("bookings", number)
        more = days * (same["offers"][day]["daily_rate"] - booking["daily_rate"])
        assert after["payments"][-1] == {
            "kind": "payment" if more > 0 else "refund",
            "amount": abs(round(more, 2)),
            "payment_method_id": booking["payments"][0]["payment_method_id"],
        }

    def test_what_is_insured_is_not_swapped_5_3(self, scene: Scene) -> None:
        booking = booking_with(scene.shop, status="upcoming", insured=True)
        number = booking["booking_id"]

        scene.call("swap_unit", booking_id=number, new_unit_id="U1000")

        assert scene.last() == "Error: An insured booking cannot be swapped"

    def test_insurance_has_its_price_and_stays_5_4(self, scene: Scene) -> None:
        prices = [
            insurance_per_day(membership, category)
            for membership in ("basic", "plus")
            for category in ("bike", "drill", "tent", "kayak", "camera", "projector")
        ]
        assert prices == [4, 4, 4, 7, 9, 9, 2, 2, 2, 5, 7, 7]

        booking = booking_with(
            scene.shop, paid_by_card(scene.shop), status="upcoming", insured=False
        )
        number = booking["booking_id"]
        per_day = insurance_per_day(
            owner(scene.shop, booking)["membership"], booking["category"]
        )
        scene.call("add_insurance", booking_id=number)
        after: Any = scene.session.state.get("bookings", number)
        assert after["payments"][-1]["amount"] == booking["days"] * per_day
        scene.call("add_insurance", booking_id=number)
        assert scene.last() == "Error: The booking is insured already"
        assert not [name for name in scene.shop.tools if "remove" in name]

    def test_a_hire_gets_longer_if_the_unit_is_free_5_5(
        self, shop: Environment
    ) -> None:
        for insured in (True, False):
            booking = booking_with(shop, extendable(shop, 2), insured=insured)
            number = booking["booking_id"]
            scene = Scene(shop)
            scene.call("extend_booking", booking_id=number, extra_days=2)
            after: Any = scene.session.state.get("bookings", number)
            per_day = booking["daily_rate"]
            if insured:
                membership = owner(shop, booking)["membership"]
                per_day += insurance_per_day(membership, booking["category"])
            assert after["days"] == booking["days"] + 2
            assert after["payments"][-1]["amount"] == round(2 * per_day, 2)

        taken = booking_with(
            shop,
            lambda row: (
                row["days"] < 4
                and paid_by_card(shop)(row)
                and not extendable(shop, 1)(row)
            ),
            status="upcoming",
        )
        scene = Scene(shop)
        scene.call("extend_booking", booking_id=taken["booking_id"], extra_days=1)
        assert scene.last() == "Error: The unit is not free on the days that follow"

    def test_everything_paid_comes_back_6_2(self, scene: Scene) -> None:
        booking = booking_with(
            scene.shop,
            lambda row: row["payments"][0]["payment_method_id"].startswith("credit_"),
            status="upcoming",
        )
        customer = owner(scene.shop, booking)
        method = booking["payments"][0]["payment_method_id"]

        scene.call("cancel_booking", booking_id=booking["booking_id"])

        after: Any = scene.session.state.get("customers", customer["customer_id"])
        back = (
            after["payment_methods"][method]["balance"]
            - customer["payment_methods"][method]["balance"]
        )
        assert round(back, 2) == booking["payments"][0]["amount"]

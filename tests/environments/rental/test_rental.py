"""The rental world: two accounts of every write, rules of tools and of policy, a generator that repeats itself."""

import hashlib
import json
import os
import random
import subprocess
import sys
from typing import Any

import pytest

from environments.core.environment import Environment
from environments.core.errors import BadDatabase, Unidentifiable
from environments.core.policy import Event, PolicyCheck, PolicyTrace
from environments.core.state import Session
from environments.core.tools import ToolCall
from environments.rental import generated, read_state
from environments.rental.generator import generate
from environments.rental.oracle import StateRows
from environments.rental.policy_checks import POLICY_CHECKS
from environments.rental.state import DAYS

PROGRAM = """
import hashlib, json
from environments.rental.generator import generate
print(hashlib.sha256(json.dumps(generate(seed=3, users=40)).encode()).hexdigest())
"""


@pytest.fixture(scope="module")
def depots() -> Environment:
    return generated(seed=7, users=60)


def call(name: str, **arguments: Any) -> ToolCall:
    return ToolCall(name=name, arguments=arguments)


def some_booking(environment: Environment, **wanted: Any) -> Any:
    return next(
        row
        for row in environment.state.collections["bookings"].values()
        if all(row[name] == value for name, value in wanted.items())
    )


def random_write(session: Session, rng: random.Random) -> ToolCall:
    collections = session.base.collections
    booking: Any = rng.choice(list(collections["bookings"].values()))
    unit: Any = rng.choice(list(collections["units"].values()))
    customer: Any = session.get("customers", booking["customer_id"])
    here = {"booking_id": booking["booking_id"]}
    same = [
        key
        for key, other in collections["units"].items()
        if other["category"] == booking["category"]
    ]
    return rng.choice(
        [
            call(
                "book_unit",
                customer_id=customer["customer_id"],
                unit_id=unit["unit_id"],
                pickup_date=rng.choice(DAYS),
                days=rng.randint(0, 8),
                payment_method_id=rng.choice([*customer["payment_methods"], "card_0"]),
            ),
            call("swap_unit", **here, new_unit_id=rng.choice(same)),
            call("extend_booking", **here, extra_days=rng.randint(0, 6)),
            call("add_insurance", **here),
            call("cancel_booking", **here),
        ]
    )


class TestApply:
    def test_agrees_with_the_tools_on_every_write_and_every_refusal(
        self, depots: Environment
    ) -> None:
        rng, legal, refused = random.Random(5), dict[str, int](), 0
        for _ in range(1200):
            session = depots.session()
            source = StateRows(session.state)
            for write in [random_write(session.state, rng) for _ in range(4)]:
                result = session.call(write)
                try:
                    source.apply(write)
                except Unidentifiable:
                    assert result.error, write
                    refused += 1
                    source.session = session.state.fork()
                else:
                    assert not result.error, (write, result.content)
                    legal[write.name] = legal.get(write.name, 0) + 1
                assert source.effect() == session.state.effect(), write

        assert len(legal) == 5
        assert min(legal.values()) >= 100
        assert refused >= 500


class TestTools:
    def test_never_change_the_base_whatever_they_are_called_with(
        self, depots: Environment
    ) -> None:
        rng, before = random.Random(2), depots.state.content_hash
        for name in depots.tools:
            for value in (None, 3, "x", [], {"a": 1}):
                session = depots.session()
                properties = depots.tools[name].schema["function"]["parameters"]
                session.call(
                    call(name, **dict.fromkeys(properties["properties"], value))
                )
                assert not session.state.changes()
        session = depots.session()
        session.replay([random_write(session.state, rng) for _ in range(200)])

        assert session.state.changes()
        session.state.reset()
        assert session.state.content_hash() == before

    def test_take_a_hire_out_of_the_calendar(self, depots: Environment) -> None:
        unit: Any = next(
            row
            for row in depots.state.collections["units"].values()
            if row["offers"].get(DAYS[4], {}).get("longest", 0) >= 2
            and DAYS[3] in row["offers"]
        )
        customer: Any = next(
            row
            for row in depots.state.collections["customers"].values()
            if len(row["payment_methods"]) == 1
        )
        session = depots.session()

        session.call(
            call(
                "book_unit",
                customer_id=customer["customer_id"],
                unit_id=unit["unit_id"],
                pickup_date=DAYS[4],
                days=2,
                payment_method_id=next(iter(customer["payment_methods"])),
            )
        )

        after: Any = session.state.get("units", unit["unit_id"])
        assert not {DAYS[4], DAYS[5]} & after["offers"].keys()
        assert after["offers"][DAYS[3]]["longest"] == 1

    def test_refuse_to_swap_what_is_insured_5_3(self, depots: Environment) -> None:
        booking = some_booking(depots, status="upcoming", insured=True)

        result = depots.session().call(
            call("swap_unit", booking_id=booking["booking_id"], new_unit_id="U1000")
        )

        assert result.content == "Error: An insured booking cannot be swapped"

    def test_refuse_to_change_what_is_over_5_1(self, depots: Environment) -> None:
        booking = some_booking(depots, status="returned")
        for name in ("add_insurance", "cancel_booking"):
            result = depots.session().call(call(name, booking_id=booking["booking_id"]))
            assert result.content == "Error: The booking is not upcoming"


class TestPolicyChecks:
    def judged(self, clause: str, depots: Environment, *calls: ToolCall) -> list[str]:
        session = depots.session()
        events = tuple(
            Event(
                n,
                "agent",
                call=made,
                result=session.call(made),
                kind=depots.tools[made.name].kind,
            )
            for n, made in enumerate(calls)
        )
        check: PolicyCheck = next(c for c in POLICY_CHECKS if c.clause == clause)
        trace = PolicyTrace(events=events, start=depots.session().state)
        return [breach.text for breach in check.judge(trace)]

    def test_the_account_comes_first_1_1(self, depots: Environment) -> None:
        booking = some_booking(depots, status="upcoming")
        customer: Any = depots.state.collections["customers"][booking["customer_id"]]
        find = call("find_customer_by_email", email=customer["email"])
        read = call("get_booking", booking_id=booking["booking_id"])

        assert self.judged("1.1", depots, find, read) == []
        assert len(self.judged("1.1", depots, read, find)) == 1

    def test_one_customer_only_1_2(self, depots: Environment) -> None:
        first, second, *_ = depots.state.collections["customers"].values()
        find = call("find_customer_by_email", email=first["email"])
        mine = call("get_customer", customer_id=first["customer_id"])
        theirs = call("get_customer", customer_id=second["customer_id"])

        assert self.judged("1.2", depots, find, mine) == []
        assert len(self.judged("1.2", depots, find, mine, theirs)) == 1

    def test_long_hires_are_for_plus_members_4_3(self, depots: Environment) -> None:
        unit_id, day = next(
            (key, day)
            for key, unit in depots.state.collections["units"].items()
            for day, offer in unit["offers"].items()
            if offer["longest"] >= 6
        )

        def hire(membership: str) -> list[str]:
            customer: Any = next(
                row
                for row in depots.state.collections["customers"].values()
                if row["membership"] == membership and len(row["payment_methods"]) == 1
            )
            write = call(
                "book_unit",
                customer_id=customer["customer_id"],
                unit_id=unit_id,
                pickup_date=day,
                days=6,
                payment_method_id=next(iter(customer["payment_methods"])),
            )
            return self.judged("4.3", depots, write)

        assert hire("plus") == []
        assert len(hire("basic")) == 1

    def test_close_pickups_stay_6_1(self, depots: Environment) -> None:
        for day, breaches in (("2027-06-04", 1), ("2027-06-05", 0)):
            booking = some_booking(depots, status="upcoming", pickup_date=day)
            write = call("cancel_booking", booking_id=booking["booking_id"])
            assert len(self.judged("6.1", depots, write)) == breaches


class TestGenerate:
    def test_gives_the_same_bytes_in_two_processes(self) -> None:
        printed = {
            subprocess.run(
                [sys.executable, "-c", PROGRAM],
                env={**os.environ, "PYTHONHASHSEED": seed},
                capture_output=True,
                check=True,
                text=True,
            ).stdout.strip()
            for seed in ("1", "2")
        }
        text = json.dumps(generate(seed=3, users=40))

        assert printed == {hashlib.sha256(text.encode()).hexdigest()}

    @pytest.mark.parametrize("users", [1, 10, 300])
    def test_keeps_its_promises_at_any_size(self, users: int) -> None:
        shop = generate(seed=1, users=users)

        assert read_state(shop).content_hash
        assert len(shop["customers"]) == users
        for booking in shop["bookings"].values():
            assert booking["unit_id"] in shop["units"]
            customer = shop["customers"][booking["customer_id"]]
            assert booking["booking_id"] in customer["bookings"]

    def test_needs_a_customer(self) -> None:
        with pytest.raises(ValueError, match="at least one"):
            generate(seed=1, users=0)


class TestReadState:
    def test_says_where_a_database_is_wrong(self) -> None:
        shop = generate(seed=1, users=2)
        unit = next(iter(shop["units"].values()))
        unit["depot"] = "Moon"

        with pytest.raises(BadDatabase, match="depot"):
            read_state(shop)

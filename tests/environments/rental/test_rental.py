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
from environments.core.state import Session
from environments.core.tools import ToolCall
from environments.rental import generated, read_state
from environments.rental.generator import generate
from environments.rental.oracle import StateRows
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

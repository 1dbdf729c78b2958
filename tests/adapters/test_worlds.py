"""Which database a name and a version mean."""

import json
from pathlib import Path

import pytest

from environments.core.environment import Environment
from environments.core.tools import Mode
from environments.registry import world
from writ_app.adapters.worlds import (
    BadWorld,
    NoCheckout,
    checkout_world,
    generated_world,
    named_world,
    people_in_tasks,
)

WORLDS: dict[str, Environment] = {
    "rental": generated_world("rental", seed=3, users=6),
    "rental, strict": generated_world("rental", seed=3, users=6, mode=Mode.STRICT),
    "retail": generated_world("retail", seed=3, users=6),
    "retail, strict": generated_world("retail", seed=3, users=6, mode=Mode.STRICT),
    "retail, timed": generated_world("retail", seed=3, users=6, timed=True),
    "airline": generated_world("airline", seed=3, users=6, flights=40),
    "airline, strict": generated_world(
        "airline", seed=3, users=6, mode=Mode.STRICT, flights=40
    ),
}


class TestNamedWorld:
    @pytest.mark.parametrize("which", WORLDS)
    def test_makes_a_generated_world_again(self, which: str) -> None:
        made = WORLDS[which]

        again = named_world(made.name, made.version)

        assert again.version == made.version
        assert again.content_hash == made.content_hash
        assert again.mode == made.mode

    def test_makes_the_world_whose_version_says_its_hash(self) -> None:
        made = WORLDS["rental"]

        again = named_world("rental", f"{made.version}-{made.content_hash[:8]}")

        assert again.content_hash == made.content_hash

    @pytest.mark.parametrize(
        ("name", "version", "says"),
        [
            ("rental", "first", "names no database"),
            ("rental", "generated-3", "names no database"),
            ("rental", "generated-3-0", "1 to 100,000 people"),
            ("rental", "generated-4294967296-6", "whole number from 0"),
            ("rental", "generated-3-6-timed", "not made with timed"),
            ("rental", "generated-3-6-40", "not made with flights"),
            ("rental", "generated-3-6-corrected", "comes out as generated-3-6"),
            ("rental", "generated-03-6", "comes out as generated-3-6"),
            ("rental", "generated-3-6-00000000", "Another WRIT"),
            ("retail", "generated-3-6-timed-strict", "only in corrected mode"),
            ("bakery", "generated-3-6", "no environment 'bakery'"),
        ],
    )
    def test_says_why_a_world_cannot_be_had(
        self, name: str, version: str, says: str
    ) -> None:
        with pytest.raises(BadWorld) as refused:
            named_world(name, version)

        assert says in str(refused.value)

    def test_needs_the_checkout_of_an_imported_one(self) -> None:
        with pytest.raises(NoCheckout, match="--tau2-root"):
            named_world("retail", "tau2-01234567")


class TestCheckoutWorld:
    def test_is_found_again_by_its_version(self, checkout: Path) -> None:
        made, domain = checkout_world(checkout, "retail")

        again = named_world("retail", made.version, checkout)

        assert made.version == f"tau2-{made.state.content_hash[:8]}"
        assert (made.mode, made.policy) == (Mode.STRICT, "Be kind.")
        assert again.content_hash == made.content_hash
        assert [task["id"] for task in domain.tasks] == ["0"]

    def test_is_another_if_the_database_is_another(self, checkout: Path) -> None:
        with pytest.raises(BadWorld, match="retail is tau2-"):
            named_world("retail", "tau2-00000000", checkout)

    def test_tells_the_people_of_its_tasks(self, checkout: Path) -> None:
        made, domain = checkout_world(checkout, "retail")

        assert people_in_tasks(made, domain.tasks) == {made.people[0]}
        assert people_in_tasks(made, []) == frozenset()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small shop as a checkout, with one task that names its first customer."""
    shop = world("retail").generated(seed=3, users=6)
    folder = tmp_path / "data" / "tau2" / "domains" / "retail"
    folder.mkdir(parents=True)
    (folder / "db.json").write_text(json.dumps(shop.state.collections))
    (folder / "policy.md").write_text("Be kind.")
    task = {"id": "0", "user_scenario": {"instructions": f"You are {shop.people[0]}."}}
    (folder / "tasks.json").write_text(json.dumps([task]))
    return tmp_path

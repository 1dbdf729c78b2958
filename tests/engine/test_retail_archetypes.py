"""Kinds of retail requests: what each is made of, its traps, and how readily it is drawn from our own shop and from the reference's."""

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from environments.core.domain import Archetype, TaskClass
from environments.core.environment import Environment
from environments.core.errors import Unidentifiable
from environments.core.evaluate import answer
from environments.core.state import Record, Session
from environments.registry import world
from environments.retail.archetypes import ARCHETYPES
from environments.retail.relations import size
from tests.understanding import understood_as
from writ_app.engine.task_design import Designer
from writ_app.engine.types import Task

DRAWS_PER_TASK = 30
NOT_IN_THE_REFERENCE = {
    "R12": "whoever has several orders there sent most of them to the default address",
    "W4": "no gift card there covers either of two pending orders and not both",
    "N6": "no order there has the status `pending (item modified)`",
    "N7": "no order there has a return or an exchange requested",
}
"""Archetypes that the reference's data do not fit, and why."""

BY_SLUG = {archetype.slug: archetype for archetype in ARCHETYPES}
EVERY = pytest.mark.parametrize("slug", BY_SLUG)


@pytest.fixture(scope="module")
def ours(shop: Environment) -> Designer:
    return Designer(shop)


@pytest.fixture(scope="module")
def reference(tau2_root: Path) -> Designer:
    folder = tau2_root / "checkout/data/tau2/domains/retail"
    retail = world("retail")
    raw = json.loads((folder / "db.json").read_text())
    return Designer(retail.build(state=retail.read_state(raw), version="reference"))


def design(designer: Designer, slug: str, count: int) -> list[Task]:
    """So many tasks, each within the draws that one may take."""
    return [
        designer.design(slug, seed, draws=DRAWS_PER_TASK * 3) for seed in range(count)
    ]


def collection(designer: Designer, name: str) -> dict[str, Any]:
    return dict(designer.environment.state.collections[name])


def judge(designer: Designer, archetype: Archetype, tasks: list[Task]) -> None:
    domain = designer.environment.domain
    for task in tasks:
        understood_as(archetype.slug, task.text, task.facts, domain)
        assert task.burden.total >= 2
        match archetype.task_class:
            case TaskClass.READ_HEAVY:
                assert len(task.gold) == 1
                assert not task.declined
            case TaskClass.WRITE_INTENSIVE:
                assert len(task.gold) > 1
            case TaskClass.REFUSAL:
                assert task.declined in designer.environment.clauses
                assert not task.gold
            case _:
                assert not task.gold
                assert not task.declined


class TestCatalogue:
    def test_has_enough_of_each_class(self) -> None:
        classes = [archetype.task_class for archetype in ARCHETYPES]

        assert classes.count(TaskClass.READ_HEAVY) >= 22
        assert classes.count(TaskClass.REFUSAL) >= 10
        assert classes.count(TaskClass.TRANSFER) >= 1
        assert classes.count(TaskClass.INFORMATION) >= 2
        assert len(BY_SLUG) == len(ARCHETYPES)

    @EVERY
    def test_says_things_in_several_ways(self, slug: str) -> None:
        for clause in BY_SLUG[slug].clauses:
            assert len(clause.patterns) >= (4 if clause.opens else 2), clause.name
        assert BY_SLUG[slug].clauses[0].opens

    @EVERY
    def test_has_clauses_that_can_stand_beside_those_of_other_requests(
        self, slug: str
    ) -> None:
        """A sentence that begins with "it" or "them" speaks of whatever was said before."""
        for clause in BY_SLUG[slug].clauses:
            for pattern in clause.patterns:
                assert not re.match(r"(It|They|Them|This)\b", pattern), pattern
                assert not re.search(r"\b(refund|for|with) (it|them)\b", pattern)


class TestOurShop:
    @EVERY
    def test_gives_tasks_readily(self, ours: Designer, slug: str) -> None:
        tasks = design(ours, slug, 2)

        judge(ours, BY_SLUG[slug], tasks)
        for task in tasks:
            assert [step.model_dump()["kind"] for step in task.query.steps[:2]] == [
                "the",
                "the",
            ]
            text = str(task.query)
            assert text.startswith("the     account in account(")
            assert "the     profile in profile of account" in text


class TestReference:
    @EVERY
    def test_gives_tasks_readily_or_has_nobody_who_fits(
        self, reference: Designer, slug: str
    ) -> None:
        if slug in NOT_IN_THE_REFERENCE:
            people = list(reference.environment.people)
            assert not list(draws(reference.environment, BY_SLUG[slug], people))
        else:
            judge(reference, BY_SLUG[slug], design(reference, slug, 2))

    def test_proves_most_tasks_whole(self, reference: Designer) -> None:
        slugs = [
            archetype.slug
            for archetype in ARCHETYPES
            if archetype.task_class is TaskClass.READ_HEAVY
            and archetype.slug not in NOT_IN_THE_REFERENCE
        ]
        tasks = [task for slug in slugs for task in design(reference, slug, 2)]

        assert sum(task.burden.exact for task in tasks) >= 0.9 * len(tasks)

    @pytest.mark.parametrize("slug", ["W1", "W2"])
    def test_proves_requests_about_two_orders_whole(
        self, reference: Designer, slug: str
    ) -> None:
        """Of somebody with these two alone, one of them would tell what the other is."""
        assert all(task.burden.exact for task in design(reference, slug, 6))


def draws(
    environment: Environment, archetype: Archetype, people: list[str]
) -> Iterator[Any]:
    """Whatever each person alone gives, asked several times."""
    rng = random.Random(1)
    for person in people:
        for _ in range(5):
            found = archetype.propose(Session(environment.state), rng, [person])
            if found is not None:
                yield found


class TestTraps:
    """What the catalogue warns of, looked up in the data and not in the draws' own words."""

    def line(self, designer: Designer, task: Task) -> Record:
        order = collection(designer, "orders")[task.gold[0].call.arguments["order_id"]]
        (item,) = task.gold[0].call.arguments["item_ids"]
        return next(line for line in order["items"] if line["item_id"] == item)

    def others(self, designer: Designer, line: Record) -> list[Record]:
        product = collection(designer, "products")[line["product_id"]]
        return [
            variant
            for variant in product["variants"].values()
            if variant["available"] and variant["item_id"] != line["item_id"]
        ]

    def new(self, designer: Designer, task: Task) -> tuple[Record, Record]:
        """What is exchanged, and for what."""
        line = self.line(designer, task)
        (item,) = task.gold[0].call.arguments["new_item_ids"]
        variants = self.others(designer, line)
        return line, next(v for v in variants if v["item_id"] == item)

    def test_r3_has_a_limit_strictly_between_two_prices_of_every_item(
        self, ours: Designer
    ) -> None:
        for task in design(ours, "R3", 4):
            arguments = task.gold[0].call.arguments
            lines = collection(ours, "orders")[arguments["order_id"]]["items"]
            assert [line["item_id"] for line in lines] == arguments["item_ids"]
            for line, new in zip(lines, arguments["new_item_ids"], strict=True):
                rises = {
                    v["item_id"]: v["price"] - line["price"]
                    for v in self.others(ours, line)
                }
                assert rises[new] < task.facts["extra"] < max(rises.values())
                assert rises[new] == max(
                    rise for rise in rises.values() if rise < task.facts["extra"]
                )

    def test_r4_changes_that_option_alone_and_leaves_no_choice(
        self, ours: Designer
    ) -> None:
        for task in design(ours, "R4", 4):
            line = self.line(ours, task)
            differing = [
                [k for k in v["options"] if v["options"][k] != line["options"][k]]
                for v in self.others(ours, line)
            ]
            assert differing.count([task.facts["option"]]) == 1

    def test_r7_never_has_one_item_twice(self, ours: Designer) -> None:
        for task in design(ours, "R7", 4):
            arguments = task.gold[0].call.arguments
            lines = collection(ours, "orders")[arguments["order_id"]]["items"]
            least = min(lines, key=lambda line: line["price"])
            rest = [line["item_id"] for line in lines if line is not least]
            assert arguments["item_ids"] == rest
            assert least["item_id"] not in rest

    def test_r12_makes_an_address_the_default_that_is_not(self, ours: Designer) -> None:
        for task in design(ours, "R12", 3):
            arguments = dict(task.gold[0].call.arguments)
            user = collection(ours, "users")[arguments.pop("user_id")]
            orders = collection(ours, "orders")
            used = [orders[order_id]["address"] for order_id in user["orders"]]
            times = [used.count(address) for address in used]
            assert arguments != user["address"]
            assert used.count(arguments) == max(times)
            assert times.count(max(times)) == max(times)

    def test_r14_leaves_a_dearer_version_beyond_the_balance(
        self, ours: Designer
    ) -> None:
        for task in design(ours, "R14", 4):
            line, new = self.new(ours, task)
            card = task.gold[0].call.arguments["payment_method_id"]
            users = collection(ours, "users").values()
            balance = next(
                user["payment_methods"][card]["balance"]
                for user in users
                if card in user["payment_methods"]
            )
            rises = [v["price"] - line["price"] for v in self.others(ours, line)]
            assert new["price"] - line["price"] <= balance - 1
            assert max(rises) >= balance + 1

    def test_r16_is_the_largest_and_then_the_cheapest(self, ours: Designer) -> None:
        for task in design(ours, "R16", 4):
            line, new = self.new(ours, task)
            name = task.facts["size"]
            sizes = {
                v["item_id"]: size(v["options"][name]) for v in self.others(ours, line)
            }
            assert len({found[0] for found in sizes.values() if found}) == 1
            largest = max(found[1] for found in sizes.values() if found)
            equal = [
                v
                for v in self.others(ours, line)
                if (sizes[v["item_id"]] or ("", 0))[1] == largest
            ]
            assert new == min(equal, key=lambda v: v["price"])

    def test_r17_excludes_two_versions_that_would_be_cheaper(
        self, ours: Designer
    ) -> None:
        for task in design(ours, "R17", 4):
            line, new = self.new(ours, task)
            cheaper = [v for v in self.others(ours, line) if v["price"] < new["price"]]
            for option in ("option", "other_option"):
                value = task.facts[option.replace("option", "value")]
                named = task.facts[option]
                assert new["options"][named] != value
                assert any(v["options"][named] == value for v in cheaper)

    def test_r20_takes_both_ways_and_never_counts_what_was_said(
        self, ours: Designer
    ) -> None:
        tools = set()
        for task in design(ours, "R20", 10):
            count = len(self.others(ours, self.line(ours, task)))
            assert count != task.facts["count"]
            tool = task.gold[0].call.name
            tools.add(tool)
            assert tool.startswith("exchange") == (count > task.facts["count"])
        assert len(tools) == 2

    def test_r21_takes_both_ways_with_room_to_spare(self, ours: Designer) -> None:
        tools = set()
        for task in design(ours, "R21", 8):
            margin = task.companions.margin
            assert margin is not None
            tools.add(task.gold[0].call.name)
            if task.gold[0].call.name == "modify_user_address":
                assert margin >= 25
        assert tools == {"modify_user_address", "return_delivered_order_items"}

    def test_r23_and_n13_differ_in_what_paid_the_other_order(
        self, ours: Designer
    ) -> None:
        for task in design(ours, "R23", 3):
            method = task.gold[0].call.arguments["payment_method_id"]
            assert method.startswith("gift_card")
        assert {task.declined for task in design(ours, "N13", 3)} == {"6.2"}


OTHER_CLAUSE = {"N11": "4.1", "N14": "5.1"}
"""Refusals whose proofs turn on the order's status: another clause then forbids the same."""


class TestRefusals:
    @pytest.mark.parametrize(
        "slug",
        [
            archetype.slug
            for archetype in ARCHETYPES
            if archetype.task_class is TaskClass.REFUSAL
        ],
    )
    def test_turn_on_something_that_is_read(self, ours: Designer, slug: str) -> None:
        """In a world that differs in one read, the same words are granted; or refused by another clause."""
        for task in design(ours, slug, 2):
            witnesses = [read.witness for read in task.certificate if read.witness]
            assert witnesses
            if slug in OTHER_CLAUSE:
                clauses = {witness.declined for witness in witnesses}
                assert OTHER_CLAUSE[slug] in clauses
            else:
                assert any(witness.gold for witness in witnesses)

    def test_n14_is_granted_to_whoever_has_that_very_card(self, ours: Designer) -> None:
        shop = ours.environment
        for task in design(ours, "N14", 3):
            read = next(
                read.call
                for read in task.certificate
                if read.call.name == "get_user_details"
            )
            granted = []
            for patch in shop.domain.mutations(
                Session(shop.state), read, random.Random(1)
            ):
                state = Session(shop.state)
                state.apply_patch(patch)
                source = shop.domain.from_state(state)
                try:
                    found = answer(task.query, task.facts, source, shop.domain)
                except Unidentifiable:
                    continue  # the description fits nothing any more
                granted += [patch] if found.gold else []
            assert granted
            assert all("last_four" in patch[0]["path"] for patch in granted)


class TestSize:
    @pytest.mark.parametrize(
        ("smaller", "larger"),
        [
            ("512GB SSD", "1TB SSD"),
            ("500ml", "1 liter"),
            ("9 inch", "12 inch"),
            ("5.8-inch", "6-inch"),
            ("250", "1000"),
            ("2-piece", "4-piece"),
            ("5000mAh", "10000mAh"),
            ("2 qt", "3.5 qt"),
        ],
    )
    def test_orders_what_is_written_in_different_units(
        self, smaller: str, larger: str
    ) -> None:
        one, other = size(smaller), size(larger)
        assert one
        assert other
        assert one[0] == other[0]
        assert one[1] < other[1]

    @pytest.mark.parametrize("text", ["", "large", "SD card", "4 1/4", "5x8 ft", "M"])
    def test_knows_what_is_no_size(self, text: str) -> None:
        assert size(text) is None

    def test_keeps_kinds_of_units_apart(self) -> None:
        kinds = {
            found[0] for text in ("1 L", "1 GB", "1 inch", "1") if (found := size(text))
        }
        assert len(kinds) == 4

"""Where arguments come from, asked of small conversations made for it, and of the content of a benchmark whose first call is never grounded."""

import importlib.util
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from environments.core.tools import ToolCall
from tests.engine.talks import (
    called,
    check,
    edited,
    first,
    judged,
    small_shop,
    talk,
    task_of,
)
from writ_app.engine.types import ArgumentOrigin, GoldWrite, Message, Provenance
from writ_app.engine.verification.formulas import formula
from writ_app.engine.verification.provenance import (
    Traced,
    trace_arguments,
    trace_lookups,
)
from writ_app.engine.verification.results import MOST_SOUGHT, Shown, content_of
from writ_app.engine.verification.sources import ALTERNATIVES, Sources


def call(name: str, **arguments: Any) -> ToolCall:
    return ToolCall(name=name, arguments=arguments)


def shown(index: int, made: ToolCall, data: Any, wrote: bool = False) -> Shown:
    text = data if isinstance(data, str) else json.dumps(data)
    return Shown(index, made, content_of(text), wrote)


def sources(
    *results: Shown,
    values: Sequence[Any] = (),
    user: Sequence[tuple[int, str]] = (),
    agent: Sequence[tuple[int, str]] = (),
    read_again: Callable[[ToolCall, int], str] | None = None,
) -> Sources:
    return Sources(
        small_shop(), results, user, agent, values=values, read_again=read_again
    )


ORDER = call("get_order_details", order_id="#W1")
CHANGE = call("modify_pending_order_items", order_id="#W1", item_ids=["11"])


def order(item: str, **more: Any) -> dict[str, Any]:
    return {"order_id": "#W1", "status": "pending", "items": [{"item_id": item}]} | more


class TestFind:
    def test_gives_message_and_pointer_of_the_latest_read(self) -> None:
        product = call("get_product_details", product_id="9")
        known = sources(
            shown(3, ORDER, order("11")),
            shown(5, product, {"variants": {"11": {"item_id": "11"}}}),
            values=["11"],
        )
        found = known.find("11", 8)
        assert (found.kind, found.index, found.pointer) == (
            "exact",
            5,
            "/variants/11/item_id",
        )
        assert found.alternatives == ((3, "/items/0/item_id"),)
        assert known.find("11", 5).index == 3
        assert known.find("11", 3).kind == "not_found"

    def test_keeps_a_few_alternatives(self) -> None:
        reads = [call("get_order_details", order_id=f"#W{n}") for n in range(20)]
        known = sources(
            *(shown(n, read, {"item_id": "11"}) for n, read in enumerate(reads)),
            values=["11"],
        )
        found = known.find("11", 30)
        assert found.index == 19
        assert [index for index, _ in found.alternatives] == [18, 17, 16, 15, 14, 13]
        assert len(found.alternatives) == ALTERNATIVES

    def test_prefers_the_place_that_the_proof_used(self) -> None:
        hint = ArgumentOrigin(
            pointer="/x", kind="read", refs=((ORDER.key, "/items/0/item_id"),)
        )
        later = shown(5, call("get_user_details", user_id="u"), {"last": "11"})
        known = sources(shown(3, ORDER, order("11")), later, values=["11"])
        assert known.find("11", 8, hint).index == 3
        assert known.find("11", 8).index == 5

    def test_prefers_the_users_own_words_to_a_read_that_fits_and_keeps_the_read(
        self,
    ) -> None:
        profile = call("get_user_details", user_id="u")
        known = sources(
            shown(3, profile, {"address": {"zip": "78701"}, "bags": 2}),
            user=[(1, "Send it to 78701."), (5, "And 2 bags.")],
            values=["78701", 2],
        )
        found = known.find("78701", 8)
        assert (found.kind, found.index) == ("said", 1)
        assert found.alternatives == ((3, "/address/zip"),)
        assert known.find(2, 8).kind == "said"
        assert known.find(2, 5).kind == "exact"

    def test_takes_the_place_of_the_proof_all_the_same_and_keeps_the_users_words(
        self,
    ) -> None:
        hint = ArgumentOrigin(
            pointer="/x", kind="read", refs=((ORDER.key, "/items/0/item_id"),)
        )
        known = sources(
            shown(3, ORDER, order("11")), user=[(1, "Item 11.")], values=["11"]
        )
        found = known.find("11", 8, hint)
        assert (found.kind, found.index) == ("exact", 3)
        assert found.alternatives == ((1, ""),)

    def test_takes_a_word_for_a_number_only_if_no_read_shows_it_or_the_proof_says_so(
        self,
    ) -> None:
        known = sources(
            shown(3, ORDER, {"bags": 1}), user=[(1, "The one to Boston.")], values=[1]
        )
        assert known.find(1, 8).kind == "exact"
        assert known.find(1, 8).alternatives == ((1, ""),)
        fact = ArgumentOrigin(pointer="/bags", kind="fact")
        assert known.find(1, 8, fact).kind == "said"

    def test_takes_what_the_proof_knows_to_be_said_from_the_user_in_any_form(
        self,
    ) -> None:
        fact = ArgumentOrigin(pointer="/date", kind="fact")
        known = sources(
            shown(3, ORDER, {"placed": "2024-05-20"}),
            user=[(1, "On May 20, please.")],
            values=["2024-05-20"],
        )
        found = known.find("2024-05-20", 8, fact)
        assert (found.kind, found.index) == ("normalised", 1)
        assert known.find("2024-05-20", 8).kind == "exact"

    def test_does_not_prefer_what_the_user_repeats_after_the_agent(self) -> None:
        known = sources(
            shown(3, ORDER, order("11")),
            agent=[(4, "Item 11?")],
            user=[(5, "Yes, 11.")],
            values=["11"],
        )
        assert known.find("11", 8).kind == "exact"

    def test_calls_stale_what_the_result_of_a_later_write_denies(self) -> None:
        known = sources(
            shown(3, ORDER, order("11")),
            shown(7, CHANGE, order("22"), wrote=True),
            values=["11", "22"],
        )
        found = known.find("11", 9)
        assert (found.kind, found.index, found.pointer) == (
            "stale",
            3,
            "/items/0/item_id",
        )
        assert found.detail == "message 7 shows '22' there"
        assert found.alternatives == ((7, "/items/0/item_id"),)
        assert known.find("11", 7).kind == "exact"
        assert known.find("22", 9).kind == "exact"

    def test_calls_stale_what_a_read_after_the_write_denies(self) -> None:
        known = sources(
            shown(3, ORDER, order("11")),
            shown(7, call("cancel", what="x"), "Done.", wrote=True),
            shown(9, ORDER, order("22")),
            values=["11", "22"],
        )
        assert known.find("11", 10).kind == "stale"
        assert known.find("22", 10).kind == "exact"

    def test_calls_stale_what_the_same_read_would_no_longer_show(self) -> None:
        asked: list[tuple[str, int]] = []

        def now(read: ToolCall, before: int) -> str:
            asked.append((read.name, before))
            return json.dumps(order("22"))

        known = sources(
            shown(3, ORDER, order("11")),
            shown(7, call("cancel", what="x"), "Done.", wrote=True),
            values=["11", "#W1"],
            read_again=now,
        )
        assert known.find("11", 9).kind == "stale"
        assert known.find("11", 9).detail == "message 7 has changed it"
        assert known.find("#W1", 9).kind == "exact"
        assert known.find("11", 7).kind == "exact"
        assert asked == [("get_order_details", 9)]

    def test_is_not_misled_by_a_write_if_another_place_still_shows_the_value(
        self,
    ) -> None:
        product = call("get_product_details", product_id="9")
        known = sources(
            shown(3, ORDER, order("11")),
            shown(5, product, {"variants": {"11": {"item_id": "11"}}}),
            shown(7, CHANGE, order("22"), wrote=True),
            values=["11"],
        )
        assert (known.find("11", 9).kind, known.find("11", 9).index) == ("exact", 5)

    @pytest.mark.parametrize("value", ["11", "22"])
    def test_calls_it_a_conflict_when_two_reads_disagree_with_nothing_written_between(
        self, value: str
    ) -> None:
        known = sources(
            shown(3, ORDER, order("11")),
            shown(5, ORDER, order("22")),
            values=[value],
        )
        found = known.find(value, 9)
        assert found.kind == "conflict"
        assert found.alternatives[0][0] != found.index

    def test_compares_records_of_one_kind_only(self) -> None:
        """An order bears its owner's id, too, and has an address of its own."""
        user = call("get_user_details", user_id="mia")
        book = call("book", user_id="mia")
        known = sources(
            shown(3, user, {"user_id": "mia", "zip": "78701", "email": "m", "name": 1}),
            shown(
                7, book, {"user_id": "mia", "zip": "10001", "b": 2, "c": 3}, wrote=True
            ),
            values=["78701"],
        )
        assert known.find("78701", 9).kind == "exact"

    @pytest.mark.parametrize(
        ("value", "leaf", "what"),
        [
            ("Basic Economy", "basic_economy", "white space, case"),
            ("12 Elm  Street", "12 Elm Street", "white space"),
            (1204.5, "$1,204.50", "currency, separator, decimals"),
            ("2024-05-20", "2024-05-20T13:00:00", "date"),
            ("2024-05-20", "May 20, 2024", "date"),
            (20, "20 kg", "unit"),
            ("AUSTIN", "Austin", "case"),
        ],
    )
    def test_says_what_was_normalised(self, value: Any, leaf: str, what: str) -> None:
        known = sources(shown(3, ORDER, {"it": [leaf]}), values=[value])
        found = known.find(value, 9)
        assert (found.kind, found.index, found.pointer) == ("normalised", 3, "/it/0")
        assert found.detail == f"{what}: from {leaf!r}"

    @pytest.mark.parametrize(
        ("value", "told", "detail"),
        [
            ("2024-05-20", "On the 20th of May, please.", "date: “May 20”"),
            (
                "2024-05-20",
                "Any day from May 19 to May 22.",
                "date: between May 19 and 22",
            ),
            (1204, "No more than $1,204!", "currency"),
        ],
    )
    def test_takes_what_the_user_says_in_another_form(
        self, value: Any, told: str, detail: str
    ) -> None:
        found = sources(user=[(1, told)]).find(value, 9)
        assert (found.kind, found.index, found.detail) == ("normalised", 1, detail)

    @pytest.mark.parametrize(
        "told", ["I may take 20 of them.", "On June 20.", "In May.", "May 21."]
    )
    def test_does_not_take_another_day_for_it(self, told: str) -> None:
        assert sources(user=[(1, told)]).find("2024-05-20", 9).kind == "not_found"

    def test_gives_the_formula_with_the_places_of_its_numbers(self) -> None:
        known = sources(
            shown(3, ORDER, {"fare": 284}),
            shown(5, CHANGE, {"bag": 30.0}),
            values=[314],
        )
        found = known.find(314, 9)
        assert (found.kind, found.detail) == ("derived", "30 + 284")
        assert {(found.index, found.pointer), *found.alternatives} == {
            (3, "/fare"),
            (5, "/bag"),
        }

    def test_makes_the_formula_of_the_numbers_that_the_proof_used(self) -> None:
        hint = ArgumentOrigin(
            pointer="/amount",
            kind="derived",
            refs=((ORDER.key, "/fares/1"), (ORDER.key, "/fares/2")),
            detail="trip.fare",
        )
        known = sources(shown(3, ORDER, {"fares": [100, 284, 30, 214]}), values=[314])
        assert known.find(314, 9, hint).detail == "284 + 30"

    def test_takes_no_for_an_answer_that_needs_no_source(self) -> None:
        assert sources().find(0, 9).kind == "policy"
        assert sources(user=[(1, "No bags.")]).find(0, 9).kind == "said"
        assert sources().find(7, 9).kind == "not_found"

    def test_does_not_count_what_the_agent_said_first(self) -> None:
        known = sources(agent=[(2, "Item 4711?")], user=[(3, "Yes, 4711.")])
        assert known.find("4711", 9).kind == "not_found"


class TestFormula:
    @pytest.mark.parametrize(
        ("value", "numbers", "words"),
        [
            (314, [284, 30], "284 + 30"),
            (254, [284, 30], "284 − 30"),
            (852, [284, 3], "284 × 3"),
            (347.5, [284, 30, 33.5], "284 + 30 + 33.5"),
            (882, [284, 3, 30], "284 × 3 + 30"),
            (1_234_567.89, [1_234_567, 0.89], "1234567 + 0.89"),
        ],
    )
    def test_is_told_in_words(
        self, value: float, numbers: list[float], words: str
    ) -> None:
        assert formula(value, numbers)[0] == words

    @pytest.mark.parametrize(
        ("value", "numbers"), [(0, [250]), (5, [1332]), (284, [284, 1]), (7, [])]
    )
    def test_proves_nothing_by_going_round_in_circles(
        self, value: float, numbers: list[float]
    ) -> None:
        assert formula(value, numbers) == ("", ())


class TestTraceArguments:
    def test_has_a_row_for_every_leaf_of_gold_and_actual(self) -> None:
        rows = judged(talk("W1"), "W1").provenance
        both = {
            side: [
                (r.write, r.pointer, r.kind, r.source) for r in rows if r.side == side
            ]
            for side in ("actual", "gold")
        }
        assert both["gold"] == both["actual"]
        gold = task_of("W1").gold
        assert len(both["gold"]) == sum(leaf_count(w.call.arguments) for w in gold)
        assert {r.message for r in rows if r.side == "gold"} == {
            r.message for r in rows if r.side == "actual"
        }

    def test_looks_for_the_gold_where_another_write_was_made_in_its_place(self) -> None:
        gold = GoldWrite(call=CHANGE)
        other = call("modify_pending_order_items", order_id="#W1", item_ids=["99"])
        known = sources(
            shown(3, ORDER, order("11")),
            shown(9, ORDER, order("11")),
            values=["#W1", "11", "99"],
        )
        rows = list(
            trace_arguments(
                known, [Traced(5, other)], [gold], [Traced(5, gold.call)], 12
            )
        )
        assert [(r.side, r.pointer, r.kind, r.source) for r in rows] == [
            ("actual", "/order_id", "exact", 3),
            ("actual", "/item_ids/0", "not_found", None),
            ("gold", "/order_id", "exact", 3),
            ("gold", "/item_ids/0", "exact", 3),
        ]

    def test_says_of_a_gold_value_that_it_was_never_seen(self) -> None:
        def unread(messages: list[Message]) -> Sequence[Message]:
            n = first(messages, shows_product)
            return [*messages[: n - 1], *messages[n + 1 :]]

        seen = gold_row(judged(edited(talk("R1"), unread), "R1").provenance)
        assert (seen.kind, seen.source) == ("not_found", None)

    def test_takes_the_whole_conversation_for_a_write_that_was_not_made(self) -> None:
        def without_write(messages: list[Message]) -> Sequence[Message]:
            n = first(
                messages,
                lambda m: any(small_shop().is_write(c.name) for c in m.tool_calls),
            )
            return [*messages[:n], *messages[n + 2 :]]

        rows = judged(edited(talk("R1"), without_write), "R1").provenance
        assert {r.side for r in rows} == {"gold"}
        assert {r.message for r in rows} == {None}
        assert gold_row(rows).kind == "exact"

    def test_needs_no_pair(self) -> None:
        gold = GoldWrite(call=call("cancel", order_id="#W1"))
        rows = trace_arguments(
            sources(user=[(5, "#W1")]), [], [gold], [Traced(None, gold.call)], 9
        )
        assert [(r.side, r.kind, r.source) for r in rows] == [("gold", "said", 5)]

    def test_reads_rows_that_were_stored_before_there_were_sides(self) -> None:
        old = {"message": 4, "write": 0, "pointer": "/a", "value": 1, "kind": "exact"}
        row = Provenance.model_validate(old)
        assert (row.side, row.alternatives) == ("actual", ())

    def test_rejects_nobody_for_what_is_doubtful(self) -> None:
        """The results say different things, which the replay sees; the argument itself was told."""

        def look_twice(messages: list[Message]) -> Sequence[Message]:
            n = first(messages, shows_product)
            read = messages[n - 1].tool_calls[0].call
            wanted = task_of("R1").gold[0].call.arguments["new_item_ids"][0]
            other = messages[n].content.replace(wanted, "1234567890")
            return [*messages[: n - 1], *called(read, 1, other), *messages[n - 1 :]]

        found = judged(edited(talk("R1"), look_twice), "R1")
        assert gold_row(found.provenance).kind == "conflict"
        verdict = check("provenance", found)
        assert verdict.passed
        assert "To be looked at: /new_item_ids/0 (conflict)" in verdict.finding
        assert found.reason == "replay"


def shows_product(message: Message) -> bool:
    return message.role == "tool" and '"variants"' in message.content


def gold_row(rows: Sequence[Provenance]) -> Provenance:
    return next(r for r in rows if r.side == "gold" and r.pointer == "/new_item_ids/0")


def leaf_count(value: Any) -> int:
    if isinstance(value, dict | list) and value:
        inside = value.values() if isinstance(value, dict) else value
        return sum(map(leaf_count, inside))
    return 1


class TestTraceLookups:
    def test_has_a_row_for_what_nothing_before_shows(self) -> None:
        read = call("find_user_id_by_name_zip", first_name="Mia", zip="78701")
        known = sources(user=[(1, "I am Mia, zip 45123."), (5, "Or was it 78701?")])
        rows = list(trace_lookups(known, [Traced(2, read), Traced(6, read)]))
        assert [(r.side, r.message, r.pointer, r.kind) for r in rows] == [
            ("read", 2, "/zip", "ungrounded")
        ]

    def test_is_content_with_results_constants_and_other_words(self) -> None:
        known = sources(
            shown(2, ORDER, {"note": "see order #W77 of 2024"}),
            user=[(1, "on May 20, my order")],
        )
        fine = call("search", order_id="#W77", date="2024-05-20", status="pending")
        loose = call("search", order_id="#W78", date="2024-05-21", deep={"a": ["x9"]})
        rows = list(trace_lookups(known, [Traced(3, fine), Traced(4, loose)]))
        assert [r.pointer for r in rows] == ["/order_id", "/date", "/deep/a/0"]

    def test_finds_nothing_in_clean_conversations(self) -> None:
        for slug in ("R1", "R6", "W1", "W2", "N1"):
            assert not [
                r for r in judged(talk(slug), slug).provenance if r.side == "read"
            ]


# --- the content of the benchmark ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    root = os.environ.get("WRIT_TAU2_ROOT", "")
    script = Path(root).parent / "bench" / "gen_tasks.py"
    if not root or not script.exists():
        pytest.skip("needs bench/gen_tasks.py beside the folder WRIT_TAU2_ROOT")
    spec = importlib.util.spec_from_file_location("gen_tasks", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestGeneratedContent:
    """The first call of every trajectory looks for the zip 78701, whatever the user said."""

    def test_is_flagged_every_time(self, generator: ModuleType) -> None:
        for number in range(300):
            made = generator.make(number)
            zips = [
                row
                for row in ungrounded(made["messages"])
                if (row.pointer, row.value) == ("/zip", "78701")
            ]
            honest = "78701" in made["messages"][1]["content"]
            assert len(zips) == (0 if honest else 1), made["id"]

    def test_is_flagged_for_products_that_nothing_showed(
        self, generator: ModuleType
    ) -> None:
        found = {row.pointer for row in ungrounded(generator.make(7)["messages"])}
        assert found == {"/zip", "/product_id"}

    def test_grounds_what_its_own_evidence_grounds(self, generator: ModuleType) -> None:
        """The rows agree with the evidence that the generator wrote down, and street and city come from nowhere."""
        for number in range(50):
            made = generator.make(number)
            for row in rows_of_writes(made["messages"]):
                if row.pointer in (
                    "/order_id",
                    "/payment_method_id",
                    "/user_id",
                ) or row.pointer.endswith("item_ids/0"):
                    assert row.kind == "exact"
                elif row.pointer == "/address1":
                    assert row.kind == "not_found"


def calls_in(messages: list[dict[str, Any]]) -> Iterator[tuple[int, ToolCall, str]]:
    for n, message in enumerate(messages):
        for made in message.get("tool_calls", ()):
            function = made["function"]
            arguments = json.loads(function["arguments"])
            yield (
                n,
                ToolCall(name=function["name"], arguments=arguments),
                messages[n + 1]["content"],
            )


def sources_of(messages: list[dict[str, Any]]) -> Sources:
    calls = list(calls_in(messages))
    texts = {
        role: [
            (n, m["content"])
            for n, m in enumerate(messages)
            if m["role"] == role and m["content"]
        ]
        for role in ("user", "assistant")
    }
    return Sources(
        small_shop(),
        [
            Shown(n + 1, made, content_of(content), small_shop().is_write(made.name))
            for n, made, content in calls
        ],
        texts["user"],
        texts["assistant"],
        values=[value for n, made, _ in calls for _, value in Traced(n, made).leaves],
    )


def ungrounded(messages: list[dict[str, Any]]) -> list[Provenance]:
    reads = [
        Traced(n, made)
        for n, made, _ in calls_in(messages)
        if not small_shop().is_write(made.name)
    ]
    return list(trace_lookups(sources_of(messages), reads))


def rows_of_writes(messages: list[dict[str, Any]]) -> list[Provenance]:
    writes = [
        Traced(n, made)
        for n, made, _ in calls_in(messages)
        if small_shop().is_write(made.name)
    ]
    return list(trace_arguments(sources_of(messages), writes))


def test_a_result_of_which_much_was_asked_still_knows_its_places() -> None:
    """What was sought in it is forgotten at some time, be it between a search and its row."""
    content = content_of(json.dumps({"items": [{"id": "11"}, {"id": "22"}]}))
    assert content.shown(frozenset(("22", "33"))) == {"22"}
    for n in range(MOST_SOUGHT + 2):
        assert not content.shows(f"none {n}")
    assert content.place("22") == "/items/1/id"
    assert content.shows("22")
    assert not content.shows("33")

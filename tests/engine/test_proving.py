"""The prover takes nothing on trust: what was designed holds, and every kind of falsehood is found and named."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from environments.core.errors import Unidentifiable
from environments.core.evaluate import Answer, answer
from environments.core.policy import Breach, PolicyCheck
from environments.core.query import Query
from environments.core.state import Session
from environments.core.tools import ToolCall
from tests.engine.lines import Desk, Line, desk
from writ_app.adapters.worlds import checkout_world
from writ_app.engine.evidence import Observer
from writ_app.engine.proving import Prover, repeated
from writ_app.engine.task_design import Designer
from writ_app.engine.task_file import line_of, read_line

SLUGS = {
    "retail": [
        "R1",
        "R2",
        "R5",
        "R6",
        "R8",
        "R12",
        "R15",
        "R21",
        "R24",
        "W1",
        "W3",
        "N1",
        "I2",
        "T1",
    ],
    "rental": [
        "E1",
        "E4",
        "E5",
        "E8",
        "E14",
        "E20",
        "W1",
        "W2",
        "N1",
        "N3",
        "I1",
        "I2",
        "T1",
    ],
    "airline": [
        "A1",
        "A2",
        "A4",
        "A6",
        "A11",
        "A13",
        "A17",
        "A20",
        "W2",
        "N2",
        "I3",
        "I4",
        "T1",
    ],
}
EVERY = [
    (name, slug) for name, slugs in SLUGS.items() for slug in (*slugs, "in order")
] + [("retail", "joined"), ("rental", "joined")]


def found_by(
    at: Desk, query: Query, facts: Any, state: Session | None = None
) -> Answer:
    domain = at.environment.domain
    state = Session(at.environment.state) if state is None else state
    return answer(query, facts, domain.from_state(state), domain)


def witnessed(line: Line, name: str) -> Line:
    """The last read of that name, which has a witness."""
    read: Line = [r for r in line["certificate"] if r["name"] == name and r["witness"]][
        -1
    ]
    return read


class TestHolds:
    @pytest.mark.parametrize(("name", "slug"), EVERY)
    def test_what_was_designed(self, name: str, slug: str) -> None:
        assert desk(name).refute(desk(name).line(slug)) is None

    @pytest.mark.parametrize("name", ["airline", "retail"])
    def test_what_was_designed_over_the_reference_database(
        self, name: str, tau2_root: Path
    ) -> None:
        environment, _ = checkout_world(tau2_root, name)
        designer, prover = Designer(environment), Prover(environment)

        slugs = {"airline": ("A4", "I4"), "retail": ("R1", "R6", "N1")}[name]
        for slug in slugs:
            line = read_line(line_of(designer.design(slug, 1)))
            assert prover.refute(line) is None

    def test_for_every_prover_whatever_it_proved_before(self) -> None:
        shop = desk("retail")
        lines = [read_line(json.dumps(shop.line(s))) for s in ("R15", "R1", "in order")]

        assert [Prover(shop.environment).refute(line) for line in lines] == [None] * 3


# --- falsehoods: each spoils one line in one way -------------------------------------------------------------------------------


def gold_argument(line: Line, at: Desk) -> None:
    arguments = line["gold"][0]["arguments"]
    arguments["new_item_ids"] = arguments["new_item_ids"][::-1]


def gold_order(line: Line, at: Desk) -> None:
    line["gold"].reverse()


def gold_missing(line: Line, at: Desk) -> None:
    line["gold"].pop()


def effect(line: Line, at: Desk) -> None:
    line["gold_effect"] = desk("retail").task("R6").gold_effect


def told_value(line: Line, at: Desk) -> None:
    line["told"][0]["value"] += 0.01


def refusal_clause(line: Line, at: Desk) -> None:
    line["declined"] = "5.1" if line["declined"] != "5.1" else "4.1"


def hidden_transfer(line: Line, at: Desk) -> None:
    line["transferred"] = ""


def other_class(line: Line, at: Desk) -> None:
    line["class"] = "information"


def tie(line: Line, at: Desk) -> None:
    """Other places, between which two trips cost the same, with everything else said accordingly."""
    archetype = at.designer.archetypes[line["archetype"]]
    places = list(at.environment.domain.lexicon["to_1"])
    for start, end in permutations(places, 2):
        facts = {**line["known_facts"], "from_1": start, "to_1": end}
        query = archetype.query(facts)
        try:
            found_by(at, query, facts)
        except Unidentifiable as error:
            if error.reason == "tie":
                line["known_facts"] = facts
                line["query"] = json.loads(query.model_dump_json())
                line["query_text"] = str(query)
                return
    raise AssertionError("No two places have a tie.")


def query(line: Line, at: Desk) -> None:
    best = next(step for step in line["query"]["steps"] if step["kind"] == "best")
    best["rank"] += 1


def query_text(line: Line, at: Desk) -> None:
    line["query_text"] = line["query_text"].replace("pending", "delivered")


def identity(line: Line, at: Desk) -> None:
    name = next(n for n in ("zip", "email", "user_id") if n in line["known_facts"])
    del line["known_facts"][name]


def idle_fact(line: Line, at: Desk) -> None:
    line["known_facts"]["shoe_size__4"] = "44"


def unsaid_fact(line: Line, at: Desk) -> None:
    line["known_facts"]["shoe_size"] = "44"


def other_value_said(line: Line, at: Desk) -> None:
    """The card instead of the PayPal account, or the reverse, in text and clauses alike."""
    old, new = ("PayPal", "credit card")
    said = line["clauses"][-1]
    assert old in said["text"]
    said["text"] = said["text"].replace(f"{old} account", new).replace(old, new)
    line["text"] = " ".join(clause["text"] for clause in line["clauses"])


def text_apart(line: Line, at: Desk) -> None:
    line["text"] = line["text"].replace("largest", "smallest")


def clause_dropped(line: Line, at: Desk) -> None:
    assert [clause["name"] for clause in line["clauses"]] == ["wish", "total", "reason"]
    del line["clauses"][1]
    line["text"] = " ".join(clause["text"] for clause in line["clauses"])


def clause_tells(line: Line, at: Desk) -> None:
    line["clauses"][0]["tells"] = []


def clause_name(line: Line, at: Desk) -> None:
    line["clauses"][0]["name"] = "target"


def joint(line: Line, at: Desk) -> None:
    """Wishes that depend on each other, joined as if they did not."""
    for clause in line["clauses"]:
        if clause["name"].startswith("after"):
            clause["name"] = clause["name"].replace("after", "next")
            clause["text"] = "One more thing."
    line["text"] = " ".join(clause["text"] for clause in line["clauses"])


def orders(line: Line, at: Desk) -> None:
    line["orders"]["same"] -= 1


def dependent(line: Line, at: Desk) -> None:
    line["dependent"] = not line["dependent"]


def read_dropped(line: Line, at: Desk) -> None:
    """The last read is gone, and no figure speaks of it."""
    gone = line["certificate"].pop()
    for name in (gone["role"], "total", "proved"):
        line["burden"][name] -= 1


def authentication_dropped(line: Line, at: Desk) -> None:
    """Who does not look the account up writes for somebody who may be anybody."""
    del line["certificate"][0]


def idle_read(line: Line, at: Desk) -> None:
    """One more read that the request speaks of: right, allowed, and not needed."""
    found = found_by(at, Query.model_validate(line["query"]), line["known_facts"])
    there = {
        ToolCall(name=r["name"], arguments=r["arguments"]).key
        for r in line["certificate"]
    }
    key, call = next((k, c) for k, c in found.reads.items() if k not in there)
    line["certificate"].append({**call.model_dump(), "role": found.roles[key].value})


def foreign_read(line: Line, at: Desk) -> None:
    line["certificate"].append(
        {"name": "list_all_product_types", "arguments": {}, "role": "discovery"}
    )


def read_twice(line: Line, at: Desk) -> None:
    line["certificate"].append(line["certificate"][-1])


def reads_out_of_order(line: Line, at: Desk) -> None:
    """The order is looked at before anything that names it."""
    reads = line["certificate"]
    assert [read["name"] for read in reads[1:3]] == [
        "get_user_details",
        "get_order_details",
    ]
    reads[1], reads[2] = reads[2], reads[1]


def role(line: Line, at: Desk) -> None:
    line["certificate"][-1]["role"] = "discovery"


def leaking_patch(line: Line, at: Desk) -> None:
    """Beside what it should change, something that the profile shows, which is in the certificate, too."""
    person = line["person"]
    witnessed(line, "get_product_details")["witness"]["patch"].append(
        {"op": "replace", "path": f"/users/{person}/address/city", "value": "Elsewhere"}
    )


def declared_leak(line: Line, at: Desk) -> None:
    """The same, and it says so: that does not make it better."""
    leaking_patch(line, at)
    profile = next(r for r in line["certificate"] if r["name"] == "get_user_details")
    key = ToolCall(name=profile["name"], arguments=profile["arguments"]).key
    witnessed(line, "get_product_details")["witness"]["shown_by"].append(key)


def idle_patch(line: Line, at: Desk) -> None:
    """What is there is replaced by itself."""
    read = witnessed(line, "get_product_details")
    product = read["arguments"]["product_id"]
    name = at.environment.state.collections["products"][product]["name"]
    read["witness"]["patch"] = [
        {"op": "replace", "path": f"/products/{product}/name", "value": name}
    ]


def spoilt_patch(line: Line, at: Desk) -> None:
    """A price that is no number could not be in any database."""
    read = witnessed(line, "get_product_details")
    read["witness"]["patch"][0]["value"]["price"] = "cheap"


def impossible_patch(line: Line, at: Desk) -> None:
    read = witnessed(line, "get_product_details")
    read["witness"]["patch"] = [
        {"op": "replace", "path": "/products/none/name", "value": "Nothing"}
    ]


def witness_gold(line: Line, at: Desk) -> None:
    witnessed(line, "get_product_details")["witness"]["gold"] = line["gold"]


def hidden_leak(line: Line, at: Desk) -> None:
    read = next(
        r for r in line["certificate"] if r["witness"] and r["witness"]["shown_by"]
    )
    read["witness"]["shown_by"].pop()


def shared_detour(line: Line, at: Desk) -> None:
    """One read that would show the patches of two stands in for both, so that fewer reads would do."""
    replaceable, other = [
        r["witness"]
        for r in line["certificate"]
        if r["witness"] and r["witness"]["shown_by"]
    ][:2]
    other["shown_by"].append(replaceable["shown_by"][0])


def burden_high(line: Line, at: Desk) -> None:
    for name in ("total", "proved", "candidates"):
        line["burden"][name] += 1


def burden_split(line: Line, at: Desk) -> None:
    line["burden"]["discovery"] += 1
    line["burden"]["candidates"] -= 1


def burden_total(line: Line, at: Desk) -> None:
    line["burden"]["total"] += 1


def witness_dropped(line: Line, at: Desk) -> None:
    line["certificate"][-1]["witness"] = None


def lift(line: Line, at: Desk) -> None:
    line["lift"] += 1


def decoys(line: Line, at: Desk) -> None:
    line["companions"]["decoys"] += 1


def expected_reads(line: Line, at: Desk) -> None:
    line["companions"]["expected_reads"] += 0.5


def existential(line: Line, at: Desk) -> None:
    line["existential"] = not line["existential"]


def person(line: Line, at: Desk) -> None:
    line["person"] = at.environment.people[0]
    assert line["person"] != at.line(line["archetype"])["person"]


def state_hash(line: Line, at: Desk) -> None:
    line["state_hash"] = line["state_hash"][::-1]


def environment_hash(line: Line, at: Desk) -> None:
    line["environment_hash"] = line["state_hash"]


def environment(line: Line, at: Desk) -> None:
    line["environment"] = "rental" if line["environment"] != "rental" else "retail"


def archetype(line: Line, at: Desk) -> None:
    line["archetype"] = "R999"


def title(line: Line, at: Desk) -> None:
    line["title"] = "Something easy"


LIES: list[tuple[str, str, Callable[[Line, Desk], None], str, str]] = [
    ("retail", "R2", gold_argument, "gold", "oracle's writes are"),
    ("retail", "W3", gold_order, "gold", "oracle's writes are"),
    ("rental", "in order", gold_order, "gold", "oracle's writes are"),
    ("retail", "R1", gold_missing, "gold", "oracle's writes are"),
    ("retail", "R1", effect, "gold_effect", "another"),
    ("retail", "I2", told_value, "told", "The oracle tells"),
    ("retail", "N1", refusal_clause, "declined", "4.1"),
    ("retail", "T1", hidden_transfer, "transferred", "It is"),
    ("retail", "R1", other_class, "class", "read_heavy"),
    ("airline", "A4", tie, "gold", "(tie)"),
    ("retail", "R6", query, "query", "another query"),
    ("retail", "R6", query_text, "query_text", "otherwise"),
    ("retail", "R1", identity, "known_facts", "who the user is"),
    ("retail", "R1", idle_fact, "known_facts", "belong to no part"),
    ("retail", "R1", unsaid_fact, "text", "does not say shoe_size"),
    ("retail", "R1", other_value_said, "text", "something else than the query"),
    ("retail", "R6", text_apart, "text", "not what the clauses say"),
    ("retail", "R6", clause_dropped, "text", "It may also mean"),
    ("retail", "R1", clause_tells, "clauses", "wish is not"),
    ("retail", "R1", clause_name, "clauses", "target is not"),
    ("rental", "in order", joint, "text", "joined by 'after'"),
    ("rental", "in order", orders, "orders", "They are"),
    ("retail", "W3", dependent, "dependent", "not so"),
    ("retail", "R1", dependent, "dependent", "not so"),
    ("retail", "R1", read_dropped, "certificate", "do not lead to the gold"),
    ("retail", "R1", authentication_dropped, "policy", "policy 1.1"),
    ("retail", "R1", idle_read, "certificate", "is not needed"),
    ("retail", "R1", foreign_read, "certificate", "does not speak of"),
    ("retail", "R1", read_twice, "certificate", "twice"),
    ("retail", "R1", reads_out_of_order, "certificate", "not known when it is made"),
    ("retail", "R1", role, "role", "is for candidates"),
    ("retail", "R1", leaking_patch, "witness", "shows in get_user_details"),
    ("retail", "R1", declared_leak, "witness", "shows in get_user_details"),
    ("retail", "R1", idle_patch, "witness", "the right answer is the same"),
    ("retail", "R1", spoilt_patch, "witness", "not admissible"),
    ("retail", "R1", impossible_patch, "witness", "cannot be applied"),
    ("retail", "R1", witness_gold, "witness", "another than it says"),
    ("airline", "A2", hidden_leak, "witness", "which it does not say"),
    ("airline", "A2", shared_detour, "burden", "shows the patches of two reads"),
    ("retail", "R1", burden_high, "burden", "candidates is 1, not 2"),
    ("retail", "R1", burden_split, "burden", "is"),
    ("retail", "R1", burden_total, "burden", "The total is 4"),
    ("retail", "R1", witness_dropped, "burden", "candidates is 0, not 1"),
    ("retail", "R1", lift, "lift", "It is"),
    ("retail", "R1", decoys, "companions", "decoys is"),
    ("retail", "R1", expected_reads, "companions", "expected_reads is"),
    ("retail", "R1", existential, "existential", "It is True"),
    ("retail", "R1", person, "person", "It is"),
    ("retail", "R1", state_hash, "state_hash", "It is"),
    ("retail", "R1", environment_hash, "environment_hash", "It is"),
    ("retail", "R1", environment, "environment", "It is retail"),
    ("retail", "R1", archetype, "archetype", "R999"),
    ("retail", "R1", title, "title", "It is"),
]


class TestRefutes:
    @pytest.mark.parametrize(
        ("name", "slug", "lie", "claim", "says"),
        LIES,
        ids=[f"{lie.__name__}-{slug}" for _, slug, lie, _, _ in LIES],
    )
    def test_a_falsehood_by_its_name(
        self,
        name: str,
        slug: str,
        lie: Callable[[Line, Desk], None],
        claim: str,
        says: str,
    ) -> None:
        line = desk(name).line(slug)
        lie(line, desk(name))

        found = desk(name).refute(line)

        assert found is not None
        assert (found.claim, says in found.text) == (claim, True), found

    def test_a_gold_that_breaks_the_policy(self) -> None:
        """A clause that forbids what the oracle holds for right: no archetype of ours asks for such a thing."""
        shop = desk("retail")
        line = read_line(json.dumps(shop.line("R1")))
        never = PolicyCheck(
            "9.9",
            "Nothing is written.",
            lambda trace: [
                Breach("A write.", (e.index,)) for e in trace.events if e.wrote
            ],
        )
        domain = replace(shop.environment.domain, policy_checks=(never,))

        found = Prover(replace(shop.environment, domain=domain)).refute(line)

        assert found is not None
        assert (found.claim, found.text) == (
            "policy",
            "The gold breaks policy 9.9: A write.",
        )

    def test_an_id_that_comes_twice(self) -> None:
        shop = desk("retail")
        line = read_line(json.dumps(shop.line("R1")))
        other = read_line(json.dumps(shop.line("R6")))

        ((number, text),) = repeated([(1, line), (2, other), (5, line)])

        assert number == 5
        assert "line 1" in text


class TestSufficiency:
    @settings(
        max_examples=120,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
    )
    @given(st.sampled_from(EVERY), st.integers(0, 2**32))
    def test_every_database_that_agrees_on_the_certificate_keeps_the_gold(
        self, which: tuple[str, str], seed: int
    ) -> None:
        """Changed is whatever the certificate leaves out: reads that the request speaks of, and reads that it does not."""
        name, slug = which
        at, task, rng = desk(name), desk(name).task(slug), random.Random(seed)
        certificate = [read.call for read in task.certificate]
        state = Session(at.environment.state)
        observer = at.designer._observer
        for call in changed_reads(
            observer, task.facts, certificate, task.spoken_of, rng
        ):
            patches = list(at.environment.domain.mutations(state, call, rng))
            state.apply_patch(rng.choice(patches) if patches else [])
        assume(state.changes() and observer.agree(state, certificate))

        try:
            found = found_by(at, task.query, task.facts, state)
        except Unidentifiable:
            assume(
                False
            )  # the request describes nothing there: not an admissible database
            raise

        assert found.gold == tuple(write.call for write in task.gold)
        assert [(one.what, one.value) for one in found.told] == [
            (one.what, one.value) for one in task.told
        ]
        assert (found.declined, found.transferred) == (task.declined, task.transferred)


def changed_reads(
    observer: Observer,
    facts: Any,
    certificate: Sequence[ToolCall],
    spoken_of: Sequence[ToolCall],
    rng: random.Random,
) -> Iterator[ToolCall]:
    kept = {call.key for call in certificate}
    beside = [call for call in spoken_of if call.key not in kept]
    reach = observer.reach(facts)
    others = [
        call for key, call in {**reach.common, **reach.own}.items() if key not in kept
    ]
    pool = beside if beside and rng.random() < 0.7 else others
    yield from rng.sample(pool, min(len(pool), rng.randint(1, 3)))

"""Plausible values by hand: a retail exchange with its proof, simulated and verified, good or with a mistake.

For tests of what stores and shows such values. What the values mean is tested where they are made.
"""

import json
from collections.abc import Iterable
from functools import cache
from typing import Any

from environments import retail
from environments.core.domain import TaskClass
from environments.core.environment import Environment
from environments.core.evaluate import Answer, answer
from environments.core.pointers import pointer
from environments.core.query import (
    Best,
    Compare,
    Key,
    ListOf,
    Query,
    Selection,
    The,
    Write,
    all_of,
    compare,
    const,
    fact,
    ref,
)
from environments.core.tools import ToolCall
from environments.retail.generator import generate
from environments.retail.oracle import StateRows
from environments.retail.relations import equivalents
from environments.retail.state import read_state
from writ_app.engine.types import (
    ArgumentOrigin,
    Burden,
    CandidateLine,
    CandidateTable,
    CertificateRead,
    Check,
    Companions,
    Ending,
    GoldWrite,
    Message,
    MessageCall,
    Owner,
    Provenance,
    SaidClause,
    Task,
    Trajectory,
    Verification,
    Witness,
)

USERS = 60


@cache
def raw_state() -> dict[str, Any]:
    return generate(seed=7, users=USERS)


@cache
def sample_environment() -> Environment:
    return retail.build(state=read_state(raw_state()), version="sample")


def exchangeable() -> list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
    """(user, delivered order, a line of it that has at least two available other variants)."""
    raw, found = raw_state(), []
    for order in raw["orders"].values():
        if order["status"] != "delivered":
            continue
        line = order["items"][0]
        if (
            sum(other["product_id"] == line["product_id"] for other in order["items"])
            > 1
        ):
            continue
        found.append((raw["users"][order["user_id"]], order, line))
    return found


def exchange_query() -> Query:
    return Query(
        steps=(
            The(
                selection=Selection(
                    name="account", relation="account", by={"email": fact("email")}
                )
            ),
            The(
                selection=Selection(
                    name="profile", relation="profile", of=ref("account")
                )
            ),
            The(
                selection=Selection(
                    name="line",
                    relation="items",
                    of=Selection(name="order", relation="orders", of=ref("profile")),
                    where=all_of(
                        compare(ref("order.order_id"), "eq", fact("order_id")),
                        compare(ref("line.name"), "eq", fact("product")),
                    ),
                )
            ),
            Best(
                selection=Selection(
                    name="variant",
                    relation="variants",
                    of=ref("line"),
                    where=all_of(
                        compare(ref("variant.available"), "eq", const(True)),
                        Compare(
                            op="ne",
                            left=ref("variant.item_id"),
                            right=ref("line.item_id"),
                        ),
                    ),
                ),
                objective=(Key(value=ref("variant.price")),),
            ),
            Write(
                tool="exchange_delivered_order_items",
                arguments={
                    "order_id": ref("order.order_id"),
                    "item_ids": ListOf(values=(ref("line.item_id"),)),
                    "new_item_ids": ListOf(values=(ref("variant.item_id"),)),
                    "payment_method_id": ref(
                        "order.payment_history.0.payment_method_id"
                    ),
                },
            ),
        )
    )


def make_task(number: int = 0) -> Task:
    user, order, line = exchangeable()[number]
    environment = sample_environment()
    facts = {
        "email": user["email"],
        "order_id": order["order_id"],
        "product": line["name"],
    }
    query = exchange_query()
    session = environment.session().state
    found = answer(query, facts, StateRows(session), environment.domain, delta=0.0)
    certificate = tuple(
        certificate_read(call, found, environment) for call in found.reads.values()
    )
    clauses = (
        SaidClause(
            name="goal",
            text=f"I'd like to swap the {line['name'].lower()} from order {order['order_id']} "
            "for the cheapest other version you have in stock.",
            tells=("order_id", "product"),
            opens=True,
        ),
        SaidClause(
            name="money",
            text="Any difference can go back to whatever I paid with.",
        ),
    )
    choice = found.choices[0]
    return Task(
        environment="retail",
        environment_version="sample",
        environment_hash=environment.content_hash,
        state_hash=environment.state.content_hash,
        archetype="R1",
        title="cheapest other variant",
        task_class=TaskClass.READ_HEAVY,
        seed=number,
        query=query,
        facts=facts,
        clauses=clauses,
        text=" ".join(clause.text for clause in clauses),
        gold=tuple(
            GoldWrite(
                call=write.call,
                origins=tuple(
                    ArgumentOrigin(
                        pointer=place,
                        kind=origin.kind,
                        refs=origin.refs,
                        detail=origin.detail,
                    )
                    for place, origin in write.origins.items()
                ),
                needs=tuple(range(len(certificate))),
            )
            for write in found.writes
        ),
        gold_effect=found.effect,
        certificate=certificate,
        burden=Burden(
            total=len(certificate),
            identity=2,
            discovery=len(certificate) - 3,
            candidates=1,
        ),
        companions=Companions(
            lift=len(certificate) - 1,
            expected_reads=len(certificate) + 1.5,
            candidates=len(choice.candidates),
            feasible=sum(candidate.feasible for candidate in choice.candidates),
            decoys=choice.decoys,
            margin=choice.margin,
            evidence_tokens=1840,
        ),
        tables=(
            CandidateTable(
                name=choice.name,
                objective=choice.objective,
                margin=choice.margin,
                lines=tuple(
                    CandidateLine(
                        label=candidate.label,
                        objective=candidate.objective,
                        why_not=candidate.why_not,
                        read=candidate.read,
                        pointer=candidate.pointer,
                        gold=place == choice.chosen,
                    )
                    for place, candidate in enumerate(choice.candidates)
                ),
            ),
        ),
    )


def certificate_read(
    call: ToolCall, found: Answer, environment: Environment
) -> CertificateRead:
    choice = found.choices[0]
    gold = choice.candidates[choice.chosen]
    role = found.roles[call.key].value
    refs = {
        place
        for write in found.writes
        for origin in write.origins.values()
        for key, place in origin.refs
        if key == call.key
    }
    if role == "candidates":
        refs |= {gold.pointer + "/price", gold.pointer + "/available"}
    note = {
        "identity": "Without it nobody knows whose orders these are.",
        "discovery": "With another status here the order could not be exchanged.",
        "candidates": "With another variant 20 dollars cheaper, the right exchange would be for that one.",
        "rules": "With another status the write would be refused.",
    }[role]
    session = environment.session().state
    return CertificateRead(
        call=call,
        role=role,
        equivalents=tuple(equivalents(call, session)),
        decisive=tuple(sorted(refs)),
        witness=Witness(patch=(), gold=(), declined="other", note=note),
    )


class Conversation:
    """Messages in the making, on a real session."""

    def __init__(self, environment: Environment):
        self.session = environment.session()
        self.messages: list[Message] = []

    def say(self, role: str, text: str) -> int:
        self.messages.append(Message(role=role, content=text))
        return len(self.messages) - 1

    def call(self, call: ToolCall) -> int:
        number = len(self.messages)
        made = MessageCall(
            id=f"call_{number}", name=call.name, arguments=call.arguments
        )
        result = self.session.call(call)
        self.messages += [
            Message(role="assistant", tool_calls=(made,)),
            Message(
                role="tool",
                content=result.content,
                tool_call_id=made.id,
                error=result.error,
            ),
        ]
        return number


def simulate(
    task: Task, *, fault: str = "", hostile: str = ""
) -> tuple[Trajectory, Verification]:
    """Faults: `missing_read` skips the candidates, `wrong_argument` takes the runner-up."""
    talk = Conversation(sample_environment())
    gold = task.gold[0].call
    talk.say("assistant", "Hi! How can I help you today?")
    talk.say("user", hostile or task.clauses[0].text)
    talk.say("assistant", "Happy to help. What email address is the account under?")
    asked = talk.say("user", f"It's {task.facts['email']}.")
    coverage: list[int | None] = []
    for read in task.certificate:
        skipped = fault == "missing_read" and read.role == "candidates"
        coverage.append(None if skipped else talk.call(read.call))
    extra = talk.call(task.certificate[0].call)
    arguments = dict(gold.arguments)
    if fault == "wrong_argument":
        feasible = [line for line in task.tables[0].lines if not line.why_not]
        other = next(line for line in feasible if not line.gold)
        arguments["new_item_ids"] = [other.label.split(" · ")[0]]
    talk.say(
        "assistant",
        f"I can exchange item {arguments['item_ids'][0]} in order {arguments['order_id']} for "
        f"{arguments['new_item_ids'][0]}; the difference goes to {arguments['payment_method_id']}. "
        "Shall I go ahead (yes/no)?",
    )
    yes = talk.say("user", "Yes, please. " + task.clauses[1].text)
    write = talk.call(ToolCall(name=gold.name, arguments=arguments))
    talk.say(
        "assistant", "Done. You will get an email on how to send the old one back."
    )
    talk.say("user", "Great, thank you. ###STOP###")
    trajectory = Trajectory(
        task_hash=task.content_hash,
        plan="upfront",
        seed=task.seed,
        agent="scripted",
        user="scripted",
        prompt_version="1",
        messages=tuple(talk.messages),
        ended_by=Ending.USER_STOP,
        fault=fault,
    )
    verification = Verification(
        checks=tuple(checks(task, fault, coverage, yes, write)),
        provenance=tuple(provenance(talk.messages, write, arguments, asked)),
        coverage=tuple(coverage),
        superfluous=(extra,),
        version="1",
    )
    return trajectory, verification


def checks(
    task: Task, fault: str, coverage: list[int | None], yes: int, write: int
) -> Iterable[Check]:
    right = fault != "wrong_argument"
    needed, made = len(coverage), sum(place is not None for place in coverage)
    yield Check(
        name="state",
        passed=right,
        finding="The final state equals the gold's."
        if right
        else "The final state differs from the gold's in one order.",
        owner=None if right else Owner.AGENT,
        where=(write,),
    )
    yield Check(
        name="writes",
        passed=right,
        finding="The writes equal the gold."
        if right
        else "exchange_delivered_order_items: new_item_ids differ from the gold.",
        owner=None if right else Owner.AGENT,
        where=(write,),
    )
    yield Check(
        name="evidence",
        passed=made == needed,
        finding=f"{made} of {needed} needed reads were made before the write.",
        owner=None if made == needed else Owner.AGENT,
        where=tuple(place for place in coverage if place is not None),
    )
    yield Check(
        name="provenance",
        passed=fault != "missing_read",
        finding="Every argument was told or read before the write."
        if fault != "missing_read"
        else "/new_item_ids/0 was nowhere to be had before the write.",
        owner=Owner.AGENT if fault == "missing_read" else None,
        where=(write,),
    )
    for name, finding in (
        ("confirmation", "The user said yes to what was listed."),
        ("policy", "No clause was broken."),
        ("facts", "The user told all facts and invented none."),
        ("plan", "The user revealed the request as planned."),
        ("turns", "One call a turn, no text beside a call."),
        ("ending", "The user ended the conversation."),
    ):
        yield Check(name=name, passed=True, finding=finding, where=(yes,))


def provenance(
    messages: list[Message], write: int, arguments: dict[str, Any], asked: int
) -> Iterable[Provenance]:
    for place, value in leaves(arguments):
        source, where = None, ""
        for number in range(write):
            message = messages[number]
            if message.role == "tool" and message.content.startswith("{"):
                hits = [p for p, v in leaves(json.loads(message.content)) if v == value]
                if hits:
                    source, where = number, hits[0]
        said = [
            n
            for n in range(write)
            if messages[n].role == "user" and value in messages[n].content
        ]
        if place == "/order_id" and said:
            kind, source, where = "said", said[0], ""
        elif source is not None:
            kind = "exact"
        else:
            kind = "not_found"
        yield Provenance(
            message=write,
            write=0,
            pointer=place,
            value=value,
            kind=kind,
            source=source,
            source_pointer=where,
        )


def leaves(value: Any, *path: str | int) -> list[tuple[str, Any]]:
    """(JSON pointer, value) of every leaf."""
    if isinstance(value, dict):
        return [
            leaf for key, inner in value.items() for leaf in leaves(inner, *path, key)
        ]
    if isinstance(value, list):
        return [
            leaf for n, inner in enumerate(value) for leaf in leaves(inner, *path, n)
        ]
    return [(pointer(*path), value)]

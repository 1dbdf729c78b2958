"""Plans, and what they make of a task: the ledger, and the instructions for a model that plays the user."""

import random
import re
from collections.abc import Sequence
from typing import Any

from environments.core.domain import Clause
from environments.core.grammar import say
from environments.core.words import PLAIN, Words
from writ_app.engine.types import (
    BehaviourPlan,
    Ledger,
    LedgerLine,
    SaidClause,
    Task,
)

PLANS: dict[str, BehaviourPlan] = {
    plan.slug: plan
    for plan in (
        BehaviourPlan(
            slug="upfront",
            title="Everything at once",
            instruction="Say everything in your first message: what you want, every detail of it, and who you are.",
            dimensions={"disclosure": "upfront", "correction": "none"},
        ),
        BehaviourPlan(
            slug="incremental",
            title="Only when asked",
            instruction=(
                "In your first message say only what it is about. Tell who you are, and every further detail, "
                "only when the agent asks for it, and no more than was asked."
            ),
            dimensions={"disclosure": "asked", "correction": "none"},
        ),
        BehaviourPlan(
            slug="corrected",
            title="Wrong at first, then corrected",
            instruction=(
                "Say everything in your first message, with the one wrong detail that is marked below. Believe it to be right "
                "until the agent repeats it back to you or reports that nothing was found; then correct it."
            ),
            dimensions={"disclosure": "upfront", "correction": "one wrong detail"},
        ),
    )
}


# --- ledgers -------------------------------------------------------------------------------------------------------------------

_CORRECTIONS = (
    "[Sorry|Oh, sorry|My mistake|Apologies], I [mistyped|got] that[| wrong].",
    "[Oh|Ah|Hm], that was [wrong|a typo|a slip].",
    "[Wait|Hold on], I [gave you the wrong one|made a mistake there].",
    "[You're right|Right], that isn't correct.",
)


def phrase(patterns: Sequence[str], rng: random.Random, **slots: Any) -> str:
    """One way to say it; the patterns are those of clauses (environments.core.grammar)."""
    return say(Clause("", tuple(patterns)), slots, {}, rng).text


def make_ledger(
    task: Task, plan: BehaviourPlan, rng: random.Random, words: Words = PLAIN
) -> Ledger:
    """What the user may say, and when. The same task, plan and state of `rng` give the same ledger."""
    identity = _identity_lines(task, rng, words)
    requests = [_request_line(task, clause) for clause in task.clauses]
    lines = [*identity, *requests]
    if plan.slug == "incremental":
        opening = {clause.name for clause in task.clauses if clause.opens}
        lines = [
            line
            if line.kind == "request" and line.name in opening
            else line.model_copy(update={"release": "asked"})
            for line in lines
        ]
    elif plan.slug == "corrected":
        lines = _with_mistake(lines, rng)
    return Ledger(plan=plan.slug, lines=tuple(lines))


def _identity_lines(task: Task, rng: random.Random, words: Words) -> list[LedgerLine]:
    for names, patterns in words.identity.items():
        if set(names) <= task.facts.keys():
            tells = {name: task.facts[name] for name in names}
            text = phrase(patterns, rng, **tells)
            return [LedgerLine(name=names[0], kind="identity", text=text, tells=tells)]
    return []


def _request_line(task: Task, clause: SaidClause) -> LedgerLine:
    tells = {name: task.facts[name] for name in clause.tells if name in task.facts}
    return LedgerLine(name=clause.name, kind="request", text=clause.text, tells=tells)


def _with_mistake(lines: list[LedgerLine], rng: random.Random) -> list[LedgerLine]:
    """One line is said wrong first. Values with digits and emails can be mistyped; a wrong name would be another wish."""
    places = [
        (n, name)
        for n, line in enumerate(lines)
        for name, value in line.tells.items()
        if _can_be_mistyped(value) and line.text.count(value) == 1
    ]
    if not places:
        return lines
    chosen, name = rng.choice(places)
    line = lines[chosen]
    wrong = _mistyped(line.tells[name], rng)
    apology = phrase(_CORRECTIONS, rng)
    corrected = line.model_copy(
        update={
            "release": "after_agent_repeats",
            "text": f"{apology} {line.text}",
            "wrong_text": line.text.replace(line.tells[name], wrong),
            "wrong_tells": {**line.tells, name: wrong},
        }
    )
    return [*lines[:chosen], corrected, *lines[chosen + 1 :]]


def _can_be_mistyped(value: Any) -> bool:
    return isinstance(value, str) and bool("@" in value or re.search(r"\d{3}", value))


def _mistyped(value: str, rng: random.Random) -> str:
    """`value` with one digit changed, or with one letter of an email's local part doubled."""
    if "@" in value:
        local, _, host = value.partition("@")
        letters = [n for n, char in enumerate(local) if char.isalpha()] or [0]
        place = rng.choice(letters)
        return f"{local[: place + 1]}{local[place:]}@{host}"
    digits = [n for n, char in enumerate(value) if char.isdigit()]
    place = rng.choice(digits[1:] or digits)
    digit = (int(value[place]) + rng.randrange(1, 10)) % 10
    return f"{value[:place]}{digit}{value[place + 1 :]}"


# --- instructions for a model --------------------------------------------------------------------------------------------------


def instructions(task: Task, ledger: Ledger, plan: BehaviourPlan) -> str:
    """The scenario for a model that plays the user: domain, reason, known and unknown facts, how to reveal them (SPEC §10)."""
    opening = [
        line.text
        for line, clause in _request_lines(task, ledger)
        if clause.opens or len(task.clauses) == 1
    ]
    parts = [
        ("Reason for call:", opening or [task.text]),
        ("Known info:", [line.wrong_text or line.text for line in ledger.lines]),
        (
            "Unknown info:",
            ["Ids, numbers and prices that are not in the known info."],
        ),
        ("Task instructions:", [plan.instruction, *_timing(ledger)]),
    ]
    lines = ["Instructions:", f"\tDomain: {task.environment}"]
    for label, texts in parts:
        lines += [f"\t{label}", *(f"\t\t{text}" for text in texts)]
    return "\n".join(lines)


def _request_lines(task: Task, ledger: Ledger) -> list[tuple[LedgerLine, SaidClause]]:
    lines = {line.name: line for line in ledger.lines if line.kind == "request"}
    return [(lines[c.name], c) for c in task.clauses if c.name in lines]


def _timing(ledger: Ledger) -> list[str]:
    """One sentence per line that waits for something."""
    said = []
    for line in ledger.lines:
        if line.release == "asked":
            said.append(f'Only when asked: "{line.text}"')
        elif line.release == "after_agent_repeats":
            said.append(f'First say: "{line.wrong_text}"')
            said.append(
                "When the agent repeats that back or cannot find anything with it, "
                f'say: "{line.text}"'
            )
    return said

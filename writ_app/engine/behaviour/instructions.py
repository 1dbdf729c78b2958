"""The scenario for a model that plays the user: who it is, what it knows, how to reveal it (SPEC §10)."""

from collections.abc import Iterator, Sequence

from writ_app.engine.behaviour.dimensions import DIMENSIONS
from writ_app.engine.types import Ledger, LedgerLine, Task


def instructions(task: Task, ledger: Ledger) -> str:
    """The scenario as text, in the layout of the reference's user simulator."""
    lines = list(_persona(ledger))
    lines += ["Instructions:", f"\tDomain: {task.environment}"]
    parts: list[tuple[str, Sequence[str]]] = [
        ("Reason for call:", _reason(task, ledger)),
        ("Known info:", [line.wrong_text or line.text for line in _known(ledger)]),
        ("Unknown info:", list(_unknown(ledger))),
        ("Task instructions:", [ledger.instruction, *_how(ledger), *_timing(ledger)]),
    ]
    for label, texts in parts:
        lines += [f"\t{label}", *(f"\t\t{text}" for text in texts if text)]
    return "\n".join(lines)


def _persona(ledger: Ledger) -> Iterator[str]:
    manner = [
        text
        for dimension in DIMENSIONS.values()
        if dimension.side == "persona"
        and (text := _instruction(ledger, dimension.slug))
    ]
    texts = [*([ledger.card] if ledger.card else []), *manner]
    if texts:
        yield "Persona:"
        yield from (f"\t{text}" for text in texts)


def _instruction(ledger: Ledger, slug: str) -> str:
    value = ledger.behaviour.get(slug)
    return DIMENSIONS[slug].value(value).instruction if value else ""


def _reason(task: Task, ledger: Ledger) -> list[str]:
    """What the user comes with: of two wishes the first."""
    requests = [
        line
        for line in ledger.lines
        if line.kind == "request" and line.phase != "second"
    ]
    goals = [line.text for line in requests if line.role == "goal"]
    return goals or [task.text]


def _known(ledger: Ledger) -> list[LedgerLine]:
    return [line for line in ledger.lines if line.kind != "shift"]


def _unknown(ledger: Ledger) -> Iterator[str]:
    yield "Ids, numbers and prices that are not in the known info."
    told = {
        name for line in ledger.lines if line.kind == "identity" for name in line.tells
    }
    if told and "email" not in told:
        yield "The e-mail address on file."
    if told and "user_id" not in told:
        yield "The user id."


def _how(ledger: Ledger) -> list[str]:
    return [
        text
        for dimension in DIMENSIONS.values()
        if dimension.side == "plan" and (text := _instruction(ledger, dimension.slug))
    ]


_WHEN = {
    "next_turn": "After your first message, one per message",
    "asked": "Only when asked",
    "asked_again": "Only when asked a second time, or told why",
    "late": "Only after everything else",
    "details_told": "Once you have said who you are and all of that, and before anything is changed",
    "at_confirmation": "When the agent first waits for your yes or no",
    "with_yes": "Together with your yes",
    "after_refusal": "When the agent refuses",
    "after_shift": "In the same message or later, never before",
    "after_write": "When the agent is done with the first request",
    "with_identity": "Together with who you are",
    "before_leaving": "When the agent says that it is done",
}


def _timing(ledger: Ledger) -> Iterator[str]:
    """One sentence per line and remark that waits for something."""
    for line in ledger.lines:
        if line.release == "after_agent_repeats":
            yield f'First say: "{line.wrong_text}"'
            yield (
                "When the agent repeats that back or cannot find anything with it, "
                f'say: "{line.text}"'
            )
        elif line.release in _WHEN:
            yield f'{_WHEN[line.release]}: "{line.text}"'
        if line.phase == "first":
            yield f'Only until you give it up: "{line.text}"'
    for remark in ledger.remarks:
        first, last = remark.window
        until = f" and {last}" if last < 99 else " and the end"
        when = _WHEN.get(remark.release, f"Once, between your messages {first}{until}")
        yield f'{when}, in words like: "{remark.text}"'

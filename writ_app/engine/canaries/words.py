"""Errors in what is said."""

import re
from collections.abc import Iterator
from typing import Any

from environments.core.arithmetic import numbers_in
from environments.core.policy import says_yes
from writ_app.engine.behaviour import phrase
from writ_app.engine.canaries.copying import Canary, Original, saying
from writ_app.engine.verification.trace import tells

EVASIONS = (
    "[Hm|Well], [what would that mean for me|what happens after that]?",
    "[I see|Oh], so that is how it [would be|works].",
    "[That|It] is [more|a bit different] than I [had in mind|expected].",
    "[I have to|Let me] think about that for a [moment|second].",
)
"""Replies to a question for a yes that are neither a yes nor a no."""


def weak_yes(original: Original) -> Canary | None:
    """The yes before a write becomes something that is none; what else the user says with it stays."""
    for write in original.shuffled(original.writes):
        for n in range(write.index - 1, 0, -1):
            message = original.messages[n]
            if message.role != "user" or not says_yes(message.content):
                continue
            kept = [s for s in _sentences(message.content) if not says_yes(s)]
            text = " ".join([phrase(EVASIONS, original.rng), *kept])
            if says_yes(text):
                break
            messages = list(original.messages)
            messages[n] = saying(message, text)
            told = f"The user's yes to {write.call.name} was taken out of the message."
            return original.canary(messages, told, n)
    return None


def _sentences(text: str) -> list[str]:
    return [part for part in re.split(r"(?<=[.!?])\s+", text) if part]


_AMOUNT = re.compile(r"\$(\d[\d,]*(?:\.\d\d)?)")


def wrong_value(original: Original) -> Canary | None:
    """What the user asked to be told is told wrong; else an amount in the agent's words is one that nothing comes to."""
    told = [one for one in original.task.told if _is_number(one.value)]
    for one in original.shuffled(told):
        wrong = _another(original, float(one.value))
        messages, first = list(original.messages), None
        for n, text in original.agent_texts():
            if tells(text, one.value):
                messages[n] = saying(
                    messages[n], _retold(text, float(one.value), wrong)
                )
                first = n if first is None else first
        if first is not None:
            what = f"{one.what} is told as {wrong:,.10g} instead of {one.value:,.10g}."
            return original.canary(messages, what, first)
    for n, text, found in original.shuffled(_amounts(original)):
        wrong = _another(original, float(found.group(1).replace(",", "")))
        return _with_amount(original, n, text, found, f"{wrong:,.2f}")
    return None


def stale_amount(original: Original) -> Canary | None:
    """An amount in the agent's words is that of another candidate: it was shown, and belongs to something else."""
    others = {
        f"{value:,.2f}"
        for table in original.task.tables
        for line in table.lines
        for value in line.objective
        if not line.gold and isinstance(value, float)
    }
    for n, text, found in original.shuffled(_amounts(original)):
        told = {one.group(1) for one in _AMOUNT.finditer(text)}
        for other in original.shuffled(sorted(others - told)):
            return _with_amount(original, n, text, found, other)
    return None


def _amounts(original: Original) -> Iterator[tuple[int, str, re.Match[str]]]:
    for n, text in original.agent_texts():
        for found in _AMOUNT.finditer(text):
            yield n, text, found


def _with_amount(
    original: Original, n: int, text: str, found: re.Match[str], amount: str
) -> Canary:
    """That amount, and the same one wherever the message says it."""
    messages = list(original.messages)
    old = re.compile(re.escape(found.group()) + r"(?![\d.,]*\d)")
    messages[n] = saying(messages[n], old.sub(f"${amount}", text))
    return original.canary(
        messages, f"${amount} is told instead of {found.group()}.", n
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _another(original: Original, value: float) -> float:
    """Off by something that is neither a rounding nor a slip of the point."""
    if value == int(value) and value < 1000:
        return value + original.rng.randrange(2, 9)
    return round(value + original.rng.randrange(211, 1999) / 100, 2)


def _retold(text: str, value: float, wrong: float) -> str:
    """The text with a number wherever it is written, as it was written."""

    def swap(found: re.Match[str]) -> str:
        number = numbers_in(found.group())
        if not number or abs(number[0] - value) >= 0.005:
            return found.group()
        return f"{wrong:,.2f}" if "." in found.group() else f"{wrong:,.10g}"

    return re.sub(r"(?<![\w.])\d[\d,]*(?:\.\d+)?", swap, text)


_CONTRARY = (
    ("cheapest", "most expensive"),
    ("least expensive", "dearest"),
    ("lowest", "highest"),
    ("earliest", "latest"),
    ("shortest", "longest"),
    ("smallest", "largest"),
    ("fewest", "most"),
    ("least", "most"),
    ("at most", "at least"),
    ("costs the least", "costs the most"),
    ("before", "after"),
)
_SWAP = {one: other for pair in _CONTRARY for one, other in (pair, reversed(pair))}
_CONTRARY_WORDS = re.compile(
    rf"\b(?:{'|'.join(sorted(map(re.escape, _SWAP), key=len, reverse=True))})\b",
    re.IGNORECASE,
)


def contrary_request(original: Original) -> Canary | None:
    """The user asks for the contrary of what is then written: the cheapest becomes the most expensive."""
    if not original.writes:
        return None
    spoken = [
        (n, found)
        for n, message in enumerate(original.messages)
        if message.role == "user"
        for found in _CONTRARY_WORDS.finditer(message.content)
    ]
    for n, found in original.shuffled(spoken):
        text = original.messages[n].content
        other = _SWAP[found.group().lower()]
        messages = list(original.messages)
        messages[n] = saying(
            messages[n], text[: found.start()] + other + text[found.end() :]
        )
        told = f"The user asks for “{other}” instead of “{found.group()}”."
        return original.canary(messages, told, n)
    return None

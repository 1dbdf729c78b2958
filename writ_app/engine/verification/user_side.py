"""Users and their wishes: what the user did wrong, and only the user; and whether the agent heard them out. Nobody can tell what they were never asked, or correct what never came up again."""

import re
from collections.abc import Iterator
from functools import lru_cache

from writ_app.engine.behaviour import (
    STOP,
    Hearing,
    UserFinding,
    was_told_wrong,
)
from writ_app.engine.behaviour.hearing import shift_was_said
from writ_app.engine.types import Check, Ending, LedgerLine, Owner
from writ_app.engine.verification.findings import failed, passed
from writ_app.engine.verification.trace import Trace


def check_user(trace: Trace) -> Check:
    """The user told all facts and invented none, when the plan said so, spoke for nobody else, and waited for an answer."""
    findings = [
        *(found for found in trace.audit.findings if not _excused(found, trace)),
        *_meddling(trace),
        *_hasty_stops(trace),
    ]
    if not findings:
        return passed("user", "The user told everything as planned.")
    text = " ".join(dict.fromkeys(finding.text for finding in findings))
    where = [n for finding in findings for n in finding.where]
    return failed("user", text, dict.fromkeys(where), Owner.USER)


def check_phases(trace: Trace) -> Check:
    """Where the user turns from one wish to another, nothing is written before."""
    line = next((x for x in trace.ledger.lines if x.kind == "shift"), None)
    if line is None:
        return passed("phases", "Does not apply: there is only one wish.")
    turned = next(
        (n for n, x in trace.user_texts if shift_was_said(line, trace.ledger, [x])),
        len(trace.messages),
    )
    early = [write.index for write in trace.writes if write.index < turned]
    if early:
        return failed(
            "phases", "Something was written for a wish that was not the last.", early
        )
    return passed("phases", "Nothing was written before the last wish was known.")


def _excused(finding: UserFinding, trace: Trace) -> bool:
    """Whether the user had no occasion to tell what is missing, right or wrong."""
    if finding.kind not in ("missing", "uncorrected", "unshifted") or finding.where:
        return False
    if trace.trajectory.ended_by is not Ending.USER_STOP:
        return True
    quoted = (
        x
        for x in trace.ledger.lines
        if x.text in finding.text or (x.wrong_text and x.wrong_text in finding.text)
    )
    line = next(quoted, None)
    return line is not None and not _had_occasion(line, trace)


def _had_occasion(line: LedgerLine, trace: Trace) -> bool:
    hearing = Hearing.of(trace.ledger, trace.messages)
    unasked = line.release == "asked" or (
        line.release == "after_agent_repeats" and not was_told_wrong(line, hearing.told)
    )
    if unasked and line.kind == "identity":
        return any(heard.asks_who(line.tells) for heard in hearing.answers)
    if unasked:
        return any(heard.asks for heard in hearing.answers)
    if line.release == "after_write" and hearing.hidden(line):
        return any(heard.offers_more for heard in hearing.answers[-1:])
    return hearing.may_say(line)


def _meddling(trace: Trace) -> Iterator[UserFinding]:
    """Names of tools are nothing that a user knows."""
    named = _tool_names(tuple(trace.environment.tools))
    for n, text in trace.user_texts:
        found = named.search(text) if "_" in text else None
        if found:
            told = f"The user speaks of the tool {found.group()}."
            yield UserFinding(kind="meddling", text=told, where=(n,))


@lru_cache(maxsize=16)
def _tool_names(tools: tuple[str, ...]) -> re.Pattern[str]:
    """Those with an underscore: the others are ordinary words."""
    names = "|".join(re.escape(name) for name in tools if "_" in name)
    return re.compile(rf"\b(?:{names or '(?!)'})\b")


def _hasty_stops(trace: Trace) -> Iterator[UserFinding]:
    """A stop before the agent had said or done anything but greet."""
    for n, text in trace.user_texts:
        acted = any(m.role == "assistant" for m in trace.messages[1:n])
        if STOP in text and not acted:
            told = "The user stopped before the agent could do anything."
            yield UserFinding(kind="stop", text=told, where=(n,))

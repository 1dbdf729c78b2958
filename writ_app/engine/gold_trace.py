"""The gold as a conversation would show it, for the executable clauses of a policy: nothing that breaks one may be asked for."""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from environments.core.domain import Clause
from environments.core.environment import Environment
from environments.core.grammar import say
from environments.core.policy import Event, PolicyTrace
from environments.core.tools import ToolCall


def breaches(
    environment: Environment,
    *,
    text: str,
    facts: Mapping[str, Any],
    reads: Sequence[ToolCall],
    gold: Sequence[ToolCall],
    declined: str = "",
    transferred: str = "",
) -> Iterator[str]:
    """What the gold breaks, if the user says everything at once, the reads come first, and each write is confirmed."""
    events = tuple(
        _events(environment, text, facts, reads, gold, declined, transferred)
    )
    trace = PolicyTrace(events, environment.session().state, environment.domain.lexicon)
    for check in environment.domain.policy_checks:
        for breach in check.judge(trace):
            yield f"policy {check.clause}: {breach.text}"


def _events(
    environment: Environment,
    text: str,
    facts: Mapping[str, Any],
    reads: Sequence[ToolCall],
    gold: Sequence[ToolCall],
    declined: str,
    transferred: str,
) -> Iterator[Event]:
    words, session = environment.domain.words, environment.session()
    turn = _Turns(environment, session)
    yield turn.says("user", f"{_who(environment, facts)} {text}")
    for call in reads:
        yield turn.makes(call)
    for call in gold:
        yield turn.says("agent", words.describe_write(call, session.state))
        yield turn.says("user", "Yes.")
        yield turn.makes(call)
    if declined:
        yield turn.says(
            "agent", words.describe_refusal(declined, list(reads), session.state)
        )
    if transferred:
        summary = words.describe_transfer(transferred, list(reads), session.state)
        yield turn.makes(
            ToolCall(name=words.transfer_tool, arguments={"summary": summary})
        )
        yield turn.says("agent", words.after_transfer)


def _who(environment: Environment, facts: Mapping[str, Any]) -> str:
    for names, patterns in environment.domain.words.identity.items():
        if facts.keys() >= set(names):
            who = {name: facts[name] for name in names}
            return say(Clause("", patterns), who, {}, random.Random(0)).text
    return ""


class _Turns:
    def __init__(self, environment: Environment, session: Any):
        self._environment, self._session, self._index = environment, session, -1

    def says(self, by: Any, text: str) -> Event:
        self._index += 1
        return Event(self._index, by, text)

    def makes(self, call: ToolCall) -> Event:
        self._index += 1
        tool = self._environment.tools.get(call.name)
        result = self._session.call(call)
        kind = tool.kind if tool else None
        return Event(self._index, "agent", call=call, result=result, kind=kind)

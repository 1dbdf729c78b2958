"""The conversation as the scripted agent finds it: what was told, remarked, said and called."""

import random
from collections import Counter
from collections.abc import Sequence

from environments.core.tools import ToolCall
from writ_app.engine.behaviour import Hearing, plain, says_yes, was_said
from writ_app.engine.llm import Completion
from writ_app.engine.types import Ledger, LedgerLine, Message, MessageCall, Remark


class Talk:
    """Everything follows from the messages, so that the agent can be asked anew at any place. `rng` is for the next turn's words."""

    def __init__(self, messages: Sequence[Message], ledger: Ledger, rng: random.Random):
        self.rng = rng
        self.hearing = Hearing.of(ledger, messages)
        self.told = self.hearing.told
        self.made: Counter[str] = Counter(
            made.call.key for m in messages for made in m.tool_calls
        )
        self.after_call = bool(messages) and messages[-1].role == "tool"
        self._messages = messages
        self._ledger = ledger
        self._taken: Counter[str] = Counter()

    # --- what the user said ---

    @property
    def last_words(self) -> str:
        """What the user said since the agent last spoke."""
        return self.hearing.said[-1] if self.hearing.said else ""

    @property
    def remarks(self) -> list[Remark]:
        """Remarks beside the request to which the agent has not answered yet."""
        heard = plain(self.last_words)
        return [r for r in self._ledger.remarks if plain(r.spoken) in heard]

    def remarked(self, name: str) -> bool:
        return any(remark.name == name for remark in self.remarks)

    @property
    def objected(self) -> bool:
        return any(remark.release == "after_refusal" for remark in self.remarks)

    def agreed(self, question: str) -> bool:
        """Whether any answer since the question was a yes."""
        asked = next(
            n
            for n, m in enumerate(self._messages)
            if m.role == "assistant" and question in m.content
        )
        return any(
            m.role == "user" and says_yes(m.content) for m in self._messages[asked:]
        )

    def waits_for_part(self, part: int) -> bool:
        """Whether something of a later part of the request was not told yet."""
        return any(x.part == part for x in self.hearing.unsaid(("request",)))

    def due(self) -> list[LedgerLine]:
        """What of the request is still to be told by now: not the parts that come out later."""
        unsaid = self.hearing.unsaid(("request",))
        return [line for line in unsaid if not self.hearing.hidden(line)]

    def unsaid_counts(self) -> list[int]:
        """How many lines were still to be told after each message of the user."""
        told, counts = "", []
        for text in self.hearing.said:
            told = f"{told}\n{text}"
            counts.append(sum(not was_said(line, told) for line in self._ledger.lines))
        return counts

    # --- what the agent did ---

    def has_said(self, text: str) -> bool:
        return any(text in heard.text for heard in self.hearing.heard)

    def take(self, calls: Sequence[ToolCall]) -> bool:
        """Whether these calls were made, counting those that earlier steps took."""
        self._taken.update(call.key for call in calls)
        return all(self.made[call.key] >= self._taken[call.key] for call in calls)

    # --- what comes next ---

    def say(self, text: str) -> Completion:
        return Completion(content=text)

    def call(self, *calls: ToolCall, beside: str = "") -> Completion:
        start = sum(self.made.values()) + 1
        made = tuple(
            MessageCall(id=f"call_{start + n}", name=c.name, arguments=c.arguments)
            for n, c in enumerate(calls)
        )
        return Completion(content=beside, tool_calls=made)

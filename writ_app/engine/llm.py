"""The one door to chat models: a protocol. Who answers, a provider or a script, is none of the engine's business."""

from collections.abc import Sequence
from typing import Any, Protocol

from writ_app.engine.types import Frozen, Message, MessageCall, Usage


class Completion(Frozen):
    """One answer: text, or calls, or (against the protocol) both."""

    content: str = ""
    tool_calls: tuple[MessageCall, ...] = ()
    usage: Usage = Usage()
    reasoning: str = ""


class ChatModel(Protocol):
    """A chat model. `name` is stored with what it makes."""

    @property
    def name(self) -> str: ...

    def complete(
        self,
        *,
        system: str,
        messages: Sequence[Message],
        tools: Sequence[dict[str, Any]],
        seed: int,
    ) -> Completion:
        """Answer as the assistant of `messages`. Raises ModelUnavailable and MalformedCompletion."""
        ...

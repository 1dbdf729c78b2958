"""The one door to chat models: protocols. Who answers, a provider or a script, is none of the engine's business."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import Field

from writ_app.engine.types import Frozen, Message, MessageCall, Usage


class Completion(Frozen):
    """One answer: text, or calls, or (against the protocol) both."""

    content: str = ""
    tool_calls: tuple[MessageCall, ...] = ()
    usage: Usage = Usage()
    reasoning: str = ""
    malformed: str = ""
    """Why the answer cannot be used; it was paid for all the same. What could be read of it is in the other fields."""
    priced: bool = True
    """Whether `usage.cost` is known; if not, it is 0."""
    raw: dict[str, Any] | None = Field(default=None, exclude=True, repr=False)
    """The provider's payload, if there is one. Left out of the JSON: whoever stores it does so apart."""


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


class AsyncChatModel(Protocol):
    """The same door for those who hold hundreds of conversations at a time."""

    @property
    def name(self) -> str: ...

    async def complete_async(
        self,
        *,
        system: str,
        messages: Sequence[Message],
        tools: Sequence[dict[str, Any]],
        seed: int,
    ) -> Completion:
        """As ChatModel.complete."""
        ...


@dataclass(frozen=True)
class AtOnce:
    """The async door of a model that answers without waiting for anything, as scripted ones do."""

    model: ChatModel

    @property
    def name(self) -> str:
        return self.model.name

    async def complete_async(
        self,
        *,
        system: str,
        messages: Sequence[Message],
        tools: Sequence[dict[str, Any]],
        seed: int,
    ) -> Completion:
        return self.model.complete(
            system=system, messages=messages, tools=tools, seed=seed
        )

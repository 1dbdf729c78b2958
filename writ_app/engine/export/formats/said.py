"""Messages that are all text: who says it, and what; a call is a message of its own kind. Several formats spell them so."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from writ_app.engine.export.fixed import FixedText, fixed_text
from writ_app.engine.export.formats.chat import (
    answer,
    call_text,
    parse_function,
    parse_json,
    part,
    text,
)
from writ_app.engine.export.records import Json, World, spoken
from writ_app.engine.export.unfit import UnfitRow
from writ_app.engine.export.walk import Turn

NO_IDS = "Calls have no ids; those read back are numbered anew."


class Spelling(NamedTuple):
    """What a format calls the keys and the speakers."""

    role: str
    content: str
    user: str
    assistant: str
    call: str
    tool: str

    def say(self, message: Json) -> Json:
        """One message. Raises UnfitRow for text beside a call, which has no place here."""
        if "tool_calls" in message:
            if message.get("content"):
                raise UnfitRow(
                    "text_beside_call", "A call has no place for text beside it."
                )
            return self.call_of(message)
        speaker = getattr(self, message["role"])
        return {self.role: speaker, self.content: message.get("content", "")}

    def call_of(self, message: Json) -> Json:
        """The one call of a message."""
        return {
            self.role: self.call,
            self.content: call_text(message["tool_calls"][0]),
        }

    def parse(self, messages: Sequence[Any]) -> list[Json]:
        """Canonical messages. Raises UnfitRow."""
        return list(self._parsed(messages))

    def _parsed(self, messages: Sequence[Any]) -> Iterator[Json]:
        made = 0
        for one in messages:
            role, said = part(one, self.role), text(one, self.content)
            if role == self.call:
                made += 1
                call = parse_function(parse_json(said, "A call"))
                yield spoken("assistant", "", [{"id": _id(made), **call}])
            elif role == self.tool:
                yield answer(_id(made), said)
            elif role in (self.user, self.assistant):
                yield spoken("user" if role == self.user else "assistant", said)
            else:
                raise UnfitRow("bad_message", f"A message has the role {role!r}.")


def _id(number: int) -> str:
    return f"call_{number}"


def tools_text(world: World) -> FixedText:
    """The schemas as JSON text, as trainers load them that parse the column themselves."""
    return world.once(_tools_text)


def _tools_text(world: World) -> FixedText:
    return fixed_text(world.tools_json)


def check_turns(turns: Sequence[Turn], wanted: Callable[[int, bool], bool]) -> None:
    """Raises UnfitRow at the first turn (number from 0, whether the assistant's) that does not stand where it may."""
    for n, turn in enumerate(turns):
        if not wanted(n, turn.message["role"] == "assistant"):
            raise UnfitRow(
                "alternation",
                f"Message {n + 1} does not stand in turn: the assistant answers every message once.",
            )

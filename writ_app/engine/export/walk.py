"""The one walk over a record's messages that every format for a trainer begins with: policies applied, losses told.

Formats only spell what they get from here.
"""

from typing import Literal, NamedTuple

from writ_app.engine.export.lint import lint
from writ_app.engine.export.options import Greeting, Options
from writ_app.engine.export.records import Json, Record
from writ_app.engine.export.talk import greetings_of, without_reasoning, without_stop
from writ_app.engine.export.unfit import UnfitRow

type Why = Literal["", "greeting", "failed_call"]


class Turn(NamedTuple):
    """One message of a row, canonical. `why` says why a message of the assistant carries no loss; "" if it does."""

    message: Json
    why: Why = ""

    @property
    def masked(self) -> bool:
        """Whether a message of the assistant carries no loss, other than what trainers do by themselves."""
        return bool(self.why)


def turns_of(record: Record, options: Options, greeting: Greeting) -> list[Turn]:
    """The messages of a row; `greeting` is what suits the target. Raises UnfitRow for what `lint` finds."""
    for problem in () if record.linted else lint(record):
        raise UnfitRow(problem.pitfall, problem.text)
    messages = without_stop(record.messages)
    policy = greeting if options.greeting == "target" else options.greeting
    greetings = greetings_of(messages)
    if policy == "drop":
        messages, greetings = messages[greetings:], 0
    if options.reasoning == "strip":
        messages = [without_reasoning(message) for message in messages]
    turns = [Turn(message) for message in messages]
    if policy == "mask":
        turns[:greetings] = [
            Turn(turn.message, "greeting") for turn in turns[:greetings]
        ]
    if not options.train_on_failed_calls:
        for n, message in enumerate(messages):
            if message.get("error"):
                turns[n - 1] = Turn(messages[n - 1], "failed_call")
    return turns

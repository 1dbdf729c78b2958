"""What the agent says of the world: ids, addresses, amounts and changes that nothing bears out.

Strict only where it is certain: an id or an email has to stand somewhere, an amount may also be what simple arithmetic or the world's
own reckoning of a change comes to, and a change that is claimed in so many words needs at least one write before it.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property, lru_cache
from itertools import accumulate
from operator import attrgetter

from environments.core.arithmetic import Reckoning, cents, numbers_in
from environments.core.environment import Environment
from environments.core.tools import ToolCall
from writ_app.engine.behaviour import mentions
from writ_app.engine.behaviour.reading import without_mere_words
from writ_app.engine.types import Task
from writ_app.engine.verification.texts import squashed
from writ_app.engine.verification.trace import Trace

_EMAIL = r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"
_ID = (
    r"#\w{0,40}?\d{3,}"  # order numbers
    r"|\b[A-Za-z]{1,40}(?:_[A-Za-z]{1,40}){0,8}_\d{3,}\b"  # ids made of words
    r"|\b[A-Z]{1,4}\d{3,}\b"  # flights, units, bookings
    r"|\b(?=[A-Z]*\d)(?=\d*[A-Z])[A-Z\d]{6}\b"  # booking codes
    r"|\b\d{7,}\b"  # long numbers
)
_NAMES = re.compile(f"{_EMAIL}|{_ID}")
_DIGIT = re.compile(r"[\d@]")
_AMOUNT = re.compile(r"\$\s?(\d[\d,]*(?:\.\d+)?)")
_DONE = re.compile(
    r"\bI(?:'ve| have)(?: (?:now|just|also|already|successfully|gone ahead and))*? "
    r"(?:cancel+ed|refunded|booked|rebooked|exchanged|modified|changed|updated|swapped|insured|extended|upgraded)\b",
    re.IGNORECASE,
)
_NOT_YET = re.compile(
    r"\b(?:once|when|after|if|until|before|as soon as|not|never)\b[^.!?]{0,40}$",
    re.IGNORECASE,
)


def names_in(text: str) -> set[str]:
    """Ids and emails that a text speaks of."""
    return set(_names_in(text))


def _names_in(text: str) -> list[str]:
    """In order. None goes over a blank, or is without a digit or an @."""
    if not _DIGIT.search(text):
        return []
    return _NAMES.findall(without_mere_words(text))


def _stands_alone(number: str, text: str, limit: int) -> bool:
    """Whether a text has, before that place, a number that neither goes on nor is the end of something longer."""
    place = text.find(number, 0, limit)
    while place >= 0:
        end = place + len(number)
        before, after = text[place - 1 : place], text[end : end + 1]
        if not (before.isalnum() or before in ("_", ".")) and not after.isdecimal():
            return True
        place = text.find(number, place + 1, limit)
    return False


class Grounds:
    """Everything that a text of the agent may rest on, as far as it stands before a message."""

    def __init__(self, trace: Trace):
        self._trace = trace

    def names(self, name: str, before: int) -> bool:
        """Whether an id or an email stands in a result, in what the user said, in the policy, or in a call already made."""
        count = self._count(before)
        if self._joined.find(name, 0, self._ends[count]) >= 0:
            return True
        texts, wanted = self._trace.texts[:count], squashed(name)
        return (
            wanted in _squashed_rules(self._trace.environment)
            or any(wanted in text.squashed for text in texts)
            or any(mentions(t, name) for n, t in self._trace.user_texts if n < before)
        )

    def amounts(self, figure: str, before: int) -> bool:
        """Whether an amount stands somewhere, is the world's own figure for a change, or simple arithmetic gives it."""
        amount = float(figure.replace(",", ""))
        count = self._count(before)
        plain = str(int(amount)) if amount == int(amount) else str(amount)
        if _stands_alone(plain, self._joined, self._ends[count]):
            return True
        if cents(amount) in self._figures or cents(amount) in self._reckoned:
            return True
        texts = self._trace.texts[:count]
        seen = [number for text in texts for number in text.numbers]
        seen += _numbers_of_rules(self._trace.environment)
        return Reckoning(seen).gives(amount)

    def _count(self, before: int) -> int:
        """How many of the texts stand before a message."""
        return bisect_left(self._trace.texts, before, key=attrgetter("index"))

    @cached_property
    def _joined(self) -> str:
        """All texts, to be searched at once; nothing goes over what stands between them."""
        return "\0".join(text.text for text in self._trace.texts)

    @cached_property
    def _ends(self) -> list[int]:
        """Where in it the first so many texts end."""
        sizes = (len(text.text) + 1 for text in self._trace.texts)
        return list(accumulate(sizes, initial=0))

    @cached_property
    def _figures(self) -> set[int]:
        """Amounts (in cents) that were to be told and compared."""
        return {cents(figure) for figure in _figures(self._trace.task)}

    @cached_property
    def _reckoned(self) -> set[int]:
        """Amounts (in cents) in the world's own words for the writes, made or right."""
        gold = [write.call for write in self._trace.task.gold]
        texts = [*_words_of_made(self._trace)]
        if gold != [made.call for made in self._trace.writes]:
            texts += _words_of(gold, self._trace)
        return {cents(number) for text in texts for number in numbers_in(text)}


def _words_of_made(trace: Trace) -> Iterator[str]:
    """What the world says of the writes, of each before and after it was made."""
    words, session = trace.environment.domain.words, trace.environment.session()
    for made in trace.writes:
        yield words.describe_write(made.call, session.state)
        session = made.after.session if made.after else session
        yield words.describe_outcome(made.call, session.state)


def _words_of(writes: list[ToolCall], trace: Trace) -> Iterator[str]:
    """The same of writes that were not made."""
    words, session = trace.environment.domain.words, trace.environment.session()
    for call in writes:
        yield words.describe_write(call, session.state)
        session.call(call)
        yield words.describe_outcome(call, session.state)


def _figures(task: Task) -> Iterator[float]:
    values = [one.value for one in task.told]
    for table in task.tables:
        for line in table.lines:
            values += line.objective
    for value in values:
        if isinstance(value, int | float):
            yield float(value)


@lru_cache(maxsize=16)
def _rules(environment: Environment) -> str:
    """The policy and what the tools say of themselves."""
    descriptions = [str(schema) for schema in environment.schemas]
    return "\n".join([environment.policy, *descriptions])


@lru_cache(maxsize=16)
def _squashed_rules(environment: Environment) -> str:
    return squashed(_rules(environment))


@lru_cache(maxsize=16)
def _numbers_of_rules(environment: Environment) -> list[float]:
    return numbers_in(_rules(environment))


def unfounded(trace: Trace) -> Iterator[tuple[int, str]]:
    """(index of message, finding) for each claim of the agent's that nothing bears out."""
    grounds = Grounds(trace)
    first_write = min((write.index for write in trace.writes), default=None)
    for n, text in trace.agent_texts:
        for name in dict.fromkeys(_names_in(text)):
            if not grounds.names(name, n):
                yield n, f"Nothing shows {name}."
        for figure in dict.fromkeys(_AMOUNT.findall(text)):
            if not grounds.amounts(figure, n):
                yield n, f"Nothing comes to ${figure}."
        if first_write is None or first_write > n:
            claim = claimed_change(text)
            if claim:
                yield n, f'"{claim}", says the agent, but nothing was written.'


def claimed_change(text: str) -> str:
    """The words in which a text says that something was changed; "" if it does not."""
    text = text.replace("’", "'")
    for found in _DONE.finditer(text):
        if not _NOT_YET.search(text[: found.start()]):
            return found.group()
    return ""


# --- look-ups ------------------------------------------------------------------------------------------------------------------


def invented_lookups(trace: Trace) -> Iterator[tuple[int, str]]:
    """(index of message, finding) for each id or email that was looked up though nobody had given it."""
    grounds = Grounds(trace)
    for made in trace.calls:
        if made.tried_to_write or made.kind is None:
            continue
        for value in made.ids:
            if not grounds.names(value, made.index):
                yield (
                    made.index,
                    f"Nobody gave {value}, for which {made.call.name} looked.",
                )

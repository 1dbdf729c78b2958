"""The scripted user: follows a ledger and its triggers in the manner of its persona, and ends when everything is done."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

from writ_app.engine.behaviour import (
    STOP,
    Hearing,
    phrase,
    styled,
    was_remarked,
    was_told_wrong,
)
from writ_app.engine.behaviour.style import runs_on
from writ_app.engine.llm import Completion
from writ_app.engine.scripted import user_phrases as phrases
from writ_app.engine.types import Ledger, LedgerLine, Message, Remark, Task


class ScriptedUser:
    """Plays the user of one task."""

    name = "scripted"

    def __init__(self, task: Task, ledger: Ledger):
        self._task = task
        self._ledger = ledger

    def complete(
        self,
        *,
        system: str,
        messages: Sequence[Message],
        tools: Sequence[dict[str, Any]],
        seed: int,
    ) -> Completion:
        """The next turn. The user's own messages are the assistant's here, the agent's are the user's."""
        rng = random.Random(f"user {seed} {len(messages)} {self._task.text}")
        hearing = Hearing.of_user(self._ledger, messages)
        turn = _Turn(self._task, hearing, _Manner(self._ledger, rng), rng)
        return Completion(content=turn.text())


class _Turn:
    """One message in the making."""

    def __init__(
        self,
        task: Task,
        hearing: Hearing,
        manner: "_Manner",
        rng: random.Random,
    ):
        self._task = task
        self._hearing = hearing
        self._manner = manner
        self._rng = rng
        self._stops = False
        self._pauses = False
        """Whether this message turns the talk elsewhere, so that no remark fits."""

    def text(self) -> str:
        first = not self._hearing.said
        said = self._opening() if first else self._answer()
        if not self._stops and not self._pauses:
            said = self._with_asides(said, 2 if first else 1)
        said = self._manner.as_message(said, first=first)
        return f"{said} {STOP}" if self._stops else said

    # --- the opening ---

    def _opening(self) -> str:
        """Greeting, what it is about, and whatever else the ledger says at once."""
        wanted = self._hearing.wanted
        at_once = [x for x in wanted if self._when(x) == "opening"]
        requests = [x for x in at_once if x.kind == "request"]
        who = [x for x in at_once if x.kind == "identity"]
        ordered = [*who, *requests] if self._rng.random() < 0.4 else [*requests, *who]
        kept_back = self._hearing.remarks("with_identity") if who else ()
        texts = [
            self._manner.hello(),
            *(x.spoken_wrong or x.spoken for x in ordered),
            *(remark.spoken for remark in kept_back),
        ]
        return _joined(*texts)

    # --- answers, in the order in which what was heard is looked at ---

    def _answer(self) -> str:
        last = self._hearing.last
        steps = [
            self._correct,
            self._introduce,
            self._turn_to_other_wish,
            self._object,
            self._confirm if last.waits_for_yes else self._tell,
            self._ask_again,
            self._leave,
        ]
        return next(text for step in steps if (text := step()))

    def _correct(self) -> str:
        """The agent came back to what was wrong."""
        for line in self._hearing.unsaid():
            if self._is_wrong_yet(line) and self._hearing.last.returns_to(line):
                return self._with_next(line.spoken)
        return ""

    def _introduce(self) -> str:
        """Who the user is, once it is asked for as such; the reluctant ask back first."""
        who = next((x for x in self._untold() if x.kind == "identity"), None)
        if who is None or not self._is_asked_for(who):
            return ""
        why = next(self._due("asked"), None)
        if why is not None:
            return self._with_next(why.spoken)
        text = self._manner.wrap(phrases.REPLY, text=who.spoken_wrong or who.spoken)
        kept_back = self._hearing.remarks("with_identity")
        return self._with_next(_joined(text, *(remark.spoken for remark in kept_back)))

    def _is_asked_for(self, who: LedgerLine) -> bool:
        last = self._hearing.last
        again = who.release == "asked_again" and self._hearing.may_say(who)
        return last.asks_who(who.tells) or (again and last.asks)

    def _turn_to_other_wish(self) -> str:
        """The first wish is given up when its time has come: with everything that the second one needs."""
        line = self._hearing.shift_line
        if line is None or self._hearing.shifted or not self._is_time_for(line):
            return ""
        self._pauses = True
        second = [x for x in self._hearing.ledger.lines if x.phase == "second"]
        return _joined(line.spoken, *(x.spoken_wrong or x.spoken for x in second))

    def _is_time_for(self, line: LedgerLine) -> bool:
        last = self._hearing.last
        if line.release == "at_confirmation":
            return last.waits_for_yes
        if line.release == "after_refusal":
            return last.refuses or last.offers_more
        return not self._untold()

    def _untold(self) -> list[LedgerLine]:
        """What of the request as it stands was not said, right or wrong."""
        return [x for x in self._hearing.unsaid() if not self._is_wrong_yet(x)]

    def _is_wrong_yet(self, line: LedgerLine) -> bool:
        """Whether the line was told wrong, and waits to be corrected."""
        return bool(line.wrong_tells) and was_told_wrong(line, self._hearing.told)

    @staticmethod
    def _when(line: LedgerLine) -> str:
        """The trigger of what is to be said of the line first."""
        return line.wrong_release if line.wrong_tells else line.release

    def _object(self) -> str:
        """Against a refusal, as long as the ledger has something to say."""
        if not self._hearing.last.refuses or self._hearing.last.waits_for_yes:
            return ""
        return self._question("after_refusal")

    def _question(self, release: str) -> str:
        """A remark that the agent has to answer first, if one is due."""
        remark = next(self._due(release), None)
        self._pauses = remark is not None
        return remark.spoken if remark else ""

    def _confirm(self) -> str:
        """A yes, unless something is left to say or to ask before it."""
        line = self._next_line("opening", "next_turn", "late", "asked", "after_shift")
        if line is not None:
            return self._manner.wrap(phrases.STILL, text=self._whole(line))
        if question := self._question("at_confirmation"):
            return question
        condition = next(self._due("with_yes"), None)
        if condition is not None:
            return self._manner.wrap(phrases.YES_BUT, condition=condition.spoken)
        return self._manner.yes()

    def _tell(self) -> str:
        """The next detail that is asked for, or that is due anyway."""
        last = self._hearing.last
        if last.offers_more or not last.asks:
            lines = self._rest()
            if lines:
                said = _joined(*(x.spoken_wrong or x.spoken for x in lines))
                return self._manner.wrap(phrases.NEXT, text=said)
        line = self._next_line("opening", "asked", "next_turn", "late", "after_shift")
        if line is None or not (last.asks or self._when(line) == "next_turn"):
            return ""
        text = self._manner.wrap(phrases.REPLY, text=self._whole(line))
        return self._with_next(text, besides=line)

    def _whole(self, line: LedgerLine) -> str:
        """The line; of a request that comes as a whole, all that belongs to it."""
        if not line.part or self._manner.gives("disclosure", "incremental", "asked"):
            return line.spoken_wrong or line.spoken
        part = [x for x in self._untold() if x.part == line.part]
        same = [x for x in part if self._when(x) == self._when(line)]
        return _joined(*(x.spoken_wrong or x.spoken for x in same))

    def _rest(self) -> list[LedgerLine]:
        """Of requests that waited for the first to be done, the next part."""
        hidden = [x for x in self._untold() if self._when(x) == "after_write"]
        return [x for x in hidden if x.part == hidden[0].part]

    def _ask_again(self) -> str:
        """Asked for something that the user does not know; or doubtful whether it is really done."""
        last = self._hearing.last
        if last.asks and not last.offers_more:
            return self._manner.wrap(phrases.NOTHING_TO_SAY)
        return self._question("before_leaving")

    def _leave(self) -> str:
        self._stops = True
        refused = bool(self._task.declined or self._task.transferred)
        return self._manner.goodbye(refused)

    # --- pieces ---

    def _next_line(self, *releases: str) -> LedgerLine | None:
        requests = [x for x in self._untold() if x.kind == "request"]
        lines = [
            x
            for x in requests
            if self._when(x) in releases and not self._hearing.hidden(x)
        ]
        early = [x for x in lines if x.release != "late"]
        return next(iter([*early, *lines]), None)

    def _due(self, release: str) -> Iterator[Remark]:
        return self._hearing.remarks(release)

    def _with_next(self, text: str, besides: LedgerLine | None = None) -> str:
        """One more thing, from users who come out with one in every message."""
        if not self._manner.gives("disclosure", "incremental"):
            return text
        left = (x for x in self._untold() if x != besides)
        line = next((x for x in left if self._when(x) == "next_turn"), None)
        if line is None:
            return text
        more = line.spoken_wrong or line.spoken
        return self._manner.wrap(phrases.MORE, text=text, more=more)

    def _with_asides(self, text: str, most: int) -> str:
        """Remarks that are due, at the end."""
        due = [r for r in self._due("window") if not was_remarked(r, text)]
        return _joined(text, *(remark.spoken for remark in due[:most]))


class _Manner:
    """How this user greets, agrees, pads and leaves."""

    def __init__(self, ledger: Ledger, rng: random.Random):
        self._behaviour = ledger.behaviour
        self._rng = rng
        values = [v for line in ledger.lines for v in line.tells.values()]
        self._facts = values

    def gives(self, dimension: str, *values: str) -> bool:
        return self._behaviour.get(dimension) in values

    def _styled(self, text: str) -> str:
        return styled(text, self._behaviour, self._rng, self._facts)

    def _say(self, patterns: Sequence[str]) -> str:
        """Like `phrase`, for patterns of which some are empty, in the user's own words."""
        chosen = self._rng.choice(patterns)
        return self._styled(phrase((chosen,), self._rng)) if chosen else ""

    def wrap(self, patterns: Sequence[str], **texts: str) -> str:
        """A phrase around texts that are in the user's own words already."""
        if texts.keys() == {"text"} and self.gives("tone", "curt"):
            return texts["text"]
        places = {name: f"#{name}#" for name in texts}
        said = self._styled(phrase(patterns, self._rng, **places))
        for name, text in texts.items():
            said = said.replace(places[name], text)
        return said

    def hello(self) -> str:
        if self.gives("tone", "curt") or self.gives("verbosity", "minimal"):
            return ""
        tone = self._behaviour.get("tone", "")
        greeting = {
            "polite": phrases.HELLO_POLITE,
            "angry": phrases.HELLO_ANGRY,
            "anxious": phrases.HELLO_ANXIOUS,
        }.get(tone, phrases.HELLO)
        return self._say(greeting)

    def yes(self) -> str:
        short = self.gives("verbosity", "minimal") or self.gives("tone", "curt")
        return self._say(phrases.YES_SHORT if short else phrases.YES)

    def goodbye(self, refused: bool) -> str:
        if self.gives("tone", "curt"):
            return self._say(phrases.ACCEPT_CURT if refused else phrases.LEAVE_CURT)
        return self._say(phrases.ACCEPTED if refused else phrases.THANKS)

    def as_message(self, text: str, *, first: bool) -> str:
        """A finished message: with the mood, the padding and the form that belong to the user."""
        paragraphs = [text]
        mood = phrases.MOOD.get(self._behaviour.get("tone", ""))
        often = 1.0 if self.gives("tone", "polite") else 0.75
        if mood and not first and self._rng.random() < often:
            paragraphs.append(self._say(mood))
        if self.gives("verbosity", "rambling"):
            count = self._rng.randrange(2, 4) if first else 2
            bank = phrases.RAMBLE if first else phrases.RAMBLE + phrases.RAMBLE_SHORT
            paragraphs += [
                self._styled(phrase((pattern,), self._rng))
                for pattern in self._rng.sample(bank, count)
            ]
        if self.gives("channel", "email"):
            opening = phrases.SALUTATION if first else phrases.SALUTATION_AGAIN
            letter = [
                phrase(opening, self._rng),
                *paragraphs,
                phrase(phrases.CLOSING, self._rng),
            ]
            return "\n\n".join(letter)
        return _joined(*paragraphs)


def _joined(*texts: str) -> str:
    """One text after the other, with a word in between where a spelled code would run on."""
    said = ""
    for text in filter(None, texts):
        said = f"{said} {'and ' if runs_on(said, text) else ''}{text}".strip()
    return said

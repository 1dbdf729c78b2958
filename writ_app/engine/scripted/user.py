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
from writ_app.engine.llm import Completion
from writ_app.engine.scripted import user_phrases as phrases
from writ_app.engine.scripted.faults import FAULTS, applicable
from writ_app.engine.scripted.phrases import INVENTED, LEAVING
from writ_app.engine.types import Ledger, LedgerLine, Message, Owner, Remark, Task


class ScriptedUser:
    """Plays the user of one task. Raises ValueError at once for a fault that does not apply."""

    name = "scripted"

    def __init__(self, task: Task, ledger: Ledger, fault: str = ""):
        if fault and (
            FAULTS[fault].owner is not Owner.USER or not applicable(fault, task)
        ):
            raise ValueError(f"The fault {fault} is not one of this task's user.")
        self._task = task
        self._ledger = ledger
        self._fault = fault

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
        turn = _Turn(self._task, hearing, _Manner(self._ledger, rng), rng, self._fault)
        return Completion(content=turn.text())


class _Turn:
    """One message in the making."""

    def __init__(
        self,
        task: Task,
        hearing: Hearing,
        manner: "_Manner",
        rng: random.Random,
        fault: str,
    ):
        self._task = task
        self._hearing = hearing
        self._manner = manner
        self._rng = rng
        self._fault = fault
        self._stops = False

    def text(self) -> str:
        said = self._answer() if self._hearing.said else self._opening()
        if self._fault == "invented_fact" and not self._hearing.said:
            said = f"{said} {self._invention()}"
        said = self._manner.as_message(said, first=not self._hearing.said)
        return f"{said} {STOP}" if self._stops else said

    # --- the opening ---

    def _opening(self) -> str:
        """Greeting, what it is about, and whatever else the ledger says at once."""
        wanted = self._hearing.wanted
        at_once = [
            x
            for x in wanted
            if x.release == "opening" or x.release == "after_agent_repeats"
        ]
        requests = [x for x in at_once if x.kind == "request"]
        who = [x for x in at_once if x.kind == "identity"]
        ordered = [*who, *requests] if self._rng.random() < 0.4 else [*requests, *who]
        kept_back = self._hearing.remarks("with_identity") if who else ()
        texts = [
            self._manner.hello(),
            *(x.spoken_wrong or x.spoken for x in ordered),
            *(remark.spoken for remark in kept_back),
        ]
        return self._with_aside(_joined(*texts), long=True)

    def _invention(self) -> str:
        """The fault `invented_fact`: a number that nobody gave the user."""
        number = self._rng.randrange(10_000_000, 100_000_000)
        return phrase(INVENTED, self._rng, number=number)

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
            waiting = line.wrong_tells and was_told_wrong(line, self._hearing.told)
            if waiting and self._hearing.last.returns_to(line):
                return self._with_kept_back(line.spoken, line)
        return ""

    def _introduce(self) -> str:
        """Who the user is, once it is asked for as such."""
        who = next(iter(self._hearing.unsaid(("identity",))), None)
        asked = who is not None and (
            self._hearing.last.asks_who(who.tells)
            or (
                who.release == "asked_again"
                and self._hearing.last.asks
                and self._hearing.may_say(who)
            )
        )
        if who is None or not asked or who.wrong_tells:
            return ""
        why = next(self._due("asked"), None)
        if who.release == "asked_again" and why is not None:
            return why.spoken
        text = phrase(phrases.REPLY, self._rng, text=who.spoken)
        return self._with_next(self._with_kept_back(text, who))

    def _turn_to_other_wish(self) -> str:
        """The first wish is given up when its time has come: with everything that the second one needs."""
        line = self._hearing.shift_line
        if line is None or self._hearing.shifted or not self._is_time_for(line):
            return ""
        second = [x for x in self._ledger_lines() if x.phase == "second"]
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
        told = self._hearing.told
        return [
            line
            for line in self._hearing.unsaid()
            if not (line.wrong_tells and was_told_wrong(line, told))
        ]

    def _object(self) -> str:
        """Against a refusal, as long as the ledger has something to say."""
        if not self._hearing.last.refuses or self._hearing.last.waits_for_yes:
            return ""
        appeal = next(self._due("after_refusal"), None)
        return appeal.spoken if appeal else ""

    def _confirm(self) -> str:
        """A yes, unless something is left to say or to ask before it."""
        if self._fault == "early_stop":
            self._stops = True
            return phrase(LEAVING, self._rng)
        line = self._next_line("opening", "next_turn", "late", "asked", "after_shift")
        if line is not None:
            return phrase(phrases.STILL, self._rng, text=self._whole(line))
        question = next(self._due("at_confirmation"), None)
        if question is not None:
            return question.spoken
        condition = next(self._due("with_yes"), None)
        if condition is not None:
            return phrase(phrases.YES_BUT, self._rng, condition=condition.spoken)
        return self._with_aside(self._manner.yes())

    def _tell(self) -> str:
        """The next detail that is asked for, or that is due anyway."""
        last = self._hearing.last
        if last.offers_more:
            lines = self._rest()
            if lines:
                said = _joined(*(line.spoken for line in lines))
                return phrase(phrases.NEXT, self._rng, text=said)
        line = self._next_line("opening", "asked", "next_turn", "late", "after_shift")
        if line is None or not (last.asks or line.release == "next_turn"):
            return ""
        text = phrase(phrases.REPLY, self._rng, text=self._whole(line))
        return self._with_aside(self._with_next(text, besides=line))

    def _whole(self, line: LedgerLine) -> str:
        """The line; of a request that comes as a whole, all that belongs to it."""
        if not line.part or self._manner.gives("disclosure", "incremental", "asked"):
            return line.spoken
        part = [x for x in self._untold() if x.part == line.part]
        return _joined(*(x.spoken for x in part if x.release == line.release))

    def _rest(self) -> list[LedgerLine]:
        """Of requests that waited for the first to be done, the next part."""
        hidden = [x for x in self._untold() if x.release == "after_write"]
        return [x for x in hidden if x.part == hidden[0].part]

    def _ask_again(self) -> str:
        """Asked for something that the user does not know; or doubtful whether it is really done."""
        last = self._hearing.last
        if last.asks and not last.offers_more:
            return phrase(phrases.NOTHING_TO_SAY, self._rng)
        doubt = next(self._due("before_leaving"), None)
        return doubt.spoken if doubt else ""

    def _leave(self) -> str:
        self._stops = True
        refused = bool(self._task.declined or self._task.transferred)
        return self._manner.goodbye(refused)

    # --- pieces ---

    def _ledger_lines(self) -> tuple[LedgerLine, ...]:
        return self._hearing.ledger.lines

    def _next_line(self, *releases: str) -> LedgerLine | None:
        lines = [
            x for x in self._untold() if x.kind == "request" and x.release in releases
        ]
        early = [x for x in lines if x.release != "late"]
        return next(iter([*early, *lines]), None)

    def _due(self, release: str) -> Iterator[Remark]:
        return self._hearing.remarks(release)

    def _with_kept_back(self, text: str, line: LedgerLine) -> str:
        if line.kind != "identity":
            return text
        return _joined(
            text, *(r.spoken for r in self._hearing.remarks("with_identity"))
        )

    def _with_next(self, text: str, besides: LedgerLine | None = None) -> str:
        """One more thing, from users who come out with one in every message."""
        if not self._manner.gives("disclosure", "incremental"):
            return text
        lines = [x for x in self._untold() if x.release == "next_turn" and x != besides]
        if not lines:
            return text
        return phrase(phrases.MORE, self._rng, text=text, more=lines[0].spoken)

    def _with_aside(self, text: str, *, long: bool = False) -> str:
        """A remark that is due, before or after; at most one per message."""
        remark: Remark | None = next(self._due("window"), None)
        if remark is None or was_remarked(remark, text):
            return text
        return _joined(text, remark.spoken)


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
    return " ".join(text for text in texts if text)

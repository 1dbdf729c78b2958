"""Was each write listed, and did the user say yes to it, and not no afterwards?"""

import re
from collections.abc import Mapping

from writ_app.engine.behaviour import asks_confirmation, holds_back, says_yes
from writ_app.engine.behaviour.listing import listing
from writ_app.engine.behaviour.reading import mentions
from writ_app.engine.types import Check
from writ_app.engine.verification.claims import names_in
from writ_app.engine.verification.findings import failed, passed
from writ_app.engine.verification.trace import Made, Trace, says_no


def check_confirmation(trace: Trace) -> Check:
    """Before each write the agent listed it, and the user said yes."""
    if not trace.writes:
        return passed("confirmation", "Does not apply: nothing was written.")
    found: dict[int, set[str]] = {}
    lacking = []
    done: list[Made] = []
    for write in trace.writes:
        place = _confirmed(trace, write, found, done)
        if place is None:
            lacking.append(write)
        else:
            found.setdefault(place, set()).update(write.ids)
        done.append(write)
    if lacking:
        names = ", ".join(write.call.name for write in lacking)
        return failed(
            "confirmation",
            f"No yes of the user to a message that listed the details: {names}.",
            [write.index for write in lacking],
        )
    return passed(
        "confirmation", "The user said yes to each write as it was listed.", found
    )


def _confirmed(
    trace: Trace, write: Made, spent: Mapping[int, set[str]], done: list[Made]
) -> int | None:
    """Index of the yes to the latest message that lists the write.

    A yes `spent` on earlier writes (index → the ids these name) covers another only if that names something of its own. Of what
    earlier writes (`done`) were about already, a message may just be the report: it has to say what is to be done with it now.
    """
    needed, own = listing(trace.environment, write.call), set(write.ids)
    for index, text in reversed(trace.agent_texts):
        if index >= write.index or not needed.in_text(text):
            continue
        if says_no(text) and not asks_confirmation(text):
            continue  # "fine" to a refusal is a yes to nothing
        answer = _yes(trace, index, write.index)
        if answer is None:
            continue
        fresh = own - spent[answer] if answer in spent else own
        if not fresh:
            continue
        reported = {name for made in done if made.index < index for name in made.ids}
        if answer in spent and fresh <= reported and not _proposes(text, write, fresh):
            continue
        return answer
    return None


def _yes(trace: Trace, listed: int, written: int) -> int | None:
    """Index of the yes between the listing and the write; None if there is none, or a no before or after it.

    It may come to a question that follows, as long as that is about nothing else.
    """
    answers = [(n, text) for n, text in trace.user_texts if listed < n < written]
    for place, (n, text) in enumerate(answers):
        if says_yes(text) and (place == 0 or _follows(trace, listed, n)):
            others = (other for m, other in answers if m != n)
            return None if any(map(holds_back, others)) else n
    return None


def _follows(trace: Trace, listed: int, answered: int) -> bool:
    """Whether the question before an answer is still about the listing."""
    texts = reversed(trace.agent_texts)
    asked = next((text for n, text in texts if n < answered), "")
    known = names_in(trace.messages[listed].content)
    return asks_confirmation(asked) and names_in(asked) <= known


_VERBS = {
    "cancel": ("cancel",),
    "return": ("return", "refund", "send"),
    "exchange": ("exchang", "swap", "replac"),
    "swap": ("exchang", "swap", "replac", "chang"),
    "modify": ("modif", "chang", "updat", "send", "ship", "pay", "replac", "set"),
    "update": ("chang", "updat", "add", "grad", "move", "book", "switch", "set"),
    "extend": ("exten", "longer", "add"),
    "add": ("add", "insur"),
    "book": ("book", "reserv", "hire", "rent"),
    "send": ("send", "issu", "giv"),
}
"""First word of a write's name → stems of words that propose it."""


def _proposes(text: str, write: Made, names: set[str]) -> bool:
    """Whether one sentence (or line) says what is to be done with what is named. A write of unknown kind is let pass."""
    stems = _VERBS.get(write.call.name.partition("_")[0], ("",))
    return any(
        any(stem in sentence.lower() for stem in stems)
        and any(mentions(sentence, name) for name in names)
        for sentence in re.split(r"(?<=[.!?:;])\s+|\n", text)
    )

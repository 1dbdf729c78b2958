"""Behaviour of users: plans of how a request is revealed, ledgers of what may be said when, and the audit of what was said.

A plan never changes what is wanted, only how it is told (knowledge of user behaviour, dimensions B1, B2, B4, B13). A ledger is a plan
made concrete for one task. The audit reads the user's side of any conversation, scripted or not, against the ledger.
"""

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from environments.core.domain import Clause
from environments.core.grammar import say
from writ_app.engine.types import (
    BehaviourPlan,
    Frozen,
    Ledger,
    LedgerLine,
    Message,
    SaidClause,
    Task,
)

STOP = "###STOP###"
STOP_TOKENS = (STOP, "###TRANSFER###", "###OUT-OF-SCOPE###")

PLANS: dict[str, BehaviourPlan] = {
    plan.slug: plan
    for plan in (
        BehaviourPlan(
            slug="upfront",
            title="Everything at once",
            instruction="Say everything in your first message: what you want, every detail of it, and who you are.",
            dimensions={"disclosure": "upfront", "correction": "none"},
        ),
        BehaviourPlan(
            slug="incremental",
            title="Only when asked",
            instruction=(
                "In your first message say only what it is about. Tell who you are, and every further detail, "
                "only when the agent asks for it, and no more than was asked."
            ),
            dimensions={"disclosure": "asked", "correction": "none"},
        ),
        BehaviourPlan(
            slug="corrected",
            title="Wrong at first, then corrected",
            instruction=(
                "Say everything in your first message, with the one wrong detail that is marked below. Believe it to be right "
                "until the agent repeats it back to you or reports that nothing was found; then correct it."
            ),
            dimensions={"disclosure": "upfront", "correction": "one wrong detail"},
        ),
    )
}


# --- ledgers -------------------------------------------------------------------------------------------------------------------

_IDENTITY = {
    ("email",): (
        "My email [address |]is {email}.",
        "[The|My] account is under {email}.",
        "You [should|will] find me under {email}.",
        "It's {email}.",
        "[I'm registered|I am registered|I signed up] with {email}.",
        "[Sure, my|My] email[ on file|] [would be|is] {email}.",
    ),
    ("first_name", "last_name", "zip"): (
        "[I'm|I am|My name is|This is] {first_name} {last_name}, [and my zip code is|zip code|zip] {zip}.",
        "It's {first_name} {last_name}, zip {zip}.",
        "[My name is|I'm] {first_name} {last_name} and I live in zip code {zip}.",
        "{first_name} {last_name}, [my zip is|zip code] {zip}.",
        "The account is in the name of {first_name} {last_name}, zip code {zip}.",
    ),
}
_CORRECTIONS = (
    "[Sorry|Oh, sorry|My mistake|Apologies], I [mistyped|got] that[| wrong].",
    "[Oh|Ah|Hm], that was [wrong|a typo|a slip].",
    "[Wait|Hold on], I [gave you the wrong one|made a mistake there].",
    "[You're right|Right], that isn't correct.",
)


def phrase(patterns: Sequence[str], rng: random.Random, **slots: Any) -> str:
    """One way to say it; the patterns are those of clauses (environments.core.grammar)."""
    return say(Clause("", tuple(patterns)), slots, {}, rng).text


def make_ledger(task: Task, plan: BehaviourPlan, rng: random.Random) -> Ledger:
    """What the user may say, and when. The same task, plan and state of `rng` give the same ledger."""
    identity = _identity_lines(task, rng)
    requests = [_request_line(task, clause) for clause in task.clauses]
    lines = [*identity, *requests]
    if plan.slug == "incremental":
        opening = {clause.name for clause in task.clauses if clause.opens}
        lines = [
            line
            if line.kind == "request" and line.name in opening
            else line.model_copy(update={"release": "asked"})
            for line in lines
        ]
    elif plan.slug == "corrected":
        lines = _with_mistake(lines, rng)
    return Ledger(plan=plan.slug, lines=tuple(lines))


def _identity_lines(task: Task, rng: random.Random) -> list[LedgerLine]:
    for names, patterns in _IDENTITY.items():
        if set(names) <= task.facts.keys():
            tells = {name: task.facts[name] for name in names}
            text = phrase(patterns, rng, **tells)
            return [LedgerLine(name=names[0], kind="identity", text=text, tells=tells)]
    return []


def _request_line(task: Task, clause: SaidClause) -> LedgerLine:
    tells = {name: task.facts[name] for name in clause.tells if name in task.facts}
    return LedgerLine(name=clause.name, kind="request", text=clause.text, tells=tells)


def _with_mistake(lines: list[LedgerLine], rng: random.Random) -> list[LedgerLine]:
    """One line is said wrong first. Values with digits and emails can be mistyped; a wrong name would be another wish."""
    places = [
        (n, name)
        for n, line in enumerate(lines)
        for name, value in line.tells.items()
        if _can_be_mistyped(value) and line.text.count(value) == 1
    ]
    if not places:
        return lines
    chosen, name = rng.choice(places)
    line = lines[chosen]
    wrong = _mistyped(line.tells[name], rng)
    apology = phrase(_CORRECTIONS, rng)
    corrected = line.model_copy(
        update={
            "release": "after_agent_repeats",
            "text": f"{apology} {line.text}",
            "wrong_text": line.text.replace(line.tells[name], wrong),
            "wrong_tells": {**line.tells, name: wrong},
        }
    )
    return [*lines[:chosen], corrected, *lines[chosen + 1 :]]


def _can_be_mistyped(value: Any) -> bool:
    return isinstance(value, str) and bool("@" in value or re.search(r"\d{3}", value))


def _mistyped(value: str, rng: random.Random) -> str:
    """`value` with one digit changed, or with one letter of an email's local part doubled."""
    if "@" in value:
        local, _, host = value.partition("@")
        letters = [n for n, char in enumerate(local) if char.isalpha()] or [0]
        place = rng.choice(letters)
        return f"{local[: place + 1]}{local[place:]}@{host}"
    digits = [n for n, char in enumerate(value) if char.isdigit()]
    place = rng.choice(digits[1:] or digits)
    digit = (int(value[place]) + rng.randrange(1, 10)) % 10
    return f"{value[:place]}{digit}{value[place + 1 :]}"


# --- instructions for a model --------------------------------------------------------------------------------------------------


def instructions(task: Task, ledger: Ledger, plan: BehaviourPlan) -> str:
    """The scenario for a model that plays the user: domain, reason, known and unknown facts, how to reveal them (SPEC §10)."""
    opening = [
        line.text
        for line, clause in _request_lines(task, ledger)
        if clause.opens or len(task.clauses) == 1
    ]
    parts = [
        ("Reason for call:", opening or [task.text]),
        ("Known info:", [line.wrong_text or line.text for line in ledger.lines]),
        (
            "Unknown info:",
            ["Ids, numbers and prices that are not in the known info."],
        ),
        ("Task instructions:", [plan.instruction, *_timing(ledger)]),
    ]
    lines = ["Instructions:", f"\tDomain: {task.environment}"]
    for label, texts in parts:
        lines += [f"\t{label}", *(f"\t\t{text}" for text in texts)]
    return "\n".join(lines)


def _request_lines(task: Task, ledger: Ledger) -> list[tuple[LedgerLine, SaidClause]]:
    lines = {line.name: line for line in ledger.lines if line.kind == "request"}
    return [(lines[c.name], c) for c in task.clauses if c.name in lines]


def _timing(ledger: Ledger) -> list[str]:
    """One sentence per line that waits for something."""
    said = []
    for line in ledger.lines:
        if line.release == "asked":
            said.append(f'Only when asked: "{line.text}"')
        elif line.release == "after_agent_repeats":
            said.append(f'First say: "{line.wrong_text}"')
            said.append(
                "When the agent repeats that back or cannot find anything with it, "
                f'say: "{line.text}"'
            )
    return said


# --- reading what was said -----------------------------------------------------------------------------------------------------

_YES = re.compile(
    r"\b(?:yes|yep|yeah|yup|sure|go ahead|please do|do it|proceed|confirm(?:ed)?|absolutely|definitely|"
    r"sounds good|that works|correct|that's right|okay|ok|fine|of course|perfect|agreed)\b",
    re.IGNORECASE,
)
_NO = re.compile(
    r"^\s*(?:no\b|nope|wait\b|stop\b|hold on|never mind|not yet|don't|do not|actually,? (?:no|don't|wait|i have to))|"
    r"\b(?:don't|do not|not|rather not|before you) (?:do|go|proceed|want|confirm|agree|sure)\b",
    re.IGNORECASE,
)
_CONFIRMATION = re.compile(
    r"yes/no|\(yes|\"yes\"|yes or no|\bconfirm|go ahead|\bproceed|shall i\b|should i\b|may i\b (?:do|make)|is (?:that|this) (?:ok|okay|fine|alright)|"
    r"do you (?:agree|approve)|would you like me to",
    re.IGNORECASE,
)
_IDENTITY_WORDS = re.compile(
    r"e-?mail|zip|verify|identity|identify|your account|full name|who (?:am i|i am)",
    re.IGNORECASE,
)
_ASKING = re.compile(
    r"\?|\bplease\b|could you|can you|let me know|tell me|provide", re.IGNORECASE
)
_NOTHING_FOUND = re.compile(
    r"(?:not|n't|unable to|no) (?:able to )?(?:find|locate|match|found|account|order)|not found|doesn't match|nothing (?:under|with|for)|"
    r"double-check|check (?:that|it|the)|no such",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"anything else|something else|any other|anything more|further (?:help|assist|question)|else I can|else you need",
    re.IGNORECASE,
)


def says_yes(text: str) -> bool:
    """Whether this is an explicit yes."""
    return bool(_YES.search(text)) and not _NO.search(text)


def asks_confirmation(text: str) -> bool:
    """Whether an agent's message waits for a yes or no to a change."""
    return "?" in text and bool(_CONFIRMATION.search(text))


def asks_identity(text: str) -> bool:
    return bool(_ASKING.search(text)) and bool(_IDENTITY_WORDS.search(text))


def asks(text: str) -> bool:
    """Whether an agent's message wants to be told something."""
    return bool(_ASKING.search(text))


def offers_more(text: str) -> bool:
    return bool(_MORE.search(text))


def reports_nothing_found(text: str) -> bool:
    return bool(_NOTHING_FOUND.search(text))


def plain(value: Any) -> str:
    """Lower case, single blanks, no underscores: how values and sentences are compared."""
    return re.sub(r"[\s_]+", " ", str(value)).strip().lower()


def mentions(text: str, value: Any) -> bool:
    """Whether a text holds a value as a whole word, whatever its case and spacing."""
    if isinstance(value, list | tuple):
        return all(mentions(text, part) for part in value)
    wanted = plain(value)
    return bool(wanted) and bool(
        re.search(rf"(?<![\w]){re.escape(wanted)}(?![\w])", plain(text))
    )


# --- the audit -----------------------------------------------------------------------------------------------------------------


class UserFinding(Frozen):
    """One thing that the user did against the ledger. `kind` is missing, leaked, invented, uncorrected or stop."""

    kind: str
    text: str
    where: tuple[int, ...] = ()


class UserAudit(Frozen):
    findings: tuple[UserFinding, ...]
    dimensions: dict[str, str]
    """The values of the behaviour taxonomy as they came out, to compare with the plan's."""


class _Talk:
    """The user's messages, and what the agent had said before each. Tool messages and texts beside calls are unseen."""

    def __init__(self, messages: Sequence[Message]):
        self.user: list[tuple[int, str]] = []
        self.agent: list[tuple[int, str]] = []
        for n, message in enumerate(messages):
            if message.role == "user":
                self.user.append((n, message.content))
            elif message.role == "assistant" and not message.tool_calls:
                self.agent.append((n, message.content))

    def heard(self, before: int) -> list[str]:
        """The agent's texts before a message, oldest first."""
        return [text for n, text in self.agent if n < before]

    def first(self, test: Any) -> int | None:
        """Index of the first user message for which `test(text, everything said up to it)` holds."""
        told = ""
        for n, text in self.user:
            told = f"{told}\n{text}"
            if test(text, told):
                return n
        return None


def audit_user(ledger: Ledger, messages: Sequence[Message]) -> UserAudit:
    """Judge the user's side. Quick enough for every conversation: it reads texts only."""
    talk = _Talk(messages)
    findings = [
        *_undelivered(ledger, talk),
        *_leaks(ledger, talk),
        *_mistakes(ledger, talk),
        *_inventions(ledger, talk),
        *_stops(talk, len(messages)),
    ]
    return UserAudit(findings=tuple(findings), dimensions=_realised(ledger, talk))


def was_told(line: LedgerLine, told: str) -> bool:
    """Whether a line was delivered: word for word, or its values with enough of its words, or (without values) most of its words."""
    if plain(line.text) in plain(told):
        return True
    words = set(re.findall(r"[a-z0-9']{4,}", line.text.lower()))
    share = len(words & set(re.findall(r"[a-z0-9']{4,}", told.lower()))) / (
        len(words) or 1
    )
    if not line.tells:
        return share >= 0.5
    if line.kind == "identity" or line.release == "after_agent_repeats":
        return all(mentions(told, value) for value in line.tells.values())
    return share >= 0.25 and all(
        mentions(told, value) or share >= 0.6 for value in line.tells.values()
    )


def was_told_wrong(line: LedgerLine, told: str) -> bool:
    return any(mentions(told, wrong) for wrong in wrong_values(line))


def wrong_values(line: LedgerLine) -> list[Any]:
    """What is wrong in the line's first version."""
    return [
        value for name, value in line.wrong_tells.items() if line.tells[name] != value
    ]


def _undelivered(ledger: Ledger, talk: _Talk) -> Iterable[UserFinding]:
    told = "\n".join(text for _, text in talk.user)
    for line in ledger.lines:
        if not was_told(line, told):
            yield UserFinding(
                kind="missing", text=f'The user never said: "{line.text}"'
            )


def _leaks(ledger: Ledger, talk: _Talk) -> Iterable[UserFinding]:
    """Lines that wait to be asked for, said without being asked."""
    for line in ledger.lines:
        if line.release != "asked":
            continue
        own = _own_values(line, ledger)

        def gives_away(
            text: str, told: str, line: LedgerLine = line, own: list[Any] = own
        ) -> bool:
            return plain(line.text) in plain(text) or any(
                mentions(text, value) for value in own
            )

        said = talk.first(gives_away)
        if said is not None and not _was_asked(line, talk.heard(said)):
            yield UserFinding(
                kind="leaked",
                text=f'The user said before being asked: "{line.text}"',
                where=(said,),
            )


def _own_values(line: LedgerLine, ledger: Ledger) -> list[Any]:
    """Values that no other line tells and that do not turn up in ordinary talk."""
    others = [
        value
        for other in ledger.lines
        if other is not line
        for value in other.tells.values()
    ]
    return [
        value
        for value in line.tells.values()
        if value not in others and re.search(r"\d{3}|@", str(value))
    ]


def _was_asked(line: LedgerLine, heard: Sequence[str]) -> bool:
    """The greeting does not count. Who the user is has to be asked for as such, at any time before."""
    if line.kind == "identity":
        return any(asks_identity(text) for text in heard[1:])
    return len(heard) > 1 and asks(heard[-1])


def _mistakes(ledger: Ledger, talk: _Talk) -> Iterable[UserFinding]:
    """The wrong version comes first, the correction only when the agent came back to it."""
    for line in ledger.lines:
        if line.release != "after_agent_repeats":
            continue
        differing = [v for n, v in line.tells.items() if line.wrong_tells[n] != v]
        wrong = talk.first(lambda text, _, line=line: was_told_wrong(line, text))
        right = talk.first(
            lambda text, _, values=differing: any(mentions(text, v) for v in values)
        )
        if wrong is None or (right is not None and right <= wrong):
            yield UserFinding(
                kind="uncorrected",
                text=f'The user should have said first: "{line.wrong_text}"',
                where=() if right is None else (right,),
            )
        elif right is not None:
            between = [text for n, text in talk.agent if wrong < n < right]
            if not any(_returns_to(line, text) for text in between):
                yield UserFinding(
                    kind="leaked",
                    text="The user corrected the detail before the agent came back to it.",
                    where=(wrong, right),
                )


def _returns_to(line: LedgerLine, text: str) -> bool:
    return was_told_wrong(line, text) or reports_nothing_found(text)


_TOKENS = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"  # emails
    r"|#\w*\d{3,}"  # order ids
    r"|\b[a-z]+(?:_[a-z]+)*_\d{3,}\b"  # ids made of words
    r"|\$\s?\d[\d,]*(?:\.\d+)?"  # amounts
    r"|\b\d{4,}\b",  # long numbers
    re.IGNORECASE,
)


def _inventions(ledger: Ledger, talk: _Talk) -> Iterable[UserFinding]:
    """Values with a format that neither the ledger nor the agent ever gave the user."""
    given = " ".join(_all_texts(ledger))
    for n, text in talk.user:
        known = _formatted(" ".join([given, *talk.heard(n)]))
        for token in _TOKENS.findall(text):
            if _bare(token) not in known:
                yield UserFinding(
                    kind="invented",
                    text=f"The user could not know: {token}",
                    where=(n,),
                )


def _all_texts(ledger: Ledger) -> Iterable[str]:
    for line in ledger.lines:
        yield from (line.text, line.wrong_text)
        for tells in (line.tells, line.wrong_tells):
            yield from map(str, tells.values())


def _formatted(text: str) -> set[str]:
    """Every value with a format in a text, and every number that is part of one."""
    tokens = {_bare(token) for token in _TOKENS.findall(text)}
    return tokens | set(re.findall(r"\d{4,}", text))


def _bare(token: str) -> str:
    token = token.lower().rstrip(".")
    if not token.startswith("$"):
        return token
    return f"${float(token[1:].replace(',', '')):.2f}"


def _stops(talk: _Talk, length: int) -> Iterable[UserFinding]:
    stopped = [
        n for n, text in talk.user if any(token in text for token in STOP_TOKENS)
    ]
    for n in stopped:
        if n != length - 1:
            yield UserFinding(
                kind="stop", text="The user stopped and then went on.", where=(n,)
            )
    if not stopped or not talk.heard(stopped[-1]):
        return
    last = talk.heard(stopped[-1])[-1]
    if asks_confirmation(last) and not offers_more(last):
        yield UserFinding(
            kind="stop",
            text="The user stopped while the agent was waiting for a yes or no.",
            where=(stopped[-1],),
        )


def _realised(ledger: Ledger, talk: _Talk) -> dict[str, str]:
    first = talk.user[0][1] if talk.user else ""
    at_once = [
        was_told(line, first) or bool(line.wrong_tells and was_told_wrong(line, first))
        for line in ledger.lines
    ]
    wrong = any(
        line.wrong_tells and talk.first(lambda text, _, x=line: was_told_wrong(x, text))
        for line in ledger.lines
    )
    words = [len(text.split()) for _, text in talk.user]
    mean = sum(words) / len(words) if words else 0.0
    return {
        "disclosure": "upfront" if all(at_once) else "asked",
        "correction": "one wrong detail" if wrong else "none",
        "verbosity": "minimal"
        if mean < 5
        else "standard"
        if mean <= 60
        else "rambling",
        "identity": _identity_kind(ledger.lines),
    }


def _identity_kind(lines: Iterable[LedgerLine]) -> str:
    kinds: Mapping[str, str] = {"email": "email", "first_name": "name and zip"}
    return next(
        (kinds.get(line.name, line.name) for line in lines if line.kind == "identity"),
        "none",
    )

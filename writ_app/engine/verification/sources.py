"""The grounds of one conversation: what results, user, policy and arithmetic give for a value, from the best to the weakest."""

import re
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Sequence,
)
from dataclasses import InitVar, dataclass
from functools import cached_property, lru_cache
from itertools import takewhile
from typing import Any, NamedTuple

from environments.core.environment import Environment
from environments.core.pointers import MISSING, at, leaves
from environments.core.tools import ToolCall
from writ_app.engine.behaviour.reading import holds_word, plain
from writ_app.engine.behaviour.style import rejoined
from writ_app.engine.types import ArgumentOrigin, SourceKind
from writ_app.engine.verification.formulas import figure, formula
from writ_app.engine.verification.normal import normal, told_otherwise, what_differs
from writ_app.engine.verification.results import (
    Content,
    Shown,
    Sight,
    Sights,
    content_of,
)

ALTERNATIVES = 6
"""At most so many other places are kept of a value."""
WORDS: dict[float, tuple[str, ...]] = {
    0: ("no", "none", "zero", "without", "nothing"),
    1: ("one", "single"),
    2: ("two",),
    3: ("three",),
    4: ("four",),
    5: ("five",),
    6: ("six",),
    7: ("seven",),
    8: ("eight",),
    9: ("nine",),
    10: ("ten",),
    11: ("eleven",),
    12: ("twelve",),
}
"""Numbers that people rather say in words than in digits."""

type Told = Sequence[tuple[int, str]]
"""(index of message, text), in order."""


@dataclass(frozen=True)
class _Utterance:
    """One text, made ready for many questions."""

    index: int
    text: str

    @cached_property
    def heard(self) -> Sequence[str]:
        """As values are compared, and the same with what was spelled out put together, if anything was."""
        heard, joined = plain(self.text), plain(rejoined(self.text))
        return (heard,) if joined == heard else (heard, joined)

    def has(self, value: Any, ways: Iterable[str]) -> bool:
        if type(value) is str and len(value) <= 3:  # "OR" is a state, "or" is not
            return holds_word(self.text, value)
        return any(holds_word(heard, way) for heard in self.heard for way in ways)


def _ways(value: Any) -> Collection[str]:
    """How a text may have a value, plain."""
    if isinstance(value, int | float):
        return (*_digits(value), *WORDS.get(value, ()))
    return (plain(value),)


def _digits(value: float) -> Collection[str]:
    return {str(value), figure(value), f"{value:.2f}"}


@dataclass(frozen=True)
class Source:
    """Where a value comes from. `index` is a message, `pointer` leads into it if it is a result."""

    kind: SourceKind
    index: int | None = None
    pointer: str = ""
    detail: str = ""
    alternatives: tuple[tuple[int, str], ...] = ()
    """Other places of the value, or of the other numbers of a formula."""


_NOT_FOUND = Source("not_found")


@dataclass
class Sources:
    """Everything of one conversation that an argument may come from."""

    environment: Environment
    shown: InitVar[Sequence[Shown]]
    user: Told
    agent: Told
    values: InitVar[Iterable[Any]] = ()
    """What will be looked for: results are searched for all of it at once."""
    read_again: Callable[[ToolCall, int], str] | None = None
    """(a read, index of a message) → what it would have answered just before that message."""

    def __post_init__(self, shown: Sequence[Shown], values: Iterable[Any]) -> None:
        self.sights = Sights(shown, values)
        self._reads = [result for result in reversed(shown) if not result.wrote]
        self._writes = [result.index for result in shown if result.wrote]
        self._heard = [_Utterance(*told) for told in self.user]
        self._uttered = [_Utterance(*told) for told in self.agent]
        self._said: dict[Any, int | None] = {}
        self._told: dict[Any, tuple[int, str] | None] = {}
        self._grounded: dict[Any, int] = {}
        self._again: dict[tuple[str, int], Content] = {}

    def find(
        self, value: Any, before: int, hint: ArgumentOrigin | None = None
    ) -> Source:
        """Where a value was to be had before a message. `hint` is where a proof took it from: the best place to show to a person."""
        wanted = _Wanted(value, before, hint, self.sights.of_value(value, before))
        for search in _SEARCHES:
            if found := search(self, wanted):
                return found
        return _NOT_FOUND

    def grounds(self, value: Any, before: int) -> bool:
        """Whether anything before a message shows or tells a value, in whatever form and be it within a longer text; arithmetic does not count."""
        if value is None or value == "" or type(value) is bool:
            return True
        if isinstance(value, dict | list):
            return all(self.grounds(leaf, before) for _, leaf in leaves(value) if leaf)
        since = self._grounded.get(value)
        if since is None and self._shows_or_tells(value, before):
            since = self._grounded[value] = before
        return since is not None and since <= before

    def _shows_or_tells(self, value: Any, before: int) -> bool:
        text, wanted = str(value), _Wanted(value, before)
        for result in self._reads:
            if text in result.content.text and result.index < before:
                return True
        return any(
            search(self, wanted)
            for search in (_said, _constant, _told_otherwise, _normalised)
        )

    # --- what the user says ---

    def said_at(self, value: Any) -> int | None:
        """Index of the first of the user's messages with a value; None if there is none, or the agent was the first to say it."""
        if value not in self._said:
            told, ways = None, _ways(value)
            if any(way in self._all_heard for way in ways):
                heard = (u.index for u in self._heard if u.has(value, ways))
                told = next(heard, None)
            self._said[value] = self._unless_agent_first(value, told)
        return self._said[value]

    def said_outright(self, value: Any) -> int | None:
        """The same, if that message has it as it is: "the one to Boston" is no 1."""
        told = self.said_at(value)
        if told is None or value not in WORDS:
            return told
        heard = next(one for one in self._heard if one.index == told)
        return told if heard.has(value, _digits(value)) else None

    def told_at(self, value: Any) -> tuple[int, str] | None:
        """The same for a value that is told in another form or in the world's own words, with what it is told as."""
        if value not in self._told:
            ways = (
                (n, told_otherwise(value, text, self.environment))
                for n, text in self.user
            )
            found = next(((n, how) for n, how in ways if how), None)
            if found and self._unless_agent_first(value, found[0]) is None:
                found = None
            self._told[value] = found
        return self._told[value]

    @cached_property
    def _all_heard(self) -> str:
        """Everything that the user says, as values are compared."""
        return "\n".join(heard for told in self._heard for heard in told.heard)

    def _unless_agent_first(self, value: Any, told: int | None) -> int | None:
        if told is None:
            return None
        ways = _ways(value)
        earlier = takewhile(lambda uttered: uttered.index < told, self._uttered)
        return None if any(u.has(value, ways) for u in earlier) else told

    # --- what the searches look at ---

    def reads_of(self, key: str, before: int) -> list[Shown]:
        """Results of one call, latest first."""
        found = self.sights.calls.get(key, ())
        return [result for result in reversed(found) if result.index < before]

    def results(self, before: int) -> Iterator[Shown]:
        """Results of reads, latest first."""
        return (result for result in self._reads if result.index < before)

    def doubt(self, sight: Sight, wanted: "_Wanted") -> Source | None:
        """If the place where a value was seen does not hold what it showed: what says so. None if all is well."""
        peers = self.sights.peers(sight.shown)
        return (peers and self._denied(sight, wanted, peers)) or (
            self._outdated(sight, wanted) if self._writes else None
        )

    def _denied(
        self, sight: Sight, wanted: "_Wanted", peers: Sequence[Shown]
    ) -> Source | None:
        """By another result about the same record. If something was written between the two, only the later one counts."""
        for other in peers:
            if other.index >= wanted.before:
                return None
            earlier, later = sorted((other.index, sight.shown.index))
            written = any(earlier < n <= later for n in self._writes)
            if (written and other.index == earlier) or other.shows(wanted.value):
                continue
            says = sight.instead_in(other)
            if says is MISSING and other.key != sight.shown.key:
                continue
            told = "it no more" if says is MISSING else f"{_short(says)} there"
            return Source(
                "stale" if written else "conflict",
                sight.shown.index,
                sight.pointer,
                f"message {other.index} shows {told}",
                ((other.index, "" if says is MISSING else sight.pointer),),
            )
        return None

    def _outdated(self, sight: Sight, wanted: "_Wanted") -> Source | None:
        """By a write since then, if the same read would not have shown the value any more."""
        shown = sight.shown
        if shown.wrote or not self.read_again:
            return None
        writes = [n for n in self._writes if shown.index < n < wanted.before]
        if not writes:
            return None
        again = shown.key, writes[-1]
        if again not in self._again:
            answer = self.read_again(shown.call, wanted.before)
            self._again[again] = content_of(answer)
        now = self._again[again]
        if now is shown.content or now.shows(wanted.value):
            return None
        told = f"message {writes[-1]} has changed it"
        return Source(
            "stale", shown.index, sight.pointer, told, tuple((n, "") for n in writes)
        )


class _Wanted(NamedTuple):
    value: Any
    before: int
    """Index of the message before which it has to be found."""
    hint: ArgumentOrigin | None = None
    showing: Sequence[Shown] = ()
    """The results that show it, latest first."""


# --- results -------------------------------------------------------------------------------------------------------------------


def _hinted(sources: Sources, wanted: _Wanted) -> Source | None:
    for key, place in wanted.hint.refs if wanted.hint else ():
        for result in sources.reads_of(key, wanted.before):
            if at(result.content.data, place) == wanted.value:
                sight = Sight(result, place)
                if not sources.doubt(sight, wanted):
                    return _seen(sight, wanted, sources)
    return None


def _told_fact(sources: Sources, wanted: _Wanted) -> Source | None:
    """What the proof knows to be the user's to say, in any form."""
    if wanted.hint is None or wanted.hint.kind != "fact":
        return None
    return _said(sources, wanted) or _told_otherwise(sources, wanted)


def _said_outright(sources: Sources, wanted: _Wanted) -> Source | None:
    """A result that shows what the user asks for may do so by chance, like a profile that has the same zip; it is an alternative."""
    if type(wanted.value) not in (str, int, float) or wanted.value == "":
        return None
    told = sources.said_outright(wanted.value)
    return _said_in(told, wanted)


def _exact(sources: Sources, wanted: _Wanted) -> Source | None:
    """The latest result of a read that holds the value, as a leaf or else as a key."""
    return _undoubted(sources, wanted, echoes=False)


def _echoed(sources: Sources, wanted: _Wanted) -> Source | None:
    """The result of an earlier write: it echoes arguments, so it grounds one only if nothing else does."""
    return _undoubted(sources, wanted, echoes=True)


def _undoubted(sources: Sources, wanted: _Wanted, echoes: bool) -> Source | None:
    for shown in wanted.showing:
        if shown.wrote == echoes:
            sight = Sight(shown, shown.content.place(wanted.value))
            if not sources.doubt(sight, wanted):
                return _seen(sight, wanted, sources)
    return None


def _doubted(sources: Sources, wanted: _Wanted) -> Source | None:
    """A value that was seen, and at every place was denied or changed since."""
    for shown in wanted.showing:
        sight = Sight(shown, shown.content.place(wanted.value))
        if doubt := sources.doubt(sight, wanted):
            return doubt
    return None


def _seen(best: Sight, wanted: _Wanted, sources: Sources) -> Source:
    told = sources.said_at(wanted.value)
    said = [(told, "")] if told is not None and told < wanted.before else []
    others = [place for place in _places(wanted) if place[0] != best.shown.index]
    return Source(
        "exact",
        best.shown.index,
        best.pointer,
        alternatives=tuple([*said, *others][:ALTERNATIVES]),
    )


def _places(wanted: _Wanted) -> list[tuple[int, str]]:
    """Where results show a value, latest first; one more than is kept beside the best."""
    showing = wanted.showing[: ALTERNATIVES + 1]
    return [(shown.index, shown.content.place(wanted.value)) for shown in showing]


def _asked(sources: Sources, wanted: _Wanted) -> Source | None:
    """An argument of a read that found something: a search for one day does not repeat the day with each thing that it shows."""
    if not isinstance(wanted.value, str):
        return None
    for result in sources.results(wanted.before):
        if wanted.value in result.call.arguments.values() and result.content.data:
            told = f"asked for in {result.call.name}"
            return Source("derived", result.index, detail=told)
    return None


def _normalised(sources: Sources, wanted: _Wanted) -> Source | None:
    """A leaf that is written otherwise."""
    value = wanted.value
    if isinstance(value, dict | list):
        return None
    form = normal(value)
    parts = _parts(form)
    for result in sources.results(wanted.before):
        lowered = result.content.lowered
        if all(part in lowered for part in parts):
            found = result.content.normal_places.get(form)
            if found:
                place, leaf = found
                told = f"{what_differs(value, leaf)}: from {_short(leaf)}"
                return Source("normalised", result.index, place, told)
    return None


def _parts(form: str) -> list[str]:
    """What a result in lower case must hold to hold a normal form: its words, and of numbers the last digits, for 1,204 is 1204."""
    parts = re.findall(r"[a-z]+|[0-9]+", form)
    if len(parts) == 3 and len(parts[0]) == 4 and form.count("-") == 2:
        return parts[:1]  # a date: its month may stand there by name
    return [part if part.isalpha() else part[-3:] for part in parts]


# --- the user, the policy ------------------------------------------------------------------------------------------------------


def _said(sources: Sources, wanted: _Wanted) -> Source | None:
    if wanted.value == "" or isinstance(wanted.value, bool | None | dict | list):
        return None
    return _said_in(sources.said_at(wanted.value), wanted)


def _said_in(told: int | None, wanted: _Wanted) -> Source | None:
    if told is None or told >= wanted.before:
        return None
    also = _places(wanted)[:ALTERNATIVES]
    return Source("said", told, alternatives=tuple(also))


def _told_otherwise(sources: Sources, wanted: _Wanted) -> Source | None:
    if isinstance(wanted.value, bool | None | dict | list):
        return None
    index, how = sources.told_at(wanted.value) or (wanted.before, "")
    return Source("normalised", index, detail=how) if index < wanted.before else None


_QUOTED = re.compile(r"`([^`\n]+)`|'([^'\n]*)'|\"([^\"\n]+)\"")
_EXAMPLES = re.compile(r"such as (?:'[^'\n]*'(?:,| or|, or)? ?)+")
_AMOUNT = re.compile(r"\$\s?(\d+(?:\.\d+)?)")


@lru_cache(maxsize=16)
def policy_constants(environment: Environment) -> frozenset[str]:
    """Values that the policy or a tool's description sets in quotes, and enums; "such as '…'" gives examples, not values."""
    texts = [environment.policy]
    enums: set[str] = set()
    for schema in environment.schemas:
        function = schema["function"]
        texts.append(function["description"])
        for spec in function["parameters"].get("properties", {}).values():
            texts.append(spec.get("description", ""))
            enums |= {str(value) for value in spec.get("enum", ())}
    found = (
        part
        for text in texts
        for groups in _QUOTED.findall(_EXAMPLES.sub("", text))
        for part in groups
        if part
    )
    return frozenset({*found, *enums})


@lru_cache(maxsize=16)
def policy_amounts(environment: Environment) -> tuple[float, ...]:
    """Sums of money that the policy names."""
    found = map(float, _AMOUNT.findall(environment.policy))
    return tuple(dict.fromkeys(found))


def _constant(sources: Sources, wanted: _Wanted) -> Source | None:
    value = wanted.value
    if value is None or value == "" or isinstance(value, bool | dict | list):
        return Source("policy", detail="empty, or a plain yes or no")
    if isinstance(value, str):
        named = value in policy_constants(sources.environment)
    else:
        named = value in policy_amounts(sources.environment)
    return Source("policy", detail="named by the policy or the tool") if named else None


def _nothing(sources: Sources, wanted: _Wanted) -> Source | None:
    """Zero is to numbers what no is to yes: nobody has to bring it up."""
    return Source("policy", detail="none") if wanted.value == 0 else None


# --- arithmetic ----------------------------------------------------------------------------------------------------------------


def _proved(sources: Sources, wanted: _Wanted) -> Source | None:
    """A gold value that the proof worked out, like the policy's amount times how many a list holds, from reads that were all made."""
    hint = wanted.hint
    if hint is None or hint.kind != "derived":
        return None
    made: list[Sight] = []
    for key, place in hint.refs:
        result = next(iter(sources.reads_of(key, wanted.before)), None)
        if key and result is None:
            return None
        if result is not None:
            made.append(Sight(result, place))
    if not made:
        return None
    figures = [at(sight.shown.content.data, sight.pointer) for sight in made]
    words, _ = _formula(wanted.value, [n for n in figures if type(n) in (int, float)])
    first, *others = dict.fromkeys((s.shown.index, s.pointer) for s in made)
    return Source("derived", *first, words or hint.detail, tuple(others)[:ALTERNATIVES])


def _derived(sources: Sources, wanted: _Wanted) -> Source | None:
    """Sum, difference or product of up to three numbers seen."""
    words, numbers = _formula(wanted.value, _numbers(sources, wanted))
    if not words:
        return None
    places = [place for number in numbers if (place := _place(number, sources, wanted))]
    if not places:
        return Source("derived", detail=words)
    first, *others = dict.fromkeys(places)
    return Source("derived", *first, words, tuple(others))


def _formula(value: Any, numbers: Iterable[float]) -> tuple[str, tuple[float, ...]]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "", ()
    return formula(value, numbers)


def _numbers(sources: Sources, wanted: _Wanted) -> Iterator[float]:
    for result in sources.results(wanted.before):
        yield from result.content.numbers
    for n, text in sources.user:
        if n < wanted.before:
            yield from map(float, re.findall(r"\d+(?:\.\d+)?", text))
    yield from policy_amounts(sources.environment)


def _place(number: float, sources: Sources, wanted: _Wanted) -> tuple[int, str] | None:
    """Where a number of a formula stands; None if only the policy has it."""
    for result in sources.results(wanted.before):
        if result.shows(number):
            return result.index, result.content.place(number)
    told = sources.said_at(number)
    return (told, "") if told is not None and told < wanted.before else None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


_SEARCHES: tuple[Callable[[Sources, _Wanted], Source | None], ...] = (
    _hinted,
    _told_fact,
    _said_outright,
    _exact,
    _said,
    _echoed,
    _constant,
    _told_otherwise,
    _asked,
    _proved,
    _doubted,
    _normalised,
    _derived,
    _nothing,
)
"""From the best ground of a value to the weakest."""

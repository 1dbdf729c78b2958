"""Evidence: which reads a right answer needs, each proved, and how many that makes.

A *certificate* is a set of reads, derivable from what the user knows, such that every admissible database agreeing with ours on
them has the same answer. A read r is needed if there is an admissible database that agrees with ours on **everything an agent
could ever read without r** (not only on the other reads of the certificate) and yet has another right answer: whoever skips r
cannot tell the two apart. That database, as a patch, is the *witness*. What has no witness is labelled and never counted.

Some reads can be spared by making others instead: which of five orders holds the lamp also follows from reading the other four, and
a one-stop search also from the direct searches of its legs. Such a read has a database as witness that it, or one of those others,
tells apart. As long as no read tells apart the databases of two, every certificate needs one read for each of them, so that none is
smaller than ours, whichever way it goes.

Source: knowledge of evidence burden, §5.2–5.3; the universe of derivable reads replaces its declared scope, so that necessity holds
against every route and not only against the searched one. Knows nothing about words, users or models.
"""

import json
import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations, count, islice
from typing import Any

from environments.core.domain import Domain, Facts, Patch, Role, Source
from environments.core.environment import Environment
from environments.core.errors import Unidentifiable
from environments.core.evaluate import Answer, Judged, Told, answer
from environments.core.pointers import split
from environments.core.query import Query, names_looked_at
from environments.core.state import Session
from environments.core.tools import ToolCall, ToolResult
from writ_app.engine.errors import InvalidTask
from writ_app.engine.types import Burden, CertificateRead, ToldFact, Witness

MAX_PATCHES = 60
"""Patches tried per read before it is called unproved."""
MAX_ALTERNATIVES = 24
"""Databases looked at for one that no read tells apart which stands for another one already."""
OPEN_READS_KEPT = 4096
"""Reads that anybody can make are too many to keep them all: an airline's searches fill hundreds of megabytes."""
SAMPLES = 32
"""Random reading orders behind `expected_reads`."""


@dataclass
class Observation:
    """What a read shows, and what it depended on (see Session.touched)."""

    text: str
    touched: frozenset[tuple[str, Any]]
    failed: bool
    domain: Domain

    @property
    def result(self) -> ToolResult:
        return ToolResult(self.text, self.failed)

    @cached_property
    def leads_to(self) -> Mapping[str, ToolCall]:
        """The reads whose arguments it shows, by key. Found out when first asked for: most searches are never followed."""
        strings = [] if self.failed else sorted(set(_strings(self.text)))
        return {call.key: call for call in self.domain.derivable_reads(strings)}


class Observer:
    """Reads of one state, remembered. Shared by all proofs over that state, so that nothing is read twice."""

    def __init__(self, environment: Environment):
        self.environment = environment
        self._seen: dict[str, Observation] = {}
        self._seen_open: dict[str, Observation] = {}
        self._common: dict[frozenset[str], dict[str, ToolCall]] = {}

    @property
    def domain(self) -> Domain:
        return self.environment.domain

    def observe(self, call: ToolCall) -> Observation:
        found = self._seen.get(call.key) or self._seen_open.get(call.key)
        if found is None:
            session = self.environment.session()
            session.state.touched = set()
            result = session.call(call)
            touched = frozenset(session.state.touched)
            found = Observation(result.content, touched, result.error, self.domain)
            if not self.domain.is_open(call):
                self._seen[call.key] = found
                return found
            if len(self._seen_open) >= OPEN_READS_KEPT:
                self._seen_open.clear()
            self._seen_open[call.key] = found
        return found

    def reach(self, facts: Facts, without: Collection[str] = ()) -> "Reach":
        """Every read that someone who knows `facts` can come to make, never making those whose keys are in `without`."""
        left_out = frozenset(without)
        common = self._common_reads(left_out)
        own: dict[str, ToolCall] = {}
        self._follow(own, common, self.domain.first_reads(facts), left_out)
        return Reach(self, common, own, left_out)

    def tokens(self, calls: Iterable[ToolCall]) -> int:
        """Characters of the calls' results divided by four."""
        return sum(len(self.observe(call).text) for call in calls) // 4

    def agree(self, other: Session, calls: Iterable[ToolCall]) -> bool:
        """Whether `other` answers these calls as ours does."""
        session = self.environment.session(other)
        return all(
            session.call(call).content == self.observe(call).text for call in calls
        )

    def _common_reads(self, without: frozenset[str]) -> dict[str, ToolCall]:
        """What anyone can reach who knows nothing: the same for all tasks, but for the reads left out."""
        if frozenset() not in self._common:
            everything: dict[str, ToolCall] = {}
            self._follow(everything, {}, self.domain.first_reads({}), ())
            self._common[frozenset()] = everything
        left_out = frozenset(without & self._common[frozenset()].keys())
        if left_out not in self._common:
            found: dict[str, ToolCall] = {}
            self._follow(found, {}, self.domain.first_reads({}), left_out)
            self._common[left_out] = found
        return self._common[left_out]

    @cached_property
    def common_by_touch(self) -> Mapping[tuple[str, Any], list[ToolCall]]:
        """What a read may depend on → the common reads that do."""
        found: dict[tuple[str, Any], list[ToolCall]] = {}
        for call in self._common_reads(frozenset()).values():
            for touched in self.observe(call).touched:
                found.setdefault(touched, []).append(call)
        return found

    def _follow(
        self,
        found: dict[str, ToolCall],
        known: Mapping[str, ToolCall],
        calls: Iterable[ToolCall],
        without: Collection[str],
    ) -> None:
        """Add to `found` what the calls lead to and is not `known`: the strings of each result are arguments of further reads."""
        waiting = list(calls)
        while waiting:
            call = waiting.pop()
            if call.key in found or call.key in known or call.key in without:
                continue
            found[call.key] = call
            waiting += self.observe(call).leads_to.values()


@dataclass(frozen=True)
class Reach:
    """Reads that somebody can come to make: those that are open to all, and those that his facts lead to."""

    observer: Observer
    common: Mapping[str, ToolCall]
    own: Mapping[str, ToolCall]
    without: frozenset[str]

    def __contains__(self, key: str) -> bool:
        return key in self.own or key in self.common

    def differences(self, other: Session) -> Iterator[str]:
        """Keys of the reads that `other` answers differently; only reads that its changes can touch are made again."""
        session = self.observer.environment.session(other)
        for key, call in self._touched_by(other).items():
            if session.call(call).content != self.observer.observe(call).text:
                yield key

    @cached_property
    def _own_touched(self) -> list[tuple[ToolCall, frozenset[tuple[str, Any]]]]:
        return [
            (call, self.observer.observe(call).touched) for call in self.own.values()
        ]

    def _touched_by(self, other: Session) -> dict[str, ToolCall]:
        moved = other.affected()
        found = {
            call.key: call
            for touched in moved
            for call in self.observer.common_by_touch.get(touched, ())
            if call.key in self.common
        }
        for call, touched in self._own_touched:
            if not moved.isdisjoint(touched):
                found[call.key] = call
        for call in self.observer.domain.open_reads(other):
            if call.key not in self.without:
                found[call.key] = call
        return found


@dataclass
class Proof:
    """What was proved of one task."""

    reads: list[CertificateRead]
    """The certificate, in derivable order."""
    burden: Burden
    expected_reads: float
    evidence_tokens: int
    one_sided: tuple[str, ...] = ()
    """Limits that no admissible change was found to get past."""
    scope: dict[str, ToolCall] = field(default_factory=dict)
    """Every read that the request speaks of, needed or not."""


def prove(
    observer: Observer,
    query: Query,
    facts: Facts,
    found: Answer,
    *,
    rng: random.Random,
    trials: int = 6,
    judged: Judged | None = None,
) -> Proof:
    """Certificate of `found`, the oracle's answer to `query`.

    `trials` random admissible databases that agree on the certificate must keep the answer. Raises InvalidTask("insufficient") if
    one does not, and InvalidTask("solver") if the tools do not lead to the oracle's answer.
    """
    case = Case(observer, query, facts, found, rng)
    case.judged = Judged() if judged is None else judged
    case.check_solver()
    searches = case.searches()
    certificate = case.sufficient(searches)
    witnesses = case.count(certificate, searches)
    case.try_other_databases(certificate, trials)
    reads = [
        CertificateRead(
            call=call,
            role=found.roles[call.key].value,
            equivalents=tuple(case.equivalents(call)),
            decisive=_decisive(found, call.key),
            witness=witnesses.get(call.key),
        )
        for call in certificate
    ]
    return Proof(
        reads=reads,
        burden=_burden(reads),
        expected_reads=case.expected_reads({call.key for call in certificate}),
        evidence_tokens=observer.tokens(certificate),
        one_sided=tuple(case.one_sided()),
        scope=found.reads,
    )


def floor_of(
    observer: Observer, found: Answer, facts: Facts, rng: random.Random
) -> int:
    """Burden of the same writes with every argument named by the user; 0 if they cannot be named apart from each other."""
    if not found.gold:
        return 0
    domain = observer.domain
    told = {**facts, "named": [call.arguments for call in found.gold]}
    query = domain.named(found.gold)
    base = Session(observer.environment.state)
    try:
        named = answer(query, told, domain.from_state(base), domain)
    except Unidentifiable:
        return 0
    case = Case(observer, query, told, named, rng)
    return sum(bool(search.alternatives) for search in case.searches().values())


def solve(
    environment: Environment,
    query: Query,
    facts: Facts,
    allowed: Collection[str] | None,
    observer: Observer | None = None,
) -> tuple[Answer, Session]:
    """The reference solver: the query played through the tools alone, its answer without provenance. Raises Unidentifiable.

    What an `observer` of that environment has read is not read again, until something is written.
    """
    session = environment.session()

    def call(one: ToolCall) -> ToolResult:
        tool = environment.tools.get(one.name)
        if observer and tool and not tool.mutates and not session.state.affected():
            return observer.observe(one).result
        return session.call(one)

    source = environment.domain.from_tools(call, allowed)
    found = answer(query, facts, source, environment.domain, bare=True)
    return found, session.state


@dataclass(frozen=True)
class _Other:
    """Another database with another right answer. `shown_by` are keys of reads, outside of the one asked about, that tell it apart."""

    patch: Patch
    answer: Answer
    state: Session
    shown_by: frozenset[str] = frozenset()


@dataclass
class _Search:
    """The search for databases that show what one read is needed for; it can be taken up again."""

    call: ToolCall
    patches: Iterator[tuple[ToolCall, Patch]]
    judge: Callable[[Patch], _Other | None]
    reach: Reach
    spoken_of: Collection[str]
    alternatives: list[_Other] = field(default_factory=list)
    """Databases that none of the other reads spoken of tells apart."""
    hidden: set[int] = field(default_factory=set)
    """Places of those that change only what this read leads to."""

    @property
    def strict(self) -> bool:
        """Nobody without this read can tell: such a database is the only alternative then."""
        return bool(self.alternatives) and not self.alternatives[0].shown_by

    def go_on(self) -> _Other | None:
        """The next alternative; None if there is no more."""
        for target, patch in self.patches:
            other = self.judge(patch)
            if other is None:
                continue
            shown_by = frozenset(self.reach.differences(other.state))
            if shown_by.isdisjoint(self.spoken_of):
                other = replace(other, shown_by=shown_by)
                if not shown_by:
                    self.alternatives, self.hidden = [], set()
                if target.key != self.call.key:
                    self.hidden.add(len(self.alternatives))
                self.alternatives.append(other)
                return other
        return None

    def apart_from(self, taken: Collection[str]) -> int | None:
        """Place of an alternative that nothing taken tells apart, searched for if need be; None if none is found."""
        for place, other in enumerate(self.alternatives):
            if other.shown_by.isdisjoint(taken):
                return place
        for _ in range(MAX_ALTERNATIVES):
            found = self.go_on()
            if found is None:
                return None
            if found.shown_by.isdisjoint(taken):
                return len(self.alternatives) - 1
        return None


@dataclass
class Case:
    """One request with its answer, while it is being proved."""

    observer: Observer
    query: Query
    facts: Facts
    found: Answer
    rng: random.Random
    _others: dict[str, _Other | None] = field(default_factory=dict)
    _solved: bool = False
    judged: Judged = field(default_factory=Judged)
    _flipped: set[int] = field(default_factory=set)
    """Positions of the decisions that some database makes go the other way."""
    _made: dict[str, tuple[list[Patch], Iterator[Patch]]] = field(default_factory=dict)
    """Key of a read → changes of what it shows, so far, and those still to be made."""

    @property
    def domain(self) -> Domain:
        return self.observer.domain

    @property
    def base(self) -> Session:
        return Session(self.observer.environment.state)

    def equivalents(self, call: ToolCall) -> list[ToolCall]:
        return self.domain.equivalents(call, self.base)

    def check_solver(self) -> None:
        """Two implementations check each other: the tools must lead to the oracle's writes and to the oracle's state."""
        if not self.is_derivable(list(self.found.reads.values())):
            raise InvalidTask(
                "underivable", "A read's argument is known only from an earlier write."
            )
        if not self.solves(self.found.reads.keys()):
            raise InvalidTask("solver", "The tools do not lead to the oracle's answer.")

    def one_sided(self) -> Iterator[str]:
        """Limits that no admissible change gets past: one side of them is never meant.

        Only of comparisons by size: what a status or a name decides may take several changes at once, and is the policy's to ask.
        """
        for number, decision in enumerate(self.found.decisions):
            if decision.slack is None:
                continue
            keys = dict.fromkeys(key for key, _ in decision.refs)
            patches = _in_turn(
                [
                    self._changes(self.found.reads[key])
                    for key in keys
                    if key in self.found.reads
                ]
            )
            while number not in self._flipped:
                patch = next(patches, None)
                if patch is None:
                    yield decision.condition
                    break
                self._other(patch)

    # witnesses

    def searches(self) -> dict[str, _Search]:
        """Per read that the request speaks of: what it is needed for, as far as one alternative shows it."""
        done: dict[str, _Search] = {}
        for key, call in reversed(
            self.found.reads.items()
        ):  # what proves a later read proves what leads to it
            skipped = {key, *(other.key for other in self.equivalents(call))}
            reach = self._reach(skipped)
            search = _Search(
                call,
                self._patches(call, reach, done),
                self._other,
                reach,
                self.found.reads.keys() - skipped,
            )
            search.go_on()
            done[key] = search
        return done

    @cached_property
    def _whole_reach(self) -> Reach:
        return self.observer.reach(self.facts)

    def _reach(self, without: Collection[str]) -> Reach:
        """See Observer.reach; what leads nowhere, as reads that anybody can make, takes nothing else with it."""
        whole = self._whole_reach
        if any(key in whole for key in without):
            return self.observer.reach(self.facts, without)
        return replace(whole, without=frozenset(without))

    def _patches(
        self, call: ToolCall, reach: Reach, earlier: Mapping[str, _Search]
    ) -> Iterator[tuple[ToolCall, Patch]]:
        """Changes that may hide from whoever skips `call`: of what it shows, then of what only it leads to."""
        behind = [
            other
            for key, other in self.found.reads.items()
            if key != call.key and key not in reach and not self.domain.is_open(other)
        ]
        yield from self._mutations(call)
        for target in behind:
            search = earlier.get(target.key)
            if search is not None and search.alternatives:
                yield target, search.alternatives[0].patch
        for target in behind:
            yield from self._mutations(target)
        hidden = [call, *behind]
        for one, other in combinations(hidden, 2):
            for patch in self.domain.swaps(self.base, one, other):
                yield one, patch

    def _mutations(self, call: ToolCall) -> Iterator[tuple[ToolCall, Patch]]:
        """Of a read that only a description looked at none: only a swap can make it fit there and nowhere else."""
        if call.key not in self.found.scanned:
            for patch in islice(self._changes(call), MAX_PATCHES):
                yield call, patch

    def _changes(self, call: ToolCall) -> Iterator[Patch]:
        """The changes of what a read shows that can matter; made once, and only as many as are asked for."""
        kept = self._made.get(call.key)
        if kept is None:
            patches = self.domain.mutations(self.base, call, self.rng)
            kept = self._made[call.key] = [], filter(self._can_matter, patches)
        return _remembered(*kept)

    def _can_matter(self, patch: Patch) -> bool:
        """Whether a patch changes something that the query speaks of: nothing else can change one write, or what is told.

        Of several writes, an earlier one can turn what is not spoken of into something that a later one rests on.
        """
        if self._fields is None:
            return True
        for step in patch:
            collection, _, *path = split(step["path"])
            fields = self._fields.get(collection)
            if fields is None or not path or path[0] in fields:
                return True
        return False

    @cached_property
    def _fields(self) -> Mapping[str, Collection[str]] | None:
        """Collection → fields of its records that the query speaks of; None if that is not known."""
        names = None if len(self.found.writes) > 1 else names_looked_at(self.query)
        if names is None:
            return None
        return {
            collection: {field for name in names for field in made.get(name, (name,))}
            for collection, made in self.domain.made_from.items()
        }

    def _other(self, patch: Patch) -> _Other | None:
        """The patched database, if the request has exactly one answer there, with another effect than ours has there."""
        mark = json.dumps(patch)
        if mark not in self._others:
            self._others[mark] = self._evaluate(patch)
        return self._others[mark]

    def doubts(
        self, call: ToolCall, witness: Witness, certificate: Sequence[ToolCall]
    ) -> str:
        """Why `witness` does not show that the certificate needs `call`, or "" if it does. Nothing that it says is believed."""
        other = self._other(list(witness.patch))
        if other is None:
            return "under its patch the right answer is the same, or there is none"
        claimed = (
            witness.declined,
            witness.transferred,
            tuple((one.what, repr(one.value)) for one in witness.told),
            *(made.key for made in witness.gold),
        )
        if other.answer.outcome != claimed:
            return "under its patch the right answer is another than it says"
        skipped = {call.key, *(same.key for same in self.equivalents(call))}
        reach = self._reach(skipped)
        seen_by = set(reach.differences(other.state))
        leaks = seen_by & {read.key for read in certificate}
        if leaks:
            return f"its patch shows in {sorted(leaks)[0]}, too"
        more = seen_by - set(witness.shown_by)
        return (
            f"its patch shows in {sorted(more)[0]}, which it does not say"
            if more
            else ""
        )

    def _evaluate(self, patch: Patch) -> _Other | None:
        state = self.base
        try:
            state.apply_patch(patch)
        except (KeyError, IndexError, TypeError, ValueError):
            return None
        theirs = self.domain.from_state(state)
        try:
            other = answer(
                self.query,
                self.facts,
                theirs,
                self.domain,
                judged=self.judged,
                bare=True,
            )
        except Unidentifiable:
            return None
        self._note_decisions(other)
        if other.outcome == self.found.outcome:
            return None
        if other.outcome[:3] == self.found.outcome[:3] and self._leads_to(
            theirs, state
        ):
            return None
        return _Other(patch, other, state)

    def _note_decisions(self, other: Answer) -> None:
        """Decisions are compared as far as they are the same questions."""
        for number, (ours, theirs) in enumerate(
            zip(self.found.decisions, other.decisions, strict=False)
        ):
            if ours.condition != theirs.condition:
                return
            if ours.held != theirs.held:
                self._flipped.add(number)
                return

    def _leads_to(self, theirs: Source, state: Session) -> bool:
        """Whether our writes do in `state` what theirs did: then nothing depends on telling the two apart."""
        ours = self.domain.from_state(state)
        try:
            for call in self.found.gold:
                ours.apply(call)
        except Unidentifiable:
            return False
        return ours.has_effect_of(theirs)

    def count(
        self, certificate: Sequence[ToolCall], searches: Mapping[str, _Search]
    ) -> dict[str, Witness]:
        """Witnesses of the reads that count: no certificate has fewer.

        What nobody can do without counts. Of the rest, each counts by a database that is told apart by it or by other reads in its
        place, if none of these tells apart the database of another read: then every certificate needs one read for each.
        """
        witnesses: dict[str, Witness] = {}
        rest = []
        for call in certificate:
            search = searches[call.key]
            if search.strict:
                witnesses[call.key] = self._witness(
                    search.alternatives[0], bool(search.hidden)
                )
            else:
                rest.append(call)
        taken = {
            same.key for call in certificate for same in (call, *self.equivalents(call))
        }
        for call in rest:
            search = searches[call.key]
            place = search.apart_from(taken) if search.alternatives else None
            if place is not None:
                other = search.alternatives[place]
                hidden = place in search.hidden
            else:
                swapped = self._swapped(call, taken)
                if swapped is None:
                    continue
                other, hidden = swapped, False
            taken |= other.shown_by
            witnesses[call.key] = self._witness(other, hidden)
        return witnesses

    def _swapped(self, call: ToolCall, taken: Collection[str]) -> _Other | None:
        """A database in which the read has another's content, and only reads that are not taken tell that too."""
        reach = self._whole_reach
        for patch in self._swaps_of(call):
            other = self._other(patch)
            if other is None:
                continue
            shown_by = frozenset(reach.differences(other.state)) - {call.key}
            if shown_by.isdisjoint(taken):
                return replace(other, shown_by=shown_by)
        return None

    def _witness(self, other: _Other, hidden: bool) -> Witness:
        where = ", which shows only to those who make this read" if hidden else ""
        note = f"If {_changes_text(other.patch)}{where}, the right answer would be {_outcome_text(self.found, other.answer)}."
        return Witness(
            patch=tuple(other.patch),
            gold=other.answer.gold,
            told=tuple(_told(one) for one in other.answer.told),
            declined=other.answer.declined,
            transferred=other.answer.transferred,
            shown_by=tuple(sorted(other.shown_by)),
            note=note,
        )

    def _swaps_of(self, call: ToolCall) -> Iterator[Patch]:
        for key, other in self.found.reads.items():
            if key != call.key:
                yield from self.domain.swaps(self.base, call, other)

    # sufficiency

    def sufficient(self, searches: Mapping[str, _Search]) -> list[ToolCall]:
        """The needed reads, and as few others as it takes for the reference solver to reach the answer with them alone."""
        needed = {key for key, search in searches.items() if search.alternatives}
        chosen = set(needed)
        spare = [key for key in self.found.reads if key not in chosen]
        while spare and not self.solves(chosen):
            chosen.add(spare.pop(0))
        for key in sorted(chosen - needed):
            if self.solves(chosen - {key}):
                chosen.discard(key)
        return [call for key, call in self.found.reads.items() if key in chosen]

    def solves(self, allowed: Collection[str]) -> bool:
        """Whether these reads alone lead the reference solver to the answer. That all of them do was checked first."""
        if self._solved and len(allowed) == len(self.found.reads):
            return True
        if not self.is_derivable(
            [call for key, call in self.found.reads.items() if key in allowed]
        ):
            return False
        try:
            solved, state = solve(
                self.observer.environment,
                self.query,
                self.facts,
                allowed,
                self.observer,
            )
        except Unidentifiable:
            return False
        if solved.guessed:  # right by luck: what was not read could have changed it
            return False
        right = (
            solved.outcome == self.found.outcome and state.effect() == self.found.effect
        )
        self._solved = self._solved or (right and len(allowed) == len(self.found.reads))
        return right

    def is_derivable(self, calls: Sequence[ToolCall]) -> bool:
        """Whether each call's arguments come from the facts or from earlier calls."""
        known = {call.key for call in self.domain.first_reads(self.facts)}
        earlier: list[ToolCall] = []
        """Calls that are not followed yet: most need not be."""
        for call in calls:
            if not self.domain.is_open(call):
                while call.key not in known and earlier:
                    known |= self.observer.observe(earlier.pop()).leads_to.keys()
                if call.key not in known:
                    return False
            earlier.append(call)
        return True

    def try_other_databases(self, certificate: Sequence[ToolCall], trials: int) -> None:
        """Change what the request speaks of and the certificate does not show, at random, and see that the answer stays."""
        kept = {call.key for call in certificate}
        spoken_of = [call for key, call in self.found.reads.items() if key not in kept]
        for _ in range(trials if spoken_of else 0):
            state = self.base
            for call in self.rng.sample(
                spoken_of, self.rng.randint(1, min(3, len(spoken_of)))
            ):
                patches = list(self.domain.mutations(state, call, self.rng))
                state.apply_patch(self.rng.choice(patches) if patches else [])
            if not self.observer.agree(state, certificate):
                continue
            try:
                other = answer(
                    self.query,
                    self.facts,
                    self.domain.from_state(state),
                    self.domain,
                    judged=self.judged,
                    bare=True,
                )
            except Unidentifiable:
                continue  # the request does not describe anything there: not admissible
            if other.outcome != self.found.outcome:
                raise InvalidTask(
                    "insufficient",
                    "A database that agrees on the certificate has another answer.",
                )

    def expected_reads(self, needed: Collection[str]) -> float:
        """Mean number of reads until `needed` are made, reading what the request speaks of in random derivable order."""
        calls = self.found.reads
        known = {call.key for call in self.domain.first_reads(self.facts)}
        start = [
            key
            for key, call in calls.items()
            if key in known or self.domain.is_open(call)
        ]
        hidden = calls.keys() - set(start)
        leads = {
            key: [k for k in self.observer.observe(call).leads_to if k in hidden]
            for key, call in calls.items()
            if hidden
        }
        rng, total = random.Random(self.query.content_hash), 0
        for _ in range(SAMPLES):
            ready, seen, missing = list(start), set(start), len(needed)
            while missing and ready:
                place = int(rng.random() * len(ready))
                key, ready[place] = ready[place], ready[-1]
                ready.pop()
                missing -= key in needed
                total += 1
                for other in leads.get(key, ()):
                    if other not in seen:
                        seen.add(other)
                        ready.append(other)
        return round(total / SAMPLES, 2)


def _remembered[T](made: list[T], more: Iterator[T]) -> Iterator[T]:
    """What was made, then what is still to be made: it is kept for those who ask later."""
    for number in count():
        if number == len(made):
            try:
                made.append(next(more))
            except StopIteration:
                return
        yield made[number]


def _in_turn[T](series: Sequence[Iterator[T]]) -> Iterator[T]:
    """The first of each, then the second of each, …"""
    waiting = list(series)
    while waiting:
        left = []
        for one in waiting:
            try:
                yield next(one)
            except StopIteration:
                continue
            left.append(one)
        waiting = left


def _decisive(found: Answer, key: str) -> tuple[str, ...]:
    """Pointers into the read's result that the answer rests on: sources of arguments and decisions, and the gold candidates."""
    pointers = [
        place
        for write in found.writes
        for origin in write.origins.values()
        for read, place in origin.refs
        if read == key
    ]
    pointers += [
        place
        for decision in found.decisions
        for read, place in decision.refs
        if read == key
    ]
    for choice in found.choices:
        gold = choice.candidates[choice.chosen]
        if gold.read == key:
            pointers += [gold.pointer + place for place in choice.fields]
    return tuple(dict.fromkeys(pointers))


def _burden(reads: Sequence[CertificateRead]) -> Burden:
    counted = [read.role for read in reads if read.witness is not None]
    split = {role.value: counted.count(role.value) for role in Role}
    return Burden(total=len(counted), exact=len(counted) == len(reads), **split)


def _changes_text(patch: Patch) -> str:
    places = [split(step["path"]) for step in patch]
    if len(patch) == 2 and all(len(place) == 2 for place in places):
        return f"{places[0][1]} and {places[1][1]} had each other's content"
    if [step["op"] for step in patch] == ["remove", "add"]:
        return f"{places[0][-1]} were {places[1][-1]} instead"
    return " and ".join(
        _change_text(place, step) for place, step in zip(places, patch, strict=True)
    )


def _change_text(place: list[str], step: Mapping[str, Any]) -> str:
    name, value = " ".join(place[1:]), step.get("value")
    if step["op"] == "remove":
        return f"{name} were not there"
    if not isinstance(value, dict):
        return f"{name} were {json.dumps(value)}"
    shown = [
        f"{key} {value[key]}" for key in ("item_id", "price", "balance") if key in value
    ]
    verb = "were there, with" if step["op"] == "add" else "had"
    return f"{name} {verb} {', '.join(shown)}"


def _outcome_text(found: Answer, other: Answer) -> str:
    if other.declined:
        return f"to decline (policy {other.declined})"
    if other.transferred:
        return f"to hand over to a person (policy {other.transferred})"
    if other.told != found.told and other.gold == found.gold:
        return " and ".join(f"{one.what} = {one.value}" for one in other.told)
    if [call.name for call in found.gold] == [call.name for call in other.gold]:
        changes = [
            _call_change(*pair) for pair in zip(found.gold, other.gold, strict=True)
        ]
        return " and ".join(change for change in changes if change)
    return " and then ".join(f"{call.name}({_arguments(call)})" for call in other.gold)


def _call_change(ours: ToolCall, theirs: ToolCall) -> str:
    """What a call of the same tool has otherwise: `new_item_ids[0] = 2 instead of 1 in exchange_…`."""
    changes = []
    for name, value in theirs.arguments.items():
        old = ours.arguments.get(name)
        if isinstance(value, list) and isinstance(old, list) and len(value) == len(old):
            changes += [
                f"{name}[{n}] = {new} instead of {was}"
                for n, (was, new) in enumerate(zip(old, value, strict=True))
                if was != new
            ]
        elif value != old:
            changes.append(f"{name} = {value} instead of {old}")
    return f"{', '.join(changes)} in {theirs.name}" if changes else ""


def _arguments(call: ToolCall) -> str:
    return ", ".join(
        f"{name}={json.dumps(value, ensure_ascii=False)}"
        for name, value in call.arguments.items()
    )


def _told(one: Told) -> ToldFact:
    return ToldFact(what=one.what, value=one.value)


def _strings(content: str) -> Iterable[str]:
    """Every string in a result: keys and values of JSON, or the text itself."""
    try:
        value = json.loads(content)
    except ValueError:
        return [content]
    return _leaves(value)


def _leaves(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _leaves(inner)

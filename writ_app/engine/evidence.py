"""Evidence: which reads a right answer needs, each proved, and how many that makes.

A *certificate* is a set of reads, derivable from what the user knows, such that every admissible database agreeing with ours on
them has the same answer. A read r is needed if there is an admissible database that agrees with ours on **everything an agent
could ever read without r** (not only on the other reads of the certificate) and yet has another right answer: whoever skips r
cannot tell the two apart. That database, as a patch, is the *witness*. What has no witness is labelled and never counted.

Some reads can be spared by making others instead: which of five orders holds the lamp also follows from reading the other four. For
such reads the witness is a database that differs in a few reads at once, of which every certificate must contain one; the burden
counts as many of them as the smallest set that meets all those alternatives.

Source: knowledge of evidence burden, §5.2–5.3; the universe of derivable reads replaces its declared scope, so that necessity holds
against every route and not only against the searched one. Knows nothing about words, users or models.
"""

import json
import random
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, islice
from typing import Any

from environments.core.domain import Domain, Facts, Patch, Role
from environments.core.environment import Environment
from environments.core.errors import Unidentifiable
from environments.core.evaluate import Answer, answer, check_rivals
from environments.core.pointers import split
from environments.core.query import Query
from environments.core.state import Session
from environments.core.tools import ToolCall
from writ_app.engine.errors import InvalidTask
from writ_app.engine.types import Burden, CertificateRead, Witness

MAX_PATCHES = 60
"""Patches tried per read before it is called unproved."""
SAMPLES = 32
"""Random reading orders behind `expected_reads`."""


@dataclass(frozen=True)
class Observation:
    """What a read shows, and what it depended on (see Session.touched)."""

    text: str
    strings: frozenset[str]
    touched: frozenset[tuple[str, Any]]


class Observer:
    """Reads of one state, remembered. Shared by all proofs over that state, so that nothing is read twice."""

    def __init__(self, environment: Environment):
        self.environment = environment
        self._seen: dict[str, Observation] = {}
        self._common: dict[frozenset[str], dict[str, ToolCall]] = {}

    @property
    def domain(self) -> Domain:
        return self.environment.domain

    def observe(self, call: ToolCall) -> Observation:
        found = self._seen.get(call.key)
        if found is None:
            session = self.environment.session()
            session.state.touched = set()
            result = session.call(call)
            strings = (
                frozenset() if result.error else frozenset(_strings(result.content))
            )
            found = Observation(
                result.content, strings, frozenset(session.state.touched)
            )
            self._seen[call.key] = found
        return found

    def reachable(
        self, facts: Facts, without: Collection[str] = ()
    ) -> dict[str, ToolCall]:
        """Every read that someone who knows `facts` can come to make, never making those whose keys are in `without`."""
        start = self._common_reads(frozenset(without))
        found = dict(start)
        self._follow(found, self.domain.first_reads(facts), without)
        return found

    def differences(self, other: Session, calls: Iterable[ToolCall]) -> Iterator[str]:
        """Keys of the calls that `other` answers differently; only reads that the changes can touch are made again."""
        moved = other.affected()
        session = self.environment.session(other)
        for call in calls:
            ours = self.observe(call)
            if (
                not moved.isdisjoint(ours.touched)
                and session.call(call).content != ours.text
            ):
                yield call.key

    def agree(self, other: Session, calls: Iterable[ToolCall]) -> bool:
        return next(self.differences(other, calls), None) is None

    def _common_reads(self, without: frozenset[str]) -> dict[str, ToolCall]:
        """What anyone can reach who knows nothing: the same for all tasks, but for the reads left out."""
        everything = self._common.get(frozenset())
        if everything is None:
            everything = self._common[frozenset()] = {}
            self._follow(everything, self.domain.first_reads({}), ())
        left_out = frozenset(without & everything.keys())
        if left_out not in self._common:
            found: dict[str, ToolCall] = {}
            self._follow(found, self.domain.first_reads({}), left_out)
            self._common[left_out] = found
        return self._common[left_out]

    def _follow(
        self,
        found: dict[str, ToolCall],
        calls: Iterable[ToolCall],
        without: Collection[str],
    ) -> None:
        """Add to `found` what the calls lead to: the strings of each result are arguments of further reads."""
        waiting = [
            call for call in calls if call.key not in found and call.key not in without
        ]
        known: set[str] = set()
        while waiting:
            call = waiting.pop()
            if call.key in found:
                continue
            found[call.key] = call
            fresh = self.observe(call).strings - known
            known |= fresh
            waiting += [
                next_call
                for next_call in self.domain.derivable_reads(sorted(fresh))
                if next_call.key not in found and next_call.key not in without
            ]


@dataclass
class Proof:
    """What was proved of one task."""

    reads: list[CertificateRead]
    """The certificate, in derivable order."""
    burden: Burden
    expected_reads: float
    evidence_tokens: int
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
) -> Proof:
    """Certificate of `found`, the oracle's answer to `query`.

    `trials` random admissible databases that agree on the certificate must keep the answer. Raises InvalidTask("insufficient") if
    one does not, and InvalidTask("solver") if the tools do not lead to the oracle's answer.
    """
    case = _Case(observer, query, facts, found, rng)
    witnesses = case.witnesses()
    proved = {key for key, witness in witnesses.items() if witness is not None}
    certificate = case.sufficient(proved)
    witnesses |= case.alternatives(certificate, proved)
    case.try_other_databases(certificate, trials)
    reads = [
        CertificateRead(
            call=call,
            role=found.roles[call.key].value,
            equivalents=tuple(case.equivalents(call)),
            decisive=_decisive(found, call.key),
            witness=witnesses[call.key],
        )
        for call in certificate
    ]
    return Proof(
        reads=reads,
        burden=_burden(reads),
        expected_reads=case.expected_reads({call.key for call in certificate}),
        evidence_tokens=sum(len(observer.observe(call).text) for call in certificate)
        // 4,
        scope=found.reads,
    )


def count_needed(
    observer: Observer, query: Query, facts: Facts, rng: random.Random
) -> int:
    """Burden alone, for comparing a task with its fully named twin. Raises Unidentifiable."""
    found = answer(
        query,
        facts,
        observer.domain.from_state(Session(observer.environment.state)),
        observer.domain,
    )
    case = _Case(observer, query, facts, found, rng)
    return sum(witness is not None for witness in case.witnesses().values())


def solve(
    environment: Environment,
    query: Query,
    facts: Facts,
    allowed: Collection[str] | None,
) -> tuple[Answer, Session]:
    """The reference solver: the query played through the tools alone. Raises Unidentifiable."""
    session = environment.session()
    source = environment.domain.from_tools(session.call, allowed)
    return answer(query, facts, source, environment.domain), session.state


@dataclass
class _Case:
    """One request with its answer, while it is being proved."""

    observer: Observer
    query: Query
    facts: Facts
    found: Answer
    rng: random.Random
    _others: dict[str, tuple[Answer, Session] | None] = field(default_factory=dict)
    _unique: dict[int, bool] = field(default_factory=dict)

    @property
    def domain(self) -> Domain:
        return self.observer.domain

    @property
    def base(self) -> Session:
        return Session(self.observer.environment.state)

    def equivalents(self, call: ToolCall) -> list[ToolCall]:
        return self.domain.equivalents(call, self.base)

    # witnesses

    def witnesses(self) -> dict[str, Witness | None]:
        """A witness, or None, for every read that the request speaks of."""
        result: dict[str, Witness | None] = {}
        for key, call in reversed(
            self.found.reads.items()
        ):  # what proves a later read proves what leads to it
            result[key] = self._witness(call, result)
        return result

    def _witness(
        self, call: ToolCall, earlier: Mapping[str, Witness | None]
    ) -> Witness | None:
        skipped = {call.key, *(other.key for other in self.equivalents(call))}
        reach = self.observer.reachable(self.facts, skipped)
        for target, patch in self._patches(call, reach, earlier):
            other = self._other_answer(patch)
            if other is None or not self.observer.agree(other[1], reach.values()):
                continue
            if self._is_unique(*other):
                return self._as_witness(patch, other[0], hidden=target.key != call.key)
        return None

    def _patches(
        self,
        call: ToolCall,
        reach: Mapping[str, ToolCall],
        earlier: Mapping[str, Witness | None],
    ) -> Iterator[tuple[ToolCall, Patch]]:
        """Changes that may hide from whoever skips `call`: of what it shows, then of what only it leads to."""
        reads = self.found.reads.items()
        hidden = [
            call,
            *(other for key, other in reads if key not in reach and key != call.key),
        ]
        for target in hidden[1:]:
            witness = earlier.get(target.key)
            if witness is not None:
                yield target, list(witness.patch)
        for target in hidden:
            for patch in islice(
                self.domain.mutations(self.base, target, self.rng), MAX_PATCHES
            ):
                yield target, patch
        for one, other in combinations(hidden, 2):
            for patch in self.domain.swaps(self.base, one, other):
                yield one, patch

    def _other_answer(self, patch: Patch) -> tuple[Answer, Session] | None:
        """The oracle's answer under `patch`, and the patched state, if there is exactly one and it is not ours."""
        mark = json.dumps(patch)
        if mark not in self._others:
            self._others[mark] = self._evaluate(patch)
        return self._others[mark]

    def _evaluate(self, patch: Patch) -> tuple[Answer, Session] | None:
        state = self.base
        state.apply_patch(patch)
        try:
            other = answer(
                self.query, self.facts, self.domain.from_state(state), self.domain
            )
        except Unidentifiable:
            return None
        return None if other.outcome == self.found.outcome else (other, state)

    def _is_unique(self, other: Answer, state: Session) -> bool:
        """U3 in another database; U1 and U2 were judged when the answer was found."""
        if id(other) not in self._unique:
            try:
                check_rivals(
                    self.query,
                    self.facts,
                    lambda: self.domain.from_state(state),
                    self.domain,
                    other,
                )
                self._unique[id(other)] = True
            except Unidentifiable:
                self._unique[id(other)] = False
        return self._unique[id(other)]

    def _as_witness(self, patch: Patch, other: Answer, *, hidden: bool) -> Witness:
        where = ", which shows only to those who make this read" if hidden else ""
        note = f"If {_changes_text(patch)}{where}, the right answer would be {_outcome_text(self.found, other)}."
        return Witness(
            patch=tuple(patch), gold=other.gold, declined=other.declined, note=note
        )

    def alternatives(
        self, certificate: Sequence[ToolCall], proved: Collection[str]
    ) -> dict[str, Witness]:
        """Witnesses for reads that others together can replace, as many as every certificate must contain."""
        reach = self.observer.reachable(self.facts)
        families: set[frozenset[str]] = set()
        shown: dict[str, Witness] = {}
        unproved = [call for call in certificate if call.key not in proved]
        for call, patch in self._swaps_of(unproved):
            other = self._other_answer(patch)
            if other is None or not self._is_unique(*other):
                continue
            told_apart_by = frozenset(
                self.observer.differences(other[1], reach.values())
            )
            if told_apart_by.isdisjoint(proved):
                families.add(told_apart_by)
                shown.setdefault(
                    call.key, self._as_witness(patch, other[0], hidden=False)
                )
        counted = _smallest_hitting(families)
        return {key: shown[key] for key in list(shown)[:counted]}

    def _swaps_of(self, calls: Sequence[ToolCall]) -> Iterator[tuple[ToolCall, Patch]]:
        for call in calls:
            for key, other in self.found.reads.items():
                if key != call.key:
                    for patch in self.domain.swaps(self.base, call, other):
                        yield call, patch

    # sufficiency

    def sufficient(self, proved: Collection[str]) -> list[ToolCall]:
        """The proved reads, and as few others as it takes for the reference solver to reach the answer with them alone."""
        chosen = set(proved)
        spare = [key for key in self.found.reads if key not in chosen]
        while not self._solves(chosen):
            if not spare:
                raise InvalidTask(
                    "solver", "The tools do not lead to the oracle's answer."
                )
            chosen.add(spare.pop(0))
        for key in sorted(chosen - set(proved)):
            if self._solves(chosen - {key}):
                chosen.discard(key)
        return [call for key, call in self.found.reads.items() if key in chosen]

    def _solves(self, allowed: Collection[str]) -> bool:
        if not self._is_derivable(
            [call for key, call in self.found.reads.items() if key in allowed]
        ):
            return False
        try:
            solved, state = solve(
                self.observer.environment, self.query, self.facts, allowed
            )
        except Unidentifiable:
            return False
        if solved.guessed:  # right by luck: what was not read could have changed it
            return False
        return (
            solved.outcome == self.found.outcome and state.effect() == self.found.effect
        )

    def _is_derivable(self, calls: Sequence[ToolCall]) -> bool:
        """Whether each call's arguments come from the facts or from earlier calls."""
        known = {call.key for call in self.domain.first_reads(self.facts)}
        for call in calls:
            if call.key not in known:
                return False
            known |= self._leads_to(call)
        return True

    def _leads_to(self, call: ToolCall) -> set[str]:
        return {
            other.key
            for other in self.domain.derivable_reads(
                self.observer.observe(call).strings
            )
        }

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
                    self.query, self.facts, self.domain.from_state(state), self.domain
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
        first = {call.key for call in self.domain.first_reads(self.facts)}
        leads = {key: self._leads_to(call) for key, call in self.found.reads.items()}
        total = 0
        for _ in range(SAMPLES):
            waiting, reachable, missing = set(leads), set(first), set(needed)
            while missing:
                ready = sorted(waiting & reachable) or sorted(waiting)
                key = self.rng.choice(ready)
                waiting.discard(key)
                missing.discard(key)
                reachable |= leads[key]
                total += 1
        return round(total / SAMPLES, 2)


def _smallest_hitting(families: Collection[frozenset[str]]) -> int:
    """Size of the smallest set that has a member in common with each family."""
    elements = sorted({key for family in families for key in family})
    for size in range(len(elements) + 1):
        if any(
            all(family & set(chosen) for family in families)
            for chosen in combinations(elements, size)
        ):
            return size
    return 0


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

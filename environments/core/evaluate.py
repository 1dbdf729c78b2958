"""Evaluation of queries: the answer, what was looked at on the way, and why it is the only one.

The same evaluation serves the oracle (rows straight from the state) and the reference solver (rows parsed from tool results);
only the `Source` differs, so that each checks the other. Conditions U1–U3 of identifiability are judged here: enough feasible
candidates, no neighbour closer than `delta` on the objective, no rival with the same effect.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any, Literal

from environments.core.domain import Domain, Facts, Role, Row, Shown, Source
from environments.core.errors import Unidentifiable
from environments.core.pointers import pointer
from environments.core.query import (
    Aggregate,
    AllOf,
    AnyOf,
    Arithmetic,
    Best,
    Branch,
    Collect,
    Compare,
    Const,
    Decline,
    Each,
    Exists,
    Fact,
    ListOf,
    Not,
    ObjectOf,
    Query,
    Ref,
    Selection,
    Table,
    Tell,
    The,
    Transfer,
    Value,
    Write,
)
from environments.core.tools import ToolCall

DELTA = 0.01
"""Smallest difference that counts as one, in the objective's unit (dollars): prices are told to the cent."""


@dataclass(frozen=True)
class Origin:
    """Where a value comes from. `refs` are (key of the read, JSON pointer into its result)."""

    kind: Literal["fact", "const", "read", "derived"]
    refs: tuple[tuple[str, str], ...] = ()
    detail: str = ""


@dataclass(frozen=True)
class Candidate:
    label: str
    objective: tuple[Any, ...]
    why_not: str
    """Empty if feasible."""
    read: str
    pointer: str

    @property
    def feasible(self) -> bool:
        return not self.why_not


@dataclass(frozen=True)
class Choice:
    """One `Best`: candidates sorted by the objective, infeasible ones kept in place."""

    name: str
    objective: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    chosen: int
    """Position of the gold among `candidates`."""
    margin: float | None
    """Distance to the nearest neighbour on the first part of the objective that differs; None if it is not a number."""
    fields: tuple[str, ...] = ()
    """JSON pointers, within the gold candidate, of the fields that the objective looks at."""
    idle: tuple[str, ...] = ()
    """Terms of the objective that are the same for all feasible candidates, so that they decide nothing."""

    @property
    def decoys(self) -> int:
        """Infeasible candidates that beat the gold on the objective."""
        return sum(
            not candidate.feasible for candidate in self.candidates[: self.chosen]
        )


@dataclass(frozen=True)
class Decision:
    """One `Branch`: `slack` is how far a numeric comparison was from tipping over."""

    condition: str
    held: bool
    slack: float | None
    refs: tuple[tuple[str, str], ...] = ()
    """What was compared: (key of the read, JSON pointer into its result)."""


@dataclass(frozen=True)
class GoldWrite:
    call: ToolCall
    origins: Mapping[str, Origin]
    """JSON pointer into the arguments → origin, one per leaf."""
    rests_on: frozenset[str]
    """Keys of the reads behind the arguments, behind the branches that lead here, and on the way to them."""


@dataclass(frozen=True)
class Told:
    """Something the user is told: `origin` says where it comes from."""

    what: str
    value: Any
    origin: Origin
    rests_on: frozenset[str]
    """Keys of the reads behind the value and behind the branches that lead here."""


@dataclass
class Answer:
    writes: list[GoldWrite] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    declined: str = ""
    """The policy clause that forbids the request, if it was declined."""
    transferred: str = ""
    """The policy clause that leaves the request to a person, if one does."""
    reads: dict[str, ToolCall] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    choices: list[Choice] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    effect: str = ""
    scanned: set[str] = field(default_factory=set)
    """Keys of reads that only a description looked at, which fits another row: a change in one of them cannot move it."""
    guessed: bool = False
    """Something was concluded from rows that were not read: other than by a description that is presupposed to fit one row."""

    @property
    def gold(self) -> tuple[ToolCall, ...]:
        return tuple(write.call for write in self.writes)

    @cached_property
    def outcome(self) -> tuple[Any, ...]:
        """What must not change for the answer to be the same: the writes, in order, what is told, and the refusal."""
        told = tuple((one.what, repr(one.value)) for one in self.told)
        return (
            self.declined,
            self.transferred,
            told,
            *(call.key for call in self.gold),
        )


type Scope = dict[Any, Any]
"""Name → row, number or list of scopes; (RESTS, name) → keys of the reads that the name rests on."""

RESTS = "rests on"


class Judged(dict[Any, Any]):
    """What was judged of rows, by the step, the rows and what stands around them."""


def answer(
    query: Query,
    facts: Facts,
    source: Source,
    domain: Domain,
    *,
    delta: float = DELTA,
    overrides: Mapping[str, int] | None = None,
    judged: Judged | None = None,
    bare: bool = False,
) -> Answer:
    """Evaluate `query`. Raises Unidentifiable for no match, several matches, too few candidates (U1), ties (U2), thresholds.

    `overrides` forces choices by name to the n-th feasible candidate; nothing is then said of ties. `judged` lets evaluations of one
    query with the same facts share what they find out about rows that are the same in both. A `bare` answer has writes without
    origins, and no effect: enough to see whether it is another one.
    """
    evaluation = _Evaluation(facts, source, domain, delta, overrides, judged)
    evaluation.bare = bare
    evaluation.take(query.steps, {})
    return evaluation.finish()


def check_rivals(
    query: Query,
    facts: Facts,
    new_source: Callable[[], Source],
    domain: Domain,
    found: Answer,
    judged: Judged | None = None,
) -> None:
    """U3: every other feasible candidate, put in the gold's place, must lead to another state. Raises Unidentifiable."""
    _RivalCheck(query, facts, new_source, domain, found, judged).take(query.steps, {})


class _Evaluation:
    def __init__(
        self,
        facts: Facts,
        source: Source,
        domain: Domain,
        delta: float,
        overrides: Mapping[str, int] | None = None,
        judged: Judged | None = None,
    ):
        self.facts = facts
        self.source = source
        self.domain = domain
        self.delta = delta
        self.overrides = overrides or {}
        self.strict = overrides is None
        """Whether ties and narrow thresholds are refused."""
        self.result = Answer()
        self._judged = Judged() if judged is None else judged
        self.bare = False
        self._expanded: set[str] = set()
        self._looked_at: set[str] = set()
        """Reads that more than a description looked at."""
        self._used: set[str] = set()
        self._branches: frozenset[str] = frozenset()
        self._presupposing = False
        self._describing = False
        self._following: tuple[Any, ...] | None = ()
        """Steps that come after those at hand; None inside an `Each`, where that is not one list."""

    def finish(self) -> Answer:
        result = self.result
        if not (result.writes or result.told or result.declined or result.transferred):
            raise Unidentifiable("empty", "The request asks for nothing.")
        if not self.bare:
            result.effect = self.source.effect()
            result.scanned -= self._looked_at
        return result

    # steps

    def take(self, steps: tuple[Any, ...], scope: Scope, place: str = "") -> None:
        """Take the steps in order; what they name is put into `scope`. `place` tells choices inside an `Each` apart."""
        outer = self._following
        for number, step in enumerate(steps, 1):
            self._following = None if outer is None else (*steps[number:], *outer)
            match step:
                case The():
                    scope.update(self._the(step, scope))
                case Best():
                    scope.update(self._best(step, scope, place))
                case Each():
                    scope[step.selection.name] = self._each(step, scope, place)
                case Value():
                    self._used = set()
                    scope[step.name] = (
                        (self.plain(step.value, scope), _UNKNOWN)
                        if self.bare
                        else self.value(step.value, scope)
                    )
                    scope[RESTS, step.name] = frozenset(self._used)
                case Branch():
                    self._branch(step, scope, place)
                case Write():
                    self._write(step, scope)
                case Tell():
                    self._used, self._expanded = set(), set()
                    value, origin = self.value(step.value, scope)
                    rests_on = self._branches | self._used | self._expanded
                    self.result.told.append(Told(step.what, value, origin, rests_on))
                case Decline():
                    self.result.declined = step.clause
                case Transfer():
                    self.result.transferred = step.clause
        self._following = outer

    def _branch(self, step: Branch, scope: Scope, place: str) -> None:
        outer = self._branches
        self._used = set()
        held = self._decide(step, scope)
        self._branches = outer | self._used
        self.take(step.then if held else step.otherwise, scope, place)
        self._branches = outer

    def _the(self, step: The, scope: Scope) -> Scope:
        self._used, self._expanded = set(), set()
        self._presupposing = self._describing = True
        found = list(self.rows(step.selection, scope))
        self._presupposing = self._describing = False
        if len(found) != 1:
            reason = "ambiguous" if found else "no_match"
            raise Unidentifiable(reason, f"{len(found)} rows are {step.selection}.")
        scanned = frozenset(self._expanded)
        scope = self._resting(step.selection, found[0], frozenset(self._used))
        fits: frozenset[str] = scope[RESTS, step.selection.name]
        self.result.scanned |= scanned - fits
        self._looked_at |= fits
        return scope

    def _each(self, step: Each, scope: Scope, place: str) -> list[Scope]:
        self._used, self._expanded = set(), set()
        found = list(self.rows(step.selection, scope))
        if not found:
            raise Unidentifiable("no_match", f"No rows are {step.selection}.")
        rests = frozenset(self._used | self._expanded)
        outer, self._following = self._following, None
        for number, inner in enumerate(found):
            self._resting(step.selection, inner, rests)
            self.take(step.steps, inner, f"{place}[{number}]")
        self._following = outer
        return found

    def _resting(
        self, selection: Selection, scope: Scope, more: frozenset[str]
    ) -> Scope:
        """Note what the rows that the selection named rest on: the reads that show them, what leads there, and `more`."""
        rests = more
        chain = [selection]
        while isinstance(chain[-1].of, Selection):
            chain.append(chain[-1].of)
        root = chain[-1].of
        if isinstance(root, Ref):
            rests |= scope.get((RESTS, root.name), frozenset())
        for part in reversed(chain):
            row: Row = scope[part.name]
            rests |= {row.read.key} if row.read else frozenset()
            scope[RESTS, part.name] = rests
        return scope

    def _best(self, step: Best, scope: Scope, place: str) -> Scope:
        name = step.selection.name + place
        self._used, self._expanded = set(), set()
        if self.bare:
            return self._best_alone(step, name, scope)
        ranked = self._ranked(step, scope)
        feasible = [n for n, one in enumerate(ranked) if one.candidate.feasible]
        rank = self.overrides.get(name, step.rank)
        self._check_enough(step, name, len(feasible), rank)
        chosen = feasible[rank]
        margin = None
        if self.strict:
            near = feasible[max(rank - 1, 0) : rank + 2]
            objectives = [ranked[n].candidate.objective for n in near]
            margin = self._margin(name, objectives, near.index(chosen))
        self.meet_rivals(step, name, ranked, feasible, rank)
        self.result.choices.append(
            Choice(
                name,
                tuple(map(str, step.objective)),
                tuple(one.candidate for one in ranked),
                chosen,
                margin,
                _fields(step, ranked[chosen].row),
                tuple(self._idle_terms(step, [ranked[n] for n in feasible]))
                if self.strict
                else (),
            )
        )
        rests = frozenset(
            self._used | self._expanded
        )  # all candidates: the choice is between them
        return self._resting(step.selection, ranked[chosen].scope(step), rests)

    def _best_alone(self, step: Best, name: str, scope: Scope) -> Scope:
        """The chosen row without an account of the others: of each read's rows, only as many as can matter are looked at."""
        rank = self.overrides.get(name, step.rank)
        near, count = [], 0
        for outer, judged in self._judged_rows(step, scope):
            count += len(judged.feasible)
            near += [_Ranked(outer, *one) for one in judged.feasible[: rank + 2]]
        self._check_enough(step, name, count, rank)
        _sort(step, near, lambda one: one.candidate)
        if self.strict:
            first = max(rank - 1, 0)
            objectives = [one.candidate.objective for one in near[first : rank + 2]]
            self._margin(name, objectives, rank - first)
        return near[rank].scope(step)

    def _check_enough(self, step: Best, name: str, count: int, rank: int) -> None:
        if count <= max(rank, step.rank):
            raise Unidentifiable(
                "too_few",
                f"{name}: {count} feasible candidates, {step.rank + 1} needed.",
            )

    def meet_rivals(
        self,
        step: Best,
        name: str,
        ranked: list["_Ranked"],
        feasible: list[int],
        rank: int,
    ) -> None:
        """Called with every choice; see _RivalCheck."""

    def _ranked(self, step: Best, scope: Scope) -> list["_Ranked"]:
        """All candidates, sorted."""
        ranked = [
            _Ranked(outer, *one)
            for outer, judged in self._judged_rows(step, scope)
            for one in judged.rows
        ]
        _sort(step, ranked, lambda one: one.candidate)
        return ranked

    def _judged_rows(
        self, step: Best, scope: Scope
    ) -> Iterator[tuple[Scope, "_JudgedRows"]]:
        """The rows of each read. What is judged of rows met before in the same surroundings is taken from there."""
        if id(step) not in self._judged:
            self._judged[id(step)] = (_surroundings(step), step)
        needs = self._judged[id(step)][0]
        for outer, shown in self._shown(step.selection, scope):
            if needs is None:
                yield outer, self._judge(step, outer, shown.rows, None)
                continue
            around = [outer.get(name) for name in needs]
            for name in needs:
                self._used |= outer.get((RESTS, name), _NOTHING)
            key = (id(step), id(shown.rows), *map(id, around))
            entry = self._judged.get(key)
            if entry is None:
                # what the ids in the key stand for is kept with it, so that they stay taken
                judged = self._judge(step, outer, shown.rows, around)
                entry = self._judged[key] = (judged, step, shown.rows, around)
            yield outer, entry[0]

    def _judge(
        self, step: Best, outer: Scope, rows: list[Row], around: list[Any] | None
    ) -> "_JudgedRows":
        """`around` is what stands around the rows, or None if what is judged holds here alone."""
        judged = []
        inner = dict(outer)
        mark = () if around is None else (id(step), *map(id, around))
        for row in rows:
            kept = None if around is None else self._judged.get((id(row), *mark))
            if kept is not None:
                judged.append(kept[0])
                continue
            inner[step.selection.name] = row
            objective = tuple([self.plain(key.value, inner) for key in step.objective])
            why_not = self._why_not(step.selection.where, inner)
            read = row.read.key if row.read else ""
            one = row, Candidate(row.label, objective, why_not, read, row.pointer)
            judged.append(one)
            if around is not None:
                self._judged[id(row), *mark] = one, step, around
        feasible = [one for one in judged if one[1].feasible]
        _sort(step, feasible, lambda one: one[1])
        return _JudgedRows(judged, feasible)

    def _idle_terms(self, step: Best, feasible: list["_Ranked"]) -> Iterator[str]:
        for key in step.objective:
            terms = list(_terms(key.value))
            for term in terms if len(terms) > 1 else ():
                values = {self.plain(term, one.scope(step)) for one in feasible}
                if len(values) == 1:
                    yield str(term)

    def _margin(
        self, name: str, objectives: list[tuple[Any, ...]], rank: int
    ) -> float | None:
        """Distance of the chosen one to its neighbours (rank 0: the next only). Raises Unidentifiable for a tie."""
        gaps = [
            _gap(objectives[rank], objectives[n])
            for n in (rank - 1, rank + 1)
            if 0 <= n < len(objectives) and n != rank
        ]
        if any(gap is not None and gap < self.delta - 1e-9 for gap in gaps):
            raise Unidentifiable(
                "tie",
                f"{name}: a neighbour is closer than {self.delta} on the objective.",
            )
        numbers = [gap for gap in gaps if gap is not None]
        return min(numbers) if numbers else None

    def _decide(self, step: Branch, scope: Scope) -> bool:
        held = self.holds(step.condition, scope)
        slack = self._slack(step.condition, scope)
        if slack is not None and slack < self.delta - 1e-9 and self.strict:
            raise Unidentifiable(
                "threshold", f"{step.condition} is decided by less than {self.delta}."
            )
        refs = () if self.bare else tuple(self._compared(step.condition, scope))
        text = self._text_of(step)
        self.result.decisions.append(Decision(text, held, slack, refs))
        return held

    def _text_of(self, step: Branch) -> str:
        """The condition in words, made once."""
        found: tuple[str, Branch] | None = self._judged.get(id(step))
        if found is None:
            found = self._judged[id(step)] = str(step.condition), step
        return found[0]

    def _compared(self, condition: Any, scope: Scope) -> Iterator[tuple[str, str]]:
        if isinstance(condition, Compare):
            for side in (condition.left, condition.right):
                origin = self.value(side, scope)[1]
                yield from origin.refs if isinstance(origin, Origin) else ()
        elif isinstance(condition, AllOf | AnyOf):
            for part in condition.conditions:
                yield from self._compared(part, scope)
        elif isinstance(condition, Not):
            yield from self._compared(condition.condition, scope)

    def _slack(self, condition: Any, scope: Scope) -> float | None:
        """How far the nearest numeric comparison is from tipping over; None if there is none."""
        match condition:
            case Compare(op="lt" | "le" | "gt" | "ge"):
                left, right = (
                    self.plain(side, scope)
                    for side in (condition.left, condition.right)
                )
                return (
                    abs(left - right)
                    if _is_number(left) and _is_number(right)
                    else None
                )
            case Not():
                return self._slack(condition.condition, scope)
            case AllOf() | AnyOf():
                slacks = [self._slack(part, scope) for part in condition.conditions]
                return min(
                    (slack for slack in slacks if slack is not None), default=None
                )
        return None

    def _write(self, step: Write, scope: Scope) -> None:
        arguments: dict[str, Any] = {}
        origins: dict[str, Origin] = {}
        self._used = set()
        if self.bare:
            for name, expr in step.arguments.items():
                arguments[name] = self.plain(expr, scope)
        for name, expr in () if self.bare else step.arguments.items():
            value, origin = self.value(expr, scope)
            arguments[name] = value
            origins.update(_leaf_origins(pointer(name), value, origin))
        call = ToolCall(name=step.tool, arguments=arguments)
        self.source.apply(call)
        self.result.writes.append(GoldWrite(call, origins, self._branches | self._used))

    # rows

    def rows(self, selection: Selection, scope: Scope) -> Iterator[Scope]:
        """Scopes with the selection's names bound, one per row that satisfies `where`."""
        for outer, shown in self._shown(selection, scope):
            for row in shown.rows:
                inner = {**outer, selection.name: row}
                if selection.where is None or self.holds(selection.where, inner):
                    yield inner

    def _shown(
        self, selection: Selection, scope: Scope
    ) -> Iterator[tuple[Scope, Shown]]:
        """What each read of the selection shows, its filter left aside; the reads are noted."""
        for parent, outer in self._parents(selection, scope):
            by = {name: self.plain(expr, outer) for name, expr in selection.by.items()}
            reads, role = self.result.reads, self.domain.relations[selection.relation]
            for shown in self.source.expand(selection.relation, parent, by):
                if shown.unread and not self._presupposing:
                    self.result.guessed = True
                if shown.read is not None:
                    key = shown.read.key
                    self._expanded.add(key)
                    if not self._describing:
                        self._looked_at.add(key)
                    if key not in reads:
                        reads[key] = shown.read
                        self.result.roles[key] = role
                yield outer, shown

    def _parents(
        self, selection: Selection, scope: Scope
    ) -> Iterator[tuple[Row | None, Scope]]:
        if selection.of is None:
            yield None, scope
        elif isinstance(selection.of, Ref):
            yield scope[selection.of.name], scope
        else:
            for inner in self.rows(selection.of, scope):
                yield inner[selection.of.name], inner

    # conditions

    def holds(self, condition: Any, scope: Scope) -> bool:
        match condition:
            case Compare():
                return _compare(
                    condition.op,
                    self.plain(condition.left, scope),
                    self.plain(condition.right, scope),
                )
            case Not():
                return not self.holds(condition.condition, scope)
            case AllOf():
                return all(self.holds(part, scope) for part in condition.conditions)
            case AnyOf():
                return any(self.holds(part, scope) for part in condition.conditions)
            case Exists():
                return self._exists(condition, scope)
        raise TypeError(f"not a condition: {condition!r}")

    def _exists(self, condition: Exists, scope: Scope) -> bool:
        """Nothing presupposes that something exists: what was not read counts as guessed here."""
        outer, self._presupposing = self._presupposing, False
        guessed = self.result.guessed
        found = next(self.rows(condition.selection, scope), None) is not None
        if found and _is_plain(condition.selection):
            self.result.guessed = guessed  # one row that was read is proof enough
        self._presupposing = outer
        return found

    def _why_not(self, condition: Any, scope: Scope) -> str:
        """The first part that fails; what comes after it is not looked at, so that telling why takes no reads."""
        if isinstance(condition, AllOf):
            reasons = (self._why_not(part, scope) for part in condition.conditions)
            return next(filter(None, reasons), "")
        if condition is None or self.holds(condition, scope):
            return ""
        return self._explain(condition, scope)

    def _explain(self, condition: Any, scope: Scope) -> str:
        if (
            isinstance(condition, Compare)
            and isinstance(condition.left, Ref)
            and condition.left.path
        ):
            return (
                f"{condition.left.path[-1]} is {self.value(condition.left, scope)[0]}"
            )
        return f"not: {condition}"

    # expressions

    def plain(self, expr: Any, scope: Scope) -> Any:
        """The value alone: what is only compared needs no origin, and there is much to compare."""
        kind = type(expr)
        if kind is Ref:
            named = scope[expr.name]
            self._used |= scope.get((RESTS, expr.name), _NOTHING)
            return _field(named, expr) if type(named) is Row else named[0]
        if kind is Const:
            return expr.value
        if kind is Fact and expr.name in self.facts:
            return self.facts[expr.name]
        if kind is Arithmetic:
            left, right = self.plain(expr.left, scope), self.plain(expr.right, scope)
            return _ARITHMETIC[expr.op](left, right)
        if kind is ListOf:
            return [self.plain(part, scope) for part in expr.values]
        if kind is ObjectOf:
            return {name: self.plain(part, scope) for name, part in expr.fields.items()}
        if kind is Aggregate:
            rows = self.rows(expr.over, scope)
            return _total(expr, [self.plain(expr.value, inner) for inner in rows])
        return self.value(expr, scope)[0]

    def value(self, expr: Any, scope: Scope) -> tuple[Any, Any]:
        """(value, origin); a list has a list of origins."""
        match expr:
            case Const():
                return expr.value, Origin("const", detail=str(expr))
            case Fact():
                if expr.name not in self.facts:
                    raise Unidentifiable(
                        "missing_fact", f"The user does not say {expr.name}."
                    )
                return self.facts[expr.name], Origin("fact", detail=expr.name)
            case Ref():
                return self._ref(expr, scope)
            case Arithmetic():
                return self._arithmetic(expr, scope)
            case Aggregate():
                return self._aggregate(expr, scope)
            case Collect():
                pairs = [self.value(expr.value, inner) for inner in scope[expr.each]]
                return [value for value, _ in pairs], [origin for _, origin in pairs]
            case ListOf():
                pairs = [self.value(part, scope) for part in expr.values]
                return [value for value, _ in pairs], [origin for _, origin in pairs]
            case ObjectOf():
                both = {
                    name: self.value(part, scope) for name, part in expr.fields.items()
                }
                return {name: value for name, (value, _) in both.items()}, {
                    name: origin for name, (_, origin) in both.items()
                }
            case Table():
                return self._table(expr, scope)
        raise TypeError(f"not an expression: {expr!r}")

    def _ref(self, expr: Ref, scope: Scope) -> tuple[Any, Origin]:
        named = scope[expr.name]
        self._used |= scope.get((RESTS, expr.name), frozenset())
        if not isinstance(named, Row):
            return named  # type: ignore[no-any-return]  # a (value, origin) that a `Value` step named
        value = _field(named, expr)
        read = named.read.key if named.read else ""
        made_from = _made_from(named, expr.path)
        if made_from is not None:
            refs = tuple((read, named.pointer + place) for place in made_from)
            return value, Origin("derived", refs, str(expr))
        place = named.pointer if named.bare else named.pointer + _path(expr.path)
        return value, Origin("read", ((read, place),))

    def _table(self, expr: Table, scope: Scope) -> tuple[Any, Origin]:
        """Raises Unidentifiable if the policy says nothing for these keys."""
        pairs = [self.value(key, scope) for key in expr.keys]
        key = "/".join(str(value) for value, _ in pairs)
        if key not in expr.rows:
            raise Unidentifiable("missing", f"Policy {expr.clause} has no {key}.")
        refs = tuple(ref for _, origin in pairs for ref in origin.refs)
        return expr.rows[key], Origin("derived", refs, f"policy {expr.clause}: {key}")

    def _arithmetic(self, expr: Arithmetic, scope: Scope) -> tuple[Any, Any]:
        (left, from_left), (right, from_right) = (
            self.value(expr.left, scope),
            self.value(expr.right, scope),
        )
        value = _ARITHMETIC[expr.op](left, right)
        if isinstance(value, list):  # one list after the other
            return value, [
                *_origin_each(left, from_left),
                *_origin_each(right, from_right),
            ]
        return value, Origin(
            "derived", from_left.refs + from_right.refs, f"{left} {expr.op} {right}"
        )

    def _aggregate(self, expr: Aggregate, scope: Scope) -> tuple[Any, Origin]:
        pairs = [self.value(expr.value, inner) for inner in self.rows(expr.over, scope)]
        result = _total(expr, [value for value, _ in pairs])
        return result, Origin(
            "derived",
            tuple(ref for _, origin in pairs for ref in origin.refs),
            str(expr),
        )


class _RivalCheck(_Evaluation):
    """Evaluates once more and, at each choice, goes on with every other feasible candidate."""

    def __init__(
        self,
        query: Query,
        facts: Facts,
        new_source: Callable[[], Source],
        domain: Domain,
        found: Answer,
        judged: Judged | None,
    ):
        super().__init__(facts, new_source(), domain, DELTA, judged=judged)
        self._query = query
        self._new_source = new_source
        self._found = found

    def meet_rivals(
        self,
        step: Best,
        name: str,
        ranked: list["_Ranked"],
        feasible: list[int],
        rank: int,
    ) -> None:
        for place, number in enumerate(feasible):
            if place == rank:
                continue
            try:
                rival, source = self._with(step, name, place, ranked[number])
            except Unidentifiable:
                continue  # the rival does not even lead to an answer
            if rival.outcome[:3] == self._found.outcome[:3] and source.has_effect_of(
                self._gold
            ):
                raise Unidentifiable(
                    "same_effect",
                    f"{name}: {ranked[number].candidate.label} leads to the same state as the gold.",
                )

    @cached_property
    def _gold(self) -> Source:
        """Where the gold leads."""
        source = self._new_source()
        for call in self._found.gold:
            source.apply(call)
        return source

    def _with(
        self, step: Best, name: str, place: int, rival: "_Ranked"
    ) -> tuple[Answer, Source]:
        """The answer if the rival were chosen, and where it leads.

        What follows the choice is taken again, or inside an `Each` everything.
        """
        forced = {name: place}
        again = self._following is None
        source = self._new_source() if again else copy(self.source)
        rest = _Evaluation(
            self.facts, source, self.domain, self.delta, forced, self._judged
        )
        rest.bare = True
        if self._following is None:
            rest.take(self._query.steps, {})
        else:
            rest.result.told = list(self.result.told)
            rest.result.writes = list(self.result.writes)
            rest.take(self._following, rival.scope(step))
        return rest.finish(), source


@dataclass(frozen=True, slots=True)
class _Ranked:
    outer: Scope
    row: Row
    candidate: Candidate

    def scope(self, step: Best) -> Scope:
        return {**self.outer, step.selection.name: self.row}


@dataclass(frozen=True, slots=True)
class _JudgedRows:
    """Rows of one read, as they come, and the feasible ones, sorted."""

    rows: list[tuple[Row, Candidate]]
    feasible: list[tuple[Row, Candidate]]


def _sort[T](step: Best, ranked: list[T], candidate: Callable[[T], Candidate]) -> None:
    for number, key in reversed(
        list(enumerate(step.objective))
    ):  # stable: the first part of the objective goes last
        ranked.sort(
            key=lambda one: candidate(one).objective[number],
            reverse=key.direction == "desc",
        )


def _fields(step: Best, gold: Row) -> tuple[str, ...]:
    return tuple(
        place
        for key in step.objective
        if isinstance(key.value, Ref) and key.value.name == step.selection.name
        for place in _made_from(gold, key.value.path) or [_path(key.value.path)]
    )


def _terms(expr: Any) -> Iterator[Any]:
    """The parts of a sum."""
    if isinstance(expr, Arithmetic) and expr.op in ("+", "-"):
        yield from _terms(expr.left)
        yield from _terms(expr.right)
    else:
        yield expr


def _surroundings(step: Best) -> tuple[str, ...] | None:
    """Names, beside the candidate's, that the filter and the objective look at; None if they look at further rows."""
    nodes = [step.selection.where, *(key.value for key in step.objective)]
    names: set[str] = set()
    while nodes:
        node = nodes.pop()
        match node:
            case Ref():
                names.add(node.name)
            case Exists() | Aggregate() | Collect():
                return None
            case Compare() | Arithmetic():
                nodes += [node.left, node.right]
            case Not():
                nodes.append(node.condition)
            case AllOf() | AnyOf():
                nodes += node.conditions
            case ListOf():
                nodes += node.values
            case ObjectOf():
                nodes += node.fields.values()
            case Table():
                nodes += node.keys
    return tuple(sorted(names - {step.selection.name}))


_UNKNOWN = Origin("derived")
"""Of what a bare answer names."""
_NOTHING: frozenset[str] = frozenset()


def _field(row: Row, expr: Ref) -> Any:
    value: Any = row.values
    try:
        for part in expr.path:
            value = value[part]
    except (KeyError, IndexError, TypeError) as error:
        raise Unidentifiable("missing", f"There is no {expr}.") from error
    return value


_path = cache(lambda path: pointer(*path))


def _made_from(row: Row, path: tuple[str | int, ...]) -> tuple[str, ...] | None:
    """Pointers, within the row, behind a value that its result does not show as such; None if it does."""
    if not (path and row.derived):
        return None
    whole = row.derived.get(_dotted(path))
    return row.derived.get(str(path[0])) if whole is None else whole


_dotted = cache(lambda path: ".".join(map(str, path)))

_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "min": min,
    "max": max,
}


def _origin_each(values: list[Any], origin: Any) -> list[Any]:
    return origin if isinstance(origin, list) else [origin] * len(values)


def _leaf_origins(place: str, value: Any, origin: Any) -> Iterator[tuple[str, Origin]]:
    """An origin for each leaf of an argument; what comes whole out of one read keeps its place in it."""
    if not isinstance(value, list | dict):
        yield place, origin
        return
    inner = enumerate(value) if isinstance(value, list) else value.items()
    for key, part in inner:
        if isinstance(origin, Origin):
            refs = tuple((read, base + pointer(key)) for read, base in origin.refs)
            part_origin: Any = (
                origin if origin.kind == "derived" else replace(origin, refs=refs)
            )
        else:
            part_origin = origin[key]
        yield from _leaf_origins(place + pointer(key), part, part_origin)


def _total(expr: Aggregate, values: list[Any]) -> Any:
    if not values and expr.op in ("min", "max"):
        raise Unidentifiable("no_match", f"No rows are {expr.over}.")
    return _AGGREGATES[expr.op](values)


_AGGREGATES: Mapping[str, Callable[[list[Any]], Any]] = {
    "sum": sum,
    "count": len,
    "min": min,
    "max": max,
}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _gap(left: tuple[Any, ...], right: tuple[Any, ...]) -> float | None:
    """Distance on the first part that differs; 0.0 if none does, None if that part is not a number."""
    for one, other in zip(left, right, strict=True):
        if one != other:
            return abs(one - other) if _is_number(one) and _is_number(other) else None
    return 0.0


def _is_plain(selection: Selection) -> bool:
    """Whether each row is judged by itself, without a look at other rows."""
    inner = selection.of
    return not _looks_around(selection.where) and (
        not isinstance(inner, Selection) or _is_plain(inner)
    )


def _looks_around(node: Any) -> bool:
    match node:
        case Exists() | Aggregate():
            return True
        case Compare() | Arithmetic():
            return _looks_around(node.left) or _looks_around(node.right)
        case Not():
            return _looks_around(node.condition)
        case AllOf() | AnyOf():
            return any(map(_looks_around, node.conditions))
    return False


def _compare(op: str, left: Any, right: Any) -> bool:
    match op:
        case "eq":
            return bool(left == right)
        case "ne":
            return bool(left != right)
        case "among":
            return left in right
        case "lt":
            return bool(left < right)
        case "le":
            return bool(left <= right)
        case "gt":
            return bool(left > right)
    return bool(left >= right)

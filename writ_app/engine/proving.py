"""Checking task files: every claim of a line is worked out again from the query, the facts and the database.

What a line says of itself is only compared, never used. The first false claim condemns it.
"""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from environments.core.domain import Archetype, TaskClass
from environments.core.environment import Environment
from environments.core.errors import Unidentifiable
from environments.core.evaluate import Answer, answer, check_rivals
from environments.core.grammar import apart_from_sisters, segments, understand
from environments.core.query import Query
from environments.core.state import Session
from environments.core.tools import ToolCall
from writ_app.engine import gold_trace
from writ_app.engine.composition import (
    AFTER,
    JOINTS,
    NEXT,
    Composition,
    Part,
    split_words,
    without_number,
)
from writ_app.engine.draft import companions_of, floor_chance
from writ_app.engine.errors import InvalidTask
from writ_app.engine.evidence import Case, Observer, floor_of
from writ_app.engine.identification import (
    identity_names,
    person_of,
    refuse_degenerate,
)
from writ_app.engine.task_file import FileCall, FileRead, FileTask
from writ_app.engine.types import SaidClause, ToldFact, Witness


@dataclass(frozen=True)
class FalseClaim:
    """`claim` is what is false, in one word; `text` says how."""

    claim: str
    text: str


class _Refuted(Exception):
    def __init__(self, claim: str, text: str):
        super().__init__(text)
        self.found = FalseClaim(claim, text)


class Prover:
    """Checks lines about one environment; what is read for one serves the next."""

    def __init__(self, environment: Environment):
        self.environment = environment
        self._observer = Observer(environment)
        self._archetypes = {one.slug: one for one in environment.domain.archetypes}

    def refute(self, line: FileTask) -> FalseClaim | None:
        """The first false claim, or None if everything holds."""
        try:
            self._check(line)
        except _Refuted as refuted:
            return refuted.found
        return None

    def _check(self, line: FileTask) -> None:
        self._check_world(line)
        composition, query = self._request(line)
        found = self._answer_of(line, query)
        self._check_gold(line, found)
        self._check_words(line, composition, found)
        self._check_orders(line, composition, found)
        self._check_policy(line)
        self._check_evidence(line, query, found)

    # the request

    def _check_world(self, line: FileTask) -> None:
        ours = self.environment
        for claim, said, true in (
            ("environment", line.environment, ours.name),
            ("state_hash", line.state_hash, ours.state.content_hash),
            ("environment_hash", line.environment_hash, ours.content_hash),
        ):
            _claim(claim, said == true, f"It is {true}, not {said}.")

    def _request(self, line: FileTask) -> tuple[Composition, Query]:
        """The request as the archetypes state it for these facts; its query must be the line's."""
        slugs = line.archetype.split("+")
        unknown = [slug for slug in slugs if slug not in self._archetypes]
        _claim("archetype", not unknown, f"There is no archetype {', '.join(unknown)}.")
        identity = identity_names(self.environment, line.known_facts)
        _claim("known_facts", bool(identity), "They do not say who the user is.")
        try:
            parts = tuple(
                self._part(
                    self._archetypes[slug], self._facts_of(line, number, identity)
                )
                for number, slug in enumerate(slugs)
            )
            composition = Composition(parts, identity)
            query = composition.query()
        except (KeyError, TypeError, ValueError) as error:
            raise _Refuted(
                "known_facts", f"The archetype cannot use them: {error}"
            ) from error
        same = query.content_hash == line.query.content_hash
        _claim("query", same, "The archetype states another query for these facts.")
        _claim(
            "query_text", str(query) == line.query_text, "The query prints otherwise."
        )
        _claim(
            "known_facts",
            composition.facts == line.known_facts,
            "Some belong to no part.",
        )
        kind = parts[0].archetype
        true_class = TaskClass.WRITE_INTENSIVE if len(parts) > 1 else kind.task_class
        _claim("class", line.task_class is true_class, f"It is {true_class}.")
        title = "; ".join(part.archetype.title for part in parts)
        _claim("title", line.title == title, f"It is {title}.")
        return composition, line.query

    def _facts_of(
        self, line: FileTask, number: int, identity: frozenset[str]
    ) -> dict[str, Any]:
        facts = {name: line.known_facts[name] for name in identity}
        for name, value in line.known_facts.items():
            own, place = without_number(name)
            if place == number and name not in identity:
                facts[own] = value
        return facts

    def _part(self, archetype: Archetype, facts: Mapping[str, Any]) -> Part:
        query = archetype.query(facts)
        try:
            found = self._answer(query, facts)
        except Unidentifiable as error:
            raise _Refuted(
                "gold",
                f"{archetype.slug} is not identifiable ({error.reason}): {error}",
            ) from error
        return Part(archetype, facts, query, found, ())

    # the answer

    def _answer(self, query: Query, facts: Mapping[str, Any]) -> Answer:
        domain, base = self.environment.domain, Session(self.environment.state)
        return answer(query, facts, domain.from_state(base), domain)

    def _answer_of(self, line: FileTask, query: Query) -> Answer:
        domain, base = self.environment.domain, Session(self.environment.state)
        try:
            found = self._answer(query, line.known_facts)
            check_rivals(
                query,
                line.known_facts,
                lambda: domain.from_state(base),
                domain,
                found,
            )
        except Unidentifiable as error:
            raise _Refuted(
                "gold", f"Not identifiable ({error.reason}): {error}"
            ) from error
        return found

    def _check_gold(self, line: FileTask, found: Answer) -> None:
        gold = [_call(call).key for call in line.gold]
        true = [call.key for call in found.gold]
        _claim("gold", gold == true, f"The oracle's writes are {true or 'none'}.")
        told = [(one.what, repr(one.value)) for one in line.told]
        true_told = [(one.what, repr(one.value)) for one in found.told]
        _claim("told", told == true_told, f"The oracle tells {true_told}.")
        _claim(
            "declined", line.declined == found.declined, f"It is {found.declined!r}."
        )
        _claim(
            "transferred",
            line.transferred == found.transferred,
            f"It is {found.transferred!r}.",
        )
        _claim(
            "gold_effect", line.gold_effect == found.effect, "The effect is another."
        )

    # the words

    def _check_words(
        self, line: FileTask, composition: Composition, found: Answer
    ) -> None:
        joined = " ".join(clause.text for clause in line.clauses)
        _claim("text", line.text == joined, "It is not what the clauses say.")
        try:
            joint, texts = split_words(line.text)
        except InvalidTask as error:
            raise _Refuted("text", str(error)) from error
        _claim(
            "text",
            len(texts) == len(composition.parts),
            "It does not have a piece per part.",
        )
        wanted = AFTER.name if line.dependent else NEXT.name
        if len(texts) > 1:
            _claim(
                "text", joint == wanted, f"The parts should be joined by '{wanted}'."
            )
        for part, text in zip(composition.parts, texts, strict=True):
            self._check_part(part, text)
        for clause in line.clauses:
            self._check_clause(clause, composition)

    def _check_clause(self, clause: SaidClause, composition: Composition) -> None:
        """Its name, and the facts that it tells, are those of the archetype's clause that its words are."""
        own, place = without_number(clause.name)
        if place and own in (AFTER.name, NEXT.name):
            nothing_else = segments(clause.text, JOINTS) == [("", ""), (own, "")]
            known = nothing_else and not clause.tells and not clause.opens
        else:
            known = place < len(composition.parts) and self._is_said(
                clause, own, place, composition
            )
        _claim("clauses", known, f"{clause.name} is not what it says it is.")

    def _is_said(
        self, clause: SaidClause, own: str, place: int, composition: Composition
    ) -> bool:
        archetype = composition.parts[place].archetype
        names = set()
        for told in clause.tells:
            name, number = without_number(told)
            if number != place and name not in composition.identity:
                return False
            names.add(name)
        return any(
            clause.opens == (form.opens and not place) and way.facts.keys() == names
            for form in archetype.clauses
            if form.name == own
            for way in understand(
                clause.text,
                [replace(archetype, clauses=(form,))],
                self.environment.domain.lexicon,
            )
        )

    def _check_part(self, part: Part, text: str) -> None:
        domain = self.environment.domain
        identity = identity_names(self.environment, part.facts)
        who = {name: part.facts[name] for name in identity}
        found = apart_from_sisters(
            understand(text, domain.archetypes, domain.lexicon),
            part.archetype,
            part.query,
            who,
            domain.archetypes,
        )
        _claim(
            "text",
            len(found) == 1,
            f"There are {len(found)} ways to understand {text!r}.",
        )
        understood = found[0]
        slug = part.archetype.slug
        _claim(
            "text", understood.archetype == slug, f"It asks for {understood.archetype}."
        )
        untold = part.facts.keys() - identity - understood.facts.keys()
        _claim("text", not untold, f"It does not say {', '.join(sorted(untold))}.")
        try:
            again = part.archetype.query({**who, **understood.facts})
            same = again.content_hash == part.query.content_hash
        except KeyError:
            same = False
        same = same and all(
            part.facts.get(name) == value for name, value in understood.facts.items()
        )
        _claim("text", same, "It says something else than the query.")
        for reading in part.archetype.readings(part.facts):
            try:
                agrees = (
                    self._answer(reading.query, part.facts).outcome
                    == part.found.outcome
                )
            except Unidentifiable:
                agrees = False
            said = (
                bool(reading.ruled_out_by)
                and reading.ruled_out_by in understood.clauses
            )
            _claim("text", agrees or said, f"It may also mean: {reading.name}.")
        try:
            refuse_degenerate(part.archetype, part.found)
        except InvalidTask as error:
            raise _Refuted("query", str(error)) from error

    def _check_orders(
        self, line: FileTask, composition: Composition, found: Answer
    ) -> None:
        if len(composition.parts) == 1:
            archetype = composition.parts[0].archetype
            _claim("dependent", line.dependent == archetype.dependent, "It is not so.")
            _claim("orders", line.orders is None, "There is only one part.")
            for query in archetype.permuted(line.known_facts):
                try:
                    elsewhere = (
                        self._answer(query, line.known_facts).effect != found.effect
                    )
                except Unidentifiable:
                    elsewhere = True
                _claim("dependent", elsewhere, "Another order ends in the same state.")
            return
        try:
            orders = composition.orders(self._observer, found, self._answer)
        except InvalidTask as error:
            raise _Refuted("orders", str(error)) from error
        _claim("orders", line.orders == orders, f"They are {orders}.")
        dependent = orders.same < orders.tried
        _claim("dependent", line.dependent == dependent, f"It is {dependent}.")

    def _check_policy(self, line: FileTask) -> None:
        breach = next(
            gold_trace.breaches(
                self.environment,
                text=line.text,
                facts=line.known_facts,
                reads=[_call(read) for read in line.certificate],
                gold=[_call(call) for call in line.gold],
                declined=line.declined,
                transferred=line.transferred,
            ),
            "",
        )
        _claim("policy", not breach, f"The gold breaks {breach}")

    # the evidence

    def _check_evidence(self, line: FileTask, query: Query, found: Answer) -> None:
        certificate = [_call(read) for read in line.certificate]
        keys = [call.key for call in certificate]
        _claim("certificate", len(set(keys)) == len(keys), "A read is in it twice.")
        extra = set(keys) - found.reads.keys()
        _claim(
            "certificate", not extra, f"The request does not speak of {sorted(extra)}."
        )
        case = Case(
            self._observer, query, line.known_facts, found, random.Random(line.seed)
        )
        _claim(
            "certificate",
            case.is_derivable(certificate),
            "A read's arguments are not known when it is made.",
        )
        _claim(
            "certificate",
            case.solves(set(keys)),
            "The tools do not lead to the gold with these reads alone.",
        )
        for read, call in zip(line.certificate, certificate, strict=True):
            role = found.roles[call.key].value
            _claim("role", read.role == role, f"{call.key} is for {role}.")
            if read.witness is not None:
                self._check_witness(case, read, certificate)
            else:
                idle = case.solves(set(keys) - {call.key})
                _claim("certificate", not idle, f"{call.key} is not needed.")
        self._check_burden(line, case, certificate)
        self._check_companions(line, case, found, certificate)

    def _check_witness(
        self, case: Case, read: FileRead, certificate: Sequence[ToolCall]
    ) -> None:
        claimed = read.witness
        assert claimed is not None
        call = _call(read)
        problem = self._inadmissible(claimed.patch)
        _claim(
            "witness",
            not problem,
            f"The patch for {call.key} is not admissible: {problem}",
        )
        witness = Witness(
            patch=tuple(claimed.patch),
            gold=tuple(map(_call, claimed.gold)),
            told=tuple(
                ToldFact(what=one.what, value=one.value) for one in claimed.told
            ),
            declined=claimed.declined,
            transferred=claimed.transferred,
            shown_by=tuple(claimed.shown_by),
            note="",
        )
        doubt = case.doubts(call, witness, certificate)
        _claim("witness", not doubt, f"{call.key} is not proved: {doubt}.")

    def _inadmissible(self, patch: Sequence[Mapping[str, Any]]) -> str:
        state = Session(self.environment.state)
        try:
            state.apply_patch(patch)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            return f"it cannot be applied ({error})"
        for (collection, key), record in state.changes().items():
            shape = self.environment.domain.shapes.get(collection)
            problem = shape(key, record) if shape and record is not None else ""
            if problem:
                return f"{collection} {key}: {problem}"
        return ""

    def _check_burden(
        self, line: FileTask, case: Case, certificate: Sequence[ToolCall]
    ) -> None:
        counted = [read for read in line.certificate if read.witness is not None]
        burden = line.burden
        true = {
            role: sum(read.role == role for read in counted)
            for role in ("identity", "discovery", "candidates", "rules")
        }
        for role, number in true.items():
            said = getattr(burden, role)
            _claim("burden", said == number, f"{role} is {number}, not {said}.")
        _claim("burden", burden.total == len(counted), f"The total is {len(counted)}.")
        _claim("burden", burden.proved == len(counted), f"{len(counted)} are proved.")
        stands_for = {
            same.key: "itself"
            for call in certificate
            for same in (call, *case.equivalents(call))
        }
        for read in counted:
            assert read.witness is not None
            for key in read.witness.shown_by:
                _claim(
                    "burden",
                    key not in stands_for,
                    f"{key} shows the patches of two reads, so that fewer would do.",
                )
                stands_for[key] = _call(read).key

    def _check_companions(
        self,
        line: FileTask,
        case: Case,
        found: Answer,
        certificate: Sequence[ToolCall],
    ) -> None:
        lift = line.burden.total - floor_of(
            self._observer, found, line.known_facts, floor_chance(line.query)
        )
        _claim("lift", line.lift == lift, f"It is {lift}.")
        true = companions_of(
            found,
            expected_reads=case.expected_reads({call.key for call in certificate}),
            evidence_tokens=self._observer.tokens(certificate),
            lift=lift,
        )
        for name, said in line.companions.model_dump().items():
            value = getattr(true, name)
            _claim("companions", said == value, f"{name} is {value}, not {said}.")
        some = any(
            self._archetypes[slug].existential for slug in line.archetype.split("+")
        )
        existential = some and len(found.reads) > len(certificate)
        _claim("existential", line.existential == existential, f"It is {existential}.")
        person = person_of(self.environment, found.reads.values())
        _claim("person", line.person == person, f"It is {person or 'nobody known'}.")


def _claim(name: str, holds: bool, text: str) -> None:
    if not holds:
        raise _Refuted(name, text)


def _call(made: FileCall | FileRead) -> ToolCall:
    return ToolCall(name=made.name, arguments=made.arguments)


def repeated(lines: Iterable[tuple[int, FileTask]]) -> Iterator[tuple[int, str]]:
    """(number of the line, what is wrong) of lines whose id was there before."""
    ids: dict[str, int] = {}
    for number, line in lines:
        first = ids.setdefault(line.id, number)
        if first != number:
            yield number, f"It stands in line {first} already."

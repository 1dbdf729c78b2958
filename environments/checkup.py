"""A check-up for authors: what is missing or inconsistent in a world, one finding per check.

Calls are drawn at random and plausible: arguments are values of the same name in neighbouring records. What takes the engine, the
proof of a task, is handed in, so that worlds go on knowing nothing of the product.
"""

import os
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

from environments.core.domain import Archetype, Proposal, Role, TaskClass
from environments.core.environment import Environment
from environments.core.errors import Unidentifiable
from environments.core.grammar import apart_from_sisters, say, understand
from environments.core.state import Record, Session
from environments.core.tools import ToolCall, ToolKind

CALLS = 60
"""Random calls per tool."""
LEGAL = 5
"""Calls that a write should take; for those still missing, up to `MORE` further ones are drawn."""
MORE = 600
WORDINGS = 12
DRAWS = 400

type Prove = Callable[[str, int], Collection[str]]
"""(slug, seed) → tools whose reads the task rests on without a proof; raises if no task could be proved."""


@dataclass(frozen=True)
class Finding:
    """What one check came to. A warning does not fail the world."""

    name: str
    level: Literal["ok", "warning", "wrong"]
    text: str
    hint: str = ""

    def __str__(self) -> str:
        mark = {"ok": "✓", "warning": "!", "wrong": "✗"}[self.level]
        return f"{mark} {self.name}: {self.text}" + (
            f" → {self.hint}" if self.hint else ""
        )


def check_world(
    environment: Environment, *, tests: str, prove: Prove, tries: int = 3
) -> Iterator[Finding]:
    """Every check in turn. `tests` is the text of the world's tests, `tries` how many tasks are proved per archetype."""
    calls = _Calls(environment)
    yield check_schemas(environment)
    yield check_kinds(environment, calls)
    yield check_determinism(environment, calls)
    yield check_clauses(environment, tests)
    if not environment.domain.archetypes:
        yield Finding(
            "archetypes",
            "warning",
            "nothing can be asked in this world yet",
            "declare archetypes in its Domain",
        )
        return
    yield check_people(environment)
    yield check_shapes(environment)
    yield check_transfer(environment)
    yield check_oracle(environment, calls)
    yield check_relations(environment)
    yield check_writes(environment)
    yield check_facts(environment)
    yield check_words(environment)
    yield from check_proofs(environment, prove, tries)


def check_name(environment: Environment, name: str) -> Finding:
    """The environment goes by the name under which it is registered."""
    wrong = [f"{name} builds an environment called {environment.name!r}"]
    return _finding(
        "name",
        wrong if environment.name != name else [],
        "the same as in the registry",
        f"give Environment the name {name!r} in build",
    )


def check_people(environment: Environment) -> Finding:
    """Somebody is there to ask."""
    collection = environment.domain.people
    empty = bool(environment.domain.archetypes) and not environment.people
    return _finding(
        "people",
        [
            f"the collection {collection!r} has no records"
            if collection
            else "the Domain names no collection of those who ask"
        ]
        if empty
        else [],
        f"{len(environment.people)} people can ask",
        'name the collection of those who ask in the Domain: people="customers"',
    )


def check_shapes(environment: Environment) -> Finding:
    """Every collection says what its records look like."""
    lacking = environment.state.collections.keys() - environment.domain.shapes.keys()
    if lacking:
        return Finding(
            "shapes",
            "warning",
            f"no shape for {', '.join(sorted(lacking))}: a witness that spoils such a record is taken for good",
            'give the Domain shapes={"…": shape(Model, "key_field")}',
        )
    return Finding("shapes", "ok", "every collection has one")


def check_transfer(environment: Environment) -> Finding:
    """A world that leaves requests to a person has a tool for it."""
    name = environment.domain.words.transfer_tool
    needed = any(
        kind.task_class is TaskClass.TRANSFER for kind in environment.domain.archetypes
    )
    tool = environment.tools.get(name)
    wrong = []
    if needed and tool is None:
        wrong = [f"there is no tool {name}"]
    elif needed and tool is not None:
        parameters = tool.schema["function"]["parameters"].get("properties", {})
        if tool.kind is not ToolKind.GENERIC or "summary" not in parameters:
            wrong = [f"{name} is not a generic tool that takes a summary"]
    return _finding(
        "transfer",
        wrong,
        f"{name} hands over" if needed else "nothing is left to a person",
        'name the tool that hands over in the Words: transfer_tool="…"',
    )


def check_generator(name: str) -> Finding:
    """The world's generator gives the same in two processes that hash strings differently."""
    program = f"from environments.registry import world; print(world({name!r}).generated(seed=1, users=10).content_hash)"
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    return _finding(
        "generator",
        ["two processes made two different worlds from one seed"]
        if len(printed) > 1
        else [],
        "one seed, one world, in every process",
        "draw from random.Random(seed) alone, and never iterate over a set",
    )


# --- tools -------------------------------------------------------------------------------------------------------------------


def check_schemas(environment: Environment) -> Finding:
    wrong = []
    for tool in environment.tools.values():
        function = tool.schema["function"]
        if not function["description"].strip():
            wrong.append(f"{tool.name} has no description")
        for name, spec in function["parameters"].get("properties", {}).items():
            if not (spec.get("description") or "").strip():
                wrong.append(f"{tool.name}: parameter {name} is not described")
    good = f"{len(environment.tools)} tools, every parameter described"
    return _finding("schemas", wrong, good, "describe it under Args: in the docstring")


def check_kinds(environment: Environment, calls: "_Calls") -> Finding:
    """Reads change nothing; a write that is never refused changes something at least once."""
    wrong: list[str] = []
    unknown: list[str] = []
    for tool in environment.tools.values():
        changed = made = 0
        for call in calls.of(tool.name):
            session = environment.session()
            made += not session.call(call).error
            changed += bool(session.state.changes())
        if tool.kind is not ToolKind.WRITE and changed:
            wrong.append(f"{tool.name} is a {tool.kind} and changed the state")
        if tool.kind is ToolKind.WRITE and not changed:
            (wrong if made else unknown).append(
                f"{tool.name} is a write and never changed anything"
                if made
                else tool.name
            )
    hint = "correct the ToolKind, or what the tool does"
    if unknown and not wrong:
        text = f"no random call of {', '.join(unknown)} was legal, so nothing can be said of it"
        return Finding("kinds", "warning", text, "cover it in a test of your own")
    return _finding("kinds", wrong, "reads only read, writes write", hint)


def check_determinism(environment: Environment, calls: "_Calls") -> Finding:
    """The same calls give the same results and the same state."""
    made = [call for name in environment.tools for call in calls.of(name)[:10]]
    first, second = environment.session(), environment.session()
    wrong = []
    for call in made:
        results = first.call(call), second.call(call)
        if results[0] != results[1]:
            wrong.append(f"{call.name} answered the same call in two ways")
        elif first.state.effect() != second.state.effect():
            wrong.append(f"{call.name} changed the state in two ways")
            break
    return _finding(
        "determinism",
        list(dict.fromkeys(wrong)),
        f"{len(made)} calls made twice, with the same results and states",
        "no clock, no global random, no iteration over sets in tools",
    )


# --- policy ------------------------------------------------------------------------------------------------------------------


def check_clauses(environment: Environment, tests: str) -> Finding:
    """Every clause is judged by a PolicyCheck, named by a test, decided by a request, or left to a reader, with the reason."""
    domain = environment.domain
    told = set(re.findall(r"(?<![\d.])\d+[._]\d+(?![\d.])", tests))
    ways = {
        "judged by a program": {check.clause for check in domain.policy_checks},
        "named by tests": {number.replace("_", ".") for number in told},
        "decided by requests": set(_decided(environment)),
        "left to a reader": set(domain.reader_judged),
    }
    known = environment.clauses.keys()
    cited = set().union(*(ways[way] for way in ways if way != "named by tests"))
    stray = sorted(cited - known)
    if stray:
        text = f"no clause {', '.join(stray)} in the policy, though it is cited"
        return Finding("clauses", "wrong", text, "cite a number that the policy has")
    idle = sorted(ways["left to a reader"] & ways["judged by a program"])
    if idle:
        text = f"a reader is to judge {', '.join(idle)}, which a program judges"
        return Finding("clauses", "wrong", text, "take it out of reader_judged")
    left = [n for n in known if not any(n in numbers for numbers in ways.values())]
    if left:
        text = f"nothing tests {', '.join(left)}"
        hint = "judge it by a PolicyCheck, name it in a test, or say in reader_judged why neither is possible"
        return Finding("clauses", "warning", text, hint)
    return Finding("clauses", "ok", f"{len(known)} clauses, {_shares(known, ways)}")


def _decided(environment: Environment) -> Iterator[str]:
    """Clauses by which requests are declined or handed over to a person."""
    for archetype in environment.domain.archetypes:
        for proposal in _proposals(environment, archetype, 1):
            text = str(archetype.query(proposal.facts))
            yield from re.findall(r"(?:decline|transfer) policy (\S+)", text)


def _shares(known: Iterable[str], ways: Mapping[str, set[str]]) -> str:
    """ "10 judged by a program, 12 named by tests": each clause is counted for the first way that there is."""
    first = Counter(
        next(way for way, numbers in ways.items() if number in numbers)
        for number in known
    )
    named = ", ".join(sorted(ways["left to a reader"]))
    shares = [f"{first[way]} {way}" for way in ways if first[way]]
    return ", ".join(shares) + (f" ({named})" if named else "")


# --- requests ----------------------------------------------------------------------------------------------------------------


def check_oracle(environment: Environment, calls: "_Calls") -> Finding:
    """Oracle and tools accept the same writes, and leave the same state."""
    wrong: dict[str, str] = {}
    """What is wrong → what the tool said, the first time."""
    compared = 0
    for tool in environment.tools.values():
        if tool.kind is not ToolKind.WRITE:
            continue
        for call in calls.of(tool.name):
            session = environment.session()
            source = environment.domain.from_state(session.state)
            result = session.call(call)
            refused = result.error
            compared += not refused
            try:
                source.apply(call)
            except Unidentifiable:
                if not refused:
                    wrong[f"{call.name}: the tool takes what the oracle refuses"] = ""
                continue
            except Exception as error:
                if not refused:
                    kind = type(error).__name__
                    wrong[f"{call.name}: the oracle fails with {kind}"] = ""
                continue
            if refused:
                text = f"{call.name}: the oracle takes what the tool refuses"
                wrong.setdefault(text, result.content)
            elif source.effect() != session.state.effect():
                wrong[f"{call.name}: oracle and tool leave different states"] = ""
    return _finding(
        "oracle",
        [f"{text} ({said})" if said else text for text, said in wrong.items()],
        f"agrees with the tools on {compared} random writes",
        "read the policy again: one of the two accounts is wrong",
    )


def check_relations(environment: Environment) -> Finding:
    """Every relation that a query speaks of has a role."""
    known = environment.domain.relations
    used: dict[str, str] = {}
    for archetype in environment.domain.archetypes:
        for proposal in _proposals(environment, archetype, 1):
            query = archetype.query(proposal.facts).model_dump()
            for name in _relations(query):
                used.setdefault(name, archetype.slug)
    wrong = [
        f"{name} (in {slug}) has no role"
        for name, slug in used.items()
        if not isinstance(known.get(name), Role)
    ]
    good = f"{len(known)} relations, each with a role"
    return _finding("relations", wrong, good, "give it one in RELATIONS")


def check_writes(environment: Environment) -> Finding:
    """Every write of a query calls a tool that writes, with its arguments: also in branches that a draw seldom takes."""
    wrong: dict[str, None] = {}
    for archetype in environment.domain.archetypes:
        for proposal in _proposals(environment, archetype, 1):
            query = archetype.query(proposal.facts).model_dump()
            for write in _nodes(query, "write"):
                problem = _misfit(environment, write["tool"], set(write["arguments"]))
                if problem:
                    wrong[f"{archetype.slug}: {problem}"] = None
    return _finding(
        "writes",
        list(wrong),
        "every write of a query calls a tool that writes",
        "correct tool and arguments of the Write",
    )


def _misfit(environment: Environment, name: str, given: set[str]) -> str:
    tool = environment.tools.get(name)
    if tool is None:
        return f"there is no tool {name}"
    if tool.kind is not ToolKind.WRITE:
        return f"{name} is a {tool.kind} and writes nothing"
    parameters = tool.schema["function"]["parameters"]
    unknown = given - set(parameters.get("properties", {}))
    missing = set(parameters.get("required", ())) - given
    if unknown:
        return f"{name} has no {', '.join(sorted(unknown))}"
    return f"{name} lacks {', '.join(sorted(missing))}" if missing else ""


def check_facts(environment: Environment) -> Finding:
    """Every fact that a query uses is told by a clause that is said, or says who the user is."""
    wrong: dict[str, None] = {}
    identities = environment.domain.words.identity
    for archetype in environment.domain.archetypes:
        for proposal in _proposals(environment, archetype, 4):
            facts = proposal.facts.keys()
            told = {name for group in identities if facts >= {*group} for name in group}
            for clause in archetype.clauses:
                if clause.name in proposal.clauses:
                    told |= set.intersection(
                        *(set(re.findall(r"\{(\w+)\}", p)) for p in clause.patterns)
                    )
            query = archetype.query(proposal.facts).model_dump()
            for node in _nodes(query, "fact"):
                if node["name"] not in told:
                    wrong[f"{archetype.slug} never says {node['name']}"] = None
    return _finding(
        "facts",
        list(wrong),
        "every fact that a query uses is said",
        "put it as {slot} into every pattern of a clause and name the clause in the Proposal; without one, the user says only "
        + ", or ".join(" and ".join(group) for group in identities),
    )


def check_words(environment: Environment) -> Finding:
    """What is said of a draw leads back to it, and to nothing else."""
    wrong = []
    for archetype in environment.domain.archetypes:
        problem = _words_problem(environment, archetype)
        if problem:
            wrong.append(f"{archetype.slug}: {problem}")
    return _finding(
        "words",
        wrong,
        "every archetype's words lead back to its query",
        "end slots with their sentence, give values in LEXICON, keep clauses of archetypes apart",
    )


def _words_problem(environment: Environment, archetype: Archetype) -> str:
    domain, rng = environment.domain, random.Random(1)
    back = spoken = 0
    for proposal in _proposals(environment, archetype, 4):
        for _ in range(WORDINGS):
            clauses = [c for c in archetype.clauses if c.name in proposal.clauses]
            missing = set(proposal.clauses) - {clause.name for clause in clauses}
            if missing:
                return f"there is no clause {', '.join(sorted(missing))}"
            try:
                said = [say(c, proposal.facts, domain.lexicon, rng) for c in clauses]
            except KeyError as error:
                return f"a clause speaks of {error}, which is no fact or has no words"
            text = " ".join(part.text for part in said)
            told = {name for part in said for name in part.tells}
            who = {k: v for k, v in proposal.facts.items() if k not in told}
            found = apart_from_sisters(
                understand(text, domain.archetypes, domain.lexicon),
                archetype,
                archetype.query(proposal.facts),
                who,
                domain.archetypes,
            )
            spoken += 1
            back += (
                len(found) == 1
                and found[0].archetype == archetype.slug
                and all(proposal.facts.get(k) == v for k, v in found[0].facts.items())
            )
    if spoken and back < spoken / 2:
        return f"{spoken - back} of {spoken} wordings do not lead back"
    return ""


def check_proofs(
    environment: Environment, prove: Prove, tries: int
) -> Iterator[Finding]:
    for archetype in environment.domain.archetypes:
        name = f"proof {archetype.slug}"
        try:
            bare = [found for n in range(tries) if (found := prove(archetype.slug, n))]
        except Exception as error:
            hint = "docs/environments.md says what each reason means"
            yield Finding(name, "wrong", f"{type(error).__name__}: {error}", hint)
            continue
        text = f"{tries} tasks proved"
        if bare:
            tools = ", ".join(sorted({tool for found in bare for tool in found}))
            text += f", {len(bare)} of them not exact: not every {tools} is proved to be needed"
            hint = "offer other results of it in mutations; leave out of the query what decides nothing"
            yield Finding(name, "warning", text, hint)
        else:
            yield Finding(name, "ok", text)


# --- draws -------------------------------------------------------------------------------------------------------------------


def _proposals(
    environment: Environment, archetype: Archetype, count: int
) -> Iterator[Proposal]:
    rng = random.Random(archetype.slug)
    people = environment.people
    for _ in range(DRAWS if people else 0):
        proposal = archetype.propose(Session(environment.state), rng, people)
        if proposal is not None:
            yield proposal
            count -= 1
            if not count:
                return


def _relations(query: Any) -> Iterator[str]:
    if isinstance(query, dict):
        if isinstance(query.get("relation"), str):
            yield query["relation"]
        for part in query.values():
            yield from _relations(part)
    elif isinstance(query, list | tuple):
        for part in query:
            yield from _relations(part)


def _nodes(query: Any, kind: str) -> Iterator[dict[str, Any]]:
    """Every step, expression or condition of that kind."""
    if isinstance(query, dict):
        if query.get("kind") == kind:
            yield query
        for part in query.values():
            yield from _nodes(part, kind)
    elif isinstance(query, list | tuple):
        for part in query:
            yield from _nodes(part, kind)


def _finding(name: str, wrong: list[str], good: str, hint: str) -> Finding:
    if not wrong:
        return Finding(name, "ok", good)
    return Finding(name, "wrong", "; ".join(wrong[:5]), hint)


# --- plausible calls ---------------------------------------------------------------------------------------------------------


@dataclass
class _Calls:
    """Random calls with arguments that hang together: all from one record and those that it names."""

    environment: Environment
    _made: dict[str, list[ToolCall]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.environment.name)
        self._keys = {
            key: (collection, key)
            for collection, records in self.environment.state.collections.items()
            for key in records
        }
        self._everything = self._values(self._sample())

    def of(self, tool: str) -> list[ToolCall]:
        if tool not in self._made:
            made = [self._draw(tool) for _ in range(CALLS)]
            if self.environment.tools[tool].kind is ToolKind.WRITE:
                missing = LEGAL - sum(map(self._is_legal, made))
                more = (self._draw(tool) for _ in range(MORE))
                made += islice(filter(self._is_legal, more), max(0, missing))
            self._made[tool] = made
        return self._made[tool]

    def _is_legal(self, call: ToolCall) -> bool:
        return not self.environment.session().call(call).error

    def _draw(self, tool: str) -> ToolCall:
        parameters = self.environment.tools[tool].schema["function"]["parameters"]
        near = self._values(self._neighbours())
        arguments = {
            name: self._argument(name, spec, near, parameters.get("$defs", {}))
            for name, spec in parameters.get("properties", {}).items()
        }
        return ToolCall(name=tool, arguments=arguments)

    def _argument(
        self,
        name: str,
        spec: Mapping[str, Any],
        near: Mapping[str, list[Any]],
        shapes: Mapping[str, Any],
    ) -> Any:
        if "$ref" in spec:
            spec = shapes[spec["$ref"].rpartition("/")[2]]
        for key in ("anyOf", "oneOf"):
            if key in spec:
                return self._argument(name, spec[key][0], near, shapes)
        if "enum" in spec:
            return self._rng.choice(spec["enum"])
        match spec.get("type"):
            case "array":
                inner = spec.get("items", {})
                drawn = [self._argument(_singular(name), inner, near, shapes)]
                return drawn
            case "object":
                return {
                    key: self._argument(key, inner, near, shapes)
                    for key, inner in spec.get("properties", {}).items()
                }
            case "integer":
                return self._rng.randint(0, 8)
            case "number":
                return float(self._rng.randint(0, 500))
            case "boolean":
                return self._rng.random() < 0.5
        return self._text(name, spec, near)

    def _text(
        self, name: str, spec: Mapping[str, Any], near: Mapping[str, list[Any]]
    ) -> str:
        """A value that the description puts in quotes, or one of that name nearby, or anywhere."""
        bare = name.removeprefix("new_")
        quoted = re.findall(
            r"either '([^']+)' or '([^']+)'", spec.get("description", "")
        )
        if quoted:
            return str(self._rng.choice(quoted[0]))
        pools = [near.get(name), near.get(bare), self._everything.get(bare)]
        # Mostly what hangs together, and now and then anything of that name.
        if self._rng.random() < 0.2 or name != bare:
            pools = [self._everything.get(bare), *pools]
        pool = next((pool for pool in pools if pool), ["x"])
        return str(self._rng.choice(pool))

    def _neighbours(self) -> list[Record]:
        """A record, and those whose keys stand in it, two steps far."""
        collection, key = self._keys[self._rng.choice(list(self._keys))]
        found = {key: self.environment.state.collections[collection][key]}
        for _ in range(2):
            for record in list(found.values()):
                for text in _texts(record):
                    if text in self._keys and text not in found and len(found) < 40:
                        place, _ = self._keys[text]
                        found[text] = self.environment.state.collections[place][text]
        return list(found.values())

    def _sample(self) -> list[Record]:
        records = self.environment.state.collections.values()
        return [
            record
            for collection in records
            for record in list(collection.values())[:200]
        ]

    def _values(self, records: Iterable[Record]) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for record in records:
            for name, value in _fields(record):
                found.setdefault(name, []).append(value)
        return found


def _singular(name: str) -> str:
    return name[:-1] if name.endswith("s") else name


def _fields(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _fields(inner, key)
            if isinstance(inner, dict) and name.endswith("s"):
                yield f"{_singular(name)}_id", key
    elif isinstance(value, list):
        for inner in value:
            yield from _fields(inner, _singular(name))
    elif isinstance(value, str):
        yield name, value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


def summary(findings: Iterable[Finding]) -> str:
    """ "9 checks: 8 ok, 1 warning"."""
    counts = Counter(finding.level for finding in findings)
    told = ", ".join(f"{count} {level}" for level, count in sorted(counts.items()))
    return f"{sum(counts.values())} checks: {told}"

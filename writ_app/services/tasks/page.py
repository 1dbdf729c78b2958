"""Everything a page shows of one designed task, as one value: words, query, proof, answer, and where it came from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from environments.core.environment import Environment
from environments.core.pointers import at, leaves
from environments.core.tools import ToolCall
from writ_app.engine.types import (
    ArgumentOrigin,
    CertificateRead,
    GoldWrite,
    Task,
    WriteOrders,
)
from writ_app.models.accounts import User
from writ_app.models.catalog import Task as TaskRow
from writ_app.models.synthesis import Batch, Simulation
from writ_app.services.catalog import load_environment
from writ_app.services.review.evidence import (
    CandidateView,
    Mark,
    make_candidates,
)
from writ_app.services.review.leaves import argument_name, is_plain, plain_text
from writ_app.services.review.page import indented
from writ_app.services.review.steps import brief_arguments, in_order, parse_result

QUERY_SHOWN = 16
"""Lines of the query before the rest is folded."""
READS_SHOWN = 12
"""Reads before the rest is folded."""
ATTEMPTS_SHOWN = 40
LINKS_SHOWN = 12
"""Fields that one argument is made from: a sum over many orders has many."""
ROLE_WORDS = {
    "identity": "who it is about",
    "discovery": "finding what is meant",
    "candidates": "what there is to choose from",
    "rules": "whether it is allowed",
}


@dataclass(frozen=True)
class FactLine:
    name: str
    value: str
    said: bool
    """In the words of the request; else it is how the user says who they are."""


@dataclass(frozen=True)
class ClauseLine:
    name: str
    text: str
    tells: tuple[FactLine, ...]


@dataclass(frozen=True)
class NamedRead:
    """A read in few words. `number` is its place in the certificate, 0 if it is outside."""

    number: int
    name: str
    subject: str


@dataclass(frozen=True)
class ReadCard:
    """One read of the certificate."""

    number: int
    name: str
    subject: str
    role: str
    result: Any
    """What the tool answers: parsed if it is JSON, text otherwise."""
    marks: Mapping[str, Mark]
    """JSON pointer into the result → its mark: the fields that the answer rests on."""
    buried: int
    """Fields that the answer rests on and that are no plain value to mark."""
    needed_because: str
    proved: bool
    equivalents: tuple[NamedRead, ...]
    shown_by: tuple[NamedRead, ...]
    """Reads that would show the witness, too: one of them could stand in."""
    writes: tuple[int, ...]
    """Numbers of the gold writes that it must come before."""

    @property
    def id(self) -> str:
        return f"e{self.number}"


@dataclass(frozen=True)
class ArgumentCard:
    name: str
    value: str
    kind: str
    """Class of the chip: exact, said, derived or policy."""
    words: str
    detail: str
    links: tuple[tuple[str, str], ...]
    """(id of an element of the page, words for it)."""
    more: int
    """Fields that it is made from besides those in `links`."""


@dataclass(frozen=True)
class GoldCard:
    number: int
    name: str
    arguments: tuple[ArgumentCard, ...]
    needs: tuple[int, ...]
    """Numbers of the reads that must come before it."""


@dataclass(frozen=True)
class ToldLine:
    what: str
    value: str
    needs: tuple[int, ...]


@dataclass(frozen=True)
class Part:
    number: int
    slug: str
    title: str


@dataclass(frozen=True)
class Deciding:
    """The policy clause that refuses or hands over."""

    number: str
    text: str
    kind: str
    """refused or handed over."""


@dataclass(frozen=True)
class OrdersView:
    tried: int
    same: int
    elsewhere: tuple[tuple[Part, ...], ...]
    illegal: tuple[tuple[Part, ...], ...]


@dataclass(frozen=True)
class TaskPage:
    row: TaskRow
    task: Task
    clauses: tuple[ClauseLine, ...]
    facts: tuple[FactLine, ...]
    query_lines: tuple[tuple[int, str], ...]
    """(depth, text)."""
    query_more: tuple[tuple[int, str], ...]
    """Lines after those that are shown at once."""
    query_hash: str
    deciding: Deciding | None
    told: tuple[ToldLine, ...]
    candidates: tuple[CandidateView, ...]
    reads: tuple[ReadCard, ...]
    burden: tuple[tuple[str, str, int], ...]
    """(role, what it is for, reads of it that count)."""
    gold: tuple[GoldCard, ...]
    parts: tuple[Part, ...]
    orders: OrdersView | None
    batches: tuple[Batch, ...]
    attempts: tuple[Simulation, ...]
    """Simulations of it that the user may see, newest first, with their trajectories."""
    attempts_total: int

    @property
    def first_reads(self) -> tuple[ReadCard, ...]:
        return self.reads[:READS_SHOWN]

    @property
    def more_reads(self) -> tuple[ReadCard, ...]:
        return self.reads[READS_SHOWN:]

    @property
    def unproved(self) -> int:
        return sum(not read.proved for read in self.reads)


def build_task_page(*, row: TaskRow, user: User) -> TaskPage:
    """Three queries beside the row: batches, simulations with trajectories, their number. Raises ChangedEnvironment."""
    environment = load_environment(row.environment)
    task = Task.model_validate(row.content)
    mine = Simulation.objects.filter(task=row, batch__team__in=user.team_ids)
    attempts = (
        mine.select_related("trajectory", "batch")
        .defer("trajectory__content", "trajectory__verification")
        .order_by("-pk")[:ATTEMPTS_SHOWN]
    )
    batches = Batch.objects.visible_to(user).filter(
        pk__in=mine.values("batch").distinct()
    )
    reads = tuple(_reads(environment, task))
    query = tuple(indented(str(task.query)))
    facts = tuple(_facts(task))
    parts = tuple(_parts(environment, task))
    return TaskPage(
        row=row,
        task=task,
        clauses=tuple(_clauses(task, facts)),
        facts=facts,
        query_lines=query[:QUERY_SHOWN],
        query_more=query[QUERY_SHOWN:],
        query_hash=task.query.content_hash,
        deciding=_deciding(environment, task),
        told=tuple(
            ToldLine(one.what, plain_text(one.value), _from_one(one.needs))
            for one in task.told
        ),
        candidates=make_candidates(task, reads),
        reads=reads,
        burden=tuple(
            (role, words, getattr(task.burden, role))
            for role, words in ROLE_WORDS.items()
        ),
        gold=tuple(_gold(environment, task, reads)),
        parts=parts,
        orders=_orders(task.orders, parts),
        batches=tuple(batches),
        attempts=tuple(attempts),
        attempts_total=mine.count(),
    )


def _from_one(places: Sequence[int]) -> tuple[int, ...]:
    return tuple(place + 1 for place in places)


def _facts(task: Task) -> Iterator[FactLine]:
    said = {name for clause in task.clauses for name in clause.tells}
    for name, value in task.facts.items():
        yield FactLine(name, plain_text(value), name in said)


def _clauses(task: Task, facts: Sequence[FactLine]) -> Iterator[ClauseLine]:
    by_name = {fact.name: fact for fact in facts}
    for clause in task.clauses:
        names = dict.fromkeys(clause.tells)
        tells = tuple(by_name[name] for name in names if name in by_name)
        yield ClauseLine(clause.name, clause.text, tells)


def _deciding(environment: Environment, task: Task) -> Deciding | None:
    number = task.declined or task.transferred
    if not number:
        return None
    kind = "refused" if task.declined else "handed over"
    return Deciding(number, environment.clauses.get(number, ""), kind)


# --- reads ---------------------------------------------------------------------------------------------------------------------


def _reads(environment: Environment, task: Task) -> Iterator[ReadCard]:
    """Results are read anew, which is quick; they are those of the proof, since the environment has not changed."""
    session = environment.session()
    numbers = {read.call.key: n for n, read in enumerate(task.certificate, 1)}
    spoken_of = {call.key: call for call in task.spoken_of}

    def named(call: ToolCall) -> NamedRead:
        words = brief_arguments(environment, call)
        return NamedRead(numbers.get(call.key, 0), call.name, words)

    for number, read in enumerate(task.certificate, 1):
        result = parse_result(session.call(read.call).content)
        marks = _marks(read, number, result)
        keys = read.witness.shown_by if read.witness else ()
        yield ReadCard(
            number=number,
            name=read.call.name,
            subject=brief_arguments(environment, read.call),
            role=read.role,
            result=result,
            marks=marks,
            buried=len(read.decisive) - len(marks),
            needed_because=read.witness.note if read.witness else "",
            proved=read.witness is not None,
            equivalents=tuple(map(named, read.equivalents)),
            shown_by=tuple(
                named(spoken_of[key]) if key in spoken_of else _by_key(key, numbers)
                for key in keys
            ),
            writes=tuple(
                n for n, write in enumerate(task.gold, 1) if number - 1 in write.needs
            ),
        )


def _by_key(key: str, numbers: Mapping[str, int]) -> NamedRead:
    name, _, arguments = key.partition("(")
    return NamedRead(numbers.get(key, 0), name, arguments.removesuffix(")"))


def _marks(read: CertificateRead, number: int, result: Any) -> dict[str, Mark]:
    """Decisive fields that are plain values. An answer in words, such as an id, is one field."""
    if isinstance(result, str):
        return {"": Mark(f"e{number}-d0", title="decides")} if read.decisive else {}
    return {
        place: Mark(f"e{number}-d{n}", title="decides")
        for n, place in enumerate(read.decisive)
        if is_plain(at(result, place))
    }


# --- the answer ----------------------------------------------------------------------------------------------------------------

ORIGIN_WORDS = {
    "fact": ("said", "said"),
    "const": ("policy", "fixed"),
    "read": ("exact", "read"),
    "derived": ("derived", "derived"),
}


def _gold(
    environment: Environment, task: Task, reads: Sequence[ReadCard]
) -> Iterator[GoldCard]:
    cards = {
        read.call.key: card for read, card in zip(task.certificate, reads, strict=True)
    }
    for number, write in enumerate(task.gold, 1):
        yield GoldCard(
            number=number,
            name=write.call.name,
            arguments=tuple(_arguments(environment, write, cards)),
            needs=_from_one(write.needs),
        )


def _arguments(
    environment: Environment, write: GoldWrite, cards: Mapping[str, ReadCard]
) -> Iterator[ArgumentCard]:
    origins = {origin.pointer: origin for origin in write.origins}
    ordered = in_order(environment, write.call.name, write.call.arguments)
    for place, value in leaves(ordered):
        origin = origins.get(place)
        kind, words = ORIGIN_WORDS[origin.kind] if origin else ("", "not recorded")
        links = list(_links(origin, cards)) if origin else []
        detail = origin.detail if origin and origin.detail != plain_text(value) else ""
        yield ArgumentCard(
            name=argument_name(place),
            value=plain_text(value),
            kind=kind,
            words=words,
            detail=detail,
            links=tuple(links[:LINKS_SHOWN]),
            more=max(0, len(links) - LINKS_SHOWN),
        )


def _links(
    origin: ArgumentOrigin, cards: Mapping[str, ReadCard]
) -> Iterator[tuple[str, str]]:
    """Each field it is made from: a link to its mark, or to the read if the field has none."""
    for key, place in dict.fromkeys(origin.refs):
        card = cards.get(key)
        if card is None:
            continue
        mark = card.marks.get("" if isinstance(card.result, str) else place)
        where = argument_name(place)
        yield mark.id if mark else card.id, f"read {card.number} {where}".rstrip()


def _parts(environment: Environment, task: Task) -> Iterator[Part]:
    titles = {one.slug: one.title for one in environment.domain.archetypes}
    for number, slug in enumerate(task.parts, 1):
        yield Part(number, slug, titles.get(slug, slug))


def _orders(orders: WriteOrders | None, parts: Sequence[Part]) -> OrdersView | None:
    if orders is None:
        return None

    def titled(order: Sequence[int]) -> tuple[Part, ...]:
        return tuple(parts[number] for number in order if number < len(parts))

    return OrdersView(
        orders.tried,
        orders.same,
        tuple(map(titled, orders.elsewhere)),
        tuple(map(titled, orders.illegal)),
    )

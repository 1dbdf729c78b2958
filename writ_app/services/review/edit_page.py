"""What the edit page shows: the conversation with its fields, what is wrong where, and what follows from each change."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from environments.core.pointers import MISSING, at, leaves, pointer
from writ_app.engine.editing import (
    AddCall,
    AddMessage,
    Changes,
    Hunk,
    Placed,
    Remove,
    SetArgument,
    SetResult,
    SetText,
    Validity,
)
from writ_app.engine.types import Message, MessageCall
from writ_app.models.editing import EditDraft
from writ_app.services.catalog.parameters import (
    NotShown,
    Parameter,
    parameter_at,
    print_json,
    read_parameters,
)
from writ_app.services.review.disguise import is_disguised, shown_verification
from writ_app.services.review.edits import (
    Base,
    changes_of,
    check_edit,
    read_base,
)
from writ_app.services.review.leaves import argument_name, plain_text
from writ_app.services.review.lineage import (
    ChangeLine,
    describe_changes,
    result_diff,
)
from writ_app.services.review.replay import Difference, compare
from writ_app.services.review.steps import in_order, in_steps, number_steps
from writ_app.services.review.word_diff import Segment, word_diff

MOST_LEAVES = 40
"""A larger argument is edited as JSON only."""
SHOWN_RESULT = 4_000
"""Characters of a result: here it is for orientation, the desk shows all of it."""


@dataclass(frozen=True)
class CheckState:
    """One check, before and after the changes."""

    name: str
    passed: bool
    finding: str
    was: bool | None
    """Whether it passed before; None: it was not made then."""
    advice: str = ""
    rows: tuple["EditRow", ...] = ()
    """That it points at."""

    @property
    def moved(self) -> Literal["", "mended", "broken"]:
        if self.was is None or self.was == self.passed:
            return ""
        return "mended" if self.passed else "broken"


@dataclass(frozen=True)
class Proposal:
    hunk: Hunk
    segments: tuple[Segment, ...]

    @property
    def target(self) -> str:
        return self.hunk.change.target


@dataclass(frozen=True)
class ArgumentField:
    """One leaf of a call's arguments, or a whole argument as JSON."""

    id: str
    pointer: str
    name: str
    parameter: Parameter
    value: str
    """As it is typed."""
    as_json: bool
    before: str | None
    """What it was, if it is something else now."""
    target: str
    problems: tuple[str, ...] = ()

    @property
    def options(self) -> tuple[str, ...]:
        return self.parameter.options if not self.as_json else ()

    @property
    def lines(self) -> int:
        """Height of a field for JSON."""
        return min(10, self.value.count("\n") + 1)


@dataclass(frozen=True)
class CallView:
    id: str
    name: str
    kind: str
    known: bool
    fields: tuple[ArgumentField, ...]
    wholes: tuple[ArgumentField, ...]
    """Arguments with parts, to be edited as JSON: to add or drop a member."""
    absent: tuple[ArgumentField, ...]
    """Optional arguments that are not given."""
    result: str
    error: bool
    brief: str

    @property
    def printed(self) -> bool:
        """Whether its result is short enough to be printed as JSON; of others the beginning is shown as it is."""
        return len(self.result) <= SHOWN_RESULT


@dataclass(frozen=True)
class Reset:
    target: str
    label: str


RESETS = {
    "text": "Reset words",
    "argument": "Reset {}",
    "result": "Reset result",
}
"""Kind of change → what the button says that takes it back."""


@dataclass(frozen=True)
class Complaint:
    """A problem of a row, with the name of the argument it is about."""

    check: str
    text: str
    name: str
    doubt: bool
    """Nothing failed: it is to be looked at."""


@dataclass(frozen=True)
class EditRow:
    """One step of the conversation on the page."""

    id: str
    kind: Literal["user", "say", "call"]
    message: int
    """Index in the version before the edit; of what was added, the message that it follows."""
    step: int
    """Number of the step there, as the desk counts."""
    added: str = ""
    """Id of the change by which it came."""
    removed: bool = False
    number: int | None = None
    """Index in the edited trajectory."""
    text: str = ""
    before: str = ""
    segments: tuple[Segment, ...] = ()
    calls: tuple[CallView, ...] = ()
    targets: tuple[str, ...] = ()
    """Of all changes in this row."""
    problems: tuple[Complaint, ...] = ()
    proposals: tuple[Proposal, ...] = ()

    @property
    def changed(self) -> bool:
        return bool(self.targets)

    @property
    def height(self) -> int:
        """Lines of the field that its words are typed into."""
        return max(2, min(12, len(self.text) // 60 + self.text.count("\n") + 1))

    @property
    def resets(self) -> tuple[Reset, ...]:
        """What can be taken back here, besides adding and removing."""
        return tuple(
            Reset(target, RESETS[kind].format(argument_name(target.split(":", 3)[-1])))
            for target in self.targets
            if (kind := target.partition(":")[0]) in RESETS
        )

    @property
    def add_target(self) -> str:
        return next((t for t in self.targets if t.startswith("add:")), "")

    @property
    def remove_target(self) -> str:
        return next((t for t in self.targets if t.startswith("remove:")), "")


@dataclass(frozen=True)
class EditPage:
    base: Base
    draft: EditDraft
    changes: Changes
    validity: Validity
    rows: tuple[EditRow, ...]
    checks: tuple[CheckState, ...]
    lines: tuple[ChangeLine, ...]
    difference: Difference

    @property
    def item(self) -> Any:
        return self.base.item

    @property
    def valid(self) -> bool:
        return self.validity.valid

    @property
    def failed(self) -> tuple[CheckState, ...]:
        return tuple(check for check in self.checks if not check.passed)

    @property
    def mended(self) -> tuple[CheckState, ...]:
        return tuple(check for check in self.checks if check.moved == "mended")

    @property
    def distance(self) -> int:
        return sum(line.distance for line in self.lines)

    @property
    def results(self) -> int:
        """Proposed results."""
        return sum(hunk.kind == "result" for hunk in self.validity.hunks)

    @property
    def tools(self) -> tuple[str, ...]:
        return tuple(self.base.environment.tools)

    @property
    def why_not(self) -> str:
        """Why there is nothing to save yet; "" if there is."""
        if not self.changes:
            return "Nothing is changed yet."
        if not self.valid:
            count = len(self.failed)
            return f"{count} check{'s' if count > 1 else ''} must pass first. The draft is kept."
        return ""


def build_edit_page(draft: EditDraft) -> EditPage:
    """Everything about one draft. Raises BadEdit if it cannot be read or applied."""
    base, changes = read_base(draft.item), changes_of(draft)
    found = check_edit(base, changes)
    if not changes and is_disguised(draft.item, draft.user):
        # To open the editor is no verdict: it says no more than the desk does until something is changed.
        shown = shown_verification(draft.item, draft.user)
        found = replace(found, verification=shown, problems=(), hunks=())
    rows = tuple(_Rows(base, changes, found).all())
    return EditPage(
        base=base,
        draft=draft,
        changes=changes,
        validity=found,
        rows=rows,
        checks=tuple(_check_states(base, found, rows)),
        lines=describe_changes(base.trajectory, changes),
        difference=_difference(base, found),
    )


def _difference(base: Base, found: Validity) -> Difference:
    """What the edited writes leave in the database, beside the gold's."""
    made = [
        one.call
        for message in found.trajectory.messages
        for one in message.tool_calls
        if base.environment.is_write(one.name)
    ]
    gold = [write.call for write in base.task.gold]
    return compare(base.environment, gold, made)


def _check_states(
    base: Base, found: Validity, rows: Sequence[EditRow]
) -> Iterator[CheckState]:
    was = {check.name: check.passed for check in base.verification.checks}
    steps = number_steps(found.trajectory.messages)
    at = {
        row.number + n: row
        for row in rows
        if row.number is not None
        for n in range(len(row.calls) + 1)  # the call's message, and its answers
    }
    for check in found.verification.checks:
        where = (
            one.message
            for one in found.problems
            if one.check == check.name and not one.doubt
        )
        places = {at[n].id: at[n] for n in where if n in at}
        yield CheckState(
            name=check.name,
            passed=check.passed,
            finding=in_steps(check.finding, steps),
            was=was.get(check.name),
            advice=found.advice.get(check.name, ""),
            rows=tuple(places.values()),
        )


# --- rows ----------------------------------------------------------------------------------------------------------------------


class _Rows:
    """The conversation as the page has it: what was removed stands where it was."""

    def __init__(self, base: Base, changes: Changes, found: Validity):
        self.base = base
        self.original = base.trajectory.messages
        self.steps = number_steps(self.original)
        self.changes = changes
        self.placed = found.placed
        self.targets = {change.target for change in changes}
        self.problems = found.problems
        self.hunks = found.hunks
        self.answers = {
            one.message.tool_call_id: n
            for n, one in enumerate(found.placed)
            if one.message.role == "tool"
        }

    def all(self) -> Iterator[EditRow]:
        last = 0
        for n, one in enumerate(self.placed):
            if one.origin is not None:
                yield from self._gone(range(last, one.origin))
                last = one.origin + 1
            if one.message.role != "tool":
                yield self._row(n, one)
        yield from self._gone(range(last, len(self.original)))

    def _gone(self, between: range) -> Iterator[EditRow]:
        """Messages that were removed; the answers of removed calls go with them."""
        for n in between:
            message = self.original[n]
            if message.role != "tool":
                yield EditRow(
                    id=f"m{n}",
                    kind=_kind(message),
                    message=n,
                    step=self.steps[n],
                    removed=True,
                    before=message.content,
                    text=", ".join(made.call.key for made in message.tool_calls),
                    targets=tuple(
                        one.target
                        for one in self.changes
                        if isinstance(one, Remove) and one.message == n
                    ),
                )

    def _row(self, n: int, one: Placed) -> EditRow:
        message = one.message
        change = next(
            (
                c
                for c in self.changes
                if isinstance(c, AddCall | AddMessage) and c.id == one.added
            ),
            None,
        )
        start = change.after if change is not None else one.origin
        assert start is not None
        before = "" if one.origin is None else self.original[one.origin].content
        mine = {n, *(self.answers.get(made.id, n) for made in message.tool_calls)}
        return EditRow(
            id=f"m{one.origin}" if change is None else f"a-{one.added}",
            kind=_kind(message),
            message=start,
            step=self.steps[start],
            added=one.added,
            number=n,
            text=message.content,
            before=before,
            segments=word_diff(before, message.content)
            if before != message.content
            else (),
            calls=tuple(self._call(n, one, made) for made in message.tool_calls),
            targets=tuple(self._targets(one)),
            problems=tuple(
                Complaint(p.check, p.text, argument_name(p.pointer), p.doubt)
                for p in self.problems
                if p.message in mine
            ),
            proposals=tuple(
                Proposal(hunk, _proposed(hunk))
                for hunk in self.hunks
                if hunk.message in mine
            ),
        )

    def _targets(self, one: Placed) -> Iterator[str]:
        results = {
            self.placed[n].origin
            for made in one.message.tool_calls
            if (n := self.answers.get(made.id)) is not None
        }
        for change in self.changes:
            match change:
                case AddCall() | AddMessage():
                    mine = change.id == one.added
                case SetResult():
                    mine = change.message in results
                case SetText() | SetArgument() | Remove():
                    mine = change.message == one.origin
            if mine:
                yield change.target

    def _call(self, n: int, one: Placed, made: MessageCall) -> CallView:
        tools = self.base.environment.tools
        answer = self.answers.get(made.id)
        result = self.placed[answer].message if answer is not None else None
        fields = _Fields(self, n, one, made)
        return CallView(
            id=made.id,
            name=made.name,
            kind=tools[made.name].kind.value if made.name in tools else "call",
            known=made.name in tools,
            fields=tuple(fields.leaves()),
            wholes=tuple(fields.wholes()),
            absent=tuple(fields.absent()),
            result=result.content if result else "",
            error=result.error if result else False,
            brief=" · ".join(
                plain_text(value)
                for value in in_order(
                    self.base.environment, made.name, made.arguments
                ).values()
            ),
        )


def _proposed(hunk: Hunk) -> tuple[Segment, ...]:
    if hunk.kind == "result":
        return result_diff(hunk.before, hunk.after)
    return word_diff(hunk.before, hunk.after)


def _kind(message: Message) -> Literal["user", "say", "call"]:
    if message.tool_calls:
        return "call"
    return "user" if message.role == "user" else "say"


class _Fields:
    """The fields of one call, typed by the tool's schema."""

    def __init__(self, rows: _Rows, n: int, one: Placed, made: MessageCall):
        self.made = made
        self.n = n
        self.one = one
        self.targets = rows.targets
        tools = rows.base.environment.tools
        self.tool = tools[made.name].schema if made.name in tools else None
        self.arguments = in_order(rows.base.environment, made.name, made.arguments)
        self.before = self._originals(rows)
        self.problems: dict[str, list[str]] = {}
        for problem in rows.problems:
            if problem.message == n and problem.pointer:
                self.problems.setdefault(problem.pointer, []).append(problem.text)

    def _originals(self, rows: _Rows) -> Mapping[str, Any] | None:
        if self.one.origin is None:
            return None
        calls = rows.original[self.one.origin].tool_calls
        return next((c.arguments for c in calls if c.id == self.made.id), None)

    def leaves(self) -> Iterator[ArgumentField]:
        for name, value in self.arguments.items():
            parts = list(leaves(value, name))
            if len(parts) <= MOST_LEAVES:
                for place, leaf in parts:
                    yield self._field(place, leaf)

    def wholes(self) -> Iterator[ArgumentField]:
        for name, value in self.arguments.items():
            if isinstance(value, dict | list):
                yield self._field(pointer(name), value, as_json=True)

    def absent(self) -> Iterator[ArgumentField]:
        for one in read_parameters(self.tool) if self.tool else ():
            if one.name not in self.arguments:
                yield self._field(pointer(one.name), MISSING)

    def _field(self, place: str, value: Any, as_json: bool = False) -> ArgumentField:
        parameter, shown, as_json = self._shown(place, value, as_json)
        before = MISSING if self.before is None else at(self.before, place)
        changed = self.before is not None and before != value
        target = (
            f"argument:{self.one.origin}:{self.made.id}:{place}"
            if self.one.origin is not None
            else f"add:{self.one.added}"
        )
        return ArgumentField(
            id=_element(f"f-{self.made.id}-{place}{'-json' if as_json else ''}"),
            pointer=place,
            name=argument_name(place),
            parameter=parameter,
            value=shown,
            as_json=as_json,
            before=_told(before) if changed else None,
            target=self._reset(place, target),
            problems=tuple(self.problems.get(place, ())),
        )

    def _reset(self, place: str, target: str) -> str:
        """The change to take back: of this leaf, or of the whole argument that it is a part of."""
        if target in self.targets or self.one.origin is None:
            return target
        whole = f"argument:{self.one.origin}:{self.made.id}:/{place.split('/')[1]}"
        return whole if whole in self.targets else target

    def _shown(
        self, place: str, value: Any, as_json: bool
    ) -> tuple[Parameter, str, bool]:
        """What the field shows, as JSON where its own kind could not give the same value back."""
        parameter = parameter_at(self.tool, place) if self.tool else _ANYTHING
        if value is MISSING:
            return parameter, "", False
        if not as_json and self.tool:
            try:
                return parameter, parameter.show(value), False
            except NotShown:
                pass
        return parameter, print_json(value), True


_ANYTHING = parameter_at({"function": {"parameters": {}}}, "/any")


def _told(value: Any) -> str:
    return "not given" if value is MISSING else plain_text(value)


def _element(text: str) -> str:
    """An element id: letters, digits and dashes, different for different texts."""
    return "".join(c if c.isalnum() and c.isascii() else f"-{ord(c):x}-" for c in text)

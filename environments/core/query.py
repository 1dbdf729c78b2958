"""The request language: what a user wants, as a typed value that can be printed, hashed, evaluated and proved.

A query is a sequence of steps. A step names one row (`The`), picks the best (`Best`), goes through several (`Each`), names a number
(`Value`), decides (`Branch`), writes (`Write`), tells the user something (`Tell`), declines to write (`Decline`) or hands over to a
person (`Transfer`). Rows come from relations that a domain declares; what the user supplies is a `Fact` by name, so that one query text fits many users. Text is made from queries, never the reverse.
"""

import hashlib
import json
from collections.abc import Collection
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Node(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


# --- expressions ---------------------------------------------------------------------------------------------------------------


class Const(Node):
    """A value fixed by the request's form or by the policy."""

    kind: Literal["const"] = "const"
    value: str | int | float | bool | None

    def __str__(self) -> str:
        return json.dumps(self.value, ensure_ascii=False)


class Fact(Node):
    """A value that the user supplies."""

    kind: Literal["fact"] = "fact"
    name: str

    def __str__(self) -> str:
        return f"${self.name}"


class Ref(Node):
    """A field of a named row, a named number, or a whole row."""

    kind: Literal["ref"] = "ref"
    name: str
    path: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        return ".".join([self.name, *map(str, self.path)])


class Arithmetic(Node):
    """Of two numbers; + also puts one list after the other."""

    kind: Literal["arithmetic"] = "arithmetic"
    op: Literal["+", "-", "*", "min", "max"]
    left: "Expr"
    right: "Expr"

    def __str__(self) -> str:
        if self.op in ("min", "max"):
            return f"{self.op}({self.left}, {self.right})"
        return f"({self.left} {self.op} {self.right})"


class Aggregate(Node):
    """sum, count, min or max of `value` over the rows of a selection."""

    kind: Literal["aggregate"] = "aggregate"
    op: Literal["sum", "count", "min", "max"]
    over: "Selection"
    value: "Expr"

    def __str__(self) -> str:
        return f"{self.op}({self.value} for {self.over})"


class Collect(Node):
    """The list of `value` over what an `Each` went through, in its order."""

    kind: Literal["collect"] = "collect"
    each: str
    value: "Expr"

    def __str__(self) -> str:
        return f"[{self.value} for each {self.each}]"


class ListOf(Node):
    kind: Literal["list"] = "list"
    values: tuple["Expr", ...]

    def __str__(self) -> str:
        return f"[{', '.join(map(str, self.values))}]"


class ObjectOf(Node):
    """An object with these fields: an argument such as {payment_id, amount}."""

    kind: Literal["object"] = "object"
    fields: dict[str, "Expr"]

    def __str__(self) -> str:
        return f"{{{', '.join(f'{name}: {value}' for name, value in self.fields.items())}}}"


class Table(Node):
    """A number that the policy gives for each combination of keys: `rows` by the keys' texts, joined by "/"."""

    kind: Literal["table"] = "table"
    clause: str
    """The policy's number for it."""
    keys: tuple["Expr", ...]
    rows: dict[str, int | float]

    def __str__(self) -> str:
        return f"policy {self.clause}[{', '.join(map(str, self.keys))}]"


Expr = Annotated[
    Const | Fact | Ref | Arithmetic | Aggregate | Collect | ListOf | ObjectOf | Table,
    Field(discriminator="kind"),
]


# --- conditions ----------------------------------------------------------------------------------------------------------------

_SIGNS = {
    "eq": "=",
    "ne": "≠",
    "lt": "<",
    "le": "≤",
    "gt": ">",
    "ge": "≥",
    "among": "in",
}


class Compare(Node):
    kind: Literal["compare"] = "compare"
    op: Literal["eq", "ne", "lt", "le", "gt", "ge", "among"]
    left: "Expr"
    right: "Expr"

    def __str__(self) -> str:
        return f"{self.left} {_SIGNS[self.op]} {self.right}"


class Not(Node):
    kind: Literal["not"] = "not"
    condition: "Condition"

    def __str__(self) -> str:
        return f"not ({self.condition})"


class AllOf(Node):
    kind: Literal["all"] = "all"
    conditions: tuple["Condition", ...]

    def __str__(self) -> str:
        return " and ".join(map(str, self.conditions))


class AnyOf(Node):
    kind: Literal["any"] = "any"
    conditions: tuple["Condition", ...]

    def __str__(self) -> str:
        return "(" + " or ".join(map(str, self.conditions)) + ")"


class Exists(Node):
    """At least one row of the selection."""

    kind: Literal["exists"] = "exists"
    selection: "Selection"

    def __str__(self) -> str:
        return f"exists {self.selection}"


Condition = Annotated[
    Compare | Not | AllOf | AnyOf | Exists, Field(discriminator="kind")
]


# --- rows ----------------------------------------------------------------------------------------------------------------------


class Selection(Node):
    """Rows of a relation, named `name` while they are looked at: of another row or selection, found `by` values, kept `where`."""

    name: str
    relation: str
    of: "Selection | Ref | None" = None
    by: dict[str, "Expr"] = Field(default_factory=dict)
    where: "Condition | None" = None

    def __str__(self) -> str:
        text = f"{self.name} in {self.relation}"
        if self.by:
            text += f"({', '.join(f'{key}={value}' for key, value in self.by.items())})"
        if self.of is not None:
            text += (
                f" of ({self.of})"
                if isinstance(self.of, Selection)
                else f" of {self.of}"
            )
        return f"{text} where {self.where}" if self.where is not None else text


class Key(Node):
    """One part of a lexicographic objective."""

    value: "Expr"
    direction: Literal["asc", "desc"] = "asc"

    def __str__(self) -> str:
        return f"{self.value} {'↑' if self.direction == 'asc' else '↓'}"


# --- steps ---------------------------------------------------------------------------------------------------------------------


class The(Node):
    """A description that fits exactly one row: the request presupposes it."""

    kind: Literal["the"] = "the"
    selection: Selection

    def lines(self) -> list[str]:
        return [f"the     {self.selection}"]


class Best(Node):
    """The row of the selection that stands at `rank` (0: first) of the objective."""

    kind: Literal["best"] = "best"
    selection: Selection
    objective: tuple[Key, ...]
    rank: int = 0

    def lines(self) -> list[str]:
        place = "" if self.rank == 0 else f", rank {self.rank + 1}"
        return [
            f"best    {self.selection}",
            f"  order {', '.join(map(str, self.objective))}{place}",
        ]


class Each(Node):
    """Every row of the selection, each with its own inner steps."""

    kind: Literal["each"] = "each"
    selection: Selection
    steps: tuple["Step", ...] = ()

    def lines(self) -> list[str]:
        return [f"each    {self.selection}", *_indented(self.steps)]


class Value(Node):
    kind: Literal["value"] = "value"
    name: str
    value: Expr

    def lines(self) -> list[str]:
        return [f"let     {self.name} = {self.value}"]


class Branch(Node):
    kind: Literal["branch"] = "branch"
    condition: Condition
    then: tuple["Step", ...]
    otherwise: tuple["Step", ...] = ()

    def lines(self) -> list[str]:
        otherwise = ["else", *_indented(self.otherwise)] if self.otherwise else []
        return [f"if      {self.condition}", *_indented(self.then), *otherwise]


class Write(Node):
    kind: Literal["write"] = "write"
    tool: str
    arguments: dict[str, Expr]

    def lines(self) -> list[str]:
        return [
            f"write   {self.tool}",
            *(f"  {name} = {value}" for name, value in self.arguments.items()),
        ]


class Decline(Node):
    """The policy forbids what was asked: no write. `clause` is the policy's number for it."""

    kind: Literal["decline"] = "decline"
    clause: str

    def lines(self) -> list[str]:
        return [f"decline policy {self.clause}"]


class Tell(Node):
    """Something that the user asks to be told; `what` names it for people."""

    kind: Literal["tell"] = "tell"
    what: str
    value: Expr

    def lines(self) -> list[str]:
        return [f"tell    {self.what} = {self.value}"]


class Transfer(Node):
    """Only a person can help: hand over, write nothing. `clause` is the policy's number for it."""

    kind: Literal["transfer"] = "transfer"
    clause: str

    def lines(self) -> list[str]:
        return [f"transfer policy {self.clause}"]


Step = Annotated[
    The | Best | Each | Value | Branch | Write | Tell | Decline | Transfer,
    Field(discriminator="kind"),
]


class Query(Node):
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return "\n".join(line for step in self.steps for line in step.lines())

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 (hex) of the canonical JSON: equal queries have equal hashes."""
        return hashlib.sha256(
            json.dumps(self.model_dump(), sort_keys=True).encode()
        ).hexdigest()


def names_looked_at(query: Query) -> frozenset[str] | None:
    """Names of relations and of rows' fields that the query speaks of; None if it takes a row as a whole, hence all of its fields."""
    found: set[str] = set()
    rows: set[str] = set()
    whole: set[str] = set()
    waiting: list[Any] = list(query.steps)
    while waiting:
        node = waiting.pop()
        if isinstance(node, Ref):
            if node.path:
                found.add(str(node.path[0]))
            else:
                whole.add(node.name)
        elif isinstance(node, Selection):
            found.add(node.relation)
            rows.add(node.name)
            waiting += [*node.by.values(), node.where]
            if isinstance(node.of, Selection):  # a Ref is only where to look
                waiting.append(node.of)
        elif isinstance(node, Node):
            waiting += vars(node).values()
        elif isinstance(node, tuple):
            waiting += node
        elif isinstance(node, dict):
            waiting += node.values()
    return None if rows & whole else frozenset(found)


def renamed(query: Query, suffix: str, keep: Collection[str] = ()) -> Query:
    """The query with `suffix` at the end of every name of a row, number or fact, so that it can stand beside others.

    `keep` are names of facts that stay as they are: who the user is.
    """
    return Query.model_validate(_renamed(query.model_dump(), suffix, keep))


def _renamed(node: Any, suffix: str, keep: Collection[str]) -> Any:
    if isinstance(node, list | tuple):
        return [_renamed(part, suffix, keep) for part in node]
    if not isinstance(node, dict):
        return node
    found = {name: _renamed(part, suffix, keep) for name, part in node.items()}
    kind = node.get("kind")
    if kind == "fact":
        if node["name"] not in keep:
            found["name"] += suffix
    elif kind in ("ref", "value") or isinstance(node.get("relation"), str):
        found["name"] += suffix
    elif kind == "collect":
        found["each"] += suffix
    return found


def undeclined(query: Query) -> Query:
    """The query as if nothing were refused: of branches that decline on one side, the other side is taken."""
    return Query.model_validate(_undeclined(query.model_dump()))


def _undeclined(node: Any) -> Any:
    if isinstance(node, dict):
        return {name: _undeclined(part) for name, part in node.items()}
    if not isinstance(node, list | tuple):
        return node
    found: list[Any] = []
    for part in node:
        sides = (part["then"], part["otherwise"]) if _is(part, "branch") else ()
        kept = [
            side for side in sides if not (len(side) == 1 and _is(side[0], "decline"))
        ]
        if len(kept) == 1:
            found += _undeclined(kept[0])
        else:
            found.append(_undeclined(part))
    return found


def _is(node: Any, kind: str) -> bool:
    return isinstance(node, dict) and node.get("kind") == kind


def _indented(steps: tuple[Any, ...]) -> list[str]:
    return ["  " + line for step in steps for line in step.lines()]


for _node in (
    Arithmetic,
    Aggregate,
    Collect,
    ListOf,
    ObjectOf,
    Table,
    Compare,
    Not,
    AllOf,
    AnyOf,
    Exists,
    Selection,
    Key,
):
    _node.model_rebuild()
for _step in (The, Best, Each, Value, Branch, Write, Query):
    _step.model_rebuild()


# --- shorthand for authors -----------------------------------------------------------------------------------------------------


def ref(text: str) -> Ref:
    """`ref("order.payment_history.0.amount")`."""
    name, *path = text.split(".")
    return Ref(
        name=name, path=tuple(int(part) if part.isdigit() else part for part in path)
    )


def fact(name: str) -> Fact:
    return Fact(name=name)


def const(value: str | int | float | bool | None) -> Const:
    return Const(value=value)


def compare(
    left: Any, op: Literal["eq", "ne", "lt", "le", "gt", "ge", "among"], right: Any
) -> Compare:
    return Compare(op=op, left=left, right=right)


def all_of(*conditions: Any) -> AllOf:
    return AllOf(conditions=conditions)

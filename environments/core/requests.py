"""What the requests of most worlds have in common: who asks, how they pay, which of several rows a description fits.

A world whose accounts are found by `account` and shown by `profile`, with payment methods under `methods`, can take these steps
as they are; the others are plain functions over records.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from environments.core.query import Selection, The, compare, fact, ref
from environments.core.state import Record

NAME_AND_ZIP = ("first_name", "last_name", "zip")


def account_steps(facts: Mapping[str, Any]) -> tuple[The, The]:
    """The steps with which every request begins: find the account by email, else by name and zip, and look at its profile."""
    names = ("email",) if "email" in facts else NAME_AND_ZIP
    account = Selection(
        name="account", relation="account", by={name: fact(name) for name in names}
    )
    profile = Selection(name="profile", relation="profile", of=ref("account"))
    return The(selection=account), The(selection=profile)


def method_step(name: str, source: Any, *, of: str = "profile") -> The:
    """Name the payment method of that kind; presupposes that the profile has one and no more."""
    where = compare(ref(f"{name}.source"), "eq", source)
    return The(
        selection=Selection(name=name, relation="methods", of=ref(of), where=where)
    )


def identity_facts(
    *, email: str, name: Mapping[str, str], zip: str, rng: random.Random
) -> dict[str, str]:
    """What this user says about who they are: half of them their email, the others first name, last name and zip."""
    if rng.random() < 0.5:
        return {"email": email}
    return {
        "first_name": name["first_name"],
        "last_name": name["last_name"],
        "zip": zip,
    }


def told_apart(
    rows: Sequence[Record], by: Callable[[Record], Any] | str
) -> list[Record]:
    """Rows that `by`, the name of a field or a function of the row, tells from all the others."""
    value = by if callable(by) else lambda row: row[by]
    counts = Counter(map(value, rows))
    return [row for row in rows if counts[value(row)] == 1]


def texts_in(values: Iterable[Any]) -> Iterator[str]:
    """Every plain value as text, out of lists and objects too: what a user who says all this can use as an argument."""
    for value in values:
        if isinstance(value, dict):
            yield from texts_in(value.values())
        elif isinstance(value, list | tuple):
            yield from texts_in(value)
        else:
            yield str(value)

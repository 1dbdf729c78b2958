"""Whether a message lists a write: every id in it is named, as such or in one of the world's other ways, and something of its own.

Naming "your credit card" alone lists nothing: a question for the payment would do. What a write changes shows in its particulars: an
order, a flight, a day, an address, an amount.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from environments.core.environment import Environment
from environments.core.pointers import leaves, pointer
from environments.core.tools import ToolCall
from writ_app.engine.behaviour.reading import mentions

_ID = re.compile(r"[#\w]*\d{4,}")
_NAMED = re.compile(r"(?:^|/)\w*_ids?(?:/\d+)?$")
_PAYING = re.compile(r"/(?:payment\w*|user|customer)_id$")


type Ways = Sequence[Sequence[str]]
"""Ways to name one thing; each is a list of texts that must all be there."""


@dataclass(frozen=True)
class Listing:
    """What a text has to name to list a write."""

    ids: tuple[Ways, ...]
    particulars: tuple[Ways, ...]
    """At least one of these, if there are any."""

    def in_text(self, text: str) -> bool:
        named = all(_named(ways, text) for ways in self.ids)
        own = self.particulars
        return named and (not own or any(_named(ways, text) for ways in own))


def _named(ways: Ways, text: str) -> bool:
    return any(all(mentions(text, part) for part in way) for way in ways)


def ids_in(call: ToolCall) -> list[str]:
    """Values of the arguments that name one thing: those of arguments called so, and whatever ends in a long number."""
    found: list[str] = []
    for name, value in call.arguments.items():
        if isinstance(value, str):  # most are: nothing has to be gone through
            if _is_id(pointer(name), value):
                found.append(value)
        elif isinstance(value, dict | list):
            inner = leaves(value, name)
            found += [leaf for place, leaf in inner if _is_id(place, leaf)]
    return found


def _is_id(place: str, value: Any) -> bool:
    return isinstance(value, str) and bool(
        (value[-4:].isdecimal() and _ID.fullmatch(value))
        or (value and _is_named(place))
    )


@lru_cache(maxsize=1024)
def _is_named(place: str) -> bool:
    """Whether what stands there is called an id. Few places come up again and again."""
    return bool(_NAMED.search(place))


def listing(environment: Environment, call: ToolCall) -> Listing:
    """How the world's own words may name what the call writes."""
    start = environment.session().state
    aliases = environment.domain.words.aliases(call, start)
    ids, particulars = [], []
    for place, value in leaves(call.arguments):
        if _is_id(place, value):
            ways = [[value], *aliases.get(value, ())]
            ids.append(ways)
            if not _PAYING.search(place) and [] not in ways:
                particulars.append(ways)
        elif not isinstance(value, bool) and any(map(str.isdigit, str(value))):
            particulars.append([[way] for way in _written(value)])
    return Listing(tuple(ids), tuple(particulars))


def _written(value: Any) -> list[str]:
    """How a value may stand in a text: 1204 as "1204" and "1,204"."""
    if isinstance(value, int | float):
        return [str(value), f"{value:g}", f"{value:,}", f"{value:,.2f}"]
    return [str(value)]

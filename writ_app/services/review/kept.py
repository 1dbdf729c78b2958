"""Counts over everything, made once and looked at by everybody for some seconds."""

import hashlib
from collections.abc import Callable

from writ_app.adapters.caches import here

SECONDS = 15
"""How old a count may be. 0: counted anew every time."""


def kept[T](*key: object, make: Callable[[], T]) -> T:
    """The value under that key, or what `make` returns. The key says whose data it is: teams and filters."""
    name = "review:" + hashlib.sha256(repr(key).encode()).hexdigest()
    found: T | None = here.get(name)
    if found is None:
        found = make()
        here.set(name, found, SECONDS)
    return found

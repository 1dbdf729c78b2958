"""Values made from a state, or from a row, and kept for its base, so that sessions which changed little make little again."""

from collections.abc import Callable, Hashable

from environments.core.domain import Row
from environments.core.state import Session

KEPT = 8192
"""Values kept per base; beyond that all are dropped and made anew when asked for."""


class Memo[K: Hashable, T]:
    """`make(session, key)`, remembered for the base of each session that asks.

    A session gets the kept value unless its changes touch something that making it depended on (see Session.touched). `make` must
    rest on the session alone, and its values must not be changed.
    """

    def __init__(self, make: Callable[[Session, K], T]):
        self._make = make

    def of(self, session: Session, key: K) -> T:
        kept: dict[K, tuple[T, frozenset[tuple[str, object]]]]
        kept = session.base.memos.setdefault(self, {})
        found = kept.get(key)
        if found is None:
            if len(kept) >= KEPT:
                kept.clear()
            base = Session(session.base)
            base.touched = set()
            value = self._make(base, key)
            found = kept[key] = value, frozenset(base.touched)
        value, touched = found
        if touched.isdisjoint(session.affected()):
            return value
        return self._make(session, key)


class OfRow[T]:
    """`make(row)`, remembered for that very row, so that what is made of it stays the same object as long as the row does."""

    def __init__(self, make: Callable[[Row], T]):
        self._make = make
        self._kept: dict[int, tuple[Row, T]] = {}

    def of(self, row: Row) -> T:
        found = self._kept.get(id(row))
        if found is None or found[0] is not row:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            found = self._kept[id(row)] = row, self._make(row)
        return found[1]

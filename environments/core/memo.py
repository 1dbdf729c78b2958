"""Values made from a state and kept for its base, so that sessions which changed little make little again."""

from collections.abc import Callable, Hashable
from weakref import WeakKeyDictionary

from environments.core.state import Session, State

KEPT = 2048
"""Values kept per base; beyond that all are dropped and made anew when asked for."""


class Memo[K: Hashable, T]:
    """`make(session, key)`, remembered for the base of each session that asks.

    A session gets the kept value unless its changes touch something that making it depended on (see Session.touched). `make` must
    rest on the session alone, and its values must not be changed.
    """

    def __init__(self, make: Callable[[Session, K], T]):
        self._make = make
        self._kept: WeakKeyDictionary[
            State, dict[K, tuple[T, frozenset[tuple[str, object]]]]
        ] = WeakKeyDictionary()

    def of(self, session: Session, key: K) -> T:
        kept = self._kept.setdefault(session.base, {})
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

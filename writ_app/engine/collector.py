"""Python's cyclic garbage collector while many tasks are designed."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

THRESHOLDS = (50_000, 20, 100)
"""Objects made before a look at the young ones; such looks before one at the middle-aged; and such before one at all."""


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Look for cycles seldom, and never through what is there already: databases hold a million objects and no cycles.

    Designing leaves next to none behind either, and looking for them takes a tenth of its time.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()

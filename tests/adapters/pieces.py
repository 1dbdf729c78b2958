"""Work for processes that are started afresh: they must be able to import it."""

import os
from collections.abc import Iterator


def count_to(piece: int) -> Iterator[int]:
    yield from range(piece)


def name_process(piece: int) -> Iterator[int]:
    yield os.getpid()


def fail_at_two(piece: int) -> Iterator[int]:
    yield piece
    if piece == 2:
        raise ValueError("two is too many")


def die_at_two(piece: int) -> Iterator[int]:
    yield piece
    if piece == 2:
        os._exit(7)

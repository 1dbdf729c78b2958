"""Work spread over several processes, each doing one piece at a time.

Pieces are given out in order, as processes become free; which one does a piece must not matter for what comes of it.
Knows nothing about tasks.
"""

import multiprocessing
import signal
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

END_SECONDS = 5.0


class WorkLost(Exception):
    """A process ended before its piece was done, or failed at it; the text says how."""


@dataclass(frozen=True)
class Done:
    """The end of a piece, in place of a result."""


def spread[Piece, Result](
    work: Callable[[Piece], Iterable[Result]],
    pieces: Sequence[Piece],
    workers: int,
) -> Iterator[tuple[int, Result | Done]]:
    """(number of the piece, one of its results, or Done when there are no more), as they come.

    `work` must be a function of a module, for the processes are started afresh. With one worker everything is done here.
    Raises WorkLost. No process is left when this ends, however it ends.
    """
    if workers <= 1 or len(pieces) <= 1:
        for number, piece in enumerate(pieces):
            for result in work(piece):
                yield number, result
            yield number, Done()
        return
    context = multiprocessing.get_context("spawn")
    busy: dict[Connection, tuple[BaseProcess, int]] = {}
    waiting = list(enumerate(pieces))[::-1]
    try:
        for _ in range(min(workers, len(pieces))):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(work, theirs), daemon=True)
            process.start()
            theirs.close()
            busy[ours] = process, -1
            _give(ours, busy, waiting)
        while any(number >= 0 for _, number in busy.values()):
            for connection in wait([c for c, (_, n) in busy.items() if n >= 0]):
                assert isinstance(connection, Connection)
                number = busy[connection][1]
                result = _receive(connection, busy[connection][0])
                if isinstance(result, Done):
                    _give(connection, busy, waiting)
                yield number, result
    finally:
        _end([process for process, _ in busy.values()])


def _give(
    connection: Connection,
    busy: dict[Connection, tuple[BaseProcess, int]],
    waiting: list[tuple[int, Any]],
) -> None:
    """The next piece for a free process, if there is one."""
    process, number = busy[connection][0], -1
    if waiting:
        number, piece = waiting.pop()
        with suppress(BrokenPipeError):  # who reads from it next learns what happened
            connection.send(piece)
    busy[connection] = process, number


def _receive(connection: Connection, process: BaseProcess) -> Any:
    try:
        failed, result = connection.recv()
    except (EOFError, ConnectionResetError):
        process.join(END_SECONDS)
        raise WorkLost(
            f"A worker process ended with {process.exitcode} in the middle of its work."
        ) from None
    if failed:
        raise WorkLost(f"A worker process failed:\n{result}")
    return result


def _end(processes: Sequence[BaseProcess]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(END_SECONDS)
        if process.is_alive():
            process.kill()


def _serve(work: Callable[[Any], Iterable[Any]], connection: Connection) -> None:
    """A worker's life: pieces in, results out, until it is ended."""
    # Ctrl-C reaches the whole group; whoever started us decides what becomes of us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, BrokenPipeError):
        while True:
            piece = connection.recv()
            try:
                for result in work(piece):
                    connection.send((False, result))
            except BrokenPipeError:
                return
            except Exception:
                connection.send((True, traceback.format_exc()))
                return
            connection.send((False, Done()))

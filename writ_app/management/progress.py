"""One line on a terminal that says how far a long command is; in a log, a line every now and then."""

import time
from types import TracebackType
from typing import Any, Self

REDRAW_SECONDS = 0.2
LOG_SECONDS = 15.0


class Progress:
    """with Progress(self.stderr, 500, "tasks") as progress: progress.step()"""

    def __init__(self, out: Any, whole: int, what: str):
        self._out, self._whole, self._what = out, whole, what
        self._live = bool(getattr(out, "isatty", lambda: False)())
        self._done = 0
        self._began = self._shown = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._show(end="\n")

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def step(self) -> None:
        self.at(self._done + 1)

    def at(self, done: int) -> None:
        """So much is done by now."""
        self._done = done
        pause = REDRAW_SECONDS if self._live else LOG_SECONDS
        if time.monotonic() - self._shown >= pause:
            self._show(end="" if self._live else "\n")

    def _show(self, end: str) -> None:
        self._shown = time.monotonic()
        again = "\r" if self._live else ""
        text = f"{again}{self._done:,} of {self._whole:,} {self._what}, {self.seconds:.0f} s"
        self._out.write(text, ending=end)
        self._out.flush()

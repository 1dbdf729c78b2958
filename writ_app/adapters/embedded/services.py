"""The embedded services together: one owner at a time, started and stopped in order."""

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from writ_app.adapters.embedded.failures import make_directory
from writ_app.adapters.embedded.layout import Layout, ServiceError
from writ_app.adapters.embedded.postgres import Postgres
from writ_app.adapters.embedded.valkey import Valkey

Service = Postgres | Valkey
KINDS: Mapping[str, Callable[[Layout, bool], Service]] = {
    "postgres": Postgres,
    "valkey": Valkey,
}


class AlreadyStarted(ServiceError):
    """Another live process owns the services of this directory."""


@dataclass(frozen=True)
class Services:
    """The started services, in starting order; empty if all are external."""

    layout: Layout
    started: Sequence[Service]

    def keep_up(self) -> None:
        """Start again what ended by itself. Cheap enough to call every second.

        Raises ServiceError if the directory was deleted: there is nothing to go on with.
        """
        if not self.layout.lock.exists():
            raise ServiceError(
                f"The directory of the app, {self.layout.var}, is gone, and with it everything it held. "
                "Everything stops; start the app again to begin anew, or put a copy of the directory in its place first."
            )
        for service in self.started:
            if service.pid() is None:
                service.start()


@contextmanager
def exclusive(layout: Layout) -> Iterator[None]:
    """Own the directory until the block ends, or raise AlreadyStarted.

    The system drops the lock with the process, so a crash leaves nothing to clear.
    """
    make_directory(layout.var, "The app")
    with layout.lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            raise AlreadyStarted(
                f"The app is already up on {layout.var} (process {file.read().strip() or 'unknown'}). "
                "Use that one, stop it first with Ctrl-C, or set WRIT_VAR_DIR to another directory "
                "to have a second one."
            ) from error
        # Only a note for people: on a full disk the lock holds without it.
        with suppress(OSError):
            os.ftruncate(file.fileno(), 0)
            os.write(file.fileno(), str(os.getpid()).encode())
        yield


def remove_if_empty(path: Path) -> None:
    with suppress(OSError):
        path.rmdir()


@contextmanager
def services_running(
    layout: Layout, names: Sequence[str], *, reuse: bool = False, durable: bool = True
) -> Iterator[Services]:
    """Start the named services ("postgres", "valkey") and stop them at the end of the block.

    With `reuse`, services that another process owns are used as they are and left alone.
    Raises ServiceError, of which AlreadyStarted is the case of an owner without `reuse`.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(exclusive(layout))
        except AlreadyStarted:
            if not reuse:
                raise
            names = []
        else:
            stack.callback(remove_if_empty, layout.sockets)
        services = [KINDS[name](layout, durable) for name in names]
        for service in services:
            # Registered first: an interrupt while it starts must stop it too.
            stack.callback(service.stop)
            service.start()
        yield Services(layout, services)

"""Turns what a service or the system said into advice for a person."""

import os
import shutil
from pathlib import Path

from writ_app.adapters.embedded.layout import ServiceError

FULL = "no space left on device"
FULL_BYTES = 1_000_000  # a disk with less is full for any service
MEBIBYTE = 1024 * 1024


def disk_is_full(path: Path) -> bool:
    """Whether the disk that holds `path`, or would, has next to nothing free."""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free < FULL_BYTES


def full_disk(service: str, path: Path) -> ServiceError:
    return ServiceError(
        f"{service} cannot start: the disk that holds {path} is full. Data already there is "
        "unharmed. Free some space (100 MB is plenty to start), or set WRIT_VAR_DIR to a "
        "directory on another disk, then start again."
    )


def failed_start(
    service: str, *, path: Path, said: str, log: Path | None = None
) -> ServiceError:
    """The error for a service that ended while starting; `said` is the end of its output."""
    if FULL in said.lower() or disk_is_full(path):
        return full_disk(service, path)
    where = f" Its log is {log}." if log else ""
    return ServiceError(
        f"{service} did not start on {path}.{where} It said:\n{said.strip()}"
    )


def make_directory(path: Path, service: str) -> None:
    """Make a private directory, or say what is in the way."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = path / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        if FULL in str(error).lower():
            raise full_disk(service, path) from error
        raise ServiceError(
            f"{service} cannot start: {path} cannot be made or written "
            f"({error.strerror}: {error.filename}). Mend its owner or permissions, move away what "
            "is in its place, or set WRIT_VAR_DIR to a directory that you can write."
        ) from error


def check_owner(path: Path, service: str) -> None:
    """Refuse a directory that another account made, open to all, to read along."""
    if path.stat().st_uid != os.geteuid():
        raise ServiceError(
            f"{service} cannot start: {path} belongs to another account. Start as that account, "
            "remove the directory, or set WRIT_VAR_DIR to a directory of your own."
        )

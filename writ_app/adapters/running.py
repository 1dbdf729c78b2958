"""Processes that are there, and the files that their output goes to."""

from pathlib import Path

import psutil

LOG_LIMIT = 10_000_000  # bytes; a longer log is set aside when its process starts


def find_process(pid: int, *, created: float | None = None) -> psutil.Process | None:
    """The live process `pid`, if it is the one created at `created` (seconds since 1970)."""
    try:
        process = psutil.Process(pid)
        same = created is None or abs(process.create_time() - created) < 1
        return process if same and is_running(process) else None
    except psutil.Error:
        return None


def is_running(process: psutil.Process) -> bool:
    """Whether it is there, and not only waits for somebody to ask how it ended."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def make_room(log: Path) -> None:
    """Its directory is there, and a long log is set aside."""
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if log_size(log) > LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))


def log_size(log: Path) -> int:
    """Bytes in a log, 0 if there is none."""
    return log.stat().st_size if log.exists() else 0


def tail(log: Path, *, lines: int = 8, since: int = 0) -> str:
    """The last lines of a log after its first `since` bytes, empty if there is none."""
    try:
        with log.open("rb") as file:
            size = log_size(log)
            file.seek(max(since if since <= size else 0, size - 8192))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""

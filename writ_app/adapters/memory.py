"""How much memory processes hold."""

import psutil


def held_by_family(pid: int) -> tuple[int, int]:
    """(bytes, processes) of a process and all its descendants; what several share is counted once, where the system tells."""
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.Error:
        return 0, 0
    sizes = [size for size in map(held_by, family) if size is not None]
    return sum(sizes), len(sizes)


def held_by(process: psutil.Process) -> int | None:
    """Its share of the memory, in bytes; None if it has just ended."""
    try:
        # A page that n processes share counts as an n-th of one in each; only Linux tells.
        full = process.memory_full_info()
        return int(getattr(full, "pss", 0) or full.rss)
    except psutil.AccessDenied:
        return int(process.memory_info().rss)
    except psutil.Error:
        return None

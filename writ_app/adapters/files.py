"""Files that are there whole or not at all."""

import errno
import io
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

FULL = (errno.ENOSPC, errno.EDQUOT)
"""No space on the disk, or none that this account may use."""


@contextmanager
def written_whole(path: Path) -> Iterator[TextIO]:
    """A file to write UTF-8 text to, which becomes `path` only if nothing goes wrong until the end."""
    with written_whole_bytes(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="\n")
        yield text
        text.flush()
        text.detach()  # the file is still to be synced


@contextmanager
def written_whole_bytes(path: Path, *, private: bool = False) -> Iterator[BinaryIO]:
    """The same for bytes. `private`: for its owner's eyes only."""
    with _becoming(path) as draft:
        with open(draft, "xb", opener=_private if private else None) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)


@contextmanager
def _becoming(path: Path) -> Iterator[Path]:
    """A name beside `path`, where nothing is left in the end. A full disk is named in words that say what to do."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        yield draft
    except OSError as error:
        if error.errno not in FULL:
            raise
        advice = "the disk is full. No part of the file was kept: free some space, and do it again"
        raise OSError(errno.ENOSPC, advice, str(path)) from error
    finally:
        draft.unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)

"""The key that signs sessions, made at the first start where nobody gave one."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def keep_secret_key(path: Path) -> str:
    """The key in `path`, made now (mode 0600) if there is none yet.

    Several processes may start at once: each writes a file of its own, and linking it
    into place succeeds for exactly one of them, with its content already complete.
    """
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with os.fdopen(os.open(draft, flags, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(50))
            with suppress(
                FileExistsError
            ):  # Another process was first; its key is the one.
                path.hardlink_to(draft)
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"The secret key cannot be kept in {path} ({error.strerror}). Make its directory "
            "writable, or set WRIT_VAR_DIR to another directory, or WRIT_SECRET_KEY to a key."
        ) from error
    finally:
        with suppress(OSError):
            draft.unlink()

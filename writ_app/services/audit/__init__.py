"""The audit log: written (`recording`), read (`reading`), verified (`chain`, `checking`)."""

from writ_app.services.audit.recording import (
    KEEP,
    Facts,
    digest_of,
    digest_of_text,
    kept_as,
    record,
    who_and_where,
)

__all__ = [
    "KEEP",
    "Facts",
    "digest_of",
    "digest_of_text",
    "kept_as",
    "record",
    "who_and_where",
]

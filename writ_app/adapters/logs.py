"""Log lines that say whose they are, as text or as JSON, and that tell no secrets.

What a line belongs to (request, user, team, job, batch) is kept in a context variable, which threads of a server and
tasks of a worker have each their own of. Lines get it from `AboutFilter`, whoever writes them.
"""

import logging
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from pythonjsonlogger.json import JsonFormatter

_about: ContextVar[Mapping[str, str | int] | None] = ContextVar("about", default=None)

WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{8,64}")
"""Of a request id: nothing that could end a line, or be a document."""
KEPT = (
    *("request_id", "user", "team", "token_id"),
    *("task", "task_id", "batch", "simulation"),
)
"""Facts that lines show. `token_id`: key of the API token that asked; its text is nowhere."""
HIDDEN = "[hidden]"
SECRETS = [
    # In addresses: postgresql://user:password@host
    (
        re.compile(r"(\b[a-z][a-z0-9+.-]{0,20}://[^\s/:@]{0,100}:)[^\s@]+(?=@)", re.I),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{6,}", re.I), rf"\1 {HIDDEN}"),
    # name=value and "name": "value", where the name says that the value is secret
    (
        re.compile(
            r"""((?:api[_-]?key|secret|password|passwd|token|cookie|sessionid|csrftoken|authorization)[\w-]{0,40}["']?\s*[=:]\s*)"""
            r"""("[^"]*"|'[^']*'|(?!\s)[^\s&,;}]+)""",
            re.I,
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\b(sk|pk|hf|ghp|gho|xox[abp])[-_][\w-]{8,}"), rf"\1-{HIDDEN}"),
]
LONGEST = 8000
"""Characters of a message or a traceback; the rest is cut, lest a talk lands in a log."""


def new_request_id() -> str:
    return secrets.token_hex(16)


def request_id_from(text: str | None) -> str:
    """A request id that somebody sent, if it is well-formed, otherwise a new one."""
    return text if text and WELL_FORMED.fullmatch(text) else new_request_id()


def about_now() -> Mapping[str, str | int]:
    """What lines written now belong to."""
    return _about.get() or {}


@contextmanager
def about(**facts: str | int) -> Iterator[None]:
    """Lines of this block belong to these too."""
    token = _about.set({**about_now(), **facts})
    try:
        yield
    finally:
        _about.reset(token)


def note(**facts: str | int) -> None:
    """The same until the enclosing `about` ends, or `begin` is called: who asks is known only on the way."""
    _about.set({**about_now(), **facts})


def begin(**facts: str | int) -> None:
    """Lines from now on belong to these alone."""
    _about.set(facts)


def without_secrets(text: str) -> str:
    for pattern, replacement in SECRETS:
        text = pattern.sub(replacement, text)
    return text


class AboutFilter(logging.Filter):
    """Adds what a line belongs to."""

    def filter(self, record: logging.LogRecord) -> bool:
        for name, value in about_now().items():
            if name in KEPT:
                setattr(record, name, value)
        return True


class _Discreet(logging.Formatter):
    """Hides secrets in what any formatter makes of message and traceback, not in the pattern around."""

    def formatException(self, ei: object) -> str:
        return _short(super().formatException(ei))  # type: ignore[arg-type]


def _short(text: str) -> str:
    hidden = without_secrets(text[:LONGEST])
    cut = len(text) - LONGEST
    return f"{hidden} … {cut} characters cut" if cut > 0 else hidden


class DiscreetFilter(logging.Filter):
    """Writes the message out, with secrets hidden, before any formatter sees it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = _short(record.getMessage()), ()
        return True


class Lines(_Discreet):
    """One line of text; what it belongs to at the end."""

    def format(self, record: logging.LogRecord) -> str:
        facts = [
            f"{name}={getattr(record, name)}" for name in KEPT if hasattr(record, name)
        ]
        line = super().format(record)
        return f"{line} [{' '.join(facts)}]" if facts else line


class JsonLines(_Discreet, JsonFormatter):
    """One JSON object per line: time (UTC), level, logger, message, and what it belongs to.

    Nothing else that a record carries: Django and litellm attach whole requests.
    """

    def process_log_record(self, log_data: dict[str, object]) -> dict[str, object]:
        fixed = ("time", "level", "logger", "message", "exc_info", "stack_info", *KEPT)
        return {
            name: log_data[name] for name in fixed if log_data.get(name) is not None
        }


def logging_settings(form: str, level: str) -> dict[str, Any]:
    """For `logging.config`: everything to stderr, as "text" or "json" lines."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "about": {"()": f"{__name__}.AboutFilter"},
            "discreet": {"()": f"{__name__}.DiscreetFilter"},
        },
        "formatters": {
            "text": {
                "()": f"{__name__}.Lines",
                "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
            },
            "json": {
                "()": f"{__name__}.JsonLines",
                "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
                "datefmt": "%Y-%m-%dT%H:%M:%S%z",
                "rename_fields": {
                    "asctime": "time",
                    "levelname": "level",
                    "name": "logger",
                },
            },
        },
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": form,
                "filters": ["about", "discreet"],
            }
        },
        "root": {"handlers": ["console"], "level": level},
    }

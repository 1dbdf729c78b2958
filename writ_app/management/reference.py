"""docs/commands.md, written from the parsers of our commands."""

import argparse
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from django.core.management import load_command_class
from django.core.management.base import BaseCommand, CommandParser

COMMANDS = Path(__file__).resolve().parent / "commands"
HEAD = """\
# Commands

Every command of `manage.py` that is ours, with all its options. Written from the parsers by `manage.py write_commands`; a test compares. `manage.py COMMAND --help`
prints the same, and the options that Django gives to every command.

What needs a database starts the embedded one for as long as it takes, if no site is up and `DATABASE_URL` names none, and workers too if it waits for them. Only
`migrate` and `audit_role` want one that is there: leave `manage.py up` running beside them, or name it in `DATABASE_URL`.

How they hang together is told elsewhere: [the first hour](tutorial.md), [task files](tasks.md), [releases](releases.md), [evaluation](evaluation.md),
[reports](reports.md), [operations](operations.md).
"""

OF_DJANGO = {
    "migrate": "Django's own, with its options; but it waits `WRIT_MIGRATE_LOCK_SECONDS` for a table that others use, then gives up, and can be run again."
}
"""Commands that Django has, too: what is other about ours."""


def command_names() -> list[str]:
    """Our commands by name, in order."""
    return sorted(
        path.stem for path in COMMANDS.glob("*.py") if not path.stem.startswith("_")
    )


def parser_of(name: str) -> CommandParser:
    """What reads the words of one of our commands. Raises ModuleNotFoundError for a name that is none."""
    return load_command_class("writ_app", name).create_parser("manage.py", name)


def parts_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Parsers of a command's parts (`release draft`) by name; none for most."""
    return {
        name: part
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for name, part in action.choices.items()
    }


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    """Names of all options, those of parts included: `--json`, `-v`."""
    return set(parser._option_string_actions).union(
        *(options_of(part) for part in parts_of(parser).values())
    )


def commands_page() -> str:
    """The page as it has to be."""
    names = command_names()
    links = ", ".join(f"[{name}](#{name})" for name in names)
    sections = (line for name in names for line in _section(name))
    return "\n".join([HEAD, f"{links}.", "", *sections])


def _section(name: str) -> Iterator[str]:
    parser = parser_of(name)
    yield from _described(2, name, parser)
    for part, own in parts_of(parser).items():
        yield from _described(3, f"{name} {part}", own)


def _described(level: int, name: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    yield f"{'#' * level} {name}"
    yield ""
    told = parser.description or ""
    yield f"{told[:1].upper()}{told[1:].rstrip('.')}."
    yield ""
    if name in OF_DJANGO:
        yield OF_DJANGO[name]
        yield ""
    elif not parts_of(parser):
        yield f"`manage.py {name}{_needed(parser)}`"
        yield ""
        yield from _tables(parser)


def _needed(parser: argparse.ArgumentParser) -> str:
    """What must be said, as it is typed."""
    words = []
    for action in _own(parser):
        if action.option_strings:
            if action.required:
                words.append(f"{action.option_strings[-1]} {_value(action)}")
        else:
            words.append(
                f"[{_value(action)}]" if action.nargs == "?" else _value(action)
            )
    optional = any(a.option_strings and not a.required for a in _own(parser))
    return "".join(f" {word}" for word in [*words, *["[options]"] * optional])


def _tables(parser: argparse.ArgumentParser) -> Iterator[str]:
    """One table of the options, or one for each group that has a title of its own."""
    own = _own(parser)
    titled = {
        id(action): group.title
        for group in parser._action_groups
        if group not in (parser._positionals, parser._optionals)
        for action in group._group_actions
    }
    for title, found in groupby(own, key=lambda action: titled.get(id(action))):
        rows = list(found)
        if title:
            yield f"{title[:1].upper()}{title[1:]}:"
            yield ""
        yield "| word | meaning |"
        yield "|---|---|"
        for action in rows:
            yield f"| `{_typed(action)}` | {_meaning(parser, action)} |"
        yield ""


def _own(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Those that the command adds itself, in its order."""
    plain = BaseCommand().create_parser("manage.py", "plain")
    common = {action.dest for action in plain._actions}
    return [
        action
        for action in parser._actions
        if action.dest not in common
        and not isinstance(action, argparse._SubParsersAction)
    ]


def _typed(action: argparse.Action) -> str:
    if not action.option_strings:
        return _value(action)
    taken = "" if action.nargs == 0 else f" {_value(action)}"
    return f"{action.option_strings[-1]}{taken}"


def _value(action: argparse.Action) -> str:
    """What stands for the value. `|` would end a cell of the table."""
    if isinstance(action.metavar, tuple):
        return " ".join(action.metavar)
    if action.metavar:
        word = action.metavar.replace("|", " or ")
    elif action.choices:
        word = " or ".join(map(str, action.choices))
    else:
        word = action.dest.upper()
    return f"{word} …" if action.nargs in ("+", "*") else word


def _meaning(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    """Its help, with what holds where nothing is said."""
    told = (action.help or "").replace("%(default)s", str(action.default))
    told = told.replace("|", "or").replace("%%", "%")
    default = action.default
    if (
        action.option_strings
        and action.nargs != 0
        and default not in (None, "", [])
        and "default" not in told
    ):
        told = f"{told} (default: {default})" if told else f"default: {default}"
    return told or "–"

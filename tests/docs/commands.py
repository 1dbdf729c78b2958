"""Commands that the pages tell people to type, as they stand there."""

import re
from collections.abc import Iterator

from tests.docs.pages import pages

COMPARED = ("docs/commands.md",)
"""Pages that a program writes: what is on them is compared as a whole."""
_STARTS = re.compile(
    r"(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?(?:python3? (?:-m tests\.|tests/)|tests/benchmarks/\w+\.py --|(?:python3? )?manage\.py |make |docker compose |psql |sha256sum |git |pip |uv |age )"
)
_COMMENT = re.compile(r"\s+#\s.*$")
_BARE = re.compile(r"manage\.py \w+")
_CONTINUES = re.compile(r"^(?:\[|--|<)")


def told_commands() -> dict[str, list[str]]:
    """Command, spelled in one way → pages that tell it. In a sentence `manage.py prove` alone is but a name, if it stands somewhere with
    its words. Blocks marked `sh` are scripts, which are run as a whole.
    """
    typed: dict[str, list[str]] = {}
    spoken_of: dict[str, list[str]] = {}
    for page in pages():
        if page.path in COMPARED:
            continue
        for block in page.blocks:
            if block.kind in ("", "indented"):
                for line in filter(_is_command, _lines(block.text)):
                    typed.setdefault(spelled(line), []).append(page.path)
        for code in filter(_is_command, page.inline):
            spoken_of.setdefault(spelled(code), []).append(page.path)
    every = {*typed, *spoken_of}
    for command, where in spoken_of.items():
        more = any(other.startswith(f"{command} ") for other in every)
        if not (more and _BARE.fullmatch(command)):
            typed.setdefault(command, []).extend(where)
    return typed


def _is_command(text: str) -> bool:
    return bool(_STARTS.match(text)) and text.strip() != "git"


def _lines(text: str) -> Iterator[str]:
    """Lines, joined where a quote is open or the next one begins with an option."""
    held = ""
    for line in text.splitlines():
        bare = _COMMENT.sub("", line) if not held.count('"') % 2 else line
        if held.count('"') % 2:
            held += "\n" + bare
        elif held and _CONTINUES.match(bare.strip()):
            held += " " + bare.strip()
        else:
            if held:
                yield held
            held = bare
    if held:
        yield held


def spelled(command: str) -> str:
    """Without the interpreter's path and name; blanks as they come in one line."""
    plain = re.sub(r"(?:\.venv/bin/)?python3? (?=manage\.py|-m |tests/)", "", command)
    return plain.strip() if "\n" in plain else re.sub(r"\s+", " ", plain).strip()

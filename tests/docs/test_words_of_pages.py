"""What the tutorial and the how-tos tell people to click and press is what the pages have."""

import re
from functools import cache

import pytest

from tests.docs.pages import ROOT, Page
from writ_app.services.review.keys import DESK

FOLLOWED = ("docs/tutorial.md", "docs/how-to-check.md", "docs/how-to-model.md")
NO_NAMES = {
    "proved",
    "not",
    "every world",
    "one policy",
    "scripted",
    "name",
    "A server of your own",
}
"""Words that are stressed, and no names of anything on a page."""


@cache
def shown() -> str:
    """Everything that pages may show, as the templates and the code have it."""
    folders = ("templates", "writ_app/forms", "writ_app/views", "writ_app/services")
    return "\n".join(
        path.read_text(encoding="utf-8")
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".html", ".jinja", ".py")
    )


@pytest.mark.parametrize("page", FOLLOWED)
def test_names_on_pages_are_those_that_are_shown(page: str) -> None:
    text = re.sub(r"`[^`]*`|\]\([^)]*\)", "", Page(page).without_blocks)
    stressed = re.findall(r"\*{1,2}([^*\n|]+)\*{1,2}", text)
    names = {
        part.strip(" .:")
        for words in stressed
        for part in words.split("→")
        if words not in NO_NAMES
    }

    assert names
    assert sorted(name for name in names if name.rstrip(" …") not in shown()) == []


def test_keys_of_the_tutorial_are_the_desks() -> None:
    rows = re.findall(r"^\| (`.+?) \| (.+) \|$", Page("docs/tutorial.md").text, re.M)
    keys = {key for told, _ in rows for key in re.findall(r"`(.)`", told)}

    assert keys == {"a", "x", "s", "u", "r", "w", "t", "?"}
    assert keys <= {action.key for group in DESK.values() for action in group} | {"?"}

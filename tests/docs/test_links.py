"""Pages lead to each other: every page is reached from the index, every link, anchor and picture is there, pictures can be read by all."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.docs.pages import ROOT, Page, anchor, pages

INDEX = "docs/README.md"
OUTSIDE = ("https://", "http://", "mailto:")


def target(page: Page, link: str) -> tuple[Path, str]:
    """(file, anchor) that a relative link leads to."""
    path, _, place = link.partition("#")
    file = (ROOT / page.path).parent / path if path else ROOT / page.path
    return file.resolve(), place


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.path)
def test_links_lead_somewhere(page: Page) -> None:
    wrong = []
    for link in page.links:
        if not link.startswith(OUTSIDE):
            file, place = target(page, link)
            if not file.exists() or (
                place
                and place not in Page(str(file.relative_to(ROOT.resolve()))).anchors
            ):
                wrong.append(link)

    assert wrong == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.path)
def test_pictures_are_there_and_told_in_words(page: Page) -> None:
    for link in page.pictures:
        file, _ = target(page, link)
        assert file.is_file(), link
        if file.suffix == ".svg":
            picture = ElementTree.parse(file).getroot()
            assert picture.get("role") == "img"
            assert "prefers-color-scheme:dark" in file.read_text(encoding="utf-8")
            assert file.stat().st_size < 10_000
    assert "![](" not in page.text


def test_every_picture_of_the_pages_is_shown() -> None:
    shown = {target(page, link)[0] for page in pages() for link in page.pictures}

    assert {*(ROOT.resolve() / "docs/img").iterdir()} <= shown


def test_every_page_is_reached_from_the_index() -> None:
    known = {(ROOT / page.path).resolve(): page for page in pages()}
    linked = {
        target(Page(INDEX), link)[0]
        for link in Page(INDEX).links
        if not link.startswith(OUTSIDE)
    }

    missing = {page.path for file, page in known.items() if file not in linked}
    assert missing == {INDEX}
    assert (ROOT / INDEX).resolve() in {
        target(Page("README.md"), link)[0] for link in Page("README.md").links
    }


def test_headings_become_anchors_as_readers_make_them() -> None:
    assert anchor("How to add …") == "how-to-add-"
    assert anchor("What `make demo` does, *in short*") == "what-make-demo-does-in-short"
    assert anchor("## A".lstrip("# ")) == "a"


def test_files_that_pages_name_in_code_are_there() -> None:
    """Paths with a folder of ours, in inline code: not those that somebody is to write, nor patterns."""
    named = re.compile(
        r"^(?:writ_app|environments|tests|docs|templates|static|requirements)/[\w/.-]+$"
    )
    to_be_written = {
        "writ_app/engine/verification/brevity.py",
        "writ_app/engine/export/formats/transcript.py",
        "tests/engine/test_brevity.py",
    }
    wrong = [
        f"{page.path}: {code}"
        for page in pages()
        for code in page.inline
        if named.match(code)
        and "NAME" not in code
        and code not in to_be_written
        and not (ROOT / code).exists()
        and not (ROOT / "writ_app" / code).exists()
    ]

    assert wrong == []

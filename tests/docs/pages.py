"""The pages that people read, taken apart: links, anchors, pictures, blocks of code, commands."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(!?)\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A block of code. `kind` is the word behind the fence; blocks that are only indented have "indented"."""

    kind: str
    text: str


@dataclass(frozen=True)
class Page:
    """One page. `path` is relative to the repository."""

    path: str

    @property
    def text(self) -> str:
        return (ROOT / self.path).read_text(encoding="utf-8")

    @property
    def blocks(self) -> list[Block]:
        fenced = [Block(kind, text) for kind, text in _FENCE.findall(self.text)]
        return [*fenced, *self._indented()]

    def _indented(self) -> list[Block]:
        """Four blanks after an empty line; a list's second line, which stands right behind the first, is none."""
        found: list[list[str]] = []
        before = ""
        for line in self.without_blocks.splitlines():
            if line.startswith("    ") and (not before or before.startswith("    ")):
                if not before:
                    found.append([])
                if found:
                    found[-1].append(line.strip())
            before = line
        return [Block("indented", "\n".join(lines)) for lines in found]

    @property
    def without_blocks(self) -> str:
        return _FENCE.sub("", self.text)

    @property
    def inline(self) -> list[str]:
        """Inline code, joined where a line ends within it."""
        prose = "\n".join(
            line
            for line in self.without_blocks.splitlines()
            if not line.startswith("    ")
        )
        return [
            re.sub(r"\s+", " ", code.strip())
            for code in re.findall(r"(?<!`)`([^`]+)`(?!`)", prose)
        ]

    @property
    def links(self) -> list[str]:
        """Targets of links that are no pictures."""
        return [to for mark, to in _LINK.findall(self.without_blocks) if not mark]

    @property
    def pictures(self) -> list[str]:
        return [to for mark, to in _LINK.findall(self.without_blocks) if mark]

    @property
    def anchors(self) -> set[str]:
        """Of the headings, as GitHub makes them."""
        headings = re.findall(r"^#+ (.+)$", self.without_blocks, re.MULTILINE)
        return {anchor(heading) for heading in headings}


def anchor(heading: str) -> str:
    """Lower case, without punctuation but hyphens and underscores, blanks as hyphens."""
    plain = re.sub(r"[`*]|\]\([^)]*\)|[\[]", "", heading.strip().lower())
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


@cache
def pages() -> tuple[Page, ...]:
    """README, SECURITY and everything under docs."""
    found = ["README.md", "SECURITY.md"]
    found += sorted(
        str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")
    )
    return tuple(map(Page, found))
